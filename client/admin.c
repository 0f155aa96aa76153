#include "client/admin.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/client.h"
#include "runtime/pool.h"

#define ASK_MS 10000
#define ANSWER_MAX_BYTES (1024 * 1024)

struct asking {
    struct cl_app *app;
    const char *method, *path;
    struct cg_span body;
    size_t sent;
    struct cg_lease *lease;
    struct cl_answer *answer;
    bool done;
    cg_err err;
};

static void settle(struct asking *a, cg_err err)
{
    a->done = true;
    a->err = err;
    cl_app_wake(a->app);
}

static cg_err send_rest(struct asking *a)
{
    struct cg_exchange *x = a->lease->exchange;
    size_t taken;

    if (a->sent == a->body.len)
        return CG_OK;
    CG_TRY(cg_exchange_send(x, cg_span_from(a->body, a->sent), &taken));
    a->sent += taken;
    return a->sent == a->body.len ? cg_exchange_end(x, NULL) : CG_OK;
}

static cg_err take(struct asking *a, unsigned what)
{
    struct cg_exchange *x = a->lease->exchange;

    if ((what & CG_X_ROOM) != 0)
        CG_TRY(send_rest(a));
    if ((what & CG_X_HEAD) != 0)
        a->answer->status = x->in.status;
    for (struct cg_span bytes = cg_exchange_peek(x); bytes.len > 0; bytes = cg_exchange_peek(x)) {
        CG_TRY(cg_buf_add(&a->answer->body, bytes));
        cg_exchange_take(x, bytes.len);
    }
    if (a->answer->status != 0 && cg_exchange_is_read(x))
        settle(a, CG_OK);
    else if ((what & CG_X_RESET) != 0)
        return x->fault != CG_OK ? x->fault : CG_CLOSED;
    return CG_OK;
}

static void on_event(struct cg_lease *lease, unsigned what)
{
    struct asking *a = lease->owner;
    cg_err err = a->done ? CG_OK : take(a, what);

    if (err != CG_OK)
        settle(a, err);
}

static cg_err begin(struct asking *a)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;

    cg_arena_init(&arena, 8192);
    cg_head_init(&head, &arena);
    head.method = cg_span_str(a->method);
    head.scheme = CG_LIT("http");
    head.authority = CG_LIT("localhost");
    head.path = cg_span_str(a->path);
    head.content_length = (int64_t)a->body.len;
    a->lease->on_event = on_event;
    a->lease->owner = a;
    CG_TRY(cg_lease_ask(a->lease, &head, a->body.len == 0));
    CG_TRY(send_rest(a));
    cg_conn_wake(a->lease->conn);
    return CG_OK;
}

static void on_call(void *owner, struct cg_call *call)
{
    struct asking *a = owner;

    if (call->err != CG_OK) {
        settle(a, call->err);
        return;
    }
    a->lease = cg_lease_take(call);
    cg_err err = begin(a);
    if (err != CG_OK)
        settle(a, err);
}

cg_err cl_admin_ask(struct cl_app *app, const char *socket, const char *method, const char *path,
                    struct cg_span body, struct cl_answer *answer)
{
    struct asking a = {.app = app, .method = method, .path = path, .body = body, .answer = answer};
    struct cg_client client;
    struct cg_ticket ticket;

    CG_TRY(cg_client_init(&client, NULL, (struct cg_span){NULL, 0}, &(struct cg_engine_conf){0}));
    const struct cg_lease_request ask = {
        .key = cg_span_str(socket),
        .target = {.unix_path = cg_span_str(socket)},
        .engine = cg_client_engine,
        .engine_ctx = &client,
        .connect_ms = ASK_MS,
    };
    answer->status = 0;
    cg_buf_init(&answer->body, ANSWER_MAX_BYTES);
    CG_TRY(cg_slot_open(app->loop, on_call, &a, &ticket));
    cg_err err =
        cg_lease_begin(app->pool, &ask, ticket, 1, cg_mono_after(cg_loop_mono(app->loop), ASK_MS));
    if (err == CG_OK)
        err = cl_app_wait(app, &a.done, ASK_MS);
    if (err == CG_OK)
        err = a.err;
    cg_lease_end(a.lease);
    cg_slot_end(app->loop, ticket);
    if (err != CG_OK)
        cg_buf_done(&answer->body);
    return err;
}
