#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"
#include "tests/unit/session/pair.h"

#include <stdio.h>
#include <string.h>

#define NOT_GRANTED(p, body, refusal, check)                                                       \
    CHECK(pair_not_granted(p, body, CG_REFUSAL_##refusal, CG_GATE_CHECK_##check))

/* Signs a grant's bytes with a wallet's keys and a document of the caller's choice. */
static void sign_body(struct cg_span grant, uint8_t signer, struct cg_span wallet_doc,
                      struct cg_buf *out)
{
    uint8_t signature[CG_HSIG_BYTES];

    CHECK_OK(cg_grant_sign(cg_test_signer(signer), grant, signature));
    const struct cg_grant_body parts = {grant, wallet_doc, CG_BYTES(signature)};
    cg_buf_init(out, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_grant_body_write(&parts, out));
}

/* The usual grant's fields, read back so that one can be spoilt and all signed again. */
static struct cg_grant usual(struct pair *p, struct cg_native_pending *pending)
{
    struct cg_native_grant_ask ask = pair_ask(p);
    struct cg_grant grant = {0};

    CHECK_OK(cg_native_grant_make(&p->native, cg_test_kit(), &ask, p->now, pending));
    CHECK_OK(cg_grant_read(cg_buf_span(&pending->grant), &grant));
    return grant;
}

/* Posts a spoilt grant, well signed. */
static bool not_granted(struct pair *p, const struct cg_grant *grant, enum cg_refusal refusal,
                        enum cg_gate_check check)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    CG_AUTO(buf) struct cg_buf body = {0};

    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_grant_write(grant, &wire));
    sign_body(cg_buf_span(&wire), 0x00, cg_vector_hex("v1:wallet.walletdoc"), &body);
    return pair_not_granted(p, cg_buf_span(&body), refusal, check);
}

TEST(answers_a_grant_as_the_vectors_do)
{
    struct cg_gate_granted granted;
    struct cg_grant_job *job;
    struct pair p;

    pair_init(&p, 0);
    struct cg_gate_terms terms = pair_terms(&p);
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), CG_LIT("Application/httpcg-grant+CBOR"),
                                 cg_vector_hex("v1:grant.body"), p.now, &job, &p.fault));
    cg_grant_job_run(job, cg_test_crypto());
    CHECK_OK(cg_gate_grant_verdict(job, &p.fault));
    CHECK_SPAN(cg_hash_span(&job->did.newest),
               cg_unhex("a4b51bd141c4da52e3b4937773d2a020258280e6439ff9e158b6420667f050b3"));
    CHECK_OK(cg_gate_grant_commit(&p.gate, cg_test_kit(), job, &terms, p.now, &granted, &p.fault));
    CHECK_SPAN(cg_buf_span(&granted.answer), cg_vector_hex("v1:grant.answer"));
    CHECK_SPAN(cg_hash_span(&granted.confirm), cg_vector_hex("v1:grant.confirm"));
    CHECK_SPAN(CG_BYTES(granted.proof_tbs), cg_vector_hex("v1:grant.proof_transcript"));
    CHECK(p.gate.state == CG_GATE_GRANTED);
    CHECK_SPAN(CG_BYTES(p.gate.grants[p.gate.newest].key.bytes), cg_vector_hex("v1:grant.GK"));
    cg_gate_granted_done(&granted);
    cg_grant_job_free(job);
    pair_done(&p);
}

TEST(narrows_what_the_policy_does_not_have)
{
    struct cg_gate_granted granted;
    struct cg_grant_answer answer;
    struct cg_grant_job *job;
    struct pair p;

    pair_init(&p, 0);
    struct cg_gate_terms terms = pair_terms(&p);
    terms.modes = CG_MODE_BIT(CG_SAPI_ED25519);
    terms.epochs_max = 3;
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE),
                                 cg_vector_hex("v1:grant.body"), p.now, &job, &p.fault));
    cg_grant_job_run(job, cg_test_crypto());
    CHECK_OK(cg_gate_grant_commit(&p.gate, cg_test_kit(), job, &terms, p.now, &granted, &p.fault));
    CHECK_OK(cg_grant_answer_read(cg_buf_span(&granted.answer), &answer));
    CHECK(answer.modes == CG_MODE_BIT(CG_SAPI_ED25519) && answer.epochs == 3);
    CHECK(p.gate.grants[p.gate.newest].epochs == 3);
    cg_gate_granted_done(&granted);
    cg_grant_job_free(job);
    pair_done(&p);
}

