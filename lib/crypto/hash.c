#include "lib/crypto/hash.h"

#include "lib/base/try.h"
#include "lib/crypto/openssl.h"

#include <stdlib.h>

cg_err cg_sha256(struct cg_span bytes, struct cg_hash *out)
{
    struct cg_hash got;

    if (EVP_Digest(bytes.at, bytes.len, got.bytes, NULL, EVP_sha256(), NULL) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    *out = got;
    return CG_OK;
}

cg_err cg_sha256_3(struct cg_span a, struct cg_span b, struct cg_span c, struct cg_hash *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct cg_hash got;
    bool ok = ctx && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, a.at, a.len) == 1 && EVP_DigestUpdate(ctx, b.at, b.len) == 1 &&
              EVP_DigestUpdate(ctx, c.at, c.len) == 1 &&
              EVP_DigestFinal_ex(ctx, got.bytes, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return cg_openssl_failed(CG_CRYPTO);
    *out = got;
    return CG_OK;
}

cg_err cg_sha256_2(struct cg_span a, struct cg_span b, struct cg_hash *out)
{
    return cg_sha256_3(a, b, (struct cg_span){NULL, 0}, out);
}

cg_err cg_sha512(struct cg_span bytes, uint8_t out[static CG_SHA512_BYTES])
{
    if (EVP_Digest(bytes.at, bytes.len, out, NULL, EVP_sha512(), NULL) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

/* The method is fetched once: beginning again then costs no look-up and no allocation. */
struct cg_hasher {
    EVP_MD *sha256;
    EVP_MD_CTX *ctx;
};

cg_err cg_hasher_new(struct cg_hasher **out)
{
    struct cg_hasher *hasher = calloc(1, sizeof *hasher);

    if (!hasher)
        return CG_NO_MEMORY;
    hasher->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    hasher->ctx = EVP_MD_CTX_new();
    if (!hasher->sha256 || !hasher->ctx) {
        cg_hasher_free(hasher);
        return cg_openssl_failed(CG_CRYPTO);
    }
    *out = hasher;
    return CG_OK;
}

void cg_hasher_free(struct cg_hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->ctx);
    EVP_MD_free(hasher->sha256);
    free(hasher);
}

cg_err cg_hasher_begin(struct cg_hasher *hasher)
{
    if (EVP_DigestInit_ex2(hasher->ctx, hasher->sha256, NULL) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

cg_err cg_hasher_add(struct cg_hasher *hasher, struct cg_span bytes)
{
    if (EVP_DigestUpdate(hasher->ctx, bytes.at, bytes.len) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

cg_err cg_hasher_end(struct cg_hasher *hasher, struct cg_hash *out)
{
    struct cg_hash got;

    if (EVP_DigestFinal_ex(hasher->ctx, got.bytes, NULL) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    *out = got;
    return CG_OK;
}

cg_err cg_hasher_whole(struct cg_hasher *hasher, struct cg_span bytes, struct cg_hash *out)
{
    CG_TRY(cg_hasher_begin(hasher));
    CG_TRY(cg_hasher_add(hasher, bytes));
    return cg_hasher_end(hasher, out);
}
