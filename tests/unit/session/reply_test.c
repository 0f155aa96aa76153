#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/wire/field.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/unit/session/pair.h"

#include <stdlib.h>
#include <string.h>

/* A request that the gateway verified, and what both ends keep of it. */
struct talk {
    struct pair p;
    struct cg_native_sent sent;
    struct cg_gate_request req;
    struct cg_head head;     /* the answer's */
    struct cg_head trailers; /* the answer's */
};

static void begin(struct talk *t, const char *method, enum cg_sapi_mode mode)
{
    const struct cg_body_plan none = {.mode = CG_BODY_NONE};
    struct cg_head head;

    pair_init(&t->p, 0);
    pair_grant_usual(&t->p);
    pair_head(&t->p, method, &head);
    CHECK_OK(pair_sign(&t->p, &head, mode, none, &t->sent));
    CHECK_OK(pair_check(&t->p, &head, &t->req));
    cg_head_init(&t->head, &t->p.arena);
    cg_head_init(&t->trailers, &t->p.arena);
    t->head.status = 200;
}

static void end(struct talk *t)
{
    cg_gate_request_done(&t->req);
    cg_native_sent_done(&t->sent);
    pair_done(&t->p);
}

static struct cg_hash digest_of(struct cg_span body)
{
    struct cg_hash digest;

    CHECK_OK(cg_sha256(body, &digest));
    return digest;
}

/* Signs with the gateway's transport keys, third of a batch of three. */
static void batch(struct cg_span tbs, struct cg_buf *out)
{
    struct cg_batch *b = malloc(sizeof *b);
    size_t index;

    cg_buf_init(out, CG_BATCH_MAX_BYTES);
    cg_batch_init(b);
    CHECK_OK(cg_batch_add(b, CG_LIT("another answer"), &index));
    CHECK_OK(cg_batch_add(b, CG_LIT("a third one"), &index));
    CHECK_OK(cg_batch_add(b, tbs, &index));
    CHECK_OK(cg_batch_sign(b, cg_test_signer(0x80), CG_HSIG_SAPI_RESPONSE));
    CHECK_OK(cg_batch_write(b, index, out));
    free(b);
}

/* The gateway signs t->head, or with trailers t->trailers. */
static void sign(struct talk *t, enum cg_body_mode body_mode, struct cg_span body, bool is_receipt)
{
    const struct cg_gate_reply reply = {
        .head = &t->head,
        .trailers = &t->trailers,
        .body_mode = body_mode,
        .digest = digest_of(body),
        .is_receipt = is_receipt,
    };
    struct cg_head *to = body_mode == CG_BODY_TRAILER ? &t->trailers : &t->head;
    char digest[CG_DIGEST_CHARS];
    struct cg_writer w = cg_writer_fixed(digest, sizeof digest);
    CG_AUTO(buf) struct cg_buf value = {0};
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_gate_reply_tbs tbs;

    cg_buf_init(&value, CG_SAPI_RESPONSE_MAX_BYTES);
    CHECK_OK(cg_gate_reply_tbs_of(cg_test_kit(), &t->req, &reply, t->p.now, &tbs));
    if (tbs.reply.mode == CG_SAPI_GRANT) {
        CHECK_OK(cg_gate_reply_mac(cg_test_kit(), &t->req, &tbs, &value));
    } else {
        batch(cg_span_of(tbs.bytes, tbs.len), &wire);
        CHECK_OK(cg_gate_reply_batch(&tbs, cg_buf_span(&wire), &value));
    }
    cg_digest_write(&reply.digest, &w);
    if (body_mode != CG_BODY_NONE)
        CHECK_OK(cg_head_add(to, CG_TOKEN_CONTENT_DIGEST, cg_writer_span(&w)));
    CHECK_OK(cg_head_add(to, CG_TOKEN_SAPI_RESPONSE, cg_buf_span(&value)));
}

