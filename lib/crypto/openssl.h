/* openssl.h: what the files of this folder share; no other folder includes it. */
#ifndef CG_LIB_CRYPTO_OPENSSL_H
#define CG_LIB_CRYPTO_OPENSSL_H
#include "lib/crypto/suite.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

struct cg_crypto {
    EVP_SIGNATURE *signature[CG_ALG_COUNT];
    EVP_CIPHER *aes_gcm;
    EVP_KDF *argon2id;
    bool is_deterministic;
};

/* cg_openssl_failed empties the thread's error queue, so that nothing of ours surfaces in somebody
 * else's report, and gives the error to return. */
static inline cg_err cg_openssl_failed(cg_err err)
{
    ERR_clear_error();
    return err;
}

#endif
