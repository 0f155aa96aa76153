#include "lib/record/resolve.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/record/target.h"

const char *cg_resolve_step_text(enum cg_resolve_step step)
{
    static const char *const texts[CG_RESOLVE_STEP_COUNT] = {
        [CG_RESOLVE_FORM] = "the registry's answer is well-formed",
        [CG_RESOLVE_NAME] = "the record is for the name that was asked",
        [CG_RESOLVE_TIMES] = "the record is neither from the future nor expired",
        [CG_RESOLVE_SERIAL] = "the record is not older than the one seen before",
        [CG_RESOLVE_OPERATOR] = "the registry is one that the trust file names",
        [CG_RESOLVE_KEYS] = "owner's and registry's keys are those of their DIDs",
        [CG_RESOLVE_SIGNATURES] = "owner and registry have signed the record",
        [CG_RESOLVE_ANCHOR] = "the record is anchored in a log known here",
        [CG_RESOLVE_CHECKPOINT] = "the log's head is signed, witnessed and fresh",
        [CG_RESOLVE_INCLUSION] = "the record is in the log",
        [CG_RESOLVE_CURRENT] = "the record is the current one, and both DIDs' keys are",
        [CG_RESOLVE_TARGET] = "the target is one that a gateway may connect to",
    };

    return texts[step];
}

/* Notes a step's verdict and hands its error on. */
static cg_err step(struct cg_resolve_result *out, enum cg_resolve_step which, cg_err err)
{
    out->checks.verdict[which] = err == CG_OK ? CG_PASSED : CG_FAILED;
    return err;
}

static cg_err check_name(const struct cg_resolve_ask *ask, const struct cg_record *record)
{
    return cg_span_eq(record->plane, ask->plane) && cg_span_eq(record->host, ask->authority)
               ? CG_OK
               : CG_MISMATCH;
}

static cg_err check_serial(const struct cg_resolve_ask *ask, const struct cg_record *record)
{
    return ask->seen && ask->seen->serial > 0 ? cg_record_check_serial(record, ask->seen) : CG_OK;
}

static cg_err check_operator(const struct cg_resolve_ask *ask,
                             const struct cg_resolve_result *result)
{
    return cg_trust_find_registry(ask->trust, &result->answer.operator_did) ? CG_OK : CG_UNKNOWN;
}

static cg_err check_keys(const struct cg_resolve_ask *ask, struct cg_resolve_result *out)
{
    CG_TRY(cg_did_check(ask->crypto, out->answer.wallet_doc, &out->record.owner, &out->owner));
    CG_TRY(cg_did_check(ask->crypto, out->answer.operator_doc, &out->answer.operator_did,
                        &out->operator_state));
    return out->owner.is_deactivated || out->operator_state.is_deactivated ? CG_REVOKED : CG_OK;
}

/* One signature: makes the verifier, asks it, frees it. */
static cg_err check_one(const struct cg_crypto *crypto, const struct cg_did_state *did,
                        const struct cg_record *record,
                        cg_err (*check)(const struct cg_record *, const struct cg_verifier *))
{
    struct cg_verifier *verifier;

    CG_TRY(cg_verifier_new(crypto, &did->keys, &verifier));
    cg_err err = check(record, verifier);
    cg_verifier_free(verifier);
    return err;
}

static cg_err check_signatures(const struct cg_resolve_ask *ask,
                               const struct cg_resolve_result *result)
{
    CG_TRY(check_one(ask->crypto, &result->owner, &result->record, cg_record_check_owner));
    return check_one(ask->crypto, &result->operator_state, &result->record,
                     cg_record_check_operator);
}

static cg_err check_anchor(const struct cg_resolve_ask *ask, const struct cg_record *record)
{
    if (!cg_trust_log(ask->trust, &record->log_id))
        return CG_UNKNOWN;
    return cg_record_check_anchor(record);
}

static struct cg_ledger_view view_of(const struct cg_resolve_ask *ask)
{
    return (struct cg_ledger_view){.logs = ask->trust->logs,
                                   .n_logs = ask->trust->n_logs,
                                   .seen = ask->heads,
                                   .max_age_s = ask->max_age_s,
                                   .now = ask->now};
}

