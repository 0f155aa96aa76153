#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/mac.h"
#include "lib/identity/waddr.h"
#include "lib/wire/cbor.h"
#include "lib/wire/tup.h"

#define EXTRACT_SALT "httpcg-wallet/v1"

static cg_err expand(struct cg_mac *mac, const struct cg_secret *prk, const char *label,
                     struct cg_secret *out)
{
    uint8_t info[32];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, label, 0);

    CG_TRY(cg_tup_end(&t));
    return cg_hkdf_expand(mac, prk, cg_writer_span(&w), out);
}

static cg_err derive(struct cg_mac *mac, const struct cg_secret *seed, struct cg_seeds *out)
{
    CG_AUTO(secret) struct cg_secret prk;

    CG_TRY(cg_hkdf_extract(mac, CG_LIT(EXTRACT_SALT), CG_BYTES(seed->bytes), &prk));
    CG_TRY(expand(mac, &prk, "ed25519", &out->ed25519));
    return expand(mac, &prk, "ml-dsa-87", &out->mldsa87);
}

cg_err cg_wallet_seeds(const struct cg_secret *seed, struct cg_seeds *out)
{
    struct cg_mac *mac;

    CG_TRY(cg_mac_new(&mac));
    cg_err err = derive(mac, seed, out);
    cg_mac_free(mac);
    if (err != CG_OK)
        cg_seeds_done(out);
    return err;
}

cg_err cg_wallet_signer(const struct cg_crypto *crypto, const struct cg_secret *seed,
                        struct cg_signer **out)
{
    CG_AUTO(seeds) struct cg_seeds seeds;

    CG_TRY(cg_wallet_seeds(seed, &seeds));
    return cg_signer_new(crypto, &seeds, out);
}

/* H(TUP(label; ed25519, H(mldsa87)[, next])): both commitments have this shape. */
static cg_err commit(const char *label, const struct cg_public_keys *keys,
                     const struct cg_hash *next, struct cg_hash *out)
{
    uint8_t text[160];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_tup t = cg_tup_begin(&w, label, next ? 3 : 2);
    struct cg_hash ml;

    CG_TRY(cg_sha256(CG_BYTES(keys->mldsa87), &ml));
    cg_tup_bytes(&t, CG_BYTES(keys->ed25519));
    cg_tup_hash(&t, &ml);
    if (next)
        cg_tup_hash(&t, next);
    CG_TRY(cg_tup_end(&t));
    return cg_sha256(cg_writer_span(&w), out);
}

cg_err cg_next_hash(const struct cg_public_keys *keys, struct cg_hash *out)
{
    return commit("httpcg-next/v1", keys, NULL, out);
}

cg_err cg_wallet_next(const struct cg_crypto *crypto, const struct cg_secret *next_seed,
                      struct cg_hash *out)
{
    struct cg_signer *next;

    CG_TRY(cg_wallet_signer(crypto, next_seed, &next));
    cg_err err = cg_next_hash(cg_signer_public(next), out);
    cg_signer_free(next);
    return err;
}

void cg_wallet_doc_make(const struct cg_signer *signer, const struct cg_hash *next,
                        struct cg_wallet_doc *out)
{
    out->keys = *cg_signer_public(signer);
    out->next = *next;
}

cg_err cg_wallet_doc_address(const struct cg_wallet_doc *doc, struct cg_waddr *out)
{
    struct cg_hash h;

    CG_TRY(commit("httpcg-waddr/v1", &doc->keys, &doc->next, &h));
    return cg_waddr_of_hash(&h, out);
}

void cg_wallet_doc_write(const struct cg_wallet_doc *doc, uint8_t out[CG_WALLET_DOC_BYTES])
{
    struct cg_writer w = cg_writer_fixed(out, CG_WALLET_DOC_BYTES);

    cg_cbor_put_map(&w, 4);
    cg_cbor_put_key(&w, "v");
    cg_cbor_put_uint(&w, 1);
    cg_cbor_put_key(&w, "next");
    cg_cbor_put_hash(&w, &doc->next);
    cg_cbor_put_key(&w, "ed25519");
    cg_cbor_put_bytes(&w, CG_BYTES(doc->keys.ed25519));
    cg_cbor_put_key(&w, "mldsa87");
    cg_cbor_put_bytes(&w, CG_BYTES(doc->keys.mldsa87));
}

cg_err cg_wallet_doc_read(struct cg_span wire, struct cg_wallet_doc *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_hash next;

    cg_cbor_map(&r, 4, 4);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "next");
    cg_cbor_hash(&r, &next);
    cg_cbor_key(&r, "ed25519");
    const uint8_t *ed = cg_cbor_bytes_n(&r, CG_ED25519_KEY_BYTES);
    cg_cbor_key(&r, "mldsa87");
    const uint8_t *ml = cg_cbor_bytes_n(&r, CG_MLDSA87_KEY_BYTES);
    CG_TRY(cg_cbor_end(&r));

    out->next = next;
    memcpy(out->keys.ed25519, ed, CG_ED25519_KEY_BYTES);
    memcpy(out->keys.mldsa87, ml, CG_MLDSA87_KEY_BYTES);
    return CG_OK;
}
