/* conn.h: a client's connection: the certificate it was accepted with, and its gate. */
#ifndef CG_GATEWAY_CONN_H
#define CG_GATEWAY_CONN_H
#include "gateway/creds.h"
#include "gateway/thread.h"
#include "runtime/pump.h"
#include "session/gate.h"

struct gw_conn {
    struct gw_thread *thread;
    struct cg_conn *conn;
    struct gw_identity *identity; /* pinned: what TLS announced */
    struct cg_gate gate;
    bool has_gate;
    bool is_remembered;          /* its tickets name its wallet */
    struct cg_timer timer;       /* the gate's deadline */
    struct gw_request *requests; /* open ones */
    int64_t held_bytes;          /* request bodies held whole */
    struct cg_span ip;           /* of the peer, for budgets */
    size_t place;                /* of its prefix in shares */
    unsigned n_forged;           /* requests whose signature a worker looked at in vain */
    struct gw_creds creds;       /* roles given by credentials */
};

/* What a listener of the native port is made with. */
extern const struct cg_conn_events gw_conn_events;
/* gw_accept makes a connection's engine. */
cg_err gw_accept(void *thread, const struct cg_peer *peer, struct cg_loop *loop,
                 struct cg_engine **engine, void **owner);
/* gw_give_up takes back what gw_accept made, where no connection came of it. */
void gw_give_up(void *owner);

#endif