/* plane/authority, as it stands in the log and in the map. */
static cg_err put_name(const struct cg_resolve_ask *ask, struct cg_writer *w, struct cg_span *out)
{
    cg_put(w, ask->plane);
    cg_put_u8(w, '/');
    cg_put(w, ask->authority);
    CG_TRY(cg_writer_end(w));
    *out = cg_writer_span(w);
    return CG_OK;
}

#define NAME_MAX_BYTES (8 + CG_AUTHORITY_MAX_BYTES)

/* Whether the entry that the staple proves is this record's. */
static cg_err check_entry(const struct cg_resolve_ask *ask, const struct cg_resolve_result *result,
                          struct cg_span name)
{
    const struct cg_staple_facts *facts = &result->staple;
    const struct cg_record *record = &result->record;

    if (!cg_log_id_eq(&ask->trust->logs[facts->log].id, &record->log_id) ||
        facts->entry.kind != CG_ENTRY_REGISTRY || !cg_span_eq(facts->entry.subject, name) ||
        !cg_hash_eq(&facts->entry.commitment, &record->anchor))
        return CG_MISMATCH;
    return CG_OK;
}

static cg_err check_current(const struct cg_resolve_result *result,
                            const struct cg_staple_ask *asks)
{
    if (!asks[0].is_present || !cg_hash_eq(&asks[0].value, &result->record.anchor))
        return CG_STALE;
    CG_TRY(cg_did_is_current(&result->owner, &asks[1]));
    return cg_did_is_current(&result->operator_state, &asks[2]);
}

/* The staple's steps, as the resolution names them. */
static enum cg_resolve_step step_of(enum cg_staple_step failed)
{
    return failed < CG_STAPLE_INCLUSION    ? CG_RESOLVE_CHECKPOINT
           : failed == CG_STAPLE_INCLUSION ? CG_RESOLVE_INCLUSION
                                           : CG_RESOLVE_CURRENT;
}

/* Notes what a staple's check came to: the steps before the one that failed have passed. What a
 * good one says is for its user to judge, and to note. */
static cg_err staple_steps(struct cg_resolve_result *out, cg_err err)
{
    enum cg_resolve_step last = step_of(out->staple.failed);

    out->checks.verdict[CG_RESOLVE_CHECKPOINT] = CG_PASSED;
    if (last > CG_RESOLVE_INCLUSION && err != CG_OK)
        out->checks.verdict[CG_RESOLVE_INCLUSION] = CG_PASSED;
    return err == CG_OK ? CG_OK : step(out, last, err);
}

