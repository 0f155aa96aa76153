#include "client/floor.h"

#include "lib/access/policy.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"

bool cl_floor_is_set(const struct cg_trust *trust)
{
    return trust->floor_sapi > CG_SAPI_NONE || trust->floor_group.len > 0 ||
           trust->floor_padding > 0;
}

/* The first floor that a policy is below, or NULL. */
static const char *below(const struct cg_trust *trust, const struct cg_policy *policy)
{
    if (policy->sapi_min < trust->floor_sapi)
        return "sapi";
    /* There is one group that a policy can promise, and it may promise none. */
    if (trust->floor_group.len > 0 && !policy->has_tls)
        return "group";
    if (policy->padding < trust->floor_padding)
        return "padding";
    return NULL;
}

cg_err cl_floor_check(const struct cg_trust *trust, const struct cg_hash *promised,
                      struct cg_span document, const char **out_why)
{
    struct cg_policy *policy = NULL;
    struct cg_cose cose;
    struct cg_hash hash;

    *out_why = NULL;
    CG_TRY(cg_cose_read(document, CG_DOC_POLICY, &cose));
    CG_TRY(cg_policy_hash_of(cose.payload, &hash));
    if (!cg_hash_eq(&hash, promised))
        return CG_MISMATCH;
    CG_TRY(cg_policy_read_cbor(cose.payload, &policy, NULL));
    cg_err err = CG_OK;
    if (cg_policy_kind(policy) != CG_POLICY_GATEWAY)
        err = CG_MISMATCH;
    else if ((*out_why = below(trust, policy)) != NULL)
        err = CG_DENIED;
    cg_policy_free(policy);
    return err;
}