TEST(a_grant_bound_to_anything_else_fails)
{
    struct cg_native_pending pending;
    struct cg_grant spoilt;
    struct pair p;

    pair_init(&p, 0);
    const struct cg_grant grant = usual(&p, &pending);
    spoilt = grant, spoilt.cb.bytes[0] ^= 1;
    CHECK(not_granted(&p, &spoilt, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_GRANT_BINDING));
    spoilt = grant, spoilt.fingerprint.bytes[31] ^= 1;
    CHECK(not_granted(&p, &spoilt, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_GRANT_BINDING));
    spoilt = grant, spoilt.spki.bytes[7] ^= 1;
    CHECK(not_granted(&p, &spoilt, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_GRANT_BINDING));
    spoilt = grant, spoilt.session_id[0] ^= 1;
    CHECK(not_granted(&p, &spoilt, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_GRANT_BINDING));
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_grant_of_another_connection_fails)
{
    struct cg_native_pending pending;
    struct pair p, other;
    struct cg_buf body;

    pair_init(&p, 0);
    pair_init(&other, 1);
    struct cg_native_grant_ask ask = pair_ask(&other);
    pair_body(&other, &ask, &pending, &body);
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_BINDING);
    cg_native_pending_done(&pending);
    cg_buf_done(&body);
    pair_done(&other);
    pair_done(&p);
}

