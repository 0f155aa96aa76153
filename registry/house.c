/* What the registry does for itself: have its own DID logged before it confirms anything, and take
 * to the ledger what was proposed and not settled, by a crash or because the ledger did not answer.
 *
 *   OWN      does the ledger have our DID?          CHECK   a worker verifies what it says
 *   LOG      it has not: submit our inception       FIND    the next name with a proposal
 *   SUBMIT   its record                             SETTLE  where it is logged, or that it is not
 *
 * Every round ends by waiting: where something failed or was left, shortly at first and up to a
 * second, else until woken. */
#include "registry/ask.h"
#include "registry/office.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/record.h"

#include <stdlib.h>

enum at {
    REST,
    OWN,
    CHECK,
    LOG,
    FIND,
    SUBMIT,
    SETTLE,
};

#define AGAIN_FIRST_MS 50
#define AGAIN_MAX_MS 1000

static void begin(struct rg_registry *registry, enum at at);

static void rest(struct rg_registry *registry, bool again)
{
    registry->at = REST;
    if (!again)
        registry->again_ms = 0;
    else if (registry->again_ms == 0)
        registry->again_ms = AGAIN_FIRST_MS;
    else if (registry->again_ms < AGAIN_MAX_MS)
        registry->again_ms =
            2 * registry->again_ms < AGAIN_MAX_MS ? 2 * registry->again_ms : AGAIN_MAX_MS;
    cg_loop_set(registry->setup.loop, &registry->timer,
                again ? cg_mono_after(cg_loop_mono(registry->setup.loop), registry->again_ms)
                      : CG_NEVER);
}

/* --- our own DID --- */

struct check {
    struct rg_office *office;
    struct cg_arena arena;
    struct cg_span staple;
    struct cg_wall now;
    bool is_logged;
};

static cg_err run_check(void *work)
{
    struct check *check = work;

    return rg_office_is_current(check->office, check->staple, check->now, &check->is_logged);
}

static void free_check(void *work)
{
    struct check *check = work;

    cg_arena_done(&check->arena);
    rg_office_unref(check->office);
    free(check);
}

static const struct cg_job_kind check_kind = {
    .name = "registry check", .run = run_check, .free = free_check};

static cg_err begin_own(struct rg_registry *registry)
{
    char did[CG_DID_CHARS + 1];

    cg_did_write(&registry->did, did);
    return rg_ask_staple(registry, "did", cg_span_str(did), registry->ticket, OWN);
}

static cg_err begin_check(struct rg_registry *registry, struct cg_call *call)
{
    struct check *check = calloc(1, sizeof *check);

    if (!check)
        return CG_NO_MEMORY;
    check->office = rg_office_ref(registry->office);
    check->now = cg_loop_wall(registry->setup.loop);
    cg_arena_init(&check->arena, 1 << 20);
    cg_err err = rg_told_staple(call, &check->arena, &check->staple);
    if (err != CG_OK) {
        free_check(check);
        return err;
    }
    registry->at = CHECK;
    return cg_job_begin(registry->setup.workers, &check_kind, check, registry->setup.loop,
                        registry->ticket, CHECK, CG_NEVER);
}

static cg_err begin_log(struct rg_registry *registry)
{
    struct cg_span inception;

    CG_TRY(rg_inception_of(rg_office_doc(registry->office), &inception));
    return rg_ask_submit(registry, inception, registry->ticket, LOG);
}

/* --- what was left proposed --- */

/* One proposal: found, then settled or withdrawn. */
struct left {
    struct rg_store_job job;
    struct cg_arena arena;
    struct cg_stored_name name;
    struct cg_span after;
    bool is_refused;
    uint64_t index;
};

static void free_left(struct rg_store_job *job)
{
    cg_arena_done(&((struct left *)job)->arena);
    free(job);
}

static cg_err run_find(struct rg_store_job *job, struct cg_store *store)
{
    struct left *left = (struct left *)job;

    return cg_store_name_proposed(store, CG_LIT(""), left->after, &left->arena, &left->name);
}

static cg_err run_settle(struct rg_store_job *job, struct cg_store *store)
{
    struct left *left = (struct left *)job;
    cg_err err = left->is_refused
                     ? cg_store_name_withdraw(store, left->name.name, left->name.serial)
                     : cg_store_name_settle(store, left->name.name, left->name.serial, left->index);

    return err == CG_NOT_FOUND ? CG_OK : err; /* a registration was quicker */
}

static struct left *left_of(struct rg_registry *registry,
                            cg_err (*run)(struct rg_store_job *job, struct cg_store *store))
{
    struct left *left = calloc(1, sizeof *left);

    if (!left)
        return NULL;
    left->job = (struct rg_store_job){.run = run, .free = free_left};
    cg_arena_init(&left->arena, 1 << 20);
    if (cg_arena_copy(&left->arena, cg_span_of(registry->name, registry->name_len), &left->after) !=
        CG_OK) {
        free_left(&left->job);
        return NULL;
    }
    return left;
}

