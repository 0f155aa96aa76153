#include "session/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/core.h"

/* --- for the engines --- */

struct cg_exchange *cg_exchange_make(struct cg_engine *e, uint32_t id)
{
    struct cg_arena arena;

    /* It lives in its own arena. */
    cg_arena_init_lent(&arena, CG_EXCHANGE_ARENA_MAX_BYTES, e->conf.blocks);
    struct cg_exchange *x = cg_arena_zero(&arena, sizeof *x);
    if (!x)
        return NULL;
    x->arena = arena;
    cg_head_init(&x->in, &x->arena);
    cg_head_init(&x->in_trailers, &x->arena);
    cg_head_init(&x->inform, &x->arena);
    cg_ring_init(&x->in_ring, e->conf.in_max_bytes, e->conf.blocks);
    cg_ring_init(&x->out_ring, e->conf.out_max_bytes, e->conf.blocks);
    x->id = id;
    x->engine = e;
    x->in_left = UINT64_MAX;
    x->out_left = UINT64_MAX;

    x->open_next = e->open;
    if (e->open)
        e->open->open_prev = x;
    e->open = x;
    if (e->n_open++ == 0)
        e->stall_check = (struct cg_mono){e->now.us + (int64_t)e->conf.stall_ms * 1000};
    return x;
}

/* Forgets what neither side of the exchange needs, and frees it once the library has let go. */
static void settle(struct cg_exchange *x)
{
    struct cg_engine *e = x->engine;

    if (!cg_exchange_is(x, CG_S_OVER | CG_S_RELEASED))
        return;
    if (!cg_exchange_is(x, CG_S_GONE)) {
        x->state |= CG_S_GONE;
        if (--e->n_open == 0) {
            e->idle_since = CG_NEVER; /* from the next call that brings the time */
            e->stall_check = CG_NEVER;
        }
    }
    if (cg_exchange_is(x, CG_S_WIRE))
        return;
    if (e->ops->forget)
        e->ops->forget(x);
    if (x->open_prev)
        x->open_prev->open_next = x->open_next;
    else
        e->open = x->open_next;
    if (x->open_next)
        x->open_next->open_prev = x->open_prev;
    cg_ring_done(&x->in_ring);
    cg_ring_done(&x->out_ring);
    struct cg_arena arena = x->arena;
    cg_arena_done(&arena);
}

void cg_exchange_note(struct cg_exchange *x, unsigned bits)
{
    struct cg_engine *e = x->engine;

    if (cg_exchange_is(x, CG_S_RELEASED))
        return;
    x->bits |= bits;
    if (cg_exchange_is(x, CG_S_LISTED))
        return;
    x->state |= CG_S_LISTED;
    x->ready_next = NULL;
    x->ready_prev = e->ready_last;
    if (e->ready_last)
        e->ready_last->ready_next = x;
    else
        e->ready_first = x;
    e->ready_last = x;
}

static void unlist(struct cg_exchange *x)
{
    struct cg_engine *e = x->engine;

    if (!cg_exchange_is(x, CG_S_LISTED))
        return;
    x->state &= ~CG_S_LISTED;
    if (x->ready_prev)
        x->ready_prev->ready_next = x->ready_next;
    else
        e->ready_first = x->ready_next;
    if (x->ready_next)
        x->ready_next->ready_prev = x->ready_prev;
    else
        e->ready_last = x->ready_prev;
}

struct cg_exchange *cg_engine_list_ready(struct cg_engine *e, unsigned *what)
{
    struct cg_exchange *x = e->ready_first;

    if (!x)
        return NULL;
    unlist(x);
    *what = x->bits;
    x->bits = 0;
    return x;
}

