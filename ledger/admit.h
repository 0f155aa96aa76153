/* admit.h: what is admitted to the log, by kind.
 *
 * A submission goes through three steps: read (its form, told by its own bytes), gather (what the
 * ledger holds about those it speaks of; the database's thread) and judge (signatures; a worker).
 * Whoever does not pass is told a refusal and, where the form was right, which member failed. */
#ifndef CG_LEDGER_ADMIT_H
#define CG_LEDGER_ADMIT_H
#include "ledger/did.h"
#include "lib/identity/cose.h"
#include "lib/wire/refusal.h"

#include <httpcg/policy.h>
#include <httpcg/record.h>

#define LG_REGISTRIES_MAX 16

/* By what the ledger judges. */
struct lg_rules {
    const struct cg_crypto *crypto;
    struct cg_log_id log_id;
    const struct cg_waddr *registries; /* whose records are admitted */
    size_t n_registries;
};

struct lg_form;

struct lg_admission {
    const struct lg_form *form;
    struct lg_item *item;      /* what it becomes; everything below lives in its arena */
    struct lg_item *inception; /* a DID that appears with this submission, logged before it */
    struct cg_span wire;

    /* what was read */
    struct cg_cose cose;
    struct cg_cert cert;
    struct cg_record record;
    struct cg_policy *policy;
    struct cg_waddr did;    /* who must have signed */
    struct cg_wall expires; /* kem */

    /* what was gathered */
    bool is_logged; /* this very thing, long ago, at index */
    uint64_t index;
    struct lg_did owner;
    struct lg_did operators[LG_REGISTRIES_MAX];
    size_t n_operators;
    uint64_t last; /* serial or version of the present one; 0: none */

    /* how it went */
    enum cg_refusal refusal;
    const char *field;
};

/* lg_admission_new copies the wire; NULL when out of memory. */
struct lg_admission *lg_admission_new(struct cg_span wire);
void lg_admission_free(struct lg_admission *admission);

/* The steps, in order. CG_DENIED: refusal and field say why, and it ends there.
 * Errors  else are ours: the store's, CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err lg_admit_read(const struct lg_rules *rules, struct lg_admission *a);
/* After lg_admit_gather is_logged tells whether anything is left to judge. */
CG_MUST_USE cg_err lg_admit_gather(const struct lg_rules *rules, struct cg_store *store,
                                   struct lg_admission *a);
CG_MUST_USE cg_err lg_admit_judge(const struct lg_rules *rules, struct cg_wall now,
                                  struct lg_admission *a);

#endif
