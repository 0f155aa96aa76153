#include "ledger/form.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/identity/didop.h"

cg_err lg_subject_did(struct lg_item *item, const struct cg_waddr *waddr)
{
    char did[CG_DID_CHARS + 1];

    cg_did_write(waddr, did);
    return cg_arena_copy(&item->arena, cg_span_str(did), &item->subject);
}

cg_err lg_inception_fill(struct lg_item *item, const struct cg_did_state *state)
{
    item->kind = CG_ENTRY_DID;
    item->has_object = true;
    item->commitment = state->newest; /* H(WalletDoc) */
    CG_TRY(cg_object_digest(item->object, &item->object_digest));
    return lg_subject_did(item, &state->waddr);
}

/* --- an inception: whoever has the document may log it, it proves itself --- */

static cg_err read_inception(const struct lg_rules *rules, struct lg_admission *a)
{
    struct cg_did_state state;
    (void)rules;

    CG_TRY(lg_refuse_unless_ours(a, cg_did_begin(a->wire, &state), CG_REFUSAL_BAD_REQUEST, NULL));
    a->did = state.waddr;
    a->item->object = a->wire;
    return lg_inception_fill(a->item, &state);
}

/* It was not found in the log, and an address has one inception document only. */
static cg_err judge_inception(const struct lg_rules *rules, struct cg_wall now,
                              struct lg_admission *a)
{
    (void)rules, (void)now;
    return a->owner.is_logged ? lg_refuse(a, CG_REFUSAL_CONFLICT, NULL) : CG_OK;
}

const struct lg_form lg_form_inception = {
    .kind = CG_ENTRY_DID, .read = read_inception, .judge = judge_inception};

/* --- an operation: the next link of the DID's chain --- */

static cg_err read_didop(const struct lg_rules *rules, struct lg_admission *a)
{
    struct cg_did_state claimed;
    (void)rules;

    CG_TRY(
        lg_refuse_unless_ours(a, cg_didop_read(a->wire, &claimed), CG_REFUSAL_BAD_REQUEST, NULL));
    a->did = claimed.waddr;
    a->last = claimed.seq;
    a->item->commitment = claimed.newest; /* H(payload) */
    return lg_subject_did(a->item, &claimed.waddr);
}

static cg_err gather_didop(const struct lg_rules *rules, struct cg_store *store,
                           struct lg_admission *a)
{
    (void)rules, (void)store;
    return a->owner.is_logged ? CG_OK : lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "did");
}

static cg_err judge_didop(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    struct cg_did_state after;
    (void)now;

    if (a->last != a->owner.state.seq + 1)
        return lg_refuse(a, CG_REFUSAL_CONFLICT, "seq");
    cg_err err = cg_did_apply(rules->crypto, &a->owner.state, a->wire, &after);
    return lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE,
                                 err == CG_SIGNATURE ? "signature" : "prev");
}

const struct lg_form lg_form_didop = {.kind = CG_ENTRY_DID,
                                      .is_cose = true,
                                      .type = CG_DOC_DIDOP,
                                      .read = read_didop,
                                      .gather = gather_didop,
                                      .judge = judge_didop};
