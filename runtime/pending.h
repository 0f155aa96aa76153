/* pending.h: requests that a role has not answered yet.
 *
 * A handler that has to wait opens one: its struct lives in the reply's arena, is told of the calls
 * begun for it, and stands in the role's list until the reply is answered.  So a role that stops
 * leaves no reply behind, and knows when it has drained. */
#ifndef CG_RUNTIME_PENDING_H
#define CG_RUNTIME_PENDING_H
#include "runtime/log.h"
#include "runtime/reply.h"

struct cg_pending;

/* All of a role's. */
struct cg_pendings {
    struct cg_pending *first;
    struct cg_log *log;
    const char *role; /* in log lines */
    void *owner;      /* the role */
};

/* One: the first member of its handler's own struct. */
struct cg_pending {
    struct cg_pending *next, *prev;
    struct cg_pendings *all;
    struct cg_reply *reply;
    /* Told of each call that ends; may be changed from step to step. */
    void (*on_call)(struct cg_pending *pending, struct cg_call *call);
    /* Told when the role stops, before the reply is refused; NULL: nothing to let go of. */
    void (*on_stop)(struct cg_pending *pending);
};

/* cg_pending_open opens one of len bytes, zeroed behind the pending itself. NULL when out of
 * memory: the reply is then refused already. */
void *cg_pending_open(struct cg_pendings *all, struct cg_reply *reply, size_t len,
                      void (*on_call)(struct cg_pending *pending, struct cg_call *call));
/* cg_pending_ticket gives what its calls are begun with. */
struct cg_ticket cg_pending_ticket(struct cg_pending *pending);
/* cg_pending_close takes it out of the list and gives the reply, to be answered now. */
struct cg_reply *cg_pending_close(struct cg_pending *pending);
/* cg_pending_refuse closes it and refuses by an error that is no fault of the asker's: 503 for what
 * may pass, 500 for what will not; what is not just a matter of time is logged. */
void cg_pending_refuse(struct cg_pending *pending, cg_err err);
/* cg_pendings_stop refuses all that are open. */
void cg_pendings_stop(struct cg_pendings *all);

#endif
