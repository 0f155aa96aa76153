/* client.h: engines of connections that we dial: whom we expect there, and what we believe of him.
 */
#ifndef CG_RUNTIME_CLIENT_H
#define CG_RUNTIME_CLIENT_H
#include "runtime/pool.h"
#include "session/stack.h"

#define CG_HOST_MAX_BYTES 253

/* Whom to dial and what to believe of him; the context of cg_client_engine. */
struct cg_client {
    struct cg_tls_conf *tls; /* NULL: plain HTTP */
    char name[CG_HOST_MAX_BYTES + 1];
    size_t name_len;
    enum cg_speaks speaks; /* without TLS: H1; with: what ALPN says */
    struct cg_engine_conf conf;
};

/* cg_client_init fills it; conf's scratch is set from the loop as it is used.
 * Errors  CG_TOO_LARGE (name). */
CG_MUST_USE cg_err cg_client_init(struct cg_client *client, struct cg_tls_conf *tls,
                                  struct cg_span name, const struct cg_engine_conf *conf);
/* cg_client_engine is a cg_engine_fn over a struct cg_client. */
cg_err cg_client_engine(void *client, const struct cg_peer *peer, struct cg_loop *loop,
                        struct cg_engine **out);

#endif
