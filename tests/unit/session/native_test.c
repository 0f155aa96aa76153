#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "lib/wire/cbor.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"
#include "tests/unit/session/pair.h"

#include <stdlib.h>
#include <string.h>

static const struct cg_body_plan no_body = {.mode = CG_BODY_NONE};

/* A grant that was posted and answered, not yet accepted. */
struct answered {
    struct cg_native_pending pending;
    struct cg_buf answer;
    struct cg_grant_reply reply;
};

static void answer(struct pair *p, struct answered *out)
{
    struct cg_native_grant_ask ask = pair_ask(p);
    struct cg_buf body;

    pair_body(p, &ask, &out->pending, &body);
    CHECK_OK(pair_post(p, cg_buf_span(&body), &out->answer));
    CHECK_OK(cg_grant_reply_read(cg_buf_span(&out->answer), &out->reply));
    cg_buf_done(&body);
}

static void answered_done(struct answered *a)
{
    cg_native_pending_done(&a->pending);
    cg_buf_done(&a->answer);
}

static cg_err accept_body(struct pair *p, const struct answered *a, struct cg_span body)
{
    struct cg_grant_answer got;

    return cg_native_grant_accept(&p->native, cg_test_kit(), &a->pending, body,
                                  cg_test_verifier(0x80), &p->server, p->now, &got, &p->fault);
}

/* Tells whether the client refuses that answer at that check, and stays as it was. */
static bool not_accepted(struct pair *p, const struct answered *a,
                         const struct cg_grant_reply *reply, const char *check)
{
    enum cg_native_state state = p->native.state;
    bool has_grant = p->native.has_grant;
    int64_t offset = p->native.offset_s;
    CG_AUTO(buf) struct cg_buf body = {0};

    cg_buf_init(&body, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_grant_reply_write(reply, &body));
    p->fault = (struct cg_fault){.check = "none"};
    cg_err err = accept_body(p, a, cg_buf_span(&body));
    bool ok = CHECK(err != CG_OK && err == p->fault.err);
    ok &= CHECK_SPAN(cg_span_str(p->fault.check), cg_span_str(check));
    ok &= CHECK(p->native.state == state && p->native.has_grant == has_grant &&
                p->native.offset_s == offset);
    return ok;
}

TEST(is_ready_only_after_the_answer_was_verified)
{
    struct cg_native_sent sent;
    struct cg_head head;
    struct answered a;
    struct pair p;

    pair_init(&p, 0);
    pair_head(&p, "GET", &head);
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_NEEDS_AUTH);
    answer(&p, &a);
    CHECK(cg_native_state_at(&p.native, p.now) == CG_NATIVE_CONNECTED);
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_NEEDS_AUTH);
    CHECK_OK(accept_body(&p, &a, cg_buf_span(&a.answer)));
    CHECK(cg_native_state_at(&p.native, p.now) == CG_NATIVE_READY);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    cg_native_sent_done(&sent);
    answered_done(&a);
    pair_done(&p);
}

TEST(a_missing_or_spoilt_channel_proof_is_not_accepted)
{
    uint8_t spoilt[CG_BATCH_MAX_BYTES];
    struct cg_grant_reply reply;
    struct answered a;
    struct pair p;

    pair_init(&p, 0);
    answer(&p, &a);
    reply = a.reply;
    reply.proof = CG_LIT("");
    CHECK(not_accepted(&p, &a, &reply, "proof"));
    for (size_t i = 3; i < a.reply.proof.len; i += 501) {
        memcpy(spoilt, a.reply.proof.at, a.reply.proof.len);
        spoilt[i] ^= 1;
        reply.proof = cg_span_of(spoilt, a.reply.proof.len);
        CHECK(not_accepted(&p, &a, &reply, "proof"));
    }
    /* A path where there is none: [sig, 0, 1, [32 bytes]]. */
    memcpy(spoilt, a.reply.proof.at, a.reply.proof.len);
    spoilt[a.reply.proof.len - 1] = 0x81;
    struct cg_writer w = cg_writer_fixed(spoilt + a.reply.proof.len, 64);
    cg_cbor_put_hash(&w, &a.pending.hash);
    reply.proof = cg_span_of(spoilt, a.reply.proof.len + w.len);
    CHECK(not_accepted(&p, &a, &reply, "proof"));
    answered_done(&a);
    pair_done(&p);
}

