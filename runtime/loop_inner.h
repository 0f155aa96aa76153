/* loop_inner.h: what the files of runtime/ know of a loop, and nobody else. */
#ifndef CG_RUNTIME_LOOP_INNER_H
#define CG_RUNTIME_LOOP_INNER_H
#include "lib/base/blocks.h"
#include "lib/base/buf.h"
#include "runtime/call.h"

#include <uv.h>

/* What one read takes at most, and what is written at most in one go. */
#define CG_LOOP_READ_BYTES (64 * 1024)
#define CG_LOOP_WRITE_BYTES (64 * 1024)
/* Blocks kept for the next exchanges: 2 MiB. */
#define CG_LOOP_BLOCKS 512

struct cg_slot {
    cg_call_fn on_call;
    void *owner;
    struct cg_call *calls; /* under way or ended, newest first */
    uint32_t generation;   /* odd: open */
    uint32_t next_free;
};

struct cg_slots {
    struct cg_slot *at;
    uint32_t n; /* in use or free */
    uint32_t cap;
    uint32_t free; /* the first of a list, or n */
};

/* A list of tasks in the order they came. */
struct cg_tasks {
    struct cg_task *first, *last;
    size_t n;
};

struct cg_loop {
    uv_loop_t uv;
    uv_async_t knock; /* another thread posted, or asked to stop */
    uv_idle_t awake;  /* active while there is work that needs no socket */
    uv_prepare_t before;
    uv_check_t after;
    uv_timer_t tick; /* turns the wheel while anything is filed */
    uv_timer_t limit;
    bool is_awake, is_ticking, is_over;

    struct cg_mono mono;
    struct cg_wall wall;
    bool mono_is_read, wall_is_read;

    struct cg_wheel wheel;
    struct cg_slots slots;
    struct cg_reply *replies; /* that handlers have not answered yet, or that are on their way */
    bool is_ending;           /* nothing new is begun any more */
    struct cg_tasks queue;    /* to run in this pass, or in the next when it is under way */
    struct cg_tasks tail;     /* to run at the end of the pass */

    _Atomic(struct cg_task *) posted; /* by other threads, newest first */
    _Atomic bool stop;

    struct cg_buf out;       /* what is about to be written, for the length of a write */
    struct cg_buf scratch;   /* the engines' (cg_loop_scratch) */
    struct cg_blocks blocks; /* (cg_loop_blocks) */
    char in[CG_LOOP_READ_BYTES];
};

/* cg_loop_queue runs task at the top of the next pass: cg_loop_post for the loop's own thread. */
void cg_loop_queue(struct cg_loop *loop, struct cg_task *task);

/* cg_slots_done ends every slot that is still open. */
void cg_slots_done(struct cg_loop *loop);
/* cg_replies_done ends what handlers have never answered (reply.c). */
void cg_replies_done(struct cg_loop *loop);

#endif
