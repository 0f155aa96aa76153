#include "ledger/inner.h"

#include "lib/base/span.h"

static void on_call(void *owner, struct cg_call *call)
{
    struct lg_pending *pending = cg_reply_kept(owner);

    pending->on_call(pending, call);
}

struct cg_ticket lg_pending_ticket(struct lg_pending *pending)
{
    return cg_reply_ticket(pending->reply, on_call);
}

void *lg_pending_open(struct lg_ledger *ledger, struct cg_reply *reply, size_t len,
                      void (*on_call_of)(struct lg_pending *pending, struct cg_call *call))
{
    struct lg_pending *pending = cg_arena_zero(cg_reply_arena(reply), len);
    struct cg_ticket ticket = {0};

    if (pending)
        ticket = cg_reply_ticket(reply, on_call);
    if (ticket.slot == 0 && ticket.generation == 0) {
        cg_reply_refuse(reply, CG_REFUSAL_UNAVAILABLE, NULL);
        return NULL;
    }
    *pending = (struct lg_pending){
        .next = ledger->pending, .ledger = ledger, .reply = reply, .on_call = on_call_of};
    if (pending->next)
        pending->next->prev = pending;
    ledger->pending = pending;
    cg_reply_keep(reply, pending);
    return pending;
}

struct cg_reply *lg_pending_close(struct lg_pending *pending)
{
    if (pending->prev)
        pending->prev->next = pending->next;
    else
        pending->ledger->pending = pending->next;
    if (pending->next)
        pending->next->prev = pending->prev;
    return pending->reply;
}

void lg_pending_refuse(struct lg_pending *pending, cg_err err)
{
    struct lg_ledger *ledger = pending->ledger;
    struct cg_reply *out = lg_pending_close(pending);

    if (cg_err_fault(err) != CG_FAULT_LATER)
        cg_log(ledger->setup.log, ERROR, store_failed, CG_STR("role", "ledger"), CG_ERR(err),
               CG_ID("request", cg_reply_id(out)));
    if (cg_err_fault(err) == CG_FAULT_LATER || err == CG_NO_MEMORY || err == CG_STORE) {
        cg_reply_field(out, CG_TOKEN_RETRY_AFTER, CG_LIT("1"));
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
    } else {
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
    }
}

void lg_pending_stop(struct lg_ledger *ledger)
{
    while (ledger->pending) {
        struct lg_pending *pending = ledger->pending;

        if (pending->on_stop)
            pending->on_stop(pending);
        lg_pending_refuse(pending, CG_CANCELLED);
    }
}
