/* answer: the response, the backend's or the gateway's own, signed where the request's SAPI
 * verified. Small bodies that are complete are signed in the head; all others stream at once and
 * carry the signature behind them. */
#include "gateway/request.h"

#include "gateway/fields.h"
#include "gateway/signer.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/field.h"
#include "session/stack.h"

/* A response of a stated length up to this is waited for, to be signed in its head … */
#define WHOLE_MAX_BYTES (64 * 1024)
/* … for so long; the wheel's slots make it up to 100 ms more. */
#define WHOLE_MS 50
#define SIGN_MS 10000

#define ANSWER_OF(t) ((struct gw_request *)((char *)(t)-offsetof(struct gw_request, answer.timer)))

static bool is_head_request(const struct gw_request *req)
{
    return cg_span_is(req->x->in.method, "HEAD");
}

static struct cg_exchange *backend_of(const struct gw_request *req)
{
    return req->forward.lease ? req->forward.lease->exchange : NULL;
}

/* --- the gateway's own replies --------------------------------------------------------------- */

static cg_err make_refusal(struct gw_request *req)
{
    struct gw_reply *reply = &req->reply;
    struct cg_head *head = &req->answer.head;
    enum cg_refusal refusal = req->fault.refusal;
    size_t room = 512 + req->extra.staple.len * 2;
    uint8_t *text = cg_arena_take(&req->x->arena, room);

    if (!text)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(text, room);
    CG_TRY(cg_refusal_write(refusal, req->id, &req->extra, &w));
    *reply = (struct gw_reply){.status = cg_refusal_status(refusal),
                               .type = CG_REFUSAL_TYPE,
                               .body = cg_writer_span(&w),
                               .no_store = true};
    if (refusal == CG_REFUSAL_AUTH_REQUIRED)
        CG_TRY(cg_head_add(head, CG_TOKEN_WWW_AUTHENTICATE, CG_LIT("HttpCG")));
    if (refusal == CG_REFUSAL_RATE_LIMITED || refusal == CG_REFUSAL_UNAVAILABLE)
        CG_TRY(cg_head_add(head, CG_TOKEN_RETRY_AFTER, CG_LIT("1")));
    if (refusal == CG_REFUSAL_METHOD_NOT_ALLOWED)
        CG_TRY(cg_head_add(head, CG_TOKEN_ALLOW, cg_span_str(req->access.allow)));
    return CG_OK;
}

