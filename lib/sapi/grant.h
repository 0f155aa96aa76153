/* grant.h: the session grant: a wallet's hybrid-signed statement that this connection, for some
 * minutes, speaks for it; and the gateway's answer, which proves the gateway the same way.
 *
 *   request  CBOR [grant bstr, wallet_doc bstr, signature bstr4691]
 *            signature = HSIG(identity, "grant", grant)
 *   answer   CBOR [answer bstr, confirm bstr32, proof bstr]
 *            confirm = HMAC(K_conf, answer)
 *            proof = HSIG-B(transport, "channel-proof",
 *                           TUP("httpcg-channel-proof/v1"; cb, grant_hash, H(answer)))
 *
 * Here are the formats; who may have a grant, and what happens to it, is session/gate.h. */
#ifndef CG_LIB_SAPI_GRANT_H
#define CG_LIB_SAPI_GRANT_H
#include "lib/base/buf.h"

#include <httpcg/sapi.h>

#define CG_GRANT_MEDIA_TYPE "application/httpcg-grant+cbor"
#define CG_GRANT_SCOPE_MAX 32
#define CG_GRANT_CREDS_MAX 4
#define CG_GRANT_EPOCHS_MAX 60
#define CG_GRANT_NONCE_BYTES 16

/* Sets of modes: a bit each. "hybrid" is always allowed and never listed. */
#define CG_MODE_BIT(mode) (1u << (mode))
#define CG_MODES_LISTED (CG_MODE_BIT(CG_SAPI_GRANT) | CG_MODE_BIT(CG_SAPI_ED25519))

/* The grant itself. Spans borrow. */
struct cg_grant {
    struct cg_waddr wallet;
    char session_id[CG_SESSION_ID_CHARS + 1];
    struct cg_hash cb, fingerprint, spki; /* the channel's */
    uint8_t session_key[CG_ED25519_KEY_BYTES];
    unsigned modes;                           /* CG_MODE_BIT */
    uint64_t epoch_start;                     /* first minute */
    uint32_t epochs;                          /* how many minutes, 1..60 */
    struct cg_span scope[CG_GRANT_SCOPE_MAX]; /* "plane/authority", canonical */
    size_t n_scope;                           /* 1..32; 0 where is_anywhere */
    bool is_anywhere;                         /* scope is ["*"] */
    uint64_t timestamp;
    uint8_t nonce[CG_GRANT_NONCE_BYTES]; /* fresh random bytes */
    struct cg_span client_tlsls;         /* a COSE document, or empty */
    struct cg_span creds[CG_GRANT_CREDS_MAX];
    size_t n_creds;
};

/* cg_grant_read parses the map, in its closed schema.
 * Errors  CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_SYNTAX, CG_CANONICAL, CG_TOO_LARGE, CG_VERSION,
 *         CG_UNKNOWN, CG_MISMATCH (address checksum): all mean malformed. */
CG_MUST_USE cg_err cg_grant_read(struct cg_span wire, struct cg_grant *out);
/* cg_grant_write appends the map; errors CG_SCHEMA (counts, or a scope that is no name),
 * CG_TOO_LARGE, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_grant_write(const struct cg_grant *grant, struct cg_buf *out);
CG_MUST_USE cg_err cg_grant_hash(struct cg_kit *kit, struct cg_span grant, struct cg_hash *out);
/* cg_scope_covers tells whether one of the names is the URL's: exactly, no part of it. */
bool cg_scope_covers(const struct cg_span *names, size_t n_names, const struct cg_url *url);

/* What is posted. */
struct cg_grant_body {
    struct cg_span grant;
    struct cg_span wallet_doc;
    struct cg_span signature; /* 4691 bytes */
};

/* cg_grant_body_read takes it apart: form and lengths. Errors as cg_grant_read. */
CG_MUST_USE cg_err cg_grant_body_read(struct cg_span wire, struct cg_grant_body *out);
CG_MUST_USE cg_err cg_grant_body_write(const struct cg_grant_body *body, struct cg_buf *out);
/* cg_grant_sign makes the signature: 1.6 ms. */
CG_MUST_USE cg_err cg_grant_sign(const struct cg_signer *identity, struct cg_span grant,
                                 uint8_t out[static CG_HSIG_BYTES]);
/* cg_grant_verify proves the wallet's keys by the wallet_doc and checks the signature with them:
 * 0.6 ms, so servers leave it to a worker. Whether those keys are the newest ones, and the DID not
 * deactivated, is asked of the ledger with out_did afterwards; a deactivation among the operations
 * in wallet_doc itself is refused here.
 * Errors  CG_MISMATCH, CG_KEY (also the session key), CG_SIGNATURE, CG_REVOKED, CG_PROOF, and those
 *         of a malformed wallet_doc. */
CG_MUST_USE cg_err cg_grant_verify(const struct cg_crypto *crypto, const struct cg_grant_body *body,
                                   const struct cg_grant *grant, struct cg_did_state *out_did);

/* What the gateway answers. Spans borrow. */
struct cg_grant_answer {
    struct cg_hash grant_hash;
    struct cg_waddr server; /* the gateway's DID */
    uint64_t server_time;
    uint32_t epochs;            /* at most the grant's */
    unsigned modes;             /* among the grant's */
    struct cg_hash policy_hash; /* of the gateway's policy */
    bool h2_ping;
};

CG_MUST_USE cg_err cg_grant_answer_read(struct cg_span wire, struct cg_grant_answer *out);
CG_MUST_USE cg_err cg_grant_answer_write(const struct cg_grant_answer *answer, struct cg_buf *out);

struct cg_grant_reply {
    struct cg_span answer;
    struct cg_span confirm; /* 32 bytes */
    struct cg_span proof;   /* HSIG-B */
};

CG_MUST_USE cg_err cg_grant_reply_read(struct cg_span wire, struct cg_grant_reply *out);
CG_MUST_USE cg_err cg_grant_reply_write(const struct cg_grant_reply *reply, struct cg_buf *out);

/* TUP("httpcg-channel-proof/v1"; cb, grant_hash, H(answer)) */
#define CG_PROOF_TBS_BYTES (4 + 23 + 1 + 3 * (4 + CG_HASH_BYTES))
/* cg_proof_tbs writes what the gateway's transport keys sign. */
CG_MUST_USE cg_err cg_proof_tbs(struct cg_kit *kit, const struct cg_hash *cb,
                                const struct cg_hash *grant_hash, struct cg_span answer,
                                uint8_t out[static CG_PROOF_TBS_BYTES]);
/* cg_proof_verify checks the channel proof. Errors CG_SIGNATURE, CG_PROOF, and those of a malformed
 * HSIG-B. */
CG_MUST_USE cg_err cg_proof_verify(const struct cg_verifier *transport, struct cg_span tbs,
                                   struct cg_span proof);

#endif