TEST(a_proof_for_another_grant_or_connection_is_not_accepted)
{
    struct answered a, other, foreign;
    struct cg_grant_reply reply;
    struct pair p, q;

    pair_init(&p, 0);
    pair_init(&q, 1);
    answer(&p, &a);
    answer(&p, &other);
    answer(&q, &foreign);
    reply = a.reply;
    reply.proof = other.reply.proof;
    CHECK(not_accepted(&p, &a, &reply, "proof"));
    reply.proof = foreign.reply.proof;
    CHECK(not_accepted(&p, &a, &reply, "proof"));
    CHECK(not_accepted(&p, &a, &other.reply, "answer")); /* the whole of another answer */
    answered_done(&a);
    answered_done(&other);
    answered_done(&foreign);
    pair_done(&q);
    pair_done(&p);
}

TEST(a_proof_by_other_transport_keys_is_not_accepted)
{
    struct cg_grant_answer got;
    struct answered a;
    struct pair p;

    pair_init(&p, 0);
    answer(&p, &a);
    CHECK_ERR(cg_native_grant_accept(&p.native, cg_test_kit(), &a.pending, cg_buf_span(&a.answer),
                                     cg_test_verifier(0x40), &p.server, p.now, &got, &p.fault),
              CG_SIGNATURE);
    CHECK_SPAN(cg_span_str(p.fault.check), CG_LIT("proof"));
    CHECK_ERR(cg_native_grant_accept(&p.native, cg_test_kit(), &a.pending, cg_buf_span(&a.answer),
                                     cg_test_verifier(0x80), &p.wallet, p.now, &got, &p.fault),
              CG_MISMATCH);
    CHECK_SPAN(cg_span_str(p.fault.check), CG_LIT("server"));
    CHECK(p.native.state == CG_NATIVE_CONNECTED);
    answered_done(&a);
    pair_done(&p);
}

TEST(an_answer_that_is_spoilt_malformed_or_widened_is_not_accepted)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_grant_answer wide;
    struct cg_grant_reply reply;
    uint8_t spoilt[512];
    struct answered a;
    struct pair p;

    pair_init(&p, 0);
    answer(&p, &a);
    reply = a.reply;
    memcpy(spoilt, reply.answer.at, reply.answer.len);
    spoilt[reply.answer.len - 1] ^= 1; /* server_time: only the MAC shows it */
    reply.answer = cg_span_of(spoilt, a.reply.answer.len);
    CHECK(not_accepted(&p, &a, &reply, "confirm"));
    reply = a.reply;
    memcpy(spoilt, reply.confirm.at, reply.confirm.len);
    spoilt[0] ^= 1;
    reply.confirm = cg_span_of(spoilt, CG_HASH_BYTES);
    CHECK(not_accepted(&p, &a, &reply, "confirm"));

    cg_buf_init(&wire, 1024);
    CHECK_OK(cg_grant_answer_read(a.reply.answer, &wide));
    wide.epochs = 11;
    CHECK_OK(cg_grant_answer_write(&wide, &wire));
    reply = a.reply;
    reply.answer = cg_buf_span(&wire);
    CHECK(not_accepted(&p, &a, &reply, "answer"));
    a.pending.modes = CG_MODE_BIT(CG_SAPI_GRANT);
    CHECK(not_accepted(&p, &a, &a.reply, "answer"));
    a.pending.modes = CG_MODES_LISTED;
    for (size_t n = 0; n < a.answer.len; n += n < 400 ? 1 : 331)
        CHECK(accept_body(&p, &a, cg_span_first(cg_buf_span(&a.answer), n)) != CG_OK);
    CHECK_OK(accept_body(&p, &a, cg_buf_span(&a.answer)));
    answered_done(&a);
    pair_done(&p);
}

