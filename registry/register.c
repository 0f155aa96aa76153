/* POST /register: a claim's life, in order; each step begins something and goes on when that has
 * ended.  What is refused is answered there and then; what was proposed before a failure stays, and
 * house.c takes it to the ledger. */
#include "registry/ask.h"
#include "registry/claim.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"

#include <assert.h>
#include <stdlib.h>

enum next {
    ON,   /* nothing to wait for */
    WAIT, /* the step's call is under way */
};

struct registering {
    struct cg_pending pending;
    struct rg_claim *claim; /* NULL while a job has it */
    size_t at;
};

static cg_err begin_look(struct registering *r, enum next *next);
static cg_err begin_owner(struct registering *r, enum next *next);
static cg_err begin_previous(struct registering *r, enum next *next);
static cg_err begin_judge(struct registering *r, enum next *next);
static cg_err begin_inception(struct registering *r, enum next *next);
static cg_err begin_propose(struct registering *r, enum next *next);
static cg_err begin_submit(struct registering *r, enum next *next);
static cg_err begin_settle(struct registering *r, enum next *next);
static cg_err begin_prove(struct registering *r, enum next *next);
static cg_err end_job(struct registering *r, struct cg_call *call);
static cg_err end_owner(struct registering *r, struct cg_call *call);
static cg_err end_previous(struct registering *r, struct cg_call *call);
static cg_err end_inception(struct registering *r, struct cg_call *call);
static cg_err end_submit(struct registering *r, struct cg_call *call);

static const struct {
    const char *name;
    cg_err (*begin)(struct registering *r, enum next *next);
    cg_err (*end)(struct registering *r, struct cg_call *call);
} steps[] = {
    {"look", begin_look, end_job},                 /* token, serial, who may have the name */
    {"owner", begin_owner, end_owner},             /* the ledger: which keys does the owner have? */
    {"previous", begin_previous, end_previous},    /* and whoever owned the name before? */
    {"judge", begin_judge, end_job},               /* signatures; then the registry's own */
    {"inception", begin_inception, end_inception}, /* an owner new to the ledger is logged */
    {"propose", begin_propose, end_job},           /* the serial is taken, on disk */
    {"submit", begin_submit, end_submit},          /* the ledger logs the record */
    {"settle", begin_settle, end_job},             /* where it did */
    {"prove", begin_prove, end_job},               /* the answer, checked as resolvers will */
};
#define N_STEPS (sizeof steps / sizeof *steps)

/* --- jobs: the claim goes with them and comes back --- */

struct claim_job {
    struct rg_store_job job;
    struct rg_claim *claim;
    const struct rg_options *options;
    cg_err (*judge)(struct rg_claim *claim); /* of a worker */
};

static void free_claim_job(void *work)
{
    struct claim_job *job = work;

    rg_claim_free(job->claim);
    free(job);
}

static void free_store_job(struct rg_store_job *job)
{
    free_claim_job(job);
}

static cg_err run_judge(void *work)
{
    struct claim_job *job = work;

    return job->judge(job->claim);
}

static const struct cg_job_kind judge_kind = {
    .name = "registry judge", .run = run_judge, .free = free_claim_job};

static struct claim_job *job_of(struct registering *r)
{
    struct claim_job *job = calloc(1, sizeof *job);

    if (job) {
        job->claim = r->claim;
        job->options = rg_of(&r->pending)->setup.options;
        r->claim = NULL;
    }
    return job;
}

static cg_err begin_store(struct registering *r,
                          cg_err (*run)(struct rg_store_job *job, struct cg_store *store))
{
    struct claim_job *job = job_of(r);

    if (!job)
        return CG_NO_MEMORY;
    job->job = (struct rg_store_job){.run = run, .free = free_store_job};
    return rg_store_begin(rg_of(&r->pending), &job->job, cg_pending_ticket(&r->pending),
                          (unsigned)r->at);
}

