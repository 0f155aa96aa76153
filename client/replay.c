/* replay.c: httpcg-replay sends one request, captures its headers, and sends them again: on the
 * same connection, and on another one of the same wallet. Not installed: it shows, in ./dev run
 * --check and in tests, that what was captured is worth nothing.
 *
 *     httpcg-replay URL -d DATA [httpcg's options for wallet, trust and header fields]
 *
 * A line for each of the three, or --json; exit 0 when the first was answered with a status below
 * 400 and both replays were refused with 401. */
#include "client/transfer.h"
#include "client/wallet.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

#define HEAD_MAX_BYTES (64 * 1024)

/* What was sent, byte for byte. */
struct captured {
    struct cg_arena arena;
    struct cg_head head;
    struct cg_span body;
    cg_err err;
};

struct attempt {
    struct cl_asker asker; /* must be first */
    struct cl_app *app;
    struct cg_exchange *x;
    struct cg_span body;
    size_t sent;
    int status;
    bool is_done;
    cg_err err;
};

static cg_err capture(struct captured *captured, const struct cg_head *head)
{
    struct cg_head *copy = &captured->head;

    cg_head_init(copy, &captured->arena);
    CG_TRY(cg_arena_copy(&captured->arena, head->method, &copy->method));
    CG_TRY(cg_arena_copy(&captured->arena, head->scheme, &copy->scheme));
    CG_TRY(cg_arena_copy(&captured->arena, head->authority, &copy->authority));
    CG_TRY(cg_arena_copy(&captured->arena, head->path, &copy->path));
    copy->content_length = head->content_length;
    for (size_t i = 0; i < head->n_fields; i++)
        CG_TRY(cg_head_add_named(copy, head->fields[i].name, head->fields[i].value));
    return CG_OK;
}

static void on_sent(void *ctx, const struct cg_head *head)
{
    struct captured *captured = ctx;

    captured->err = capture(captured, head);
}

/* --- sending it again ------------------------------------------------------------------------- */

static cg_err advance(struct attempt *a, unsigned what)
{
    size_t taken;

    if ((what & CG_X_HEAD) != 0)
        a->status = a->x->in.status;
    for (struct cg_span bytes = cg_exchange_peek(a->x); bytes.len > 0;
         bytes = cg_exchange_peek(a->x))
        cg_exchange_take(a->x, bytes.len);
    if (a->status != 0 && cg_exchange_is_read(a->x)) {
        a->is_done = true;
        return CG_OK;
    }
    if ((what & CG_X_RESET) != 0)
        return a->x->fault != CG_OK ? a->x->fault : CG_CLOSED;
    if ((what & CG_X_ROOM) == 0 || a->sent == a->body.len)
        return CG_OK;
    CG_TRY(cg_exchange_send(a->x, cg_span_from(a->body, a->sent), &taken));
    a->sent += taken;
    return a->sent == a->body.len ? cg_exchange_end(a->x, NULL) : CG_OK;
}

static void on_event(struct cl_asker *asker, unsigned what)
{
    struct attempt *a = (struct attempt *)asker;

    a->err = a->is_done ? a->err : advance(a, what);
    a->is_done = a->is_done || a->err != CG_OK;
    if (a->is_done)
        cl_app_wake(a->app);
}

static cg_err send_again(struct cl_app *app, struct cl_link *link, const struct captured *captured,
                         int *out_status)
{
    struct attempt a = {.asker.on_event = on_event, .app = app, .body = captured->body};
    bool is_end = captured->body.len == 0;

    CG_TRY(cg_engine_begin(cg_conn_engine(link->conn), &captured->head, is_end, &a.x));
    a.x->owner = &a.asker;
    cg_err err = advance(&a, CG_X_ROOM);
    cg_conn_wake(link->conn);
    if (err == CG_OK)
        err = cl_app_wait(app, &a.is_done, 30000);
    if (err == CG_OK)
        err = a.err;
    cg_exchange_release(a.x);
    if (link->conn)
        cg_conn_wake(link->conn);
    *out_status = a.status;
    return err;
}

/* --- sending it once -------------------------------------------------------------------------- */

struct once {
    struct captured captured; /* must be first: it is on_sent's */
    struct cl_app *app;
    bool is_done;
    int status;
    cg_err err;
};

static cg_err on_write(void *ctx, struct cg_span bytes, size_t *out_taken)
{
    (void)ctx;
    *out_taken = bytes.len;
    return CG_OK;
}

static void on_done(void *ctx, struct cl_fetch *fetch, cg_err err)
{
    struct once *once = ctx;

    once->is_done = true;
    once->err = err;
    once->status = fetch->status;
}