TEST(learns_the_servers_time_up_to_ten_minutes_off)
{
    static const struct {
        int64_t off;
        cg_err err;
    } rows[] = {{600, CG_OK}, {-600, CG_OK}, {601, CG_SKEW}, {-601, CG_SKEW}, {0, CG_OK}};
    struct pair p;

    pair_init(&p, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t before = p.native.offset_s;

        CHECK_ERR(cg_native_learn_time(&p.native, (uint64_t)(CG_TEST_NOW + rows[i].off), p.now),
                  rows[i].err);
        CHECK(p.native.offset_s == (rows[i].err == CG_OK ? rows[i].off : before));
    }
    CHECK_ERR(cg_native_learn_time(&p.native, UINT64_MAX, p.now), CG_SKEW);
    CHECK_ERR(cg_native_learn_time(&p.native, 0, p.now), CG_SKEW);
    pair_done(&p);
}

TEST(an_answer_from_another_time_is_not_accepted)
{
    struct answered a;
    struct pair p;

    pair_init(&p, 0);
    answer(&p, &a);
    const struct cg_wall then = p.now;
    p.now.s = then.s + CG_NATIVE_OFFSET_MAX_S + 1;
    CHECK(not_accepted(&p, &a, &a.reply, "time"));
    p.now.s = then.s - CG_NATIVE_OFFSET_MAX_S - 1;
    CHECK(not_accepted(&p, &a, &a.reply, "time"));
    p.now.s++;
    CHECK_OK(accept_body(&p, &a, cg_buf_span(&a.answer)));
    CHECK(p.native.offset_s == CG_NATIVE_OFFSET_MAX_S);
    answered_done(&a);
    pair_done(&p);
}

TEST(a_client_whose_clock_is_five_minutes_off_gets_in_after_one_hint)
{
    for (int64_t error = -500; error <= 500; error += 1000) {
        struct cg_native_grant_ask ask;
        struct cg_native_pending pending;
        struct cg_gate_request req;
        struct cg_native_sent sent;
        struct cg_grant_answer got;
        struct cg_buf body, reply;
        struct cg_wall local;
        struct cg_head head;
        struct pair p;

        pair_init(&p, 0);
        local = (struct cg_wall){p.now.s + error};
        for (int attempt = 0; attempt < 2; attempt++) {
            struct cg_wall servers = p.now;

            ask = pair_ask(&p);
            p.now = local;
            pair_body(&p, &ask, &pending, &body);
            p.now = servers;
            cg_err err = pair_post(&p, cg_buf_span(&body), &reply);
            CHECK_ERR(err, attempt == 0 ? CG_SKEW : CG_OK);
            if (err == CG_OK)
                break;
            CHECK(p.fault.refusal == CG_REFUSAL_CLOCK_SKEW);
            CHECK_OK(cg_native_learn_time(&p.native, (uint64_t)p.now.s, local));
            cg_native_pending_done(&pending);
            cg_buf_done(&body);
        }
        CHECK_OK(cg_native_grant_accept(&p.native, cg_test_kit(), &pending, cg_buf_span(&reply),
                                        cg_test_verifier(0x80), &p.server, local, &got, &p.fault));
        CHECK(p.native.offset_s == -error);
        struct cg_wall servers = p.now;
        p.now = local;
        pair_head(&p, "GET", &head);
        CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
        p.now = servers;
        CHECK_OK(pair_check(&p, &head, &req));
        cg_gate_request_done(&req);
        cg_native_sent_done(&sent);
        cg_native_pending_done(&pending);
        cg_buf_done(&body);
        cg_buf_done(&reply);
        pair_done(&p);
    }
}

