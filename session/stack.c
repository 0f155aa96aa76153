#include "session/stack.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/core.h"
#include "session/h1.h"
#include "session/h2.h"
#include "session/tls_own.h"

/* The most that one TLS record holds (RFC 9846, 5.1). */
#define RECORD_MAX_BYTES 16384

_Static_assert(CG_PULL_MIN_BYTES >= RECORD_MAX_BYTES + 512, "room for a sealed record");

struct stack {
    struct cg_engine base; /* OPENING, OPEN (then inner has the say), or CLOSED */
    struct cg_tls *tls;
    enum cg_speaks speaks;
    bool is_closing; /* our close_notify was made */
    struct cg_buf scratch;
};

static struct stack *stack_of(struct cg_engine *e)
{
    return (struct stack *)e;
}

static void fall(struct stack *s, cg_err why)
{
    if (s->base.inner)
        cg_engine_close(s->base.inner, why);
    else
        cg_engine_close(&s->base, why);
}

static cg_err why(const struct stack *s)
{
    return cg_engine_why(&s->base);
}

static cg_err start_inner(struct stack *s)
{
    if (s->speaks == CG_SPEAKS_ALPN)
        s->speaks = cg_span_is(cg_tls_alpn(s->tls), "h2") ? CG_SPEAKS_H2 : CG_SPEAKS_H1;
    if (s->speaks == CG_SPEAKS_H2)
        CG_TRY(cg_h2_new(s->base.is_server, &s->base.conf, s->base.now, &s->base.inner));
    else
        CG_TRY(cg_h1_new(s->base.is_server, s->tls != NULL, &s->base.conf, s->base.now,
                         &s->base.inner));
    s->base.state = CG_ENGINE_OPEN;
    return CG_OK;
}

static cg_err shake(struct stack *s)
{
    cg_err err = cg_tls_step(s->tls);

    if (err == CG_OK)
        err = start_inner(s);
    return err;
}

/* Goes as far as the fed bytes and the engine above allow. */
static void run(struct stack *s)
{
    uint8_t plain[RECORD_MAX_BYTES];

    if (!s->base.inner) {
        cg_err err = shake(s);
        if (err != CG_OK) {
            if (err != CG_BUSY)
                fall(s, err);
            return;
        }
    }
    struct cg_engine *inner = s->base.inner;
    while (inner->state != CG_ENGINE_CLOSED) {
        size_t room = inner->ops->room(inner), n = 0, taken = 0;
        if (room == 0)
            return;
        cg_err err = cg_tls_open(s->tls, plain, room < sizeof plain ? room : sizeof plain, &n);
        if (err != CG_OK) {
            fall(s, err);
            return;
        }
        if (n == 0) {
            if (s->tls->peer_closed)
                inner->ops->eof(inner);
            return;
        }
        if (inner->ops->feed(inner, cg_span_of(plain, n), &taken) != CG_OK)
            return;
        assert(taken == n); /* room promised it */
    }
}

static cg_err feed(struct cg_engine *e, struct cg_span in, size_t *taken)
{
    struct stack *s = stack_of(e);

    if (e->inner)
        e->inner->now = e->now;
    if (cg_engine_state(e) == CG_ENGINE_CLOSED) {
        *taken = in.len;
        return why(s);
    }
    if (!s->tls)
        return e->inner->ops->feed(e->inner, in, taken);
    s->tls->in = in;
    run(s);
    *taken = cg_engine_state(e) == CG_ENGINE_CLOSED ? in.len : in.len - s->tls->in.len;
    s->tls->in = (struct cg_span){0};
    return why(s);
}

static struct cg_exchange *ready(struct cg_engine *e, unsigned *what)
{
    struct stack *s = stack_of(e);
    struct cg_engine *inner = e->inner;

    if (!inner)
        return NULL;
    struct cg_exchange *x = inner->ops->ready(inner, what);
    if (x || !s->tls || inner->state == CG_ENGINE_CLOSED || !cg_tls_has_plain(s->tls))
        return x;
    /* Plaintext was held back for want of room; some may have come. */
    run(s);
    return inner->ops->ready(inner, what);
}

static void eof(struct cg_engine *e)
{
    struct stack *s = stack_of(e);

    if (!e->inner) {
        cg_engine_close(e, CG_CLOSED);
        return;
    }
    e->inner->now = e->now;
    /* Without close_notify an attacker could have cut the stream anywhere: no message may take
     * this for its end (RFC 9846, 6.1). */
    if (s->tls && !s->tls->peer_closed)
        cg_engine_close(e->inner, e->inner->n_open ? CG_CLOSED : CG_OK);
    else
        e->inner->ops->eof(e->inner);
}

static struct cg_mono open_limit(const struct cg_engine *e)
{
    return (struct cg_mono){e->born.us + (int64_t)e->conf.open_ms * 1000};
}

static void tick(struct cg_engine *e)
{
    if (e->inner) {
        e->inner->now = e->now;
        e->inner->ops->tick(e->inner);
    } else if (e->state == CG_ENGINE_OPENING && e->now.us >= open_limit(e).us) {
        cg_engine_close(e, CG_TIMEOUT);
    }
}

/* --- out --- */

static struct cg_buf *scratch(struct stack *s)
{
    return s->base.conf.scratch ? s->base.conf.scratch : &s->scratch;
}

static bool has_output(const struct cg_engine *inner)
{
    return inner->ops->wants(inner) & CG_WANT_WRITE;
}

