/* hexsig.h: signatures as headers write them, in lower-case hex. */
#ifndef CG_LIB_SAPI_HEXSIG_H
#define CG_LIB_SAPI_HEXSIG_H
#include <httpcg/err.h>

/* cg_hexsig_check tells whether text is the lower-case hex of so many bytes.
 * Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX. */
CG_MUST_USE cg_err cg_hexsig_check(struct cg_span text, size_t len);

#endif
