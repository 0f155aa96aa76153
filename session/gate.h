/* gate.h: a native connection as its server sees it: which grants it has, and whether a request on
 * it is what it says.
 *
 * A gate knows one connection's secrets and nothing of sockets, TLS or HTTP engines: it gets the
 * exporter, heads and times, and gives verdicts.  All that must be remembered to refuse a replay is
 * in here and ends with the connection.
 *
 *   BOOTSTRAP --grant--> GRANTED --(close, 256 grants, a day)--> CLOSING
 *
 * Verifying a grant, or a request signed by Ed25519 or both identity keys, takes long enough to be
 * left to another thread.  So each is three steps: check (everything cheap; makes a job that owns a
 * copy of all it needs), run the job anywhere, commit (back on the connection's own thread).
 * Between check and commit anything may happen to the connection, so commit looks again at whatever
 * could have changed: the nonce is spent there, and nowhere else.
 *
 * On any error the gate is as it was before the call, and *fault tells what to answer and which
 * check it was. */
#ifndef CG_SESSION_GATE_H
#define CG_SESSION_GATE_H
#include "lib/qlock/cache.h"
#include "lib/sapi/grant.h"
#include "lib/sapi/window.h"
#include "lib/wire/fault.h"
#include "session/covered.h"

/* Before the first grant: so many requests for the gateway's own resources, so much time. */
#define CG_GATE_CONTROL_MAX 10
#define CG_GATE_OPEN_US (INT64_C(10) * 1000 * 1000)
/* A connection's life: its exporter is not used for longer. */
#define CG_GATE_LIFE_US (INT64_C(24) * 3600 * 1000 * 1000)
/* After so many grants the connection has to be made anew: their hashes are all remembered. */
#define CG_GATE_GRANTS_MAX 256
/* How far a timestamp may be from our clock. */
#define CG_TIMESTAMP_WINDOW_S 300

enum cg_gate_state {
    CG_GATE_BOOTSTRAP,
    CG_GATE_GRANTED,
    CG_GATE_CLOSING, /* no grants any more; say GOAWAY, and let go when it is idle */
};

/* The checks, in the order they are made. */
#define CG_GATE_CHECK_LIST(X)                                                                      \
    X(SYNTAX, "syntax")       /* both headers, body announcement, covered fields once each */      \
    X(CLOCK, "clock")         /* minute and timestamp */                                           \
    X(GRANT, "grant")         /* one that is valid in that minute */                               \
    X(QLOCK, "qlock")         /* this connection, route and minute */                              \
    X(WALLET, "wallet")       /* the grant's */                                                    \
    X(MODE, "mode")           /* among those answered */                                           \
    X(NONCE, "nonce")         /* the grant's, and not used */                                      \
    X(SIGNATURE, "signature") /* over everything covered */                                        \
    X(SPENT, "spent")         /* the nonce, still unused after the signature verified */           \
    X(BODY, "body")           /* digest or trailer */                                              \
    X(GRANT_LIMIT, "grant-limit")                                                                  \
    X(GRANT_FORM, "grant-form")                                                                    \
    X(GRANT_SEEN, "grant-seen")                                                                    \
    X(GRANT_WALLET, "grant-wallet")                                                                \
    X(GRANT_BINDING, "grant-binding")                                                              \
    X(GRANT_CLOCK, "grant-clock")                                                                  \
    X(GRANT_PROOF, "grant-proof")                                                                  \
    X(CONTROL, "control")

enum cg_gate_check {
#define X(name, text) CG_GATE_CHECK_##name,
    CG_GATE_CHECK_LIST(X)
#undef X
};

/* cg_gate_check_name gives the name that cg_fault.check has. */
const char *cg_gate_check_name(enum cg_gate_check check);

struct cg_gate_keys;   /* a wallet's public keys, shared by what needs them */
struct cg_gate_scope;  /* a grant's scope */
struct cg_gate_posted; /* its bytes as they were signed, with that signature */

struct cg_gate_epoch {
    uint64_t minute_epoch;
    bool is_set;
    struct cg_secret c2s, s2c;
};

