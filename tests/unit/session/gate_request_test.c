#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/wire/field.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/unit/session/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cg_body_plan no_body = {.mode = CG_BODY_NONE};

/* A pair with one grant, and a signed GET in head. */
static void ready(struct pair *p, struct cg_head *head)
{
    struct cg_native_sent sent;

    pair_init(p, 0);
    pair_grant_usual(p);
    pair_head(p, "GET", head);
    CHECK_OK(pair_sign(p, head, CG_SAPI_GRANT, no_body, &sent));
    cg_native_sent_done(&sent);
}

static struct cg_field *field_of(struct cg_head *head, enum cg_token token)
{
    return (struct cg_field *)(uintptr_t)cg_head_find(head, token);
}

/* Puts another value of a header in the place of the one that is there. */
static void set(struct cg_head *head, enum cg_token token, const char *value)
{
    field_of(head, token)->value = cg_span_str(value);
}

/* Replaces the first occurrence of a text in a header's value by one as long. */
static void patch(struct pair *p, struct cg_head *head, enum cg_token token, const char *from,
                  const char *to)
{
    struct cg_field *field = field_of(head, token);
    struct cg_span copy;
    uint8_t *at;

    CHECK_OK(cg_arena_copy(&p->arena, field->value, &copy));
    at = memmem(copy.at, copy.len, from, strlen(from));
    if (CHECK(at != NULL))
        memcpy(at, to, strlen(to));
    field->value = copy;
}

/* Rewrites one number in a header's value. */
static void renumber(struct pair *p, struct cg_head *head, enum cg_token token, const char *key,
                     const char *number)
{
    struct cg_field *field = field_of(head, token);
    char *text = cg_arena_take(&p->arena, field->value.len + 64);
    const uint8_t *at = memmem(field->value.at, field->value.len, key, strlen(key));
    int n = 0;

    CHECK_OR_STOP(at != NULL);
    const uint8_t *end = at += strlen(key);
    while (*end >= '0' && *end <= '9')
        end++;
    n +=
        sprintf(text, "%.*s%s", (int)(at - field->value.at), (const char *)field->value.at, number);
    n += sprintf(text + n, "%.*s", (int)(field->value.at + field->value.len - end),
                 (const char *)end);
    field->value = cg_span_of(text, (size_t)n);
}

