/* known.h: who asks for a grant, and out of which budget.
 *
 * A grant costs a hybrid verification and a share of a signature, whoever asks.  So strangers of
 * one address prefix have a rate together; and a wallet that was granted before has one of its own,
 * so that no stranger behind the same address locks it out, nor does it use up theirs.
 *
 * That a wallet was granted before is known from the ticket that its connection was resumed with,
 * which nobody can forge; or from memory, by the address that the grant names.  Anybody can name
 * that: the claim counts for its own address prefix only, and no longer where claims of that prefix
 * have failed. */
#ifndef CG_GATEWAY_KNOWN_H
#define CG_GATEWAY_KNOWN_H
#include "runtime/bucket.h"

#include <httpcg/identity.h>

/* A wallet is remembered for a day, unless too many others come. */
#define GW_KNOWN_MIN (24 * 60)
#define GW_KNOWN_PLACES 32768
/* A known wallet's rate is so many times that of a prefix of strangers. */
#define GW_KNOWN_TIMES 10
/* A signature that does not verify costs its address prefix so many grants. */
#define GW_BAD_GRANT_TOKENS 10

struct gw_known {
    struct cg_hash salt; /* random: nobody shall choose whose place he shares */
    _Atomic uint64_t places[GW_KNOWN_PLACES];
    struct cg_buckets strangers; /* by prefix */
    struct cg_buckets wallets;   /* by wallet; claimed ones by wallet and prefix */
    struct cg_buckets liars;     /* failed claims, by prefix */
};

enum gw_standing {
    GW_STRANGER,
    GW_CLAIMED, /* the wallet is remembered; whether it is that one the signature will tell */
    GW_RESUMED, /* a ticket says so */
};

struct gw_asker {
    struct cg_span ip;
    const struct cg_waddr *wallet; /* that the grant names */
    bool has_ticket;               /* resumed, with a ticket of that wallet's */
    enum gw_standing standing;     /* gw_known_take: out */
};

/* gw_known_take finds an asker's standing, and takes what a grant costs out of that budget; false:
 * there is not so much.
 * Units   per_s is the rate of strangers; tokens what this grant costs, 1 for an ordinary one. */
bool gw_known_take(struct gw_known *known, struct gw_asker *asker, int64_t per_s, int64_t tokens,
                   struct cg_mono now);
/* gw_known_failed tells that its signature does not verify. */
void gw_known_failed(struct gw_known *known, const struct gw_asker *asker, int64_t per_s,
                     struct cg_mono now);
/* gw_known_granted remembers a wallet. */
void gw_known_granted(struct gw_known *known, const struct cg_waddr *wallet, struct cg_mono now);
/* gw_known_mark gives what stands for a wallet in tickets. Errors CG_CRYPTO. */
CG_MUST_USE cg_err gw_known_mark(const struct cg_waddr *wallet, struct cg_hash *out);

#endif
