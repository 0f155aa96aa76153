/* record.h: signed registry records: which target and which gateways a name has.
 *
 * Two signatures, two statements: the owner's DID consents to this mapping, the registry confirms
 * that the name is the owner's.  The ledger shows both to everybody, and its state map says which
 * record of a name is the current one.
 *
 * Reading is strict: closed JSON schema, exact times.  The checks of a resolution are named here in
 * their order, as verifiers report them. */
#ifndef CG_RECORD_H
#define CG_RECORD_H
#include <httpcg/cert.h>
#include <httpcg/checkpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_RECORD_GATEWAYS_MAX 16
#define CG_RECORD_MAX_SPAN_S 2592000 /* 30 days */
#define CG_RECORD_MAX_TTL_S 3600
#define CG_RECORD_SKEW_S 300
#define CG_PROFILE_NAME_MAX_BYTES 63

enum cg_target_auth {
    CG_TARGET_WEBPKI, /* an ordinary certificate for target_host */
    CG_TARGET_SPKI,   /* this key, whatever its certificate says */
    CG_TARGET_TLSLS,  /* a TLSLS certificate of this DID */
};

/* A record that was read; spans point into the bytes it was read from. */
struct cg_record {
    struct cg_span plane;
    struct cg_span host;        /* "httpcg_host": the authority */
    struct cg_span target_host; /* empty: a tombstone, the name is gone */
    uint16_t target_port;
    struct cg_waddr owner;    /* rp_did */
    struct cg_span owner_did; /* as text */
    bool tlsls_required;
    struct cg_span profile; /* rbac_profile */
    struct cg_span anchor_text;
    struct cg_log_id log_id; /* bpi_anchor's two parts */
    struct cg_hash anchor;
    struct cg_wall issued;
    struct cg_wall expires;
    uint64_t serial;
    uint32_t ttl_s;
    size_t n_gateway_dids;
    struct cg_waddr gateway_dids[CG_RECORD_GATEWAYS_MAX];
    struct cg_span gateway_did_texts[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateways;
    struct cg_span gateways[CG_RECORD_GATEWAYS_MAX]; /* "host:port" */
    struct cg_span target_auth_text;
    enum cg_target_auth target_auth;
    struct cg_hash target_spki; /* CG_TARGET_SPKI */
    struct cg_waddr target_did; /* CG_TARGET_TLSLS */
    uint8_t owner_signature[CG_HSIG_BYTES];
    bool has_operator_signature; /* not yet, in what an owner submits */
    uint8_t operator_signature[CG_HSIG_BYTES];
};

/* cg_record_read parses a record's JSON; nothing is verified but its form.
 * is_submission: what an owner hands in has no "signature" yet; elsewhere it must be there.
 * Errors  CG_SYNTAX, CG_SCHEMA, CG_TOO_LARGE, CG_CANONICAL, CG_SHORT, CG_EXTRA, CG_MISMATCH (a
 * DID's checksum), CG_EXPIRED (times that make no sense, or span over 30 days). */
CG_API CG_MUST_USE cg_err cg_record_read(struct cg_span json, bool is_submission,
                                         struct cg_record *out);

static inline bool cg_record_is_tombstone(const struct cg_record *record)
{
    return record->target_host.len == 0;
}

/* What a resolver remembers of a name, so that nobody can take it back to an older record. */
struct cg_record_seen {
    uint64_t serial; /* 0: nothing yet */
    struct cg_hash commitment;
};

/* The checks of a resolution, in the order they are made: cheap before expensive. */
enum cg_resolve_step {
    CG_RESOLVE_FORM,       /* size, strict JSON, base64 */
    CG_RESOLVE_NAME,       /* the record is for what was asked */
    CG_RESOLVE_TIMES,      /* not from the future, not expired, ttl */
    CG_RESOLVE_SERIAL,     /* not older than, nor different from, what was seen */
    CG_RESOLVE_OPERATOR,   /* a registry that the trust file names */
    CG_RESOLVE_KEYS,       /* both wallet documents prove their DIDs' keys */
    CG_RESOLVE_SIGNATURES, /* the owner's and the registry's */
    CG_RESOLVE_ANCHOR,     /* the anchor commits to this record */
    CG_RESOLVE_CHECKPOINT, /* the log's head is signed and witnessed, and fresh */
    CG_RESOLVE_INCLUSION,  /* this record is in the log */
    CG_RESOLVE_CURRENT,    /* it is the name's current one, both DIDs' keys are the newest */
    CG_RESOLVE_TARGET,     /* a target a gateway may connect to */
    CG_RESOLVE_STEP_COUNT
};

struct cg_resolve_checks {
    enum cg_verdict verdict[CG_RESOLVE_STEP_COUNT];
};

/* cg_resolve_step_text gives a step's sentence for people. */
CG_API const char *cg_resolve_step_text(enum cg_resolve_step step);

#ifdef __cplusplus
}
#endif
#endif