void cg_exchange_over(struct cg_exchange *x, uint32_t code, bool by_peer, cg_err fault)
{
    if (cg_exchange_is(x, CG_S_OVER))
        return;
    x->state |= CG_S_OVER;
    x->bits &= ~CG_X_ROOM;
    /* A request whose head never was complete: its user has not heard of it, and never will. */
    if (x->engine->is_server && !(x->state & (CG_S_IN_HEAD | CG_S_REFUSED)))
        x->state |= CG_S_RELEASED;
    if (!cg_exchange_is(x, CG_S_IN_END | CG_S_OUT_SENT)) {
        x->reset_code = code;
        x->reset_by_peer = by_peer;
        if (x->fault == CG_OK)
            x->fault = fault;
        if (!cg_exchange_is(x, CG_S_RESET_OURS))
            cg_exchange_note(x, CG_X_RESET);
    }
    settle(x);
}

void cg_exchange_off_wire(struct cg_exchange *x)
{
    x->state &= ~CG_S_WIRE;
    settle(x);
}

void cg_exchange_refuse(struct cg_exchange *x, int status, cg_err fault)
{
    if (cg_exchange_is(x, CG_S_REFUSED))
        return;
    x->state |= CG_S_REFUSED | CG_S_DISCARD;
    x->refusal = status;
    x->fault = fault;
    cg_exchange_note(x, CG_X_REFUSED);
}

cg_err cg_exchange_fill(struct cg_exchange *x, struct cg_span bytes)
{
    size_t taken;

    if (bytes.len > x->in_ring.max - x->in_ring.len)
        return CG_TOO_LARGE;
    CG_TRY(cg_ring_put(&x->in_ring, bytes, &taken));
    x->in_bytes += taken;
    x->moved_bytes += taken;
    cg_exchange_note(x, CG_X_BODY);
    return CG_OK;
}

void cg_exchange_moved_out(struct cg_exchange *x, size_t n)
{
    x->moved_bytes += n;
    /* Not for every byte: a quarter free is worth a writer's while. */
    if (cg_exchange_is(x, CG_S_WANTS_ROOM) &&
        x->out_ring.max - x->out_ring.len >= x->out_ring.max / 4) {
        x->state &= ~CG_S_WANTS_ROOM;
        cg_exchange_note(x, CG_X_ROOM);
    }
}

void cg_exchange_in_end(struct cg_exchange *x)
{
    if (cg_exchange_is(x, CG_S_IN_END))
        return;
    x->state |= CG_S_IN_END;
    cg_exchange_note(x, CG_X_END);
}

void cg_exchange_sent(struct cg_exchange *x)
{
    if (cg_exchange_is(x, CG_S_OUT_SENT))
        return;
    x->state |= CG_S_OUT_SENT;
    x->moved_bytes++;
    cg_exchange_note(x, CG_X_SENT);
}

/* --- for the user --- */

struct cg_span cg_exchange_peek(const struct cg_exchange *x)
{
    return cg_ring_peek(&x->in_ring);
}

void cg_exchange_take(struct cg_exchange *x, size_t n)
{
    assert(n <= x->in_ring.len);
    cg_ring_drop(&x->in_ring, n);
    if (n)
        x->engine->ops->took(x, n);
}

size_t cg_exchange_unread(const struct cg_exchange *x)
{
    return x->in_ring.len;
}

bool cg_exchange_is_read(const struct cg_exchange *x)
{
    return cg_exchange_is(x, CG_S_IN_END) && x->in_ring.len == 0;
}

cg_err cg_exchange_inform(struct cg_exchange *x, int status, const struct cg_head *head)
{
    if (cg_exchange_is(x, CG_S_OVER))
        return CG_CLOSED;
    if (!x->engine->is_server || cg_exchange_is(x, CG_S_OUT_HEAD) || status < 100 || status > 199 ||
        status == 101)
        return CG_INTERNAL;
    CG_TRY(x->engine->ops->inform(x, status, head));
    if (status == 100)
        x->expects_continue = false;
    return CG_OK;
}

