/* read.h: from a policy's CBOR to its members. */
#ifndef CG_LIB_ACCESS_READ_H
#define CG_LIB_ACCESS_READ_H
#include "lib/access/policy.h"

/* cg_policy_parse reads policy->cbor into the other members. fault says where it ended. */
CG_MUST_USE cg_err cg_policy_parse(struct cg_policy *policy, struct cg_policy_fault *fault);

#endif
