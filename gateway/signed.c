/* signed: QLOCK and SAPI, where presented. The order of checks, and what each failure is called,
 * are the gate's; here its verdict is waited for where a worker makes it. */
#include "gateway/verify.h"

void gw_signed_call(struct gw_request *req, struct cg_call *call)
{
    req->sig_job = gw_verify_take(call);
    if (!req->sig_job)
        gw_refuse(req, CG_REFUSAL_UNAVAILABLE, call->err, "worker");
}

/* A signature that is none costs a worker half a millisecond and its sender nothing. An honest
 * client never makes one; so many end the connection, whose successor needs a grant again. */
#define FORGED_MAX 16

static void count_forged(struct gw_conn *conn)
{
    if (++conn->n_forged < FORGED_MAX)
        return;
    cg_gate_close(&conn->gate);
    cg_conn_drain(conn->conn);
}

enum gw_next gw_signed(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_gate *gate = &req->conn->gate;
    struct cg_sig_job *job = NULL;

    if (gw_waits_for(req, GW_TAG_SIGNATURE))
        return GW_WAIT;
    if (!req->is_checked) {
        const struct cg_gate_ask ask = {&req->x->in, &req->target.url};

        if (cg_gate_request_check(gate, thread->kit, &ask, req->wall, &req->sapi, &job,
                                  &req->fault) != CG_OK) {
            req->extra.server_time =
                req->fault.refusal == CG_REFUSAL_CLOCK_SKEW ? (uint64_t)req->wall.s : 0;
            return GW_REFUSE;
        }
        req->is_checked = true;
        if (job) {
            cg_err err = gw_verify_begin(req, job);

            return err == CG_OK ? GW_WAIT : gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "worker");
        }
    } else if (!req->sig_job) {
        return GW_REFUSE; /* as noted when the worker's answer did not come */
    } else if (cg_gate_request_commit(gate, &req->sapi, req->sig_job, &req->fault) != CG_OK) {
        if (req->sig_job->result != CG_OK)
            count_forged(req->conn);
        return GW_REFUSE;
    }
    req->is_signed = req->sapi.mode != CG_SAPI_NONE;
    return GW_ON;
}
