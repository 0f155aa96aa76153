/* verify.h: a request's signature, verified by a worker. */
#ifndef CG_GATEWAY_VERIFY_H
#define CG_GATEWAY_VERIFY_H
#include "gateway/request.h"

/* gw_verify_begin gives a job to a worker; GW_TAG_SIGNATURE is then waited for.
 * Owns    job is given away, on errors too. */
CG_MUST_USE cg_err gw_verify_begin(struct gw_request *req, struct cg_sig_job *job);
/* gw_verify_take takes the job of a delivered call, or NULL. */
struct cg_sig_job *gw_verify_take(struct cg_call *call);

#endif
