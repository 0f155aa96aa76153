/* forward: a connection to the backend, the request on it, its body after it, until the head of a
 * response is back. Retries live here and nowhere else: only where no byte was sent. */
#include "gateway/verify.h"

#include "gateway/evidence.h"
#include "gateway/fields.h"
#include "gateway/identity.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#define FORWARD_OF(t)                                                                              \
    ((struct gw_request *)((char *)(t)-offsetof(struct gw_request, forward.timer)))
#define ATTEMPTS_MAX 2

/* --- the connection -------------------------------------------------------------------------- */

/* Making one costs more than many requests, so they are kept. */
static cg_err pinned_tls(struct gw_thread *thread, const struct cg_hash *pin,
                         struct cg_tls_conf **out)
{
    const struct cg_tls_client_options options = {
        .kind = CG_TLS_BACKEND, .trust = CG_TRUST_PINS, .pins = pin, .n_pins = 1, .h1_only = true};
    size_t i = pin->bytes[0] % GW_PINNED;

    if (!thread->pinned[i].tls || !cg_hash_eq(&thread->pinned[i].pin, pin)) {
        struct cg_tls_conf *tls;

        CG_TRY(cg_tls_conf_client(&options, &tls));
        cg_tls_conf_unref(thread->pinned[i].tls);
        thread->pinned[i].tls = tls;
        thread->pinned[i].pin = *pin;
    }
    *out = cg_tls_conf_ref(thread->pinned[i].tls);
    return CG_OK;
}

static cg_err tls_of(struct gw_request *req, struct cg_tls_conf **out)
{
    const struct gw_target *t = &req->backend;
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_hash pin;

    if (t->record && t->record->target_auth == CG_TARGET_SPKI)
        pin = t->record->target_spki;
    else if (t->pin)
        CG_TRY(cg_hex_read(cg_span_str(t->pin), pin.bytes, sizeof pin.bytes));
    else if (!thread->backend_tls)
        return CG_TLS; /* this machine has no certificates to trust */
    else {
        *out = cg_tls_conf_ref(thread->backend_tls);
        return CG_OK;
    }
    return pinned_tls(thread, &pin, out);
}

static cg_err lease(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct gw_forward *f = &req->forward;
    const struct gw_options *options = thread->options;
    struct gw_target *t = &req->backend;
    struct cg_tls_conf *tls = NULL;
    const struct cg_engine_conf conf = {
        .stall_ms = (uint32_t)options->timeouts.stall_ms,
        .idle_ms = (uint32_t)options->timeouts.idle_ms,
        .allow_until_close = true,
        .allow_http_1_0 = true,
    };

    if (t->scheme[4] == 's')
        CG_TRY(tls_of(req, &tls));
    cg_tls_conf_unref(f->dial.tls);
    cg_err err = cg_client_init(&f->dial, tls, t->at.host, &conf);
    if (err != CG_OK) {
        cg_tls_conf_unref(tls);
        return err;
    }
    const struct cg_lease_request ask = {
        .key = t->key,
        .target = t->at,
        .engine = cg_client_engine,
        .engine_ctx = &f->dial,
        .connect_ms = options->timeouts.connect_ms,
    };
    CG_TRY(cg_lease_begin(thread->pool, &ask, req->ticket, GW_TAG_LEASE,
                          cg_mono_after(cg_loop_mono(thread->loop), options->timeouts.connect_ms)));
    req->waits |= 1u << GW_TAG_LEASE;
    f->up = GW_UP_LEASE;
    return CG_OK;
}

/* --- the request ----------------------------------------------------------------------------- */

static cg_err join(struct cg_arena *arena, struct cg_span a, struct cg_span b, struct cg_span *out)
{
    uint8_t *text = cg_arena_take(arena, a.len + b.len);

    if (!text)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(text, a.len + b.len);
    cg_put(&w, a);
    cg_put(&w, b);
    *out = cg_writer_span(&w);
    return cg_writer_end(&w);
}

static cg_err original_url(struct gw_request *req, struct cg_arena *arena, struct cg_span *out)
{
    size_t len = cg_url_chars(&req->target.url);
    uint8_t *text = cg_arena_take(arena, len);

    if (!text)
        return CG_NO_MEMORY;
    cg_url_write(&req->target.url, (char *)text);
    *out = cg_span_of(text, len);
    return CG_OK;
}

/* The URL that the backend sees, which the signature covers. */
static cg_err target_url(struct gw_request *req, struct cg_span path, struct cg_arena *arena,
                         struct cg_span *out)
{
    const struct gw_target *t = &req->backend;
    size_t room = 8 + t->host.len + path.len;
    uint8_t *text = cg_arena_take(arena, room);

    if (!text)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(text, room);
    cg_put_str(&w, t->scheme);
    cg_put_str(&w, "://");
    cg_put(&w, t->host);
    cg_put(&w, path);
    *out = cg_writer_span(&w);
    return cg_writer_end(&w);
}

