#include "ledger/admit.h"

#include "ledger/form.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/entry.h"
#include "lib/wire/cbor.h"

#include <httpcg/receipt.h>

#include <stdlib.h>

struct lg_admission *lg_admission_new(struct cg_span wire)
{
    struct lg_admission *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->item = lg_item_new();
    if (!a->item || cg_arena_copy(&a->item->arena, wire, &a->wire) != CG_OK) {
        lg_admission_free(a);
        return NULL;
    }
    return a;
}

void lg_admission_free(struct lg_admission *a)
{
    if (!a)
        return;
    lg_item_free(a->item);
    lg_item_free(a->inception);
    cg_policy_free(a->policy);
    free(a);
}

cg_err lg_refuse(struct lg_admission *a, enum cg_refusal refusal, const char *field)
{
    a->refusal = refusal;
    a->field = field;
    return CG_DENIED;
}

cg_err lg_refuse_unless_ours(struct lg_admission *a, cg_err err, enum cg_refusal refusal,
                             const char *field)
{
    return err == CG_OK || cg_err_fault(err) == CG_FAULT_OURS ? err : lg_refuse(a, refusal, field);
}

/* What a COSE document says it is: its body header is one of a few texts. */
static cg_err find_type(struct cg_span wire, enum cg_doc_type *out)
{
    struct cg_cbor r = cg_cbor_of(wire);

    cg_cbor_tag(&r, 98);
    cg_cbor_array(&r, 4, 4);
    struct cg_cbor header = cg_cbor_of(cg_cbor_bytes(&r, 256));
    if (r.err != CG_OK)
        return r.err;
    cg_cbor_map(&header, 3, 3);
    cg_cbor_int_key(&header, 2);
    (void)cg_cbor_item(&header);
    cg_cbor_int_key(&header, 16);
    struct cg_span type = cg_cbor_text(&header, 64);
    if (header.err != CG_OK)
        return header.err;
    for (int i = 0; i < CG_DOC_COUNT; i++)
        if (cg_span_is(type, cg_doc_media_type((enum cg_doc_type)i))) {
            *out = (enum cg_doc_type)i;
            return CG_OK;
        }
    return CG_SCHEMA;
}

static const struct lg_form *const by_type[CG_DOC_COUNT] = {
    [CG_DOC_DIDOP] = &lg_form_didop,   [CG_DOC_TLSLS] = &lg_form_cert,
    [CG_DOC_REVOKE] = &lg_form_revoke, [CG_DOC_POLICY] = &lg_form_policy,
    [CG_DOC_KEM] = &lg_form_kem,
};

static cg_err find_form(struct lg_admission *a)
{
    enum cg_doc_type type;

    switch (a->wire.len ? a->wire.at[0] : 0) {
    case LG_FIRST_BYTE_WALLET_DOC:
        a->form = &lg_form_inception;
        return CG_OK;
    case LG_FIRST_BYTE_RECORD:
        a->form = &lg_form_record;
        return CG_OK;
    default:
        break;
    }
    if (find_type(a->wire, &type) != CG_OK)
        return lg_refuse(a, CG_REFUSAL_BAD_REQUEST, NULL);
    a->form = by_type[type];
    return a->form ? CG_OK : lg_refuse(a, CG_REFUSAL_NOT_IMPLEMENTED, NULL);
}

/* COSE objects are kept with an empty unprotected header, so that they are the same bytes whoever
 * submits them; what stood there is only needed to judge. */
static cg_err keep_cose(struct lg_admission *a)
{
    struct cg_cose bare = a->cose;
    CG_AUTO(buf) struct cg_buf buf = {0};

    bare.wallet_doc = bare.staple = (struct cg_span){NULL, 0};
    cg_buf_init(&buf, CG_DOCUMENT_MAX_BYTES);
    CG_TRY(cg_cose_write(&bare, &buf));
    CG_TRY(cg_arena_copy(&a->item->arena, cg_buf_span(&buf), &a->item->object));
    return cg_cose_digest(&a->cose, &a->item->object_digest);
}