#define REFUSED(p, head, refusal, check)                                                           \
    CHECK(pair_refused(p, head, CG_REFUSAL_##refusal, CG_GATE_CHECK_##check))

TEST(takes_a_signed_request_in_every_mode_and_tells_who_it_is)
{
    for (int mode = CG_SAPI_GRANT; mode <= CG_SAPI_HYBRID; mode++) {
        struct cg_gate_request req;
        struct cg_native_sent sent;
        struct cg_head head;
        struct pair p;

        pair_init(&p, 0);
        pair_grant_usual(&p);
        pair_head(&p, "GET", &head);
        CHECK_OK(pair_sign(&p, &head, (enum cg_sapi_mode)mode, no_body, &sent));
        CHECK_OK(pair_check(&p, &head, &req));
        CHECK(req.mode == (enum cg_sapi_mode)mode && req.is_locked && req.is_in_scope &&
              req.must_be_empty);
        CHECK(cg_waddr_eq(&req.wallet, &p.wallet));
        CHECK(cg_hash_eq(&req.tbs_hash, &sent.tbs_hash));
        CHECK(cg_nonce_counter(&req.nonce) == 1 && req.minute_epoch == CG_TEST_EPOCH);
        cg_gate_request_done(&req);
        cg_native_sent_done(&sent);
        pair_done(&p);
    }
}

TEST(a_replay_on_the_same_connection_fails_whatever_the_mode)
{
    for (int mode = CG_SAPI_GRANT; mode <= CG_SAPI_HYBRID; mode++) {
        struct cg_gate_request req;
        struct cg_native_sent sent;
        struct cg_head head;
        struct pair p;

        pair_init(&p, 0);
        pair_grant_usual(&p);
        pair_head(&p, "GET", &head);
        CHECK_OK(pair_sign(&p, &head, (enum cg_sapi_mode)mode, no_body, &sent));
        CHECK_OK(pair_check(&p, &head, &req));
        REFUSED(&p, &head, AUTH_FAILED, NONCE);
        CHECK(p.fault.err == CG_REPLAY);
        cg_gate_request_done(&req);
        cg_native_sent_done(&sent);
        pair_done(&p);
    }
}

TEST(of_two_copies_verified_at_the_same_time_one_passes)
{
    struct cg_gate_request first, second;
    struct cg_sig_job *job_1, *job_2;
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_HYBRID, no_body, &sent));
    const struct cg_gate_ask ask = {&head, &p.url};
    CHECK_OK(cg_gate_request_check(&p.gate, cg_test_kit(), &ask, p.now, &first, &job_1, &p.fault));
    CHECK_OK(cg_gate_request_check(&p.gate, cg_test_kit(), &ask, p.now, &second, &job_2, &p.fault));
    cg_sig_job_run(job_1, cg_test_crypto());
    cg_sig_job_run(job_2, cg_test_crypto());
    CHECK_OK(cg_gate_request_commit(&p.gate, &second, job_2, &p.fault));
    CHECK_ERR(cg_gate_request_commit(&p.gate, &first, job_1, &p.fault), CG_REPLAY);
    CHECK(p.fault.refusal == CG_REFUSAL_AUTH_FAILED);
    CHECK_SPAN(cg_span_str(p.fault.check), CG_LIT("spent"));
    cg_sig_job_free(job_1);
    cg_sig_job_free(job_2);
    cg_gate_request_done(&first);
    cg_gate_request_done(&second);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_job_that_was_never_run_does_not_count_as_verified)
{
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct cg_sig_job *job;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_ED25519, no_body, &sent));
    const struct cg_gate_ask ask = {&head, &p.url};
    CHECK_OK(cg_gate_request_check(&p.gate, cg_test_kit(), &ask, p.now, &req, &job, &p.fault));
    CHECK_ERR(cg_gate_request_commit(&p.gate, &req, job, &p.fault), CG_SIGNATURE);
    CHECK(p.fault.refusal == CG_REFUSAL_AUTH_FAILED);
    cg_sig_job_free(job);
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_replay_on_another_connection_gateway_or_after_a_restart_fails)
{
    struct cg_head head;
    struct pair p, other;

    ready(&p, &head);
    pair_init(&other, 1);
    REFUSED(&other, &head, AUTH_REQUIRED, GRANT); /* nothing is known there yet */
    pair_grant_usual(&other);
    REFUSED(&other, &head, AUTH_FAILED, QLOCK);
    CHECK(other.fault.err == CG_BINDING);
    pair_done(&other);
    pair_done(&p);
}

TEST(a_lock_of_another_connection_fails_though_the_rest_is_right)
{
    struct cg_native_sent sent;
    struct cg_head head, foreign;
    struct pair p, other;

    ready(&p, &head);
    pair_init(&other, 1);
    pair_grant_usual(&other);
    pair_head(&other, "GET", &foreign);
    CHECK_OK(pair_sign(&other, &foreign, CG_SAPI_GRANT, no_body, &sent));
    field_of(&head, CG_TOKEN_QLOCK)->value = cg_head_value(&foreign, CG_TOKEN_QLOCK);
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    cg_native_sent_done(&sent);
    pair_done(&other);
    pair_done(&p);
}

TEST(a_lock_for_another_route_key_or_certificate_fails)
{
    static const char *const urls[] = {
        "httpcg://app/app.example.com/api/orders/?limit=10",
        "httpcg://app/app.example.com/api/order?limit=10",
        "httpcg://app/app.example.org/api/orders?limit=10",
        "httpcg://wallet/app.example.com/api/orders?limit=10",
    };
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        pair_url(&p, urls[i]);
        REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    }
    pair_url(&p, "httpcg://app/app.example.com/api/orders?limit=10");
    p.gate.channel.spki.bytes[0] ^= 1;
    p.gate.cache.n = 0;
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    p.gate.channel.spki.bytes[0] ^= 1;
    p.gate.channel.fingerprint.bytes[31] ^= 128;
    p.gate.cache.n = 0;
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    pair_done(&p);
}

