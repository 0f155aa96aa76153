/* base64.h: RFC 4648 base64, the standard alphabet with padding and the URL alphabet without. */
#ifndef CG_LIB_BASE_BASE64_H
#define CG_LIB_BASE_BASE64_H
#include <httpcg/err.h>

enum cg_base64_kind {
    CG_BASE64,    /* + and /, padded with = */
    CG_BASE64URL, /* - and _, no padding */
};

/* cg_base64_chars tells how many characters n bytes make. */
size_t cg_base64_chars(enum cg_base64_kind kind, size_t n);
/* cg_base64_write writes cg_base64_chars characters, without NUL. */
void cg_base64_write(enum cg_base64_kind kind, struct cg_span bytes, char *out);
/* cg_base64_read decodes; white space, missing or needless padding and unused bits that are set are
 * refused, so that a value has one spelling.
 * Units   out holds room bytes, *out_len tells how many were written.
 * Errors  CG_SYNTAX, CG_CANONICAL, CG_TOO_LARGE (room too small); out is then undefined. */
CG_MUST_USE cg_err cg_base64_read(enum cg_base64_kind kind, struct cg_span text, uint8_t *out,
                                  size_t room, size_t *out_len);

#endif
