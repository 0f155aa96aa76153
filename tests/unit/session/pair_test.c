#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"
#include "tests/unit/session/pair.h"

#include <stdlib.h>
#include <string.h>

static void channel_of(size_t channel, struct cg_secret *exporter, struct cg_hash *spki,
                       struct cg_hash *fingerprint)
{
    *exporter = cg_test_seed((uint8_t)channel);
    *spki = cg_test_hash("v1:qlock.spki");
    *fingerprint = cg_test_hash("v1:tlsls.fingerprint");
}

void pair_init(struct pair *p, size_t channel)
{
    struct cg_hash spki, fingerprint;
    struct cg_secret exporter;

    memset(p, 0, sizeof *p);
    p->now = (struct cg_wall){CG_TEST_NOW};
    cg_arena_init(&p->arena, 4 << 20);
    channel_of(channel, &exporter, &spki, &fingerprint);
    CHECK_OK(cg_gate_init(&p->gate, cg_test_kit(), &exporter, &spki, &fingerprint, p->mono));
    CHECK_OK(cg_native_init(&p->native, cg_test_kit(), &exporter, &spki, &fingerprint));
    CHECK_OK(cg_did_read(cg_span_str(cg_vector("v1:gateway.did")), &p->server));
    CHECK_OK(cg_waddr_read(cg_span_str(cg_vector("v1:wallet.waddr")), &p->wallet));
    pair_url(p, "httpcg://app/app.example.com/api/orders?limit=10");
}

void pair_done(struct pair *p)
{
    cg_gate_done(&p->gate);
    cg_native_done(&p->native);
    cg_arena_done(&p->arena);
}

void pair_url(struct pair *p, const char *text)
{
    CHECK_OK(cg_url_read(cg_span_str(text), p->room, &p->url, NULL));
}

struct cg_native_grant_ask pair_ask(struct pair *p)
{
    static const struct cg_span scope[] = {{(const uint8_t *)"app/app.example.com", 19}};
    struct cg_native_grant_ask ask = {
        .wallet = p->wallet,
        .scope = scope,
        .n_scope = 1,
        .modes = CG_MODES_LISTED,
        .epochs = 10,
        .session_seed = cg_test_seed(++p->n_grants),
    };

    ask.nonce[0] = p->n_grants;
    return ask;
}

struct cg_gate_terms pair_terms(const struct pair *p)
{
    return (struct cg_gate_terms){
        .server = p->server,
        .policy_hash = cg_test_hash("v1:policy.policy_hash"),
        .modes = CG_MODES_LISTED,
        .epochs_max = 60,
        .h2_ping = true,
    };
}

void pair_body(struct pair *p, const struct cg_native_grant_ask *ask,
               struct cg_native_pending *pending, struct cg_buf *body)
{
    uint8_t signature[CG_HSIG_BYTES];

    cg_buf_init(body, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_native_grant_make(&p->native, cg_test_kit(), ask, p->now, pending));
    CHECK_OK(cg_grant_sign(cg_test_signer(0x00), cg_buf_span(&pending->grant), signature));
    const struct cg_grant_body parts = {
        .grant = cg_buf_span(&pending->grant),
        .wallet_doc = cg_vector_hex("v1:wallet.walletdoc"),
        .signature = CG_BYTES(signature),
    };
    CHECK_OK(cg_grant_body_write(&parts, body));
}

static void prove(struct cg_span tbs, struct cg_buf *out)
{
    struct cg_batch *batch = malloc(sizeof *batch);
    size_t index;

    cg_buf_init(out, CG_BATCH_MAX_BYTES);
    cg_batch_init(batch);
    CHECK_OK(cg_batch_add(batch, tbs, &index));
    CHECK_OK(cg_batch_sign(batch, cg_test_signer(0x80), CG_HSIG_CHANNEL_PROOF));
    CHECK_OK(cg_batch_write(batch, index, out));
    free(batch);
}

cg_err pair_post(struct pair *p, struct cg_span body, struct cg_buf *answer)
{
    struct cg_gate_terms terms = pair_terms(p);
    struct cg_gate_granted granted;
    struct cg_grant_job *job;
    struct cg_buf proof;

    CG_TRY(cg_gate_grant_check(&p->gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE), body, p->now,
                               &job, &p->fault));
    cg_grant_job_run(job, cg_test_crypto());
    cg_err err =
        cg_gate_grant_commit(&p->gate, cg_test_kit(), job, &terms, p->now, &granted, &p->fault);
    cg_grant_job_free(job);
    CG_TRY(err);
    prove(CG_BYTES(granted.proof_tbs), &proof);
    cg_buf_init(answer, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_gate_granted_write(&granted, cg_buf_span(&proof), answer));
    cg_buf_done(&proof);
    cg_gate_granted_done(&granted);
    return CG_OK;
}

cg_err pair_grant(struct pair *p, const struct cg_native_grant_ask *ask)
{
    struct cg_native_pending pending;
    struct cg_grant_answer got;
    struct cg_buf body, answer;

    pair_body(p, ask, &pending, &body);
    cg_err err = pair_post(p, cg_buf_span(&body), &answer);
    if (err == CG_OK) {
        err = cg_native_grant_accept(&p->native, cg_test_kit(), &pending, cg_buf_span(&answer),
                                     cg_test_verifier(0x80), &p->server, p->now, &got, &p->fault);
        cg_buf_done(&answer);
    }
    cg_native_pending_done(&pending);
    cg_buf_done(&body);
    return err;
}

