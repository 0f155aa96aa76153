/* native.h: a native connection as its client sees it: the grant it asks for, the requests it signs
 * and the answers it believes.
 *
 *   CONNECTED --grant answered--> READY --80 % of its minutes--> RENEW --next grant--> READY ...
 *   any --GOAWAY, revocation, another fingerprint--> DRAIN
 *
 * Like gate.h it has no socket, clock or randomness.  Signing with the identity keys takes 1.6 ms
 * or a person's consent on another device, so it is never done in here: what is to be signed comes
 * out, the signature goes in. */
#ifndef CG_SESSION_NATIVE_H
#define CG_SESSION_NATIVE_H
#include "lib/qlock/cache.h"
#include "lib/sapi/grant.h"
#include "lib/wire/fault.h"
#include "session/covered.h"

/* A server's clock further from ours than this is not believed. */
#define CG_NATIVE_OFFSET_MAX_S 600

enum cg_native_state {
    CG_NATIVE_CONNECTED, /* only the gateway's own resources, and anonymous requests */
    CG_NATIVE_READY,
    CG_NATIVE_RENEW, /* as READY; a new grant is due */
    CG_NATIVE_DRAIN, /* nothing new */
};

struct cg_native_grant {
    struct cg_hash hash;
    struct cg_secret key;
    struct cg_secret session_seed;
    unsigned modes; /* answered; hybrid apart */
    uint64_t epoch_start;
    uint32_t epochs;
    uint64_t counter; /* of the last request */
};

struct cg_native {
    enum cg_native_state state;
    struct cg_channel channel;
    int64_t offset_s; /* what to add to our clock to have this gateway's */
    bool has_grant;
    struct cg_waddr wallet;
    struct cg_native_grant grant;
    struct cg_qlock_cache cache;
};

/* cg_native_init begins with a connection whose handshake is complete; fingerprint is the
 * certificate's that was verified for it (or is about to be: before any grant).
 * Owns    copies everything; the exporter is the caller's to wipe. */
CG_MUST_USE cg_err cg_native_init(struct cg_native *native, struct cg_kit *kit,
                                  const struct cg_secret *exporter, const struct cg_hash *spki,
                                  const struct cg_hash *fingerprint);
/* cg_native_done wipes. */
void cg_native_done(struct cg_native *native);
/* cg_native_state_at lets time pass and tells the state. */
enum cg_native_state cg_native_state_at(struct cg_native *native, struct cg_wall now);
/* cg_native_drain ends it. */
void cg_native_drain(struct cg_native *native);
/* cg_native_learn_time takes a server's time, from a grant's answer, from clock-skew or from
 * /.well-known/httpcg/time. It serves minutes and timestamps on this connection, nothing else.
 * Errors  CG_SKEW: more than 10 minutes from ours. */
CG_MUST_USE cg_err cg_native_learn_time(struct cg_native *native, uint64_t server_time,
                                        struct cg_wall now);

/* --- the grant --- */

struct cg_native_grant_ask {
    struct cg_waddr wallet;
    const struct cg_span *scope; /* "plane/authority"; or "*" alone */
    size_t n_scope;
    unsigned modes;                      /* CG_MODE_BIT of those to be listed */
    uint32_t epochs;                     /* 1..60; 10 is the usual */
    struct cg_secret session_seed;       /* fresh random bytes: the session key */
    uint8_t nonce[CG_GRANT_NONCE_BYTES]; /* fresh random bytes */
    struct cg_span client_tlsls;         /* or empty */
    const struct cg_span *creds;
    size_t n_creds;
};

/* A grant that waits for the wallet's signature, then for the answer. */
struct cg_native_pending {
    struct cg_buf grant; /* to be signed: cg_grant_sign */
    struct cg_hash hash;
    struct cg_waddr wallet;
    struct cg_secret session_seed;
    unsigned modes;
    uint64_t epoch_start;
    uint32_t epochs;
};

void cg_native_pending_done(struct cg_native_pending *pending);
/* cg_native_grant_make builds one. Errors  CG_SCHEMA (scope, counts), CG_MISMATCH (another wallet
 * than before on this connection), CG_CLOSED (DRAIN), CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err cg_native_grant_make(const struct cg_native *native, struct cg_kit *kit,
                                        const struct cg_native_grant_ask *ask, struct cg_wall now,
                                        struct cg_native_pending *out);
/* cg_native_grant_accept verifies the answer and goes to READY; requests then use this grant.
 * transport: keys of the certificate that was verified for this connection; server: its subject.
 * The checks, as fault->check names them: answer (form; this grant; only narrowed), confirm, proof,
 * server (the DID), time.
 * Errors  the state is then as it was. */
