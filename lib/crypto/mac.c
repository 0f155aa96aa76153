#include "lib/crypto/mac.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdlib.h>

struct cg_mac {
    EVP_MAC *hmac;
    EVP_MAC_CTX *ctx;
};

cg_err cg_mac_new(struct cg_mac **out)
{
    char digest[] = "SHA2-256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    struct cg_mac *mac = calloc(1, sizeof *mac);

    if (!mac)
        return CG_NO_MEMORY;
    mac->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    mac->ctx = mac->hmac ? EVP_MAC_CTX_new(mac->hmac) : NULL;
    if (!mac->ctx || EVP_MAC_CTX_set_params(mac->ctx, params) != 1) {
        cg_mac_free(mac);
        return cg_openssl_failed(CG_CRYPTO);
    }
    *out = mac;
    return CG_OK;
}

void cg_mac_free(struct cg_mac *mac)
{
    if (!mac)
        return;
    EVP_MAC_CTX_free(mac->ctx);
    EVP_MAC_free(mac->hmac);
    free(mac);
}

static cg_err begin(struct cg_mac *mac, struct cg_span key)
{
    if (EVP_MAC_init(mac->ctx, key.at, key.len, NULL) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

cg_err cg_mac_begin(struct cg_mac *mac, const struct cg_secret *key)
{
    return begin(mac, CG_BYTES(key->bytes));
}

cg_err cg_mac_add(struct cg_mac *mac, struct cg_span bytes)
{
    if (bytes.len && EVP_MAC_update(mac->ctx, bytes.at, bytes.len) != 1)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

static cg_err end(struct cg_mac *mac, uint8_t out[static CG_HASH_BYTES])
{
    size_t len = 0;

    if (EVP_MAC_final(mac->ctx, out, &len, CG_HASH_BYTES) != 1 || len != CG_HASH_BYTES)
        return cg_openssl_failed(CG_CRYPTO);
    return CG_OK;
}

cg_err cg_mac_end(struct cg_mac *mac, struct cg_hash *out)
{
    struct cg_hash got;

    CG_TRY(end(mac, got.bytes));
    *out = got;
    return CG_OK;
}

cg_err cg_mac_whole(struct cg_mac *mac, const struct cg_secret *key, struct cg_span bytes,
                    struct cg_hash *out)
{
    CG_TRY(cg_mac_begin(mac, key));
    CG_TRY(cg_mac_add(mac, bytes));
    return cg_mac_end(mac, out);
}

cg_err cg_mac_check(struct cg_mac *mac, const struct cg_secret *key, struct cg_span bytes,
                    struct cg_span tag)
{
    struct cg_hash want;

    CG_TRY(cg_mac_whole(mac, key, bytes, &want));
    if (tag.len != CG_HASH_BYTES || !cg_ct_eq(tag.at, want.bytes, CG_HASH_BYTES))
        return CG_SIGNATURE;
    return CG_OK;
}

cg_err cg_hkdf_extract(struct cg_mac *mac, struct cg_span salt, struct cg_span ikm,
                       struct cg_secret *prk)
{
    static const uint8_t no_salt[CG_HASH_BYTES];
    CG_AUTO(secret) struct cg_secret got;

    CG_TRY(begin(mac, salt.len ? salt : CG_BYTES(no_salt)));
    CG_TRY(cg_mac_add(mac, ikm));
    CG_TRY(end(mac, got.bytes));
    *prk = got;
    return CG_OK;
}

/* T(i) = HMAC(prk, T(i-1) || info || i), with T(0) empty. */
static cg_err expand_block(struct cg_mac *mac, const struct cg_secret *prk, struct cg_span before,
                           struct cg_span info, uint8_t i, struct cg_secret *out)
{
    CG_TRY(cg_mac_begin(mac, prk));
    CG_TRY(cg_mac_add(mac, before));
    CG_TRY(cg_mac_add(mac, info));
    CG_TRY(cg_mac_add(mac, cg_span_of(&i, 1)));
    return end(mac, out->bytes);
}

cg_err cg_hkdf_expand(struct cg_mac *mac, const struct cg_secret *prk, struct cg_span info,
                      struct cg_secret *out)
{
    CG_AUTO(secret) struct cg_secret got;

    CG_TRY(expand_block(mac, prk, (struct cg_span){NULL, 0}, info, 1, &got));
    *out = got;
    return CG_OK;
}

cg_err cg_hkdf_expand_to(struct cg_mac *mac, const struct cg_secret *prk, struct cg_span info,
                         uint8_t *out, size_t len)
{
    CG_AUTO(secret) struct cg_secret block;
    struct cg_span before = {NULL, 0};

    if (len > 255 * CG_HASH_BYTES)
        return CG_TOO_LARGE;
    for (uint8_t i = 1; len > 0; i++) {
        size_t n = len < CG_HASH_BYTES ? len : CG_HASH_BYTES;

        CG_TRY(expand_block(mac, prk, before, info, i, &block));
        memcpy(out, block.bytes, n);
        before = CG_BYTES(block.bytes);
        out += n;
        len -= n;
    }
    return CG_OK;
}
