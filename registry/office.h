/* office.h: what a worker does for the registry: judge a claim, sign its record, prove the result.
 */
#ifndef CG_REGISTRY_OFFICE_H
#define CG_REGISTRY_OFFICE_H
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/trust/trust.h"
#include "lib/wire/refusal.h"
#include "store/store.h"

#include <httpcg/record.h>

struct rg_office;

/* rg_office_new takes the registry's seed.
 * Owns    borrows crypto and trust, copies the rest.
 * Errors  CG_MISMATCH (the document is not of these keys, or deactivated), those of cg_did_check,
 *         CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err rg_office_new(const struct cg_crypto *crypto, const struct cg_trust *trust,
                                 const struct cg_secret *seed, struct cg_span wallet_doc,
                                 struct rg_office **out);
struct rg_office *rg_office_ref(struct rg_office *office);
void rg_office_unref(struct rg_office *office);
const struct cg_waddr *rg_office_did(const struct rg_office *office);

/* How a registrant wants to show that a name is his. */
enum rg_proof {
    RG_PROOF_SELF,     /* the name is his address */
    RG_PROOF_OPERATOR, /* the operator allots it */
};

/* What an owner asks for, and what was learned about it on the way. */
struct rg_claim {
    struct rg_office *office;
    struct cg_arena arena; /* of all spans */
    struct cg_wall now;

    /* asked */
    struct cg_record record; /* borrows from a copy of its JSON */
    struct cg_span name;     /* "plane/authority" */
    struct cg_span wallet_doc;
    struct cg_hash token;
    enum rg_proof proof;
    bool has_previous_signature;
    uint8_t previous_signature[CG_HSIG_BYTES];

    /* known to the database */
    bool has_current;
    struct cg_stored_name current;
    struct cg_span previous_doc; /* of the owner before, where it is another one */
    bool changes_owner;

    /* known to the ledger */
    struct cg_span owner_staple, previous_staple;
    bool owner_is_logged;

    /* made */
    struct cg_span json;   /* the record with both signatures */
    struct cg_span object; /* as the ledger keeps it */
    struct cg_span staple;
    uint64_t index;
    struct cg_span answer; /* JSON */

    /* how it went */
    enum cg_refusal refusal;
    const char *field;
};

/* rg_claim_new makes an empty claim; NULL when out of memory. */
struct rg_claim *rg_claim_new(struct rg_office *office, struct cg_wall now);
void rg_claim_free(struct rg_claim *claim);
/* rg_claim_refuse notes a refusal and gives CG_DENIED. */
CG_MUST_USE cg_err rg_claim_refuse(struct rg_claim *claim, enum cg_refusal refusal,
                                   const char *field);

/* rg_claim_judge checks wallet documents, their currentness and signatures, then signs the record
 * and makes json and object.
 * Errors  CG_DENIED: refusal and field say why; else ours. */
CG_MUST_USE cg_err rg_claim_judge(struct rg_claim *claim);
/* rg_claim_prove makes the answer out of json and staple, and checks it as any resolver will.
 * Errors  CG_PROTOCOL: the ledger's staple does not prove it; else ours. */
CG_MUST_USE cg_err rg_claim_prove(struct rg_claim *claim);

/* rg_inception_of gives the inception document inside a wallet document.
 * Errors  the CBOR reader's. */
CG_MUST_USE cg_err rg_inception_of(struct cg_span wallet_doc, struct cg_span *out);
/* rg_office_is_current tells whether the registry's own DID stands in the ledger as we hold it.
 * Errors  CG_STALE (rotated: other keys are in force), those of cg_staple_verify. */
CG_MUST_USE cg_err rg_office_is_current(const struct rg_office *office, struct cg_span staple,
                                        struct cg_wall now, bool *out_is_logged);
/* rg_office_doc gives the registry's own wallet document. */
struct cg_span rg_office_doc(const struct rg_office *office);

#endif
