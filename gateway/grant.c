/* grant: a wallet asks for this connection to speak for it. In order, cheap before expensive: size,
 * form and binding; the budget of whoever that is (known.h), which only then is known; both
 * signatures, on a worker, strangers in a lane of their own; whether the keys
 * are the DID's newest, asked of the ledger only now, so that no stranger causes look-ups; whether
 * the gateway still stands; then our own proof, on the signer. */
#include "gateway/follow.h"
#include "gateway/identity.h"
#include "gateway/metrics.h"
#include "gateway/names_inner.h"
#include "gateway/request.h"
#include "gateway/signer.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/stack.h"

#include <stdlib.h>

#define GRANT_MS 10000
/* Who waits longer for a worker comes at a bad time. */
#define WORKER_MS 2000

struct work {
    struct cg_grant_job *job;
    const struct cg_crypto *crypto;
};

static cg_err run_work(void *arg)
{
    struct work *work = arg;

    cg_grant_job_run(work->job, work->crypto);
    return CG_OK;
}

static void free_work(void *arg)
{
    struct work *work = arg;

    cg_grant_job_free(work->job);
    free(work);
}

static const struct cg_job_kind grant_kind = {"grant", run_work, free_work};

static struct cg_mono deadline_of(struct gw_request *req)
{
    return cg_mono_after(req->began, GRANT_MS);
}

static struct gw_asker asker_of(const struct gw_request *req, const struct cg_grant_job *job)
{
    const struct cg_tls *tls = cg_stack_tls(cg_conn_engine(req->conn->conn));
    struct cg_hash mark, had;

    return (struct gw_asker){
        .ip = req->conn->ip,
        .wallet = &job->grant.wallet,
        .has_ticket = cg_tls_remembered(tls, &had) &&
                      gw_known_mark(&job->grant.wallet, &mark) == CG_OK && cg_hash_eq(&mark, &had),
        .standing = req->standing,
    };
}

/* Each operation in a wallet's document is two signatures more. */
static int64_t tokens_of(const struct cg_grant_job *job)
{
    struct cg_span doc = job->body.wallet_doc;

    return doc.len > 0 && doc.at[0] > 0x80 && doc.at[0] < 0x98 ? doc.at[0] - 0x80 : 1;
}

static bool take_tokens(struct gw_request *req, const struct cg_grant_job *job)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct gw_asker asker = asker_of(req, job);
    bool has = gw_known_take(&thread->gw->known, &asker, thread->options->limits.grants_per_s,
                             tokens_of(job), cg_loop_mono(thread->loop));

    req->standing = asker.standing;
    return has;
}

static void pay_for_failure(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    const struct gw_asker asker = asker_of(req, req->grant_job);

    gw_known_failed(&thread->gw->known, &asker, thread->options->limits.grants_per_s,
                    cg_loop_mono(thread->loop));
}

/* The next connection of this wallet's is known by its ticket, and by its address anyway. */
static void remember(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    const struct cg_waddr *wallet = &req->grant_job->grant.wallet;
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(req->conn->conn));
    struct cg_hash mark;

    gw_known_granted(&thread->gw->known, wallet, cg_loop_mono(thread->loop));
    /* One ticket a connection: it has one wallet. */
    if (!req->conn->is_remembered && gw_known_mark(wallet, &mark) == CG_OK)
        req->conn->is_remembered = cg_tls_remember(tls, &mark) == CG_OK;
}

/* Collects the body, which is small. */
static enum gw_next collect(struct gw_request *req)
{
    struct cg_exchange *x = req->x;
    struct gw_hold *hold = &req->forward.hold;

    if (req->forward.up == GW_UP_IDLE) {
        if (x->in.content_length > CG_DOCUMENT_MAX_BYTES)
            return gw_refuse(req, CG_REFUSAL_TOO_LARGE, CG_TOO_LARGE, "grant-form");
        gw_hold_init(hold, CG_DOCUMENT_MAX_BYTES);
        req->forward.up = GW_UP_COLLECT;
        if (x->expects_continue && cg_exchange_inform(x, 100, NULL) != CG_OK)
            return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_CLOSED, "client");
    }
    for (;;) {
        struct cg_span bytes = cg_exchange_peek(x);

        if (bytes.len == 0)
            break;
        if (bytes.len > gw_hold_room(hold))
            return gw_refuse(req, CG_REFUSAL_TOO_LARGE, CG_TOO_LARGE, "grant-form");
        if (gw_hold_add(hold, bytes) != CG_OK)
            return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_NO_MEMORY, "memory");
        cg_exchange_take(x, bytes.len);
    }
    return cg_exchange_is_read(x) ? GW_ON : GW_WAIT;
}