static cg_err begin_work(struct registering *r, cg_err (*judge)(struct rg_claim *claim))
{
    struct rg_registry *registry = rg_of(&r->pending);
    struct claim_job *job = job_of(r);

    if (!job)
        return CG_NO_MEMORY;
    job->judge = judge;
    return cg_job_begin(registry->setup.workers, &judge_kind, job, registry->setup.loop,
                        cg_pending_ticket(&r->pending), (unsigned)r->at, CG_NEVER);
}

static cg_err end_job(struct registering *r, struct cg_call *call)
{
    struct claim_job *job = cg_job_work(call);

    if (job) {
        r->claim = job->claim;
        job->claim = NULL;
    }
    return job || call->err != CG_OK ? call->err : CG_INTERNAL;
}

/* --- steps --- */

static cg_err run_look(struct rg_store_job *job, struct cg_store *store)
{
    struct claim_job *j = (struct claim_job *)job;

    return rg_claim_look(j->claim, j->options, store);
}

static cg_err begin_look(struct registering *r, enum next *next)
{
    *next = WAIT;
    return begin_store(r, run_look);
}

static cg_err begin_owner(struct registering *r, enum next *next)
{
    *next = WAIT;
    return rg_ask_staple(rg_of(&r->pending), "did", r->claim->record.owner_did,
                         cg_pending_ticket(&r->pending), (unsigned)r->at);
}

static cg_err end_owner(struct registering *r, struct cg_call *call)
{
    return rg_told_staple(call, &r->claim->arena, &r->claim->owner_staple);
}

static cg_err begin_previous(struct registering *r, enum next *next)
{
    if (!r->claim->changes_owner)
        return CG_OK;
    *next = WAIT;
    return rg_ask_staple(rg_of(&r->pending), "did", r->claim->current.owner,
                         cg_pending_ticket(&r->pending), (unsigned)r->at);
}

static cg_err end_previous(struct registering *r, struct cg_call *call)
{
    return rg_told_staple(call, &r->claim->arena, &r->claim->previous_staple);
}

static cg_err begin_judge(struct registering *r, enum next *next)
{
    *next = WAIT;
    return begin_work(r, rg_claim_judge);
}

static cg_err begin_inception(struct registering *r, enum next *next)
{
    struct cg_span inception;

    if (r->claim->owner_is_logged)
        return CG_OK;
    CG_TRY(rg_inception_of(r->claim->wallet_doc, &inception));
    *next = WAIT;
    return rg_ask_submit(rg_of(&r->pending), inception, cg_pending_ticket(&r->pending),
                         (unsigned)r->at);
}

static cg_err end_inception(struct registering *r, struct cg_call *call)
{
    struct cg_span staple;
    uint64_t index;

    return rg_told_logged(call, &r->claim->arena, &index, &staple);
}

static cg_err run_propose(struct rg_store_job *job, struct cg_store *store)
{
    return rg_claim_propose(((struct claim_job *)job)->claim, store);
}

static cg_err begin_propose(struct registering *r, enum next *next)
{
    *next = WAIT;
    return begin_store(r, run_propose);
}

static cg_err begin_submit(struct registering *r, enum next *next)
{
    *next = WAIT;
    return rg_ask_submit(rg_of(&r->pending), r->claim->object, cg_pending_ticket(&r->pending),
                         (unsigned)r->at);
}

/* Whatever is left proposed, house.c finds out what became of it. */
static cg_err end_submit(struct registering *r, struct cg_call *call)
{
    cg_err err = rg_told_logged(call, &r->claim->arena, &r->claim->index, &r->claim->staple);

    if (err != CG_OK)
        rg_house_wake(rg_of(&r->pending));
    if (err == CG_CONFLICT)
        return rg_claim_refuse(r->claim, CG_REFUSAL_CONFLICT, NULL);
    return err == CG_DENIED ? rg_claim_refuse(r->claim, CG_REFUSAL_UNPROCESSABLE, "record") : err;
}

