/* policy.h: the members of a policy, for those inside. */
#ifndef CG_LIB_ACCESS_POLICY_H
#define CG_LIB_ACCESS_POLICY_H
#include "lib/base/arena.h"
#include "lib/wire/writer.h"

#include <httpcg/policy.h>

#define CG_METHODS_MAX 16
#define CG_RULE_ROLES_MAX 16
#define CG_ROLE_WALLETS_MAX 4096
#define CG_PATTERN_MAX_BYTES 512
#define CG_PATTERN_SEGMENTS_MAX 32
#define CG_BACKEND_KEYS_MAX 4
#define CG_DEFAULT_MAX_BODY (UINT64_C(1) << 53)

struct cg_rate {
    uint32_t per_min; /* 0: no limit */
    uint32_t burst;
};

struct cg_rule {
    size_t n_methods;
    struct cg_span methods[CG_METHODS_MAX];
    struct cg_span path; /* the pattern */
    size_t n_roles;
    struct cg_span roles[CG_RULE_ROLES_MAX];
    bool allows_anonymous; /* "anonymous" is among the roles */
    bool allows_any_wallet;
    enum cg_sapi_mode sapi;
    struct cg_rate rate;
    bool evidence;       /* the backend gets what it needs to verify for itself */
    bool receipt;        /* the response is signed with the transport keys */
    bool stream;         /* bodies go through before their digest is known */
    uint8_t body_modes;  /* bit n: mode n; without the member both */
    uint64_t max_body;   /* bytes; without the member 2^53 */
    uint32_t max_rtt_us; /* 0: not asked */
};

struct cg_role_list {
    struct cg_span role;
    size_t n_wallets;
    struct cg_waddr *wallets; /* in order */
    bool has_until;
    struct cg_wall until;
};

/* An RFC 9421 key that backends of other operators verify with. */
struct cg_backend_key {
    struct cg_span kid;
    uint8_t ed25519[CG_ED25519_KEY_BYTES];
};

struct cg_policy {
    struct cg_arena arena;
    struct cg_span cbor;
    struct cg_hash hash;
    enum cg_policy_kind kind;
    struct cg_span name;
    struct cg_waddr owner;
    uint64_t version;
    bool has_tls; /* it promises the one version and group there are */
    unsigned padding;
    int64_t max_checkpoint_age_s;
    /* RBAC */
    bool conceal;
    bool web2_allow;
    size_t n_roles;
    struct cg_role_list *roles;
    size_t n_rules;
    struct cg_rule *rules;
    /* gateway */
    enum cg_sapi_mode sapi_min;
    uint8_t planes; /* bit of each enum cg_plane, in the order app bpi gw wallet m2m */
    uint64_t max_epochs;
    uint64_t audit_days;
    size_t n_backend_keys;
    struct cg_backend_key backend_keys[CG_BACKEND_KEYS_MAX];
};

/* cg_path_matches tells whether a canonical path matches a pattern: "*" is one segment, not an
 * empty one, "**" any number of whole segments, none included. */
bool cg_path_matches(struct cg_span pattern, struct cg_span path);

/* cg_policy_gives tells whether a profile gives its i-th role to the caller of ask: by its list, or
 * by a credential. */
bool cg_policy_gives(const struct cg_policy *policy, size_t i, const struct cg_access_ask *ask);

#endif