static cg_err send_once(struct once *once, const struct cl_request *request,
                        const struct cg_url *url, struct cl_link *link)
{
    struct cl_fetch *fetch;
    const struct cl_fetch_ask ask = {
        .url = url,
        .method = request->method,
        .fields = request->fields,
        .n_fields = request->n_fields,
        .mode = CG_SAPI_GRANT,
        .body = request->body,
        .whole = cg_buf_span(&request->whole),
        .write = on_write,
        .on_sent = on_sent,
        .on_done = on_done,
        .ctx = once,
    };

    CG_TRY(cl_fetch_begin(link, &ask, &fetch));
    cg_err err = cl_app_wait(once->app, &once->is_done, 30000);
    cl_fetch_free(fetch);
    return err == CG_OK ? once->err : err;
}

/* --- the program ------------------------------------------------------------------------------ */

static int told(struct cl_run *run, const char *what, const char *member, int status, cg_err err)
{
    cl_say(run->show, "%s: %d%s%s", what, status, err == CG_OK ? "" : ", ",
           err == CG_OK ? "" : cg_err_text(err));
    cl_add(run->show, member, json_integer(status));
    return status;
}

static int replay(struct cl_run *run, struct cl_ways *ways, struct cl_ways *others,
                  const struct cl_request *request, const struct cg_url *url)
{
    struct once once = {.app = &run->app};
    enum cl_way_step step;
    struct cl_way *way, *other;
    int status, same = 0, another = 0;

    cg_arena_init(&once.captured.arena, HEAD_MAX_BYTES);
    once.captured.body = cg_buf_span(&request->whole);
    cg_err err = cl_way_find(ways, url, false, &way, &step);
    if (err == CG_OK)
        err = cl_way_find(others, url, false, &other, &step);
    if (err == CG_OK)
        err = send_once(&once, request, url, way->link);
    if (err == CG_OK)
        err = once.captured.err;
    if (err != CG_OK) {
        cg_arena_done(&once.captured.arena);
        return cl_fail(run->show, cl_exit_of(err), err, NULL, "the request itself");
    }
    status = told(run, "sent", "sent", once.status, CG_OK);
    err = send_again(&run->app, way->link, &once.captured, &same);
    told(run, "the same again, on the same connection", "same_connection", same, err);
    err = send_again(&run->app, other->link, &once.captured, &another);
    told(run, "the same again, on another connection", "other_connection", another, err);
    cg_arena_done(&once.captured.arena);
    if (status < 400 && same == 401 && another == 401)
        return 0;
    return cl_fail(run->show, CL_EXIT_ANSWER, CG_OK, NULL, "a replay was not refused with 401");
}

static int run_all(struct cl_run *run)
{
    struct cl_ways ways = {.app = &run->app}, others = {.app = &run->app};
    struct cl_request request = {0};
    struct cg_url url;
    void *room = NULL;
    int code = cl_run_trust(run);

    if (code == 0 && run->n_words != 1)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "one URL is needed");
    if (code == 0)
        code = cl_request_make(run, NULL, &request);
    if (code == 0 && (request.body == CL_BODY_SIZED || request.body == CL_BODY_STREAM))
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "-T is not repeated");
    if (code == 0)
        code = cl_wallet_open(run);
    if (code == 0) {
        room = malloc(CG_URL_ROOM(strlen(run->words[0])));
        if (!room || cg_url_read(cg_span_str(run->words[0]), room, &url, NULL) != CG_OK)
            code = cl_fail(run->show, CL_EXIT_URL, CG_OK, NULL, "%s is no URL", run->words[0]);
    }
    if (code == 0)
        code = replay(run, &ways, &others, &request, &url);
    cl_ways_done(&ways);
    cl_ways_done(&others);
    cl_request_done(&request);
    free(room);
    return code;
}

int main(int argc, char **argv)
{
    static struct cl_show show;
    static struct cl_args args;
    static struct cl_run run;
    char why[512];
    int code = 0;

    cl_show_init(&show);
    run = (struct cl_run){.command = CL_FETCH, .args = &args, .show = &show};
    if (cl_args_read(&args, argc - 1, (const char *const *)argv + 1, why, sizeof why) != CG_OK)
        code = cl_fail(&show, CL_EXIT_USAGE, CG_OK, NULL, "%s", why);
    run.words = args.words;
    run.n_words = args.n_words;
    show.is_verbose = cl_is_on(&args, CL_VERBOSE);
    show.is_silent = cl_is_on(&args, CL_SILENT);
    if (code == 0 && cl_is_on(&args, CL_JSON) && cl_show_json(&show) != CG_OK)
        code = CL_EXIT_MEMORY;
    if (code == 0)
        code = run_all(&run);
    cl_show_end(&show, code, show.out);
    cl_app_done(&run.app);
    cg_buf_wipe(&run.pass.text);
    cg_buf_wipe(&run.new_pass.text);
    cl_show_done(&show);
    return code;
}
