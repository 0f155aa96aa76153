#include "registry/options.h"

#include "lib/base/span.h"

#include <httpcg/identity.h>
#include <httpcg/url.h>

static const char *check_did(struct cg_span text)
{
    struct cg_waddr waddr;

    return cg_did_read(text, &waddr) == CG_OK ? NULL : "is not a DID (did:bpi: and 56 characters)";
}

static const char *check_endpoint(struct cg_span text)
{
    if (cg_span_starts(text, CG_LIT("https://")) || cg_span_starts(text, CG_LIT("local:")) ||
        cg_span_starts(text, CG_LIT("http://127.0.0.1:")) ||
        cg_span_starts(text, CG_LIT("http://[::1]:")))
        return NULL;
    return "is not https://host, http://127.0.0.1:port or local:role";
}

static const char *check_suffix(struct cg_span text)
{
    if (text.len < 2 || text.at[0] != '.')
        return "does not begin with a dot, such as .local";
    return NULL;
}

static const char *check_name(struct cg_span text)
{
    return cg_span_find(text, '/') < text.len ? NULL
                                              : "is not plane/authority, such as app/shop.local";
}

static const char *const suffix_rules[] = {
    [RG_SUFFIX_LIST] = "list",
    [RG_SUFFIX_FIRST] = "first",
    NULL,
};

/* clang-format off */
#define AT(m) CG_OPTION_AT(struct rg_options, m)
#define ALLOW(m) CG_OPTION_AT(struct rg_allow, m)

static const struct cg_option allow_options[] = {
    {.key = "name", .type = CG_OPTION_STRING, ALLOW(name), .required = true, .unique = true, .check = check_name, .max = 269,
     .example = "app/shop.local", .help = "A name under one of the suffixes: plane/authority."},
    {.key = "did", .type = CG_OPTION_STRING, ALLOW(did), .required = true, .check = check_did, .example = "did:bpi:...",
     .help = "Who may register it."},
};

static const struct cg_option_table allow_table = {
    .section = "allow", .help = "One name of the operator's own.", .options = allow_options,
    .n_options = CG_COUNT(allow_options), .size = sizeof(struct rg_allow)};

static const struct cg_option options[] = {
    {.key = "key", .type = CG_OPTION_PATH, AT(key), .required = true, .example = "registry.hck",
     .help = "Key file of the registry's own DID, which is used for nothing else."},
    {.key = "passphrase", .type = CG_OPTION_PATH, AT(passphrase), .required = true, .example = "registry.pass",
     .help = "File that holds the key file's passphrase, readable by this user alone."},
    {.key = "wallet_doc", .type = CG_OPTION_PATH, AT(wallet_doc), .required = true, .example = "registry.wallet",
     .help = "The DID's wallet document (httpcg wallet new makes both)."},
    {.key = "ledger", .type = CG_OPTION_STRING, AT(ledger), .def = "local:ledger", .check = check_endpoint,
     .help = "The ledger that records are logged in: https://host, or local:ledger in the same process."},
    {.key = "suffixes", .type = CG_OPTION_LIST, .item = CG_OPTION_STRING, AT(suffixes), .check = check_suffix, .max_items = 16,
     .example = ".local", .help = "Suffixes of names that this operator allots (proof operator)."},
    {.key = "suffix_rule", .type = CG_OPTION_ENUM, AT(suffix_rule), .values = suffix_rules, .def = "list",
     .help = "Who may register them: list (whom the allow list or the admin socket names) or first (whoever comes first)."},
    {.key = "allow", .type = CG_OPTION_ROWS, AT(allow), .rows = &allow_table, .max_items = 4096,
     .help = "Names under the suffixes and who may register them."},
    {.key = "challenge", .type = CG_OPTION_DURATION, AT(challenge_ms), .def = "1h", .min = 1000, .max = 86400000,
     .help = "How long the token of a challenge is good for."},
    {.key = "challenges", .type = CG_OPTION_INT, AT(challenges), .def = "10000", .min = 1, .max = 1000000,
     .help = "Challenges that may be open at a time."},
    {.key = "challenge_rate", .type = CG_OPTION_INT, AT(challenges_per_min), .def = "30", .min = 0, .max = 1000000,
     .help = "Challenges a minute for one address prefix; 0 sets no limit. Roles of this process and loopback do not count."},
    {.key = "ledger_wait", .type = CG_OPTION_DURATION, AT(ledger_ms), .def = "15s", .min = 100, .max = 120000,
     .help = "How long the ledger may take to log a record."},
};
/* clang-format on */

const struct cg_option_table rg_option_table = {
    .section = "registry",
    .role = "registry",
    .help = "The registry: which target and gateways a name has, by its owner's word.",
    .options = options,
    .n_options = CG_COUNT(options),
    .size = sizeof(struct rg_options),
};