TEST(a_minute_two_back_or_ahead_is_clock_skew_before_anything_else)
{
    static const struct {
        const char *epoch;
        enum cg_refusal refusal;
        enum cg_gate_check check;
    } rows[] = {
        {"29922764", CG_REFUSAL_CLOCK_SKEW, CG_GATE_CHECK_CLOCK},
        {"29922767", CG_REFUSAL_CLOCK_SKEW, CG_GATE_CHECK_CLOCK},
        {"0", CG_REFUSAL_CLOCK_SKEW, CG_GATE_CHECK_CLOCK},
        {"9007199254740991", CG_REFUSAL_CLOCK_SKEW, CG_GATE_CHECK_CLOCK},
        {"29922765", CG_REFUSAL_AUTH_REQUIRED, CG_GATE_CHECK_GRANT}, /* before the grant */
        {"18446744073709551615", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
        {"29922766.0", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
        {"2992276e1", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
        {"\"29922766\"", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
        {"-29922766", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
        {"029922766", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
        {"29922766,\"minute_epoch\":29922766", CG_REFUSAL_BAD_REQUEST, CG_GATE_CHECK_SYNTAX},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cg_head head;
        struct pair p;

        ready(&p, &head);
        renumber(&p, &head, CG_TOKEN_QLOCK, "\"minute_epoch\":", rows[i].epoch);
        if (!CHECK(pair_refused(&p, &head, rows[i].refusal, rows[i].check)))
            printf("# row %zu\n", i);
        pair_done(&p);
    }
}

TEST(a_lock_with_anothers_session_upper_case_or_spoilt_hash_fails)
{
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    patch(&p, &head, CG_TOKEN_QLOCK, "0f0d13b8", "0f0d13b9");
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    patch(&p, &head, CG_TOKEN_QLOCK, "0f0d13b9", "0F0D13B8");
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    patch(&p, &head, CG_TOKEN_QLOCK, "0F0D13B8", "0f0d13b8");
    patch(&p, &head, CG_TOKEN_QLOCK, "a54e", "a54f");
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    patch(&p, &head, CG_TOKEN_QLOCK, "a54f", "A54e");
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    pair_done(&p);
}

TEST(a_missing_lock_beside_a_signature_fails)
{
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    cg_head_drop(&head, CG_TOKEN_QLOCK);
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    pair_done(&p);
}

TEST(a_header_twice_or_joined_or_too_long_is_refused_as_malformed)
{
    static const enum cg_token tokens[] = {CG_TOKEN_QLOCK, CG_TOKEN_SAPI};

    for (size_t i = 0; i < 2; i++) {
        size_t limit = i == 0 ? CG_QLOCK_MAX_BYTES : CG_SAPI_MAX_BYTES;
        struct cg_head head;
        struct pair p;

        ready(&p, &head);
        struct cg_span value = cg_head_value(&head, tokens[i]);
        char *joined = cg_arena_take(&p.arena, 2 * limit + 1);
        CHECK_OK(cg_head_add(&head, tokens[i], value));
        REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
        pair_done(&p);

        ready(&p, &head);
        value = cg_head_value(&head, tokens[i]);
        joined = cg_arena_take(&p.arena, 2 * limit + 1);
        int n = sprintf(joined, "%.*s,%.*s", (int)value.len, (const char *)value.at, (int)value.len,
                        (const char *)value.at);
        field_of(&head, tokens[i])->value = cg_span_of(joined, (size_t)n);
        REFUSED(&p, &head, BAD_REQUEST, SYNTAX);

        memset(joined, ' ', limit + 1);
        field_of(&head, tokens[i])->value = cg_span_of(joined, limit + 1);
        REFUSED(&p, &head, HEADER_TOO_LARGE, SYNTAX);
        field_of(&head, tokens[i])->value = cg_span_of(joined, limit);
        REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
        pair_done(&p);
    }
}

TEST(a_timestamp_within_300_s_passes_and_at_301_is_clock_skew)
{
    static const int offsets[] = {-301, -300, 300, 301};

    for (size_t i = 0; i < 4; i++) {
        struct cg_head head;
        char number[24];
        struct pair p;

        ready(&p, &head);
        sprintf(number, "%d", CG_TEST_NOW + offsets[i]);
        renumber(&p, &head, CG_TOKEN_SAPI, "\"timestamp\":", number);
        /* Within, the signature is what fails: the timestamp is under it. */
        if (i == 0 || i == 3)
            REFUSED(&p, &head, CLOCK_SKEW, CLOCK);
        else
            REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
        pair_done(&p);
    }
}

TEST(a_timestamp_at_either_end_of_time_does_not_wrap)
{
    static const char *const numbers[] = {"0", "9007199254740991"};

    for (size_t i = 0; i < 2; i++) {
        struct cg_head head;
        struct pair p;

        ready(&p, &head);
        renumber(&p, &head, CG_TOKEN_SAPI, "\"timestamp\":", numbers[i]);
        REFUSED(&p, &head, CLOCK_SKEW, CLOCK);
        pair_done(&p);
    }
}

TEST(a_request_without_any_grant_on_the_connection_needs_one)
{
    struct cg_head head;
    struct pair p, fresh;

    ready(&p, &head);
    pair_init(&fresh, 0); /* the same connection before its grant */
    REFUSED(&fresh, &head, AUTH_REQUIRED, GRANT);
    pair_done(&fresh);
    pair_done(&p);
}

TEST(a_nonce_of_zero_below_the_window_or_of_another_grant_fails)
{
    struct cg_gate_request req;
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    patch(&p, &head, CG_TOKEN_SAPI, "0000000000000001\"", "0000000000000000\"");
    REFUSED(&p, &head, AUTH_FAILED, NONCE);
    patch(&p, &head, CG_TOKEN_SAPI, "0000000000000000\"", "0000000000000001\"");
    patch(&p, &head, CG_TOKEN_SAPI, "\"nonce\":\"", "\"nonce\":\"0000");
    REFUSED(&p, &head, AUTH_FAILED, NONCE);
    CHECK(p.fault.err == CG_UNKNOWN);

    p.native.grant.counter = 5000;
    CHECK_OK(pair_get(&p, &sent, &req));
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    p.native.grant.counter = 5001 - 1024 - 1;
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    REFUSED(&p, &head, AUTH_FAILED, NONCE);
    CHECK(p.fault.err == CG_STALE);
    cg_native_sent_done(&sent);
    CHECK_OK(pair_get(&p, &sent, &req)); /* the next counter is the window's last */
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_mac_offered_as_a_session_keys_signature_fails)
{
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    struct cg_field *field = field_of(&head, CG_TOKEN_SAPI);
    char *text = cg_arena_take(&p.arena, 512);
    const char *old = (const char *)field->value.at;
    const char *signature = strstr(old, "\"signature\":\"") + 13;

    int n = sprintf(text, "%.*s\",\"alg\":\"ed25519\"}", (int)(signature - old) + 64, old);
    field->value = cg_span_of(text, (size_t)n);
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX); /* too short for that mode */
    n = sprintf(text, "%.*s%.64s\",\"alg\":\"ed25519\"}", (int)(signature - old) + 64, old,
                signature);
    field->value = cg_span_of(text, (size_t)n);
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    pair_done(&p);
}

TEST(a_mode_that_was_not_answered_fails_and_hybrid_never_has_to_be)
{
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    struct cg_native_grant_ask ask = pair_ask(&p);
    ask.modes = CG_MODE_BIT(CG_SAPI_ED25519);
    CHECK_OK(pair_grant(&p, &ask));
    pair_head(&p, "GET", &head);
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_DENIED);
    p.native.grant.modes = CG_MODES_LISTED; /* a client that does it anyway */
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    REFUSED(&p, &head, AUTH_FAILED, MODE);
    cg_native_sent_done(&sent);
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_HYBRID, no_body, &sent));
    CHECK_OK(pair_check(&p, &head, &req));
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(another_wallets_address_fails)
{
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    patch(&p, &head, CG_TOKEN_SAPI, p.wallet.text, p.server.text);
    REFUSED(&p, &head, AUTH_FAILED, WALLET);
    patch(&p, &head, CG_TOKEN_SAPI, p.server.text, "d4hghd4e"); /* no address at all */
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    pair_done(&p);
}

/* A POST with every covered field, two cookies and a digest. */
static void full(struct pair *p, struct cg_head *head, struct cg_native_sent *sent)
{
    struct cg_body_plan body = {.mode = CG_BODY_DIGEST};
    char digest[CG_DIGEST_CHARS];
    struct cg_writer w = cg_writer_fixed(digest, sizeof digest);

    CHECK_OK(cg_sha256(CG_LIT("{\"item\":7}"), &body.digest));
    cg_digest_write(&body.digest, &w);
    pair_init(p, 0);
    pair_grant_usual(p);
    pair_head(p, "POST", head);
    CHECK_OK(cg_head_add(head, CG_TOKEN_CONTENT_TYPE, CG_LIT("application/json")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_CONTENT_ENCODING, CG_LIT("gzip")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_RANGE, CG_LIT("bytes=0-1")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_IF_MATCH, CG_LIT("\"a\"")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_IF_NONE_MATCH, CG_LIT("\"b\"")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_IDEMPOTENCY_KEY, CG_LIT("\"k\"")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_AUTHORIZATION, CG_LIT("Bearer t")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_IF_RANGE, CG_LIT("\"c\"")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_COOKIE, CG_LIT("a=1")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_COOKIE, CG_LIT("b=2")));
    CHECK_OK(cg_head_add(head, CG_TOKEN_CONTENT_DIGEST, cg_writer_span(&w)));
    CHECK_OK(pair_sign(p, head, CG_SAPI_GRANT, body, sent));
}

TEST(takes_a_request_with_every_covered_field)
{
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct cg_hash other = {{0}};
    struct cg_head head;
    struct pair p;

    full(&p, &head, &sent);
    CHECK_OK(pair_check(&p, &head, &req));
    CHECK(req.body.mode == CG_BODY_DIGEST && !req.must_be_empty);
    CHECK_OK(cg_gate_body_check(&req, &req.body.digest, &p.fault));
    CHECK_ERR(cg_gate_body_check(&req, &other, &p.fault), CG_DIGEST);
    CHECK(p.fault.refusal == CG_REFUSAL_DIGEST_MISMATCH);
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(every_covered_field_that_is_altered_dropped_or_added_fails)
{
    static const enum cg_token covered[] = {
        CG_TOKEN_CONTENT_TYPE,  CG_TOKEN_CONTENT_ENCODING, CG_TOKEN_RANGE,
        CG_TOKEN_IF_MATCH,      CG_TOKEN_IF_NONE_MATCH,    CG_TOKEN_IDEMPOTENCY_KEY,
        CG_TOKEN_AUTHORIZATION, CG_TOKEN_COOKIE,           CG_TOKEN_IF_RANGE,
    };

    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++) {
        struct cg_native_sent sent;
        struct cg_head head;
        struct pair p;

        full(&p, &head, &sent);
        set(&head, covered[i], "something else");
        REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
        set(&head, covered[i], "");
        REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
        cg_head_drop(&head, covered[i]);
        REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
        cg_native_sent_done(&sent);
        pair_done(&p);

        ready(&p, &head);
        CHECK_OK(cg_head_add(&head, covered[i], CG_LIT("x")));
        REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
        pair_done(&p);
    }
}

TEST(a_covered_field_twice_is_malformed_except_cookies)
{
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    full(&p, &head, &sent);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_TYPE, CG_LIT("application/json")));
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    cg_native_sent_done(&sent);
    pair_done(&p);
    full(&p, &head, &sent);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_COOKIE, CG_LIT("c=3")));
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(cookies_in_another_order_fail_and_joined_ones_pass)
{
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct cg_head head;
    struct pair p;

    full(&p, &head, &sent);
    struct cg_field *first = field_of(&head, CG_TOKEN_COOKIE), *second = first + 1;
    struct cg_span a = first->value;
    first->value = second->value;
    second->value = a;
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    cg_head_drop(&head, CG_TOKEN_COOKIE);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_COOKIE, CG_LIT("a=1; b=2")));
    CHECK_OK(pair_check(&p, &head, &req));
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(another_method_query_or_digest_fails)
{
    static const char *const urls[] = {
        "httpcg://app/app.example.com/api/orders",
        "httpcg://app/app.example.com/api/orders?",
        "httpcg://app/app.example.com/api/orders?limit=11",
        "httpcg://app/app.example.com/api/orders?limit=10&x=1",
    };
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    full(&p, &head, &sent);
    head.method = CG_LIT("PUT");
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    head.method = CG_LIT("post");
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    head.method = CG_LIT("PO ST");
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    head.method = CG_LIT("POST");
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        pair_url(&p, urls[i]);
        REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    }
    pair_url(&p, "httpcg://app/app.example.com/api/orders?limit=10");
    set(&head, CG_TOKEN_CONTENT_DIGEST, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
    cg_head_drop(&head, CG_TOKEN_CONTENT_DIGEST);
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE); /* now body mode 0 */
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TRAILER, CG_LIT("SAPI-Trailer")));
    REFUSED(&p, &head, AUTH_FAILED, SIGNATURE); /* now body mode 2 */
    cg_native_sent_done(&sent);
    pair_done(&p);
}

