#include "tests/support/check.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/resolve.h"

#define RUNS_MAX 5000

TEST(a_record_is_never_believed_when_an_allocation_fails)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    struct cg_resolve_answer answer = {
        .record = cg_span_str(cg_vector("record:records.good")),
        .staple = cg_vector_hex("record:staples.good"),
        .wallet_doc = cg_vector_hex("record:docs.owner"),
        .operator_doc = cg_vector_hex("record:docs.operator"),
    };
    struct cg_trust *trust;
    bool failed = true;
    size_t n = 0;

    CHECK_OK(cg_did_read(cg_span_str(cg_vector("record:operator")), &answer.operator_did));
    CHECK_OR_STOP(CHECK_OK(
        cg_trust_read(cg_test_crypto(), cg_span_str(cg_vector("record:trust")), &trust, NULL)));
    cg_buf_init(&json, CG_RESOLVE_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&json);
    CHECK_OK(cg_resolve_write(&answer, &w));
    const struct cg_resolve_ask ask = {
        .crypto = cg_test_crypto(),
        .trust = trust,
        .plane = CG_LIT("app"),
        .authority = CG_LIT("app.example.com"),
        .now = {(int64_t)cg_vector_uint("record:time")},
    };

    while (failed && n < RUNS_MAX) {
        CG_AUTO(buf) struct cg_buf room = {0};
        static struct cg_resolve_result result;

        cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
        cg_fail_alloc_at(++n);
        cg_err err = cg_resolve_verify(&ask, cg_buf_span(&json), &room, &result);
        failed = cg_fail_alloc_off();
        CHECK(err == CG_OK || failed);
        CHECK(err != CG_OK || result.record.serial == 7);
    }
    CHECK(!failed);
    CHECK(n > 20);
    cg_trust_free(trust);
}

SUITE(memory, T(a_record_is_never_believed_when_an_allocation_fails))
