/* claim.h: reading a claim out of a request, and what the database knows of it. */
#ifndef CG_REGISTRY_CLAIM_H
#define CG_REGISTRY_CLAIM_H
#include "registry/office.h"
#include "registry/options.h"

/* rg_claim_read reads the body of POST /register.
 * Errors  CG_DENIED: refusal and field say why; CG_NO_MEMORY. */
CG_MUST_USE cg_err rg_claim_read(struct rg_claim *claim, struct cg_span body,
                                 const struct cg_trust *trust);
/* rg_claim_look uses the token up and reads what is known of name and owner (the database's
 * thread). Errors  as rg_claim_read, and the store's. */
CG_MUST_USE cg_err rg_claim_look(struct rg_claim *claim, const struct rg_options *options,
                                 struct cg_store *store);
/* rg_claim_propose stores the record as the name's next serial, with its owner's document.
 * Errors  likewise. */
CG_MUST_USE cg_err rg_claim_propose(struct rg_claim *claim, struct cg_store *store);

#endif
