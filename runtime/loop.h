/* loop.h: one thread's loop: it waits for the sockets, then works off what came, pass by pass.
 *
 * A pass: the kernel says which sockets have news and their bytes are fed to the engines; then the
 * calls that have ended are delivered (call.h); then, as the last thing, each connection that has
 * something to say writes once.  The two clocks are read at most once a pass.
 *
 * Only cg_loop_post and cg_loop_stop may be called from another thread than the loop's own. */
#ifndef CG_RUNTIME_LOOP_H
#define CG_RUNTIME_LOOP_H
#include <httpcg/err.h>

#include "runtime/wheel.h"

struct cg_loop;

/* cg_loop_new makes a loop that does nothing yet.
 * Errors  CG_NO_MEMORY, CG_IO (no descriptor left). */
CG_MUST_USE cg_err cg_loop_new(struct cg_loop **out);
/* cg_loops_end is for loops that ask each other (endpoint.h), once none of them runs any more and
 * before the first is freed: slots end, replies still owed are given up, and what was on its way
 * from one to another arrives.  Workers must have been freed before. */
void cg_loops_end(struct cg_loop *const *loops, size_t n);
/* cg_loop_free frees a loop that is not running; listeners, pools and resolvers on it must have
 * been freed before.  Calls still under way are called off. */
void cg_loop_free(struct cg_loop *loop);

/* cg_loop_run works until cg_loop_stop; the calling thread is then the loop's.  May be run again.
 */
void cg_loop_run(struct cg_loop *loop);
/* cg_loop_run_for is cg_loop_run with an end: for tests and for the last seconds of a drain.
 * Returns true when it was stopped, false when the time was over. */
bool cg_loop_run_for(struct cg_loop *loop, int64_t max_ms);
/* cg_loop_stop ends cg_loop_run after the pass under way.  From any thread. */
void cg_loop_stop(struct cg_loop *loop);

/* The clocks, read once a pass, when first asked for. */
struct cg_mono cg_loop_mono(struct cg_loop *loop);
struct cg_wall cg_loop_wall(struct cg_loop *loop);

/* cg_loop_set sets a timer on the loop's wheel (wheel.h); cg_loop_unset is cg_timer_done on it. */
void cg_loop_set(struct cg_loop *loop, struct cg_timer *timer, struct cg_mono due);
void cg_loop_unset(struct cg_loop *loop, struct cg_timer *timer);

/* A piece of work handed to a loop: a member of whatever it works on. */
struct cg_task {
    struct cg_task *next;
    bool is_queued; /* of cg_loop_at_end only */
    void (*run)(struct cg_task *task);
};

/* cg_loop_post runs task on the loop's thread, at the top of its next pass, in the order posted.
 * From any thread.  Owns  task is the loop's until it runs; it must not be posted twice. */
void cg_loop_post(struct cg_loop *loop, struct cg_task *task);
/* cg_loop_at_end runs task once at the end of the pass under way, however often it is asked. */
void cg_loop_at_end(struct cg_loop *loop, struct cg_task *task);
/* cg_loop_forget takes a task back that cg_loop_at_end has queued; nothing if it is not queued. */
void cg_loop_forget(struct cg_loop *loop, struct cg_task *task);

#endif
