/* options.h: what an operator can say about the ledger role. */
#ifndef CG_LEDGER_OPTIONS_H
#define CG_LEDGER_OPTIONS_H
#include "runtime/option.h"

struct lg_options {
    const char *origin;           /* the log's name, as its checkpoints and vkeys say it */
    const char *key, *passphrase; /* key file of the log's keys */
    int64_t publish_interval_ms;  /* between two heads, while there are new entries */
    int64_t heartbeat_ms;         /* between two heads, while there are none */
    int64_t wait_ms;              /* a submission is answered 202 after it */
    struct cg_list registries;    /* of const char *: DIDs whose records are admitted */
    int64_t submissions_per_min;  /* of one address prefix; 0: any number */
    int64_t queue;                /* submissions that may wait for the next head */
};

extern const struct cg_option_table lg_option_table;

#endif