TEST(a_grant_from_another_minute_or_time_is_clock_skew)
{
    static const struct {
        int64_t epoch, timestamp;
        bool passes;
    } rows[] = {{0, 0, true},   {-1, 0, true},   {-2, 0, false},  {1, 0, false},
                {0, 300, true}, {0, -300, true}, {0, 301, false}, {0, -301, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cg_native_pending pending;
        struct pair p;

        pair_init(&p, 0);
        struct cg_grant grant = usual(&p, &pending);
        grant.epoch_start = (uint64_t)((int64_t)CG_TEST_EPOCH + rows[i].epoch);
        grant.timestamp = (uint64_t)(CG_TEST_NOW + rows[i].timestamp);
        if (rows[i].passes) {
            CG_AUTO(buf) struct cg_buf wire = {0};
            CG_AUTO(buf) struct cg_buf body = {0};
            CG_AUTO(buf) struct cg_buf answer = {0};

            cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
            CHECK_OK(cg_grant_write(&grant, &wire));
            sign_body(cg_buf_span(&wire), 0x00, cg_vector_hex("v1:wallet.walletdoc"), &body);
            CHECK_OK(pair_post(&p, cg_buf_span(&body), &answer));
        } else {
            CHECK(not_granted(&p, &grant, CG_REFUSAL_CLOCK_SKEW, CG_GATE_CHECK_GRANT_CLOCK));
        }
        cg_native_pending_done(&pending);
        pair_done(&p);
    }
}

TEST(a_grant_signed_by_anyone_else_or_by_half_fails)
{
    struct cg_span doc = cg_vector_hex("v1:wallet.walletdoc");
    struct cg_span foreign = cg_vector_hex("v1:gateway.walletdoc");
    uint8_t one[CG_HSIG_BYTES], two[CG_HSIG_BYTES];
    struct cg_native_pending pending;
    struct cg_buf body;
    struct pair p;

    pair_init(&p, 0);
    usual(&p, &pending);
    struct cg_span grant = cg_buf_span(&pending.grant);
    sign_body(grant, 0x40, doc, &body); /* another's keys */
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_PROOF);
    cg_buf_done(&body);
    sign_body(grant, 0x40, foreign, &body); /* with their own document */
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_PROOF);
    CHECK(p.fault.err == CG_MISMATCH);
    cg_buf_done(&body);

    CHECK_OK(cg_grant_sign(cg_test_signer(0x00), grant, one));
    CHECK_OK(cg_grant_sign(cg_test_signer(0x00), CG_LIT("another message"), two));
    for (int half = 0; half < 2; half++) {
        uint8_t mixed[CG_HSIG_BYTES];

        memcpy(mixed, half ? two : one, CG_ED25519_SIG_BYTES);
        memcpy(mixed + CG_ED25519_SIG_BYTES, (half ? one : two) + CG_ED25519_SIG_BYTES,
               CG_MLDSA87_SIG_BYTES);
        const struct cg_grant_body parts = {grant, doc, CG_BYTES(mixed)};
        cg_buf_init(&body, CG_DOCUMENT_MAX_BYTES);
        CHECK_OK(cg_grant_body_write(&parts, &body));
        NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_PROOF);
        cg_buf_done(&body);
    }
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_session_key_of_small_order_fails)
{
    struct cg_native_pending pending;
    struct pair p;

    pair_init(&p, 0);
    struct cg_grant grant = usual(&p, &pending);
    memset(grant.session_key, 0, sizeof grant.session_key);
    grant.session_key[0] = 1;
    CHECK(not_granted(&p, &grant, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_GRANT_PROOF));
    CHECK(p.fault.err == CG_KEY);
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_malformed_body_is_a_bad_request_and_a_huge_one_too_large)
{
    static uint8_t huge[CG_DOCUMENT_MAX_BYTES + 1];
    struct cg_span doc = cg_vector_hex("v1:wallet.walletdoc");
    struct cg_native_pending pending;
    struct cg_grant_job *job;
    struct cg_buf body;
    struct pair p;

    pair_init(&p, 0);
    usual(&p, &pending);
    struct cg_span grant = cg_buf_span(&pending.grant);
    NOT_GRANTED(&p, CG_BYTES(huge), TOO_LARGE, GRANT_LIMIT);
    NOT_GRANTED(&p, cg_span_of(huge, CG_DOCUMENT_MAX_BYTES), BAD_REQUEST, GRANT_FORM);
    NOT_GRANTED(&p, CG_LIT(""), BAD_REQUEST, GRANT_FORM);
    sign_body(cg_span_first(grant, grant.len - 1), 0x00, doc, &body);
    NOT_GRANTED(&p, cg_buf_span(&body), BAD_REQUEST, GRANT_FORM);
    cg_buf_done(&body);
    sign_body(grant, 0x00, cg_span_first(doc, doc.len - 1), &body);
    NOT_GRANTED(&p, cg_buf_span(&body), BAD_REQUEST, GRANT_PROOF);
    CHECK_ERR(cg_gate_grant_check(&p.gate, cg_test_kit(), CG_LIT("application/cbor"),
                                  cg_buf_span(&body), p.now, &job, &p.fault),
              CG_SCHEMA);
    CHECK(p.fault.refusal == CG_REFUSAL_BAD_REQUEST);
    cg_buf_done(&body);
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(sixty_one_minutes_are_a_bad_request)
{
    struct cg_native_pending pending;
    uint8_t room[512];
    struct cg_buf body;
    struct pair p;

    pair_init(&p, 0);
    usual(&p, &pending);
    size_t len = pending.grant.len;
    uint8_t *at = memmem(memcpy(room, pending.grant.at, len), len, "fepochs", 7);
    CHECK_OR_STOP(at != NULL);
    memmove(at + 9, at + 8, (size_t)(room + len - at) - 8);
    memcpy(at + 7, "\x18\x3d", 2);
    sign_body(cg_span_of(room, len + 1), 0x00, cg_vector_hex("v1:wallet.walletdoc"), &body);
    NOT_GRANTED(&p, cg_buf_span(&body), BAD_REQUEST, GRANT_FORM);
    cg_buf_done(&body);
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_grant_posted_again_fails_and_the_window_survives)
{
    struct cg_native_pending pending;
    struct cg_gate_request req;
    struct cg_buf body, answer;
    struct cg_grant_answer got;
    struct cg_native_sent sent;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    struct cg_native_grant_ask ask = pair_ask(&p);
    pair_body(&p, &ask, &pending, &body);
    CHECK_OK(pair_post(&p, cg_buf_span(&body), &answer));
    CHECK_OK(cg_native_grant_accept(&p.native, cg_test_kit(), &pending, cg_buf_span(&answer),
                                    cg_test_verifier(0x80), &p.server, p.now, &got, &p.fault));
    const struct cg_body_plan none = {.mode = CG_BODY_NONE};
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_GRANT, none, &sent));
    CHECK_OK(pair_check(&p, &head, &req));
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_SEEN);
    CHECK(p.fault.err == CG_REPLAY);
    CHECK(pair_refused(&p, &head, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_NONCE));
    /* Nor does it help to wait until two newer grants took its place. */
    pair_grant_usual(&p);
    pair_grant_usual(&p);
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_SEEN);
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    cg_native_pending_done(&pending);
    cg_buf_done(&body);
    cg_buf_done(&answer);
    pair_done(&p);
}

