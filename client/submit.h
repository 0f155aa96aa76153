/* submit.h: writing to ledgers and registries. */
#ifndef CG_CLIENT_SUBMIT_H
#define CG_CLIENT_SUBMIT_H
#include "client/key.h"
#include "client/resolve.h"

/* cl_registry_url and cl_ledger_url give where to write: what the options say, or the first
 * registry of the trust file; a ledger is looked for where the registry is. NULL was said. */
const char *cl_registry_url(struct cl_run *run, char out[static 512]);
const char *cl_ledger_url(struct cl_run *run, char out[static 512]);
/* cl_submit submits one object and waits until it is logged; what is there already is fine.
 * What is wrong is said; the return is an exit code. */
CG_MUST_USE int cl_submit(struct cl_run *run, const char *what, struct cg_span object);
/* cl_submit_wallet submits a wallet's document: its inception, and each operation after it. */
CG_MUST_USE int cl_submit_wallet(struct cl_run *run, struct cg_span wallet_doc);
/* cl_answer_blames tells whether a refusal says that this member is at fault; only compared with
 * what is known here. */
bool cl_answer_blames(const struct cl_answer *answer, const char *field);

#endif