static cg_err run_settle(struct rg_store_job *job, struct cg_store *store)
{
    const struct rg_claim *claim = ((struct claim_job *)job)->claim;
    cg_err err = cg_store_name_settle(store, claim->name, claim->record.serial, claim->index);

    return err == CG_NOT_FOUND ? CG_OK : err; /* house.c was quicker */
}

static cg_err begin_settle(struct registering *r, enum next *next)
{
    *next = WAIT;
    return begin_store(r, run_settle);
}

static cg_err begin_prove(struct registering *r, enum next *next)
{
    *next = WAIT;
    return begin_work(r, rg_claim_prove);
}

/* --- the ends --- */

static void drop(struct cg_pending *pending)
{
    struct registering *r = (struct registering *)pending;

    rg_claim_free(r->claim);
    r->claim = NULL;
}

static void refuse(struct registering *r)
{
    struct rg_registry *registry = rg_of(&r->pending);
    const struct rg_claim *claim = r->claim;
    enum cg_refusal refusal = claim->refusal;
    struct cg_refusal_extra extra = {.field = claim->field};
    struct cg_reply *out = r->pending.reply;

    cg_log(registry->setup.log, WARN, record_refused, CG_TEXT("name", claim->name),
           CG_STR("code", cg_refusal_code(refusal)), CG_STR("field", claim->field),
           CG_ID("request", cg_reply_id(out)));
    drop(&r->pending);
    (void)cg_pending_close(&r->pending);
    cg_reply_refuse(out, refusal, refusal == CG_REFUSAL_UNPROCESSABLE ? &extra : NULL);
}

static void fail(struct registering *r, cg_err err)
{
    if (err == CG_DENIED && r->claim && r->claim->refusal != CG_REFUSAL_NONE) {
        refuse(r);
        return;
    }
    cg_log(rg_of(&r->pending)->setup.log, WARN, ledger_failed, CG_STR("role", "registry"),
           CG_STR("step", steps[r->at].name), CG_ERR(err),
           CG_ID("request", cg_reply_id(r->pending.reply)));
    drop(&r->pending);
    /* What the ledger answers wrongly may be right the next time. */
    cg_pending_refuse(&r->pending, cg_err_fault(err) == CG_FAULT_OURS ? err : CG_BUSY);
}

static void answer(struct registering *r)
{
    struct rg_registry *registry = rg_of(&r->pending);
    struct cg_reply *out = cg_pending_close(&r->pending);

    cg_log(registry->setup.log, INFO, record_stored, CG_TEXT("name", r->claim->name),
           CG_UINT("serial", r->claim->record.serial), CG_UINT("index", r->claim->index));
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store"));
    cg_reply_add(out, r->claim->answer);
    drop(&r->pending);
    cg_reply_send(out, 200, "application/json");
}

static void go_on(struct registering *r)
{
    while (r->at < N_STEPS) {
        enum next next = ON;
        cg_err err = steps[r->at].begin(r, &next);

        if (err != CG_OK) {
            fail(r, err);
            return;
        }
        if (next == WAIT)
            return;
        r->at++;
    }
    answer(r);
}

static void on_call(struct cg_pending *pending, struct cg_call *call)
{
    struct registering *r = (struct registering *)pending;

    assert(call->tag == r->at);
    cg_err err = steps[r->at].end(r, call);
    if (err != CG_OK) {
        fail(r, err);
        return;
    }
    r->at++;
    go_on(r);
}

void rg_register(const struct cg_message *in, struct cg_reply *out)
{
    struct rg_registry *registry = in->role;
    struct registering *r = cg_pending_open(&registry->pending, out, sizeof *r, on_call);

    if (!r)
        return;
    r->pending.on_stop = drop;
    if (registry->is_draining || !registry->is_known) {
        cg_pending_refuse(&r->pending, CG_BUSY);
        return;
    }
    r->claim = rg_claim_new(registry->office, cg_loop_wall(registry->setup.loop));
    cg_err err = r->claim ? rg_claim_read(r->claim, in->body, registry->setup.trust) : CG_NO_MEMORY;
    if (err != CG_OK)
        fail(r, err);
    else
        go_on(r);
}
