/* floor.h: what a trust file asks of a gateway's policy, and whether the policy promises it. */
#ifndef CG_CLIENT_FLOOR_H
#define CG_CLIENT_FLOOR_H
#include "lib/trust/trust.h"

/* cl_floor_is_set tells whether the file has a floor, so that a policy has to be looked at. */
bool cl_floor_is_set(const struct cg_trust *trust);
/* cl_floor_check takes a policy document as a gateway gave it. Its content is the gateway's word by
 * its hash, which stands in the certificate, so its own signatures are not asked for again.
 * Units   *out_why gets which floor it is below, a constant, or NULL.
 * Errors  CG_MISMATCH (of another hash, or no gateway's), CG_DENIED (below a floor), and those of
 *         a document that is malformed.
 * Source  docs/protocol/trust.md, "Meaning" */
CG_MUST_USE cg_err cl_floor_check(const struct cg_trust *trust, const struct cg_hash *promised,
                                  struct cg_span document, const char **out_why);

#endif
