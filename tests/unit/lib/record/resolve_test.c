#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/resolve.h"

#include <stdio.h>
#include <stdlib.h>

static const uint8_t request_id[16] = {0xc0, 1, 2, 3};

static const char *const step_names[] = {
    "form",       "name",   "times",      "serial",    "operator", "keys",
    "signatures", "anchor", "checkpoint", "inclusion", "current",  "target",
};

static struct cg_span part(const char *set, size_t i, const char *member)
{
    const char *name = cg_vector(cg_vector_at("record:cases.%zu.%s", i, member));

    return cg_vector_hex(cg_vector_at("record:%s.%s", set, *name ? name : "empty"));
}

/* A case's answer, from its parts. */
static struct cg_span answer_of(size_t i, struct cg_buf *buf)
{
    struct cg_resolve_answer answer = {0};
    const char *record = cg_vector(cg_vector_at("record:cases.%zu.record", i));
    struct cg_writer w = cg_writer_into(buf);

    answer.staple = part("staples", i, "staple");
    if (*record) {
        answer.record = cg_span_str(cg_vector(cg_vector_at("record:records.%s", record)));
        answer.wallet_doc = part("docs", i, "wallet_doc");
        answer.operator_doc = part("docs", i, "operator_doc");
        CHECK_OK(
            cg_did_read(cg_span_str(cg_vector(cg_vector_at("record:cases.%zu.operator_did", i))),
                        &answer.operator_did));
    }
    if (cg_vector_uint(cg_vector_at("record:cases.%zu.status", i)) == 200)
        CHECK_OK(cg_resolve_write(&answer, &w));
    else
        CHECK_OK(cg_resolve_write_denial(&answer, request_id, &w));
    return cg_buf_span(buf);
}

static void check_verdicts(const struct cg_resolve_checks *checks, const char *step,
                           const char *why)
{
    bool has_failed = false;

    for (unsigned i = 0; i < CG_RESOLVE_STEP_COUNT; i++) {
        enum cg_verdict verdict = checks->verdict[i];
        bool fails_here = strcmp(step_names[i], step) == 0;
        bool ok = fails_here   ? verdict == CG_FAILED
                  : has_failed ? verdict == CG_NOT_REACHED || verdict == CG_NOT_ASKED
                               : verdict == CG_PASSED || verdict == CG_NOT_ASKED;

        if (!CHECK(ok))
            printf("#   %s: %s is %d\n", why, step_names[i], verdict);
        has_failed |= fails_here;
    }
}

