#include "runtime/worker.h"

#include "tests/support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_MS 20000

static atomic_int n_run, n_freed;
static atomic_int order[16];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: jobs that wait for it hang */

struct sum {
    int a, b, got;
    bool waits;
};

static cg_err run_sum(void *work)
{
    struct sum *sum = work;
    int n = atomic_fetch_add(&n_run, 1);

    if (sum->waits) {
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
    if (n < 16)
        atomic_store(&order[n], sum->a);
    sum->got = sum->a + sum->b;
    return sum->b < 0 ? CG_MISMATCH : CG_OK;
}

static void free_sum(void *work)
{
    atomic_fetch_add(&n_freed, 1);
    free(work);
}

static const struct cg_job_kind sum_kind = {"sum", run_sum, free_sum};

static struct cg_loop *loop;
static struct cg_workers *workers;
static struct cg_ticket who;
static int n_told, want, total;
static cg_err last_err;
static struct sum *taken;
static bool takes;

static void on_call(void *owner, struct cg_call *call)
{
    struct sum *sum = cg_job_work(call);

    (void)owner;
    last_err = call->err;
    if (sum)
        total += sum->got;
    else
        CHECK(call->err == CG_TIMEOUT || call->err == CG_CANCELLED);
    if (takes)
        taken = cg_job_take(call);
    if (++n_told == want)
        cg_loop_stop(loop);
}

static cg_err begin_in(enum cg_job_lane lane, int a, bool waits)
{
    struct sum *sum = malloc(sizeof *sum);

    *sum = (struct sum){a, 0, 0, waits};
    return cg_job_begin_in(workers, lane, &sum_kind, sum, loop, who, 0, CG_NEVER);
}

static cg_err begin(int a, int b, bool waits, struct cg_mono deadline)
{
    struct sum *sum = malloc(sizeof *sum);

    *sum = (struct sum){a, b, 0, waits};
    return cg_job_begin(workers, &sum_kind, sum, loop, who, 0, deadline);
}

static void start(unsigned n_threads, size_t queue_max)
{
    n_told = want = total = 0;
    takes = false;
    taken = NULL;
    atomic_store(&n_run, 0);
    atomic_store(&n_freed, 0);
    CHECK_OK(cg_loop_new(&loop));
    CHECK_OK(cg_workers_new("test", n_threads, queue_max, &workers));
    CHECK_OK(cg_slot_open(loop, on_call, NULL, &who));
}

static void stop(void)
{
    cg_workers_free(workers);
    cg_loop_free(loop);
}

TEST(jobs_come_back_with_what_they_made)
{
    start(2, 1000);
    want = 500;
    for (int i = 0; i < want; i++)
        CHECK_OK(begin(i, 1, false, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(total, 500 * 499 / 2 + 500);
    CHECK_INT(atomic_load(&n_freed), 500);
    stop();
}

TEST(an_error_comes_back_beside_the_work_which_may_be_taken)
{
    start(1, 10);
    want = 1;
    takes = true;
    CHECK_OK(begin(1, -1, false, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_MISMATCH);
    stop();
    CHECK_INT(atomic_load(&n_freed), 0);
    CHECK_OR_STOP(CHECK(taken != NULL));
    CHECK_INT(taken->got, 0);
    free(taken);
}

TEST(one_thread_keeps_the_order)
{
    start(1, 100);
    want = 16;
    for (int i = 0; i < 16; i++)
        CHECK_OK(begin(i, 0, false, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    for (int i = 0; i < 16; i++)
        CHECK_INT(atomic_load(&order[i]), i);
    stop();
}

static void await_runs(int n)
{
    for (int i = 0; i < 5000 && atomic_load(&n_run) < n; i++)
        usleep(1000);
    CHECK_INT(atomic_load(&n_run), n);
}

TEST(a_full_queue_says_busy_and_frees_the_work)
{
    start(1, 2);
    pthread_mutex_lock(&gate);
    CHECK_OK(begin(1, 1, true, CG_NEVER));
    await_runs(1); /* the thread has it: the queue is empty */
    CHECK_OK(begin(2, 1, true, CG_NEVER));
    CHECK_OK(begin(3, 1, true, CG_NEVER));
    CHECK_INT(cg_workers_waiting(workers), 2);
    CHECK_ERR(begin(4, 1, true, CG_NEVER), CG_BUSY);
    CHECK_INT(atomic_load(&n_freed), 1);
    want = 3;
    pthread_mutex_unlock(&gate);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(total, 2 + 3 + 4);
    stop();
    CHECK_INT(atomic_load(&n_freed), 4);
}

TEST(strangers_get_every_second_turn_and_others_the_rest)
{
    const int turns[] = {100, 1, 101, 2, 102, 3, 103, 104};

    start(1, 100);
    pthread_mutex_lock(&gate);
    CHECK_OK(begin(0, 0, true, CG_NEVER)); /* so that all of them wait */
    await_runs(1);
    for (int i = 0; i < 3; i++)
        CHECK_OK(begin_in(CG_JOB_KNOWN, 1 + i, false));
    for (int i = 0; i < 5; i++)
        CHECK_OK(begin_in(CG_JOB_STRANGERS, 100 + i, false));
    want = 9;
    pthread_mutex_unlock(&gate);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++)
        CHECK_INT(atomic_load(&order[1 + i]), turns[i]);
    stop();
}

TEST(strangers_never_hold_more_than_half_of_the_threads)
{
    start(4, 100);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 10; i++)
        CHECK_OK(begin_in(CG_JOB_STRANGERS, i, true));
    await_runs(2);
    usleep(50000);
    CHECK_INT(atomic_load(&n_run), 2);
    /* Others find the rest free, and may use all that is left. */
    CHECK_OK(begin_in(CG_JOB_KNOWN, 50, true));
    CHECK_OK(begin_in(CG_JOB_KNOWN, 51, true));
    await_runs(4);
    want = 12;
    pthread_mutex_unlock(&gate);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(total, 45 + 101);
    stop();
}

TEST(the_strangers_queue_is_short_and_its_fullness_is_theirs)
{
    start(1, 3);
    pthread_mutex_lock(&gate);
    CHECK_OK(begin(0, 0, true, CG_NEVER));
    await_runs(1);
    for (int i = 0; i < CG_JOB_STRANGERS_MAX; i++)
        CHECK_OK(begin_in(CG_JOB_STRANGERS, 1, false));
    CHECK_ERR(begin_in(CG_JOB_STRANGERS, 1, false), CG_BUSY);
    for (int i = 0; i < 3; i++)
        CHECK_OK(begin_in(CG_JOB_KNOWN, 1, false));
    CHECK_ERR(begin_in(CG_JOB_KNOWN, 1, false), CG_BUSY);
    CHECK_INT(cg_workers_waiting(workers), CG_JOB_STRANGERS_MAX + 3);
    want = 1 + CG_JOB_STRANGERS_MAX + 3;
    pthread_mutex_unlock(&gate);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    stop();
    CHECK_INT(atomic_load(&n_freed), CG_JOB_STRANGERS_MAX + 6);
}

TEST(a_job_that_takes_too_long_is_given_up_and_ends_into_the_void)
{
    start(1, 10);
    pthread_mutex_lock(&gate);
    want = 2;
    CHECK_OK(begin(1, 1, true, cg_mono_after(cg_loop_mono(loop), 50)));
    await_runs(1);
    CHECK_OK(begin(2, 1, true, cg_mono_after(cg_loop_mono(loop), 50))); /* still in the queue */
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_TIMEOUT);
    CHECK_INT(total, 0);
    CHECK_INT(atomic_load(&n_freed), 1); /* the one that never ran */
    pthread_mutex_unlock(&gate);
    stop();
    CHECK_INT(atomic_load(&n_freed), 2);
    CHECK_INT(atomic_load(&n_run), 1);
    CHECK_INT(n_told, 2);
}

TEST(freeing_the_workers_ends_what_waits)
{
    start(1, 10);
    pthread_mutex_lock(&gate);
    CHECK_OK(begin(1, 1, true, CG_NEVER));
    await_runs(1);
    CHECK_OK(begin(2, 1, true, CG_NEVER));
    CHECK_OK(begin(3, 1, true, CG_NEVER));
    pthread_mutex_unlock(&gate);
    cg_workers_free(workers);
    cg_workers_free(NULL);
    want = 3;
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(atomic_load(&n_freed), 3);
    cg_loop_free(loop);
}

/* The architecture's own test: who asked goes away at any moment, ten thousand times. */
TEST(the_asker_goes_away_at_any_moment_ten_thousand_times)
{
    unsigned seed = 42;
    int n_begun = 0;

    start(2, 100000);
    for (int i = 0; i < 10000; i++) {
        struct cg_ticket mine;
        struct sum *sum = malloc(sizeof *sum);

        *sum = (struct sum){1, 1, 0, false};
        CHECK_OK(cg_slot_open(loop, on_call, NULL, &mine));
        CHECK_OK(cg_job_begin(workers, &sum_kind, sum, loop, mine, 0,
                              rand_r(&seed) % 4 ? CG_NEVER : cg_mono_after(cg_loop_mono(loop), 1)));
        n_begun++;
        switch (rand_r(&seed) % 4) {
        case 0: /* at once */
            cg_slot_end(loop, mine);
            break;
        case 1: /* while it runs, or just after */
            for (int spin = rand_r(&seed) % 2000; spin > 0; spin--)
                __asm__ volatile("");
            cg_slot_end(loop, mine);
            break;
        case 2: /* after a pass or some */
            if (i % 16 == 0)
                cg_loop_run_for(loop, 0);
            cg_slot_end(loop, mine);
            break;
        default: /* never: goes with the loop */
            break;
        }
        if (i % 64 == 0)
            cg_loop_run_for(loop, 1); /* so that the workers get somewhere, however fast we are */
    }
    stop(); /* with jobs in the queue, in a thread and on their way back */
    CHECK_INT(atomic_load(&n_freed), n_begun);
    CHECK(n_told > 100); /* some were told before they went */
    printf("# %d of 10000 were told before they went\n", n_told);
}

SUITE(worker, T(jobs_come_back_with_what_they_made),
      T(an_error_comes_back_beside_the_work_which_may_be_taken), T(one_thread_keeps_the_order),
      T(a_full_queue_says_busy_and_frees_the_work),
      T(strangers_get_every_second_turn_and_others_the_rest),
      T(strangers_never_hold_more_than_half_of_the_threads),
      T(the_strangers_queue_is_short_and_its_fullness_is_theirs),
      T(a_job_that_takes_too_long_is_given_up_and_ends_into_the_void),
      T(freeing_the_workers_ends_what_waits),
      T(the_asker_goes_away_at_any_moment_ten_thousand_times))
