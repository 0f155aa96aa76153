/* engine.c: what every engine shares: the doors, where time enters, and the limits that are made of
 * time. */
#include "session/engine.h"

#include "session/core.h"

static void fill(struct cg_engine_conf *conf)
{
#define OR(member, value)                                                                          \
    if (conf->member == 0)                                                                         \
    conf->member = (value)
    OR(max_streams, 128);
    OR(head_max_bytes, 32 * 1024);
    OR(uri_max_bytes, 12 * 1024);
    OR(in_max_bytes, 64 * 1024);
    OR(out_max_bytes, 64 * 1024);
    OR(window_max_bytes, 1024 * 1024);
    OR(open_ms, 10 * 1000);
    OR(head_ms, 10 * 1000);
    OR(idle_ms, 60 * 1000);
    OR(stall_ms, 30 * 1000);
    OR(stall_min_bytes, 1);
#undef OR
}

static struct cg_mono after(struct cg_mono from, uint32_t ms)
{
    return (struct cg_mono){from.us + (int64_t)ms * 1000};
}

void cg_engine_init(struct cg_engine *e, const struct cg_engine_ops *ops, bool is_server,
                    const struct cg_engine_conf *conf, struct cg_mono now)
{
    *e = (struct cg_engine){
        .ops = ops,
        .is_server = is_server,
        .now = now,
        .born = now,
        .idle_since = now,
        .head_since = is_server ? now : CG_NEVER,
        .stall_check = CG_NEVER,
        .state = CG_ENGINE_OPEN,
    };
    if (conf)
        e->conf = *conf;
    fill(&e->conf);
}

void cg_engine_clear(struct cg_engine *e)
{
    e->state = CG_ENGINE_CLOSED;
    while (e->open) {
        struct cg_exchange *x = e->open;
        x->state = (x->state & ~CG_S_WIRE) | CG_S_OVER;
        if (cg_exchange_is(x, CG_S_RELEASED))
            cg_exchange_off_wire(x);
        else
            cg_exchange_release(x);
    }
}

void cg_engine_close(struct cg_engine *e, cg_err why)
{
    struct cg_exchange *next;

    if (e->state == CG_ENGINE_CLOSED)
        return;
    e->state = CG_ENGINE_CLOSED;
    e->why = why;
    for (struct cg_exchange *x = e->open; x; x = next) {
        next = x->open_next;
        cg_exchange_over(x, CG_RESET_CANCEL, false, why == CG_OK ? CG_CLOSED : why);
    }
}

/* --- limits --- */

static struct cg_mono earlier(struct cg_mono a, struct cg_mono b)
{
    return a.us < b.us ? a : b;
}

struct cg_mono cg_engine_limits_deadline(const struct cg_engine *e)
{
    struct cg_mono at = e->stall_check;

    if (e->state == CG_ENGINE_CLOSED)
        return CG_NEVER;
    if (e->n_open == 0)
        at = earlier(
            at, after(e->idle_since.us == INT64_MAX ? e->now : e->idle_since, e->conf.idle_ms));
    if (e->head_since.us != INT64_MAX)
        at = earlier(at, after(e->head_since, e->conf.head_ms));
    if (e->conf.life_ms && e->state == CG_ENGINE_OPEN)
        at = earlier(at, after(e->born, e->conf.life_ms));
    return at;
}

/* Whether bytes of this exchange are due from the peer, or are waiting for the peer to take them.
 */
static bool is_due(const struct cg_exchange *x)
{
    if (x->is_patient || cg_exchange_is(x, CG_S_OVER))
        return false;
    if (cg_exchange_is(x, CG_S_OUT_HEAD) && !cg_exchange_is(x, CG_S_OUT_SENT) &&
        (x->out_ring.len > 0 || cg_exchange_is(x, CG_S_OUT_END)))
        return true;
    if (cg_exchange_is(x, CG_S_IN_END) || x->expects_continue)
        return false;
    return cg_exchange_is(x, CG_S_IN_HEAD) && x->in_ring.len < x->in_ring.max;
}

/* An exchange is judged over whole periods: due when one began, still due when it ends, and hardly
 * a byte moved in between. So a stalled peer goes after one period at least, two at most, and no
 * byte costs a look at the clock. */