TEST(every_case_has_its_verdict_at_its_step)
{
    struct cg_trust *trust;

    CHECK_OR_STOP(CHECK_OK(
        cg_trust_read(cg_test_crypto(), cg_span_str(cg_vector("record:trust")), &trust, NULL)));
    for (size_t i = 0; i < cg_vector_count("record:cases"); i++) {
        const char *why = cg_vector(cg_vector_at("record:cases.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("record:cases.%zu.error", i));
        const char *step = cg_vector(cg_vector_at("record:cases.%zu.step", i));
        bool is_denial = cg_vector_uint(cg_vector_at("record:cases.%zu.status", i)) == 404;
        struct cg_record_seen seen = {
            .serial = cg_vector_uint(cg_vector_at("record:cases.%zu.seen_serial", i))};
        struct cg_resolve_ask ask = {
            .crypto = cg_test_crypto(),
            .trust = trust,
            .plane = CG_LIT("app"),
            .authority = CG_LIT("app.example.com"),
            .now = {(int64_t)cg_vector_uint(cg_vector_at("record:cases.%zu.now", i))},
            .max_age_s = (int64_t)cg_vector_uint(cg_vector_at("record:cases.%zu.max_age", i)),
            .seen = &seen,
            .is_local = *cg_vector(cg_vector_at("record:cases.%zu.local", i)) != '\0',
        };
        CG_AUTO(buf) struct cg_buf json = {0};
        CG_AUTO(buf) struct cg_buf room = {0};
        static struct cg_resolve_result result;

        if (seen.serial > 0)
            seen.commitment = cg_vector_hash(cg_vector_at("record:cases.%zu.seen_commitment", i));
        cg_buf_init(&json, CG_RESOLVE_MAX_BYTES);
        cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
        struct cg_span text = answer_of(i, &json);
        cg_err err = is_denial ? cg_resolve_verify_denial(&ask, text, &room, &result)
                               : cg_resolve_verify(&ask, text, &room, &result);
        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
        check_verdicts(&result.checks, step, why);
        if (err == CG_OK) {
            CHECK_INT(result.is_gone, is_denial);
            CHECK(result.staple.checkpoint.is_unwitnessed);
            CHECK_INT(result.staple.head.time.s, cg_vector_uint("record:time"));
        }
    }
    cg_trust_free(trust);
}

TEST(answers_go_there_and_back)
{
    for (size_t i = 0; i < cg_vector_count("record:cases"); i++) {
        bool is_denial = cg_vector_uint(cg_vector_at("record:cases.%zu.status", i)) == 404;
        CG_AUTO(buf) struct cg_buf json = {0};
        CG_AUTO(buf) struct cg_buf room = {0};
        CG_AUTO(buf) struct cg_buf again = {0};
        struct cg_resolve_answer answer;

        if (is_denial && part("staples", i, "staple").len == 0)
            continue; /* what has no proof is no answer */
        cg_buf_init(&json, CG_RESOLVE_MAX_BYTES);
        cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
        cg_buf_init(&again, CG_RESOLVE_MAX_BYTES);
        struct cg_span text = answer_of(i, &json);
        struct cg_writer w = cg_writer_into(&again);
        if (is_denial) {
            CHECK_OK(cg_resolve_read_denial(text, &room, &answer));
            CHECK_OK(cg_resolve_write_denial(&answer, request_id, &w));
        } else {
            CHECK_OK(cg_resolve_read(text, &room, &answer));
            CHECK_OK(cg_resolve_write(&answer, &w));
        }
        CHECK_SPAN(cg_buf_span(&again), text);
    }
}

/* Replaces the first occurrence of a text. */
static struct cg_span with(struct cg_span text, const char *what, const char *by,
                           struct cg_buf *out)
{
    struct cg_span w = cg_span_str(what);

    cg_buf_clear(out);
    for (size_t i = 0; i + w.len <= text.len; i++) {
        if (!cg_span_eq(cg_span_of(text.at + i, w.len), w))
            continue;
        CHECK_OK(cg_buf_add(out, cg_span_first(text, i)));
        CHECK_OK(cg_buf_add(out, cg_span_str(by)));
        CHECK_OK(cg_buf_add(out, cg_span_from(text, i + w.len)));
        return cg_buf_span(out);
    }
    CHECK(!"the text is there");
    return text;
}

static size_t case_named(const char *why)
{
    for (size_t i = 0; i < cg_vector_count("record:cases"); i++)
        if (strcmp(cg_vector(cg_vector_at("record:cases.%zu.why", i)), why) == 0)
            return i;
    CHECK(!"the case is there");
    return 0;
}

TEST(no_part_of_an_answer_is_one)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    CG_AUTO(buf) struct cg_buf room = {0};
    struct cg_resolve_answer answer = {.staple = CG_LIT("untouched")};

    cg_buf_init(&json, CG_RESOLVE_MAX_BYTES);
    cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
    struct cg_span text = answer_of(case_named("good"), &json);
    while (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    for (size_t n = 0; n < text.len; n += n < 300 ? 1 : 37) {
        cg_err err = cg_resolve_read(cg_span_first(text, n), &room, &answer);

        CHECK(err == CG_SHORT || err == CG_SYNTAX);
    }
    cg_buf_clear(&json);
    text = answer_of(case_named("a name that is gone"), &json);
    while (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    for (size_t n = 0; n < text.len; n += n < 300 ? 1 : 37) {
        cg_err err = cg_resolve_read_denial(cg_span_first(text, n), &room, &answer);

        CHECK(err == CG_SHORT || err == CG_SYNTAX);
    }
    CHECK_SPAN(answer.staple, CG_LIT("untouched"));
}

TEST(answers_of_another_form_are_refused)
{
    static const struct {
        const char *what, *by;
        cg_err err;
    } rows[] = {
        {"{\"record\":", "{\"recorc\":", CG_SCHEMA},
        {"{\"record\":{", "{\"record\":[],\"x\":{", CG_SCHEMA},
        {",\"operator_did\":\"did", ",\"operator_did\":\"xid", CG_SYNTAX},
        {",\"wallet_doc\":\"", ",\"wallet_doc\":\"!", CG_SYNTAX},
        {",\"operator_doc\":\"", ",\"operator_doc\":\"=", CG_SYNTAX},
        {",\"staple\":\"", ",\"staple\":\"A", CG_SYNTAX},
        {"}\n", "}x\n", CG_EXTRA},
        {"}\n", "", CG_SHORT},
        {",\"operator_did\":", ",\"operator_doc\":\"\",\"operator_did\":", CG_SCHEMA},
    };
    static const struct {
        const char *what, *by;
        cg_err err;
    } denials[] = {
        {"name-unresolved", "not-found", CG_SCHEMA},
        {"\"status\":404", "\"status\":410", CG_SCHEMA},
        {"\"staple\"", "\"stable\"", CG_SCHEMA},
        {",\"record\":", ",\"recorx\":", CG_SCHEMA},
        {",\"operator_did\":\"did:bpi:", ",\"operator_dix\":\"did:bpi:", CG_SCHEMA},
        {"\"title\":", "\"titel\":", CG_SCHEMA},
    };
    CG_AUTO(buf) struct cg_buf json = {0};
    CG_AUTO(buf) struct cg_buf room = {0};
    CG_AUTO(buf) struct cg_buf bad = {0};
    struct cg_resolve_answer answer;

    cg_buf_init(&json, CG_RESOLVE_MAX_BYTES);
    cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
    cg_buf_init(&bad, CG_RESOLVE_MAX_BYTES);
    struct cg_span text = answer_of(case_named("good"), &json);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cg_resolve_result result;
        struct cg_span changed = with(text, rows[i].what, rows[i].by, &bad);

        if (!CHECK_ERR(cg_resolve_read(changed, &room, &answer), rows[i].err))
            printf("#   row %zu\n", i);
        /* Nothing else is asked of an answer that cannot be read. */
        const struct cg_resolve_ask ask = {0};
        CHECK_ERR(cg_resolve_verify(&ask, changed, &room, &result), rows[i].err);
        CHECK(result.checks.verdict[CG_RESOLVE_FORM] == CG_FAILED);
        CHECK(result.checks.verdict[CG_RESOLVE_NAME] == CG_NOT_REACHED);
        CHECK(!result.has_record);
    }

    cg_buf_clear(&json);
    text = answer_of(case_named("a name that is gone"), &json);
    for (size_t i = 0; i < sizeof denials / sizeof denials[0]; i++)
        if (!CHECK_ERR(cg_resolve_read_denial(with(text, denials[i].what, denials[i].by, &bad),
                                              &room, &answer),
                       denials[i].err))
            printf("#   denial %zu\n", i);
    /* Four members beside the staple, or none. */
    cg_buf_clear(&json);
    struct cg_span plain = answer_of(case_named("never registered"), &json);
    CHECK_OK(cg_resolve_read_denial(plain, &room, &answer));
    CHECK_ERR(cg_resolve_read_denial(with(plain, "}\n", ",\"record\":{}}\n", &bad), &room, &answer),
              CG_SCHEMA);
    CHECK_ERR(
        cg_resolve_read_denial(with(plain, "}\n", ",\"wallet_doc\":\"\"}\n", &bad), &room, &answer),
        CG_SCHEMA);
    cg_buf_clear(&json);
    text = answer_of(case_named("a name that is gone"), &json);
    CHECK_ERR(cg_resolve_read(text, &room, &answer), CG_SCHEMA);
    static uint8_t large[CG_RESOLVE_MAX_BYTES + 1];
    CHECK_ERR(cg_resolve_read(CG_BYTES(large), &room, &answer), CG_TOO_LARGE);
    CHECK_ERR(cg_resolve_read(cg_span_of(large, sizeof large - 1), &room, &answer), CG_SYNTAX);
    CHECK_ERR(cg_resolve_read_denial(CG_BYTES(large), &room, &answer), CG_TOO_LARGE);
    memset(large, ' ', sizeof large);
    memcpy(large, text.at, text.len);
    CHECK_OK(cg_resolve_read_denial(cg_span_of(large, sizeof large - 1), &room, &answer));
    CHECK_ERR(cg_resolve_read_denial(CG_BYTES(large), &room, &answer), CG_TOO_LARGE);
}

TEST(every_step_has_its_sentence)
{
    for (unsigned i = 0; i < CG_RESOLVE_STEP_COUNT; i++)
        CHECK(cg_resolve_step_text((enum cg_resolve_step)i) != NULL);
}

SUITE(resolve, T(every_case_has_its_verdict_at_its_step), T(answers_go_there_and_back),
      T(no_part_of_an_answer_is_one), T(answers_of_another_form_are_refused),
      T(every_step_has_its_sentence))
