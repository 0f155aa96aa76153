#include "lib/cert/revoke.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"
#include "lib/wire/cbor.h"

#define PAYLOAD_MAX_BYTES (CG_MLDSA87_KEY_BYTES + 256)

cg_err cg_revoke_issue(const struct cg_signer *signer, const struct cg_waddr *did,
                       struct cg_wall time, const struct cg_hash *fingerprint, bool by_next,
                       struct cg_buf *out)
{
    uint8_t room[PAYLOAD_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    const struct cg_public_keys *keys = cg_signer_public(signer);
    struct cg_span nothing = {NULL, 0};
    char text[CG_DID_CHARS + 1];

    if (time.s < 0)
        return CG_SCHEMA;
    cg_did_write(did, text);
    cg_cbor_put_map(&w, by_next ? 6 : 4);
    cg_cbor_put_key(&w, "v");
    cg_cbor_put_uint(&w, 1);
    cg_cbor_put_key(&w, "did");
    cg_cbor_put_text(&w, cg_span_str(text));
    cg_cbor_put_key(&w, "time");
    cg_cbor_put_uint(&w, (uint64_t)time.s);
    if (by_next) {
        cg_cbor_put_key(&w, "ed25519");
        cg_cbor_put_bytes(&w, CG_BYTES(keys->ed25519));
        cg_cbor_put_key(&w, "mldsa87");
        cg_cbor_put_bytes(&w, CG_BYTES(keys->mldsa87));
    }
    cg_cbor_put_key(&w, "fingerprint");
    cg_cbor_put_hash(&w, fingerprint);
    CG_TRY(cg_writer_end(&w));
    return cg_cose_issue(signer, CG_DOC_REVOKE, cg_writer_span(&w), nothing, nothing, out);
}

static cg_err read_payload(struct cg_span payload, struct cg_revoke *out)
{
    struct cg_cbor r = cg_cbor_of(payload);
    const uint8_t *ed = NULL, *ml = NULL;

    size_t n = cg_cbor_map(&r, 4, 6);
    out->by_next = n == 6;
    if (n == 5)
        cg_cbor_fail(&r, CG_SCHEMA);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "did");
    struct cg_span did = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "time");
    uint64_t time = cg_cbor_uint(&r);
    if (time > INT64_MAX)
        cg_cbor_fail(&r, CG_SCHEMA);
    if (out->by_next) {
        cg_cbor_key(&r, "ed25519");
        ed = cg_cbor_bytes_n(&r, CG_ED25519_KEY_BYTES);
        cg_cbor_key(&r, "mldsa87");
        ml = cg_cbor_bytes_n(&r, CG_MLDSA87_KEY_BYTES);
    }
    cg_cbor_key(&r, "fingerprint");
    cg_cbor_hash(&r, &out->fingerprint);
    CG_TRY(cg_cbor_end(&r));
    out->time.s = (int64_t)time;
    if (out->by_next) {
        memcpy(out->next_keys.ed25519, ed, CG_ED25519_KEY_BYTES);
        memcpy(out->next_keys.mldsa87, ml, CG_MLDSA87_KEY_BYTES);
    }
    return cg_did_read(did, &out->did);
}

/* The keys that must have signed: the present ones, or those that the DID has committed to. */
static cg_err pick_keys(const struct cg_revoke *revoke, const struct cg_did_state *state,
                        const struct cg_public_keys **out)
{
    struct cg_hash commitment;

    *out = &state->keys;
    if (!revoke->by_next)
        return CG_OK;
    CG_TRY(cg_next_hash(&revoke->next_keys, &commitment));
    if (!cg_hash_eq(&commitment, &state->next))
        return CG_PROOF;
    *out = &revoke->next_keys;
    return CG_OK;
}

cg_err cg_revoke_read(struct cg_span wire, struct cg_revoke *out)
{
    struct cg_cose cose;
    struct cg_revoke got = {0};

    CG_TRY(cg_cose_read(wire, CG_DOC_REVOKE, &cose));
    CG_TRY(read_payload(cose.payload, &got));
    *out = got;
    return CG_OK;
}

cg_err cg_revoke_verify(const struct cg_crypto *crypto, struct cg_span wire,
                        const struct cg_did_state *state, struct cg_revoke *out)
{
    struct cg_cose cose;
    struct cg_revoke got = {0};
    const struct cg_public_keys *keys;
    struct cg_verifier *verifier;

    CG_TRY(cg_cose_read(wire, CG_DOC_REVOKE, &cose));
    CG_TRY(read_payload(cose.payload, &got));
    if (!cg_waddr_eq(&got.did, &state->waddr))
        return CG_MISMATCH;
    CG_TRY(pick_keys(&got, state, &keys));
    CG_TRY(cg_verifier_new(crypto, keys, &verifier));
    cg_err err = cg_cose_check(&cose, verifier);
    cg_verifier_free(verifier);
    CG_TRY(err);
    *out = got;
    return CG_OK;
}
