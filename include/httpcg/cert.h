/* cert.h: TLSLS certificates, which say that a TLS endpoint speaks for a DID.
 *
 * A certificate is a COSE document signed by the DID's identity keys.  It names fresh transport
 * keys, the hashes of the TLS keys it may be presented under, DNS names, a policy and the ledger
 * that holds it.  Beside it, unsigned, travel the DID's wallet_doc and the ledger's staple: the
 * staple is only carried here, its check belongs to the ledger's proofs.
 *
 * No clock and no network here: the caller brings the time and what it expects. */
#ifndef CG_CERT_H
#define CG_CERT_H
#include <httpcg/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_CERT_SPKI_MAX 4
#define CG_CERT_NAMES_MAX 16
#define CG_CERT_SERIAL_BYTES 16
#define CG_CERT_MAX_SPAN_S 7776000 /* 90 days */
#define CG_CERT_SKEW_S 300         /* how far in the future issued_at may be */
#define CG_CERT_MAX_BYTES (96 * 1024)
#define CG_LOG_ID_BYTES 8
#define CG_ANCHOR_CHARS 86 /* "bpi1:", 16 hex, ":", 64 hex */

enum cg_role {
    CG_ROLE_GATEWAY,
    CG_ROLE_RP,
    CG_ROLE_RELAY,
    CG_ROLE_REGISTRY,
    CG_ROLE_WALLET,
    CG_ROLE_M2M,
    CG_ROLE_COUNT
};

/* cg_role_name gives the name as it is signed, such as "gateway". */
CG_API const char *cg_role_name(enum cg_role role);

struct cg_log_id {
    uint8_t bytes[CG_LOG_ID_BYTES];
};

/* A certificate that was read. Spans point into the bytes it was read from. */
struct cg_cert {
    enum cg_role role;
    struct cg_waddr subject; /* the issuer is the same */
    struct cg_public_keys transport;
    struct cg_hash policy_hash;
    struct cg_log_id log_id; /* bpi_anchor's two parts */
    struct cg_hash anchor;
    struct cg_wall issued;
    struct cg_wall expires;
    struct cg_hash spki[CG_CERT_SPKI_MAX];
    size_t n_spki;
    struct cg_span names[CG_CERT_NAMES_MAX];
    size_t n_names;
    uint8_t serial[CG_CERT_SERIAL_BYTES];
    struct cg_hash fingerprint; /* of what is signed: a new staple does not change it */
    struct cg_span body_protected, payload, sig_ed25519, sig_mldsa87;
    struct cg_span wallet_doc, staple; /* unsigned; empty where absent */
};

/* cg_cert_read parses; nothing is verified yet.
 * Owns    out borrows from wire.
 * Errors  CG_TOO_LARGE, CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_SYNTAX, CG_CANONICAL, CG_VERSION,
 *         CG_MISMATCH (issuer and subject differ, or an address' checksum), CG_CRYPTO. */
CG_API CG_MUST_USE cg_err cg_cert_read(struct cg_span wire, struct cg_cert *out);
/* cg_cert_anchor writes bpi_anchor and a NUL. */
CG_API void cg_cert_anchor(const struct cg_cert *cert, char out[CG_ANCHOR_CHARS + 1]);

/* The checks of a certificate, in the order they are made: cheap before expensive. */
enum cg_cert_step {
    CG_CERT_ROLE,    /* the role expected here */
    CG_CERT_TIMES,   /* not from the future, not expired, at most 90 days */
    CG_CERT_LEAF,    /* the connection's TLS key is listed */
    CG_CERT_NAME,    /* the name asked for is listed */
    CG_CERT_SUBJECT, /* a DID that may speak here */
    CG_CERT_DID,     /* wallet_doc hashes to that DID; its operations follow; its keys are sound */
    CG_CERT_SIGNATURES, /* both, by the DID's present keys */
    CG_CERT_ANCHORED,   /* the anchor commits to this content, in a log known here */
    CG_CERT_STEP_COUNT
};

