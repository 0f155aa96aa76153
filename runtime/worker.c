#include "runtime/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum place {
    WAITING, /* in the queue */
    TAKEN,   /* by a thread, or dropped: the call will be ended from there */
};

struct job {
    struct cg_call call; /* first */
    struct cg_workers *workers;
    const struct cg_job_kind *kind;
    void *work;
    bool has_run;
    enum cg_job_lane lane;
    _Atomic enum place place; /* changed under the lock */
    struct job *next, *prev;  /* under the lock */
};

struct lane {
    struct job *first, *last; /* waiting */
    size_t n_waiting, max;
};

struct cg_workers {
    pthread_mutex_t lock;
    pthread_cond_t work_or_end;
    struct lane lanes[2];     /* by enum cg_job_lane */
    unsigned n_for_strangers; /* threads at work for them */
    bool is_strangers_turn;
    bool is_ending;
    unsigned n_threads;
    char name[16]; /* what the kernel keeps of a thread's name */
    pthread_t threads[];
};

static struct job *job_of(struct cg_call *call)
{
    return (struct job *)call;
}

static void unlink_job(struct cg_workers *workers, struct job *job)
{
    struct lane *lane = &workers->lanes[job->lane];

    if (job->prev)
        job->prev->next = job->next;
    else
        lane->first = job->next;
    if (job->next)
        job->next->prev = job->prev;
    else
        lane->last = job->prev;
    job->place = TAKEN;
    lane->n_waiting--;
}

/* --- on the threads --- */

/* Whose turn it is; NULL: nobody's that may. */
static struct job *next_job(struct cg_workers *workers)
{
    struct job *known = workers->lanes[CG_JOB_KNOWN].first;
    struct job *stranger = workers->lanes[CG_JOB_STRANGERS].first;
    unsigned most = workers->n_threads / 2;

    if (workers->n_for_strangers >= (most > 0 ? most : 1))
        stranger = NULL;
    if (known && stranger)
        return workers->is_strangers_turn ? stranger : known;
    return known ? known : stranger;
}

static struct job *await_job(struct cg_workers *workers)
{
    struct job *job = NULL;

    pthread_mutex_lock(&workers->lock);
    while (!workers->is_ending && !(job = next_job(workers)))
        pthread_cond_wait(&workers->work_or_end, &workers->lock);
    if (workers->is_ending)
        job = NULL;
    if (job) {
        unlink_job(workers, job);
        workers->is_strangers_turn = job->lane == CG_JOB_KNOWN;
        workers->n_for_strangers += job->lane == CG_JOB_STRANGERS;
    }
    pthread_mutex_unlock(&workers->lock);
    return job;
}

/* The thread that comes from here may find another's turn: then a stranger wants a thread that
 * rests.
 */
static void leave_lane(struct cg_workers *workers, enum cg_job_lane lane)
{
    if (lane != CG_JOB_STRANGERS)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->n_for_strangers--;
    if (workers->lanes[CG_JOB_STRANGERS].first)
        pthread_cond_signal(&workers->work_or_end);
    pthread_mutex_unlock(&workers->lock);
}

static void *work(void *arg)
{
    struct cg_workers *workers = arg;
    struct job *job;

    pthread_setname_np(pthread_self(), workers->name);
    while ((job = await_job(workers))) {
        cg_err err = job->kind->run(job->work);

        leave_lane(workers, job->lane);
        job->has_run = true;
        cg_call_end_from(&job->call, err);
    }
    return NULL;
}

/* --- on the loops --- */

static bool stop_job(struct cg_call *call)
{
    struct job *job = job_of(call);
    bool was_waiting;

    if (job->place == TAKEN)
        return false; /* also when the workers are gone and its end is on its way */
    pthread_mutex_lock(&job->workers->lock);
    was_waiting = job->place == WAITING;
    if (was_waiting)
        unlink_job(job->workers, job);
    pthread_mutex_unlock(&job->workers->lock);
    return was_waiting;
}

static void free_job(struct cg_call *call)
{
    struct job *job = job_of(call);

    if (job->work)
        job->kind->free(job->work);
    free(job);
}

