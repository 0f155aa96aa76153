#include "gateway/request.h"

#include "gateway/names.h"
#include "lib/base/span.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A request's life, in order; each step is the file of its name.  A step moves on, waits (and is
 * called again when something happens), replies, or refuses.  Replying and refusing jump to answer:
 * no request ends unanswered, and none is answered unrecorded. */
/* clang-format off */
static const struct {
    const char *name;
    enum gw_next (*run)(struct gw_request *req);
} steps[] = {
    [GW_ADMIT]   = {"admit",   gw_admit},   /* one target, sizes, fields a client may not send     */
    [GW_CONTROL] = {"control", gw_control}, /* the gateway's own resources end here, grants too    */
    [GW_SIGNED]  = {"signed",  gw_signed},  /* QLOCK and SAPI, if presented: this connection,      */
                                            /* route and minute; who asks; and never twice         */
    [GW_RESOLVE] = {"resolve", gw_resolve}, /* name to verified record; strangers: on a budget     */
    [GW_POLICY]  = {"policy",  gw_policy},  /* may this gateway serve the name?                    */
    [GW_ACCESS]  = {"access",  gw_access},  /* was what was presented enough for the rule?         */
    [GW_CHOOSE]  = {"choose",  gw_choose},  /* where it goes                                       */
    [GW_FORWARD] = {"forward", gw_forward}, /* there: the body up, until a response head is back   */
    [GW_ANSWER]  = {"answer",  gw_answer},  /* and back: the response, signed, its body streamed   */
    [GW_RECORD]  = {"record",  gw_record},  /* what was decided, to log and metrics                */
};
/* clang-format on */

const char *gw_step_name(enum gw_step step)
{
    return step < GW_DONE ? steps[step].name : "done";
}

enum gw_next gw_refuse(struct gw_request *req, enum cg_refusal refusal, cg_err err,
                       const char *check)
{
    req->fault = (struct cg_fault){refusal, err, check};
    return GW_REFUSE;
}

static void finish(struct gw_request *req)
{
    struct gw_conn *conn = req->conn;
    struct gw_thread *thread = conn->thread;

    gw_forward_done(req);
    gw_answer_done(req);
    cg_slot_end(thread->loop, req->ticket);
    if (req->is_checked)
        cg_gate_request_done(&req->sapi);
    if (req->has_granted)
        cg_gate_granted_done(&req->granted);
    cg_sig_job_free(req->sig_job);
    cg_grant_job_free(req->grant_job);
    gw_name_unref(req->name);
    cg_config_unref(req->config);
    if (req->x)
        cg_exchange_release(req->x);
    if (req->prev)
        req->prev->next = req->next;
    else
        conn->requests = req->next;
    if (req->next)
        req->next->prev = req->prev;
    req->next = thread->free_requests;
    thread->free_requests = req;
}

/* Who is refused waits for nothing any more: what would still come belongs to a step that is over,
 * and answer would take it for its own. */
static void call_off(struct gw_request *req)
{
    for (unsigned tag = GW_TAG_NONE; tag <= GW_TAG_LEASE && req->waits != 0; tag++)
        if (gw_waits_for(req, tag)) {
            cg_slot_call_off(gw_thread_of(req)->loop, req->ticket, tag);
            req->waits &= ~(1u << tag);
        }
}

