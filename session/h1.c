#include "session/h1.h"

#include <stdlib.h>

#include "lib/base/try.h"
#include "session/h1_line.h"
#include "session/h1_own.h"

/* A head, or trailers, made of everything an exchange's arena can hold. */
#define OUT_MAX_BYTES (2 * CG_EXCHANGE_ARENA_MAX_BYTES)

void cg_h1_end(struct cg_h1 *h1, cg_err why)
{
    struct cg_exchange *x = h1->x;

    if (h1->base.state == CG_ENGINE_CLOSED)
        return;
    h1->is_aborted = true;
    h1->phase = CG_H1_DEAF;
    h1->x = NULL;
    if (x) {
        x->unprocessed = !h1->base.is_server && !h1->has_sent;
        cg_exchange_over(x, why == CG_PROTOCOL ? CG_RESET_PROTOCOL : CG_RESET_CANCEL,
                         x->reset_by_peer, why == CG_OK ? CG_CLOSED : why);
    }
    cg_engine_close(&h1->base, why);
}

void cg_h1_settle(struct cg_h1 *h1)
{
    struct cg_exchange *x = h1->x;

    if (!x || !cg_exchange_is(x, CG_S_OUT_SENT))
        return;
    if (!cg_exchange_is(x, CG_S_IN_END)) {
        if (!h1->base.is_server || !cg_exchange_is(x, CG_S_DISCARD))
            return; /* somebody still reads */
        if (cg_exchange_is(x, CG_S_REFUSED))
            x->state |= CG_S_IN_END; /* no reset: it went as it was meant to */
        h1->must_close = true;
    }
    h1->x = NULL;
    cg_exchange_over(x, CG_RESET_NONE, false, CG_OK);
    if (h1->must_close || h1->base.state != CG_ENGINE_OPEN)
        cg_engine_close(&h1->base, CG_OK);
    else
        cg_h1_expect(h1);
}

/* --- ops --- */

static unsigned wants(const struct cg_engine *e)
{
    unsigned want = 0;

    if (e->state != CG_ENGINE_CLOSED && cg_h1_room(e) > 0)
        want |= CG_WANT_READ;
    if (cg_h1_has_output((const struct cg_h1 *)e))
        want |= CG_WANT_WRITE;
    return want;
}

static size_t n_can_begin(const struct cg_engine *e)
{
    const struct cg_h1 *h1 = (const struct cg_h1 *)e;

    return !e->is_server && e->state == CG_ENGINE_OPEN && !h1->x && !h1->must_close ? 1 : 0;
}

static cg_err begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                    struct cg_exchange **out)
{
    struct cg_h1 *h1 = cg_h1_of(e);

    if (e->state == CG_ENGINE_CLOSED)
        return CG_CLOSED;
    if (n_can_begin(e) == 0)
        return CG_BUSY;
    struct cg_exchange *x = cg_exchange_make(e, h1->last_id + 1);
    if (!x)
        return CG_NO_MEMORY;
    cg_err err = cg_h1_begin(h1, head, is_end, x);
    if (err != CG_OK) {
        x->state |= CG_S_OVER | CG_S_RELEASED;
        cg_exchange_off_wire(x);
        return err;
    }
    h1->last_id++;
    h1->x = x;
    cg_h1_expect(h1);
    *out = x;
    return CG_OK;
}

static void shutdown(struct cg_engine *e)
{
    struct cg_h1 *h1 = cg_h1_of(e);

    if (e->state != CG_ENGINE_OPEN)
        return;
    e->state = CG_ENGINE_DRAINING;
    if (!h1->x && h1->head.len == 0)
        cg_engine_close(e, CG_OK);
}

static void abort_all(struct cg_engine *e, cg_err why)
{
    cg_h1_end(cg_h1_of(e), why);
}

static void free_all(struct cg_engine *e)
{
    struct cg_h1 *h1 = cg_h1_of(e);

    cg_engine_clear(e);
    cg_buf_done(&h1->head);
    cg_buf_done(&h1->out);
    free(h1);
}

/* Room is asked for anew each time, so nothing needs to be told. */
static void took(struct cg_exchange *x, size_t n)
{
    (void)x, (void)n;
}

static void more(struct cg_exchange *x)
{
    (void)x;
}

/* One exchange cannot end alone here: the connection ends with it, visibly in the middle. */
static void reset(struct cg_exchange *x, uint32_t code)
{
    struct cg_h1 *h1 = cg_h1_of(x->engine);
    cg_err fault = x->fault == CG_OK ? CG_CANCELLED : x->fault;

    if (h1->x == x)
        h1->x = NULL;
    cg_exchange_over(x, code, false, fault);
    cg_h1_end(h1, fault);
}

static void released(struct cg_exchange *x)
{
    struct cg_h1 *h1 = cg_h1_of(x->engine);

    if (cg_exchange_is(x, CG_S_OUT_END) &&
        (x->engine->is_server || cg_exchange_is(x, CG_S_IN_END))) {
        cg_h1_settle(h1); /* or when it has been pulled */
        return;
    }
    x->state |= CG_S_RESET_OURS;
    reset(x, CG_RESET_CANCEL);
}

/* An exchange may be over without h1 having heard: TLS failed, or the socket ended without a
 * close_notify, and the whole connection was closed from above. */
static void forget(struct cg_exchange *x)
{
    struct cg_h1 *h1 = cg_h1_of(x->engine);

    if (h1->x == x)
        h1->x = NULL;
}

static const struct cg_engine_ops ops = {
    .feed = cg_h1_feed,
    .eof = cg_h1_eof,
    .tick = cg_engine_limits_tick,
    .ready = cg_engine_list_ready,
    .pull = cg_h1_pull,
    .wants = wants,
    .deadline = cg_engine_limits_deadline,
    .begin = begin,
    .n_can_begin = n_can_begin,
    .shutdown = shutdown,
    .abort = abort_all,
    .free = free_all,
    .room = cg_h1_room,
    .took = took,
    .inform = cg_h1_inform,
    .answer = cg_h1_answer,
    .more = more,
    .reset = reset,
    .released = released,
    .forget = forget,
};

cg_err cg_h1_new(bool is_server, bool is_secure, const struct cg_engine_conf *conf,
                 struct cg_mono now, struct cg_engine **out)
{
    struct cg_h1 *h1 = calloc(1, sizeof *h1);

    if (!h1)
        return CG_NO_MEMORY;
    cg_engine_init(&h1->base, &ops, is_server, conf, now);
    cg_buf_init(&h1->head, h1->base.conf.uri_max_bytes + CG_H1_LINE_SLACK_BYTES +
                               h1->base.conf.head_max_bytes + 2);
    cg_buf_init(&h1->out, OUT_MAX_BYTES);
    h1->is_secure = is_secure;
    cg_h1_expect(h1);
    *out = &h1->base;
    return CG_OK;
}
