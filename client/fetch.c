#include "client/fetch.h"

#include "client/show.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/field.h"

#include <stdlib.h>

#define PIECE_BYTES (64 * 1024)
#define HINT_MAX_BYTES (64 * 1024)

static void settle(struct cl_fetch *f, cg_err err)
{
    if (f->is_done)
        return;
    f->is_done = true;
    if (f->x) {
        cg_exchange_release(f->x);
        f->x = NULL;
        if (f->link->conn)
            cg_conn_wake(f->link->conn);
    }
    f->ask.on_done(f->ask.ctx, f, err);
    cl_app_wake(f->link->app);
}

/* --- the request -------------------------------------------------------------------------------
 */

static cg_err add_digest(struct cg_head *head, const struct cg_hash *digest)
{
    uint8_t text[CG_DIGEST_CHARS];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    cg_digest_write(digest, &w);
    CG_TRY(cg_writer_end(&w));
    return cg_head_add(head, CG_TOKEN_CONTENT_DIGEST, cg_writer_span(&w));
}

static cg_err set_target(struct cg_head *head, const struct cg_url *url)
{
    size_t room = 1 + url->authority.len + url->path.len + url->query.len;
    uint8_t *text = cg_arena_take(head->arena, room);

    if (!text)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(text, room);
    cg_put_u8(&w, '/');
    cg_put(&w, url->authority);
    cg_put(&w, url->path);
    cg_put(&w, url->query);
    head->scheme = CG_LIT("httpcg");
    head->authority = cg_span_str(cg_plane_name(url->plane));
    head->path = cg_writer_span(&w);
    return cg_writer_end(&w);
}

static cg_err make_head(struct cl_fetch *f, struct cg_head *head, struct cg_body_plan *body)
{
    const struct cl_fetch_ask *ask = &f->ask;

    head->method = cg_span_str(ask->method);
    CG_TRY(set_target(head, ask->url));
    for (size_t i = 0; i < ask->n_fields; i++)
        CG_TRY(cg_head_add_named(head, ask->fields[i].name, ask->fields[i].value));
    switch (ask->body) {
    case CL_BODY_NONE:
        return CG_OK;
    case CL_BODY_WHOLE:
        body->mode = CG_BODY_DIGEST;
        CG_TRY(cg_sha256(ask->whole, &body->digest));
        head->content_length = (int64_t)ask->whole.len;
        return add_digest(head, &body->digest);
    case CL_BODY_SIZED:
        body->mode = CG_BODY_DIGEST;
        body->digest = ask->digest;
        head->content_length = ask->length;
        return add_digest(head, &body->digest);
    case CL_BODY_STREAM:
        if (ask->mode == CG_SAPI_NONE)
            return CG_OK;
        body->mode = CG_BODY_TRAILER;
        return cg_head_add(head, CG_TOKEN_TRAILER, CG_LIT("SAPI-Trailer"));
    }
    return CG_INTERNAL;
}

static cg_err sign_hybrid(const struct cl_app *app, struct cg_span tbs, uint8_t out[CG_HSIG_BYTES])
{
    struct cg_signer *signer;

    CG_TRY(cl_wallet_signer(app, &signer));
    cg_err err = cg_sapi_sign_hybrid(signer, tbs, out);
    cg_signer_free(signer);
    return err;
}

static cg_err sign(struct cl_fetch *f, struct cg_head *head, const struct cg_body_plan *body)
{
    struct cl_app *app = f->link->app;
    const struct cg_native_ask ask = {head, f->ask.url, f->ask.mode, *body};
    CG_AUTO(buf) struct cg_buf qlock = {0};
    CG_AUTO(buf) struct cg_buf sapi = {0};
    uint8_t signature[CG_HSIG_BYTES];

    cg_buf_init(&qlock, CG_QLOCK_MAX_BYTES);
    cg_buf_init(&sapi, CG_SAPI_MAX_BYTES);
    CG_TRY(cg_native_request(&f->link->native, app->kit, &ask, cg_loop_wall(app->loop), &f->sent,
                             &qlock, &sapi));
    f->is_signed = true;
    if (f->ask.mode == CG_SAPI_HYBRID) {
        CG_TRY(sign_hybrid(app, cg_buf_span(&f->sent.tbs), signature));
        CG_TRY(cg_native_request_signed(&f->sent, CG_BYTES(signature), &sapi));
    }
    CG_TRY(cg_head_add(head, CG_TOKEN_QLOCK, cg_buf_span(&qlock)));
    return cg_head_add(head, CG_TOKEN_SAPI, cg_buf_span(&sapi));
}

