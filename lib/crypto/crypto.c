#include "lib/crypto/openssl.h"

#include <stdlib.h>

static cg_err make(bool is_deterministic, struct cg_crypto **out)
{
    struct cg_crypto *crypto = calloc(1, sizeof *crypto);

    if (!crypto)
        return CG_NO_MEMORY;
    crypto->is_deterministic = is_deterministic;
    crypto->aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    crypto->argon2id = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
    bool ok = crypto->aes_gcm && crypto->argon2id;
    for (size_t i = 0; i < CG_ALG_COUNT; i++) {
        const char *name = cg_alg_info_of((enum cg_alg)i)->name;

        crypto->signature[i] = EVP_SIGNATURE_fetch(NULL, name, NULL);
        ok = ok && crypto->signature[i];
    }
    if (!ok) {
        cg_crypto_free(crypto);
        return cg_openssl_failed(CG_UNSUPPORTED);
    }
    *out = crypto;
    return CG_OK;
}

cg_err cg_crypto_new(struct cg_crypto **out)
{
    return make(false, out);
}

cg_err cg_crypto_new_deterministic(struct cg_crypto **out)
{
    return make(true, out);
}

void cg_crypto_free(struct cg_crypto *crypto)
{
    if (!crypto)
        return;
    for (size_t i = 0; i < CG_ALG_COUNT; i++)
        EVP_SIGNATURE_free(crypto->signature[i]);
    EVP_KDF_free(crypto->argon2id);
    EVP_CIPHER_free(crypto->aes_gcm);
    free(crypto);
}

const char *cg_crypto_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
