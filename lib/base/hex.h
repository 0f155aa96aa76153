/* hex.h: lower-case hexadecimal; upper case is refused, as every text form here has one spelling.
 */
#ifndef CG_LIB_BASE_HEX_H
#define CG_LIB_BASE_HEX_H
#include <httpcg/err.h>

/* cg_hex_write writes 2 * bytes.len characters, without NUL. */
void cg_hex_write(struct cg_span bytes, char *out);
/* cg_hex_check tells whether every character is a lower-case digit. */
bool cg_hex_check(struct cg_span text);
/* cg_hex_read decodes exactly 2 * len characters.
 * Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX (also for upper case); out is then undefined. */
CG_MUST_USE cg_err cg_hex_read(struct cg_span text, uint8_t *out, size_t len);

#endif