static const struct cg_call_kind job_call = {.name = "job", .stop = stop_job, .free = free_job};

cg_err cg_job_begin(struct cg_workers *workers, const struct cg_job_kind *kind, void *work_in,
                    struct cg_loop *loop, struct cg_ticket who, unsigned tag,
                    struct cg_mono deadline)
{
    return cg_job_begin_in(workers, CG_JOB_KNOWN, kind, work_in, loop, who, tag, deadline);
}

cg_err cg_job_begin_in(struct cg_workers *workers, enum cg_job_lane in,
                       const struct cg_job_kind *kind, void *work_in, struct cg_loop *loop,
                       struct cg_ticket who, unsigned tag, struct cg_mono deadline)
{
    struct lane *lane = &workers->lanes[in];
    struct job *job = calloc(1, sizeof *job);
    bool is_full;

    if (!job) {
        kind->free(work_in);
        return CG_NO_MEMORY;
    }
    job->workers = workers;
    job->kind = kind;
    job->work = work_in;
    job->lane = in;
    job->place = WAITING;

    pthread_mutex_lock(&workers->lock);
    is_full = lane->n_waiting >= lane->max || workers->is_ending;
    if (!is_full) {
        /* Entered before a thread can see it: it may end at once. */
        cg_call_begin(&job->call, &job_call, loop, who, tag, deadline);
        job->prev = lane->last;
        if (lane->last)
            lane->last->next = job;
        else
            lane->first = job;
        lane->last = job;
        lane->n_waiting++;
        pthread_cond_signal(&workers->work_or_end);
    }
    pthread_mutex_unlock(&workers->lock);

    if (is_full) {
        kind->free(work_in);
        free(job);
        return CG_BUSY;
    }
    return CG_OK;
}

void *cg_job_work(struct cg_call *call)
{
    struct job *job = job_of(call);

    assert(call->kind == &job_call);
    /* After a deadline a thread may still be in the middle of it. */
    return !call->is_cut && job->has_run ? job->work : NULL;
}

void *cg_job_take(struct cg_call *call)
{
    void *taken = cg_job_work(call);

    if (taken)
        job_of(call)->work = NULL;
    return taken;
}

/* --- life --- */

cg_err cg_workers_new(const char *name, unsigned n_threads, size_t queue_max,
                      struct cg_workers **out)
{
    struct cg_workers *workers = calloc(1, sizeof *workers + n_threads * sizeof(pthread_t));
    sigset_t all, before;

    if (!workers)
        return CG_NO_MEMORY;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->work_or_end, NULL);
    workers->lanes[CG_JOB_KNOWN].max = queue_max;
    workers->lanes[CG_JOB_STRANGERS].max = CG_JOB_STRANGERS_MAX;
    snprintf(workers->name, sizeof workers->name, "%s", name);

    /* Signals are the main thread's; a new thread inherits the mask of whoever makes it. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    /* The first threads ask for their number while the last ones are made. */
    pthread_mutex_lock(&workers->lock);
    while (workers->n_threads < n_threads &&
           pthread_create(&workers->threads[workers->n_threads], NULL, work, workers) == 0)
        workers->n_threads++;
    pthread_mutex_unlock(&workers->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (workers->n_threads < n_threads) {
        cg_workers_free(workers);
        return CG_IO;
    }
    *out = workers;
    return CG_OK;
}

void cg_workers_free(struct cg_workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->is_ending = true;
    pthread_cond_broadcast(&workers->work_or_end);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->n_threads; i++)
        pthread_join(workers->threads[i], NULL);
    for (size_t i = 0; i < 2; i++)
        while (workers->lanes[i].first) {
            struct job *job = workers->lanes[i].first;

            unlink_job(workers, job);
            cg_call_end_from(&job->call, CG_CANCELLED);
        }
    pthread_cond_destroy(&workers->work_or_end);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

size_t cg_workers_waiting(struct cg_workers *workers)
{
    size_t n;

    pthread_mutex_lock(&workers->lock);
    n = workers->lanes[CG_JOB_KNOWN].n_waiting + workers->lanes[CG_JOB_STRANGERS].n_waiting;
    pthread_mutex_unlock(&workers->lock);
    return n;
}
