#include "lib/crypto/keyfile.h"

#include "lib/base/secret.h"
#include "lib/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

cg_err cg_argon2_cost_check(struct cg_argon2_cost cost)
{
    if (cost.m_kib > CG_ARGON2_MAX_KIB || cost.passes > CG_ARGON2_MAX_PASSES ||
        cost.lanes > CG_ARGON2_MAX_LANES)
        return CG_TOO_LARGE;
    /* RFC 9106, 3.1: at least one pass and one lane, and eight blocks of 1 KiB a lane. */
    if (cost.passes == 0 || cost.lanes == 0 || cost.m_kib < 8 * cost.lanes)
        return CG_SCHEMA;
    return CG_OK;
}

cg_err cg_argon2id(const struct cg_crypto *crypto, struct cg_argon2_cost cost,
                   struct cg_span passphrase, struct cg_span salt, struct cg_secret *out)
{
    /* One thread whatever the lanes: threads are not this library's to start. */
    uint32_t threads = 1;
    static const uint8_t nothing;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
                                          (void *)(passphrase.len ? passphrase.at : &nothing),
                                          passphrase.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.at, salt.len),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &cost.passes),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &cost.m_kib),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &cost.lanes),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &threads),
        OSSL_PARAM_construct_end(),
    };
    struct cg_secret got;

    cg_err err = cg_argon2_cost_check(cost);
    if (err != CG_OK)
        return err;
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(crypto->argon2id);
    bool ok = ctx && EVP_KDF_derive(ctx, got.bytes, sizeof got.bytes, params) == 1;
    EVP_KDF_CTX_free(ctx);
    if (ok)
        *out = got;
    cg_secret_done(&got);
    return ok ? CG_OK : cg_openssl_failed(CG_CRYPTO);
}
