/* worker.h: threads for what would hold a loop up: hybrid signatures, Argon2id, the database.
 *
 * A job is moved to a thread with everything it needs, runs there alone, and comes back to its loop
 * as a call (call.h).  A pool of one thread serves as the thread of a database: its jobs run one
 * after the other, in the order begun. */
#ifndef CG_RUNTIME_WORKER_H
#define CG_RUNTIME_WORKER_H
#include "runtime/call.h"

struct cg_workers;

/* What a job is: two functions over the caller's own struct. */
struct cg_job_kind {
    const char *name;          /* in log lines and metrics */
    cg_err (*run)(void *work); /* on a worker; what it returns is the call's err */
    void (*free)(void *work);  /* wherever the last use ends, a worker included */
};

/* Two lanes, for work whose amount strangers choose: they get every second turn and half of the
 * threads (but one) at most, so that others always find room; others may use all. */
enum cg_job_lane {
    CG_JOB_KNOWN,
    CG_JOB_STRANGERS,
};
/* So many jobs of strangers wait at most, beside queue_max others. */
#define CG_JOB_STRANGERS_MAX 256

/* cg_workers_new starts n threads named name, which hold at most queue_max waiting jobs.
 * Errors  CG_NO_MEMORY, CG_IO (no more threads). */
CG_MUST_USE cg_err cg_workers_new(const char *name, unsigned n_threads, size_t queue_max,
                                  struct cg_workers **out);
/* cg_workers_free lets the jobs being run end, drops the waiting ones (their calls end with
 * CG_CANCELLED) and joins the threads.  The loops they serve must have stopped running and must
 * not have been freed yet. */
void cg_workers_free(struct cg_workers *workers);
/* cg_workers_waiting tells how many jobs wait for a thread: a moment's number, for metrics. */
size_t cg_workers_waiting(struct cg_workers *workers);

/* cg_job_begin moves work to the workers; completion goes to who on loop.
 * Owns    work is given away, on errors too (it is freed then).
 * Errors  CG_BUSY (queue full), CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_job_begin(struct cg_workers *workers, const struct cg_job_kind *kind,
                                void *work, struct cg_loop *loop, struct cg_ticket who,
                                unsigned tag, struct cg_mono deadline);
/* cg_job_begin_in is cg_job_begin in a lane of one's choice; that one is in CG_JOB_KNOWN. */
CG_MUST_USE cg_err cg_job_begin_in(struct cg_workers *workers, enum cg_job_lane lane,
                                   const struct cg_job_kind *kind, void *work, struct cg_loop *loop,
                                   struct cg_ticket who, unsigned tag, struct cg_mono deadline);
/* cg_job_work gives the work of a delivered job, borrowed until on_call returns; NULL when the job
 * did not run to its end (call->err then is CG_TIMEOUT or CG_CANCELLED). */
void *cg_job_work(struct cg_call *call);
/* cg_job_take is cg_job_work, and the caller's from now on. */
void *cg_job_take(struct cg_call *call);

#endif
