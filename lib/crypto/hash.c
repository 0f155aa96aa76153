#include "lib/crypto/hash.h"

#include "lib/base/span.h"

#include <openssl/evp.h>

cg_err cg_sha256_3(struct cg_span a, struct cg_span b, struct cg_span c, struct cg_hash *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct cg_hash got;
    cg_err err = CG_CRYPTO;

    if (ctx && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(ctx, a.at, a.len) == 1 && EVP_DigestUpdate(ctx, b.at, b.len) == 1 &&
        EVP_DigestUpdate(ctx, c.at, c.len) == 1 && EVP_DigestFinal_ex(ctx, got.bytes, NULL) == 1)
        err = CG_OK;
    EVP_MD_CTX_free(ctx);
    if (err == CG_OK)
        *out = got;
    return err;
}

cg_err cg_sha256_2(struct cg_span a, struct cg_span b, struct cg_hash *out)
{
    return cg_sha256_3(a, b, (struct cg_span){NULL, 0}, out);
}

cg_err cg_sha256(struct cg_span bytes, struct cg_hash *out)
{
    return cg_sha256_3(bytes, (struct cg_span){NULL, 0}, (struct cg_span){NULL, 0}, out);
}
