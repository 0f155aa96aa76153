/* stream: requests and answers. Each place for a request begins the next one when its answer is
 * whole; the loop writes once for all that one pass has begun. */
#include "bench/load/load.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"

#include <stdlib.h>

cg_err ld_conn_head(struct ld_conn *conn)
{
    struct ld_run *run = conn->run;
    struct cg_head *head = &conn->head;
    size_t n_before;

    cg_arena_init(&conn->arena, CG_EXCHANGE_ARENA_MAX_BYTES);
    cg_head_init(head, &conn->arena);
    head->method = CG_LIT("GET");
    if (run->is_native) {
        size_t room = 1 + run->url.authority.len + run->url.path.len + run->url.query.len;
        uint8_t *text = cg_arena_take(&conn->arena, room);

        if (!text)
            return CG_NO_MEMORY;
        struct cg_writer w = cg_writer_fixed(text, room);
        cg_put_u8(&w, '/');
        cg_put(&w, run->url.authority);
        cg_put(&w, run->url.path);
        cg_put(&w, run->url.query);
        CG_TRY(cg_writer_end(&w));
        head->scheme = CG_LIT("httpcg");
        head->authority = cg_span_str(cg_plane_name(run->url.plane));
        head->path = cg_writer_span(&w);
    } else {
        head->scheme = run->tls ? CG_LIT("https") : CG_LIT("http");
        head->authority = run->host;
        head->path = run->path;
    }
    CG_TRY(cg_head_add(head, CG_TOKEN_USER_AGENT, CG_LIT("httpcg-load")));
    if (!run->options->is_grant)
        return CG_OK;
    n_before = head->n_fields;
    CG_TRY(cg_head_add(head, CG_TOKEN_QLOCK, CG_LIT("")));
    CG_TRY(cg_head_add(head, CG_TOKEN_SAPI, CG_LIT("")));
    conn->qlock = &head->fields[n_before];
    conn->sapi = &head->fields[n_before + 1];
    return CG_OK;
}

/* --- counting -------------------------------------------------------------------------------- */

static void count(struct ld_conn *conn, struct ld_stream *stream, int status, cg_err err)
{
    struct ld_run *run = conn->run;

    if (err == CG_OK && status == 200) {
        run->n_done++;
        if (run->is_measured)
            run->latencies[run->n_latencies++] =
                (uint32_t)(cg_loop_mono(run->app.loop).us - stream->began.us);
    } else {
        if (run->n_errors++ == 0) {
            run->first_status = status;
            run->first_error = err;
        }
    }
    if (--run->n_left == 0) {
        run->is_over = true;
        cg_loop_stop(run->app.loop);
    }
}

static void drop_proof(struct ld_stream *stream)
{
    if (stream->sent)
        cg_native_sent_done(stream->sent);
    free(stream->sent);
    stream->sent = NULL;
}

void ld_conn_lost(struct ld_conn *conn, cg_err why)
{
    conn->conn = NULL;
    for (unsigned i = 0; i < conn->run->options->n_streams; i++) {
        struct ld_stream *stream = &conn->streams[i];

        drop_proof(stream);
        if (!stream->x)
            continue;
        cg_exchange_release(stream->x);
        stream->x = NULL;
        conn->n_open--;
        count(conn, stream, 0, why);
    }
    for (; conn->n_to_begin > 0; conn->n_to_begin--)
        count(conn, NULL, 0, why);
}

/* --- the answer ------------------------------------------------------------------------------ */

static cg_err take_head(struct ld_stream *stream)
{
    struct ld_conn *conn = stream->conn;
    struct cg_fault fault;

    if (!conn->run->options->is_grant)
        return CG_OK;
    if (!stream->sent)
        return cg_head_find(&stream->x->in, CG_TOKEN_SAPI_RESPONSE) ? CG_OK : CG_NEEDS_AUTH;
    CG_TRY(cg_native_reply_head(stream->sent, conn->run->app.kit, &stream->x->in,
                                conn->link->transport, &fault));
    if (!stream->hasher)
        CG_TRY(cg_hasher_new(&stream->hasher));
    return cg_hasher_begin(stream->hasher);
}