static cg_err begin(struct cl_fetch *f)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_body_plan body = {.mode = CG_BODY_NONE};
    struct cg_head head;

    cg_arena_init(&arena, CG_EXCHANGE_ARENA_MAX_BYTES);
    cg_head_init(&head, &arena);
    CG_TRY(make_head(f, &head, &body));
    if (f->ask.mode != CG_SAPI_NONE)
        CG_TRY(sign(f, &head, &body));
    cl_show_head(f->show, &head, true);
    if (f->ask.on_sent)
        f->ask.on_sent(f->ask.ctx, &head);
    bool is_end = f->ask.body == CL_BODY_NONE;
    CG_TRY(cg_engine_begin(cg_conn_engine(f->link->conn), &head, is_end, &f->x));
    f->x->owner = &f->asker;
    f->up_ended = is_end;
    cg_conn_wake(f->link->conn);
    return CG_OK;
}

/* --- its body ----------------------------------------------------------------------------------
 */

static cg_err end_body(struct cl_fetch *f)
{
    struct cl_app *app = f->link->app;
    CG_AUTO(arena) struct cg_arena arena = {0};
    CG_AUTO(buf) struct cg_buf value = {0};
    struct cg_head trailers;
    struct cg_hash digest;
    uint8_t tbs[CG_SAPI_TRAILER_TBS_BYTES], signature[CG_HSIG_BYTES];
    struct cg_span sig = {NULL, 0};

    if (!f->is_signed || f->ask.body != CL_BODY_STREAM)
        return cg_exchange_end(f->x, NULL);
    CG_TRY(cg_hasher_end(f->up, &digest));
    if (f->ask.mode == CG_SAPI_HYBRID) {
        CG_TRY(cg_native_trailer_tbs(&f->sent, &digest, tbs));
        CG_TRY(sign_hybrid(app, CG_BYTES(tbs), signature));
        sig = CG_BYTES(signature);
    }
    cg_buf_init(&value, CG_SAPI_MAX_BYTES);
    CG_TRY(cg_native_trailer(&f->sent, app->kit, &digest, sig, &value));
    cg_arena_init(&arena, CG_EXCHANGE_ARENA_MAX_BYTES);
    cg_head_init(&trailers, &arena);
    CG_TRY(cg_head_add(&trailers, CG_TOKEN_SAPI_TRAILER, cg_buf_span(&value)));
    return cg_exchange_end(f->x, &trailers);
}

static cg_err next_piece(struct cl_fetch *f)
{
    if (!f->piece) {
        f->piece = malloc(PIECE_BYTES);
        if (!f->piece)
            return CG_NO_MEMORY;
        CG_TRY(cg_hasher_new(&f->up));
        CG_TRY(cg_hasher_begin(f->up));
    }
    f->piece_at = f->piece_len = 0;
    CG_TRY(f->ask.read(f->ask.ctx, f->piece, PIECE_BYTES, &f->piece_len));
    if (f->ask.body != CL_BODY_STREAM)
        return CG_OK; /* its digest is known */
    return cg_hasher_add(f->up, cg_span_of(f->piece, f->piece_len));
}

/* What is to be sent next; empty: it ends here. */
static cg_err bytes_to_send(struct cl_fetch *f, struct cg_span *out)
{
    if (f->ask.body == CL_BODY_WHOLE) {
        *out = cg_span_from(f->ask.whole, f->body_sent);
        return CG_OK;
    }
    if (f->piece_at == f->piece_len)
        CG_TRY(next_piece(f));
    *out = cg_span_of(f->piece + f->piece_at, f->piece_len - f->piece_at);
    return CG_OK;
}

static cg_err send_body(struct cl_fetch *f)
{
    while (!f->up_ended) {
        struct cg_span bytes;
        size_t taken;
        cg_err err = bytes_to_send(f, &bytes);

        if (err == CG_BUSY)
            return CG_OK;
        CG_TRY(err);
        if (bytes.len == 0) {
            f->up_ended = true;
            return end_body(f);
        }
        CG_TRY(cg_exchange_send(f->x, bytes, &taken));
        f->n_up += taken;
        f->body_sent += taken;
        f->piece_at += f->ask.body == CL_BODY_WHOLE ? 0 : taken;
        if (taken < bytes.len)
            return CG_OK; /* more when there is room */
    }
    return CG_OK;
}

/* --- its answer --------------------------------------------------------------------------------
 */

static cg_err take_head(struct cl_fetch *f)
{
    struct cl_app *app = f->link->app;

    f->status = f->x->in.status;
    f->retry_after_s = cl_retry_after(&f->x->in);
    f->head_at = cg_loop_mono(app->loop);
    cl_show_head(f->show, &f->x->in, false);
    if (f->is_signed) {
        cg_err err =
            cg_native_reply_head(&f->sent, app->kit, &f->x->in, f->link->transport, &f->fault);

        CG_TRY(err == CG_OK
                   ? CG_OK
                   : cl_show_check(f->show, "answer signed by the gateway", err, f->fault.check));
        f->is_hint = f->sent.form == CG_NATIVE_HINT;
    }
    CG_TRY(cg_hasher_new(&f->down));
    CG_TRY(cg_hasher_begin(f->down));
    if (f->is_hint)
        cg_buf_init(&f->hint, HINT_MAX_BYTES);
    else if (f->ask.on_head)
        CG_TRY(f->ask.on_head(f->ask.ctx, &f->x->in));
    return CG_OK;
}