static enum gw_body_proof body_proof(const struct gw_request *req)
{
    if (!req->forward.has_body || !req->is_signed)
        return GW_BODY_NONE;
    if (req->sapi.body.mode != CG_BODY_TRAILER)
        return GW_BODY_VERIFIED;
    return req->access.rule && req->access.rule->stream ? GW_BODY_STREAM : GW_BODY_TRAILER;
}

/* What the head says of the body's length. One that streams before it is verified has none: a
 * backend that counts would see the end with the last byte, and that is what is held back. */
static int64_t length_of(const struct gw_request *req)
{
    const struct gw_forward *f = &req->forward;
    bool is_streamed = gw_hold_is_released(&f->hold) && req->sapi.body.mode != CG_BODY_NONE;

    if (!f->has_body)
        return req->x->in.content_length == 0 ? 0 : -1;
    /* Held whole and verified, its length is known whatever the client said. */
    if (f->is_verified)
        return (int64_t)f->n_in;
    return is_streamed ? -1 : req->x->in.content_length;
}

/* What a rule with evidence promises its backend, or nothing goes there at all. */
static cg_err add_evidence(struct gw_request *req, struct gw_stamp *stamp)
{
    struct gw_thread *thread = gw_thread_of(req);

    if (!req->access.rule || !req->access.rule->evidence || !req->is_signed)
        return CG_OK;
    return gw_evidence_give(thread->gw->setup.evidence, req, thread->options->limits.evidence_bytes,
                            cg_loop_mono(thread->loop), stamp);
}

static cg_err make_head(struct gw_request *req, struct cg_arena *arena, struct cg_head *head)
{
    static const enum gw_auth auths[] = {GW_AUTH_NONE, GW_AUTH_GRANT, GW_AUTH_ED25519,
                                         GW_AUTH_HYBRID};
    struct gw_thread *thread = gw_thread_of(req);
    const struct cg_head *in = &req->x->in;
    struct cg_span url;
    struct gw_stamp stamp = {
        .wallet_address = cg_span_str(req->is_signed ? req->sapi.wallet.text : NULL),
        .session_id = cg_span_str(req->conn->gate.channel.session_id),
        .roles = cg_span_str(req->roles),
        .gateway_did = cg_span_str(req->conn->identity->did),
        .auth = auths[req->sapi.mode],
        .body = body_proof(req),
    };

    cg_head_init(head, arena);
    head->method = in->method;
    head->scheme = cg_span_str(req->backend.scheme);
    head->authority = req->backend.host;
    CG_TRY(join(arena, req->target.url.path, req->target.url.query, &head->path));
    CG_TRY(gw_fields_up(in, req->is_signed && req->sapi.body.mode == CG_BODY_DIGEST, head));
    CG_TRY(original_url(req, arena, &stamp.original_url));
    CG_TRY(target_url(req, head->path, arena, &url));
    memcpy(stamp.request_id, req->id, sizeof stamp.request_id);
    CG_TRY(add_evidence(req, &stamp));
    CG_TRY(gw_stamp_head(head, &stamp, url,
                         req->backend.has_backend_key ? &req->backend.backend_key : NULL,
                         thread->mac, cg_loop_wall(thread->loop)));
    head->content_length = length_of(req);
    return CG_OK;
}

static void on_lease(struct cg_lease *lease, unsigned what)
{
    struct gw_request *req = lease->owner;
    struct cg_conn *conn = req->conn->conn;

    if ((what & CG_X_HEAD) != 0)
        req->forward.has_head = true;
    if ((what & CG_X_END) != 0)
        req->forward.answer_ended = true;
    /* A backend that hangs up behind its whole answer has done nothing wrong. */
    if ((what & CG_X_RESET) != 0 && !req->forward.answer_ended)
        req->forward.lost =
            lease->exchange && lease->exchange->fault != CG_OK ? lease->exchange->fault : CG_CLOSED;
    gw_request_run(req);
    cg_conn_wake(conn);
}

/* The head lives only until it has been written into the backend's connection, so it is no part of
 * the request's memory, which holds the client's head and shall hold the answer's. */
static cg_err ask(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_head head;

    cg_arena_init_lent(&arena, CG_EXCHANGE_ARENA_MAX_BYTES,
                       cg_loop_blocks(gw_thread_of(req)->loop));
    f->has_body = !f->is_verified || f->n_in > 0;
    cg_err err = make_head(req, &arena, &head);
    /* Nothing of it is the backend's fault: the head said something a head must not say, or is so
     * large that with what we say ourselves it becomes too large. */
    if (err == CG_SYNTAX || err == CG_TOO_LARGE || err == CG_NO_MEMORY) {
        gw_refuse(req, err == CG_SYNTAX ? CG_REFUSAL_BAD_REQUEST : CG_REFUSAL_HEADER_TOO_LARGE, err,
                  "fields");
        return CG_OK;
    }
    if (err == CG_BUSY || err == CG_UNSUPPORTED) {
        gw_refuse(req, err == CG_BUSY ? CG_REFUSAL_UNAVAILABLE : CG_REFUSAL_NOT_IMPLEMENTED, err,
                  "evidence");
        return CG_OK;
    }
    CG_TRY(err);
    f->lease->on_event = on_lease;
    f->lease->owner = req;
    CG_TRY(cg_lease_ask(f->lease, &head, !f->has_body));
    f->up = GW_UP_SENDING;
    cg_conn_wake(f->lease->conn);
    return CG_OK;
}

