/* qlock.h: session locks: proof that a header was made inside this TLS connection.
 *
 * Both ends of a TLS connection can compute one secret that nobody else has (the exporter, RFC
 * 9846, 7.5).  From it comes, for each route and minute, a key whose SHA-256 travels in the QLOCK
 * header: whoever shows the right hash speaks from inside this connection, to this gateway key and
 * certificate, about this route, now.  It says nothing about who that is: that is sapi.h's part.
 *
 * No clock here, no randomness and no socket: the caller brings exporter, time and headers. */
#ifndef CG_QLOCK_H
#define CG_QLOCK_H
#include <httpcg/crypto.h>
#include <httpcg/url.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The exporter's label; its context is empty, its length 32 bytes. */
#define CG_EXPORTER_LABEL "EXPERIMENTAL-httpcg-qlock/v1"
#define CG_SESSION_ID_CHARS 36

/* One thread's crypto contexts, made once and used for every request: making them costs more than
 * using them.  Not shared between threads. */
struct cg_kit;

/* cg_kit_new makes one. Owns: borrows crypto, which must outlive it.
 * Errors  CG_CRYPTO, CG_NO_MEMORY. */
CG_API CG_MUST_USE cg_err cg_kit_new(const struct cg_crypto *crypto, struct cg_kit **out);
/* cg_kit_free wipes and frees; NULL is nothing. */
CG_API void cg_kit_free(struct cg_kit *kit);

/* What both ends of one connection derive once. Holds a secret: cg_channel_done wipes it. */
struct cg_channel {
    struct cg_secret prk;
    struct cg_hash spki;        /* of the gateway's TLS leaf certificate on this connection */
    struct cg_hash fingerprint; /* of the TLSLS certificate pinned for this connection */
    struct cg_hash cb;          /* public channel binding value; grants are bound to it */
    char session_id[CG_SESSION_ID_CHARS + 1]; /* a UUIDv8 (RFC 9562, 5.8), ends in NUL */
};

/* cg_channel_init derives. exporter may be taken only after the handshake is complete on this side;
 * it is not needed afterwards and is the caller's to wipe.
 * Source  docs/protocol/qlock.md, "Derivation" */
CG_API CG_MUST_USE cg_err cg_channel_init(struct cg_kit *kit, const struct cg_secret *exporter,
                                          const struct cg_hash *spki,
                                          const struct cg_hash *fingerprint,
                                          struct cg_channel *out);
CG_API void cg_channel_done(struct cg_channel *channel);

/* cg_route_of hashes plane, authority and path: no query, no method. */
CG_API CG_MUST_USE cg_err cg_route_of(struct cg_kit *kit, const struct cg_url *url,
                                      struct cg_hash *out);
/* cg_qlock_hash derives the published hash of one route and minute.
 * Source  docs/protocol/qlock.md, "Derivation" */
CG_API CG_MUST_USE cg_err cg_qlock_hash(struct cg_kit *kit, const struct cg_channel *channel,
                                        const struct cg_hash *route, uint64_t minute_epoch,
                                        struct cg_hash *out);

/* A QLOCK header. */
struct cg_qlock {
    char session_id[CG_SESSION_ID_CHARS + 1];
    uint64_t minute_epoch;
    struct cg_hash hash;
};

/* 20 digits of a minute_epoch at most; 157 characters today. */
#define CG_QLOCK_MAX_CHARS 192

/* cg_qlock_read parses a header's value.
 * Errors  CG_TOO_LARGE (over 512 bytes, or the number), CG_SYNTAX, CG_SHORT, CG_EXTRA, CG_SCHEMA,
 *         CG_CANONICAL; all of them mean: malformed. */
CG_API CG_MUST_USE cg_err cg_qlock_read(struct cg_span value, struct cg_qlock *out);
/* cg_qlock_write writes the value, without NUL, and tells its length. */
CG_API size_t cg_qlock_write(const struct cg_qlock *qlock, char out[CG_QLOCK_MAX_CHARS]);
/* cg_qlock_check is a receiver's check of a header against its own end of the connection, the epoch
 * apart: cg_epoch_accepts comes before.
 * Errors  CG_BINDING (another session, connection, route or minute), CG_CRYPTO. */
CG_API CG_MUST_USE cg_err cg_qlock_check(struct cg_kit *kit, const struct cg_channel *channel,
                                         const struct cg_hash *route, const struct cg_qlock *qlock);

/* cg_epoch_of gives the minute a time lies in; 0 for times before 1970. */
CG_API uint64_t cg_epoch_of(struct cg_wall now);
/* cg_epoch_accepts is the receiver's rule: this minute or the one before. */
CG_API bool cg_epoch_accepts(uint64_t minute_epoch, struct cg_wall now);
/* A sender stays this far behind its clock, so that a clock slightly ahead never fails. */
#define CG_EPOCH_GUARD_S 10
/* cg_epoch_to_send is the sender's rule; now is its own clock, corrected by what it learned. */
CG_API uint64_t cg_epoch_to_send(struct cg_wall now);

/* cg_grant_key derives the secret that a grant's requests and answers are authenticated under. */
CG_API CG_MUST_USE cg_err cg_grant_key(struct cg_kit *kit, const struct cg_channel *channel,
                                       const struct cg_hash *grant_hash, struct cg_secret *out);
/* cg_epoch_keys derives one minute's keys, client to server and server to client. */
CG_API CG_MUST_USE cg_err cg_epoch_keys(struct cg_kit *kit, const struct cg_secret *grant_key,
                                        uint64_t minute_epoch, struct cg_secret *out_c2s,
                                        struct cg_secret *out_s2c);
/* cg_confirm_key derives the key of the grant answer's confirmation. */
CG_API CG_MUST_USE cg_err cg_confirm_key(struct cg_kit *kit, const struct cg_secret *grant_key,
                                         struct cg_secret *out);

#ifdef __cplusplus
}
#endif
#endif
