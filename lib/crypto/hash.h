/* hash.h: SHA-256 and SHA-512.
 *
 * The plain functions are for places that hash now and then.  Where a request's path hashes, or a
 * body arrives in pieces, a struct cg_hasher is three times as fast: it is made once, kept, and
 * begun again for each use. */
#ifndef CG_LIB_CRYPTO_HASH_H
#define CG_LIB_CRYPTO_HASH_H
#include <httpcg/err.h>

#define CG_SHA512_BYTES 64

/* cg_sha256 hashes one piece. Errors CG_CRYPTO. */
CG_MUST_USE cg_err cg_sha256(struct cg_span bytes, struct cg_hash *out);
/* cg_sha256_2 hashes two pieces, one after the other. */
CG_MUST_USE cg_err cg_sha256_2(struct cg_span a, struct cg_span b, struct cg_hash *out);
/* cg_sha256_3 hashes three. */
CG_MUST_USE cg_err cg_sha256_3(struct cg_span a, struct cg_span b, struct cg_span c,
                               struct cg_hash *out);
/* cg_sha512 hashes one piece. */
CG_MUST_USE cg_err cg_sha512(struct cg_span bytes, uint8_t out[static CG_SHA512_BYTES]);

/* A SHA-256 in progress; not shared between threads. */
struct cg_hasher;

/* cg_hasher_new makes one, ready for cg_hasher_begin. Errors CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_hasher_new(struct cg_hasher **out);
void cg_hasher_free(struct cg_hasher *hasher);
/* cg_hasher_begin starts a new hash and forgets whatever was in progress. */
CG_MUST_USE cg_err cg_hasher_begin(struct cg_hasher *hasher);
CG_MUST_USE cg_err cg_hasher_add(struct cg_hasher *hasher, struct cg_span bytes);
/* cg_hasher_end gives the hash; the next call must be cg_hasher_begin. */
CG_MUST_USE cg_err cg_hasher_end(struct cg_hasher *hasher, struct cg_hash *out);
/* cg_hasher_whole is begin, add and end. */
CG_MUST_USE cg_err cg_hasher_whole(struct cg_hasher *hasher, struct cg_span bytes,
                                   struct cg_hash *out);

#endif