static cg_err check_staple(const struct cg_resolve_ask *ask, struct cg_resolve_result *out)
{
    const struct cg_ledger_view view = view_of(ask);
    char text[NAME_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_span name;

    CG_TRY(step(out, CG_RESOLVE_NAME, put_name(ask, &w, &name)));
    struct cg_staple_ask asks[] = {
        {.kind = "reg", .id = name},
        {.kind = "did", .id = cg_span_str(out->record.owner.text)},
        {.kind = "did", .id = cg_span_str(out->answer.operator_did.text)},
    };
    CG_TRY(staple_steps(out,
                        cg_staple_verify(out->answer.staple, &view, true, asks, 3, &out->staple)));
    CG_TRY(step(out, CG_RESOLVE_INCLUSION, check_entry(ask, out, name)));
    return step(out, CG_RESOLVE_CURRENT, check_current(out, asks));
}

static cg_err check_target(const struct cg_resolve_ask *ask, const struct cg_record *record)
{
    CG_TRY(cg_target_check_host(record->target_host));
    return cg_target_check_port(record->target_port, ask->ports, ask->n_ports);
}

/* What holds of a record whether it lives or not. */
static cg_err check_record(const struct cg_resolve_ask *ask, struct cg_resolve_result *out)
{
    CG_TRY(step(out, CG_RESOLVE_SERIAL, check_serial(ask, &out->record)));
    CG_TRY(step(out, CG_RESOLVE_OPERATOR, check_operator(ask, out)));
    CG_TRY(step(out, CG_RESOLVE_KEYS, check_keys(ask, out)));
    CG_TRY(step(out, CG_RESOLVE_SIGNATURES, check_signatures(ask, out)));
    CG_TRY(step(out, CG_RESOLVE_ANCHOR, check_anchor(ask, &out->record)));
    return check_staple(ask, out);
}

static cg_err read_answer(struct cg_span json, struct cg_buf *room, struct cg_resolve_result *out)
{
    CG_TRY(cg_resolve_read(json, room, &out->answer));
    return cg_record_read(out->answer.record, false, &out->record);
}

cg_err cg_resolve_verify(const struct cg_resolve_ask *ask, struct cg_span json, struct cg_buf *room,
                         struct cg_resolve_result *out)
{
    *out = (struct cg_resolve_result){0};
    CG_TRY(step(out, CG_RESOLVE_FORM, read_answer(json, room, out)));
    out->has_record = true;
    CG_TRY(step(out, CG_RESOLVE_NAME, check_name(ask, &out->record)));
    CG_TRY(step(out, CG_RESOLVE_TIMES, cg_record_check_times(&out->record, ask->now)));
    CG_TRY(check_record(ask, out));
    out->is_gone = cg_record_is_tombstone(&out->record);
    if (out->is_gone)
        return step(out, CG_RESOLVE_TARGET, CG_NOT_FOUND);
    if (!ask->is_local)
        return step(out, CG_RESOLVE_TARGET, check_target(ask, &out->record));
    out->checks.verdict[CG_RESOLVE_TARGET] = CG_NOT_ASKED;
    return CG_OK;
}

static cg_err read_denial(struct cg_span json, struct cg_buf *room, struct cg_resolve_result *out)
{
    CG_TRY(cg_resolve_read_denial(json, room, &out->answer));
    out->has_record = out->answer.record.len > 0;
    return out->has_record ? cg_record_read(out->answer.record, false, &out->record) : CG_OK;
}

/* Names never leave the map once they were in it, so absence contradicts what was seen. */
static cg_err check_absent(const struct cg_resolve_ask *ask, struct cg_resolve_result *out)
{
    static const enum cg_resolve_step not_asked[] = {
        CG_RESOLVE_TIMES,      CG_RESOLVE_OPERATOR, CG_RESOLVE_KEYS,
        CG_RESOLVE_SIGNATURES, CG_RESOLVE_ANCHOR,   CG_RESOLVE_INCLUSION,
    };
    const struct cg_ledger_view view = view_of(ask);
    char text[NAME_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_span name;

    for (size_t i = 0; i < sizeof not_asked / sizeof not_asked[0]; i++)
        out->checks.verdict[not_asked[i]] = CG_NOT_ASKED;
    CG_TRY(step(out, CG_RESOLVE_NAME, put_name(ask, &w, &name)));
    CG_TRY(step(out, CG_RESOLVE_SERIAL, ask->seen && ask->seen->serial > 0 ? CG_ROLLBACK : CG_OK));
    CG_TRY(staple_steps(
        out, cg_staple_verify_absent(out->answer.staple, &view, "reg", name, &out->staple)));
    return step(out, CG_RESOLVE_CURRENT, CG_OK);
}

/* A record in a denial is a tombstone, or has run out; of a tombstone it does not matter when. */
static cg_err check_gone(const struct cg_resolve_ask *ask, const struct cg_record *record)
{
    cg_err err = cg_record_check_times(record, ask->now);

    if (err == CG_EXPIRED || (err == CG_OK && cg_record_is_tombstone(record)))
        return CG_OK;
    return err == CG_OK ? CG_CONFLICT : err;
}

cg_err cg_resolve_verify_denial(const struct cg_resolve_ask *ask, struct cg_span json,
                                struct cg_buf *room, struct cg_resolve_result *out)
{
    *out = (struct cg_resolve_result){0};
    CG_TRY(step(out, CG_RESOLVE_FORM, read_denial(json, room, out)));
    if (out->has_record) {
        CG_TRY(step(out, CG_RESOLVE_NAME, check_name(ask, &out->record)));
        CG_TRY(step(out, CG_RESOLVE_TIMES, check_gone(ask, &out->record)));
        CG_TRY(check_record(ask, out));
    } else {
        CG_TRY(check_absent(ask, out));
    }
    out->checks.verdict[CG_RESOLVE_TARGET] = CG_NOT_ASKED;
    out->is_gone = true;
    return CG_OK;
}