static void check_stalls(struct cg_engine *e)
{
    struct cg_exchange *next;

    for (struct cg_exchange *x = e->open; x; x = next) {
        next = x->open_next;
        bool due = is_due(x);
        uint64_t least = x->is_trickling ? 1 : e->conf.stall_min_bytes;
        bool stalled = due && cg_exchange_is(x, CG_S_DUE) && x->moved_bytes < least;
        x->state = due ? x->state | CG_S_DUE : x->state & ~CG_S_DUE;
        x->moved_bytes = 0;
        if (stalled) {
            x->fault = CG_TIMEOUT;
            e->ops->reset(x, CG_RESET_CANCEL);
            if (e->state == CG_ENGINE_CLOSED)
                return;
        }
    }
    e->stall_check = e->n_open ? after(e->now, e->conf.stall_ms) : CG_NEVER;
}

void cg_engine_limits_tick(struct cg_engine *e)
{
    if (e->state == CG_ENGINE_CLOSED)
        return;
    if (e->head_since.us != INT64_MAX && e->now.us >= after(e->head_since, e->conf.head_ms).us) {
        e->ops->abort(e, CG_TIMEOUT);
        return;
    }
    /* The last exchange may have ended outside of a call that brought the time. */
    if (e->n_open == 0 && e->idle_since.us == INT64_MAX)
        e->idle_since = e->now;
    if (e->n_open == 0 && e->now.us >= after(e->idle_since, e->conf.idle_ms).us) {
        e->ops->abort(e, CG_TIMEOUT);
        return;
    }
    if (e->now.us >= e->stall_check.us)
        check_stalls(e);
    if (e->conf.life_ms && e->state == CG_ENGINE_OPEN &&
        e->now.us >= after(e->born, e->conf.life_ms).us)
        e->ops->shutdown(e);
}

/* --- the doors --- */

void cg_engine_free(struct cg_engine *e)
{
    if (e)
        e->ops->free(e);
}

cg_err cg_engine_feed(struct cg_engine *e, struct cg_span in, struct cg_mono now, size_t *taken)
{
    e->now = now;
    return e->ops->feed(e, in, taken);
}

void cg_engine_eof(struct cg_engine *e, struct cg_mono now)
{
    e->now = now;
    e->ops->eof(e);
}

cg_err cg_engine_tick(struct cg_engine *e, struct cg_mono now)
{
    e->now = now;
    e->ops->tick(e);
    return cg_engine_why(e);
}

struct cg_exchange *cg_engine_ready(struct cg_engine *e, unsigned *what)
{
    return e->ops->ready(e, what);
}

cg_err cg_engine_pull(struct cg_engine *e, struct cg_buf *out)
{
    return e->ops->pull(e, out);
}

unsigned cg_engine_wants(const struct cg_engine *e)
{
    return e->ops->wants(e);
}

struct cg_mono cg_engine_deadline(const struct cg_engine *e)
{
    return e->ops->deadline(e);
}

enum cg_engine_state cg_engine_state(const struct cg_engine *e)
{
    if (e->state == CG_ENGINE_OPEN && e->inner)
        return e->inner->state;
    return e->state;
}

cg_err cg_engine_why(const struct cg_engine *e)
{
    if (e->state == CG_ENGINE_OPEN && e->inner)
        return e->inner->why;
    return e->why;
}

cg_err cg_engine_begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                       struct cg_exchange **out)
{
    return e->ops->begin(e, head, is_end, out);
}

bool cg_engine_can_begin(const struct cg_engine *e)
{
    return e->ops->n_can_begin(e) > 0;
}

size_t cg_engine_n_can_begin(const struct cg_engine *e)
{
    return e->ops->n_can_begin(e);
}

size_t cg_engine_n_open(const struct cg_engine *e)
{
    return e->inner ? e->inner->n_open : e->n_open;
}

bool cg_engine_is_idle(const struct cg_engine *e)
{
    return cg_engine_n_open(e) == 0;
}

bool cg_engine_is_unread(const struct cg_engine *e)
{
    for (const struct cg_exchange *x = e->inner ? e->inner->open : e->open; x; x = x->open_next)
        if (cg_exchange_is(x, CG_S_IN_END) && !cg_exchange_is(x, CG_S_RELEASED) &&
            x->in_ring.len > 0)
            return true;
    return false;
}

void cg_engine_shutdown(struct cg_engine *e)
{
    e->ops->shutdown(e);
}

void cg_engine_abort(struct cg_engine *e, cg_err why)
{
    e->ops->abort(e, why);
}
