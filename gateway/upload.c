/* The way up for a request's body: held until it proves to be what was signed, or all but its end.
 *
 *   client's ring --> hasher, hold --> backend's ring
 *
 * The backend sees the end of a body only after it verified; until then it has an incomplete
 * request, which it must treat as none. */
#include "gateway/verify.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

static enum gw_next refuse(struct gw_request *req, enum cg_refusal refusal, cg_err err,
                           const char *check)
{
    return gw_refuse(req, refusal, err, check);
}

static uint64_t max_body(const struct gw_request *req)
{
    const struct cg_rule *rule = req->access.rule;
    uint64_t most = (uint64_t)gw_thread_of(req)->options->limits.body_bytes;

    return rule && rule->max_body < most ? rule->max_body : most;
}

/* Where the digest came first nothing is gained by letting the last bytes go before it is compared.
 */
static bool may_stream(const struct gw_request *req)
{
    return req->access.rule && req->access.rule->stream && req->sapi.body.mode != CG_BODY_DIGEST;
}

static enum gw_next begin(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    struct cg_exchange *x = req->x;
    bool is_large = x->in.content_length > GW_HOLD_WHOLE_MAX_BYTES;

    gw_hold_init(&f->hold, is_large || may_stream(req) ? 0 : GW_HOLD_WHOLE_MAX_BYTES);
    if (may_stream(req))
        gw_hold_release(&f->hold);
    if (req->access.rule && req->access.rule->stream)
        cg_exchange_set_trickling(x);
    f->up = GW_UP_COLLECT;
    /* Only now: whoever is refused by his head has not sent his body (RFC 9110, 10.1.1). */
    if (x->expects_continue && !f->in_ended && cg_exchange_inform(x, 100, NULL) != CG_OK)
        return refuse(req, CG_REFUSAL_UNAVAILABLE, CG_CLOSED, "client");
    return GW_ON;
}

/* Bodies held whole count against two budgets; when one is used up the newest body is refused,
 * never left waiting. */
static bool take_budget(struct gw_request *req, int64_t n)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct gw_conn *conn = req->conn;

    if (conn->held_bytes + n > thread->options->limits.held_conn_bytes ||
        !gw_held_take(&thread->gw->held, n, thread->options->limits.held_bytes))
        return false;
    conn->held_bytes += n;
    req->forward.held += n;
    return true;
}

static cg_err hash(struct gw_request *req, struct cg_span bytes)
{
    struct gw_forward *f = &req->forward;

    if (!f->hasher) {
        CG_TRY(gw_hasher_take(gw_thread_of(req), &f->hasher));
        CG_TRY(cg_hasher_begin(f->hasher));
    }
    return cg_hasher_add(f->hasher, bytes);
}

/* From the client's ring into the hold. */
static enum gw_next collect(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    struct cg_exchange *x = req->x;

    for (;;) {
        struct cg_span bytes = cg_exchange_peek(x);
        size_t room = gw_hold_room(&f->hold);

        if (bytes.len == 0)
            return GW_ON;
        if (req->sapi.must_be_empty)
            return refuse(req, CG_REFUSAL_BAD_REQUEST, CG_SCHEMA, "body");
        if (room == 0 && gw_hold_is_whole(&f->hold)) {
            gw_hold_overflow(&f->hold);
            return GW_ON;
        }
        if (room == 0)
            return GW_ON;
        bytes = cg_span_first(bytes, room);
        f->n_in += bytes.len;
        if (f->n_in > max_body(req))
            return refuse(req, CG_REFUSAL_TOO_LARGE, CG_TOO_LARGE, "body");
        if (gw_hold_is_whole(&f->hold) && !take_budget(req, (int64_t)bytes.len))
            return refuse(req, CG_REFUSAL_UNAVAILABLE, CG_RATE, "held");
        cg_err err = hash(req, bytes);
        if (err == CG_OK)
            err = gw_hold_add(&f->hold, bytes);
        if (err != CG_OK)
            return refuse(req, CG_REFUSAL_UNAVAILABLE, err, "memory");
        cg_exchange_take(x, bytes.len);
    }
}

