/* suite.h: which signature algorithms there are, by name and number; the one table to extend. */
#ifndef CG_LIB_CRYPTO_SUITE_H
#define CG_LIB_CRYPTO_SUITE_H
#include <httpcg/crypto.h>

enum cg_alg {
    CG_ALG_ED25519,
    CG_ALG_MLDSA87,
    CG_ALG_MLDSA44, /* witnesses' cosignatures only */
    CG_ALG_COUNT
};

struct cg_alg_info {
    const char *name; /* as OpenSSL calls it */
    int cose;         /* its number in COSE: RFC 9864, RFC 9964 */
    size_t key_len;   /* of public keys */
    size_t sig_len;
    bool has_context; /* whether signatures take a context string */
};

const struct cg_alg_info *cg_alg_info_of(enum cg_alg alg);

#endif
