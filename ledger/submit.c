/* A submission's life: read and gather (the reading thread), judge (a worker), wait for its place
 * in a published head (the sequencer), answer. */
#include "ledger/inner.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"

#include <stdlib.h>

static struct lg_ledger *ledger_of(struct cg_pending *pending)
{
    return pending->all->owner;
}

enum tag {
    GATHERED = 1,
    JUDGED,
};

struct submit {
    struct cg_pending pending;
    struct lg_waiter waiter;
    struct cg_timer patience;
    struct cg_hash commitment;
};

/* --- the two jobs: the admission goes from hand to hand with them --- */

struct step {
    struct lg_office *office;
    struct cg_store *reader;
    struct cg_wall now;
    struct lg_admission *admission;
};

static cg_err gather(void *work)
{
    struct step *step = work;
    const struct lg_rules *rules = lg_office_rules(step->office);
    cg_err err = lg_admit_read(rules, step->admission);

    if (err != CG_OK)
        return err;
    /* One state of the map for everything that is looked up. */
    err = cg_store_read_begin(step->reader);
    if (err != CG_OK)
        return err;
    err = lg_admit_gather(rules, step->reader, step->admission);
    cg_store_read_end(step->reader);
    return err;
}

static cg_err judge(void *work)
{
    struct step *step = work;

    return lg_admit_judge(lg_office_rules(step->office), step->now, step->admission);
}

static void free_step(void *work)
{
    struct step *step = work;

    lg_admission_free(step->admission);
    lg_office_unref(step->office);
    free(step);
}

static const struct cg_job_kind gather_kind = {
    .name = "ledger admit", .run = gather, .free = free_step};
static const struct cg_job_kind judge_kind = {
    .name = "ledger judge", .run = judge, .free = free_step};

/* Begins a step with the admission, which is given away. */
static cg_err begin(struct submit *submit, enum tag tag, struct lg_admission *admission)
{
    struct lg_ledger *ledger = ledger_of(&submit->pending);
    struct step *step = calloc(1, sizeof *step);

    if (!step) {
        lg_admission_free(admission);
        return CG_NO_MEMORY;
    }
    *step = (struct step){
        .office = lg_office_ref(ledger->office),
        .reader = ledger->reader,
        .now = cg_loop_wall(ledger->setup.loop),
        .admission = admission,
    };
    return cg_job_begin(tag == GATHERED ? ledger->read_thread : ledger->setup.workers,
                        tag == GATHERED ? &gather_kind : &judge_kind, step, ledger->setup.loop,
                        cg_pending_ticket(&submit->pending), tag, CG_NEVER);
}

/* --- waiting for the head --- */

static struct submit *submit_of(struct cg_pending *pending)
{
    return (struct submit *)pending;
}

static void stop_waiting(struct cg_pending *pending)
{
    struct submit *submit = submit_of(pending);

    lg_wait_end(&submit->waiter);
    cg_loop_unset(ledger_of(pending)->setup.loop, &submit->patience);
}

/* It is on its way and will not be lost; but nobody is held longer than this. */
static void on_patience(struct cg_timer *timer)
{
    struct submit *submit = (struct submit *)((char *)timer - offsetof(struct submit, patience));
    char location[32 + 2 * CG_HASH_BYTES] = "/proof/inclusion?commitment=";
    size_t len = strlen(location);

    lg_wait_end(&submit->waiter);
    struct cg_reply *out = cg_pending_close(&submit->pending);
    cg_hex_write(cg_hash_span(&submit->commitment), location + len);
    cg_reply_field(out, CG_TOKEN_LOCATION, cg_span_of(location, len + 2 * CG_HASH_BYTES));
    cg_reply_field(out, CG_TOKEN_RETRY_AFTER, CG_LIT("1"));
    cg_reply_send(out, 202, NULL);
}