#define ONCE "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
#define TWICE ONCE ", " ONCE

TEST(a_body_announced_in_two_ways_or_badly_is_malformed)
{
    static const char *const digests[] = {
        "sha-256=:AAAA:",
        "sha-512=:AAAA:",
        TWICE,
        "",
    };
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    full(&p, &head, &sent);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TRAILER, CG_LIT("x, sapi-trailer")));
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    cg_head_drop(&head, CG_TOKEN_TRAILER);
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        set(&head, CG_TOKEN_CONTENT_DIGEST, digests[i]);
        REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    }
    set(&head, CG_TOKEN_CONTENT_DIGEST, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_DIGEST,
                         CG_LIT("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")));
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(one_half_of_a_hybrid_signature_is_none)
{
    for (int half = 0; half < 2; half++) {
        struct cg_native_sent sent, other;
        struct cg_head head, head_2;
        struct pair p;

        pair_init(&p, 0);
        pair_grant_usual(&p);
        pair_head(&p, "GET", &head);
        pair_head(&p, "GET", &head_2);
        CHECK_OK(pair_sign(&p, &head, CG_SAPI_HYBRID, no_body, &sent));
        CHECK_OK(pair_sign(&p, &head_2, CG_SAPI_HYBRID, no_body, &other));
        char *a = (char *)(uintptr_t)cg_head_value(&head, CG_TOKEN_SAPI).at;
        const char *b = (const char *)cg_head_value(&head_2, CG_TOKEN_SAPI).at;
        size_t at = (size_t)(strstr(a, "\"signature\":\"") - a) + 13;
        if (half == 0)
            memcpy(a + at, b + at, 2 * CG_ED25519_SIG_BYTES);
        else
            memcpy(a + at + 2 * CG_ED25519_SIG_BYTES, b + at + 2 * CG_ED25519_SIG_BYTES,
                   2 * CG_MLDSA87_SIG_BYTES);
        REFUSED(&p, &head, AUTH_FAILED, SIGNATURE);
        cg_native_sent_done(&sent);
        cg_native_sent_done(&other);
        pair_done(&p);
    }
}