void gw_request_run(struct gw_request *req)
{
    /* A step may cause an event for its own request (a backend's buffer that has room at once):
     * that is one more turn, not a step within a step. */
    if (req->is_running) {
        req->again = true;
        return;
    }
    req->is_running = true;
    do {
        bool is_waiting = false;

        req->again = false;
        while (req->at != GW_DONE && !is_waiting) {
            if (req->is_gone && req->at < GW_RECORD)
                req->at = GW_RECORD;
            /* The body behind a good head turned out to be none, or more came than was asked for.
             */
            if (req->x->refusal && req->at > GW_ADMIT && req->at < GW_ANSWER) {
                (void)gw_refuse(req, CG_REFUSAL_BAD_REQUEST, CG_SYNTAX, "framing");
                req->fault_step = steps[GW_ADMIT].name;
                req->at = GW_ANSWER;
                call_off(req);
            }
            switch (steps[req->at].run(req)) {
            case GW_ON:
                req->at++;
                break;
            case GW_WAIT:
                is_waiting = true;
                break;
            case GW_REFUSE:
                assert(req->at < GW_ANSWER);
                req->fault_step = steps[req->at].name;
                req->at = GW_ANSWER;
                call_off(req);
                break;
            case GW_REPLY:
                assert(req->at < GW_ANSWER);
                req->at = GW_ANSWER;
                break;
            }
        }
    } while (req->again && req->at != GW_DONE);
    req->is_running = false;
    if (req->at == GW_DONE)
        finish(req);
}

/* Hands what a call delivers to the step that began it; then the request goes on. */
static void on_call(void *owner, struct cg_call *call)
{
    struct gw_request *req = owner;

    req->waits &= ~(1u << call->tag);
    switch ((enum gw_tag)call->tag) {
    case GW_TAG_GRANT:
    case GW_TAG_DID:
        gw_grant_call(req, call);
        break;
    case GW_TAG_SIGN:
        if (req->at < GW_ANSWER)
            gw_grant_call(req, call);
        else
            gw_answer_call(req, call);
        break;
    case GW_TAG_SIGNATURE:
        if (req->at == GW_SIGNED)
            gw_signed_call(req, call);
        else
            gw_forward_call(req, call);
        break;
    case GW_TAG_NAME:
        gw_resolve_call(req, call);
        break;
    case GW_TAG_LEASE:
        gw_forward_call(req, call);
        break;
    case GW_TAG_NONE:
        break;
    }
    struct cg_conn *conn = req->conn->conn;
    gw_request_run(req);
    cg_conn_wake(conn);
}

static struct gw_request *take_request(struct gw_thread *thread)
{
    struct gw_request *req = thread->free_requests;

    if (!req)
        return calloc(1, sizeof *req);
    thread->free_requests = req->next;
    memset(req, 0, sizeof *req);
    return req;
}

void gw_request_begin(struct gw_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct gw_thread *thread = conn->thread;
    struct gw_request *req = take_request(thread);

    /* A reload is for connections that are there, too. */
    gw_thread_refresh(thread);
    if (!req || cg_slot_open(thread->loop, on_call, req, &req->ticket) != CG_OK) {
        free(req);
        cg_exchange_reset(x, CG_RESET_INTERNAL);
        cg_exchange_release(x);
        return;
    }
    req->conn = conn;
    req->x = x;
    x->owner = req;
    req->began = cg_loop_mono(thread->loop);
    req->wall = cg_loop_wall(thread->loop);
    /* Unique without asking the kernel each time; an id is a name, not a secret. */
    memcpy(req->id, thread->id_prefix, sizeof thread->id_prefix);
    thread->id_count++;
    for (size_t i = 0; i < 8; i++)
        req->id[15 - i] = (uint8_t)(thread->id_count >> (8 * i));
    req->id[6] = (uint8_t)((req->id[6] & 0x0f) | 0x80); /* UUIDv8: RFC 9562, 5.8 */
    req->id[8] = (uint8_t)((req->id[8] & 0x3f) | 0x80);
    req->next = conn->requests;
    if (req->next)
        req->next->prev = req;
    conn->requests = req;
    gw_request_event(req, what);
}

void gw_request_event(struct gw_request *req, unsigned what)
{
    if ((what & CG_X_END) != 0)
        req->forward.in_ended = true;
    if ((what & CG_X_RESET) != 0)
        req->is_gone = true;
    gw_request_run(req);
}

void gw_request_end(struct gw_request *req)
{
    req->is_gone = true;
    gw_request_run(req);
}
