#include "runtime/endpoint_inner.h"

#include "lib/base/span.h"

#include <stdlib.h>

struct http {
    struct cg_question q;     /* first */
    struct cg_ticket waiting; /* for the lease */
    struct cg_lease *lease;
    size_t n_sent; /* of the body */
    bool is_sent, is_second_try;
};

/* Everything that is under way, but not the call. */
static void let_go(struct http *ask)
{
    struct cg_lease *lease = ask->lease;

    ask->lease = NULL;
    cg_slot_end(ask->q.endpoint->loop, ask->waiting);
    cg_lease_end(lease);
}

static void end(struct http *ask, cg_err err)
{
    let_go(ask);
    if (err == CG_OK)
        cg_question_answer(&ask->q);
    cg_call_end(&ask->q.call, err);
}

static cg_err begin_lease(struct http *ask);

/* A kept connection may have been closed by its other end just as we used it. Where nothing of an
 * answer came and asking twice is asking once (RFC 9110, 9.2.1), that is not an error worth
 * telling. */
static bool may_try_again(const struct http *ask)
{
    struct cg_span method = ask->q.head.method;

    return ask->lease->was_reused && !ask->lease->has_answered &&
           (cg_span_is(method, "GET") || cg_span_is(method, "HEAD"));
}

static void fail(struct http *ask, bool is_unsent, cg_err err)
{
    if (ask->lease && !ask->is_second_try && (is_unsent || may_try_again(ask))) {
        ask->is_second_try = true;
        let_go(ask);
        err = begin_lease(ask);
        if (err == CG_OK)
            return;
    }
    end(ask, err);
}

static cg_err send_body(struct http *ask)
{
    struct cg_exchange *x = ask->lease->exchange;
    struct cg_span left = cg_span_from(cg_buf_span(&ask->q.body), ask->n_sent);
    size_t taken = 0;
    cg_err err = cg_exchange_send(x, left, &taken);

    if (err != CG_OK)
        return err;
    ask->n_sent += taken;
    if (taken < left.len)
        return CG_OK; /* CG_X_ROOM follows */
    ask->is_sent = true;
    return cg_exchange_end(x, NULL);
}

static cg_err read_body(struct http *ask)
{
    struct cg_exchange *x = ask->lease->exchange;
    struct cg_span bytes;

    while ((bytes = cg_exchange_peek(x)).len > 0) {
        cg_err err = cg_buf_add(&ask->q.answer_body, bytes);

        if (err != CG_OK)
            return err;
        cg_exchange_take(x, bytes.len);
    }
    return CG_OK;
}

static cg_err look(struct http *ask, unsigned what)
{
    struct cg_exchange *x = ask->lease->exchange;
    cg_err err = CG_OK;

    if (what & CG_X_HEAD)
        err = cg_head_copy(&x->in, true, &ask->q.arena, &ask->q.answer_head);
    if (err == CG_OK)
        err = read_body(ask);
    /* The other end may answer before it has read all: then the answer is what counts. */
    if (err == CG_OK && (what & CG_X_ROOM) && !ask->is_sent && !cg_exchange_is_read(x))
        err = send_body(ask);
    return err;
}

static void on_event(struct cg_lease *lease, unsigned what)
{
    struct http *ask = lease->owner;
    struct cg_exchange *x = lease->exchange;
    cg_err err = look(ask, what);

    if (err != CG_OK)
        end(ask, err);
    else if (cg_exchange_is_read(x))
        end(ask, CG_OK);
    else if (what & CG_X_RESET)
        fail(ask, x->unprocessed, x->fault != CG_OK ? x->fault : CG_CLOSED);
}

static void on_lease(void *owner, struct cg_call *call)
{
    struct http *ask = owner;
    bool has_body = ask->q.body.len > 0;
    cg_err err = call->err;

    if (err == CG_OK) {
        ask->lease = cg_lease_take(call);
        ask->lease->owner = ask;
        ask->lease->on_event = on_event;
        ask->n_sent = 0;
        ask->is_sent = !has_body;
        err = cg_lease_ask(ask->lease, &ask->q.head, !has_body);
    }
    if (err == CG_CLOSED) { /* it went between promise and use */
        fail(ask, true, err);
        return;
    }
    if (err == CG_OK && has_body)
        err = send_body(ask);
    if (err != CG_OK)
        fail(ask, false, err);
}

static cg_err begin_lease(struct http *ask)
{
    const struct cg_endpoint *ep = ask->q.endpoint;
    const struct cg_endpoint_options *options = &ep->options;
    struct cg_lease_request request = {
        .key = ep->key,
        .target = {.host = ep->host,
                   .port = ep->port,
                   .allow = options->allow,
                   .allow_ctx = options->allow_ctx},
        .engine = options->engine,
        .engine_ctx = options->engine_ctx,
        .connect_ms = options->connect_ms,
    };
    cg_err err = cg_slot_open(ep->loop, on_lease, ask, &ask->waiting);

    if (err != CG_OK)
        return err;
    return cg_lease_begin(options->pool, &request, ask->waiting, 0, CG_NEVER);
}

/* --- the call --- */

static bool stop_http(struct cg_call *call)
{
    let_go((struct http *)call);
    return true;
}

static void free_http(struct cg_call *call)
{
    struct http *ask = (struct http *)call;

    cg_question_done(&ask->q);
    free(ask);
}

static const struct cg_call_kind http_call = {.name = "http", .stop = stop_http, .free = free_http};

static void begin_http(struct cg_question *question)
{
    struct http *ask = (struct http *)question;
    cg_err err = begin_lease(ask);

    if (err != CG_OK)
        end(ask, err);
}

const struct cg_asking cg_ask_http = {sizeof(struct http), &http_call, begin_http};