TEST(renews_at_80_percent_and_never_signs_after_the_end)
{
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    p.now.s = (int64_t)(CG_TEST_EPOCH * 60 + 15); /* past the guard: the grant begins here */
    pair_grant_usual(&p);
    int64_t begin = (int64_t)CG_TEST_EPOCH * 60;
    CHECK(cg_native_state_at(&p.native, (struct cg_wall){begin + 479}) == CG_NATIVE_READY);
    CHECK(cg_native_state_at(&p.native, (struct cg_wall){begin + 480}) == CG_NATIVE_RENEW);
    pair_head(&p, "GET", &head);
    p.now.s = begin + 600 + CG_EPOCH_GUARD_S - 1;
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    cg_native_sent_done(&sent);
    p.now.s++;
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_EXPIRED);
    pair_grant_usual(&p);
    CHECK(cg_native_state_at(&p.native, p.now) == CG_NATIVE_READY);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_clock_that_is_set_back_asks_for_another_grant)
{
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    p.now.s = (int64_t)(CG_TEST_EPOCH * 60 + 15);
    pair_grant_usual(&p);
    pair_head(&p, "GET", &head);
    /* To the last moment of the grant's first minute, as we count them; and before it. */
    p.now.s = (int64_t)CG_TEST_EPOCH * 60 + CG_EPOCH_GUARD_S;
    CHECK(cg_native_state_at(&p.native, p.now) == CG_NATIVE_READY);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    cg_native_sent_done(&sent);
    p.now.s--;
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_EXPIRED);
    CHECK(cg_native_state_at(&p.native, p.now) == CG_NATIVE_RENEW);
    pair_done(&p);
}

TEST(drains_for_good)
{
    struct cg_native_pending pending;
    struct cg_native_sent sent;
    struct cg_head head;
    struct answered a;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    answer(&p, &a);
    cg_native_drain(&p.native);
    pair_head(&p, "GET", &head);
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_CLOSED);
    struct cg_native_grant_ask ask = pair_ask(&p);
    CHECK_ERR(cg_native_grant_make(&p.native, cg_test_kit(), &ask, p.now, &pending), CG_CLOSED);
    CHECK_ERR(accept_body(&p, &a, cg_buf_span(&a.answer)), CG_CLOSED);
    CHECK(cg_native_state_at(&p.native, p.now) == CG_NATIVE_DRAIN);
    answered_done(&a);
    pair_done(&p);
}

TEST(has_one_wallet_a_connection)
{
    struct cg_native_pending pending;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    struct cg_native_grant_ask ask = pair_ask(&p);
    ask.wallet = p.server;
    CHECK_ERR(cg_native_grant_make(&p.native, cg_test_kit(), &ask, p.now, &pending), CG_MISMATCH);
    ask = pair_ask(&p);
    ask.epochs = 61;
    CHECK_ERR(cg_native_grant_make(&p.native, cg_test_kit(), &ask, p.now, &pending), CG_SCHEMA);
    ask.epochs = 1;
    struct cg_span names[33];
    for (size_t i = 0; i < 33; i++)
        names[i] = CG_LIT("app/app.example.com");
    ask.scope = names;
    ask.n_scope = 33;
    CHECK_ERR(cg_native_grant_make(&p.native, cg_test_kit(), &ask, p.now, &pending), CG_SCHEMA);
    ask.n_scope = 32;
    CHECK_OK(cg_native_grant_make(&p.native, cg_test_kit(), &ask, p.now, &pending));
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_signature_of_another_length_is_not_sent)
{
    const struct cg_body_plan plan = {.mode = CG_BODY_TRAILER};
    static const uint8_t signature[CG_HSIG_BYTES + 1];
    static const size_t lens[] = {0, CG_ED25519_SIG_BYTES, CG_HSIG_BYTES - 1, CG_HSIG_BYTES + 1};
    CG_AUTO(buf) struct cg_buf qlock = {0};
    CG_AUTO(buf) struct cg_buf sapi = {0};
    struct cg_native_sent sent;
    struct cg_hash digest = {{0}};
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_head(&p, "PUT", &head);
    cg_buf_init(&qlock, CG_QLOCK_MAX_BYTES);
    cg_buf_init(&sapi, CG_SAPI_MAX_BYTES);
    const struct cg_native_ask ask = {&head, &p.url, CG_SAPI_HYBRID, plan};
    CHECK_OK(cg_native_request(&p.native, cg_test_kit(), &ask, p.now, &sent, &qlock, &sapi));
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct cg_span bad = cg_span_of(signature, lens[i]);

        CHECK_ERR(cg_native_request_signed(&sent, bad, &sapi), CG_SIGNATURE);
        CHECK_ERR(cg_native_trailer(&sent, cg_test_kit(), &digest, bad, &sapi), CG_SIGNATURE);
        CHECK_INT(sapi.len, 0);
    }
    CHECK_OK(cg_native_request_signed(&sent, cg_span_of(signature, CG_HSIG_BYTES), &sapi));
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_failed_request_does_not_count)
{
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_head(&p, "GET", &head);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_RANGE, CG_LIT("bytes=0-1")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_RANGE, CG_LIT("bytes=0-1")));
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_SCHEMA);
    CHECK(p.native.grant.counter == 0);
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent));
    CHECK(p.native.grant.counter == 1);
    CHECK(cg_nonce_counter(&sent.sapi.nonce) == 1);
    cg_native_sent_done(&sent);
    p.native.grant.counter = UINT64_MAX;
    CHECK_ERR(pair_sign(&p, &head, CG_SAPI_GRANT, no_body, &sent), CG_EXPIRED);
    pair_done(&p);
}