static cg_err see_head(struct talk *t)
{
    return cg_native_reply_head(&t->sent, cg_test_kit(), &t->head, cg_test_verifier(0x80),
                                &t->p.fault);
}

static cg_err see_end(struct talk *t, struct cg_span body, const struct cg_head *trailers)
{
    struct cg_hash digest = digest_of(body);

    return cg_native_reply_end(&t->sent, cg_test_kit(), &digest, body.len, trailers,
                               cg_test_verifier(0x80), &t->p.fault);
}

TEST(believes_an_answer_signed_in_its_head_at_its_end)
{
    struct talk t;

    for (int mode = CG_SAPI_GRANT; mode <= CG_SAPI_HYBRID; mode++) {
        begin(&t, "GET", (enum cg_sapi_mode)mode);
        CHECK_OK(cg_head_add(&t.head, CG_TOKEN_CONTENT_TYPE, CG_LIT("text/plain")));
        CHECK_OK(cg_head_add(&t.head, CG_TOKEN_SET_COOKIE, CG_LIT("a=1")));
        CHECK_OK(cg_head_add(&t.head, CG_TOKEN_SET_COOKIE, CG_LIT("b=2")));
        sign(&t, CG_BODY_DIGEST, CG_LIT("hello"), false);
        CHECK_OK(see_head(&t));
        CHECK(t.sent.form == CG_NATIVE_SIGNED);
        CHECK_OK(see_end(&t, CG_LIT("hello"), NULL));
        CHECK(t.sent.form == CG_NATIVE_DONE);
        CHECK(t.sent.reply_mode == (mode == CG_SAPI_HYBRID ? CG_SAPI_HYBRID : CG_SAPI_GRANT));
        CHECK(t.sent.reply_timestamp == CG_TEST_NOW);
        end(&t);
    }
}

TEST(believes_an_answer_signed_in_its_trailer_at_its_end)
{
    struct talk t;

    begin(&t, "GET", CG_SAPI_GRANT);
    CHECK_OK(cg_head_add(&t.head, CG_TOKEN_TRAILER, CG_LIT("Content-Digest, SAPI-Response")));
    CHECK_OK(cg_head_add(&t.trailers, CG_TOKEN_GRPC_STATUS, CG_LIT("0")));
    sign(&t, CG_BODY_TRAILER, CG_LIT("streamed"), false);
    CHECK_OK(see_head(&t));
    CHECK(t.sent.form == CG_NATIVE_TRAILED);
    CHECK_OK(see_end(&t, CG_LIT("streamed"), &t.trailers));
    end(&t);
}

TEST(a_rule_may_ask_for_a_receipt)
{
    struct talk t;

    begin(&t, "GET", CG_SAPI_GRANT);
    sign(&t, CG_BODY_DIGEST, CG_LIT("x"), true);
    CHECK_OK(see_head(&t));
    CHECK_OK(see_end(&t, CG_LIT("x"), NULL));
    CHECK(t.sent.reply_mode == CG_SAPI_HYBRID);
    end(&t);
}

TEST(a_hybrid_request_is_not_content_with_a_mac)
{
    struct talk t;

    begin(&t, "GET", CG_SAPI_HYBRID);
    t.req.mode = CG_SAPI_GRANT; /* a gateway that saves itself the receipt */
    sign(&t, CG_BODY_NONE, CG_LIT(""), false);
    CHECK_ERR(see_head(&t), CG_STEP_UP);
    end(&t);
}

TEST(an_answer_without_content_has_an_empty_body)
{
    static const struct {
        const char *method;
        int status;
    } rows[] = {{"HEAD", 200}, {"GET", 204}, {"GET", 304}, {"GET", 200}};
    struct talk t;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(&t, rows[i].method, CG_SAPI_GRANT);
        t.head.status = rows[i].status;
        sign(&t, CG_BODY_NONE, CG_LIT(""), false);
        if (i < 3) /* what HEAD would have had; not covered */
            CHECK_OK(cg_head_add(&t.head, CG_TOKEN_CONTENT_DIGEST,
                                 CG_LIT("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")));
        CHECK_OK(see_head(&t));
        CHECK_ERR(see_end(&t, CG_LIT("smuggled"), NULL), CG_DIGEST);
        CHECK(t.sent.form != CG_NATIVE_DONE);
        CHECK_OK(see_end(&t, CG_LIT(""), NULL));
        end(&t);
    }
}

