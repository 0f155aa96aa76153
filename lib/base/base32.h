/* base32.h: RFC 4648 base32 in lower case without padding, as addresses are written. */
#ifndef CG_LIB_BASE_BASE32_H
#define CG_LIB_BASE_BASE32_H
#include <httpcg/err.h>

/* How many characters n bytes make. */
#define CG_BASE32_CHARS(n) (((n)*8 + 4) / 5)

/* cg_base32_write writes CG_BASE32_CHARS(bytes.len) characters, without NUL. */
void cg_base32_write(struct cg_span bytes, char *out);
/* cg_base32_read decodes exactly len bytes; the unused last bits must be zero (one spelling a
 * value). Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX, CG_CANONICAL; out is then undefined. */
CG_MUST_USE cg_err cg_base32_read(struct cg_span text, uint8_t *out, size_t len);

#endif
