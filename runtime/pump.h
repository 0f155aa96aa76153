/* pump.h: a connection: one socket, one engine, and the bytes between them.
 *
 * What is read goes to the engine (session/engine.h) from a buffer the loop lends; what the engine
 * wants to say is pulled and written once, at the end of the pass.  When the engine takes no more,
 * the socket is not read, so that the other end feels it; when the socket takes no more, the engine
 * is not pulled, and its exchanges' windows fill up.  Nothing in between grows.
 *
 * Who owns a connection gets three calls: it is open, an exchange has something, it is gone. */
#ifndef CG_RUNTIME_PUMP_H
#define CG_RUNTIME_PUMP_H
#include "runtime/address.h"
#include "runtime/loop.h"
#include "session/engine.h"

struct cg_conn;

/* What happens on a connection; the same for all connections of a listener or pool.  All are
 * called on the loop's thread, none from within a call of the owner's into pump.h. */
struct cg_conn_events {
    /* The handshake is over: ALPN, exporter and peer are known. */
    void (*on_open)(struct cg_conn *conn);
    /* what is the engine's CG_X_ bits. Whoever gets CG_X_RESET here, too, releases the exchange. */
    void (*on_exchange)(struct cg_conn *conn, struct cg_exchange *exchange, unsigned what);
    /* The last call, also where on_open never came; the engine and its exchanges are still there
     * until it returns.  why is CG_OK when the connection ended as it should. */
    void (*on_close)(struct cg_conn *conn, cg_err why);
};

/* Makes the engine of a new connection (session/stack.h).
 * Errors  any; the socket is then closed. */
typedef cg_err (*cg_engine_fn)(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                               struct cg_engine **out);

/* How long the other end may take to make room for what the engine has said, without taking a
 * byte of it.  All other deadlines are the engine's (struct cg_engine_conf). */
#define CG_SEND_STALL_MS 30000

/* cg_conn_new takes a connected, non-blocking socket.
 * Owns    fd and engine are given away, on errors too; owner is borrowed. The connection frees
 *         itself after on_close.
 * Errors  CG_NO_MEMORY, CG_IO; on_close is then not called. */
CG_MUST_USE cg_err cg_conn_new(struct cg_loop *loop, int fd, const struct cg_peer *peer,
                               struct cg_engine *engine, const struct cg_conn_events *events,
                               void *owner, struct cg_conn **out);

/* cg_loop_scratch is what cg_engine_conf.scratch wants: lent to all engines of the loop. */
struct cg_buf *cg_loop_scratch(struct cg_loop *loop);
/* cg_loop_blocks is what its blocks wants. */
struct cg_blocks *cg_loop_blocks(struct cg_loop *loop);

struct cg_loop *cg_conn_loop(struct cg_conn *conn);
struct cg_engine *cg_conn_engine(struct cg_conn *conn);
const struct cg_peer *cg_conn_peer(const struct cg_conn *conn);
void *cg_conn_owner(const struct cg_conn *conn);
void cg_conn_set_owner(struct cg_conn *conn, void *owner);
bool cg_conn_is_open(const struct cg_conn *conn);

/* cg_conn_wake says that an exchange of this connection was written to or that body bytes were
 * taken from it: the connection is looked at again at the end of this pass.  To be called after
 * anything done to an exchange outside on_exchange. */
void cg_conn_wake(struct cg_conn *conn);
/* cg_conn_drain starts no more exchanges (GOAWAY, Connection: close), lets the open ones end and
 * closes then. */
void cg_conn_drain(struct cg_conn *conn);
/* cg_conn_close ends it: what the engine still has to say (an alert, GOAWAY) is tried once, then
 * the socket goes.  on_close(why) follows before the next pass, never from within this call. */
void cg_conn_close(struct cg_conn *conn, cg_err why);

#endif
