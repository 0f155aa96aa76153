/* agent_ask.c: a fetch over the agent: the client's side. */
#include "client/agent.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/pump.h"

#include <stdlib.h>

#define DIAL_MS 2000
#define PIECE_BYTES (64 * 1024)

struct asking {
    struct cl_transfer *t;
    struct cl_app *app;
    const struct cl_fetch_ask *ask;
    struct cg_ticket ticket;
    struct cg_client client;
    struct cg_conn *conn;
    bool is_connected;
    bool is_closed;
    struct cg_exchange *x;
    uint8_t piece[PIECE_BYTES];
    size_t piece_at, piece_len, whole_sent;
    bool up_ended;
    bool has_head;
    bool is_busy;
    bool is_done;
    cg_err err;
    enum cl_way_step step;
};

static void settle(struct asking *a, cg_err err)
{
    if (a->is_done)
        return;
    a->is_done = true;
    a->err = err;
    cl_app_wake(a->app);
}

/* --- the request ------------------------------------------------------------------------------ */

static cg_err add_number(struct cg_head *head, const char *name, int64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)number);
    return cl_agent_add(head, name, text);
}

static cg_err add_digest(struct cg_head *head, const struct cg_hash *digest)
{
    char text[2 * CG_HASH_BYTES + 1] = {0};

    cg_hex_write(cg_hash_span(digest), text);
    return cl_agent_add(head, "digest", text);
}

static cg_err make_head(const struct asking *a, struct cg_head *head)
{
    const struct cl_fetch_ask *ask = a->ask;
    struct cg_hash digest = ask->digest;
    static const char *const bodies[] = {[CL_BODY_NONE] = "none",
                                         [CL_BODY_WHOLE] = "sized",
                                         [CL_BODY_SIZED] = "sized",
                                         [CL_BODY_STREAM] = "stream"};

    head->method = CG_LIT("POST");
    head->scheme = CG_LIT("http");
    head->authority = CG_LIT("agent");
    head->path = CG_LIT("/fetch");
    for (size_t i = 0; i < ask->n_fields; i++)
        CG_TRY(cg_head_add_named(head, ask->fields[i].name, ask->fields[i].value));
    CG_TRY(cl_agent_add(head, "url", a->t->whole));
    CG_TRY(cl_agent_add(head, "method", ask->method));
    CG_TRY(cl_agent_add(head, "sapi", cg_sapi_mode_name(ask->mode)));
    CG_TRY(cl_agent_add(head, "body", bodies[ask->body]));
    if (a->app->epochs)
        CG_TRY(add_number(head, "epochs", a->app->epochs));
    if (ask->body == CL_BODY_WHOLE)
        CG_TRY(cg_sha256(ask->whole, &digest));
    if (ask->body == CL_BODY_NONE || ask->body == CL_BODY_STREAM)
        return CG_OK;
    CG_TRY(add_digest(head, &digest));
    return add_number(head, "length",
                      ask->body == CL_BODY_WHOLE ? (int64_t)ask->whole.len : ask->length);
}

static cg_err next_bytes(struct asking *a, struct cg_span *out)
{
    if (a->ask->body == CL_BODY_WHOLE) {
        *out = cg_span_from(a->ask->whole, a->whole_sent);
        return CG_OK;
    }
    if (a->piece_at == a->piece_len) {
        a->piece_at = a->piece_len = 0;
        CG_TRY(a->ask->read(a->ask->ctx, a->piece, sizeof a->piece, &a->piece_len));
    }
    *out = cg_span_of(a->piece + a->piece_at, a->piece_len - a->piece_at);
    return CG_OK;
}

static cg_err send_body(struct asking *a)
{
    while (!a->up_ended) {
        struct cg_span bytes;
        size_t taken;
        cg_err err = next_bytes(a, &bytes);

        if (err == CG_BUSY)
            return CG_OK;
        CG_TRY(err);
        if (bytes.len == 0) {
            a->up_ended = true;
            return cg_exchange_end(a->x, NULL);
        }
        CG_TRY(cg_exchange_send(a->x, bytes, &taken));
        a->t->n_up += taken;
        a->whole_sent += taken;
        a->piece_at += a->ask->body == CL_BODY_WHOLE ? 0 : taken;
        if (taken < bytes.len)
            return CG_OK;
    }
    return CG_OK;
}

static cg_err begin(struct asking *a)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;

    cg_arena_init(&arena, CL_AGENT_HEAD_MAX_BYTES);
    cg_head_init(&head, &arena);
    CG_TRY(make_head(a, &head));
    a->up_ended = a->ask->body == CL_BODY_NONE;
    CG_TRY(cg_engine_begin(cg_conn_engine(a->conn), &head, a->up_ended, &a->x));
    a->x->owner = a;
    cg_exchange_set_patient(a->x, true);
    CG_TRY(send_body(a));
    cg_conn_wake(a->conn);
    return CG_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void take_text(const struct cg_head *head, const char *name, char *out, size_t room)
{
    struct cg_span value = cl_agent_value(head, name);

    if (value.at)
        snprintf(out, room, "%.*s", (int)value.len, (const char *)value.at);
}

