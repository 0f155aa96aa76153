#include "runtime/serve.h"

#include "lib/base/span.h"
#include "runtime/loop_inner.h"
#include "runtime/reply_inner.h"

#include <assert.h>
#include <stdlib.h>

struct cg_server {
    struct cg_loop *loop;
    struct cg_listener *listener;
    struct cg_serve_options options;
};

/* One exchange of a server: its request being read, its reply being sent. */
struct visit {
    struct cg_server *server;
    struct cg_conn *conn;
    struct cg_exchange *exchange;
    struct cg_routed routed;
    struct cg_reply *reply;
    size_t n_sent; /* of the reply's body */
    bool is_run;   /* the handler has been called, or the request refused */
    bool is_sending;
};

static void end_visit(struct visit *visit)
{
    if (visit->reply) {
        visit->reply->asker = NULL;
        cg_reply_abandon(visit->reply);
    }
    cg_exchange_release(visit->exchange);
    free(visit);
}

/* --- out --- */

static void send_body(struct visit *visit)
{
    struct cg_span left = cg_span_from(cg_buf_span(&visit->reply->body), visit->n_sent);
    size_t taken = 0;

    if (cg_exchange_send(visit->exchange, left, &taken) != CG_OK) {
        end_visit(visit);
        return;
    }
    visit->n_sent += taken;
    if (taken < left.len)
        return; /* CG_X_ROOM follows */
    /* What was ended is sent, also after the release. */
    (void)!cg_exchange_end(visit->exchange, NULL);
    end_visit(visit);
}

static void send_reply(struct visit *visit)
{
    struct cg_reply *reply = visit->reply;
    int status = reply->head.status;
    bool has_no_body = status == 204 || status == 304;
    bool is_end = has_no_body || cg_span_is(reply->in_head.method, "HEAD") || reply->body.len == 0;

    if (has_no_body)
        reply->head.content_length = -1;
    visit->is_sending = true;
    if (cg_exchange_answer(visit->exchange, &reply->head, is_end) != CG_OK || is_end)
        end_visit(visit);
    else
        send_body(visit);
}

/* The reply is ended: perhaps by its handler from within on_exchange, perhaps much later. */
static void deliver(struct cg_reply *reply)
{
    struct visit *visit = reply->asker;

    cg_conn_wake(visit->conn);
    send_reply(visit);
}

/* --- in --- */

static void run(struct visit *visit)
{
    const struct cg_serve_options *options = &visit->server->options;

    visit->is_run = true;
    cg_reply_run(visit->reply, &visit->routed, options->tables, options->n_tables);
}

static void refuse(struct visit *visit, enum cg_refusal refusal)
{
    visit->is_run = true;
    cg_reply_refuse(visit->reply, refusal, NULL);
}

/* Takes the bytes at hand; false when the request was refused for them. */
static bool read_body(struct visit *visit)
{
    struct cg_span bytes;

    while ((bytes = cg_exchange_peek(visit->exchange)).len > 0) {
        cg_err err = cg_buf_add(&visit->reply->in_body, bytes);

        if (err != CG_OK) {
            refuse(visit, err == CG_NO_MEMORY ? CG_REFUSAL_UNAVAILABLE : CG_REFUSAL_TOO_LARGE);
            return false;
        }
        cg_exchange_take(visit->exchange, bytes.len);
    }
    return true;
}

/* What the engine itself would not have: its status is given, the code is the first that has it. */
static enum cg_refusal refusal_of(int status)
{
    for (int i = CG_REFUSAL_NONE + 1; i < CG_REFUSAL_COUNT; i++)
        if (cg_refusal_status((enum cg_refusal)i) == status)
            return (enum cg_refusal)i;
    return CG_REFUSAL_BAD_REQUEST;
}

/* Returns false when there is nobody to go on with. */
static bool begin_visit(struct cg_server *server, struct cg_conn *conn,
                        struct cg_exchange *exchange)
{
    struct visit *visit = calloc(1, sizeof *visit);

