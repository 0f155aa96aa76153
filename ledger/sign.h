/* sign.h: what signs heads and judges submissions: keys and rules, shared with the workers.
 *
 * Immutable once made, and counted: a worker may still be at it when the ledger is gone. */
#ifndef CG_LEDGER_SIGN_H
#define CG_LEDGER_SIGN_H
#include "ledger/admit.h"
#include "ledger/options.h"
#include "lib/base/buf.h"
#include "lib/merkle/tlog.h"

struct lg_office;

/* lg_office_new takes the log's seed and the registries of the options.
 * Owns    borrows crypto and origin; the seed is copied.
 * Errors  CG_CONFIG (an origin that is none), CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err lg_office_new(const struct cg_crypto *crypto, const struct lg_options *options,
                                 const struct cg_secret *seed, struct lg_office **out);
struct lg_office *lg_office_ref(struct lg_office *office);
void lg_office_unref(struct lg_office *office);

const struct lg_rules *lg_office_rules(const struct lg_office *office);
const struct cg_public_keys *lg_office_keys(const struct lg_office *office);
const struct cg_log_id *lg_office_id(const struct lg_office *office);

/* lg_office_knows tells whether a published note is this log's: its name and both its keys.
 * Errors  CG_MISMATCH (another name), CG_SIGNATURE (other keys), and those of a malformed note. */
CG_MUST_USE cg_err lg_office_knows(const struct lg_office *office, struct cg_span note);
/* lg_office_sign signs a head that is on disk already, and appends the note; 2 ms.
 * Errors  CG_CRYPTO (also when the note does not verify: a fault must not leave the house),
 *         CG_NO_MEMORY, CG_TOO_LARGE. */
CG_MUST_USE cg_err lg_office_sign(const struct lg_office *office, uint64_t size,
                                  const struct cg_hash *root, struct cg_buf *out);

#endif