static int64_t take_number(const struct cg_head *head, const char *name, int64_t otherwise)
{
    char text[24] = "";

    take_text(head, name, text, sizeof text);
    return text[0] ? strtoll(text, NULL, 10) : otherwise;
}

/* step, name, error, detail */
static void take_check(struct cl_show *show, struct cg_span value)
{
    static const char *const steps[] = {"resolve", "connect", "control", "signed", "answer"};
    struct cg_span part[4];
    char name[72], detail[120];

    for (size_t i = 0; i < 4; i++) {
        part[i] = cg_span_first(value, cg_span_find(value, '\t'));
        value = cg_span_from(value, part[i].len + 1);
    }
    snprintf(name, sizeof name, "%.*s", (int)part[1].len, (const char *)part[1].at);
    snprintf(detail, sizeof detail, "%.*s", (int)part[3].len,
             part[3].len ? (const char *)part[3].at : "");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (cg_span_is(part[0], steps[i]))
            show->step = steps[i];
    cl_show_check(show, name, cl_err_of_name(part[2]), detail);
}

static void take_checks(struct cl_show *show, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++)
        if (cg_span_is(head->fields[i].name, CL_AGENT_PREFIX "check"))
            take_check(show, head->fields[i].value);
}

/* The gateway's own head: all fields but ours, its status, its length. */
static cg_err give_head(struct asking *a)
{
    const struct cg_head *in = &a->x->in;
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;

    cg_arena_init(&arena, 2 * CL_AGENT_HEAD_MAX_BYTES);
    cg_head_init(&head, &arena);
    head.status = a->t->status;
    head.content_length = take_number(in, "length", -1);
    for (size_t i = 0; i < in->n_fields; i++)
        if (!cl_agent_is_ours(&in->fields[i]))
            CG_TRY(cg_head_add_named(&head, in->fields[i].name, in->fields[i].value));
    if (head.content_length >= 0 && !cg_head_find(&head, CG_TOKEN_CONTENT_LENGTH))
        CG_TRY(cg_head_add_int(&head, CG_TOKEN_CONTENT_LENGTH, (uint64_t)head.content_length));
    cl_show_head(a->app->show, &head, false);
    return a->ask->on_head ? a->ask->on_head(a->ask->ctx, &head) : CG_OK;
}

static cg_err take_head(struct asking *a)
{
    const struct cg_head *in = &a->x->in;
    struct cl_transfer *t = a->t;

    a->has_head = true;
    if (a->app->trust->quorum.is_none)
        cl_app_say_unwitnessed(a->app);
    /* It has too much to do, or its wallet is another one by now: then we do it ourselves. */
    a->is_busy = in->status == 503 || in->status == 410;
    if (in->status != 200)
        return a->is_busy ? CG_UNREACHABLE : CG_PROTOCOL;
    take_checks(a->app->show, in);
    if (cl_agent_value(in, "reused").at)
        cl_show_note(a->app->show, "the agent had this connection: its checks were made before");
    take_text(in, "gateway", t->gateway, sizeof t->gateway);
    take_text(in, "did", t->gateway_did, sizeof t->gateway_did);
    take_text(in, "fingerprint", t->fingerprint, sizeof t->fingerprint);
    take_text(in, "group", t->tls_group, sizeof t->tls_group);
    take_text(in, "address", t->address, sizeof t->address);
    take_text(in, "http", t->http_version, sizeof t->http_version);
    take_text(in, "wallet", t->wallet, sizeof t->wallet);
    t->status = (int)take_number(in, "status", 0);
    t->head_at = cg_clock_mono();
    return t->status ? give_head(a) : CG_OK;
}

static cg_err take_body(struct asking *a)
{
    for (struct cg_span bytes = cg_exchange_peek(a->x); bytes.len > 0;
         bytes = cg_exchange_peek(a->x)) {
        size_t taken;

        CG_TRY(a->ask->write(a->ask->ctx, bytes, &taken));
        a->t->n_down += taken;
        cg_exchange_take(a->x, taken);
    }
    return CG_OK;
}

