/* gate: a request on a native connection, as its server judges it. The input is method and URL, the
 * fields, an empty line, trailers, an empty line, the body.
 *
 * The connection and its grant are the vectors', whose requests are the only ones that anybody has
 * signed for it: whatever is accepted must be one of them in everything that a signature covers. */
#include "session/gate.h"
#include "fuzz/fuzz.h"
#include "lib/crypto/hash.h"
#include "tests/support/channel.h"
#include "tests/support/vector.h"

#include <stdlib.h>

static struct cg_gate gate;
static struct cg_hash *signed_hashes; /* of what each of the vectors' requests signs */
static size_t n_signed;

static void forget(void)
{
    cg_gate_done(&gate);
    free(signed_hashes);
}

static void begin(void)
{
    struct cg_hash spki = cg_test_hash("qlock:channels.0.spki");
    struct cg_hash fingerprint = cg_test_hash("qlock:channels.0.fingerprint");
    struct cg_hash bytes = cg_test_hash("qlock:channels.0.exporter");
    struct cg_secret exporter;
    struct cg_gate_terms terms = {.modes = CG_MODES_LISTED, .epochs_max = CG_GRANT_EPOCHS_MAX};
    struct cg_gate_granted granted;
    struct cg_grant_job *job;
    struct cg_fault fault;

    memcpy(exporter.bytes, bytes.bytes, sizeof exporter.bytes);
    MUST_OK(
        cg_gate_init(&gate, cg_test_kit(), &exporter, &spki, &fingerprint, (struct cg_mono){1000}));
    MUST_OK(cg_gate_grant_check(&gate, cg_test_kit(), CG_LIT(CG_GRANT_MEDIA_TYPE),
                                cg_vector_hex("v1:grant.body"), (struct cg_wall){CG_TEST_NOW}, &job,
                                &fault));
    cg_grant_job_run(job, cg_fuzz_crypto());
    terms.server = job->grant.wallet;
    MUST_OK(cg_gate_grant_commit(&gate, cg_test_kit(), job, &terms, (struct cg_wall){CG_TEST_NOW},
                                 &granted, &fault));
    cg_gate_granted_done(&granted);
    cg_grant_job_free(job);
    n_signed = cg_vector_count("sapi:requests");
    signed_hashes = calloc(n_signed, sizeof *signed_hashes);
    for (size_t i = 0; i < n_signed; i++)
        MUST_OK(
            cg_sha256(cg_vector_hex(cg_vector_at("sapi:requests.%zu.tbs", i)), &signed_hashes[i]));
    atexit(forget);
}

/* Lines up to an empty one, as fields; those that are none are left out. */
static void take_fields(struct cg_fuzz *in, struct cg_head *head)
{
    for (;;) {
        struct cg_span line = cg_fuzz_line(in), name = cg_span_first(line, cg_span_find(line, ':'));
        if (line.len == 0)
            return;
        (void)!cg_head_add_named(head, name, cg_span_from(line, name.len + 1));
    }
}

/* The value that a request of the vectors has for a field; at NULL: none. */
static struct cg_span want_field(size_t i, struct cg_span name)
{
    for (size_t k = 0; k < cg_vector_count(cg_vector_at("sapi:requests.%zu.fields", i)); k++)
        if (cg_span_is(name, cg_vector(cg_vector_at("sapi:requests.%zu.fields.%zu.0", i, k))))
            return cg_span_str(cg_vector(cg_vector_at("sapi:requests.%zu.fields.%zu.1", i, k)));
    return (struct cg_span){NULL, 0};
}

