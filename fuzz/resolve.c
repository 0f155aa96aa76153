/* resolve: a registry's answer about app/app.example.com, found or gone, checked whole as a gateway
 * does, with the trust file of the vectors. */
#include "lib/record/resolve.h"
#include "fuzz/fuzz.h"
#include "tests/support/vector.h"

#include <stdlib.h>

static struct cg_trust *trust;
static const uint8_t id[16];

static void forget(void)
{
    cg_trust_free(trust);
}

static void same(const struct cg_resolve_answer *a, const struct cg_resolve_answer *b)
{
    MUST_SAME(b->record, a->record);
    MUST_SAME(b->staple, a->staple);
    MUST_SAME(b->wallet_doc, a->wallet_doc);
    MUST_SAME(b->operator_doc, a->operator_doc);
    MUST(a->record.len == 0 || cg_waddr_eq(&a->operator_did, &b->operator_did));
}

static void form(struct cg_fuzz *in, struct cg_span json)
{
    struct cg_buf *room = cg_fuzz_buf(in), *more = cg_fuzz_buf(in), *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_resolve_answer answer, again;

    MARK(answer);
    if (cg_resolve_read(json, room, &answer) == CG_OK) {
        MUST_OK(cg_resolve_write(&answer, &w));
        MUST_OK(cg_resolve_read(cg_buf_span(out), more, &again));
        same(&answer, &again);
        return;
    }
    UNTOUCHED(answer);
    if (cg_resolve_read_denial(json, room, &answer) != CG_OK) {
        UNTOUCHED(answer);
        return;
    }
    MUST_OK(cg_resolve_write_denial(&answer, id, &w));
    MUST_OK(cg_resolve_read_denial(cg_buf_span(out), more, &again));
    same(&answer, &again);
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span json = cg_fuzz_rest(in);
    struct cg_record_seen seen = {0};
    struct cg_resolve_result *result = cg_fuzz_room(in, sizeof *result);

    if (!trust) {
        MUST_OK(
            cg_trust_read(cg_fuzz_crypto(), cg_span_str(cg_vector("record:trust")), &trust, NULL));
        atexit(forget);
    }
    struct cg_resolve_ask ask = {
        .crypto = cg_fuzz_crypto(),
        .trust = trust,
        .plane = CG_LIT("app"),
        .authority = CG_LIT("app.example.com"),
        .now = {1795366063},
        .seen = &seen,
    };
    form(in, json);
    if (cg_resolve_verify(&ask, json, cg_fuzz_buf(in), result) == CG_OK) {
        MUST_SAME(result->record.host, ask.authority);
        MUST_SAME(result->record.plane, ask.plane);
        MUST(result->has_record && !result->is_gone && result->record.expires.s > ask.now.s);
        for (unsigned i = 0; i < CG_RESOLVE_STEP_COUNT; i++)
            MUST(result->checks.verdict[i] == CG_PASSED);
    }
    if (cg_resolve_verify_denial(&ask, json, cg_fuzz_buf(in), result) == CG_OK)
        MUST(result->is_gone);
}
