/* record: what was decided about a request, once, to the access log and the metrics. */
#include "gateway/request.h"

#include "gateway/metrics.h"
#include "gateway/names.h"
#include "lib/base/span.h"

#include <stdatomic.h>

enum gw_next gw_record(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_log *log = thread->gw->setup.log;
    const struct cg_head *in = &req->x->in;
    int64_t us = cg_loop_mono(thread->loop).us - req->began.us;
    bool is_native = req->target.kind == CG_URL_TARGET_NATIVE && req->target.url.authority.len > 0;
    int plane = is_native ? (int)req->target.url.plane : CG_PLANE_COUNT;
    int status = req->answer.is_started ? req->answer.head.status : 0;

    atomic_fetch_add_explicit(&thread->gw->n_requests, 1, memory_order_relaxed);
    cg_metric_add(thread->metrics, &gw_metric_table, GW_METRIC_REQUESTS, CG_LABELS(plane, status),
                  1);
    cg_metric_observe(thread->metrics, &gw_metric_table, GW_METRIC_SECONDS, CG_LABELS(plane), us);
    if (req->fault.refusal != CG_REFUSAL_NONE) {
        cg_metric_add(thread->metrics, &gw_metric_table, GW_METRIC_REFUSALS,
                      CG_LABELS((int)req->fault.refusal), 1);
        cg_log(log, INFO, request_refused, CG_ID("request", req->id),
               CG_STR("step", req->fault_step), CG_STR("check", req->fault.check),
               CG_STR("code", cg_refusal_code(req->fault.refusal)), CG_ERR(req->fault.err),
               CG_STR("wallet", req->is_signed ? req->sapi.wallet.text : NULL));
    }
    if (req->is_gone && !(req->answer.down == GW_DOWN_SENT))
        cg_log(log, DEBUG, request_aborted, CG_ID("request", req->id),
               CG_STR("step", gw_step_name(req->at)));
    cg_log_access(log, CG_ID("request", req->id), CG_TEXT("method", in->method),
                  CG_STR("plane", is_native ? cg_plane_name(req->target.url.plane) : NULL),
                  CG_TEXT("authority", is_native ? req->target.url.authority : in->authority),
                  CG_TEXT("path", is_native ? req->target.url.path : in->path),
                  CG_INT("status", status), CG_INT("us", us),
                  CG_STR("sapi", cg_sapi_mode_name(req->sapi.mode)),
                  CG_STR("wallet", req->is_signed ? req->sapi.wallet.text : NULL),
                  CG_UINT("bytes_in", req->x->in_bytes), CG_UINT("bytes_out", req->x->out_bytes));
    return GW_ON;
}