void lg_submit_answered(struct lg_waiter *waiter)
{
    struct submit *submit = (struct submit *)((char *)waiter - offsetof(struct submit, waiter));
    struct lg_ledger *ledger = ledger_of(&submit->pending);

    cg_loop_unset(ledger->setup.loop, &submit->patience);
    if (waiter->err == CG_OK)
        lg_answer_logged(&submit->pending, waiter->index);
    else if (waiter->err == CG_CONFLICT)
        cg_reply_refuse(cg_pending_close(&submit->pending), CG_REFUSAL_CONFLICT, NULL);
    else
        cg_pending_refuse(&submit->pending, waiter->err);
}

static void wait_for_head(struct submit *submit, struct lg_admission *a)
{
    struct lg_ledger *ledger = ledger_of(&submit->pending);
    struct lg_item *inception = a->inception, *item = a->item;
    struct cg_mono now = cg_loop_mono(ledger->setup.loop);

    a->inception = a->item = NULL;
    submit->commitment = item->commitment;
    submit->pending.on_stop = stop_waiting;
    cg_timer_init(&submit->patience, on_patience);
    cg_loop_set(ledger->setup.loop, &submit->patience,
                cg_mono_after(now, ledger->setup.options->wait_ms));
    lg_wait(item, &submit->waiter);
    if (inception)
        inception->next = item;
    lg_run_submit(ledger, inception ? inception : item);
}

/* --- the steps --- */

static void refuse(struct submit *submit, const struct lg_admission *a)
{
    struct lg_ledger *ledger = ledger_of(&submit->pending);
    struct cg_refusal_extra extra = {.field = a->field};
    struct cg_reply *out = cg_pending_close(&submit->pending);

    cg_log(ledger->setup.log, WARN, entry_refused, CG_STR("code", cg_refusal_code(a->refusal)),
           CG_STR("field", a->field), CG_TEXT("subject", a->item->subject),
           CG_ID("request", cg_reply_id(out)));
    cg_reply_refuse(out, a->refusal, a->refusal == CG_REFUSAL_UNPROCESSABLE ? &extra : NULL);
}

static void on_call(struct cg_pending *pending, struct cg_call *call)
{
    struct submit *submit = submit_of(pending);
    struct step *step = cg_job_work(call);
    cg_err err = call->err;

    if (!step || (err != CG_OK && err != CG_DENIED)) {
        cg_pending_refuse(pending, err);
    } else if (err == CG_DENIED) {
        refuse(submit, step->admission);
    } else if (call->tag == JUDGED) {
        wait_for_head(submit, step->admission);
    } else if (step->admission->is_logged) {
        lg_answer_logged(pending, step->admission->index);
    } else {
        struct lg_admission *a = step->admission;

        step->admission = NULL;
        err = begin(submit, JUDGED, a);
        if (err != CG_OK)
            cg_pending_refuse(pending, err);
    }
}

/* What is logged is kept for ever, so a stranger may log only so much. */
static bool is_within_budget(struct lg_ledger *ledger, const struct cg_message *in)
{
    int64_t per_min = ledger->setup.options->submissions_per_min;

    if (per_min == 0 || in->peer->is_local_role || cg_address_is_loopback(&in->peer->at))
        return true;
    /* per_min tokens a second, and 60 of them a submission. */
    return cg_bucket_take(&ledger->submissions, cg_address_ip(&in->peer->at), per_min, 60 * per_min,
                          60, cg_loop_mono(ledger->setup.loop));
}

void lg_submit(const struct cg_message *in, struct cg_reply *out)
{
    struct lg_ledger *ledger = in->role;

    if (!is_within_budget(ledger, in)) {
        cg_reply_field(out, CG_TOKEN_RETRY_AFTER, CG_LIT("60"));
        cg_reply_refuse(out, CG_REFUSAL_RATE_LIMITED, NULL);
        return;
    }
    struct submit *submit = cg_pending_open(&ledger->pending, out, sizeof *submit, on_call);

    if (!submit)
        return;
    if (ledger->is_draining) {
        cg_pending_refuse(&submit->pending, CG_BUSY);
        return;
    }
    struct lg_admission *a = lg_admission_new(in->body);
    cg_err err = a ? begin(submit, GATHERED, a) : CG_NO_MEMORY;
    if (err != CG_OK)
        cg_pending_refuse(&submit->pending, err);
}