    if (visit) {
        visit->server = server;
        visit->conn = conn;
        visit->exchange = exchange;
        visit->routed =
            cg_route_find(server->options.tables, server->options.n_tables, &exchange->in);
        if (cg_reply_new(server->loop, cg_conn_peer(conn), &exchange->in, &visit->routed, deliver,
                         visit, &visit->reply) != CG_OK) {
            free(visit);
            visit = NULL;
        }
    }
    if (!visit) {
        cg_exchange_reset(exchange, CG_RESET_INTERNAL);
        cg_exchange_release(exchange);
        return false;
    }
    exchange->owner = visit;
    return true;
}

/* Decides what can be decided from the head alone; false: it is, and the visit may be over. */
static bool look_at_head(struct visit *visit, unsigned what)
{
    struct cg_exchange *x = visit->exchange;
    const struct cg_route_table *table = visit->routed.table;

    if (what & CG_X_REFUSED) {
        refuse(visit, refusal_of(x->refusal));
        return false;
    }
    if (!visit->routed.route) {
        run(visit);
        return false;
    }
    if (x->in.content_length > 0 && (uint64_t)x->in.content_length > table->body_max) {
        refuse(visit, CG_REFUSAL_TOO_LARGE);
        return false;
    }
    if (x->expects_continue && !(what & (CG_X_BODY | CG_X_END)))
        (void)!cg_exchange_inform(x, 100, NULL); /* a reset is told by its own bit */
    return true;
}

/* Each step may end the visit and with it the exchange: whoever says so is the last to touch it. */
static void on_exchange(struct cg_conn *conn, struct cg_exchange *exchange, unsigned what)
{
    struct visit *visit = exchange->owner;

    if (what & CG_X_RESET) {
        if (visit)
            end_visit(visit);
        else
            cg_exchange_release(exchange);
        return;
    }
    if (!visit) {
        if (!begin_visit(cg_conn_owner(conn), conn, exchange))
            return;
        visit = exchange->owner;
        if (!look_at_head(visit, what))
            return;
    }
    if (visit->is_run) {
        if (visit->is_sending && (what & CG_X_ROOM))
            send_body(visit);
    } else if (read_body(visit) && cg_exchange_is_read(exchange)) {
        run(visit);
    }
}

static void on_open(struct cg_conn *conn)
{
    (void)conn; /* the first exchange is soon enough */
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    (void)conn;
    (void)why; /* every visit was told by CG_X_RESET */
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

/* --- the server --- */

static cg_err accept_conn(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                          struct cg_engine **engine, void **owner)
{
    struct cg_server *server = ctx;

    *owner = server;
    return server->options.engine(server->options.engine_ctx, peer, loop, engine);
}

cg_err cg_server_new(struct cg_loop *loop, const struct cg_serve_options *options,
                     struct cg_server **out)
{
    struct cg_server *server = calloc(1, sizeof *server);
    struct cg_listen_options listen = {
        .at = options->at,
        .n_conns_max = options->n_conns_max,
        .events = &events,
        .accept = accept_conn,
        .ctx = server,
    };
    cg_err err;

    if (!server)
        return CG_NO_MEMORY;
    server->loop = loop;
    server->options = *options;
    err = cg_listener_new(loop, &listen, &server->listener);
    if (err != CG_OK) {
        free(server);
        return err;
    }
    *out = server;
    return CG_OK;
}

const struct cg_address *cg_server_at(const struct cg_server *server)
{
    return cg_listener_at(server->listener);
}

void cg_server_drain(struct cg_server *server, struct cg_mono limit, void (*on_drained)(void *ctx),
                     void *ctx)
{
    cg_listener_drain(server->listener, limit, on_drained, ctx);
}

void cg_server_free(struct cg_server *server)
{
    if (!server)
        return;
    cg_listener_free(server->listener);
    free(server);
}