static cg_err begin_find(struct rg_registry *registry)
{
    struct left *left = left_of(registry, run_find);

    return left ? rg_store_begin(registry, &left->job, registry->ticket, FIND) : CG_NO_MEMORY;
}

static cg_err begin_submit(struct rg_registry *registry, const struct left *left)
{
    CG_AUTO(buf) struct cg_buf object = {0};
    struct cg_record *record = malloc(sizeof *record);

    if (!record)
        return CG_NO_MEMORY;
    cg_buf_init(&object, CG_DOCUMENT_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&object);
    cg_err err = cg_record_read(left->name.record, false, record);
    if (err == CG_OK)
        err = cg_record_object(record, &w);
    free(record);
    CG_TRY(err);
    memcpy(registry->name, left->name.name.at, left->name.name.len);
    registry->name_len = left->name.name.len;
    registry->serial = left->name.serial;
    registry->at = SUBMIT;
    return rg_ask_submit(registry, cg_buf_span(&object), registry->ticket, SUBMIT);
}

static cg_err begin_settle(struct rg_registry *registry, struct cg_call *call)
{
    struct left *left = left_of(registry, run_settle);
    struct cg_span staple;

    if (!left)
        return CG_NO_MEMORY;
    cg_err err = rg_told_logged(call, &left->arena, &left->index, &staple);
    left->is_refused = err == CG_CONFLICT || err == CG_DENIED;
    if (err != CG_OK && !left->is_refused) {
        free_left(&left->job);
        return err;
    }
    left->name.name = left->after;
    left->name.serial = registry->serial;
    registry->at = SETTLE;
    return rg_store_begin(registry, &left->job, registry->ticket, SETTLE);
}

/* --- the round --- */

/* A ledger that cannot answer now is left alone for a while; a single proposal that makes trouble
 * is passed over, so that it does not hold the others up. */
static void failed(struct rg_registry *registry, cg_err err)
{
    bool is_one = registry->at == SUBMIT || registry->at == SETTLE;

    if (err != CG_BUSY)
        cg_log(registry->setup.log, WARN, ledger_failed, CG_STR("role", "registry"),
               CG_STR("step", registry->is_known ? "settle" : "own DID"), CG_ERR(err));
    registry->has_left = true;
    if (is_one && err != CG_BUSY) {
        begin(registry, FIND);
    } else {
        registry->name_len = 0;
        rest(registry, true);
    }
}

static void begin(struct rg_registry *registry, enum at at)
{
    cg_err err = CG_OK;

    registry->at = at;
    if (at == OWN)
        err = begin_own(registry);
    else if (at == LOG)
        err = begin_log(registry);
    else if (at == FIND)
        err = begin_find(registry);
    if (err != CG_OK)
        failed(registry, err);
}

static cg_err on_found(struct rg_registry *registry, struct cg_call *call)
{
    if (call->err == CG_NOT_FOUND) {
        bool again = registry->has_left;

        registry->name_len = 0;
        registry->has_left = false;
        rest(registry, again);
        return CG_OK;
    }
    const struct left *left = cg_job_work(call);
    return call->err == CG_OK && left ? begin_submit(registry, left) : call->err;
}

static void on_call(void *owner, struct cg_call *call)
{
    struct rg_registry *registry = owner;
    const struct check *check;
    cg_err err = call->err;

    switch ((enum at)call->tag) {
    case OWN:
        err = begin_check(registry, call);
        break;
    case CHECK:
        check = cg_job_work(call);
        registry->is_known = err == CG_OK && check && check->is_logged;
        if (err == CG_OK)
            begin(registry, registry->is_known ? FIND : LOG);
        break;
    case LOG:
        if (err == CG_OK)
            begin(registry, OWN);
        break;
    case FIND:
        err = on_found(registry, call);
        break;
    case SUBMIT:
        err = begin_settle(registry, call);
        break;
    case SETTLE:
        if (err == CG_OK)
            begin(registry, FIND);
        break;
    case REST:
        break;
    }
    if (err != CG_OK)
        failed(registry, err);
}

static void on_timer(struct cg_timer *timer)
{
    struct rg_registry *registry =
        (struct rg_registry *)((char *)timer - offsetof(struct rg_registry, timer));

    begin(registry, registry->is_known ? FIND : OWN);
}

void rg_house_wake(struct rg_registry *registry)
{
    registry->has_left = true;
    if (registry->at == REST)
        rest(registry, true);
}

cg_err rg_house_begin(struct rg_registry *registry)
{
    cg_timer_init(&registry->timer, on_timer);
    CG_TRY(cg_slot_open(registry->setup.loop, on_call, registry, &registry->ticket));
    cg_loop_set(registry->setup.loop, &registry->timer, cg_loop_mono(registry->setup.loop));
    return CG_OK;
}

void rg_house_end(struct rg_registry *registry)
{
    if (registry->ticket.slot || registry->ticket.generation)
        cg_slot_end(registry->setup.loop, registry->ticket);
    cg_loop_unset(registry->setup.loop, &registry->timer);
}
