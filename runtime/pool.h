/* pool.h: client connections that are kept.
 *
 * A connection is lent to one exchange at a time (HTTP/1.1) or to many (HTTP/2); connections of
 * different keys are never mixed.  The key says whatever must be alike: host, port, identity,
 * policy.  The pool never repeats a request; it tells whether a byte of the answer had come. */
#ifndef CG_RUNTIME_POOL_H
#define CG_RUNTIME_POOL_H
#include "runtime/dial.h"
#include "runtime/pump.h"

struct cg_pool;
struct cg_lease;

struct cg_pool_options {
    int64_t idle_max_ms;  /* how long an unused connection is kept */
    int64_t age_max_ms;   /* no new exchange on a connection older than this; 0 is no limit */
    size_t n_per_key_max; /* connections of one key, those being made included */
    size_t n_max;         /* of the pool */
    size_t n_waiting_max; /* leases of one key that wait for a connection */
};

/* What is asked for. */
struct cg_lease_request {
    struct cg_span key;
    struct cg_target target; /* where a new connection of this key leads */
    cg_engine_fn engine;
    void *engine_ctx;   /* used until the call is delivered */
    int64_t connect_ms; /* resolve, connect and handshake of a new connection */
};

/* Told of a lease's exchange: the engine's CG_X_ bits, CG_X_RESET when the connection is gone (the
 * exchange's fault, and has_answered, tell whether it may be tried again). */
typedef void (*cg_lease_fn)(struct cg_lease *lease, unsigned what);

struct cg_lease {
    struct cg_conn *conn;
    struct cg_exchange *exchange; /* from cg_lease_ask on */
    cg_lease_fn on_event;         /* to be set when the lease is taken */
    void *owner;                  /* likewise */
    bool was_reused;              /* the connection had served an exchange before */
    bool has_answered;            /* a byte of the answer has come: no silent second try any more */
};

CG_MUST_USE cg_err cg_pool_new(struct cg_loop *loop, struct cg_resolver *resolver,
                               const struct cg_pool_options *options, struct cg_pool **out);
/* cg_pool_free closes all; leases still out are told CG_X_RESET first. */
void cg_pool_free(struct cg_pool *pool);

/* cg_lease_begin asks for an exchange on a connection of this key: a kept one, or a new one.
 * Errors  now: CG_NO_MEMORY, CG_BUSY (too many wait), CG_SYNTAX.
 *         delivered: those of cg_dial_begin, CG_TLS, CG_PROTOCOL, CG_BUSY. */
CG_MUST_USE cg_err cg_lease_begin(struct cg_pool *pool, const struct cg_lease_request *request,
                                  struct cg_ticket who, unsigned tag, struct cg_mono deadline);
/* cg_lease_take takes the lease of a delivered call; the taker owes cg_lease_end. */
struct cg_lease *cg_lease_take(struct cg_call *call);
/* cg_lease_ask begins the exchange (cg_engine_begin); once a lease.
 * Errors  CG_CLOSED when the connection went in the meantime (nothing was sent: try another), and
 *         those of cg_engine_begin. */
CG_MUST_USE cg_err cg_lease_ask(struct cg_lease *lease, const struct cg_head *head, bool is_end);
/* cg_lease_end gives it back.  Its exchange is released; one that is not over is reset, and an
 * HTTP/1.1 connection with it.  NULL is harmless. */
void cg_lease_end(struct cg_lease *lease);
/* cg_pool_drop closes the unused connections of a key and lends the others no more: after a change
 * of config, or when a backend misbehaved. An empty key means all. */
void cg_pool_drop(struct cg_pool *pool, struct cg_span key);

struct cg_pool_count {
    size_t n_open, n_idle, n_connecting, n_waiting;
};
/* cg_pool_count tells a moment's numbers, for metrics. */
struct cg_pool_count cg_pool_count(const struct cg_pool *pool);

#endif
