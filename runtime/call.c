#include "runtime/call.h"

#include "runtime/loop_inner.h"

#include <assert.h>
#include <stdlib.h>

enum state {
    UNDERWAY,
    ENDED, /* waits in the loop's queue to be delivered */
    VOID,  /* nobody waits any more; freed when its work ends */
};

/* --- slots --- */

static struct cg_slot *slot_of(struct cg_loop *loop, struct cg_ticket who)
{
    struct cg_slot *slot;

    if (who.slot >= loop->slots.n || who.generation % 2 == 0)
        return NULL;
    slot = &loop->slots.at[who.slot];
    return slot->generation == who.generation ? slot : NULL;
}

static cg_err add_slots(struct cg_slots *slots)
{
    uint32_t cap = slots->cap ? slots->cap * 2 : 64;
    struct cg_slot *at = cap > slots->cap ? realloc(slots->at, cap * sizeof *at) : NULL;

    if (!at)
        return CG_NO_MEMORY;
    slots->at = at;
    slots->cap = cap;
    return CG_OK;
}

cg_err cg_slot_open(struct cg_loop *loop, cg_call_fn on_call, void *owner, struct cg_ticket *out)
{
    struct cg_slots *slots = &loop->slots;
    struct cg_slot *slot;
    uint32_t place = slots->free;

    if (place == slots->n) { /* none is free */
        if (slots->n == slots->cap) {
            cg_err err = add_slots(slots);

            if (err != CG_OK)
                return err;
        }
        slots->at[place] = (struct cg_slot){.generation = 0};
        slots->n++;
        slots->free = slots->n;
    } else {
        slots->free = slots->at[place].next_free;
        if (slots->free == UINT32_MAX)
            slots->free = slots->n;
    }

    /* Odd is open, even is ended: a ticket of an earlier life never fits, a zeroed one neither. */
    slot = &slots->at[place];
    slot->generation++;
    slot->on_call = on_call;
    slot->owner = owner;
    slot->calls = NULL;
    *out = (struct cg_ticket){place, slot->generation};
    return CG_OK;
}

bool cg_slot_is_open(struct cg_loop *loop, struct cg_ticket who)
{
    return slot_of(loop, who) != NULL;
}

size_t cg_slot_waits(struct cg_loop *loop, struct cg_ticket who)
{
    struct cg_slot *slot = slot_of(loop, who);
    size_t n = 0;

    for (struct cg_call *call = slot ? slot->calls : NULL; call; call = call->next)
        n++;
    return n;
}

/* --- calls --- */

static void leave_slot(struct cg_call *call)
{
    struct cg_slot *slot = slot_of(call->loop, call->who);

    assert(slot);
    if (call->prev)
        call->prev->next = call->next;
    else
        slot->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->next = call->prev = NULL;
}

/* Nobody waits for it any more. */
static void call_off(struct cg_call *call)
{
    bool is_queued = call->state == ENDED;

    leave_slot(call);
    cg_loop_unset(call->loop, &call->timer);
    call->state = VOID;
    if (!is_queued && call->kind->stop(call))
        call->kind->free(call);
}

static void tell(struct cg_call *call, cg_err err)
{
    struct cg_slot *slot = slot_of(call->loop, call->who);

    assert(slot); /* ending a slot calls off its calls */
    call->err = err;
    leave_slot(call);
    call->state = VOID;
    slot->on_call(slot->owner, call); /* may move the slots: slot is not used again */
}

static void deliver(struct cg_task *task)
{
    struct cg_call *call = (struct cg_call *)((char *)task - offsetof(struct cg_call, task));

    if (call->state == ENDED)
        tell(call, call->err);
    call->kind->free(call);
}

/* A deadline tells at once: it comes from the wheel, so no begin is on the stack. */
static void run_out(struct cg_timer *timer)
{
    struct cg_call *call = (struct cg_call *)((char *)timer - offsetof(struct cg_call, timer));
    bool is_over;

    call->state = VOID;
    call->is_cut = true;
    is_over = call->kind->stop(call);
    tell(call, CG_TIMEOUT);
    if (is_over)
        call->kind->free(call);
}

void cg_call_begin(struct cg_call *call, const struct cg_call_kind *kind, struct cg_loop *loop,
                   struct cg_ticket who, unsigned tag, struct cg_mono deadline)
{
    struct cg_slot *slot = slot_of(loop, who);

    assert(slot);
    call->kind = kind;
    call->loop = loop;
    call->who = who;
    call->tag = tag;
    call->err = CG_OK;
    call->is_cut = false;
    call->state = UNDERWAY;
    call->task = (struct cg_task){.run = deliver};
    call->prev = NULL;
    call->next = slot->calls;
    if (slot->calls)
        slot->calls->prev = call;
    slot->calls = call;
    cg_timer_init(&call->timer, run_out);
    if (deadline.us != INT64_MAX)
        cg_loop_set(loop, &call->timer, deadline);
}

void cg_call_end(struct cg_call *call, cg_err err)
{
    if (call->state == VOID) {
        call->kind->free(call);
        return;
    }
    assert(call->state == UNDERWAY);
    cg_loop_unset(call->loop, &call->timer);
    call->state = ENDED;
    call->err = err;
    call->task.run = deliver;
    cg_loop_queue(call->loop, &call->task);
}

/* On the loop: what another thread ended is delivered in this very pass, its top being now. */
static void arrive(struct cg_task *task)
{
    struct cg_call *call = (struct cg_call *)((char *)task - offsetof(struct cg_call, task));

    if (call->state == UNDERWAY) {
        cg_loop_unset(call->loop, &call->timer);
        tell(call, call->posted);
    }
    call->kind->free(call);
}

void cg_call_end_from(struct cg_call *call, cg_err err)
{
    /* Only the loop's thread looks at the rest of the call; the task and this are the thread's. */
    call->posted = err;
    call->task.run = arrive;
    cg_loop_post(call->loop, &call->task);
}

void cg_slot_end(struct cg_loop *loop, struct cg_ticket who)
{
    struct cg_slot *slot = slot_of(loop, who);

    if (!slot)
        return;
    while (slot->calls) {
        call_off(slot->calls);
        slot = &loop->slots.at[who.slot]; /* stopping may have opened slots and moved them all */
    }
    slot->generation++;
    slot->next_free = loop->slots.free < loop->slots.n ? loop->slots.free : UINT32_MAX;
    loop->slots.free = who.slot;
}

void cg_slot_call_off(struct cg_loop *loop, struct cg_ticket who, unsigned tag)
{
    struct cg_slot *slot = slot_of(loop, who);
    struct cg_call *call = slot ? slot->calls : NULL;

    while (call) {
        struct cg_call *next = call->next;

        if (call->tag == tag)
            call_off(call);
        call = next;
    }
}

void cg_slots_done(struct cg_loop *loop)
{
    for (uint32_t i = 0; i < loop->slots.n; i++)
        cg_slot_end(loop, (struct cg_ticket){i, loop->slots.at[i].generation});
    free(loop->slots.at);
    loop->slots = (struct cg_slots){0};
}
