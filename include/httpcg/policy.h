/* policy.h: policy documents, and the decision they make about a request.
 *
 * Two kinds share most of a closed schema: the RBAC profile that a registry record names, and the
 * gateway policy whose hash stands in a certificate.  People write JSON; what is hashed, signed and
 * logged is the deterministic CBOR of the same data.
 *
 * A policy_hash proves what an operator promised, publicly and immutably.  It does not prove that
 * the promise is kept. */
#ifndef CG_POLICY_H
#define CG_POLICY_H
#include <httpcg/identity.h>
#include <httpcg/mode.h>
#include <httpcg/url.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_POLICY_MAX_BYTES (96 * 1024)
#define CG_ROLES_MAX 64
#define CG_RULES_MAX 256
#define CG_CREDS_MAX 4
#define CG_ALLOW_MAX_BYTES 512

enum cg_policy_kind {
    CG_POLICY_RBAC,
    CG_POLICY_GATEWAY,
};

/* A policy that was read: immutable, on the heap. */
struct cg_policy;

/* Where and why a policy was refused. */
struct cg_policy_fault {
    char where[64];   /* such as "rules[3].path" */
    const char *text; /* a constant */
};

/* cg_policy_read_json and cg_policy_read_cbor parse and check a policy; the CBOR is the payload of
 * its COSE document, whose signatures the caller has checked.
 * Owns    copies. fault may be NULL.
 * Errors  CG_SYNTAX, CG_SCHEMA, CG_CANONICAL, CG_VERSION, CG_TOO_LARGE, CG_MISMATCH (a DID's
 *         checksum), CG_NO_MEMORY. */
CG_API CG_MUST_USE cg_err cg_policy_read_json(struct cg_span json, struct cg_policy **out,
                                              struct cg_policy_fault *fault);
CG_API CG_MUST_USE cg_err cg_policy_read_cbor(struct cg_span cbor, struct cg_policy **out,
                                              struct cg_policy_fault *fault);
CG_API void cg_policy_free(struct cg_policy *policy);

CG_API enum cg_policy_kind cg_policy_kind(const struct cg_policy *policy);
CG_API struct cg_span cg_policy_name(const struct cg_policy *policy);
CG_API const struct cg_waddr *cg_policy_owner(const struct cg_policy *policy);
/* cg_policy_cbor gives the bytes that are hashed and signed; they live as long as the policy. */
CG_API struct cg_span cg_policy_cbor(const struct cg_policy *policy);
/* cg_policy_hash_of gives H(TUP("httpcg-policy/v1"; cbor)) of any policy's CBOR. */
CG_API CG_MUST_USE cg_err cg_policy_hash_of(struct cg_span cbor, struct cg_hash *out);
/* cg_policy_hash gives a policy's own hash, computed when it was read. */
CG_API const struct cg_hash *cg_policy_hash(const struct cg_policy *policy);

/* A role credential whose document was verified: signed by owner's present keys. */
struct cg_cred {
    struct cg_waddr owner;
    struct cg_span aud; /* the profile's name */
    struct cg_span role;
    struct cg_waddr wallet;
    struct cg_wall until;
};

/* Who asks, for what, how; all of it verified before. */
struct cg_access_ask {
    struct cg_wall now;
    struct cg_span method;
    const struct cg_url *url;
    enum cg_sapi_mode mode;  /* how this request was signed; CG_SAPI_NONE: not at all */
    enum cg_sapi_mode least; /* what signed rules need anyway: the gateway's minimum, a step-up */
    const struct cg_waddr *wallet; /* the caller; NULL when not signed */
    bool is_anywhere;              /* the grant's scope is "*" */
    const struct cg_span *scope;   /* or its names, "plane/authority" */
    size_t n_scope;
    const struct cg_cred *creds; /* presented in the grant */
    size_t n_creds;
    unsigned body_mode; /* 0 none, 1 digest first, 2 trailer */
    uint64_t body_len;  /* where announced; 0 otherwise */
    uint32_t rtt_us;    /* least round trip measured; 0: not measured */
};

struct cg_rule;

struct cg_access {
    const struct cg_rule *rule; /* the one that decided, or NULL; lib/access/policy.h */
    unsigned rule_index;
    enum cg_sapi_mode needs;        /* with CG_STEP_UP: what it takes */
    char allow[CG_ALLOW_MAX_BYTES]; /* with CG_METHOD: the methods there are rules for */
};

/* cg_policy_decide applies an RBAC profile: the first rule that matches path and method decides.
 * Whoever has not signed learns nothing about which routes exist.
 * Errors  CG_NEEDS_AUTH (401), CG_SCOPE and CG_DENIED (403), CG_STEP_UP (403 with the level),
 *         CG_NO_RULE (404), CG_METHOD (405), CG_NOT_FOUND (404, where the profile conceals),
 *         CG_TOO_LARGE (413). out is set in every case.
 * Source  docs/protocol/policy.md, "Decision" */
CG_API CG_MUST_USE cg_err cg_policy_decide(const struct cg_policy *policy,
                                           const struct cg_access_ask *ask, struct cg_access *out);

#ifdef __cplusplus
}
#endif
#endif
