/* hash.h: SHA-256, SHA-512, HMAC-SHA-256 and HKDF's two halves (RFC 5869).
 *
 * Speed matters here: one HMAC context is re-keyed for each use (a request costs several MACs), so
 * the contexts are objects that the caller makes once per loop. */
#ifndef CG_LIB_CRYPTO_HASH_H
#define CG_LIB_CRYPTO_HASH_H
#include <httpcg/err.h>

/* cg_sha256 hashes one piece. Errors CG_CRYPTO. */
CG_MUST_USE cg_err cg_sha256(struct cg_span bytes, struct cg_hash *out);
/* cg_sha256_2 hashes two pieces, one after the other. */
CG_MUST_USE cg_err cg_sha256_2(struct cg_span a, struct cg_span b, struct cg_hash *out);
/* cg_sha256_3 hashes three. */
CG_MUST_USE cg_err cg_sha256_3(struct cg_span a, struct cg_span b, struct cg_span c,
                               struct cg_hash *out);

#endif
