/* listen.h: sockets that wait for connections.
 *
 * Each loop has a listener of its own on the same address (SO_REUSEPORT): the kernel spreads the
 * connections and nothing is shared.  At its cap a listener stops accepting and leaves the rest to
 * the kernel's queue; without descriptors it rests a moment and tries again. */
#ifndef CG_RUNTIME_LISTEN_H
#define CG_RUNTIME_LISTEN_H
#include "runtime/pump.h"

struct cg_listener;

/* Makes the engine of a new connection, or refuses it before it has cost anything (CG_RATE: closed
 * without a byte). owner becomes cg_conn_owner; NULL leaves the listener's. */
typedef cg_err (*cg_accept_fn)(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                               struct cg_engine **engine, void **owner);

struct cg_listen_options {
    bool joins;           /* another listener of this process has the same address already */
    struct cg_address at; /* port 0: any free one; a Unix socket: 0600, an abandoned one replaced */
    size_t n_conns_max;   /* of this listener; 0 is 10 000 */
    const struct cg_conn_events *events;
    cg_accept_fn accept;
    void (*give_up)(void *owner); /* of an owner whose connection could not be made; or NULL */
    void *ctx;                    /* of accept, and the connections' owner if accept gives none */
};

/* cg_listener_new binds and listens.
 * Errors  CG_CONFLICT (address in use), CG_DENIED (port needs a privilege), CG_IO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_listener_new(struct cg_loop *loop, const struct cg_listen_options *options,
                                   struct cg_listener **out);
/* cg_listener_at tells the address it really has (after port 0). */
const struct cg_address *cg_listener_at(const struct cg_listener *listener);
size_t cg_listener_n_conns(const struct cg_listener *listener);
/* cg_listener_drain accepts no more and drains its connections (cg_conn_drain); on_drained runs
 * when the last is gone, or when limit is over and the rest was cut. */
void cg_listener_drain(struct cg_listener *listener, struct cg_mono limit,
                       void (*on_drained)(void *ctx), void *ctx);
/* cg_listener_free closes the socket and cuts what is still open; their on_close have been called
 * when it returns. */
void cg_listener_free(struct cg_listener *listener);

#endif
