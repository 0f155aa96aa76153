#include "ledger/options.h"

#include "ledger/admit.h"
#include "lib/base/span.h"

#include <httpcg/identity.h>

static const char *check_did(struct cg_span text)
{
    struct cg_waddr waddr;

    return cg_did_read(text, &waddr) == CG_OK ? NULL : "is not a DID (did:bpi: and 56 characters)";
}

/* C2SP signed-note: a key's name has neither space nor plus. */
static const char *check_origin(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '+')
            return "is not printable ASCII without space and plus";
    return NULL;
}

/* clang-format off */
#define AT(m) CG_OPTION_AT(struct lg_options, m)

static const struct cg_option options[] = {
    {.key = "origin", .type = CG_OPTION_STRING, AT(origin), .required = true, .max = 255, .check = check_origin,
     .example = "ledger.example/bpi1", .help = "The log's name for ever: a host and a path, as its checkpoints say it."},
    {.key = "key", .type = CG_OPTION_PATH, AT(key), .required = true, .example = "log.hck",
     .help = "Key file of the log's keys, which sign nothing else."},
    {.key = "passphrase", .type = CG_OPTION_PATH, AT(passphrase), .required = true, .example = "log.pass",
     .help = "File that holds the key file's passphrase, readable by this user alone."},
    {.key = "registries", .type = CG_OPTION_LIST, .item = CG_OPTION_STRING, AT(registries), .check = check_did, .max_items = LG_REGISTRIES_MAX,
     .example = "did:bpi:...", .help = "DIDs of the registries whose records are admitted."},
    {.key = "publish_interval", .type = CG_OPTION_DURATION, AT(publish_interval_ms), .def = "1s", .min = 10, .max = 60000,
     .help = "How often a new head is signed while there are new entries."},
    {.key = "heartbeat", .type = CG_OPTION_DURATION, AT(heartbeat_ms), .def = "1h", .min = 1000, .max = 3600000,
     .help = "How often one is signed while there are none; clients measure the log's age by it."},
    {.key = "wait", .type = CG_OPTION_DURATION, AT(wait_ms), .def = "10s", .min = 100, .max = 60000,
     .help = "A submission that is not in a published head by then is answered 202: ask again."},
    {.key = "submissions", .type = CG_OPTION_INT, AT(submissions_per_min), .def = "120", .min = 0, .max = 1000000,
     .help = "Submissions a minute from one address prefix; 0 sets no limit. Roles of this process and loopback do not count."},
    {.key = "queue", .type = CG_OPTION_INT, AT(queue), .def = "1024", .min = 1, .max = 65536,
     .help = "Submissions that may wait for the next head; more are refused."},
};
/* clang-format on */

const struct cg_option_table lg_option_table = {
    .section = "ledger",
    .role = "ledger",
    .help = "The ledger: an append-only log of certificates, records, keys and policies.",
    .options = options,
    .n_options = CG_COUNT(options),
    .size = sizeof(struct lg_options),
};
