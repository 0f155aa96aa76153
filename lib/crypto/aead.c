#include "lib/crypto/aead.h"

#include "lib/base/secret.h"
#include "lib/crypto/openssl.h"

#include <limits.h>

/* EVP counts in int; nothing the protocol seals comes near. */
static bool fits(struct cg_span aad, struct cg_span text)
{
    return aad.len <= INT_MAX && text.len <= INT_MAX - CG_AEAD_TAG_BYTES;
}

cg_err cg_aead_seal(const struct cg_crypto *crypto, const struct cg_secret *key,
                    const uint8_t nonce[static CG_AEAD_NONCE_BYTES], struct cg_span aad,
                    struct cg_span plain, uint8_t *out)
{
    int n = 0, n_last = 0;

    if (!fits(aad, plain))
        return CG_TOO_LARGE;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok =
        ctx && EVP_EncryptInit_ex2(ctx, crypto->aes_gcm, key->bytes, nonce, NULL) == 1 &&
        (aad.len == 0 || EVP_EncryptUpdate(ctx, NULL, &n, aad.at, (int)aad.len) == 1) &&
        (plain.len == 0 || EVP_EncryptUpdate(ctx, out, &n, plain.at, (int)plain.len) == 1) &&
        EVP_EncryptFinal_ex(ctx, out + plain.len, &n_last) == 1 && n_last == 0 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CG_AEAD_TAG_BYTES, out + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? CG_OK : cg_openssl_failed(CG_CRYPTO);
}

cg_err cg_aead_open(const struct cg_crypto *crypto, const struct cg_secret *key,
                    const uint8_t nonce[static CG_AEAD_NONCE_BYTES], struct cg_span aad,
                    struct cg_span sealed, uint8_t *out)
{
    int n = 0, n_last = 0;

    if (sealed.len < CG_AEAD_TAG_BYTES)
        return CG_SHORT;
    if (!fits(aad, sealed))
        return CG_TOO_LARGE;

    size_t len = sealed.len - CG_AEAD_TAG_BYTES;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ready = ctx && EVP_DecryptInit_ex2(ctx, crypto->aes_gcm, key->bytes, nonce, NULL) == 1 &&
                 EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CG_AEAD_TAG_BYTES,
                                     (void *)(sealed.at + len)) == 1;
    bool ok = ready &&
              (aad.len == 0 || EVP_DecryptUpdate(ctx, NULL, &n, aad.at, (int)aad.len) == 1) &&
              (len == 0 || EVP_DecryptUpdate(ctx, out, &n, sealed.at, (int)len) == 1) &&
              EVP_DecryptFinal_ex(ctx, out + len, &n_last) == 1 && n_last == 0;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok) {
        /* GCM decrypts before it checks: what did not pass must not be seen. */
        if (len)
            cg_wipe(out, len);
        return cg_openssl_failed(ready ? CG_MISMATCH : CG_CRYPTO);
    }
    return CG_OK;
}
