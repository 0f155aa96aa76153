/* pump_inner.h: what listeners and pools know of their connections. */
#ifndef CG_RUNTIME_PUMP_INNER_H
#define CG_RUNTIME_PUMP_INNER_H
#include "runtime/pump.h"

/* The connections of one listener or pool. */
struct cg_conn_set {
    struct cg_conn *first;
    size_t n;
    void (*on_gone)(struct cg_conn_set *set); /* a connection's socket is closed; may be NULL */
};

/* cg_conn_join puts a new connection into a set. lingers: after our last byte the rest of the
 * other end's is read and dropped for a moment, so that no reset takes our answer away with it
 * (RFC 9112, 9.6). */
void cg_conn_join(struct cg_conn *conn, struct cg_conn_set *set, bool lingers);
struct cg_conn *cg_conn_next(const struct cg_conn *conn);
/* cg_conn_set_stall changes CG_SEND_STALL_MS for one connection. */
void cg_conn_set_stall(struct cg_conn *conn, int64_t ms);
/* cg_conn_cut closes at once: on_close has been called when it returns. Not from within the
 * connection's own events. */
void cg_conn_cut(struct cg_conn *conn, cg_err why);

#endif
