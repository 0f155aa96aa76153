/* registry.h: the registry role: which target and which gateways a name has, by its owner's word.
 *
 * HTTP, on the services listener or as local:registry; bodies are JSON:
 *
 *   GET /resolve/{plane}/{authority}   200 with record, staple, wallet_doc, operator_did,
 * operator_doc 404 name-unresolved with the staple that proves it; for a tombstone, or a record
 * that ran out, with the record as well GET /operator {"operator_did","operator_doc"} POST
 * /challenge                    {"plane","authority","rp_did"} -> {"token","expires"} POST
 * /register                     {"record":{...},"owner_signature","token","proof":{"type"},
 *                                       "wallet_doc"} -> as /resolve, once the ledger has it;
 *                                      wallet_doc may be left out when it was sent before; a change
 *                                      of owner needs "previous_signature", by the owner before
 *        409, 422                      serial is not the last one plus 1; refused (field says
 * where) 501                           proofs dns and https, plane gw
 *
 * An owner that the ledger does not know yet is logged first.  A record is stored as proposed,
 * submitted, and settled when the ledger has it; what a crash leaves proposed is submitted again at
 * the next start, so a serial never has two contents. */
#ifndef CG_REGISTRY_REGISTRY_H
#define CG_REGISTRY_REGISTRY_H
#include "lib/trust/trust.h"
#include "registry/options.h"
#include "runtime/admin.h"
#include "runtime/endpoint.h"
#include "runtime/log.h"
#include "runtime/worker.h"

/* What the process gives its registry; everything lives longer than it. */
struct rg_setup {
    const struct rg_options *options;
    const char *database; /* file, the same for all roles of the process */
    const struct cg_crypto *crypto;
    const struct cg_trust *trust; /* the ledger's answers are verified against it */
    struct cg_log *log;
    struct cg_loop *loop;       /* the service loop */
    struct cg_workers *workers; /* for signatures */
    struct cg_endpoint *ledger; /* of options->ledger, on loop */
};

struct rg_registry;

/* rg_start opens database and keys, before the loop runs.
 * Errors  CG_CONFIG, CG_STORE, CG_IO …, with a problem that says what to do. */
CG_MUST_USE cg_err rg_start(const struct rg_setup *setup, struct cg_problems *problems,
                            struct rg_registry **out);
/* rg_routes gives the table named "registry", for cg_locals_add and the services listener. */
const struct cg_route_table *rg_routes(const struct rg_registry *registry);
/* rg_is_ready tells whether the registry's own DID is logged; if not, why ends the sentence "not
 * ready: ". */
bool rg_is_ready(const struct rg_registry *registry, const char **why);
/* rg_did gives the registry's DID, for trust files. */
const struct cg_waddr *rg_did(const struct rg_registry *registry);
/* rg_commands gives the table for the admin socket, which must be served on the same loop:
 *   PUT /registry/allow/{plane}/{authority}      that DID, the body, may register the name; 204
 *   DELETE /registry/allow/{plane}/{authority}   nobody any more by this list; 204, 404 */
const struct cg_route_table *rg_commands(struct rg_registry *registry, struct cg_admin *admin);
/* rg_drain takes no more registrations; rg_is_drained tells whether all are answered. */
void rg_drain(struct rg_registry *registry);
bool rg_is_drained(const struct rg_registry *registry);
/* rg_stop frees, after the loop has stopped and before it and the ledger endpoint are freed; NULL
 * is nothing. */
void rg_stop(struct rg_registry *registry);

#endif