static enum gw_next check(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_grant_job *job;

    gw_hold_release(&req->forward.hold);
    if (cg_gate_grant_check(
            &req->conn->gate, thread->kit, cg_head_value(&req->x->in, CG_TOKEN_CONTENT_TYPE),
            gw_hold_ready(&req->forward.hold), req->wall, &job, &req->fault) != CG_OK) {
        req->extra.server_time =
            req->fault.refusal == CG_REFUSAL_CLOCK_SKEW ? (uint64_t)req->wall.s : 0;
        return GW_REFUSE;
    }
    if (atomic_load(&req->conn->identity->is_revoked)) {
        cg_grant_job_free(job);
        return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_REVOKED, "certificate");
    }
    if (gw_clock_is_wrong(&thread->gw->clock)) {
        cg_grant_job_free(job);
        return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_SKEW, "clock");
    }
    if (!take_tokens(req, job)) {
        cg_grant_job_free(job);
        return gw_refuse(req, CG_REFUSAL_RATE_LIMITED, CG_RATE, "grants");
    }
    struct work *work = malloc(sizeof *work);
    if (!work) {
        cg_grant_job_free(job);
        return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_NO_MEMORY, "memory");
    }
    *work = (struct work){job, thread->gw->setup.crypto};
    cg_err err = cg_job_begin_in(
        thread->gw->setup.workers, req->standing == GW_STRANGER ? CG_JOB_STRANGERS : CG_JOB_KNOWN,
        &grant_kind, work, thread->loop, req->ticket, GW_TAG_GRANT,
        cg_mono_earlier(deadline_of(req), cg_mono_after(cg_loop_mono(thread->loop), WORKER_MS)));
    if (err != CG_OK)
        return gw_refuse(req, CG_REFUSAL_RATE_LIMITED, err, "worker");
    req->waits |= 1u << GW_TAG_GRANT;
    return GW_WAIT;
}

static void ask_ledger(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    cg_err err = gw_did_begin(thread->gw->names->follow, &req->grant_job->did, thread->loop,
                              req->ticket, GW_TAG_DID, deadline_of(req));

    if (err != CG_OK)
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "ledger");
    else
        req->waits |= 1u << GW_TAG_DID;
}

static void verified(struct gw_request *req, struct cg_call *call)
{
    struct work *work = cg_job_work(call);

    if (!work) {
        gw_refuse(req, CG_REFUSAL_RATE_LIMITED, call->err, "worker");
        return;
    }
    req->grant_job = work->job;
    work->job = NULL;
    struct cg_fault fault;
    if (cg_gate_grant_verdict(req->grant_job, &fault) != CG_OK) {
        pay_for_failure(req);
        gw_refuse(req, fault.refusal, fault.err, fault.check);
        return;
    }
    ask_ledger(req);
}

static cg_err begin_proof(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);

    CG_TRY(gw_sign_begin(thread->gw->signer, req->conn->identity, CG_HSIG_CHANNEL_PROOF,
                         CG_BYTES(req->granted.proof_tbs), thread->loop, req->ticket, GW_TAG_SIGN,
                         deadline_of(req)));
    req->waits |= 1u << GW_TAG_SIGN;
    return CG_OK;
}

static void known(struct gw_request *req, struct cg_call *call)
{
    struct gw_thread *thread = gw_thread_of(req);
    const struct gw_identity *identity = req->conn->identity;

    if (call->err == CG_REVOKED || call->err == CG_STALE) {
        /* Deactivated, or rotated since: outwardly like any other bad grant. */
        gw_refuse(req, CG_REFUSAL_AUTH_FAILED, call->err, "did");
        return;
    }
    if (call->err != CG_OK) {
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, call->err, "ledger");
        return;
    }
    /* The answer may be what showed it. */
    if (gw_clock_is_wrong(&thread->gw->clock)) {
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_SKEW, "clock");
        return;
    }
    const struct cg_gate_terms terms = {
        .server = identity->cert.subject,
        .policy_hash = identity->cert.policy_hash,
        .modes = CG_MODES_LISTED,
        .epochs_max = identity->max_epochs,
        .h2_ping = true,
    };
    if (cg_gate_grant_commit(&req->conn->gate, thread->kit, req->grant_job, &terms,
                             cg_loop_wall(thread->loop), &req->granted, &req->fault) != CG_OK)
        return;
    req->has_granted = true;
    remember(req);
    cg_err err = begin_proof(req);
    if (err != CG_OK)
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "signer");
}

static void proved(struct gw_request *req, struct cg_call *call)
{
    struct cg_span proof = gw_signature_of(call);
    CG_AUTO(buf) struct cg_buf body = {0};

    if (proof.len == 0) {
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, call->err, "signer");
        return;
    }
    cg_buf_init(&body, 16384);
    cg_err err = cg_gate_granted_write(&req->granted, proof, &body);
    if (err == CG_OK)
        err = cg_arena_copy(&req->x->arena, cg_buf_span(&body), &req->reply.body);
    if (err != CG_OK) {
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "memory");
        return;
    }
    req->reply.status = 200;
    req->reply.type = CG_GRANT_MEDIA_TYPE;
    req->reply.no_store = true;
    cg_metric_add(gw_thread_of(req)->metrics, &gw_metric_table, GW_METRIC_GRANTS, CG_LABELS(), 1);
}

void gw_grant_call(struct gw_request *req, struct cg_call *call)
{
    switch (call->tag) {
    case GW_TAG_GRANT:
        verified(req, call);
        break;
    case GW_TAG_DID:
        known(req, call);
        break;
    default:
        proved(req, call);
        break;
    }
}

enum gw_next gw_grant(struct gw_request *req)
{
    if (req->waits != 0)
        return GW_WAIT;
    if (req->fault.refusal != CG_REFUSAL_NONE)
        return GW_REFUSE;
    if (req->reply.status != 0)
        return GW_REPLY;
    enum gw_next next = collect(req);
    return next == GW_ON ? check(req) : next;
}