struct cg_gate_grant {
    bool is_live;
    struct cg_hash hash;
    struct cg_secret key;
    uint8_t session_key[CG_ED25519_KEY_BYTES];
    unsigned modes;
    uint64_t epoch_start;
    uint32_t epochs;
    struct cg_window window;
    struct cg_gate_epoch epochs_used[2]; /* the keys of even and odd minutes */
    struct cg_gate_keys *keys;
    struct cg_gate_scope *scope; /* NULL: anywhere */
    struct cg_gate_posted *posted;
};

struct cg_gate {
    enum cg_gate_state state;
    struct cg_channel channel;
    struct cg_mono since;
    unsigned n_control; /* requests for our own resources before the first grant */
    bool has_spoken;    /* a grant or an anonymous request came */
    bool has_wallet;
    struct cg_waddr wallet; /* one a connection */
    struct cg_gate_grant grants[2];
    unsigned newest;      /* which of them */
    struct cg_hash *seen; /* hashes of every grant accepted here */
    uint32_t n_seen, cap_seen;
    struct cg_qlock_cache cache;
};

/* cg_gate_init begins with a connection whose handshake is complete.
 * Owns    copies everything; the exporter is the caller's to wipe. */
CG_MUST_USE cg_err cg_gate_init(struct cg_gate *gate, struct cg_kit *kit,
                                const struct cg_secret *exporter, const struct cg_hash *spki,
                                const struct cg_hash *fingerprint, struct cg_mono now);
/* cg_gate_done wipes; requests and jobs that are still out stay usable for their own ends. */
void cg_gate_done(struct cg_gate *gate);

/* cg_gate_deadline gives the moment of the next cg_gate_tick. */
struct cg_mono cg_gate_deadline(const struct cg_gate *gate);
/* cg_gate_tick lets time pass: the connection goes to CLOSING when it has not spoken in time, or
 * has lived its life. */
void cg_gate_tick(struct cg_gate *gate, struct cg_mono now);
/* cg_gate_close goes to CLOSING: the certificate was revoked, the process drains. */
void cg_gate_close(struct cg_gate *gate);
/* cg_gate_control counts a request for one of the gateway's own resources.
 * Errors  CG_RATE: over the limit before the first grant; the state is then CLOSING. */
CG_MUST_USE cg_err cg_gate_control(struct cg_gate *gate, struct cg_fault *fault);

/* --- grants --- */

/* A grant on its way. */
struct cg_grant_job {
    /* in; the bytes are copied here, the spans below point into them */
    struct cg_buf wire;
    struct cg_grant_body body;
    struct cg_grant grant;
    struct cg_hash hash;
    /* out */
    cg_err result;
    struct cg_did_state did; /* the wallet's keys, to be compared with the ledger's newest */
};

/* cg_gate_grant_check makes the cheap checks, in order: size and media type, form, not seen here
 * before, same wallet as before, bound to this channel, minute and timestamp. Before it comes the
 * caller's budget per address.
 * Owns    *out is the caller's to free. */
CG_MUST_USE cg_err cg_gate_grant_check(const struct cg_gate *gate, struct cg_kit *kit,
                                       struct cg_span media_type, struct cg_span body,
                                       struct cg_wall now, struct cg_grant_job **out,
                                       struct cg_fault *fault);
/* cg_grant_job_run verifies wallet_doc, keys and signature; touches nothing but the job. */
void cg_grant_job_run(struct cg_grant_job *job, const struct cg_crypto *crypto);
void cg_grant_job_free(struct cg_grant_job *job);
/* cg_gate_grant_verdict tells what came of it: a malformed wallet_doc is a bad request, anything
 * that keys decide a failure of authentication. cg_gate_grant_commit asks the same. */
CG_MUST_USE cg_err cg_gate_grant_verdict(const struct cg_grant_job *job, struct cg_fault *fault);

