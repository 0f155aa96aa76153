#include "gateway/follow.h"

#include "gateway/names_inner.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

#define CALL_OF(t) ((struct did_call *)((char *)(t)-offsetof(struct did_call, task)))

#define PLACES 1024
#define ENTRIES_MAX 8192

enum tag {
    ASK = 1,
    VERIFY,
};

struct did_call {
    struct cg_call call;
    struct gw_follow *follow;
    struct cg_task task;
    struct cg_did_state state;
    struct did_call *next;
};

/* What the ledger says of one DID, or is being asked. */
struct subject {
    struct subject *next;
    struct gw_follow *follow;
    struct cg_waddr waddr;
    struct cg_ticket ticket;
    bool is_asking;
    bool is_known;
    struct cg_staple_ask said;
    uint64_t log_size; /* of the tree it was said under */
    struct cg_mono asked;
    struct cg_mono until;
    struct did_call *waiting;
};

struct gw_follow {
    struct gw_names *names;
    struct subject *subjects[PLACES];
    size_t n_subjects;
    uint64_t newest_size; /* of the checkpoints seen */
};

struct work {
    struct gw_names *names;
    struct cg_buf staple;
    struct cg_waddr waddr;
    struct cg_wall now;
    struct cg_staple_ask said; /* out */
    size_t log;                /* out */
    struct cg_tlog_seen head;  /* out */
    cg_err age;                /* out: what is wrong with its age */
};

/* --- on the worker --------------------------------------------------------------------------- */

static cg_err run_work(void *arg)
{
    struct work *work = arg;
    const struct cg_ledger_view view = gw_names_view(work->names, work->now);
    struct cg_staple_ask ask = {.kind = "did", .id = cg_span_str(work->waddr.text)};
    struct cg_staple_facts facts;

    cg_err err = cg_staple_verify(cg_buf_span(&work->staple), &view, false, &ask, 1, &facts);
    work->age = err != CG_OK && facts.failed == CG_STAPLE_AGE ? err : CG_OK;
    CG_TRY(err);
    CG_TRY(gw_names_head(work->names, &facts));
    work->said = ask;
    work->log = facts.log;
    work->head = facts.head;
    return CG_OK;
}

static void free_work(void *arg)
{
    struct work *work = arg;

    cg_buf_done(&work->staple);
    free(work);
}

static const struct cg_job_kind work_kind = {"staple", run_work, free_work};

/* --- on the service loop --------------------------------------------------------------------- */

static struct cg_mono after(struct gw_follow *follow, int64_t ms)
{
    return cg_mono_after(cg_loop_mono(follow->names->loop), ms);
}

static cg_err verdict(const struct subject *s, const struct did_call *call)
{
    return cg_did_is_current(&call->state, &s->said);
}

static void settle(struct subject *s, cg_err err)
{
    struct did_call *call = s->waiting;

    s->is_asking = false;
    s->waiting = NULL;
    while (call) {
        struct did_call *next = call->next;

        cg_call_end_from(&call->call, err == CG_OK ? verdict(s, call) : err);
        call = next;
    }
    if (err != CG_OK)
        cg_log(s->follow->names->gw->setup.log, WARN, ledger_failed, CG_ERR(err),
               CG_STR("about", s->waddr.text));
}

static cg_err give(struct subject *s, const struct cg_answer *answer)
{
    struct gw_names *names = s->follow->names;
    struct work *work;

    if (!answer || answer->head->status != 200)
        return CG_UNREACHABLE;
    work = calloc(1, sizeof *work);
    if (!work)
        return CG_NO_MEMORY;
    work->names = names;
    work->waddr = s->waddr;
    work->now = cg_loop_wall(names->loop);
    cg_buf_init(&work->staple, CG_STAPLE_MAX_BYTES);
    cg_err err = cg_buf_add(&work->staple, answer->body);
    if (err != CG_OK) {
        free_work(work);
        return err;
    }
    return cg_job_begin(names->worker, &work_kind, work, names->loop, s->ticket, VERIFY,
                        after(s->follow, 10000));
}

static void take(struct subject *s, struct cg_call *call)
{
    struct work *work = cg_job_work(call);

    if (call->err != CG_OK || !work) {
        gw_saw_no_head(s->follow->names->gw, work ? work->age : CG_OK);
        settle(s, call->err != CG_OK ? call->err : CG_CANCELLED);
        return;
    }
    gw_saw_head(s->follow->names->gw, work->log, &work->head, s->asked);
    gw_follow_saw(s->follow, work->head.size);
    s->said = work->said;
    s->is_known = true;
    s->log_size = work->head.size;
    s->until = after(s->follow, GW_DID_CACHE_MS);
    settle(s, CG_OK);
}

