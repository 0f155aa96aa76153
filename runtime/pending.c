#include "runtime/pending.h"

#include "lib/base/span.h"

static void on_call(void *owner, struct cg_call *call)
{
    struct cg_pending *pending = cg_reply_kept(owner);

    pending->on_call(pending, call);
}

struct cg_ticket cg_pending_ticket(struct cg_pending *pending)
{
    return cg_reply_ticket(pending->reply, on_call);
}

void *cg_pending_open(struct cg_pendings *all, struct cg_reply *reply, size_t len,
                      void (*on_call_of)(struct cg_pending *pending, struct cg_call *call))
{
    struct cg_pending *pending = cg_arena_zero(cg_reply_arena(reply), len);
    struct cg_ticket ticket = {0};

    if (pending)
        ticket = cg_reply_ticket(reply, on_call);
    if (ticket.slot == 0 && ticket.generation == 0) {
        cg_reply_refuse(reply, CG_REFUSAL_UNAVAILABLE, NULL);
        return NULL;
    }
    *pending =
        (struct cg_pending){.next = all->first, .all = all, .reply = reply, .on_call = on_call_of};
    if (pending->next)
        pending->next->prev = pending;
    all->first = pending;
    cg_reply_keep(reply, pending);
    return pending;
}

struct cg_reply *cg_pending_close(struct cg_pending *pending)
{
    if (pending->prev)
        pending->prev->next = pending->next;
    else
        pending->all->first = pending->next;
    if (pending->next)
        pending->next->prev = pending->prev;
    return pending->reply;
}

void cg_pending_refuse(struct cg_pending *pending, cg_err err)
{
    struct cg_pendings *all = pending->all;
    struct cg_reply *out = cg_pending_close(pending);

    if (cg_err_fault(err) != CG_FAULT_LATER)
        cg_log(all->log, ERROR, internal_error, CG_STR("role", all->role), CG_ERR(err),
               CG_ID("request", cg_reply_id(out)));
    if (cg_err_fault(err) == CG_FAULT_LATER || err == CG_NO_MEMORY || err == CG_STORE) {
        cg_reply_field(out, CG_TOKEN_RETRY_AFTER, CG_LIT("1"));
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
    } else {
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
    }
}

void cg_pendings_stop(struct cg_pendings *all)
{
    while (all->first) {
        struct cg_pending *pending = all->first;

        if (pending->on_stop)
            pending->on_stop(pending);
        cg_pending_refuse(pending, CG_CANCELLED);
    }
}
