/* endpoint.h: one role asks another.
 *
 * An endpoint is https://host:port, http://127.0.0.1:port or local:<role>.  The last puts the same
 * bytes on the other role's loop without a socket, with the same limits and timeouts, so that a
 * role may move to another machine and only the config changes. */
#ifndef CG_RUNTIME_ENDPOINT_H
#define CG_RUNTIME_ENDPOINT_H
#include "runtime/pool.h"
#include "runtime/reply.h"

struct cg_endpoint;
struct cg_locals;

/* The roles of this process: filled at start, before any loop runs, then only read. */
CG_MUST_USE cg_err cg_locals_new(struct cg_locals **out);
void cg_locals_free(struct cg_locals *locals);
/* cg_locals_add makes table reachable as local:<table->name>, served on loop.
 * Errors  CG_NO_MEMORY, CG_CONFLICT (name taken). */
CG_MUST_USE cg_err cg_locals_add(struct cg_locals *locals, struct cg_loop *loop,
                                 const struct cg_route_table *table);

struct cg_endpoint_options {
    const char *url;          /* may end in a path, which is put before each path asked for */
    struct cg_locals *locals; /* for local: */
    struct cg_pool *pool;     /* for http: and https: */
    cg_engine_fn engine;      /* likewise: TLS client of the names and trust wanted */
    void *engine_ctx;
    cg_address_filter allow; /* likewise; NULL allows all */
    void *allow_ctx;
    size_t answer_max;  /* of an answer's body; 0 is 8 MiB */
    int64_t connect_ms; /* 0 is 2000 */
    size_t n_max;       /* questions under way; 0 is 1024 */
};

/* cg_endpoint_new makes an endpoint to be used on loop only.
 * Errors  CG_CONFIG (unknown form, http: to another host than loopback, no such role). */
CG_MUST_USE cg_err cg_endpoint_new(struct cg_loop *loop, const struct cg_endpoint_options *options,
                                   struct cg_endpoint **out);
/* cg_endpoint_free calls off what is under way. */
void cg_endpoint_free(struct cg_endpoint *endpoint);

/* cg_endpoint_begin asks; everything is copied.  A field is named by its token, or, where that is
 * CG_TOKEN_OTHER, by its name.  path begins with '/' and may have a query.
 * Errors  now: CG_NO_MEMORY, CG_BUSY (too many under way), CG_SYNTAX.
 *         delivered: those of cg_lease_begin, CG_TOO_LARGE (answer), CG_CLOSED, CG_TIMEOUT.  Any
 *         status is an answer, not an error. */
CG_MUST_USE cg_err cg_endpoint_begin(struct cg_endpoint *endpoint, struct cg_span method,
                                     struct cg_span path, const struct cg_field *fields,
                                     size_t n_fields, struct cg_span body, struct cg_ticket who,
                                     unsigned tag, struct cg_mono deadline);

struct cg_answer {
    const struct cg_head *head; /* status and fields, without the hop-by-hop ones */
    struct cg_span body;
};

/* cg_answer_of borrows the answer of a delivered call until on_call returns; NULL on errors. */
const struct cg_answer *cg_answer_of(struct cg_call *call);
#endif