cg_err cg_exchange_answer(struct cg_exchange *x, const struct cg_head *head, bool is_end)
{
    if (cg_exchange_is(x, CG_S_OVER))
        return CG_CLOSED;
    if (!x->engine->is_server || cg_exchange_is(x, CG_S_OUT_HEAD) || head->status < 200 ||
        head->status > 599)
        return CG_INTERNAL;

    bool has_no_body =
        cg_exchange_is(x, CG_S_IS_HEAD) || head->status == 204 || head->status == 304;
    if (has_no_body && !is_end)
        return CG_INTERNAL;
    if (!has_no_body && is_end && head->content_length > 0)
        return CG_INTERNAL;

    CG_TRY(x->engine->ops->answer(x, head, is_end));
    x->state |= CG_S_OUT_HEAD | (is_end ? CG_S_OUT_END : 0);
    x->out_left = is_end                     ? 0
                  : head->content_length < 0 ? UINT64_MAX
                                             : (uint64_t)head->content_length;
    return CG_OK;
}

cg_err cg_exchange_send(struct cg_exchange *x, struct cg_span bytes, size_t *taken)
{
    if (cg_exchange_is(x, CG_S_OVER))
        return CG_CLOSED;
    if (!cg_exchange_is(x, CG_S_OUT_HEAD) || cg_exchange_is(x, CG_S_OUT_END) ||
        bytes.len > x->out_left)
        return CG_INTERNAL;
    CG_TRY(cg_ring_put(&x->out_ring, bytes, taken));
    x->out_bytes += *taken;
    if (x->out_left != UINT64_MAX)
        x->out_left -= *taken;
    if (*taken < bytes.len)
        x->state |= CG_S_WANTS_ROOM;
    if (*taken)
        x->engine->ops->more(x);
    return CG_OK;
}

size_t cg_exchange_room(const struct cg_exchange *x)
{
    size_t room = x->out_ring.max - x->out_ring.len;

    if (cg_exchange_is(x, CG_S_OVER) || !cg_exchange_is(x, CG_S_OUT_HEAD) ||
        cg_exchange_is(x, CG_S_OUT_END))
        return 0;
    return room < x->out_left ? room : (size_t)x->out_left;
}

static cg_err keep_trailers(struct cg_exchange *x, const struct cg_head *trailers)
{
    struct cg_head *kept = cg_arena_take(&x->arena, sizeof *kept);

    if (!kept)
        return CG_NO_MEMORY;
    cg_head_init(kept, &x->arena);
    for (size_t i = 0; i < trailers->n_fields; i++)
        CG_TRY(cg_head_add_named(kept, trailers->fields[i].name, trailers->fields[i].value));
    x->trailers_out = kept;
    return CG_OK;
}

cg_err cg_exchange_end(struct cg_exchange *x, const struct cg_head *trailers)
{
    if (cg_exchange_is(x, CG_S_OVER))
        return CG_CLOSED;
    if (!cg_exchange_is(x, CG_S_OUT_HEAD) || cg_exchange_is(x, CG_S_OUT_END))
        return CG_INTERNAL;
    if (x->out_left != UINT64_MAX && x->out_left > 0) {
        cg_exchange_reset(x, CG_RESET_INTERNAL);
        return CG_INTERNAL;
    }
    if (trailers && trailers->n_fields)
        CG_TRY(keep_trailers(x, trailers));
    x->state |= CG_S_OUT_END;
    x->engine->ops->more(x);
    return CG_OK;
}

void cg_exchange_reset(struct cg_exchange *x, uint32_t code)
{
    if (cg_exchange_is(x, CG_S_OVER))
        return;
    x->state |= CG_S_RESET_OURS;
    x->reset_code = code;
    x->engine->ops->reset(x, code);
}

void cg_exchange_set_patient(struct cg_exchange *x, bool is_patient)
{
    x->is_patient = is_patient;
}

void cg_exchange_set_trickling(struct cg_exchange *x)
{
    x->is_trickling = true;
}

void cg_exchange_release(struct cg_exchange *x)
{
    size_t unread = x->in_ring.len;

    assert(!cg_exchange_is(x, CG_S_RELEASED));
    x->state |= CG_S_RELEASED | CG_S_DISCARD;
    x->owner = NULL;
    x->bits = 0;
    unlist(x);
    cg_ring_drop(&x->in_ring, unread);
    if (unread)
        x->engine->ops->took(x, unread);
    if (cg_exchange_is(x, CG_S_OVER))
        settle(x);
    else
        x->engine->ops->released(x); /* may end in cg_exchange_over, which frees */
}