static cg_err make_own(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;

    a->is_own = true; /* also where it cannot be made: nothing could take its place */
    cg_head_init(&a->head, &req->x->arena);
    if (req->fault.refusal != CG_REFUSAL_NONE)
        CG_TRY(make_refusal(req));
    a->head.status = req->reply.status;
    a->head.content_length = (int64_t)req->reply.body.len;
    if (req->reply.type)
        CG_TRY(cg_head_add(&a->head, CG_TOKEN_CONTENT_TYPE, cg_span_str(req->reply.type)));
    if (req->reply.no_store)
        CG_TRY(cg_head_add(&a->head, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store")));
    return CG_OK;
}

/* --- the backend's ---------------------------------------------------------------------------- */

static bool may_have_body(const struct gw_request *req)
{
    int status = req->answer.head.status;

    return !is_head_request(req) && status != 204 && status != 304;
}

static cg_err make_theirs(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    const struct cg_head *in = &backend_of(req)->in;
    struct cg_span digest = cg_head_value(in, CG_TOKEN_CONTENT_DIGEST);

    cg_head_init(&a->head, &req->x->arena);
    if (in->status < 200)
        return CG_PROTOCOL; /* 101 was not asked for */
    a->head.status = in->status;
    a->head.content_length = in->content_length;
    CG_TRY(gw_fields_down(in, &a->head));
    if (digest.at && may_have_body(req)) {
        cg_err err = cg_digest_read(digest, &a->announced);

        if (err != CG_OK && err != CG_SCHEMA)
            return err;
        a->is_announced = err == CG_OK; /* other algorithms are not ours to check */
    }
    return CG_OK;
}

static bool is_complete(const struct gw_request *req)
{
    const struct cg_exchange *y = backend_of(req);

    /* Nothing was taken yet, so all of it stands together in the ring. */
    return req->forward.answer_ended && cg_exchange_peek(y).len == cg_exchange_unread(y);
}

static void on_timer(struct cg_timer *timer)
{
    struct gw_request *req = ANSWER_OF(timer);
    struct cg_conn *conn = req->conn->conn;

    req->answer.is_late = true;
    gw_request_run(req);
    cg_conn_wake(conn);
}

/* Shall a small body be waited for? */
static bool waits_for_whole(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    struct cg_loop *loop = gw_thread_of(req)->loop;

    if (a->head.content_length < 0 || a->head.content_length > WHOLE_MAX_BYTES || a->is_late)
        return false;
    if (!a->has_timer) {
        a->has_timer = true;
        cg_timer_init(&a->timer, on_timer);
        cg_loop_set(loop, &a->timer, cg_mono_after(cg_loop_mono(loop), WHOLE_MS));
    }
    return true;
}

/* --- signing --------------------------------------------------------------------------------- */

static cg_err add_digest(struct cg_head *head, const struct cg_hash *digest)
{
    uint8_t text[CG_DIGEST_CHARS];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    cg_digest_write(digest, &w);
    CG_TRY(cg_writer_end(&w));
    return cg_head_add(head, CG_TOKEN_CONTENT_DIGEST, cg_writer_span(&w));
}

static cg_err add_signature(struct gw_request *req, struct cg_span batch)
{
    struct gw_answer *a = &req->answer;
    CG_AUTO(buf) struct cg_buf value = {0};

    cg_buf_init(&value, CG_SAPI_RESPONSE_MAX_BYTES);
    if (a->tbs.reply.mode == CG_SAPI_HYBRID)
        CG_TRY(cg_gate_reply_batch(&a->tbs, batch, &value));
    else
        CG_TRY(cg_gate_reply_mac(gw_thread_of(req)->kit, &req->sapi, &a->tbs, &value));
    return cg_head_add(a->is_trailed ? &a->trailers : &a->head, CG_TOKEN_SAPI_RESPONSE,
                       cg_buf_span(&value));
}

/* Signs in place, or begins to; *done tells which. */
static cg_err sign(struct gw_request *req, enum cg_body_mode mode, bool *done)
{
    struct gw_answer *a = &req->answer;
    struct gw_thread *thread = gw_thread_of(req);
    const struct cg_gate_reply reply = {
        .head = &a->head,
        .trailers = a->is_trailed ? &a->theirs : NULL,
        .body_mode = mode,
        .digest = a->digest,
        .is_receipt = req->access.rule && req->access.rule->receipt,
    };

    *done = true;
    CG_TRY(
        cg_gate_reply_tbs_of(thread->kit, &req->sapi, &reply, cg_loop_wall(thread->loop), &a->tbs));
    if (a->tbs.reply.mode != CG_SAPI_HYBRID)
        return add_signature(req, (struct cg_span){NULL, 0});
    CG_TRY(gw_sign_begin(thread->gw->signer, req->conn->identity, CG_HSIG_SAPI_RESPONSE,
                         cg_span_of(a->tbs.bytes, a->tbs.len), thread->loop, req->ticket,
                         GW_TAG_SIGN, cg_mono_after(cg_loop_mono(thread->loop), SIGN_MS)));
    req->waits |= 1u << GW_TAG_SIGN;
    *done = false;
    return CG_OK;
}

void gw_answer_call(struct gw_request *req, struct cg_call *call)
{
    struct cg_span batch = gw_signature_of(call);

    if (batch.len == 0 || add_signature(req, batch) != CG_OK)
        req->answer.is_broken = true;
}

/* --- sending --------------------------------------------------------------------------------- */

static cg_err send_head(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    bool has_body = a->is_own ? a->head.content_length > 0 && !is_head_request(req) : a->has_body;

    CG_TRY(cg_exchange_answer(req->x, &a->head, !has_body));
    a->is_started = true;
    a->down = has_body ? GW_DOWN_STREAM : GW_DOWN_SENT;
    return CG_OK;
}

static cg_err send_own(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    struct cg_span rest = cg_span_from(req->reply.body, a->own_sent);
    size_t taken;

    CG_TRY(cg_exchange_send(req->x, rest, &taken));
    a->own_sent += taken;
    if (a->own_sent < req->reply.body.len)
        return CG_OK;
    CG_TRY(cg_exchange_end(req->x, NULL));
    a->down = GW_DOWN_SENT;
    return CG_OK;
}

/* From the backend's ring into the client's. */
static cg_err send_theirs(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    struct cg_exchange *y = backend_of(req);
    int64_t most = gw_thread_of(req)->options->limits.answer_bytes;
    size_t taken;

    if (!y)
        return CG_CLOSED;
    for (;;) {
        struct cg_span bytes = cg_exchange_peek(y);

        if (bytes.len == 0)
            break;
        CG_TRY(cg_exchange_send(req->x, bytes, &taken));
        if (a->hasher)
            CG_TRY(cg_hasher_add(a->hasher, cg_span_first(bytes, taken)));
        a->n_out += taken;
        if (most > 0 && a->n_out > (uint64_t)most)
            return CG_TOO_LARGE;
        cg_exchange_take(y, taken);
        if (taken > 0)
            cg_conn_wake(req->forward.lease->conn);
        if (taken < bytes.len)
            return CG_OK;
    }
    if (cg_exchange_is_read(y))
        a->down = GW_DOWN_END;
    else if (req->forward.lost != CG_OK)
        return req->forward.lost;
    return CG_OK;
}

/* What the backend put behind its body passes like its other fields. */
static cg_err end_theirs(struct gw_request *req, bool *done)
{
    struct gw_answer *a = &req->answer;
    struct cg_exchange *y = backend_of(req);

    *done = true;
    if (a->hasher)
        CG_TRY(cg_hasher_end(a->hasher, &a->digest));
    gw_hasher_give(gw_thread_of(req), a->hasher);
    a->hasher = NULL;
    if (!a->is_trailed)
        return CG_OK;
    if (a->is_announced && !cg_hash_eq(&a->announced, &a->digest))
        return CG_DIGEST;
    cg_head_init(&a->theirs, &req->x->arena);
    CG_TRY(gw_fields_down(&y->in_trailers, &a->theirs));
    cg_head_init(&a->trailers, &req->x->arena);
    for (size_t i = 0; i < a->theirs.n_fields; i++)
        CG_TRY(
            cg_head_add_named(&a->trailers, a->theirs.fields[i].name, a->theirs.fields[i].value));
    if (!req->is_signed)
        return CG_OK;
    CG_TRY(add_digest(&a->trailers, &a->digest));
    return sign(req, CG_BODY_TRAILER, done);
}

/* --- the states --------------------------------------------------------------------------------
 */

/* Decides how the backend's response is covered, once its head is here. */
static cg_err begin_theirs(struct gw_request *req, bool *wait)
{
    struct gw_answer *a = &req->answer;
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_exchange *y = backend_of(req);
    bool whole = is_complete(req) && y->in_trailers.n_fields == 0;

    *wait = false;
    a->has_body = may_have_body(req) && !(whole && cg_exchange_unread(y) == 0);
    if (!a->has_body) {
        if (may_have_body(req))
            a->head.content_length = 0;
        a->down = GW_DOWN_SIGN;
        return CG_OK;
    }
    if (whole) {
        struct cg_span body = cg_exchange_peek(y);

        CG_TRY(cg_hasher_whole(thread->kit->hasher, body, &a->digest));
        if (a->is_announced && !cg_hash_eq(&a->announced, &a->digest))
            return CG_DIGEST;
        a->head.content_length = (int64_t)body.len;
        if (req->is_signed)
            CG_TRY(add_digest(&a->head, &a->digest));
        a->down = GW_DOWN_SIGN;
        return CG_OK;
    }
    if (req->is_signed && waits_for_whole(req) && req->forward.lost == CG_OK) {
        *wait = true;
        return CG_OK;
    }
    if (req->is_signed || a->is_announced) {
        CG_TRY(gw_hasher_take(thread, &a->hasher));
        CG_TRY(cg_hasher_begin(a->hasher));
    }
    a->is_trailed = true;
    if (req->is_signed) {
        CG_TRY(cg_head_add(&a->head, CG_TOKEN_TRAILER, CG_LIT("Content-Digest, SAPI-Response")));
        /* HTTP/1.1 has trailers only behind a body without stated length. */
        if (cg_stack_speaks(cg_conn_engine(req->conn->conn)) != CG_SPEAKS_H2)
            a->head.content_length = -1;
    }
    return send_head(req);
}

static cg_err begin_own(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    struct gw_thread *thread = gw_thread_of(req);

    CG_TRY(make_own(req));
    if (req->is_signed && req->reply.body.len > 0 && !is_head_request(req)) {
        CG_TRY(cg_hasher_whole(thread->kit->hasher, req->reply.body, &a->digest));
        CG_TRY(add_digest(&a->head, &a->digest));
        a->has_body = true;
    }
    a->down = GW_DOWN_SIGN;
    return CG_OK;
}

/* One step of the answer; *wait: nothing more to do now. */
static cg_err advance(struct gw_request *req, bool *wait)
{
    struct gw_answer *a = &req->answer;
    bool done;

    *wait = false;
    switch (a->down) {
    case GW_DOWN_IDLE:
        if (req->forward.has_head && req->fault.refusal == CG_REFUSAL_NONE) {
            CG_TRY(make_theirs(req));
            a->down = GW_DOWN_COLLECT;
            return CG_OK;
        }
        return begin_own(req);
    case GW_DOWN_COLLECT:
        return begin_theirs(req, wait);
    case GW_DOWN_SIGN:
        a->down = GW_DOWN_HEAD;
        if (!req->is_signed)
            return CG_OK;
        return sign(req, a->has_body ? CG_BODY_DIGEST : CG_BODY_NONE, &done);
    case GW_DOWN_HEAD:
        return send_head(req);
    case GW_DOWN_STREAM: {
        cg_err err = a->is_own ? send_own(req) : send_theirs(req);

        *wait = err == CG_OK && a->down == GW_DOWN_STREAM;
        return err;
    }
    case GW_DOWN_END:
        a->down = GW_DOWN_TRAILERS;
        return end_theirs(req, &done);
    case GW_DOWN_TRAILERS:
        CG_TRY(cg_exchange_end(req->x, a->is_trailed ? &a->trailers : NULL));
        a->down = GW_DOWN_SENT;
        return CG_OK;
    case GW_DOWN_SENT:
        break;
    }
    return CG_OK;
}

/* A fault before our head left is answered; one after it resets the stream: the client then sees
 * that what it has is not whole. */
static enum gw_next broken(struct gw_request *req, cg_err err)
{
    struct gw_answer *a = &req->answer;

    if (a->is_started || a->is_own) {
        cg_log(gw_thread_of(req)->gw->setup.log, WARN, request_aborted, CG_ID("request", req->id),
               CG_ERR(err));
        cg_exchange_reset(req->x, CG_RESET_INTERNAL);
        a->down = GW_DOWN_SENT;
        return GW_ON;
    }
    cg_log(gw_thread_of(req)->gw->setup.log, WARN, backend_failed, CG_ID("request", req->id),
           CG_TEXT("backend", req->backend.key), CG_ERR(err));
    gw_refuse(req, CG_REFUSAL_BAD_GATEWAY, err, "backend");
    req->fault_step = gw_step_name(GW_FORWARD);
    /* What said this shall not be asked again, however well the rest of it was framed. */
    if (req->forward.lease && req->forward.lease->conn)
        cg_conn_drain(req->forward.lease->conn);
    gw_forward_done(req);
    a->down = GW_DOWN_IDLE;
    a->is_broken = a->is_trailed = a->has_body = false;
    return GW_WAIT;
}

enum gw_next gw_answer(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;
    bool wait = false;

    /* Refused with a backend still at work on it: that ends first, visibly incomplete. */
    if (a->down == GW_DOWN_IDLE && req->fault.refusal != CG_REFUSAL_NONE)
        gw_forward_done(req);
    while (!wait && a->down != GW_DOWN_SENT) {
        if (gw_waits_for(req, GW_TAG_SIGN))
            return GW_WAIT;
        cg_err err = a->is_broken ? CG_CRYPTO : advance(req, &wait);
        if (err != CG_OK && broken(req, err) == GW_ON)
            break;
    }
    /* The body may still be on its way up while the answer comes down. */
    if (!a->is_own && a->down != GW_DOWN_SENT && req->forward.up == GW_UP_SENDING &&
        gw_upload(req) == GW_REFUSE) {
        req->fault_step = gw_step_name(GW_FORWARD);
        gw_forward_done(req);
        if (!a->is_started) {
            a->down = GW_DOWN_IDLE;
            return gw_answer(req);
        }
        broken(req, req->fault.err);
    }
    return a->down == GW_DOWN_SENT ? GW_ON : GW_WAIT;
}

void gw_answer_done(struct gw_request *req)
{
    struct gw_answer *a = &req->answer;

    if (a->has_timer)
        cg_loop_unset(gw_thread_of(req)->loop, &a->timer);
    a->has_timer = false;
    gw_hasher_give(gw_thread_of(req), a->hasher);
    a->hasher = NULL;
}
