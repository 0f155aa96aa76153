/* policy.h: policy documents, made and signed by their owner's wallet. */
#ifndef CG_CLIENT_POLICY_H
#define CG_CLIENT_POLICY_H
#include "client/wallet.h"

/* cl_policy_default writes a policy's JSON: kind "rbac", the profile that a name gets when its
 * owner made none (any wallet may ask, whoever signs with a grant), or kind "gateway". Errors
 * CG_TOO_LARGE. */
CG_MUST_USE cg_err cl_policy_default(const char *kind, const char *name,
                                     const struct cg_waddr *owner, struct cg_buf *out);
/* cl_policy_sign makes the signed document of a policy's JSON with the open wallet.
 * What is wrong is said; the return is an exit code. Owns  out is the caller's. */
CG_MUST_USE int cl_policy_sign(struct cl_run *run, const char *what, struct cg_span json,
                               struct cg_buf *out);

#endif
