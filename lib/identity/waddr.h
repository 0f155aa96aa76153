/* waddr.h: making addresses, and reading and writing DIDs in documents. */
#ifndef CG_LIB_IDENTITY_WADDR_H
#define CG_LIB_IDENTITY_WADDR_H
#include <httpcg/identity.h>

/* cg_waddr_of_hash writes a hash as an address: base32(hash || checksum || version 1). */
CG_MUST_USE cg_err cg_waddr_of_hash(const struct cg_hash *h, struct cg_waddr *out);

static inline struct cg_span cg_waddr_span(const struct cg_waddr *waddr)
{
    return (struct cg_span){(const uint8_t *)waddr->text, CG_WADDR_CHARS};
}

#endif