static cg_err take_body(struct ld_stream *stream)
{
    struct cg_span bytes;

    while ((bytes = cg_exchange_peek(stream->x)).len > 0) {
        if (stream->sent)
            CG_TRY(cg_hasher_add(stream->hasher, bytes));
        stream->n_body += bytes.len;
        cg_exchange_take(stream->x, bytes.len);
    }
    return CG_OK;
}

static cg_err take_end(struct ld_stream *stream)
{
    struct ld_conn *conn = stream->conn;
    struct ld_run *run = conn->run;
    const struct cg_head *trailers = &stream->x->in_trailers;
    struct cg_fault fault;
    struct cg_hash digest;

    if (stream->x->in.status != 200)
        return CG_OK; /* counted as what it is */
    if (!run->has_body_bytes) {
        run->body_bytes = stream->n_body;
        run->has_body_bytes = true;
    }
    if (stream->n_body != run->body_bytes)
        return CG_MISMATCH;
    if (!stream->sent)
        return CG_OK;
    run->n_verified++;
    CG_TRY(cg_hasher_end(stream->hasher, &digest));
    return cg_native_reply_end(stream->sent, run->app.kit, &digest, stream->n_body,
                               trailers->n_fields > 0 ? trailers : NULL, conn->link->transport,
                               &fault);
}

static cg_err advance(struct ld_stream *stream, unsigned what)
{
    if ((what & CG_X_RESET) != 0)
        return stream->x->fault != CG_OK ? stream->x->fault : CG_CLOSED;
    if ((what & CG_X_HEAD) != 0)
        CG_TRY(take_head(stream));
    CG_TRY(take_body(stream));
    return cg_exchange_is_read(stream->x) ? take_end(stream) : CG_BUSY;
}

static void on_event(struct cl_asker *asker, unsigned what)
{
    struct ld_stream *stream = (struct ld_stream *)asker;
    struct ld_conn *conn = stream->conn;

    if ((what & (CG_X_HEAD | CG_X_BODY | CG_X_END | CG_X_TRAILERS | CG_X_RESET)) == 0)
        return;
    cg_err err = advance(stream, what);
    if (err == CG_BUSY)
        return;
    int status = stream->x->in.status;
    cg_exchange_release(stream->x);
    stream->x = NULL;
    drop_proof(stream);
    conn->n_open--;
    count(conn, stream, status, err);
    ld_stream_fill(conn);
}

/* --- the request ----------------------------------------------------------------------------- */

static cg_err begin(struct ld_stream *stream)
{
    struct ld_conn *conn = stream->conn;
    struct ld_signed *one;

    if (conn->sapi) {
        CG_TRY(ld_stock_take(conn, &one));
        conn->qlock->value = cg_span_of(conn->stock.qlock, conn->stock.qlock_len);
        conn->sapi->value = cg_span_of(one->sapi, one->len);
        stream->sent = one->sent;
        one->sent = NULL;
    }
    stream->n_body = 0;
    stream->began = cg_loop_mono(conn->run->app.loop);
    CG_TRY(cg_engine_begin(cg_conn_engine(conn->conn), &conn->head, true, &stream->x));
    stream->asker.on_event = on_event;
    stream->x->owner = &stream->asker;
    return CG_OK;
}

void ld_stream_fill(struct ld_conn *conn)
{
    struct cg_engine *engine = conn->conn ? cg_conn_engine(conn->conn) : NULL;

    for (unsigned i = 0; i < conn->run->options->n_streams && conn->n_to_begin > 0 && engine; i++) {
        struct ld_stream *stream = &conn->streams[i];

        if (stream->x)
            continue;
        if (!cg_engine_can_begin(engine))
            return;
        stream->conn = conn;
        conn->n_to_begin--;
        cg_err err = begin(stream);
        if (err == CG_OK) {
            conn->n_open++;
        } else {
            drop_proof(stream);
            count(conn, stream, 0, err);
        }
    }
    if (conn->conn)
        cg_conn_wake(conn->conn);
}
