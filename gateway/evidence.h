/* evidence.h: what a backend needs to verify a request by itself.
 *
 * Evidence that fits goes along as a field.  What does not (a hybrid signature never does) is kept
 * for a minute, under its SHA-256, and the backend fetches it from the services listener: nobody
 * who was not told that name can guess it.  What all of it may hold is one budget; a request whose
 * evidence does not fit into it is refused, never forwarded without. */
#ifndef CG_GATEWAY_EVIDENCE_H
#define CG_GATEWAY_EVIDENCE_H
#include "gateway/stamp.h"
#include "runtime/reply.h"

struct gw_evidence;
struct gw_request;

#define GW_EVIDENCE_LIFE_MS 60000
/* A longer field is more than common servers take. */
#define GW_EVIDENCE_FIELD_MAX_CHARS 8192

/* gw_evidence_new makes an empty store, which serves
 *   GET /evidence/{sha-256 in hex}    evidence, or a wallet's document: application/cbor
 * Errors  CG_NO_MEMORY. */
CG_MUST_USE cg_err gw_evidence_new(struct cg_loop *services, struct gw_evidence **out);
/* gw_evidence_free, once nobody uses it or its routes any more. NULL is nothing. */
void gw_evidence_free(struct gw_evidence *evidence);
const struct cg_route_table *gw_evidence_routes(struct gw_evidence *evidence);

/* gw_evidence_give makes a request's evidence and puts it, or its name, into stamp; from any
 * thread. store NULL: nothing can be fetched. max is the budget.
 * Owns    what stamp points to is in the exchange's arena.
 * Errors  CG_BUSY (the budget is used up), CG_UNSUPPORTED (it would have to be fetched and cannot,
 *         or there is none of such a request), CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err gw_evidence_give(struct gw_evidence *store, struct gw_request *req, int64_t max,
                                    struct cg_mono now, struct gw_stamp *stamp);

/* gw_evidence_keep and gw_evidence_find are the store itself. What is kept already is kept anew.
 * Errors  keep: CG_BUSY, CG_NO_MEMORY; find: CG_NOT_FOUND and those of cg_buf_add. */
CG_MUST_USE cg_err gw_evidence_keep(struct gw_evidence *store, const struct cg_hash *name,
                                    struct cg_span bytes, int64_t max, struct cg_mono now);
CG_MUST_USE cg_err gw_evidence_find(struct gw_evidence *store, const struct cg_hash *name,
                                    struct cg_mono now, struct cg_buf *out);

#endif