TEST(another_body_is_not_believed)
{
    struct talk t;

    begin(&t, "GET", CG_SAPI_GRANT);
    sign(&t, CG_BODY_DIGEST, CG_LIT("hello"), false);
    CHECK_OK(see_head(&t));
    CHECK_ERR(see_end(&t, CG_LIT("hellO"), NULL), CG_DIGEST);
    CHECK_SPAN(cg_span_str(t.p.fault.check), CG_LIT("response-body"));
    CHECK_ERR(see_end(&t, CG_LIT(""), NULL), CG_DIGEST);
    end(&t);
}

#define SPOILT(change)                                                                             \
    do {                                                                                           \
        struct talk t;                                                                             \
        begin(&t, "GET", CG_SAPI_GRANT);                                                           \
        CHECK_OK(cg_head_add(&t.head, CG_TOKEN_CONTENT_TYPE, CG_LIT("text/plain")));               \
        CHECK_OK(cg_head_add(&t.head, CG_TOKEN_SET_COOKIE, CG_LIT("a=1")));                        \
        sign(&t, CG_BODY_DIGEST, CG_LIT("hello"), false);                                          \
        change;                                                                                    \
        CHECK(see_head(&t) != CG_OK);                                                              \
        CHECK_SPAN(cg_span_str(t.p.fault.check), CG_LIT("response-signature"));                    \
        CHECK(t.sent.form == CG_NATIVE_NO_REPLY);                                                  \
        CHECK_ERR(see_end(&t, CG_LIT("hello"), NULL), CG_PROTOCOL);                                \
        end(&t);                                                                                   \
    } while (0)

TEST(an_answer_with_anything_altered_is_not_believed)
{
    SPOILT(t.head.status = 201);
    SPOILT(cg_head_drop(&t.head, CG_TOKEN_CONTENT_TYPE));
    SPOILT(cg_head_drop(&t.head, CG_TOKEN_SET_COOKIE));
    SPOILT(cg_head_drop(&t.head, CG_TOKEN_CONTENT_DIGEST));
    SPOILT(CHECK_OK(cg_head_add(&t.head, CG_TOKEN_SET_COOKIE, CG_LIT("b=2"))));
    SPOILT(CHECK_OK(cg_head_add(&t.head, CG_TOKEN_LOCATION, CG_LIT("/x"))));
    SPOILT(CHECK_OK(cg_head_add(&t.head, CG_TOKEN_CACHE_CONTROL, CG_LIT("public"))));
    SPOILT(CHECK_OK(cg_head_add(&t.head, CG_TOKEN_CONTENT_TYPE, CG_LIT("text/html"))));
    SPOILT(t.sent.tbs_hash.bytes[0] ^= 1);
    SPOILT(t.sent.sapi.nonce.bytes[15]++);
    SPOILT(t.sent.s2c.bytes[0] ^= 1);
}

TEST(an_answer_to_another_request_is_not_believed)
{
    struct talk t, other;

    begin(&t, "GET", CG_SAPI_GRANT);
    begin(&other, "HEAD", CG_SAPI_GRANT);
    sign(&other, CG_BODY_NONE, CG_LIT(""), false);
    t.head = other.head;
    CHECK(see_head(&t) != CG_OK);
    end(&other);
    end(&t);
}

