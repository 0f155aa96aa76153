/* call.h: waiting for an answer.
 *
 * Whatever a step waits for is a call: a name resolved, a role asked, a job run by a worker, a
 * connection to a backend.  Three rules make waiting safe:
 *
 *   1. A call never ends before the function that began it has returned, not even when the answer
 *      is at hand: completions are delivered by the loop, between two pieces of work.
 *   2. Who waits is named by a ticket {slot, generation}, not by a pointer.  Ending the slot calls
 *      off what it waits for; an answer for an ended slot is dropped.
 *   3. A call owns its input and its output until delivery; the receiver copies or takes what it
 *      wants while it is being told, and the call is then freed.
 *
 * So a request may end at any moment, and no step frees, cancels or locks. */
#ifndef CG_RUNTIME_CALL_H
#define CG_RUNTIME_CALL_H
#include "runtime/loop.h"

/* Names one who waits.  The zeroed ticket names nobody. */
struct cg_ticket {
    uint32_t slot;
    uint32_t generation;
};

struct cg_call;

/* Told of each ended call: call->tag says which of the owner's waits it was, call->err how it went,
 * and its kind's own functions (cg_job_work, cg_lease_take, cg_answer_of ...) give the output while
 * this runs.  May begin calls, end slots, its own included. */
typedef void (*cg_call_fn)(void *owner, struct cg_call *call);

/* cg_slot_open gives a ticket for owner, on the loop's own thread.
 * Errors  CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_slot_open(struct cg_loop *loop, cg_call_fn on_call, void *owner,
                                struct cg_ticket *out);
/* cg_slot_end ends it: its calls are told to stop, owner is never told of anything again.  An ended
 * or zeroed ticket is harmless. */
void cg_slot_end(struct cg_loop *loop, struct cg_ticket who);
/* cg_slot_call_off calls off the calls with this tag only; none of them is delivered. */
void cg_slot_call_off(struct cg_loop *loop, struct cg_ticket who, unsigned tag);
/* cg_slot_is_open tells whether somebody still waits under this ticket. */
bool cg_slot_is_open(struct cg_loop *loop, struct cg_ticket who);
/* cg_slot_waits tells for how many calls. */
size_t cg_slot_waits(struct cg_loop *loop, struct cg_ticket who);

/* What kinds of call there are is for those who write a new kind; the rest only begins them. */
struct cg_call_kind {
    const char *name; /* in log lines and metrics */
    /* Calls off what is under way.  Returns true when nobody will finish the call any more (it is
     * freed at once), false when somebody will (a worker in the middle of it): it is freed then. */
    bool (*stop)(struct cg_call *call);
    void (*free)(struct cg_call *call);
};

/* The first member of each kind's own struct. */
struct cg_call {
    const struct cg_call_kind *kind;
    struct cg_loop *loop; /* where it is delivered */
    struct cg_ticket who;
    unsigned tag; /* which of its waits, in the receiver's own numbers */
    cg_err err;   /* how it went */
    bool is_cut;  /* its deadline passed: err is CG_TIMEOUT, somebody may still be at work on it */

    /* call.c's own. */
    struct cg_task task;
    struct cg_timer timer;
    struct cg_call *next, *prev; /* of the slot's calls */
    unsigned state;
    cg_err posted; /* by cg_call_end_from */
};

/* cg_call_begin enters a call, made by its kind, into the slot of who and starts its deadline; who
 * must be open.  From here the call is call.c's: it will be delivered or freed, once.
 * The kind starts its work after this and must not fail any more except by cg_call_end. */
void cg_call_begin(struct cg_call *call, const struct cg_call_kind *kind, struct cg_loop *loop,
                   struct cg_ticket who, unsigned tag, struct cg_mono deadline);
/* cg_call_end says that the work is over, on the loop's thread.  It is delivered at the top of the
 * loop's next pass. */
void cg_call_end(struct cg_call *call, cg_err err);
/* cg_call_end_from is cg_call_end from any thread. */
void cg_call_end_from(struct cg_call *call, cg_err err);

#endif