enum cg_verdict {
    CG_NOT_REACHED, /* an earlier check failed */
    CG_NOT_ASKED,   /* the caller left it out */
    CG_PASSED,
    CG_FAILED,
};

struct cg_cert_checks {
    enum cg_verdict verdict[CG_CERT_STEP_COUNT];
};

/* cg_cert_step_text gives a step's sentence for people. */
CG_API const char *cg_cert_step_text(enum cg_cert_step step);

/* What a verifier expects. A list or pointer that is NULL leaves its check out: a connection's
 * client gives all of them, a ledger that admits a certificate has no connection to compare. */
struct cg_cert_expect {
    struct cg_wall now;
    enum cg_role role;
    bool any_role;                   /* ledgers admit all */
    const struct cg_hash *leaf_spki; /* of the connection's TLS certificate */
    struct cg_span name;             /* SNI; empty with at == NULL: not asked */
    const struct cg_waddr *subjects;
    size_t n_subjects;
    const struct cg_log_id *logs; /* those in the trust configuration */
    size_t n_logs;
    struct cg_span wallet_doc; /* used instead of the certificate's own; empty: that one */
};

/* cg_cert_verify makes all checks but the staple's; the first failure ends it.
 * checks and out_did may be NULL; out_did is what the staple's "did" proof must show.
 * Errors  CG_ROLE, CG_EARLY, CG_EXPIRED, CG_TOO_LARGE (over 90 days), CG_BINDING (leaf),
 *         CG_MISMATCH (name, DID), CG_DENIED (subject), CG_REVOKED (the DID is deactivated),
 * CG_PROOF, CG_KEY, CG_SIGNATURE, CG_UNKNOWN (log), and those of a malformed wallet_doc. */
CG_API CG_MUST_USE cg_err cg_cert_verify(const struct cg_crypto *crypto, const struct cg_cert *cert,
                                         const struct cg_cert_expect *expect,
                                         struct cg_cert_checks *checks,
                                         struct cg_did_state *out_did);
/* cg_cert_check_times, _leaf, _name and _subject are single checks, for a certificate that was
 * verified before and is met again on another connection or for another authority. */
CG_API CG_MUST_USE cg_err cg_cert_check_times(const struct cg_cert *cert, struct cg_wall now);
CG_API CG_MUST_USE cg_err cg_cert_check_leaf(const struct cg_cert *cert,
                                             const struct cg_hash *leaf_spki);
CG_API CG_MUST_USE cg_err cg_cert_check_name(const struct cg_cert *cert, struct cg_span name);
CG_API CG_MUST_USE cg_err cg_cert_check_subject(const struct cg_cert *cert,
                                                const struct cg_waddr *subjects, size_t n_subjects);

/* The compact reference that TLS extension 65001 carries. */
#define CG_CERT_REF_BYTES 307

struct cg_cert_ref {
    struct cg_hash fingerprint;
    struct cg_hash policy_hash;
    struct cg_log_id log_id;
    struct cg_hash anchor;
    struct cg_waddr issuer;
};

/* cg_cert_ref_of takes the reference of a certificate. */
CG_API void cg_cert_ref_of(const struct cg_cert *cert, struct cg_cert_ref *out);
CG_API void cg_cert_ref_write(const struct cg_cert_ref *ref, uint8_t out[CG_CERT_REF_BYTES]);
/* cg_cert_ref_read parses. Errors CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_SYNTAX, CG_CANONICAL. */
CG_API CG_MUST_USE cg_err cg_cert_ref_read(struct cg_span wire, struct cg_cert_ref *out);
/* cg_cert_ref_eq tells whether the reference is that certificate's, in all its members. */
CG_API bool cg_cert_ref_eq(const struct cg_cert_ref *a, const struct cg_cert_ref *b);

#ifdef __cplusplus
}
#endif
#endif
