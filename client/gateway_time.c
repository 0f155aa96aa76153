#include "client/gateway_time.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/url/target.h"
#include "lib/wire/json.h"

#define ASK_MS 10000
#define BODY_MAX_BYTES 256

struct asking {
    struct cl_asker asker; /* must be first */
    struct cl_link *link;
    struct cg_exchange *x;
    struct cg_buf body;
    int status;
    bool is_done;
    cg_err err;
};

static void settle(struct asking *a, cg_err err)
{
    if (a->is_done)
        return;
    a->is_done = true;
    a->err = err;
    cl_app_wake(a->link->app);
}

static cg_err take(struct asking *a, unsigned what)
{
    if ((what & CG_X_HEAD) != 0)
        a->status = a->x->in.status;
    for (struct cg_span bytes = cg_exchange_peek(a->x); bytes.len > 0;
         bytes = cg_exchange_peek(a->x)) {
        CG_TRY(cg_buf_add(&a->body, bytes));
        cg_exchange_take(a->x, bytes.len);
    }
    if (a->status != 0 && cg_exchange_is_read(a->x))
        settle(a, CG_OK);
    else if ((what & CG_X_RESET) != 0)
        return a->x->fault != CG_OK ? a->x->fault : CG_CLOSED;
    return CG_OK;
}

static void on_event(struct cl_asker *asker, unsigned what)
{
    struct asking *a = (struct asking *)asker;
    cg_err err = a->is_done ? CG_OK : take(a, what);

    if (err != CG_OK)
        settle(a, err);
}

static cg_err begin(struct asking *a)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;

    if (!a->link->conn)
        return CG_CLOSED;
    cg_arena_init(&arena, 4096);
    cg_head_init(&head, &arena);
    head.method = CG_LIT("GET");
    head.scheme = CG_LIT("https");
    head.authority = cg_span_str(a->link->host);
    head.path = CG_LIT(CG_CONTROL_PREFIX "time");
    CG_TRY(cg_engine_begin(cg_conn_engine(a->link->conn), &head, true, &a->x));
    a->x->owner = &a->asker;
    cg_conn_wake(a->link->conn);
    return CG_OK;
}

static cg_err read_time(const struct asking *a, struct cg_wall *out)
{
    uint64_t server_time;
    const struct cg_json_member member = {"server_time", CG_JSON_UINT, .number = &server_time};

    if (a->status != 200)
        return CG_SCHEMA;
    CG_TRY(cg_json_object(cg_buf_span(&a->body), CG_JSON_DOCUMENT, &member, 1));
    out->s = (int64_t)server_time; /* JSON's numbers end at 2^53 */
    return CG_OK;
}

cg_err cl_gateway_time(struct cl_link *link, struct cg_wall *out)
{
    struct asking a = {.asker.on_event = on_event, .link = link};

    cg_buf_init(&a.body, BODY_MAX_BYTES);
    cg_err err = begin(&a);
    if (err == CG_OK)
        err = cl_app_wait(link->app, &a.is_done, ASK_MS);
    if (err == CG_OK)
        err = a.err;
    if (err == CG_OK)
        err = read_time(&a, out);
    if (a.x && link->conn) {
        cg_exchange_release(a.x);
        cg_conn_wake(link->conn);
    }
    cg_buf_done(&a.body);
    return err;
}