/* Which of the vectors' requests was accepted: the same in everything that is covered. */
static size_t hold(struct cg_fuzz *in, const struct cg_gate_ask *ask,
                   const struct cg_gate_request *req)
{
    size_t i = 0;

    while (i < n_signed && !cg_hash_eq(&signed_hashes[i], &req->tbs_hash))
        i++;
    MUST(i < n_signed);
    MUST_SAME(ask->head->method,
              cg_span_str(cg_vector(cg_vector_at("sapi:requests.%zu.method", i))));
    struct cg_span url = {cg_fuzz_room(in, cg_url_chars(ask->url)),
                          cg_url_chars(ask->url) - ask->url->fragment.len};
    cg_url_write(ask->url, (char *)(uintptr_t)url.at);
    MUST_SAME(url, cg_span_str(cg_vector(cg_vector_at("sapi:requests.%zu.url", i))));
    MUST(req->body.mode == cg_vector_uint(cg_vector_at("sapi:requests.%zu.body_mode", i)));
    for (enum cg_covered k = 0; k < CG_COVERED_COUNT; k++) {
        struct cg_span name = cg_span_str(cg_covered_name(k)), want = want_field(i, name);
        size_t n = 0;
        for (size_t f = 0; f < ask->head->n_fields; f++) {
            if (!cg_span_eq(ask->head->fields[f].name, name))
                continue;
            n++;
            MUST_SAME(ask->head->fields[f].value, want);
        }
        MUST(n == (want.at != NULL));
    }
    return i;
}

static void finish(const struct cg_gate_request *req, const struct cg_head *trailers,
                   struct cg_span body, size_t i)
{
    struct cg_sig_job *job = NULL;
    struct cg_fault fault;
    struct cg_hash digest;
    bool is_good = false;

    MUST_OK(cg_sha256(body, &digest));
    if (req->body.mode == CG_BODY_DIGEST)
        is_good = cg_gate_body_check(req, &digest, &fault) == CG_OK;
    else if (req->body.mode == CG_BODY_TRAILER)
        is_good =
            cg_gate_trailer_check(req, cg_test_kit(), trailers, &digest, &job, &fault) == CG_OK;
    if (job) {
        cg_sig_job_run(job, cg_fuzz_crypto());
        is_good = cg_gate_trailer_commit(job, &digest, &fault) == CG_OK;
        cg_sig_job_free(job);
    }
    if (is_good)
        MUST_SAME(body, cg_span_str(cg_vector(cg_vector_at("sapi:requests.%zu.body", i))));
}

static void judge(struct cg_fuzz *in, const struct cg_gate_ask *ask,
                  const struct cg_gate_request *req, struct cg_sig_job *job,
                  const struct cg_head *trailers)
{
    struct cg_fault fault;

    if (req->mode == CG_SAPI_NONE) {
        MUST(!cg_head_find(ask->head, CG_TOKEN_SAPI) && !job);
        return;
    }
    if (job) {
        cg_sig_job_run(job, cg_fuzz_crypto());
        if (cg_gate_request_commit(&gate, req, job, &fault) != CG_OK)
            return;
    }
    finish(req, trailers, cg_fuzz_rest(in), hold(in, ask, req));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_gate_request req;
    struct cg_sig_job *job = NULL;
    struct cg_head head, trailers;
    struct cg_arena arena;
    struct cg_fault fault;
    struct cg_url url;
    struct cg_gate_ask ask = {&head, &url};

    if (!signed_hashes)
        begin();
    struct cg_window windows[2] = {gate.grants[0].window, gate.grants[1].window};
    cg_arena_init(&arena, 1024 * 1024);
    cg_head_init(&head, &arena);
    cg_head_init(&trailers, &arena);
    struct cg_span line = cg_fuzz_line(in);
    head.method = cg_span_first(line, cg_span_find(line, ' '));
    line = cg_span_from(line, head.method.len + 1);
    take_fields(in, &head);
    take_fields(in, &trailers);
    if (cg_url_read(line, cg_fuzz_room(in, CG_URL_ROOM(line.len)), &url, NULL) == CG_OK &&
        cg_gate_request_check(&gate, cg_test_kit(), &ask, (struct cg_wall){CG_TEST_NOW}, &req, &job,
                              &fault) == CG_OK) {
        judge(in, &ask, &req, job, &trailers);
        cg_sig_job_free(job);
        cg_gate_request_done(&req);
    }
    /* As if it had not been: what was spent is good again. */
    gate.grants[0].window = windows[0];
    gate.grants[1].window = windows[1];
    cg_arena_done(&arena);
}