TEST(of_two_copies_of_a_grant_verified_at_the_same_time_one_passes)
{
    struct cg_native_pending pending;
    struct cg_grant_job *one, *two;
    struct cg_gate_granted granted;
    struct cg_buf body;
    struct pair p;

    pair_init(&p, 0);
    struct cg_gate_terms terms = pair_terms(&p);
    struct cg_native_grant_ask ask = pair_ask(&p);
    pair_body(&p, &ask, &pending, &body);
    const struct cg_span wire = cg_buf_span(&body), type = CG_LIT(CG_GRANT_MEDIA_TYPE);
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), type, wire, p.now, &one, &p.fault));
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), type, wire, p.now, &two, &p.fault));
    cg_grant_job_run(one, cg_test_crypto());
    cg_grant_job_run(two, cg_test_crypto());
    CHECK_OK(cg_gate_grant_commit(&p.gate, cg_test_kit(), two, &terms, p.now, &granted, &p.fault));
    cg_gate_granted_done(&granted);
    CHECK_ERR(cg_gate_grant_commit(&p.gate, cg_test_kit(), one, &terms, p.now, &granted, &p.fault),
              CG_REPLAY);
    CHECK(p.fault.refusal == CG_REFUSAL_AUTH_FAILED && p.gate.n_seen == 1);
    cg_grant_job_free(one);
    cg_grant_job_free(two);
    cg_native_pending_done(&pending);
    cg_buf_done(&body);
    pair_done(&p);
}

TEST(a_job_that_was_never_run_grants_nothing)
{
    struct cg_gate_granted granted;
    struct cg_grant_job *job;
    struct pair p;

    pair_init(&p, 0);
    struct cg_gate_terms terms = pair_terms(&p);
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE),
                                 cg_vector_hex("v1:grant.body"), p.now, &job, &p.fault));
    CHECK_ERR(cg_gate_grant_commit(&p.gate, cg_test_kit(), job, &terms, p.now, &granted, &p.fault),
              CG_SIGNATURE);
    CHECK(p.gate.state == CG_GATE_BOOTSTRAP && p.gate.n_seen == 0);
    cg_grant_job_free(job);
    pair_done(&p);
}

/* Both were looked at before either was there: only the commit can tell. */
TEST(of_two_wallets_verified_at_the_same_time_one_gets_the_connection)
{
    struct cg_span doc = cg_vector_hex("v1:gateway.walletdoc");
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_native_pending pending;
    struct cg_grant_job *one, *two;
    struct cg_gate_granted granted;
    struct cg_buf first, second;
    struct cg_waddr other;
    struct pair p;

    pair_init(&p, 0);
    struct cg_gate_terms terms = pair_terms(&p);
    const struct cg_span type = CG_LIT(CG_GRANT_MEDIA_TYPE);
    struct cg_grant grant = usual(&p, &pending);
    CHECK_OK(cg_did_read(cg_span_str(cg_vector("v1:gateway.did")), &other));
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    sign_body(cg_buf_span(&pending.grant), 0x00, cg_vector_hex("v1:wallet.walletdoc"), &first);
    grant.wallet = other;
    CHECK_OK(cg_grant_write(&grant, &wire));
    sign_body(cg_buf_span(&wire), 0x40, doc, &second);
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), type, cg_buf_span(&first), p.now, &one,
                                 &p.fault));
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), type, cg_buf_span(&second), p.now, &two,
                                 &p.fault));
    cg_grant_job_run(one, cg_test_crypto());
    cg_grant_job_run(two, cg_test_crypto());
    CHECK_OK(cg_gate_grant_verdict(one, &p.fault));
    CHECK_OK(cg_gate_grant_verdict(two, &p.fault));
    CHECK_OK(cg_gate_grant_commit(&p.gate, cg_test_kit(), one, &terms, p.now, &granted, &p.fault));
    cg_gate_granted_done(&granted);
    CHECK_ERR(cg_gate_grant_commit(&p.gate, cg_test_kit(), two, &terms, p.now, &granted, &p.fault),
              CG_MISMATCH);
    CHECK(p.fault.refusal == CG_REFUSAL_AUTH_FAILED && p.gate.n_seen == 1);
    CHECK(!cg_waddr_eq(&p.gate.wallet, &other) && !p.gate.grants[1 - p.gate.newest].is_live);
    cg_grant_job_free(one);
    cg_grant_job_free(two);
    cg_buf_done(&first);
    cg_buf_done(&second);
    cg_native_pending_done(&pending);
    pair_done(&p);
}

