/* authority.h: what each plane takes for an authority. */
#ifndef CG_LIB_URL_AUTHORITY_H
#define CG_LIB_URL_AUTHORITY_H
#include <httpcg/url.h>

/* cg_authority_check gives NULL where a lower-case authority is one of that plane's, otherwise what
 * is wrong with it.
 * Source  docs/protocol/url.md, "Authorities"; RFC 1035, 2.3.1; RFC 5890, 2.3.1 */
const char *cg_authority_check(enum cg_plane plane, struct cg_span authority);
/* cg_ohph_check likewise for what must be the first segment of a path in plane m2m. */
const char *cg_ohph_check(struct cg_span segment);

#endif