TEST(an_unsigned_answer_is_an_error_and_an_early_refusal_a_hint)
{
    static const int errors[] = {200, 204, 301, 304, 403, 404, 409, 502, 504};
    static const int hints[] = {400, 401, 413, 414, 421, 429, 431, 500, 503};
    struct talk t;

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        begin(&t, "GET", CG_SAPI_GRANT);
        t.head.status = errors[i];
        CHECK_ERR(see_head(&t), CG_SIGNATURE);
        end(&t);
    }
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        begin(&t, "GET", CG_SAPI_GRANT);
        t.head.status = hints[i];
        CHECK_OK(see_head(&t));
        CHECK(t.sent.form == CG_NATIVE_HINT);
        CHECK_ERR(see_end(&t, CG_LIT(""), NULL), CG_UNKNOWN);
        CHECK(t.sent.form == CG_NATIVE_HINT);
        end(&t);
    }
}

TEST(an_answer_in_progress_or_twice_is_not_looked_at)
{
    struct talk t;

    begin(&t, "GET", CG_SAPI_GRANT);
    t.head.status = 103;
    CHECK_ERR(see_head(&t), CG_PROTOCOL);
    t.head.status = 200;
    sign(&t, CG_BODY_NONE, CG_LIT(""), false);
    CHECK_OK(see_head(&t));
    CHECK_ERR(see_head(&t), CG_PROTOCOL);
    CHECK_OK(see_end(&t, CG_LIT(""), NULL));
    CHECK_ERR(see_end(&t, CG_LIT(""), NULL), CG_PROTOCOL);
    end(&t);
}

TEST(a_missing_or_altered_trailer_is_not_believed)
{
    static const cg_err want[] = {CG_SIGNATURE, CG_SIGNATURE, CG_SCHEMA, CG_SIGNATURE,
                                  CG_SIGNATURE, CG_DIGEST,    CG_SHORT};
    struct talk t;

    /* Of an answer without content nothing else would tell. */
    for (int i = 0; i < 14; i++) {
        struct cg_span body = i < 7 ? CG_LIT("streamed") : CG_LIT("");

        begin(&t, "GET", CG_SAPI_GRANT);
        CHECK_OK(cg_head_add(&t.head, CG_TOKEN_TRAILER, CG_LIT("sapi-response")));
        CHECK_OK(cg_head_add(&t.trailers, CG_TOKEN_GRPC_STATUS, CG_LIT("0")));
        sign(&t, CG_BODY_TRAILER, body, false);
        CHECK_OK(see_head(&t));
        if (i % 7 == 1)
            cg_head_drop(&t.trailers, CG_TOKEN_SAPI_RESPONSE);
        if (i % 7 == 2 || i % 7 == 6)
            cg_head_drop(&t.trailers, CG_TOKEN_CONTENT_DIGEST);
        if (i % 7 == 3)
            cg_head_drop(&t.trailers, CG_TOKEN_GRPC_STATUS);
        if (i % 7 == 4)
            CHECK_OK(cg_head_add_named(&t.trailers, CG_LIT("grpc-message"), CG_LIT("x")));
        if (i % 7 == 6)
            CHECK_OK(cg_head_add(&t.trailers, CG_TOKEN_CONTENT_DIGEST, CG_LIT("sha-256=:AAAA:")));
        CHECK_ERR(
            see_end(&t, i % 7 == 5 ? CG_LIT("streamee") : body, i % 7 == 0 ? NULL : &t.trailers),
            want[i % 7]);
        CHECK(t.sent.form != CG_NATIVE_DONE);
        end(&t);
    }
}

TEST(a_signature_or_digest_twice_is_none)
{
    static const enum cg_token twice[] = {CG_TOKEN_SAPI_RESPONSE, CG_TOKEN_CONTENT_DIGEST};
    struct talk t;

    for (int i = 0; i < 4; i++) {
        bool is_trailed = i >= 2;
        struct cg_head *head = is_trailed ? &t.trailers : &t.head;

        begin(&t, "GET", CG_SAPI_GRANT);
        if (is_trailed)
            CHECK_OK(cg_head_add(&t.head, CG_TOKEN_TRAILER, CG_LIT("sapi-response")));
        sign(&t, is_trailed ? CG_BODY_TRAILER : CG_BODY_DIGEST, CG_LIT("body"), false);
        /* The same value again: it is the second line that is wrong. */
        for (size_t f = 0; f < head->n_fields; f++)
            if (head->fields[f].token == twice[i % 2]) {
                CHECK_OK(cg_head_add(head, twice[i % 2], head->fields[f].value));
                break;
            }
        CHECK_ERR(see_head(&t), is_trailed ? CG_OK : CG_SCHEMA);
        if (is_trailed)
            CHECK_ERR(see_end(&t, CG_LIT("body"), &t.trailers), CG_SCHEMA);
        CHECK(t.sent.form != CG_NATIVE_DONE);
        end(&t);
    }
}