cg_err lg_admit_read(const struct lg_rules *rules, struct lg_admission *a)
{
    CG_TRY(find_form(a));
    if (a->form->is_cose)
        CG_TRY(lg_refuse_unless_ours(a, cg_cose_read(a->wire, a->form->type, &a->cose),
                                     CG_REFUSAL_BAD_REQUEST, NULL));
    a->item->kind = a->form->kind;
    a->item->has_object = true;
    if (a->form->is_cose)
        CG_TRY(keep_cose(a));
    return a->form->read(rules, a);
}

/* Is this very thing in the published log?  What stands behind the published head may still be
 * waiting for its signature: it is judged like new, and finds its place when its turn comes. */
static cg_err find_logged(struct cg_store *store, struct lg_admission *a)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_stored_entry entry;
    struct cg_log_heads heads;

    cg_arena_init(&arena, 64 * 1024);
    cg_err err = cg_store_log_find(store, cg_span_str(cg_entry_kind_name(a->item->kind)),
                                   &a->item->commitment, &arena, &entry);
    if (err == CG_NOT_FOUND)
        return CG_OK;
    CG_TRY(err);
    CG_TRY(cg_store_log_heads(store, &arena, &heads));
    a->is_logged = entry.index < heads.published.size;
    a->index = entry.index;
    return CG_OK;
}

/* A DID that is not logged yet may bring its inception along: it is logged just before. */
static cg_err bring_inception(struct lg_admission *a)
{
    struct cg_span doc = a->cose.wallet_doc;
    struct lg_item *item;

    if (!a->form->is_cose || doc.len == 0)
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "wallet_doc");
    cg_err err = cg_did_begin(doc, &a->owner.state);
    if (err == CG_OK && !cg_waddr_eq(&a->owner.state.waddr, &a->did))
        err = CG_MISMATCH;
    CG_TRY(lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE, "wallet_doc"));
    item = a->inception = lg_item_new();
    if (!item)
        return CG_NO_MEMORY;
    item->expects[item->n_expects++] = (struct lg_expect){.key = a->owner.key};
    CG_TRY(cg_arena_copy(&item->arena, doc, &item->object));
    CG_TRY(lg_inception_fill(item, &a->owner.state));
    a->owner.is_logged = true; /* it will be, when our turn comes */
    return CG_OK;
}

cg_err lg_admit_gather(const struct lg_rules *rules, struct cg_store *store, struct lg_admission *a)
{
    CG_TRY(find_logged(store, a));
    if (a->is_logged)
        return CG_OK;
    CG_TRY(lg_did_load(store, &a->did, &a->owner));
    if (!a->owner.is_logged && a->form->kind != CG_ENTRY_DID)
        CG_TRY(bring_inception(a));
    lg_did_expect(&a->owner, a->item);
    return a->form->gather ? a->form->gather(rules, store, a) : CG_OK;
}

cg_err lg_admit_judge(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    if (a->owner.is_logged && a->owner.state.is_deactivated)
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "did");
    return a->form->judge(rules, now, a);
}

cg_err lg_check_cose(const struct lg_rules *rules, struct lg_admission *a)
{
    struct cg_verifier *verifier;

    cg_err err = cg_verifier_new(rules->crypto, &a->owner.state.keys, &verifier);
    if (err == CG_OK) {
        err = cg_cose_check(&a->cose, verifier);
        cg_verifier_free(verifier);
    }
    return lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE, "signature");
}

cg_err lg_expect_state(struct cg_store *store, const char *kind, struct cg_span id,
                       struct lg_admission *a, bool *out_is_present, uint64_t *out_index)
{
    struct lg_expect expect = {.is_present = true};
    struct cg_stored_state state;
    struct cg_arena arena;

    CG_TRY(cg_map_key(kind, id, &expect.key));
    cg_arena_init(&arena, 4 * CG_ENTRY_MAX_BYTES);
    cg_err err = cg_store_log_state(store, &expect.key, &arena, &state);
    cg_arena_done(&arena);
    if (err == CG_NOT_FOUND)
        expect.is_present = false;
    else if (err != CG_OK)
        return err;
    else
        expect.value = state.value;
    a->item->expects[a->item->n_expects++] = expect;
    *out_is_present = expect.is_present;
    *out_index = expect.is_present ? state.index : 0;
    return CG_OK;
}