/* Without its trailers an answer ended early, whatever its head said. */
static cg_err take_end(struct asking *a)
{
    const struct cg_head *end = &a->x->in_trailers;
    struct cg_span way = cl_agent_value(end, "failed-way"), failed = cl_agent_value(end, "failed");

    take_checks(a->app->show, end);
    take_text(end, "problem", a->app->show->problem, sizeof a->app->show->problem);
    a->app->show->retry_after_s = take_number(end, "retry-after", -1);
    a->app->show->server_time = (uint64_t)take_number(end, "server-time", 0);
    a->t->is_hint = cl_agent_value(end, "hint").at != NULL;
    a->t->is_verified = cl_agent_value(end, "verified").at != NULL;
    if (a->t->is_hint)
        a->t->status = (int)take_number(end, "status", 0);
    if (way.at && way.len > 2) {
        a->step = (enum cl_way_step)(way.at[0] - '0');
        return cl_err_of_name(cg_span_from(way, 2));
    }
    if (failed.at)
        return cl_err_of_name(failed);
    return cl_agent_value(end, "done").at ? CG_OK : CG_CLOSED;
}

static cg_err advance(struct asking *a, unsigned what)
{
    if ((what & CG_X_HEAD) != 0)
        CG_TRY(take_head(a));
    if (a->has_head) {
        CG_TRY(take_body(a));
        if (cg_exchange_is_read(a->x)) {
            settle(a, take_end(a));
            return CG_OK;
        }
    }
    if ((what & CG_X_RESET) != 0)
        return a->x->fault != CG_OK ? a->x->fault : CG_CLOSED;
    return (what & CG_X_ROOM) != 0 ? send_body(a) : CG_OK;
}

/* --- the connection --------------------------------------------------------------------------- */

static void on_open(struct cg_conn *conn)
{
    struct asking *a = cg_conn_owner(conn);

    a->is_connected = true;
    cg_err err = begin(a);
    if (err != CG_OK)
        settle(a, err);
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct asking *a = cg_conn_owner(conn);

    if (x != a->x) {
        cg_exchange_release(x);
        return;
    }
    cg_err err = a->is_done ? CG_OK : advance(a, what);
    if (err != CG_OK)
        settle(a, err);
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct asking *a = cg_conn_owner(conn);

    a->conn = NULL;
    a->x = NULL;
    a->is_closed = true;
    settle(a, why == CG_OK ? CG_CLOSED : why);
    cl_app_wake(a->app);
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

static void on_call(void *owner, struct cg_call *call)
{
    struct asking *a = owner;
    struct cg_engine *engine;
    struct cg_peer peer;

    if (call->err != CG_OK) {
        settle(a, CG_UNREACHABLE);
        return;
    }
    int fd = cg_dial_take(call, &peer);
    cg_err err = cg_client_engine(&a->client, &peer, a->app->loop, &engine);
    if (err == CG_OK)
        err = cg_conn_new(a->app->loop, fd, &peer, engine, &events, a, &a->conn);
    if (err != CG_OK)
        settle(a, err);
}

static cg_err dial(struct asking *a, const char *path)
{
    const struct cg_target target = {.unix_path = cg_span_str(path)};
    const struct cg_engine_conf conf = {.idle_ms = 600000, .in_max_bytes = 1 << 20};

    CG_TRY(cg_client_init(&a->client, NULL, (struct cg_span){NULL, 0}, &conf));
    a->client.speaks = CG_SPEAKS_H2;
    CG_TRY(cg_slot_open(a->app->loop, on_call, a, &a->ticket));
    return cg_dial_begin(a->app->resolver, &target, a->ticket, 1,
                         cg_mono_after(cg_loop_mono(a->app->loop), DIAL_MS));
}

static void end(struct asking *a)
{
    if (a->x) {
        cg_exchange_release(a->x);
        a->x = NULL;
    }
    cg_slot_end(a->app->loop, a->ticket);
    if (!a->conn)
        return;
    cg_conn_close(a->conn, CG_CLOSED);
    while (!a->is_closed)
        cg_loop_run_for(a->app->loop, 100);
}

void cl_agent_wake(void *asking)
{
    struct asking *a = asking;
    cg_err err = a->is_done || !a->x ? CG_OK : advance(a, CG_X_ROOM);

    if (err != CG_OK)
        settle(a, err);
    else if (a->conn)
        cg_conn_wake(a->conn);
}

cg_err cl_agent_fetch(struct cl_transfer *t, const char *path, const struct cl_fetch_ask *ask,
                      enum cl_way_step *out_step)
{
    struct asking *a = calloc(1, sizeof *a);

    if (!a)
        return CG_NO_MEMORY;
    a->t = t;
    a->app = &t->run->app;
    a->ask = ask;
    a->step = CL_WAY_READY;
    t->agent = a;
    cg_err err = dial(a, path);
    if (err == CG_OK)
        err = cl_app_wait(a->app, &a->is_done, 0);
    if (err == CG_OK)
        err = a->err;
    if (err != CG_OK && !a->is_connected)
        err = CG_UNREACHABLE;
    t->is_by_agent = a->is_connected && !a->is_busy;
    *out_step = a->step;
    t->agent = NULL;
    end(a);
    free(a);
    return err;
}