TEST(an_unsigned_request_passes_and_its_lock_must_be_right_if_it_has_one)
{
    struct cg_gate_request req;
    struct cg_head head;
    struct pair p;

    ready(&p, &head);
    cg_head_drop(&head, CG_TOKEN_SAPI);
    CHECK_OK(pair_check(&p, &head, &req));
    CHECK(req.mode == CG_SAPI_NONE && req.is_locked && req.must_be_empty);
    cg_gate_request_done(&req);
    patch(&p, &head, CG_TOKEN_QLOCK, "a54e", "a54f");
    REFUSED(&p, &head, AUTH_FAILED, QLOCK);
    cg_head_drop(&head, CG_TOKEN_QLOCK);
    head.method = CG_LIT("POST");
    CHECK_OK(pair_check(&p, &head, &req));
    CHECK(req.mode == CG_SAPI_NONE && !req.is_locked && !req.must_be_empty);
    cg_gate_request_done(&req);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TRAILER, CG_LIT("SAPI-Trailer")));
    REFUSED(&p, &head, BAD_REQUEST, SYNTAX);
    pair_done(&p);
}

TEST(an_expired_grant_is_no_grant)
{
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    p.now.s += 9 * 60;
    CHECK_OK(pair_get(&p, &sent, &req));
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    p.now.s += 60;
    pair_head(&p, "GET", &head);
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_EXPIRED);
    p.native.grant.epochs = 60; /* a client that does not care */
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    REFUSED(&p, &head, AUTH_REQUIRED, GRANT);
    CHECK(p.fault.err == CG_EXPIRED);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_grant_for_anywhere_covers_every_name)
{
    static const char *const urls[] = {"httpcg://app/other.example.com/",
                                       "httpcg://app/app.example.com/",
                                       "httpcg://bpi/app.example.com/"};
    const struct cg_span anywhere = CG_LIT("*");
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct pair p;

    pair_init(&p, 0);
    struct cg_native_grant_ask ask = pair_ask(&p);
    ask.scope = &anywhere;
    ask.n_scope = 1;
    CHECK_OK(pair_grant(&p, &ask));
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        pair_url(&p, urls[i]);
        CHECK_OK(pair_get(&p, &sent, &req));
        CHECK(req.is_in_scope);
        cg_gate_request_done(&req);
        cg_native_sent_done(&sent);
    }
    pair_done(&p);
}

