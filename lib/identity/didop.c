#include "lib/identity/didop.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/sign.h"
#include "lib/identity/cose.h"
#include "lib/identity/waddr.h"
#include "lib/wire/cbor.h"

static const char *const kinds[] = {
    [CG_DIDOP_ROTATE] = "rotate",
    [CG_DIDOP_DEACTIVATE] = "deactivate",
};

/* An operation as its payload says it; keys are left where they are. */
struct payload {
    struct cg_waddr did;
    uint64_t seq;
    enum cg_didop_kind kind;
    const uint8_t *ed25519;
    const uint8_t *mldsa87;
    struct cg_hash next;
    struct cg_hash prev;
};

static enum cg_didop_kind take_kind(struct cg_cbor *r)
{
    struct cg_span text = cg_cbor_text(r, 16);

    if (cg_span_is(text, kinds[CG_DIDOP_ROTATE]))
        return CG_DIDOP_ROTATE;
    if (!cg_span_is(text, kinds[CG_DIDOP_DEACTIVATE]))
        cg_cbor_fail(r, CG_SCHEMA);
    return CG_DIDOP_DEACTIVATE;
}

static cg_err read_payload(struct cg_span bytes, struct payload *out)
{
    struct cg_cbor r = cg_cbor_of(bytes);

    cg_cbor_map(&r, 8, 8);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "op");
    out->kind = take_kind(&r);
    cg_cbor_key(&r, "did");
    struct cg_span did = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "seq");
    out->seq = cg_cbor_uint(&r);
    cg_cbor_key(&r, "next");
    cg_cbor_hash(&r, &out->next);
    cg_cbor_key(&r, "prev");
    cg_cbor_hash(&r, &out->prev);
    cg_cbor_key(&r, "ed25519");
    out->ed25519 = cg_cbor_bytes_n(&r, CG_ED25519_KEY_BYTES);
    cg_cbor_key(&r, "mldsa87");
    out->mldsa87 = cg_cbor_bytes_n(&r, CG_MLDSA87_KEY_BYTES);
    CG_TRY(cg_cbor_end(&r));
    return cg_did_read(did, &out->did);
}

static void put_payload(struct cg_writer *w, const struct cg_did_state *before,
                        enum cg_didop_kind kind, const struct cg_public_keys *keys,
                        const struct cg_hash *next)
{
    static const struct cg_hash none;
    char did[CG_DID_CHARS + 1];

    cg_did_write(&before->waddr, did);
    cg_cbor_put_map(w, 8);
    cg_cbor_put_key(w, "v");
    cg_cbor_put_uint(w, 1);
    cg_cbor_put_key(w, "op");
    cg_cbor_put_text(w, cg_span_str(kinds[kind]));
    cg_cbor_put_key(w, "did");
    cg_cbor_put_text(w, cg_span_str(did));
    cg_cbor_put_key(w, "seq");
    cg_cbor_put_uint(w, before->seq + 1);
    cg_cbor_put_key(w, "next");
    cg_cbor_put_hash(w, next ? next : &none);
    cg_cbor_put_key(w, "prev");
    cg_cbor_put_hash(w, &before->newest);
    cg_cbor_put_key(w, "ed25519");
    cg_cbor_put_bytes(w, CG_BYTES(keys->ed25519));
    cg_cbor_put_key(w, "mldsa87");
    cg_cbor_put_bytes(w, CG_BYTES(keys->mldsa87));
}

/* Whether these keys may make this change: they are the ones that the state committed to.  Where it
 * committed to none, all that is left is to burn the DID, and its present keys may do that. */
static cg_err check_keys(const struct cg_did_state *before, enum cg_didop_kind kind,
                         const struct cg_public_keys *keys)
{
    static const struct cg_hash none;
    struct cg_hash commitment;

    if (cg_hash_eq(&before->next, &none)) {
        bool same = memcmp(keys, &before->keys, sizeof *keys) == 0;
        return kind == CG_DIDOP_DEACTIVATE && same ? CG_OK : CG_PROOF;
    }
    CG_TRY(cg_next_hash(keys, &commitment));
    return cg_hash_eq(&commitment, &before->next) ? CG_OK : CG_PROOF;
}

cg_err cg_didop_issue(const struct cg_signer *new_keys, enum cg_didop_kind kind,
                      const struct cg_did_state *before, const struct cg_hash *next,
                      struct cg_buf *out)
{
    uint8_t payload[CG_WALLET_DOC_BYTES + 256];
    struct cg_writer w = cg_writer_fixed(payload, sizeof payload);
    const struct cg_public_keys *keys = cg_signer_public(new_keys);
    struct cg_span nothing = {NULL, 0};

    if (before->is_deactivated)
        return CG_REVOKED;
    CG_TRY(check_keys(before, kind, keys));
    put_payload(&w, before, kind, keys, next);
    CG_TRY(cg_writer_end(&w));
    return cg_cose_issue(new_keys, CG_DOC_DIDOP, cg_writer_span(&w), nothing, nothing, out);
}

static cg_err verify(const struct cg_crypto *crypto, const struct cg_cose *cose,
                     const struct cg_public_keys *keys)
{
    struct cg_verifier *verifier;

    CG_TRY(cg_verifier_new(crypto, keys, &verifier));
    cg_err err = cg_cose_check(cose, verifier);
    cg_verifier_free(verifier);
    return err;
}

/* The state that an operation leads to, by its own word. */
static cg_err state_after(const struct payload *op, struct cg_span payload,
                          struct cg_did_state *out)
{
    struct cg_hash newest;

    CG_TRY(cg_sha256(payload, &newest));
    out->waddr = op->did;
    memcpy(out->keys.ed25519, op->ed25519, CG_ED25519_KEY_BYTES);
    memcpy(out->keys.mldsa87, op->mldsa87, CG_MLDSA87_KEY_BYTES);
    out->next = op->next;
    out->newest = newest;
    out->seq = op->seq;
    out->is_deactivated = op->kind == CG_DIDOP_DEACTIVATE;
    return CG_OK;
}

cg_err cg_did_apply(const struct cg_crypto *crypto, const struct cg_did_state *before,
                    struct cg_span didop, struct cg_did_state *out)
{
    struct cg_cose cose;
    struct payload op;
    struct cg_did_state after;

    if (before->is_deactivated)
        return CG_REVOKED;
    CG_TRY(cg_cose_read(didop, CG_DOC_DIDOP, &cose));
    CG_TRY(read_payload(cose.payload, &op));
    if (!cg_waddr_eq(&op.did, &before->waddr) || before->seq == UINT64_MAX ||
        op.seq != before->seq + 1 || !cg_hash_eq(&op.prev, &before->newest))
        return CG_PROOF;
    CG_TRY(state_after(&op, cose.payload, &after));
    CG_TRY(check_keys(before, op.kind, &after.keys));
    CG_TRY(verify(crypto, &cose, &after.keys));
    *out = after;
    return CG_OK;
}

cg_err cg_didop_read(struct cg_span didop, struct cg_did_state *out)
{
    struct cg_cose cose;
    struct payload op;

    CG_TRY(cg_cose_read(didop, CG_DOC_DIDOP, &cose));
    CG_TRY(read_payload(cose.payload, &op));
    return state_after(&op, cose.payload, out);
}