static void on_call(void *owner, struct cg_call *call)
{
    struct subject *s = owner;

    if (call->tag == ASK) {
        cg_err err = call->err != CG_OK ? call->err : give(s, cg_answer_of(call));

        if (err != CG_OK)
            settle(s, err);
    } else {
        take(s, call);
    }
}

static cg_err ask(struct subject *s)
{
    struct gw_names *names = s->follow->names;
    char path[128];
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    cg_put_str(&w, "/staple?did=did:bpi:");
    cg_put_str(&w, s->waddr.text);
    CG_TRY(cg_writer_end(&w));
    s->asked = cg_loop_mono(names->loop);
    CG_TRY(cg_endpoint_begin(names->ledger, CG_LIT("GET"), cg_writer_span(&w), NULL, 0,
                             (struct cg_span){NULL, 0}, s->ticket, ASK, after(s->follow, 5000)));
    s->is_asking = true;
    return CG_OK;
}

static void free_subject(struct gw_follow *follow, struct subject **at)
{
    struct subject *s = *at;

    *at = s->next;
    cg_slot_end(follow->names->loop, s->ticket);
    free(s);
    follow->n_subjects--;
}

/* Finds a DID's subject or makes one; what has run out in its place goes on the way. */
static struct subject *find(struct gw_follow *follow, const struct cg_waddr *waddr)
{
    struct cg_mono now = cg_loop_mono(follow->names->loop);
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < CG_WADDR_CHARS; i++)
        h = (h ^ (uint8_t)waddr->text[i]) * 16777619u;
    struct subject **at = &follow->subjects[h % PLACES];
    while (*at) {
        if (cg_waddr_eq(&(*at)->waddr, waddr))
            return *at;
        if (!(*at)->is_asking && cg_mono_is_due((*at)->until, now))
            free_subject(follow, at);
        else
            at = &(*at)->next;
    }
    if (follow->n_subjects >= ENTRIES_MAX)
        return NULL;
    struct subject *s = calloc(1, sizeof *s);
    if (!s || cg_slot_open(follow->names->loop, on_call, s, &s->ticket) != CG_OK) {
        free(s);
        return NULL;
    }
    s->follow = follow;
    s->waddr = *waddr;
    *at = s;
    follow->n_subjects++;
    return s;
}

static void arrive(struct cg_task *task)
{
    struct did_call *call = CALL_OF(task);
    struct gw_follow *follow = call->follow;
    struct subject *s = find(follow, &call->state.waddr);

    if (!s) {
        cg_call_end_from(&call->call, CG_BUSY);
        return;
    }
    /* What is kept is good for saying yes. Keys that it does not know may be newer than it is:
     * asking once more for them costs what a wallet never seen before costs. */
    if (s->is_known && !s->is_asking && s->log_size >= follow->newest_size &&
        !cg_mono_is_due(s->until, cg_loop_mono(follow->names->loop)) && verdict(s, call) == CG_OK) {
        cg_call_end_from(&call->call, CG_OK);
        return;
    }
    call->next = s->waiting;
    s->waiting = call;
    if (!s->is_asking) {
        cg_err err = ask(s);

        if (err != CG_OK)
            settle(s, err);
    }
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static bool stop_call(struct cg_call *call)
{
    (void)call;
    return false; /* the service loop has it, and will end it */
}

static void free_call(struct cg_call *call)
{
    free(call);
}

static const struct cg_call_kind did_kind = {"did", stop_call, free_call};

cg_err gw_did_begin(struct gw_follow *follow, const struct cg_did_state *state,
                    struct cg_loop *loop, struct cg_ticket who, unsigned tag,
                    struct cg_mono deadline)
{
    struct did_call *call = calloc(1, sizeof *call);

    if (!call)
        return CG_NO_MEMORY;
    call->follow = follow;
    call->state = *state;
    call->task.run = arrive;
    cg_call_begin(&call->call, &did_kind, loop, who, tag, deadline);
    cg_loop_post(follow->names->loop, &call->task);
    return CG_OK;
}

cg_err gw_follow_new(struct gw_names *names, struct gw_follow **out)
{
    struct gw_follow *follow = calloc(1, sizeof *follow);

    if (!follow)
        return CG_NO_MEMORY;
    follow->names = names;
    *out = follow;
    return CG_OK;
}

void gw_follow_saw(struct gw_follow *follow, uint64_t size)
{
    if (size > follow->newest_size)
        follow->newest_size = size;
}

uint64_t gw_follow_size(const struct gw_follow *follow)
{
    return follow->newest_size;
}

void gw_follow_free(struct gw_follow *follow)
{
    if (!follow)
        return;
    for (size_t i = 0; i < PLACES; i++)
        while (follow->subjects[i]) {
            settle(follow->subjects[i], CG_CANCELLED);
            free_subject(follow, &follow->subjects[i]);
        }
    free(follow);
}