/* Nonces could not tell the two apart. A collision of 64 bits is not to be had, so the live one is
 * given the other's beginning. */
TEST(a_grant_whose_hash_begins_like_a_live_ones_fails)
{
    struct cg_native_pending pending;
    struct cg_grant_job *job;
    struct cg_buf body, answer;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    struct cg_native_grant_ask ask = pair_ask(&p);
    pair_body(&p, &ask, &pending, &body);
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE),
                                 cg_buf_span(&body), p.now, &job, &p.fault));
    struct cg_gate_grant *live = &p.gate.grants[p.gate.newest];
    memcpy(live->hash.bytes, job->hash.bytes, CG_NONCE_PREFIX_BYTES);
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_SEEN);
    CHECK(p.fault.err == CG_CONFLICT && p.gate.n_seen == 1);
    live->hash.bytes[0] ^= 1;
    CHECK_OK(pair_post(&p, cg_buf_span(&body), &answer));
    cg_grant_job_free(job);
    cg_buf_done(&answer);
    cg_buf_done(&body);
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_second_wallet_on_a_connection_fails)
{
    struct cg_span doc = cg_vector_hex("v1:gateway.walletdoc");
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_native_pending pending;
    struct cg_buf body;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    struct cg_grant grant = usual(&p, &pending);
    grant.wallet = p.server; /* any wallet but the first one */
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_grant_write(&grant, &wire));
    sign_body(cg_buf_span(&wire), 0x40, doc, &body);
    NOT_GRANTED(&p, cg_buf_span(&body), AUTH_FAILED, GRANT_WALLET);
    cg_buf_done(&body);
    cg_native_pending_done(&pending);
    pair_done(&p);
}

