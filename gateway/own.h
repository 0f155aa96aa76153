/* own.h: what the ledger says of the gateway's own certificates: that they are in it, and that they
 * are not revoked.
 *
 * Followed are the one that new connections get, the renewed one that waits for the ledger's first
 * word to take its place, and those that connections still have from before: a revocation counts
 * for them as well. */
#ifndef CG_GATEWAY_OWN_H
#define CG_GATEWAY_OWN_H
#include "gateway/names.h"

struct gw_own;

/* A confirmed certificate is asked about so often, and as soon as the second says where a newer
 * checkpoint was seen meanwhile: it may hold a revocation. */
#define GW_OWN_EVERY_MS 30000
#define GW_OWN_NEWS_MS 3000
/* The operator is told of one that still waits after so long, and then once an hour. */
#define GW_OWN_PATIENCE_MS 10000

CG_MUST_USE cg_err gw_own_new(struct gw_names *names, struct gw_own **out);
/* gw_own_start begins to ask; on the service loop. */
void gw_own_start(struct gw_own *own);
void gw_own_free(struct gw_own *own);

#endif