TEST(a_covered_field_twice_cannot_be_signed)
{
    struct cg_gate_reply reply = {.body_mode = CG_BODY_NONE};
    struct cg_gate_reply_tbs tbs;
    struct talk t;

    begin(&t, "GET", CG_SAPI_GRANT);
    CHECK_OK(cg_head_add(&t.head, CG_TOKEN_ETAG, CG_LIT("\"a\"")));
    CHECK_OK(cg_head_add(&t.head, CG_TOKEN_ETAG, CG_LIT("\"b\"")));
    reply.head = &t.head;
    CHECK_ERR(cg_gate_reply_tbs_of(cg_test_kit(), &t.req, &reply, t.p.now, &tbs), CG_SCHEMA);
    end(&t);
}

/* --- request trailers --- */

/* A PUT of CG_BODY_TRAILER that was verified, and the trailer that ends it. */
static void begin_upload(struct talk *t, enum cg_sapi_mode mode, struct cg_span body)
{
    const struct cg_body_plan plan = {.mode = CG_BODY_TRAILER};
    struct cg_hash digest = digest_of(body);
    uint8_t tbs[CG_SAPI_TRAILER_TBS_BYTES], signature[CG_HSIG_BYTES];
    CG_AUTO(buf) struct cg_buf value = {0};
    struct cg_head head;

    pair_init(&t->p, 0);
    pair_grant_usual(&t->p);
    pair_head(&t->p, "PUT", &head);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TRAILER, CG_LIT("SAPI-Trailer")));
    CHECK_OK(pair_sign(&t->p, &head, mode, plan, &t->sent));
    CHECK_OK(pair_check(&t->p, &head, &t->req));
    CHECK(t->req.body.mode == CG_BODY_TRAILER && !t->req.must_be_empty);
    CHECK_OK(cg_native_trailer_tbs(&t->sent, &digest, tbs));
    if (mode == CG_SAPI_HYBRID)
        CHECK_OK(cg_sapi_sign_hybrid(cg_test_signer(0x00), CG_BYTES(tbs), signature));
    cg_buf_init(&value, CG_SAPI_MAX_BYTES);
    CHECK_OK(cg_native_trailer(&t->sent, cg_test_kit(), &digest, CG_BYTES(signature), &value));
    cg_head_init(&t->trailers, &t->p.arena);
    CHECK_OK(cg_head_add(&t->trailers, CG_TOKEN_SAPI_TRAILER, cg_buf_span(&value)));
}

static cg_err end_upload(struct talk *t, const struct cg_head *trailers, struct cg_span body)
{
    struct cg_hash digest = digest_of(body);
    struct cg_sig_job *job;

    CG_TRY(cg_gate_trailer_check(&t->req, cg_test_kit(), trailers, &digest, &job, &t->p.fault));
    if (!job)
        return CG_OK;
    cg_sig_job_run(job, cg_test_crypto());
    cg_err err = cg_gate_trailer_commit(job, &digest, &t->p.fault);
    cg_sig_job_free(job);
    return err;
}

TEST(takes_a_trailer_in_every_mode_however_long_the_upload_took)
{
    for (int mode = CG_SAPI_GRANT; mode <= CG_SAPI_HYBRID; mode++) {
        struct talk t;

        begin_upload(&t, (enum cg_sapi_mode)mode, CG_LIT("long body"));
        t.p.now.s += 3600;
        pair_grant_usual(&t.p); /* its own grant goes meanwhile */
        pair_grant_usual(&t.p);
        CHECK_OK(end_upload(&t, &t.trailers, CG_LIT("long body")));
        end(&t);
    }
}