void pair_grant_usual(struct pair *p)
{
    struct cg_native_grant_ask ask = pair_ask(p);

    CHECK_OK(pair_grant(p, &ask));
}

void pair_head(struct pair *p, const char *method, struct cg_head *out)
{
    cg_head_init(out, &p->arena);
    out->method = cg_span_str(method);
}

cg_err pair_sign(struct pair *p, struct cg_head *head, enum cg_sapi_mode mode,
                 struct cg_body_plan body, struct cg_native_sent *sent)
{
    const struct cg_native_ask ask = {head, &p->url, mode, body};
    uint8_t signature[CG_HSIG_BYTES];
    struct cg_buf qlock, sapi;

    cg_buf_init(&qlock, CG_QLOCK_MAX_BYTES);
    cg_buf_init(&sapi, CG_SAPI_MAX_BYTES);
    cg_err err = cg_native_request(&p->native, cg_test_kit(), &ask, p->now, sent, &qlock, &sapi);
    if (err == CG_OK && mode == CG_SAPI_HYBRID) {
        CHECK_OK(cg_sapi_sign_hybrid(cg_test_signer(0x00), cg_buf_span(&sent->tbs), signature));
        CHECK_OK(cg_native_request_signed(sent, CG_BYTES(signature), &sapi));
    }
    if (err == CG_OK) {
        CHECK_OK(cg_head_add(head, CG_TOKEN_QLOCK, cg_buf_span(&qlock)));
        CHECK_OK(cg_head_add(head, CG_TOKEN_SAPI, cg_buf_span(&sapi)));
    }
    cg_buf_done(&qlock);
    cg_buf_done(&sapi);
    return err;
}

cg_err pair_check(struct pair *p, const struct cg_head *head, struct cg_gate_request *req)
{
    const struct cg_gate_ask ask = {head, &p->url};
    struct cg_sig_job *job;

    CG_TRY(cg_gate_request_check(&p->gate, cg_test_kit(), &ask, p->now, req, &job, &p->fault));
    if (!job)
        return CG_OK;
    cg_sig_job_run(job, cg_test_crypto());
    cg_err err = cg_gate_request_commit(&p->gate, req, job, &p->fault);
    cg_sig_job_free(job);
    if (err != CG_OK)
        cg_gate_request_done(req);
    return err;
}

/* What a gateway must not change when it refuses. */
struct memory {
    enum cg_gate_state state;
    bool has_spoken, has_wallet;
    uint32_t n_seen;
    unsigned n_control, newest;
    struct {
        bool is_live;
        struct cg_hash hash;
        struct cg_window window;
    } grants[2];
};

static struct memory memory_of(const struct cg_gate *gate)
{
    struct memory m;

    memset(&m, 0, sizeof m);
    m.state = gate->state;
    m.has_spoken = gate->has_spoken;
    m.has_wallet = gate->has_wallet;
    m.n_seen = gate->n_seen;
    m.n_control = gate->n_control;
    m.newest = gate->newest;
    for (size_t i = 0; i < 2; i++) {
        m.grants[i].is_live = gate->grants[i].is_live;
        m.grants[i].hash = gate->grants[i].hash;
        m.grants[i].window = gate->grants[i].window;
    }
    return m;
}

static bool refused_so(struct pair *p, cg_err err, const struct memory *before,
                       enum cg_refusal refusal, enum cg_gate_check check)
{
    struct memory after = memory_of(&p->gate);
    bool ok = CHECK(err != CG_OK) && CHECK(err == p->fault.err);

    ok &= CHECK_SPAN(cg_span_str(cg_refusal_code(p->fault.refusal)),
                     cg_span_str(cg_refusal_code(refusal)));
    ok &= CHECK_SPAN(cg_span_str(p->fault.check), cg_span_str(cg_gate_check_name(check)));
    ok &= CHECK(memcmp(before, &after, sizeof after) == 0);
    return ok;
}

bool pair_refused(struct pair *p, const struct cg_head *head, enum cg_refusal refusal,
                  enum cg_gate_check check)
{
    struct memory before = memory_of(&p->gate);
    struct cg_gate_request req;

    p->fault = (struct cg_fault){.check = "none"};
    return refused_so(p, pair_check(p, head, &req), &before, refusal, check);
}

bool pair_not_granted(struct pair *p, struct cg_span body, enum cg_refusal refusal,
                      enum cg_gate_check check)
{
    struct memory before = memory_of(&p->gate);
    struct cg_buf answer;

    p->fault = (struct cg_fault){.check = "none"};
    return refused_so(p, pair_post(p, body, &answer), &before, refusal, check);
}

cg_err pair_get(struct pair *p, struct cg_native_sent *sent, struct cg_gate_request *req)
{
    struct cg_body_plan none = {.mode = CG_BODY_NONE};
    struct cg_head head;

    pair_head(p, "GET", &head);
    CG_TRY(pair_sign(p, &head, CG_SAPI_GRANT, none, sent));
    cg_err err = pair_check(p, &head, req);
    if (err != CG_OK)
        cg_native_sent_done(sent);
    return err;
}