/* Gathers what the engine above has into records as full as they get. */
static cg_err seal_all(struct stack *s, struct cg_buf *out)
{
    struct cg_engine *inner = s->base.inner;
    struct cg_buf *lent = scratch(s);

    while (has_output(inner) && out->max - out->len >= CG_PULL_MIN_BYTES) {
        cg_buf_clear(lent);
        CG_TRY(cg_buf_room(lent, RECORD_MAX_BYTES));
        struct cg_buf record = {.at = lent->at, .cap = lent->cap, .max = RECORD_MAX_BYTES};
        CG_TRY(inner->ops->pull(inner, &record));
        if (record.len == 0)
            return CG_OK;
        CG_TRY(cg_tls_seal(s->tls, cg_buf_span(&record), out));
    }
    return CG_OK;
}

static cg_err pull(struct cg_engine *e, struct cg_buf *out)
{
    struct stack *s = stack_of(e);
    cg_err err = CG_OK;

    if (!s->tls)
        return e->inner->ops->pull(e->inner, out);
    if (out->max - out->len < CG_PULL_MIN_BYTES)
        return CG_OK;
    err = cg_tls_flush(s->tls, out);
    if (err == CG_OK && e->inner && s->tls->pending.len == 0)
        err = seal_all(s, out);
    if (err == CG_OK && e->inner && e->inner->state == CG_ENGINE_CLOSED && !s->is_closing &&
        !has_output(e->inner)) {
        s->is_closing = true;
        cg_tls_close(s->tls);
        err = cg_tls_flush(s->tls, out);
    }
    if (err != CG_OK)
        fall(s, err);
    return err;
}

static unsigned wants(const struct cg_engine *e)
{
    const struct stack *s = (const struct stack *)e;
    const struct cg_engine *inner = e->inner;
    unsigned want = inner ? inner->ops->wants(inner) : 0;

    if (!s->tls)
        return want;
    if (s->tls->why != CG_OK)
        want = 0; /* nothing can be sealed or opened any more */
    if (e->state == CG_ENGINE_OPENING)
        want |= CG_WANT_READ;
    if (s->tls->pending.len ||
        (inner && inner->state == CG_ENGINE_CLOSED && !s->is_closing && s->tls->why == CG_OK))
        want |= CG_WANT_WRITE;
    return want;
}

static struct cg_mono deadline(const struct cg_engine *e)
{
    if (e->inner)
        return e->inner->ops->deadline(e->inner);
    return e->state == CG_ENGINE_OPENING ? open_limit(e) : CG_NEVER;
}

/* --- the rest is the inner engine's --- */

static cg_err begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                    struct cg_exchange **out)
{
    if (e->inner)
        return e->inner->ops->begin(e->inner, head, is_end, out);
    return e->state == CG_ENGINE_CLOSED ? CG_CLOSED : CG_BUSY;
}

static size_t n_can_begin(const struct cg_engine *e)
{
    return e->inner ? e->inner->ops->n_can_begin(e->inner) : 0;
}

static void shutdown(struct cg_engine *e)
{
    if (e->inner)
        e->inner->ops->shutdown(e->inner);
    else
        cg_engine_close(e, CG_OK);
}

static void abort_all(struct cg_engine *e, cg_err reason)
{
    if (e->inner)
        e->inner->ops->abort(e->inner, reason);
    else
        cg_engine_close(e, reason);
}

static void free_all(struct cg_engine *e)
{
    struct stack *s = stack_of(e);

    cg_engine_free(e->inner);
    cg_tls_free(s->tls);
    cg_buf_done(&s->scratch);
    free(s);
}

static const struct cg_engine_ops ops = {
    .feed = feed,
    .eof = eof,
    .tick = tick,
    .ready = ready,
    .pull = pull,
    .wants = wants,
    .deadline = deadline,
    .begin = begin,
    .n_can_begin = n_can_begin,
    .shutdown = shutdown,
    .abort = abort_all,
    .free = free_all,
};

/* --- making --- */

static cg_err make(bool is_server, const struct cg_engine_conf *conf, struct cg_tls *tls,
                   enum cg_speaks speaks, struct cg_mono now, struct cg_engine **out)
{
    struct stack *s = calloc(1, sizeof *s);

    if (!s) {
        cg_tls_free(tls);
        return CG_NO_MEMORY;
    }
    cg_engine_init(&s->base, &ops, is_server, conf, now);
    cg_buf_init(&s->scratch, RECORD_MAX_BYTES);
    s->base.state = CG_ENGINE_OPENING;
    s->tls = tls;
    s->speaks = speaks;

    cg_err err = CG_OK;
    if (!tls)
        err = speaks == CG_SPEAKS_ALPN ? CG_CONFIG : start_inner(s);
    else if (!is_server)
        run(s); /* the ClientHello */
    if (err != CG_OK) {
        free_all(&s->base);
        return err;
    }
    *out = &s->base;
    return CG_OK;
}

cg_err cg_stack_accept(const struct cg_engine_conf *conf, struct cg_tls *tls, enum cg_speaks speaks,
                       struct cg_mono now, struct cg_engine **out)
{
    return make(true, conf, tls, speaks, now, out);
}

cg_err cg_stack_connect(const struct cg_engine_conf *conf, struct cg_tls *tls,
                        enum cg_speaks speaks, struct cg_mono now, struct cg_engine **out)
{
    return make(false, conf, tls, speaks, now, out);
}

struct cg_tls *cg_stack_tls(struct cg_engine *e)
{
    return stack_of(e)->tls;
}

enum cg_speaks cg_stack_speaks(const struct cg_engine *e)
{
    return ((const struct stack *)e)->speaks;
}