/* What the gateway answers on its own account. */
struct cg_gate_terms {
    struct cg_waddr server;
    struct cg_hash policy_hash;
    unsigned modes;      /* that the policy has: CG_MODE_BIT */
    uint32_t epochs_max; /* 1..60 */
    bool h2_ping;
};

/* An answer without its proof: that is an HSIG-B over proof_tbs, which takes a worker. */
struct cg_gate_granted {
    struct cg_buf answer;
    struct cg_hash confirm;
    uint8_t proof_tbs[CG_PROOF_TBS_BYTES];
};

void cg_gate_granted_done(struct cg_gate_granted *granted);
/* cg_gate_granted_write appends the whole body, with the proof's wire form. */
CG_MUST_USE cg_err cg_gate_granted_write(const struct cg_gate_granted *granted,
                                         struct cg_span proof, struct cg_buf *out);

/* cg_gate_grant_commit makes the grant the connection's newest, in place of the older of two. The
 * caller has meanwhile asked the ledger whether job->did is the newest state, and its policy
 * whether that wallet may have a grant here.
 * Owns    *out is the caller's; job stays the caller's and is not needed any more. */
CG_MUST_USE cg_err cg_gate_grant_commit(struct cg_gate *gate, struct cg_kit *kit,
                                        const struct cg_grant_job *job,
                                        const struct cg_gate_terms *terms, struct cg_wall now,
                                        struct cg_gate_granted *out, struct cg_fault *fault);

/* cg_gate_creds tells which role credentials a live grant presented; nothing of them is verified.
 * Owns    spans of out are borrowed until the grant goes. */
size_t cg_gate_creds(const struct cg_gate *gate, const struct cg_hash *grant_hash,
                     struct cg_span out[CG_GRANT_CREDS_MAX]);

/* --- requests --- */

/* cg_gate_fields_check refuses fields that would change a request's meaning behind its signature:
 * method and URL overrides, and names with '_', which some backends take for '-'. */
CG_MUST_USE cg_err cg_gate_fields_check(const struct cg_head *head, struct cg_fault *fault);

struct cg_gate_ask {
    const struct cg_head *head;
    const struct cg_url *url; /* canonical */
};

/* What is known of a request after it was checked. */
struct cg_gate_request {
    enum cg_sapi_mode mode; /* NONE: nobody signed it */
    bool is_locked;         /* a QLOCK came and is this connection's */
    bool is_in_scope;       /* of its grant; true where nobody signed */
    bool must_be_empty;     /* its body: nothing announced one, or the method has none */
    struct cg_waddr wallet;
    struct cg_hash grant_hash;
    struct cg_nonce nonce;
    uint64_t minute_epoch;
    uint64_t timestamp;
    struct cg_body_plan body;
    struct cg_hash tbs_hash; /* names the request for good; never sent */

    /* Below: gate.c's own; enough to end the request whatever becomes of the grant. */
    struct cg_secret c2s, s2c;
    uint8_t session_key[CG_ED25519_KEY_BYTES];
    struct cg_gate_keys *keys;
    struct cg_gate_posted *posted;
};

/* A signature on its way. */
struct cg_sig_job {
    /* in */
    enum cg_sapi_mode mode; /* ED25519 or HYBRID */
    struct cg_buf tbs;
    struct cg_buf signature; /* raw */
    struct cg_public_keys keys;
    uint8_t session_key[CG_ED25519_KEY_BYTES];
    struct cg_hash claimed; /* a trailer's digest */
    /* out */
    cg_err result;
};

/* cg_gate_request_check makes every check of a request up to its signature, in this order: syntax,
 * clock, grant, qlock, wallet, mode, nonce. A request of mode grant is then verified and its nonce
 * spent: *job is NULL and it is done, as is one that nobody signed. Otherwise *job is to be run and
 * brought to cg_gate_request_commit.
 * Owns    req needs cg_gate_request_done, *job cg_sig_job_free. */
CG_MUST_USE cg_err cg_gate_request_check(struct cg_gate *gate, struct cg_kit *kit,
                                         const struct cg_gate_ask *ask, struct cg_wall now,
                                         struct cg_gate_request *req, struct cg_sig_job **job,
                                         struct cg_fault *fault);