TEST(a_rightly_signed_trailer_over_another_body_is_a_digest_mismatch)
{
    for (int mode = CG_SAPI_GRANT; mode <= CG_SAPI_HYBRID; mode++) {
        struct talk t;

        begin_upload(&t, (enum cg_sapi_mode)mode, CG_LIT("long body"));
        CHECK_ERR(end_upload(&t, &t.trailers, CG_LIT("long bodY")), CG_DIGEST);
        CHECK(t.p.fault.refusal == CG_REFUSAL_DIGEST_MISMATCH);
        end(&t);
    }
}

TEST(a_missing_doubled_or_malformed_trailer_is_a_bad_request)
{
    struct talk t;

    begin_upload(&t, CG_SAPI_GRANT, CG_LIT("body"));
    CHECK(end_upload(&t, NULL, CG_LIT("body")) != CG_OK);
    CHECK(t.p.fault.refusal == CG_REFUSAL_BAD_REQUEST);
    struct cg_head none;
    cg_head_init(&none, &t.p.arena);
    CHECK(end_upload(&t, &none, CG_LIT("body")) != CG_OK);
    CHECK(t.p.fault.refusal == CG_REFUSAL_BAD_REQUEST);
    CHECK_OK(cg_head_add(&none, CG_TOKEN_SAPI_TRAILER, CG_LIT("{}")));
    CHECK(end_upload(&t, &none, CG_LIT("body")) != CG_OK);
    CHECK(t.p.fault.refusal == CG_REFUSAL_BAD_REQUEST);
    CHECK_OK(cg_head_add(&t.trailers, CG_TOKEN_SAPI_TRAILER,
                         cg_head_value(&t.trailers, CG_TOKEN_SAPI_TRAILER)));
    CHECK(end_upload(&t, &t.trailers, CG_LIT("body")) != CG_OK);
    CHECK(t.p.fault.refusal == CG_REFUSAL_BAD_REQUEST);
    end(&t);
}

TEST(a_trailer_signed_by_anyone_else_fails)
{
    for (int mode = CG_SAPI_GRANT; mode <= CG_SAPI_HYBRID; mode++) {
        struct talk t;

        begin_upload(&t, (enum cg_sapi_mode)mode, CG_LIT("body"));
        t.req.tbs_hash.bytes[0] ^= 1; /* it belongs to another request */
        CHECK_ERR(end_upload(&t, &t.trailers, CG_LIT("body")), CG_SIGNATURE);
        CHECK(t.p.fault.refusal == CG_REFUSAL_AUTH_FAILED);
        end(&t);
    }
}

SUITE(reply, T(believes_an_answer_signed_in_its_head_at_its_end),
      T(believes_an_answer_signed_in_its_trailer_at_its_end), T(a_rule_may_ask_for_a_receipt),
      T(a_hybrid_request_is_not_content_with_a_mac), T(an_answer_without_content_has_an_empty_body),
      T(another_body_is_not_believed), T(an_answer_with_anything_altered_is_not_believed),
      T(an_answer_to_another_request_is_not_believed),
      T(an_unsigned_answer_is_an_error_and_an_early_refusal_a_hint),
      T(an_answer_in_progress_or_twice_is_not_looked_at),
      T(a_missing_or_altered_trailer_is_not_believed), T(a_signature_or_digest_twice_is_none),
      T(a_covered_field_twice_cannot_be_signed),
      T(takes_a_trailer_in_every_mode_however_long_the_upload_took),
      T(a_rightly_signed_trailer_over_another_body_is_a_digest_mismatch),
      T(a_missing_doubled_or_malformed_trailer_is_a_bad_request),
      T(a_trailer_signed_by_anyone_else_fails))
