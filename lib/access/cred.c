#include "lib/access/cred.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"
#include "lib/identity/waddr.h"
#include "lib/wire/cbor.h"
#include "lib/wire/word.h"

/* {"v":1,"aud","role","nonce","owner","until","wallet"}, in canonical order. */
cg_err cg_cred_read(struct cg_span wire, struct cg_cred *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_cred got = {0};

    cg_cbor_map(&r, 7, 7);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "aud");
    got.aud = cg_cbor_text(&r, CG_WORD_MAX_BYTES);
    cg_cbor_key(&r, "role");
    got.role = cg_cbor_text(&r, CG_WORD_MAX_BYTES);
    cg_cbor_key(&r, "nonce");
    cg_cbor_bytes_n(&r, CG_CRED_NONCE_BYTES);
    cg_cbor_key(&r, "owner");
    struct cg_span owner = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "until");
    uint64_t until = cg_cbor_uint(&r);
    cg_cbor_key(&r, "wallet");
    struct cg_span wallet = cg_cbor_text(&r, CG_WADDR_CHARS);
    CG_TRY(cg_cbor_end(&r));
    if (!cg_is_word(got.aud) || !cg_is_word(got.role))
        return CG_SCHEMA;
    if (until > CG_JSON_MAX_INT)
        return CG_TOO_LARGE;
    got.until.s = (int64_t)until;
    CG_TRY(cg_did_read(owner, &got.owner));
    CG_TRY(cg_waddr_read(wallet, &got.wallet));
    *out = got;
    return CG_OK;
}

cg_err cg_cred_write(const struct cg_cred *cred, const uint8_t nonce[static CG_CRED_NONCE_BYTES],
                     struct cg_writer *out)
{
    char did[CG_DID_CHARS + 1];

    cg_did_write(&cred->owner, did);
    cg_cbor_put_map(out, 7);
    cg_cbor_put_key(out, "v");
    cg_cbor_put_uint(out, 1);
    cg_cbor_put_key(out, "aud");
    cg_cbor_put_text(out, cred->aud);
    cg_cbor_put_key(out, "role");
    cg_cbor_put_text(out, cred->role);
    cg_cbor_put_key(out, "nonce");
    cg_cbor_put_bytes(out, cg_span_of(nonce, CG_CRED_NONCE_BYTES));
    cg_cbor_put_key(out, "owner");
    cg_cbor_put_text(out, cg_span_str(did));
    cg_cbor_put_key(out, "until");
    cg_cbor_put_uint(out, (uint64_t)cred->until.s);
    cg_cbor_put_key(out, "wallet");
    cg_cbor_put_text(out, cg_waddr_span(&cred->wallet));
    return cg_writer_end(out);
}

cg_err cg_cred_issue(const struct cg_signer *owner, const struct cg_cred *cred,
                     const uint8_t nonce[static CG_CRED_NONCE_BYTES], struct cg_buf *out)
{
    uint8_t room[512];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    const struct cg_span nothing = {NULL, 0};

    if (!cg_is_word(cred->aud) || !cg_is_word(cred->role) || cred->until.s < 0 ||
        (uint64_t)cred->until.s > CG_JSON_MAX_INT)
        return CG_SCHEMA;
    CG_TRY(cg_cred_write(cred, nonce, &w));
    return cg_cose_issue(owner, CG_DOC_ROLE, cg_writer_span(&w), nothing, nothing, out);
}

static cg_err open(struct cg_span wire, struct cg_cose *cose, struct cg_cred *out)
{
    if (wire.len > CG_CRED_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_cose_read(wire, CG_DOC_ROLE, cose));
    return cg_cred_read(cose->payload, out);
}

cg_err cg_cred_open(struct cg_span wire, struct cg_cred *out)
{
    struct cg_cose cose;

    return open(wire, &cose, out);
}

cg_err cg_cred_verify(const struct cg_crypto *crypto, struct cg_span wire,
                      const struct cg_did_state *owner, struct cg_cred *out)
{
    struct cg_verifier *verifier;
    struct cg_cose cose;
    struct cg_cred got;

    CG_TRY(open(wire, &cose, &got));
    if (!cg_waddr_eq(&got.owner, &owner->waddr))
        return CG_MISMATCH;
    if (owner->is_deactivated)
        return CG_REVOKED;
    CG_TRY(cg_verifier_new(crypto, &owner->keys, &verifier));
    cg_err err = cg_cose_check(&cose, verifier);
    cg_verifier_free(verifier);
    CG_TRY(err);
    *out = got;
    return CG_OK;
}

bool cg_cred_counts(const struct cg_cred *cred, const struct cg_waddr *owner, struct cg_span aud,
                    const struct cg_waddr *wallet, struct cg_wall now)
{
    return now.s < cred->until.s && cg_span_eq(cred->aud, aud) &&
           cg_waddr_eq(&cred->owner, owner) && cg_waddr_eq(&cred->wallet, wallet);
}
