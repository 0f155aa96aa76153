/* seed.h: opening a role's key file: the file, its passphrase's file, and what to say when either
 * will not do. */
#ifndef CG_RUNTIME_SEED_H
#define CG_RUNTIME_SEED_H
#include "runtime/problem.h"

#include <httpcg/crypto.h>

struct cg_seed_ask {
    const char *section;    /* of the options, such as "ledger" */
    const char *key;        /* path of the key file, the option <section>.key */
    const char *passphrase; /* path of its passphrase's, <section>.passphrase */
    const char *role;       /* what the key must be for, such as "log" */
};

/* cg_seed_load reads both files, which nobody else may read, and opens the key; slow by design.
 * A line feed at the passphrase's end is the editor's and does not count.
 * Errors  CG_CONFIG, with a problem that says what to do; CG_NO_MEMORY. out is then untouched. */
CG_MUST_USE cg_err cg_seed_load(const struct cg_crypto *crypto, const struct cg_seed_ask *ask,
                                struct cg_problems *problems, struct cg_secret *out);

#endif
