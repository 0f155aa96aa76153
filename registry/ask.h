/* ask.h: the registry asks the ledger. */
#ifndef CG_REGISTRY_ASK_H
#define CG_REGISTRY_ASK_H
#include "registry/inner.h"

/* rg_ask_staple begins GET /staple?<by>=<value>; by is "did" or "name".
 * Errors  as cg_endpoint_begin. */
CG_MUST_USE cg_err rg_ask_staple(struct rg_registry *registry, const char *by, struct cg_span value,
                                 struct cg_ticket who, unsigned tag);
/* rg_ask_submit begins POST /submit. */
CG_MUST_USE cg_err rg_ask_submit(struct rg_registry *registry, struct cg_span object,
                                 struct cg_ticket who, unsigned tag);

/* rg_told_staple copies the staple of a delivered answer into arena.
 * Errors  CG_BUSY (the ledger cannot answer now), CG_PROTOCOL (it answered something else). */
CG_MUST_USE cg_err rg_told_staple(struct cg_call *call, struct cg_arena *arena,
                                  struct cg_span *out);
/* rg_told_logged takes the answer to a submission.
 * Errors  as rg_told_staple; CG_CONFLICT, CG_DENIED: the ledger refused it. */
CG_MUST_USE cg_err rg_told_logged(struct cg_call *call, struct cg_arena *arena, uint64_t *out_index,
                                  struct cg_span *out_staple);

#endif