static cg_err take_body(struct cl_fetch *f)
{
    for (struct cg_span bytes = cg_exchange_peek(f->x); bytes.len > 0;
         bytes = cg_exchange_peek(f->x)) {
        size_t taken = bytes.len;

        if (f->is_hint)
            CG_TRY(cg_buf_add(&f->hint, bytes));
        else
            CG_TRY(f->ask.write(f->ask.ctx, bytes, &taken));
        CG_TRY(cg_hasher_add(f->down, cg_span_first(bytes, taken)));
        f->n_down += taken;
        cg_exchange_take(f->x, taken);
        if (taken < bytes.len)
            return CG_OK;
    }
    return CG_OK;
}

static cg_err refused(struct cl_fetch *f)
{
    const struct cl_refused said = {f->status, f->retry_after_s, cg_buf_span(&f->hint)};
    cg_err err = cl_show_learn(f->show, &said);

    f->server_time = f->show->server_time;
    /* A clock can be corrected, and the request made once more: no failure yet. */
    return err == CG_SKEW ? err : cl_show_refusal(f->show, "request", &said);
}

static cg_err take_end(struct cl_fetch *f)
{
    struct cl_app *app = f->link->app;
    struct cg_hash digest;

    CG_TRY(cg_hasher_end(f->down, &digest));
    if (!f->is_signed)
        return CG_OK;
    if (f->is_hint)
        return refused(f);
    cg_err err = cg_native_reply_end(&f->sent, app->kit, &digest, f->n_down,
                                     f->x->in_trailers.n_fields > 0 ? &f->x->in_trailers : NULL,
                                     f->link->transport, &f->fault);
    f->is_verified = err == CG_OK;
    return cl_show_check(f->show, "answer verified to its last byte", err,
                         err == CG_OK ? NULL : f->fault.check);
}

/* The other end may answer before it has read all, and reset the rest: the answer counts first. */
static cg_err advance(struct cl_fetch *f, unsigned what)
{
    f->show->step = "answer";
    if ((what & CG_X_HEAD) != 0)
        CG_TRY(take_head(f));
    if (f->status != 0) {
        CG_TRY(take_body(f));
        if (cg_exchange_is_read(f->x)) {
            settle(f, take_end(f));
            return CG_OK;
        }
    }
    if ((what & CG_X_RESET) != 0)
        return f->x->fault != CG_OK ? f->x->fault : CG_CLOSED;
    return (what & CG_X_ROOM) != 0 ? send_body(f) : CG_OK;
}

void cl_fetch_wake(struct cl_fetch *f)
{
    if (f->is_done)
        return;
    cg_err err = advance(f, CG_X_ROOM);
    if (err != CG_OK)
        settle(f, err);
    else if (!f->is_done && f->link->conn)
        cg_conn_wake(f->link->conn);
}

static void on_event(struct cl_asker *asker, unsigned what)
{
    struct cl_fetch *f = (struct cl_fetch *)asker;
    cg_err err = advance(f, what);

    if (err != CG_OK)
        settle(f, err);
}

cg_err cl_fetch_begin(struct cl_link *link, const struct cl_fetch_ask *ask, struct cl_fetch **out)
{
    struct cl_fetch *f = calloc(1, sizeof *f);

    if (!f)
        return CG_NO_MEMORY;
    f->asker.on_event = on_event;
    f->link = link;
    f->ask = *ask;
    f->show = ask->show ? ask->show : link->app->show;
    f->began = cg_loop_mono(link->app->loop);
    f->show->step = "signed";
    cg_err err = link->conn ? begin(f) : CG_CLOSED;
    if (err == CG_OK)
        err = send_body(f);
    if (err != CG_OK) {
        f->is_done = true;
        cl_fetch_free(f);
        return err;
    }
    *out = f;
    return CG_OK;
}

void cl_fetch_free(struct cl_fetch *f)
{
    if (!f)
        return;
    if (f->x) {
        cg_exchange_release(f->x);
        if (f->link->conn)
            cg_conn_wake(f->link->conn);
    }
    if (f->is_signed)
        cg_native_sent_done(&f->sent);
    cg_hasher_free(f->up);
    cg_hasher_free(f->down);
    cg_buf_done(&f->hint);
    free(f->piece);
    free(f);
}
