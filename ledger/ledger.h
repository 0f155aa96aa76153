/* ledger.h: the ledger role: an append-only log, the state map made from it, and their proofs.
 *
 * HTTP, on the services listener or as local:ledger; bodies are CBOR unless said:
 *
 *   POST /submit                            a ledger object as it is kept: WalletDoc, DidOp, TLSLS
 *                                           (wallet_doc may stand beside it), revocation, policy,
 *                                           kem, registry object
 *        200 {"entry":bstr,"index":uint,"staple":bstr}   after the next head; again for the same
 *        202                                object, which is how one polls (Location names it too)
 *        409, 422, 503                      another one came first; refused; try again later
 *   GET /checkpoint                         the newest signed note (text)
 *   GET /tile/<L>/<N>[.p/<W>]               C2SP tlog-tiles
 *   GET /tile/entries/<N>[.p/<W>]
 *   GET /object/<hex digest>                the object's bytes
 *   GET /proof/inclusion?commitment=<hex>[&size=<n>]     [index, entry bstr, [hash ...]]
 *   GET /proof/consistency?from=<n>&to=<n>               [hash ...]
 *   GET /state?kind=<kind>&id=<id>          {"entry","proof","value","object_digest"}; of a key
 * that is absent all but the proof are empty GET /staple?fpr=<hex>                   certificate:
 * [tlsls-rev/fpr, did/subject] |name=<plane/authority>      record: [reg/name, did/owner,
 * did/operator]; of a name that is absent the denial: [reg/name] |did=<DID> [did/WADDR]
 *              |kind=<kind>&id=<id>         any key: [kind/id], with the entry that set it
 *
 * One sequencer, on the service loop, decides (sequence.h); signatures are a worker's, the database
 * has threads of its own. */
#ifndef CG_LEDGER_LEDGER_H
#define CG_LEDGER_LEDGER_H
#include "ledger/options.h"
#include "runtime/log.h"
#include "runtime/reply.h"
#include "runtime/worker.h"

#include <httpcg/cert.h>

/* What the process gives its ledger; everything lives longer than it. */
struct lg_setup {
    const struct lg_options *options;
    const char *database; /* file, the same for all roles of the process */
    const struct cg_crypto *crypto;
    struct cg_log *log;
    struct cg_loop *loop;       /* the service loop */
    struct cg_workers *workers; /* for signatures */
};

struct lg_ledger;

/* lg_start opens database and keys, before the loop runs.
 * Errors  CG_CONFIG, CG_STORE, CG_IO …, with a problem that says what to do. */
CG_MUST_USE cg_err lg_start(const struct lg_setup *setup, struct cg_problems *problems,
                            struct lg_ledger **out);
/* lg_routes gives the table named "ledger", for cg_locals_add and the services listener. */
const struct cg_route_table *lg_routes(const struct lg_ledger *ledger);
/* lg_is_ready tells whether a head is published; if not, why ends the sentence "not ready: ". */
bool lg_is_ready(const struct lg_ledger *ledger, const char **why);
/* lg_keys and lg_id are the log's, for trust files. */
const struct cg_public_keys *lg_keys(const struct lg_ledger *ledger);
const struct cg_log_id *lg_id(const struct lg_ledger *ledger);
/* lg_drain takes no more submissions; lg_is_drained tells whether all are answered. */
void lg_drain(struct lg_ledger *ledger);
bool lg_is_drained(const struct lg_ledger *ledger);
/* lg_stop frees, after the loop has stopped and before it is freed; NULL is nothing. */
void lg_stop(struct lg_ledger *ledger);

#endif
