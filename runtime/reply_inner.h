/* reply_inner.h: replies, for those who bring the messages: serve.c and local.c. */
#ifndef CG_RUNTIME_REPLY_INNER_H
#define CG_RUNTIME_REPLY_INNER_H
#include "lib/base/buf.h"
#include "runtime/reply.h"

#define CG_REPLY_MAX_BYTES (8 * 1024 * 1024)

struct cg_reply {
    struct cg_loop *loop;
    struct cg_reply *next, *prev; /* of all of the loop's */
    struct cg_arena arena;
    struct cg_message in;
    struct cg_head in_head;
    struct cg_buf in_body;
    struct cg_peer peer;

    struct cg_head head; /* the answer's, complete once it is ended */
    struct cg_buf body;
    cg_err fault; /* the first thing that could not be added */
    bool is_ended, is_void;
    const _Atomic bool *is_called_off; /* by an asker on another loop; may be NULL */

    struct cg_ticket ticket;
    cg_call_fn on_call;
    void *kept;
    uint8_t id[16];
    bool has_id;

    /* Told once, when the answer is complete; frees the reply sooner or later. */
    void (*deliver)(struct cg_reply *reply);
    void *asker;
};

/* What a request is for: a row of a table, or why there is none. */
struct cg_routed {
    const struct cg_route_table *table;
    const struct cg_route *route; /* NULL: refusal says why */
    enum cg_refusal refusal;
};

/* cg_route_find looks a request's method and path up; the first table that knows the path decides.
 * head.path is the target with its query. */
struct cg_routed cg_route_find(const struct cg_route_table *const *tables, size_t n_tables,
                               const struct cg_head *head);

/* cg_reply_new makes the reply to a request whose head is copied; the body is then put into
 * in_body, which holds what the route's table allows.
 * Errors  CG_NO_MEMORY, CG_TOO_LARGE (head). */
CG_MUST_USE cg_err cg_reply_new(struct cg_loop *loop, const struct cg_peer *peer,
                                const struct cg_head *head, const struct cg_routed *routed,
                                void (*deliver)(struct cg_reply *reply), void *asker,
                                struct cg_reply **out);
/* cg_reply_run calls the handler, or refuses: routed.route of a path known for another method gets
 * its Allow from tables. */
void cg_reply_run(struct cg_reply *reply, const struct cg_routed *routed,
                  const struct cg_route_table *const *tables, size_t n_tables);
/* cg_reply_abandon says that nobody waits any more: deliver is not called then, the reply goes when
 * it is ended; at once if it is. */
void cg_reply_abandon(struct cg_reply *reply);
void cg_reply_free(struct cg_reply *reply);

/* cg_head_copy copies a request's or response's head into an arena; leaves_hops: without the
 * fields that belong to the connection it came by. */
CG_MUST_USE cg_err cg_head_copy(const struct cg_head *from, bool leaves_hops,
                                struct cg_arena *arena, struct cg_head *out);

#endif