TEST(makes_the_vectors_headers)
{
    struct cg_body_plan body = {.mode = CG_BODY_DIGEST};
    struct cg_native_pending pending;
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    struct cg_native_grant_ask ask = pair_ask(&p);
    ask.session_seed = cg_test_seed(0xc0);
    struct cg_seeds seeds;
    CHECK_OK(cg_wallet_seeds(&ask.session_seed, &seeds));
    ask.session_seed = seeds.ed25519;
    for (uint8_t i = 0; i < CG_GRANT_NONCE_BYTES; i++)
        ask.nonce[i] = i;
    CHECK_OK(cg_native_grant_make(&p.native, cg_test_kit(), &ask, p.now, &pending));
    CHECK_SPAN(cg_buf_span(&pending.grant), cg_vector_hex("v1:grant.grant"));
    cg_native_pending_done(&pending);
    CHECK_OK(pair_grant(&p, &ask));
    pair_head(&p, "POST", &head);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_TYPE, CG_LIT("application/json")));
    memcpy(body.digest.bytes,
           cg_unhex("14cf0557b7cbeb6c2d0cb30c6a20eb60ca1f6b0e6d08d58fe538589c5891137f").at, 32);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, body, &sent));
    CHECK_SPAN(cg_head_value(&head, CG_TOKEN_QLOCK), cg_span_str(cg_vector("v1:qlock.header")));
    CHECK_SPAN(cg_head_value(&head, CG_TOKEN_SAPI), cg_span_str(cg_vector("v1:sapi.header_grant")));
    cg_native_sent_done(&sent);
    cg_seeds_done(&seeds);
    pair_done(&p);
}

SUITE(native, T(is_ready_only_after_the_answer_was_verified),
      T(a_missing_or_spoilt_channel_proof_is_not_accepted),
      T(a_proof_for_another_grant_or_connection_is_not_accepted),
      T(a_proof_by_other_transport_keys_is_not_accepted),
      T(an_answer_that_is_spoilt_malformed_or_widened_is_not_accepted),
      T(learns_the_servers_time_up_to_ten_minutes_off),
      T(an_answer_from_another_time_is_not_accepted),
      T(a_client_whose_clock_is_five_minutes_off_gets_in_after_one_hint),
      T(renews_at_80_percent_and_never_signs_after_the_end),
      T(a_clock_that_is_set_back_asks_for_another_grant), T(drains_for_good),
      T(has_one_wallet_a_connection), T(a_signature_of_another_length_is_not_sent),
      T(a_failed_request_does_not_count), T(makes_the_vectors_headers))
