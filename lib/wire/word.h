/* word.h: the one form of names that people give: profiles, roles, groups.
 *
 * 1 to 63 of a-z, 0-9, "-", "_" and ".", beginning with a letter or digit: they stand in ids,
 * headers and file names without ever needing an escape. */
#ifndef CG_LIB_WIRE_WORD_H
#define CG_LIB_WIRE_WORD_H
#include <httpcg/base.h>

#define CG_WORD_MAX_BYTES 63

bool cg_is_word(struct cg_span text);

#endif
