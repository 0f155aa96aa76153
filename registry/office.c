#include "registry/office.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "lib/merkle/staple.h"
#include "lib/record/resolve.h"
#include "lib/wire/cbor.h"
#include "runtime/key_heap.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Documents, staples, the record three times over, the answer. */
#define CLAIM_MAX_BYTES (4u << 20)

struct rg_office {
    atomic_uint refs;
    const struct cg_crypto *crypto;
    const struct cg_trust *trust;
    struct cg_signer *signer;
    struct cg_did_state did;
    struct cg_buf doc;
};

cg_err rg_inception_of(struct cg_span wallet_doc, struct cg_span *out)
{
    struct cg_cbor r = cg_cbor_of(wallet_doc);
    struct cg_span inception = wallet_doc;

    if (cg_cbor_peek(&r) == CG_CBOR_ARRAY) {
        (void)cg_cbor_array(&r, 2, 1 + CG_DIDOPS_MAX);
        inception = cg_cbor_bytes(&r, CG_WALLET_DOC_BYTES);
        CG_TRY(r.err);
    }
    *out = inception;
    return CG_OK;
}

static cg_err fill(const struct cg_secret *seed, struct cg_span wallet_doc,
                   struct rg_office *office)
{
    struct cg_did_state state;
    struct cg_span inception;

    CG_TRY(cg_key_heap_signer(office->crypto, seed, &office->signer));
    CG_TRY(rg_inception_of(wallet_doc, &inception));
    CG_TRY(cg_did_begin(inception, &state));
    CG_TRY(cg_did_check(office->crypto, wallet_doc, &state.waddr, &office->did));
    if (office->did.is_deactivated ||
        memcmp(&office->did.keys, cg_signer_public(office->signer), sizeof office->did.keys) != 0)
        return CG_MISMATCH;
    cg_buf_init(&office->doc, CG_DOCUMENT_MAX_BYTES);
    return cg_buf_add(&office->doc, wallet_doc);
}

cg_err rg_office_new(const struct cg_crypto *crypto, const struct cg_trust *trust,
                     const struct cg_secret *seed, struct cg_span wallet_doc,
                     struct rg_office **out)
{
    struct rg_office *office = calloc(1, sizeof *office);

    if (!office)
        return CG_NO_MEMORY;
    atomic_init(&office->refs, 1);
    office->crypto = crypto;
    office->trust = trust;
    cg_err err = fill(seed, wallet_doc, office);
    if (err != CG_OK) {
        rg_office_unref(office);
        return err;
    }
    *out = office;
    return CG_OK;
}

struct rg_office *rg_office_ref(struct rg_office *office)
{
    atomic_fetch_add_explicit(&office->refs, 1, memory_order_relaxed);
    return office;
}

void rg_office_unref(struct rg_office *office)
{
    if (!office || atomic_fetch_sub_explicit(&office->refs, 1, memory_order_acq_rel) != 1)
        return;
    cg_signer_free(office->signer);
    cg_buf_done(&office->doc);
    free(office);
}

const struct cg_waddr *rg_office_did(const struct rg_office *office)
{
    return &office->did.waddr;
}

struct cg_span rg_office_doc(const struct rg_office *office)
{
    return cg_buf_span(&office->doc);
}

static struct cg_ledger_view view_of(const struct rg_office *office, struct cg_wall now)
{
    return (struct cg_ledger_view){
        .logs = office->trust->logs, .n_logs = office->trust->n_logs, .now = now};
}

/* What the ledger says about a DID, compared with the state that its document leads to. */
static cg_err check_current(const struct rg_office *office, struct cg_span staple,
                            const struct cg_did_state *state, struct cg_wall now,
                            bool *out_is_logged)
{
    const struct cg_ledger_view view = view_of(office, now);
    struct cg_staple_ask ask = {.kind = "did", .id = cg_span_str(state->waddr.text)};
    struct cg_staple_facts facts;

    CG_TRY(cg_staple_verify(staple, &view, false, &ask, 1, &facts));
    *out_is_logged = ask.is_present;
    return cg_did_is_current(state, &ask);
}

cg_err rg_office_is_current(const struct rg_office *office, struct cg_span staple,
                            struct cg_wall now, bool *out_is_logged)
{
    return check_current(office, staple, &office->did, now, out_is_logged);
}

/* --- claims --- */

struct rg_claim *rg_claim_new(struct rg_office *office, struct cg_wall now)
{
    struct rg_claim *claim = calloc(1, sizeof *claim);

    if (!claim)
        return NULL;
    claim->office = rg_office_ref(office);
    claim->now = now;
    cg_arena_init(&claim->arena, CLAIM_MAX_BYTES);
    return claim;
}

void rg_claim_free(struct rg_claim *claim)
{
    if (!claim)
        return;
    rg_office_unref(claim->office);
    cg_arena_done(&claim->arena);
    free(claim);
}

cg_err rg_claim_refuse(struct rg_claim *claim, enum cg_refusal refusal, const char *field)
{
    claim->refusal = refusal;
    claim->field = field;
    return CG_DENIED;
}

