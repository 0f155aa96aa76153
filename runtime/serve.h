/* serve.h: a small HTTP server for whole messages, over one listener.
 *
 * For the roles' own interfaces, health and admin; what the gateway forwards does not pass here. */
#ifndef CG_RUNTIME_SERVE_H
#define CG_RUNTIME_SERVE_H
#include "runtime/listen.h"
#include "runtime/reply.h"

struct cg_server;

struct cg_serve_options {
    struct cg_address at;
    size_t n_conns_max;
    cg_engine_fn engine; /* makes the server engine: TLS, or plain HTTP/1.1 on loopback */
    void *engine_ctx;
    const struct cg_route_table *const *tables; /* tried in order; the first that knows the path */
    size_t n_tables;
};

/* cg_server_new listens. Errors as cg_listener_new. The tables must outlive it. */
CG_MUST_USE cg_err cg_server_new(struct cg_loop *loop, const struct cg_serve_options *options,
                                 struct cg_server **out);
const struct cg_address *cg_server_at(const struct cg_server *server);
void cg_server_drain(struct cg_server *server, struct cg_mono limit, void (*on_drained)(void *ctx),
                     void *ctx);
/* cg_server_free cuts what is open.  Replies that handlers still hold go into the void. */
void cg_server_free(struct cg_server *server);

#endif
