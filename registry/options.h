/* options.h: what an operator can say about the registry role. */
#ifndef CG_REGISTRY_OPTIONS_H
#define CG_REGISTRY_OPTIONS_H
#include "runtime/option.h"

/* Who may register names under the operator's own suffixes. */
enum rg_suffix_rule {
    RG_SUFFIX_LIST,  /* whom the allow list names */
    RG_SUFFIX_FIRST, /* whoever comes first */
};

/* A name of the allow list in the configuration; others are put there over the admin socket. */
struct rg_allow {
    const char *name; /* plane/authority */
    const char *did;
};

struct rg_options {
    const char *key, *passphrase; /* key file of the registry's own DID, used for nothing else */
    const char *wallet_doc;       /* file: its wallet document */
    const char *ledger;           /* endpoint */
    struct cg_list suffixes;      /* of const char *: ".local" */
    int suffix_rule;              /* enum rg_suffix_rule */
    struct cg_list allow;         /* of struct rg_allow */
    int64_t challenge_ms;         /* how long a challenge is good for */
    int64_t challenges;           /* outstanding ones */
    int64_t challenges_per_min;   /* of one address prefix; 0: any number */
    int64_t ledger_ms;            /* how long the ledger may take to log a record */
};

extern const struct cg_option_table rg_option_table;

#endif