void gw_forward_call(struct gw_request *req, struct cg_call *call)
{
    struct gw_forward *f = &req->forward;

    if (call->tag == GW_TAG_SIGNATURE) {
        f->trailer_job = gw_verify_take(call);
        if (!f->trailer_job)
            gw_refuse(req, CG_REFUSAL_UNAVAILABLE, call->err, "worker");
        return;
    }
    if (call->err != CG_OK) {
        f->lost = call->err;
        return;
    }
    f->lease = cg_lease_take(call);
}

/* --- bodies on their way ---------------------------------------------------------------------- */

/* A body that is let through before it is verified holds a backend's connection for as long as its
 * client likes. Of those to one backend one address prefix may so hold a quarter. */
static bool take_share(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    size_t most = (size_t)thread->options->limits.backend_connections / 4;

    if (!req->forward.is_verified && !req->forward.has_share)
        req->forward.has_share = gw_share_take(&thread->uploads, req->conn->place, most ? most : 1);
    return req->forward.is_verified || req->forward.has_share;
}

static void give_share(struct gw_request *req)
{
    if (req->forward.has_share)
        gw_share_give(&gw_thread_of(req)->uploads, req->conn->place);
    req->forward.has_share = false;
}

/* --- its end --------------------------------------------------------------------------------- */

static enum gw_next failed(struct gw_request *req, cg_err err)
{
    enum cg_refusal refusal = CG_REFUSAL_BAD_GATEWAY;

    if (err == CG_TIMEOUT)
        refusal = CG_REFUSAL_GATEWAY_TIMEOUT;
    else if (err == CG_BUSY || err == CG_RATE)
        refusal = CG_REFUSAL_UNAVAILABLE;
    cg_log(gw_thread_of(req)->gw->setup.log, WARN, backend_failed, CG_ID("request", req->id),
           CG_TEXT("backend", req->backend.key), CG_ERR(err));
    return gw_refuse(req, refusal, err, "backend");
}

static void on_timer(struct cg_timer *timer)
{
    struct gw_request *req = FORWARD_OF(timer);
    struct cg_conn *conn = req->conn->conn;

    req->forward.is_late = true;
    gw_request_run(req);
    cg_conn_wake(conn);
}

static void wait_for_answer(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct gw_forward *f = &req->forward;

    if (f->has_timer)
        return;
    f->has_timer = true;
    cg_timer_init(&f->timer, on_timer);
    cg_loop_set(thread->loop, &f->timer,
                cg_mono_after(cg_loop_mono(thread->loop), thread->options->timeouts.answer_ms));
}

enum gw_next gw_forward(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    enum gw_next next;
    cg_err err;

    if (req->fault.refusal != CG_REFUSAL_NONE)
        return GW_REFUSE;
    if (f->is_late)
        return failed(req, CG_TIMEOUT);
    if (f->has_head)
        return GW_ON;
    if (f->lost != CG_OK)
        return failed(req, f->lost);
    next = gw_upload(req);
    if (next == GW_REFUSE)
        return GW_REFUSE;

    /* The backend is asked for once the body is verified, or may be let through. */
    if (f->up == GW_UP_COLLECT && (f->is_verified || !gw_hold_is_whole(&f->hold))) {
        if (!take_share(req))
            return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_RATE, "uploads");
        err = lease(req);
        if (err != CG_OK)
            return failed(req, err);
    }
    if (f->up == GW_UP_LEASE && f->lease && !f->lease->exchange) {
        err = ask(req);
        if (err == CG_CLOSED && f->attempt++ < ATTEMPTS_MAX) {
            cg_lease_end(f->lease); /* it went while it was being handed over: nothing was sent */
            f->lease = NULL;
            err = lease(req);
            return err == CG_OK ? GW_WAIT : failed(req, err);
        }
        if (err != CG_OK)
            return failed(req, err);
        if (req->fault.refusal != CG_REFUSAL_NONE || gw_upload(req) == GW_REFUSE)
            return GW_REFUSE;
    }
    if (f->up == GW_UP_ENDED) {
        give_share(req);
        wait_for_answer(req);
    }
    return GW_WAIT;
}

void gw_forward_done(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    struct gw_thread *thread = gw_thread_of(req);

    if (f->has_timer)
        cg_loop_unset(thread->loop, &f->timer);
    f->has_timer = false;
    give_share(req);
    cg_slot_call_off(thread->loop, req->ticket, GW_TAG_LEASE);
    req->waits &= ~(1u << GW_TAG_LEASE);
    cg_lease_end(f->lease);
    f->lease = NULL;
    cg_tls_conf_unref(f->dial.tls);
    f->dial.tls = NULL;
    gw_hold_done(&f->hold);
    gw_hasher_give(thread, f->hasher);
    f->hasher = NULL;
    cg_sig_job_free(f->trailer_job);
    f->trailer_job = NULL;
    gw_held_give(&thread->gw->held, f->held);
    req->conn->held_bytes -= f->held;
    f->held = 0;
}
