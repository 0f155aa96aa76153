#include "lib/crypto/sign.h"

#include "lib/base/try.h"
#include "lib/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdlib.h>

/* Both kinds of key are the same inside; two types keep a public key from being asked to sign. */
struct cg_sign_key {
    const struct cg_crypto *crypto;
    EVP_PKEY *pkey;
    enum cg_alg alg;
};

struct cg_verify_key {
    const struct cg_crypto *crypto;
    EVP_PKEY *pkey;
    enum cg_alg alg;
};

static EVP_PKEY *pkey_of_seed(enum cg_alg alg, const struct cg_secret *seed)
{
    const char *name = cg_alg_info_of(alg)->name;

    if (alg == CG_ALG_ED25519)
        return EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, seed->bytes, sizeof seed->bytes);

    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, (void *)seed->bytes,
                                          sizeof seed->bytes),
        OSSL_PARAM_construct_end(),
    };

    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

cg_err cg_sign_key_new(const struct cg_crypto *crypto, enum cg_alg alg,
                       const struct cg_secret *seed, struct cg_sign_key **out)
{
    struct cg_sign_key *key = malloc(sizeof *key);

    if (!key)
        return CG_NO_MEMORY;
    *key = (struct cg_sign_key){.crypto = crypto, .alg = alg, .pkey = pkey_of_seed(alg, seed)};
    if (!key->pkey) {
        free(key);
        return cg_openssl_failed(CG_CRYPTO);
    }
    *out = key;
    return CG_OK;
}

void cg_sign_key_free(struct cg_sign_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

cg_err cg_sign_key_public(const struct cg_sign_key *key, uint8_t *out)
{
    size_t want = cg_alg_info_of(key->alg)->key_len, len = want;

    if (EVP_PKEY_get_raw_public_key(key->pkey, out, &len) != 1 || len != want)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

/* OpenSSL refuses an empty context at NULL. */
static OSSL_PARAM context_param(struct cg_span context)
{
    static const uint8_t nothing;

    return OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
                                             (void *)(context.len ? context.at : &nothing),
                                             context.len);
}

cg_err cg_sign(const struct cg_sign_key *key, struct cg_span context, struct cg_span message,
               uint8_t *out)
{
    const struct cg_alg_info *suite = cg_alg_info_of(key->alg);
    int deterministic = key->crypto->is_deterministic;
    OSSL_PARAM params[] = {
        context_param(context),
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &deterministic),
        OSSL_PARAM_construct_end(),
    };

    if (context.len && !suite->has_context)
        return CG_INTERNAL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    size_t len = suite->sig_len;
    bool ok = ctx &&
              EVP_PKEY_sign_message_init(ctx, key->crypto->signature[key->alg],
                                         suite->has_context ? params : NULL) == 1 &&
              EVP_PKEY_sign(ctx, out, &len, message.at, message.len) == 1 && len == suite->sig_len;
    EVP_PKEY_CTX_free(ctx);
    return ok ? CG_OK : cg_openssl_failed(CG_CRYPTO);
}

cg_err cg_verify_key_new(const struct cg_crypto *crypto, enum cg_alg alg, struct cg_span bytes,
                         struct cg_verify_key **out)
{
    const struct cg_alg_info *suite = cg_alg_info_of(alg);

    if (bytes.len != suite->key_len)
        return CG_KEY;
    if (alg == CG_ALG_ED25519)
        CG_TRY(cg_ed25519_key_check(bytes.at));

    struct cg_verify_key *key = malloc(sizeof *key);
    if (!key)
        return CG_NO_MEMORY;
    *key = (struct cg_verify_key){
        .crypto = crypto,
        .alg = alg,
        .pkey = EVP_PKEY_new_raw_public_key_ex(NULL, suite->name, NULL, bytes.at, bytes.len),
    };
    if (!key->pkey) {
        free(key);
        return cg_openssl_failed(CG_KEY);
    }
    *out = key;
    return CG_OK;
}

void cg_verify_key_free(struct cg_verify_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

cg_err cg_verify(const struct cg_verify_key *key, struct cg_span context, struct cg_span message,
                 struct cg_span sig)
{
    const struct cg_alg_info *suite = cg_alg_info_of(key->alg);
    OSSL_PARAM params[] = {context_param(context), OSSL_PARAM_construct_end()};

    if (context.len && !suite->has_context)
        return CG_INTERNAL;
    if (sig.len != suite->sig_len)
        return CG_SIGNATURE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ready = ctx && EVP_PKEY_verify_message_init(ctx, key->crypto->signature[key->alg],
                                                     suite->has_context ? params : NULL) == 1;
    /* Exactly 1 is "valid": 0 and negative values are not, whatever the reason. */
    bool ok = ready && EVP_PKEY_verify(ctx, sig.at, sig.len, message.at, message.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ready)
        return cg_openssl_failed(CG_CRYPTO);
    return ok ? CG_OK : cg_openssl_failed(CG_SIGNATURE);
}