static cg_err refuse_unless_ours(struct rg_claim *claim, cg_err err, const char *field)
{
    return err == CG_OK || cg_err_fault(err) == CG_FAULT_OURS
               ? err
               : rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, field);
}

/* Follows a wallet document to a DID's present keys, as the ledger confirms them. A staple that
 * does not verify is the ledger's fault, not the registrant's. */
static cg_err find_keys(struct rg_claim *claim, struct cg_span doc, const struct cg_waddr *waddr,
                        struct cg_span staple, const char *field, struct cg_did_state *out,
                        bool *out_is_logged)
{
    cg_err err = cg_did_check(claim->office->crypto, doc, waddr, out);

    CG_TRY(refuse_unless_ours(claim, err, field));
    err = check_current(claim->office, staple, out, claim->now, out_is_logged);
    if (err == CG_REVOKED || (err == CG_STALE && *out_is_logged))
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, field);
    /* Operations that the ledger has never seen count for nothing. */
    if (err == CG_STALE && out->seq > 0)
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, field);
    return err == CG_OK || cg_err_fault(err) == CG_FAULT_OURS ? err : CG_PROTOCOL;
}

static cg_err check_owner(struct rg_claim *claim, const struct cg_did_state *owner)
{
    struct cg_verifier *verifier;
    cg_err err = cg_verifier_new(claim->office->crypto, &owner->keys, &verifier);

    if (err == CG_OK) {
        err = cg_record_check_owner(&claim->record, verifier);
        cg_verifier_free(verifier);
    }
    return refuse_unless_ours(claim, err, "owner_signature");
}

/* Whoever owned the name before must agree to its new owner, over the same bytes. */
static cg_err check_previous(struct rg_claim *claim)
{
    struct cg_did_state state;
    struct cg_waddr waddr;
    struct cg_verifier *verifier;
    struct cg_record by_previous = claim->record;
    bool is_logged;

    if (!claim->has_previous_signature)
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, "previous_signature");
    CG_TRY(cg_did_read(claim->current.owner, &waddr));
    CG_TRY(find_keys(claim, claim->previous_doc, &waddr, claim->previous_staple,
                     "previous_signature", &state, &is_logged));
    memcpy(by_previous.owner_signature, claim->previous_signature, CG_HSIG_BYTES);
    cg_err err = cg_verifier_new(claim->office->crypto, &state.keys, &verifier);
    if (err == CG_OK) {
        err = cg_record_check_owner(&by_previous, verifier);
        cg_verifier_free(verifier);
    }
    return refuse_unless_ours(claim, err, "previous_signature");
}

/* Writes by one of lib/record's functions, into the arena. */
static cg_err keep(struct rg_claim *claim,
                   cg_err (*write)(const struct cg_record *, struct cg_writer *),
                   struct cg_span *out)
{
    CG_AUTO(buf) struct cg_buf buf = {0};

    cg_buf_init(&buf, CG_DOCUMENT_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&buf);
    CG_TRY(write(&claim->record, &w));
    return cg_arena_copy(&claim->arena, cg_buf_span(&buf), out);
}

cg_err rg_claim_judge(struct rg_claim *claim)
{
    struct cg_did_state owner;

    CG_TRY(find_keys(claim, claim->wallet_doc, &claim->record.owner, claim->owner_staple,
                     "wallet_doc", &owner, &claim->owner_is_logged));
    CG_TRY(check_owner(claim, &owner));
    if (claim->changes_owner)
        CG_TRY(check_previous(claim));
    CG_TRY(cg_record_confirm(claim->office->signer, &claim->record));
    CG_TRY(keep(claim, cg_record_write, &claim->json));
    return keep(claim, cg_record_object, &claim->object);
}

static cg_err write_answer(struct rg_claim *claim)
{
    const struct cg_resolve_answer answer = {
        .record = claim->json,
        .staple = claim->staple,
        .wallet_doc = claim->wallet_doc,
        .operator_doc = rg_office_doc(claim->office),
        .operator_did = claim->office->did.waddr,
    };
    CG_AUTO(buf) struct cg_buf buf = {0};

    cg_buf_init(&buf, CG_RESOLVE_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&buf);
    CG_TRY(cg_resolve_write(&answer, &w));
    return cg_arena_copy(&claim->arena, cg_buf_span(&buf), &claim->answer);
}

cg_err rg_claim_prove(struct rg_claim *claim)
{
    const struct cg_resolve_ask ask = {
        .crypto = claim->office->crypto,
        .trust = claim->office->trust,
        .plane = claim->record.plane,
        .authority = claim->record.host,
        .now = claim->now,
        .is_local = true, /* where a gateway may connect is each gateway's own question */
    };
    CG_AUTO(buf) struct cg_buf room = {0};
    struct cg_resolve_result *result = cg_arena_take(&claim->arena, sizeof *result);

    if (!result)
        return CG_NO_MEMORY;
    CG_TRY(write_answer(claim));
    cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
    cg_err err = cg_resolve_verify(&ask, claim->answer, &room, result);
    if (err == CG_NOT_FOUND && cg_record_is_tombstone(&claim->record))
        return CG_OK;
    return err == CG_OK || cg_err_fault(err) == CG_FAULT_OURS ? err : CG_PROTOCOL;
}