TEST(what_is_outside_of_the_scope_is_told_apart)
{
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_url(&p, "httpcg://app/other.example.com/");
    CHECK_OK(pair_get(&p, &sent, &req));
    CHECK(!req.is_in_scope);
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(fields_that_change_a_requests_meaning_are_refused)
{
    static const char *const names[] = {
        "x-http-method-override", "x-http-method",   "x-method-override", "x-original-url",
        "x-rewrite-url",          "x_httpcg_wallet", "content_length"};
    struct cg_fault fault;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_head(&p, "GET", &head);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_ACCEPT, CG_LIT("*/*")));
    CHECK_OK(cg_gate_fields_check(&head, &fault));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pair_head(&p, "GET", &head);
        CHECK_OK(cg_head_add_named(&head, cg_span_str(names[i]), CG_LIT("x")));
        CHECK_ERR(cg_gate_fields_check(&head, &fault), CG_DENIED);
        CHECK(fault.refusal == CG_REFUSAL_BAD_REQUEST);
    }
    pair_done(&p);
}

SUITE(gate_request, T(takes_a_signed_request_in_every_mode_and_tells_who_it_is),
      T(a_replay_on_the_same_connection_fails_whatever_the_mode),
      T(of_two_copies_verified_at_the_same_time_one_passes),
      T(a_job_that_was_never_run_does_not_count_as_verified),
      T(a_replay_on_another_connection_gateway_or_after_a_restart_fails),
      T(a_lock_of_another_connection_fails_though_the_rest_is_right),
      T(a_lock_for_another_route_key_or_certificate_fails),
      T(a_minute_two_back_or_ahead_is_clock_skew_before_anything_else),
      T(a_lock_with_anothers_session_upper_case_or_spoilt_hash_fails),
      T(a_missing_lock_beside_a_signature_fails),
      T(a_header_twice_or_joined_or_too_long_is_refused_as_malformed),
      T(a_timestamp_within_300_s_passes_and_at_301_is_clock_skew),
      T(a_timestamp_at_either_end_of_time_does_not_wrap),
      T(a_request_without_any_grant_on_the_connection_needs_one),
      T(a_nonce_of_zero_below_the_window_or_of_another_grant_fails),
      T(a_mac_offered_as_a_session_keys_signature_fails),
      T(a_mode_that_was_not_answered_fails_and_hybrid_never_has_to_be),
      T(another_wallets_address_fails), T(takes_a_request_with_every_covered_field),
      T(every_covered_field_that_is_altered_dropped_or_added_fails),
      T(a_covered_field_twice_is_malformed_except_cookies),
      T(cookies_in_another_order_fail_and_joined_ones_pass),
      T(another_method_query_or_digest_fails),
      T(a_body_announced_in_two_ways_or_badly_is_malformed),
      T(one_half_of_a_hybrid_signature_is_none),
      T(an_unsigned_request_passes_and_its_lock_must_be_right_if_it_has_one),
      T(an_expired_grant_is_no_grant), T(a_grant_for_anywhere_covers_every_name),
      T(what_is_outside_of_the_scope_is_told_apart),
      T(fields_that_change_a_requests_meaning_are_refused))