TEST(a_new_grant_leaves_the_last_one_and_takes_the_one_before)
{
    const struct cg_body_plan none = {.mode = CG_BODY_NONE};
    struct cg_gate_request req;
    struct cg_native_sent sent;
    struct cg_head first, second;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_head(&p, "GET", &first);
    CHECK_OK(pair_sign(&p, &first, CG_SAPI_GRANT, none, &sent));
    cg_native_sent_done(&sent);
    pair_head(&p, "GET", &second);
    CHECK_OK(pair_sign(&p, &second, CG_SAPI_GRANT, none, &sent));
    cg_native_sent_done(&sent);

    pair_grant_usual(&p);
    CHECK_OK(pair_check(&p, &first, &req)); /* under the first grant still */
    cg_gate_request_done(&req);
    CHECK_OK(pair_get(&p, &sent, &req)); /* under the second */
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_grant_usual(&p);
    CHECK(pair_refused(&p, &second, CG_REFUSAL_AUTH_FAILED, CG_GATE_CHECK_NONCE));
    CHECK_OK(pair_get(&p, &sent, &req));
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(a_grants_credentials_are_its_own_and_go_with_it)
{
    const struct cg_span creds[] = {CG_LIT("first"), CG_LIT(""), CG_LIT("third")};
    struct cg_span got[CG_GRANT_CREDS_MAX];
    struct cg_hash hashes[2];
    struct pair p;

    pair_init(&p, 0);
    struct cg_native_grant_ask ask = pair_ask(&p);
    ask.creds = creds;
    ask.n_creds = 3;
    CHECK_OK(pair_grant(&p, &ask));
    hashes[0] = p.native.grant.hash;
    CHECK_INT(cg_gate_creds(&p.gate, &hashes[0], got), 3);
    CHECK_SPAN(got[0], creds[0]);
    CHECK_INT(got[1].len, 0);
    CHECK_SPAN(got[2], creds[2]);

    pair_grant_usual(&p);
    hashes[1] = p.native.grant.hash;
    CHECK_INT(cg_gate_creds(&p.gate, &hashes[0], got), 3);
    CHECK_INT(cg_gate_creds(&p.gate, &hashes[1], got), 0);
    pair_grant_usual(&p);
    CHECK_INT(cg_gate_creds(&p.gate, &hashes[0], got), 0);
    pair_done(&p);
}

TEST(a_request_whose_grant_went_while_it_was_verified_has_to_be_made_anew)
{
    const struct cg_body_plan none = {.mode = CG_BODY_NONE};
    struct cg_gate_request req;
    struct cg_native_sent sent;
    struct cg_sig_job *job;
    struct cg_head head;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    pair_head(&p, "GET", &head);
    CHECK_OK(pair_sign(&p, &head, CG_SAPI_ED25519, none, &sent));
    const struct cg_gate_ask ask = {&head, &p.url};
    CHECK_OK(cg_gate_request_check(&p.gate, cg_test_kit(), &ask, p.now, &req, &job, &p.fault));
    pair_grant_usual(&p);
    pair_grant_usual(&p);
    cg_sig_job_run(job, cg_test_crypto());
    CHECK_ERR(cg_gate_request_commit(&p.gate, &req, job, &p.fault), CG_EXPIRED);
    CHECK(p.fault.refusal == CG_REFUSAL_AUTH_REQUIRED);
    cg_sig_job_free(job);
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    pair_done(&p);
}

TEST(before_a_grant_ten_control_requests_pass_and_the_eleventh_closes)
{
    struct pair p;

    pair_init(&p, 0);
    for (int i = 0; i < CG_GATE_CONTROL_MAX; i++)
        CHECK_OK(cg_gate_control(&p.gate, &p.fault));
    CHECK(p.gate.state == CG_GATE_BOOTSTRAP);
    CHECK_ERR(cg_gate_control(&p.gate, &p.fault), CG_RATE);
    CHECK(p.fault.refusal == CG_REFUSAL_RATE_LIMITED);
    CHECK(p.gate.state == CG_GATE_CLOSING);
    pair_done(&p);

    pair_init(&p, 0);
    pair_grant_usual(&p);
    for (int i = 0; i < 100; i++)
        CHECK_OK(cg_gate_control(&p.gate, &p.fault));
    pair_done(&p);
}

TEST(who_does_not_speak_in_ten_seconds_is_let_go)
{
    struct cg_gate_request req;
    struct cg_head head;
    struct pair p;

    for (int speaks = 0; speaks < 3; speaks++) {
        pair_init(&p, 0);
        if (speaks == 1)
            pair_grant_usual(&p);
        if (speaks == 2) {
            pair_head(&p, "GET", &head);
            CHECK_OK(pair_check(&p, &head, &req));
            cg_gate_request_done(&req);
        }
        CHECK(cg_gate_deadline(&p.gate).us == (speaks ? CG_GATE_LIFE_US : CG_GATE_OPEN_US));
        cg_gate_tick(&p.gate, (struct cg_mono){CG_GATE_OPEN_US - 1});
        CHECK(p.gate.state != CG_GATE_CLOSING);
        cg_gate_tick(&p.gate, (struct cg_mono){CG_GATE_OPEN_US});
        CHECK((p.gate.state == CG_GATE_CLOSING) == (speaks == 0));
        pair_done(&p);
    }
}

TEST(a_connection_lives_one_day)
{
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    cg_gate_tick(&p.gate, (struct cg_mono){CG_GATE_LIFE_US - 1});
    CHECK(p.gate.state == CG_GATE_GRANTED);
    cg_gate_tick(&p.gate, (struct cg_mono){CG_GATE_LIFE_US});
    CHECK(p.gate.state == CG_GATE_CLOSING);
    CHECK(cg_gate_deadline(&p.gate).us == INT64_MAX);
    pair_done(&p);
}

TEST(a_closing_connection_serves_and_grants_no_more)
{
    struct cg_native_pending pending;
    struct cg_gate_granted granted;
    struct cg_grant_job *job;
    struct cg_gate_request req;
    struct cg_native_sent sent;
    struct cg_buf body;
    struct pair p;

    pair_init(&p, 0);
    pair_grant_usual(&p);
    struct cg_native_grant_ask ask = pair_ask(&p);
    pair_body(&p, &ask, &pending, &body);
    CHECK_OK(cg_gate_grant_check(&p.gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE),
                                 cg_buf_span(&body), p.now, &job, &p.fault));
    cg_grant_job_run(job, cg_test_crypto());
    cg_gate_close(&p.gate);
    NOT_GRANTED(&p, cg_buf_span(&body), UNAVAILABLE, GRANT_LIMIT);
    /* Nor what it had begun to check. */
    struct cg_gate_terms terms = pair_terms(&p);
    CHECK_ERR(cg_gate_grant_commit(&p.gate, cg_test_kit(), job, &terms, p.now, &granted, &p.fault),
              CG_CLOSED);
    CHECK(p.gate.state == CG_GATE_CLOSING);
    CHECK_INT(p.gate.n_seen, 1);
    cg_grant_job_free(job);
    CHECK_OK(pair_get(&p, &sent, &req));
    cg_gate_request_done(&req);
    cg_native_sent_done(&sent);
    cg_native_pending_done(&pending);
    cg_buf_done(&body);
    pair_done(&p);
}