CG_MUST_USE cg_err cg_native_grant_accept(struct cg_native *native, struct cg_kit *kit,
                                          const struct cg_native_pending *pending,
                                          struct cg_span body, const struct cg_verifier *transport,
                                          const struct cg_waddr *server, struct cg_wall now,
                                          struct cg_grant_answer *out_answer,
                                          struct cg_fault *fault);

/* --- a request --- */

struct cg_native_ask {
    const struct cg_head *head; /* method and fields, as they will be sent, these headers apart */
    const struct cg_url *url;
    enum cg_sapi_mode mode; /* GRANT, ED25519 or HYBRID */
    struct cg_body_plan body;
};

/* A request that was made, until its answer is verified. */
struct cg_native_sent {
    struct cg_sapi sapi;
    struct cg_qlock qlock;
    enum cg_body_mode body_mode;
    bool is_head; /* the method is HEAD: the answer has no body */
    struct cg_hash tbs_hash;
    struct cg_buf tbs; /* mode hybrid: to be signed with cg_sapi_sign_hybrid */
    struct cg_secret c2s, s2c, session_seed;
    /* what the answer's head said */
    enum cg_native_form {
        CG_NATIVE_NO_REPLY, /* no head yet */
        CG_NATIVE_SIGNED,   /* verified at its head; a body still to be compared with digest */
        CG_NATIVE_TRAILED,  /* to be verified at its end */
        CG_NATIVE_HINT,     /* an unsigned refusal of a request that was not verified */
        CG_NATIVE_DONE,
    } form;
    bool expects_body; /* a digest was signed; otherwise the body must be empty */
    struct cg_hash digest;
    struct cg_hash fields_digest; /* of the head */
    uint16_t status;
    enum cg_sapi_mode reply_mode; /* GRANT or HYBRID, once verified */
    uint64_t reply_timestamp;     /* advisory: a gateway's clock may be off */
};

void cg_native_sent_done(struct cg_native_sent *sent);
/* cg_native_request counts on and makes both headers. For modes grant and ed25519 it signs, and
 * appends the values; for hybrid only qlock's: cg_native_request_signed appends the other.
 * Errors  CG_NEEDS_AUTH (no grant), CG_EXPIRED (its minutes are over), CG_DENIED (the mode was not
 *         answered), CG_CLOSED (DRAIN), CG_SCHEMA (a covered field twice), CG_NO_MEMORY, CG_CRYPTO;
 *         the counter is then as it was. */
CG_MUST_USE cg_err cg_native_request(struct cg_native *native, struct cg_kit *kit,
                                     const struct cg_native_ask *ask, struct cg_wall now,
                                     struct cg_native_sent *out, struct cg_buf *out_qlock,
                                     struct cg_buf *out_sapi);
/* cg_native_request_signed appends the SAPI value of a request of mode hybrid. */
CG_MUST_USE cg_err cg_native_request_signed(const struct cg_native_sent *sent,
                                            struct cg_span signature, struct cg_buf *out_sapi);
/* cg_native_trailer_tbs gives what a SAPI-Trailer signs. */
CG_MUST_USE cg_err cg_native_trailer_tbs(const struct cg_native_sent *sent,
                                         const struct cg_hash *digest,
                                         uint8_t out[static CG_SAPI_TRAILER_TBS_BYTES]);
/* cg_native_trailer appends a SAPI-Trailer's value, signed as the request was; signature is given
 * for mode hybrid only. */
CG_MUST_USE cg_err cg_native_trailer(const struct cg_native_sent *sent, struct cg_kit *kit,
                                     const struct cg_hash *digest, struct cg_span signature,
                                     struct cg_buf *out);

/* --- its answer --- */

/* cg_native_reply_head looks at a final response's head (never a 1xx). An answer without signature
 * is an error, except a refusal that the gateway gives before it verifies a request: that is a
 * HINT. A request of mode hybrid must be answered in mode hybrid. */
CG_MUST_USE cg_err cg_native_reply_head(struct cg_native_sent *sent, struct cg_kit *kit,
                                        const struct cg_head *head,
                                        const struct cg_verifier *transport,
                                        struct cg_fault *fault);
/* cg_native_reply_end looks at its end; only then is an answer verified. digest: of the whole body,
 * as received; body_len its length; trailers NULL where none came.
 * Errors  CG_DIGEST, CG_SIGNATURE and others; CG_UNKNOWN where it was only a HINT. */
CG_MUST_USE cg_err cg_native_reply_end(struct cg_native_sent *sent, struct cg_kit *kit,
                                       const struct cg_hash *digest, uint64_t body_len,
                                       const struct cg_head *trailers,
                                       const struct cg_verifier *transport, struct cg_fault *fault);

#endif
