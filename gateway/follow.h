/* follow.h: what the gateway follows of the ledger: whether a wallet's keys are its newest. Its own
 * certificates are own.h's.
 *
 * For each grant the ledger is asked for the DID's state with its proof; those who ask for the same
 * DID share one question, and an answer is good until a newer checkpoint was seen, thirty seconds
 * at most.  A ledger that cannot be asked, or whose newest checkpoint is too old, means no new
 * grants: the gateway fails closed. */
#ifndef CG_GATEWAY_FOLLOW_H
#define CG_GATEWAY_FOLLOW_H
#include "gateway/names.h"

struct gw_follow;

#define GW_DID_CACHE_MS 30000

CG_MUST_USE cg_err gw_follow_new(struct gw_names *names, struct gw_follow **out);
/* gw_follow_saw tells of a checkpoint's size that was seen elsewhere; on the service loop. */
void gw_follow_saw(struct gw_follow *follow, uint64_t size);
/* gw_follow_size gives the largest seen. */
uint64_t gw_follow_size(const struct gw_follow *follow);
void gw_follow_free(struct gw_follow *follow);

/* gw_did_begin asks whether a state, followed from a wallet_doc, is the DID's newest; any loop.
 * Errors  now: CG_NO_MEMORY; delivered: CG_REVOKED (deactivated), CG_STALE (there is a newer one),
 *         CG_UNREACHABLE, CG_TIMEOUT, and why the answer does not verify. */
CG_MUST_USE cg_err gw_did_begin(struct gw_follow *follow, const struct cg_did_state *state,
                                struct cg_loop *loop, struct cg_ticket who, unsigned tag,
                                struct cg_mono deadline);

#endif