static enum gw_next verified(struct gw_request *req)
{
    req->forward.is_verified = true;
    gw_hold_release(&req->forward.hold);
    return GW_ON;
}

static cg_err finish_hash(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;

    if (f->is_hashed)
        return CG_OK;
    if (!f->hasher)
        CG_TRY(hash(req, (struct cg_span){NULL, 0}));
    CG_TRY(cg_hasher_end(f->hasher, &f->digest));
    f->is_hashed = true;
    return CG_OK;
}

/* The body is complete: is it what was signed? */
static enum gw_next verify(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_sig_job *job = NULL;
    cg_err err;

    if (req->sapi.body.mode == CG_BODY_NONE)
        return verified(req);
    if (finish_hash(req) != CG_OK)
        return refuse(req, CG_REFUSAL_INTERNAL, CG_CRYPTO, "digest");
    if (req->sapi.body.mode == CG_BODY_DIGEST)
        return cg_gate_body_check(&req->sapi, &f->digest, &req->fault) == CG_OK ? verified(req)
                                                                                : GW_REFUSE;
    if (f->trailer_job) {
        err = cg_gate_trailer_commit(f->trailer_job, &f->digest, &req->fault);
        return err == CG_OK ? verified(req) : GW_REFUSE;
    }
    if (cg_gate_trailer_check(&req->sapi, thread->kit,
                              req->x->in_trailers.n_fields > 0 ? &req->x->in_trailers : NULL,
                              &f->digest, &job, &req->fault) != CG_OK)
        return GW_REFUSE;
    if (!job)
        return verified(req);
    err = gw_verify_begin(req, job);
    return err == CG_OK ? GW_WAIT : refuse(req, CG_REFUSAL_UNAVAILABLE, err, "worker");
}

/* From the hold into the backend's ring. */
static enum gw_next pass_on(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;
    size_t taken = 0;

    for (;;) {
        struct cg_span bytes = gw_hold_ready(&f->hold);

        if (bytes.len == 0)
            break;
        if (cg_exchange_send(f->lease->exchange, bytes, &taken) != CG_OK)
            return GW_WAIT; /* the backend is gone: its own event says so */
        gw_hold_took(&f->hold, taken);
        cg_conn_wake(f->lease->conn);
        if (taken < bytes.len)
            return GW_WAIT;
    }
    if (!f->is_verified || !gw_hold_is_empty(&f->hold))
        return GW_WAIT;
    if (f->has_body && cg_exchange_end(f->lease->exchange, NULL) != CG_OK)
        return GW_WAIT;
    cg_conn_wake(f->lease->conn);
    f->up = GW_UP_ENDED;
    return GW_ON;
}

enum gw_next gw_upload(struct gw_request *req)
{
    struct gw_forward *f = &req->forward;

    if (f->up == GW_UP_ENDED)
        return GW_ON;
    if (gw_waits_for(req, GW_TAG_SIGNATURE))
        return GW_WAIT;
    if (f->up == GW_UP_IDLE && begin(req) != GW_ON)
        return GW_REFUSE;
    for (;;) {
        if (!f->is_verified) {
            if (collect(req) != GW_ON)
                return GW_REFUSE;
            if (cg_exchange_is_read(req->x)) {
                enum gw_next next = verify(req);

                if (next != GW_ON)
                    return next;
            }
        }
        if (f->up != GW_UP_SENDING)
            return GW_WAIT;
        enum gw_next next = pass_on(req);
        /* What left made room for what waits in the client's ring, and nobody else will tell: the
         * client has no credit for more, and the backend took all it was given. */
        if (next != GW_WAIT || f->is_verified || cg_exchange_unread(req->x) == 0 ||
            gw_hold_room(&f->hold) == 0)
            return next;
    }
}
