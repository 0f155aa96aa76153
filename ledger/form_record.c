#include "ledger/form.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/merkle/entry.h"
#include "lib/record/record.h"

/* "plane/authority", as the entry's subject. */
static cg_err make_name(struct lg_admission *a)
{
    char room[CG_AUTHORITY_MAX_BYTES + 16];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    cg_put(&w, a->record.plane);
    cg_put_str(&w, "/");
    cg_put(&w, a->record.host);
    CG_TRY(cg_writer_end(&w));
    return cg_arena_copy(&a->item->arena, cg_writer_span(&w), &a->item->subject);
}

static cg_err read_record(const struct lg_rules *rules, struct lg_admission *a)
{
    uint8_t signed_bytes[CG_RECORD_SIGNED_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(signed_bytes, sizeof signed_bytes);

    CG_TRY(lg_refuse_unless_ours(a, cg_record_object_read(a->wire, &a->record),
                                 CG_REFUSAL_BAD_REQUEST, NULL));
    cg_err err = cg_record_check_anchor(&a->record);
    CG_TRY(lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE, "bpi_anchor"));
    if (!cg_log_id_eq(&a->record.log_id, &rules->log_id))
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "bpi_anchor");
    /* Logging these would publish a hidden service's rhythm. */
    if (cg_span_is(a->record.plane, "gw"))
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "plane");
    CG_TRY(cg_record_bytes(&a->record, CG_RECORD_FOR_OWNER, &w));
    CG_TRY(cg_object_digest(cg_writer_span(&w), &a->item->object_digest));
    a->item->object = a->wire;
    a->item->commitment = a->record.anchor;
    a->did = a->record.owner;
    return make_name(a);
}

static cg_err load_last(struct cg_store *store, uint64_t index, struct lg_admission *a)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_record *last;
    struct cg_span object;

    cg_arena_init(&arena, 4 * CG_DOCUMENT_MAX_BYTES);
    CG_TRY(lg_object_at(store, index, &arena, &object));
    last = cg_arena_take(&arena, sizeof *last);
    if (!last)
        return CG_NO_MEMORY;
    if (cg_record_object_read(object, last) != CG_OK)
        return CG_STORE;
    a->last = last->serial;
    return CG_OK;
}

static cg_err gather_record(const struct lg_rules *rules, struct cg_store *store,
                            struct lg_admission *a)
{
    bool is_present;
    uint64_t index;

    for (size_t i = 0; i < rules->n_registries && i < LG_REGISTRIES_MAX; i++) {
        CG_TRY(lg_did_load(store, &rules->registries[i], &a->operators[a->n_operators]));
        a->n_operators += a->operators[a->n_operators].is_logged;
    }
    CG_TRY(lg_expect_state(store, "reg", a->item->subject, a, &is_present, &index));
    return is_present ? load_last(store, index, a) : CG_OK;
}

static cg_err check_owner(const struct lg_rules *rules, struct lg_admission *a)
{
    struct cg_verifier *verifier;
    cg_err err = cg_verifier_new(rules->crypto, &a->owner.state.keys, &verifier);

    if (err == CG_OK) {
        err = cg_record_check_owner(&a->record, verifier);
        cg_verifier_free(verifier);
    }
    return lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE, "owner_signature");
}

/* The object does not say which registry signed; one of those admitted here must have. */
static cg_err check_operator(const struct lg_rules *rules, struct lg_admission *a)
{
    for (size_t i = 0; i < a->n_operators; i++) {
        struct cg_verifier *verifier;
        char did[CG_DID_CHARS + 1];

        if (a->operators[i].state.is_deactivated)
            continue;
        CG_TRY(cg_verifier_new(rules->crypto, &a->operators[i].state.keys, &verifier));
        cg_err err = cg_record_check_operator(&a->record, verifier);
        cg_verifier_free(verifier);
        if (err == CG_SIGNATURE)
            continue;
        CG_TRY(err);
        lg_did_expect(&a->operators[i], a->item);
        cg_did_write(&a->operators[i].state.waddr, did);
        return cg_arena_copy(&a->item->arena, cg_span_str(did), &a->item->extra);
    }
    return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "signature");
}

static cg_err judge_record(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    cg_err err = cg_record_check_times(&a->record, now);

    CG_TRY(lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE,
                                 err == CG_EARLY     ? "issued_at"
                                 : err == CG_EXPIRED ? "expires_at"
                                                     : "ttl"));
    if (a->record.serial == 0 || a->record.serial - 1 != a->last)
        return lg_refuse(a, CG_REFUSAL_CONFLICT, "serial");
    CG_TRY(check_owner(rules, a));
    return check_operator(rules, a);
}

const struct lg_form lg_form_record = {
    .kind = CG_ENTRY_REGISTRY, .read = read_record, .gather = gather_record, .judge = judge_record};