/* cg_sig_job_run verifies; touches nothing but the job. */
void cg_sig_job_run(struct cg_sig_job *job, const struct cg_crypto *crypto);
void cg_sig_job_free(struct cg_sig_job *job);
/* cg_gate_request_commit takes the job's verdict and spends the nonce. */
CG_MUST_USE cg_err cg_gate_request_commit(struct cg_gate *gate, const struct cg_gate_request *req,
                                          const struct cg_sig_job *job, struct cg_fault *fault);
void cg_gate_request_done(struct cg_gate_request *req);

/* cg_gate_evidence appends what convinces others of a request of mode ed25519 or hybrid, whose job
 * has verified: CBOR as in lib/sapi/evidence.h.
 * Errors  CG_UNSUPPORTED (mode grant, or nobody signed), those of cg_evidence_write. */
CG_MUST_USE cg_err cg_gate_evidence(const struct cg_gate_request *req, const struct cg_sig_job *job,
                                    struct cg_buf *out);
/* cg_gate_wallet_doc gives the document of a request's wallet; false where its keys were rotated:
 * then it is in the ledger. */
bool cg_gate_wallet_doc(const struct cg_gate_request *req, uint8_t out[CG_WALLET_DOC_BYTES]);

/* cg_gate_body_check compares a whole body's digest with the one announced in the head. */
CG_MUST_USE cg_err cg_gate_body_check(const struct cg_gate_request *req,
                                      const struct cg_hash *digest, struct cg_fault *fault);
/* cg_gate_trailer_check does what is to be done at the end of a body of CG_BODY_TRAILER; trailers
 * may be NULL: none came. As with requests, mode grant is decided here and *job is NULL. */
CG_MUST_USE cg_err cg_gate_trailer_check(const struct cg_gate_request *req, struct cg_kit *kit,
                                         const struct cg_head *trailers,
                                         const struct cg_hash *digest, struct cg_sig_job **job,
                                         struct cg_fault *fault);
CG_MUST_USE cg_err cg_gate_trailer_commit(const struct cg_sig_job *job,
                                          const struct cg_hash *digest, struct cg_fault *fault);

/* --- answers --- */

/* An answer to a request whose SAPI verified. */
struct cg_gate_reply {
    const struct cg_head *head;     /* status and fields, as they are sent */
    const struct cg_head *trailers; /* CG_BODY_TRAILER: the backend's; NULL: none */
    enum cg_body_mode body_mode;
    struct cg_hash digest; /* not for CG_BODY_NONE */
    bool is_receipt;       /* the rule wants mode hybrid whatever the request had */
};

/* What is to be signed for it. */
struct cg_gate_reply_tbs {
    struct cg_response reply; /* mode tells which: GRANT or HYBRID */
    uint8_t bytes[CG_RESPONSE_TBS_MAX_BYTES];
    size_t len;
};

/* cg_gate_reply_tbs_of gathers. Mode is hybrid for requests of that mode and for receipts.
 * Errors  CG_SCHEMA: a covered field occurs twice in head; and what the kit meets. */
CG_MUST_USE cg_err cg_gate_reply_tbs_of(struct cg_kit *kit, const struct cg_gate_request *req,
                                        const struct cg_gate_reply *reply, struct cg_wall now,
                                        struct cg_gate_reply_tbs *out);
/* cg_gate_reply_mac appends the value of SAPI-Response in mode grant. */
CG_MUST_USE cg_err cg_gate_reply_mac(struct cg_kit *kit, const struct cg_gate_request *req,
                                     const struct cg_gate_reply_tbs *tbs, struct cg_buf *out);
/* cg_gate_reply_batch appends it in mode hybrid: wire is the HSIG-B of tbs, dom sapi-response. */
CG_MUST_USE cg_err cg_gate_reply_batch(const struct cg_gate_reply_tbs *tbs, struct cg_span wire,
                                       struct cg_buf *out);

#endif