/* Commits a grant without the keys' work, as a worker that says "verified". */
static void commit_quickly(struct pair *p, uint8_t i)
{
    struct cg_native_grant_ask ask = pair_ask(p);
    struct cg_gate_terms terms = pair_terms(p);
    struct cg_native_pending pending;
    struct cg_gate_granted granted;
    uint8_t zero[CG_HSIG_BYTES] = {0};
    CG_AUTO(buf) struct cg_buf body = {0};
    struct cg_grant_job *job;

    ask.nonce[0] = i;
    CHECK_OK(cg_native_grant_make(&p->native, cg_test_kit(), &ask, p->now, &pending));
    const struct cg_grant_body parts = {cg_buf_span(&pending.grant), CG_LIT(""), CG_BYTES(zero)};
    cg_buf_init(&body, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_grant_body_write(&parts, &body));
    CHECK_OK(cg_gate_grant_check(&p->gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE),
                                 cg_buf_span(&body), p->now, &job, &p->fault));
    job->result = CG_OK;
    CHECK_OK(
        cg_gate_grant_commit(&p->gate, cg_test_kit(), job, &terms, p->now, &granted, &p->fault));
    cg_gate_granted_done(&granted);
    cg_grant_job_free(job);
    cg_native_pending_done(&pending);
}

TEST(after_256_grants_the_connection_closes)
{
    struct pair p;

    pair_init(&p, 0);
    for (int i = 0; i < CG_GATE_GRANTS_MAX; i++) {
        CHECK(p.gate.state != CG_GATE_CLOSING);
        p.now.s += i == 128 ? 60 : 0; /* another minute: nonces may begin again */
        commit_quickly(&p, (uint8_t)i);
    }
    CHECK(p.gate.state == CG_GATE_CLOSING);
    CHECK_INT(p.gate.n_seen, CG_GATE_GRANTS_MAX);
    pair_done(&p);
}

TEST(a_connection_holds_little_and_shares_its_wallets_keys)
{
    struct pair p;

    pair_init(&p, 0);
    CHECK(sizeof(struct cg_gate) <= 2048);
    pair_grant_usual(&p);
    pair_grant_usual(&p);
    CHECK(p.gate.grants[0].keys != NULL && p.gate.grants[0].keys == p.gate.grants[1].keys);
    pair_done(&p);
}

SUITE(gate_grant, T(answers_a_grant_as_the_vectors_do), T(narrows_what_the_policy_does_not_have),
      T(a_grant_bound_to_anything_else_fails), T(a_grant_of_another_connection_fails),
      T(a_grant_from_another_minute_or_time_is_clock_skew),
      T(a_grant_signed_by_anyone_else_or_by_half_fails), T(a_session_key_of_small_order_fails),
      T(a_malformed_body_is_a_bad_request_and_a_huge_one_too_large),
      T(sixty_one_minutes_are_a_bad_request), T(a_grant_posted_again_fails_and_the_window_survives),
      T(of_two_copies_of_a_grant_verified_at_the_same_time_one_passes),
      T(a_job_that_was_never_run_grants_nothing),
      T(of_two_wallets_verified_at_the_same_time_one_gets_the_connection),
      T(a_grant_whose_hash_begins_like_a_live_ones_fails), T(a_second_wallet_on_a_connection_fails),
      T(a_new_grant_leaves_the_last_one_and_takes_the_one_before),
      T(a_grants_credentials_are_its_own_and_go_with_it),
      T(a_request_whose_grant_went_while_it_was_verified_has_to_be_made_anew),
      T(before_a_grant_ten_control_requests_pass_and_the_eleventh_closes),
      T(who_does_not_speak_in_ten_seconds_is_let_go), T(a_connection_lives_one_day),
      T(a_closing_connection_serves_and_grants_no_more), T(after_256_grants_the_connection_closes),
      T(a_connection_holds_little_and_shares_its_wallets_keys))
