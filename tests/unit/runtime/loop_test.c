#include "runtime/loop.h"

#include "runtime/clock.h"
#include "tests/support/check.h"

#include <pthread.h>
#include <stdatomic.h>

#define LIMIT_MS 10000

struct note {
    struct cg_task task; /* first */
    struct cg_loop *loop;
    int *log, *n;
    int mark;
    struct note *also; /* asked for at the end of the pass when this runs */
    bool stops;
};

static void run_note(struct cg_task *task)
{
    struct note *note = (struct note *)task;

    note->log[(*note->n)++] = note->mark;
    if (note->also)
        cg_loop_at_end(note->loop, &note->also->task);
    if (note->stops)
        cg_loop_stop(note->loop);
}

TEST(posted_work_runs_in_its_order_and_the_end_of_the_pass_comes_after_it)
{
    struct cg_loop *loop;
    int log[8], n = 0;

    CHECK_OR_STOP(CHECK_OK(cg_loop_new(&loop)));
    struct note end = {{.run = run_note}, loop, log, &n, 9, NULL, true};
    struct note a = {{.run = run_note}, loop, log, &n, 1, &end, false};
    struct note b = {{.run = run_note}, loop, log, &n, 2, &end, false};

    cg_loop_post(loop, &a.task);
    cg_loop_post(loop, &b.task);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(n, 3); /* asked twice, run once */
    CHECK(log[0] == 1 && log[1] == 2 && log[2] == 9);
    cg_loop_free(loop);
}

TEST(work_for_the_end_of_a_pass_can_be_taken_back)
{
    struct cg_loop *loop;
    int log[8], n = 0;

    CHECK_OR_STOP(CHECK_OK(cg_loop_new(&loop)));
    struct note a = {{.run = run_note}, loop, log, &n, 1, NULL, false};
    struct note b = {{.run = run_note}, loop, log, &n, 2, NULL, false};
    struct note c = {{.run = run_note}, loop, log, &n, 3, NULL, true};

    cg_loop_at_end(loop, &a.task);
    cg_loop_at_end(loop, &b.task);
    cg_loop_forget(loop, &b.task);
    cg_loop_at_end(loop, &c.task);
    cg_loop_forget(loop, &b.task);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(n, 2);
    CHECK(log[0] == 1 && log[1] == 3);
    cg_loop_free(loop);
}

struct chain {
    struct cg_task task; /* first */
    struct cg_loop *loop;
    struct cg_mono seen;
    unsigned left, n_same;
};

static void run_chain(struct cg_task *task)
{
    struct chain *chain = (struct chain *)task;
    struct cg_mono now = cg_loop_mono(chain->loop);

    chain->n_same += now.us == chain->seen.us;
    chain->seen = now;
    CHECK_INT(cg_loop_mono(chain->loop).us, now.us);
    if (chain->left-- == 0)
        cg_loop_stop(chain->loop);
    else
        cg_loop_post(chain->loop, task);
}

TEST(time_stands_still_within_a_pass_and_goes_on_between)
{
    struct cg_loop *loop;

    CHECK_OR_STOP(CHECK_OK(cg_loop_new(&loop)));
    struct chain chain = {{.run = run_chain}, loop, {0}, 2000, 0};

    cg_loop_post(loop, &chain.task);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK(chain.n_same < 1900); /* passes are quicker than a microsecond only rarely */
    CHECK(chain.seen.us <= cg_clock_mono().us);
    CHECK(cg_loop_wall(loop).s - cg_clock_wall().s <= 1);
    cg_loop_free(loop);
}

#define N_POSTS 20000

struct poster {
    struct cg_loop *loop;
    struct cg_task tasks[N_POSTS];
};

static atomic_int n_run;
static struct cg_loop *counting;

static void count(struct cg_task *task)
{
    (void)task;
    if (atomic_fetch_add(&n_run, 1) + 1 == 3 * N_POSTS)
        cg_loop_stop(counting);
}

static void *post_all(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < N_POSTS; i++) {
        poster->tasks[i].run = count;
        cg_loop_post(poster->loop, &poster->tasks[i]);
    }
    return NULL;
}

TEST(three_threads_post_and_nothing_is_lost)
{
    static struct poster posters[3];
    pthread_t threads[3];

    CHECK_OR_STOP(CHECK_OK(cg_loop_new(&counting)));
    for (int i = 0; i < 3; i++) {
        posters[i].loop = counting;
        CHECK(pthread_create(&threads[i], NULL, post_all, &posters[i]) == 0);
    }
    CHECK(cg_loop_run_for(counting, LIMIT_MS));
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(atomic_load(&n_run), 3 * N_POSTS);
    cg_loop_free(counting);
}

struct ring {
    struct cg_timer timer; /* first */
    struct cg_loop *loop;
    struct note *end;
    struct cg_mono at;
};

static void ring(struct cg_timer *timer)
{
    struct ring *r = (struct ring *)timer;

    r->at = cg_loop_mono(r->loop);
    cg_loop_at_end(r->loop, &r->end->task);
}

TEST(a_timer_fires_in_time_and_its_work_for_the_end_of_the_pass_is_done_at_once)
{
    struct cg_loop *loop;
    int log[2], n = 0;

    CHECK_OR_STOP(CHECK_OK(cg_loop_new(&loop)));
    struct note end = {{.run = run_note}, loop, log, &n, 1, NULL, true};
    struct ring r = {.loop = loop, .end = &end};
    struct cg_mono start = cg_loop_mono(loop);

    cg_timer_init(&r.timer, ring);
    cg_loop_set(loop, &r.timer, cg_mono_after(start, 150));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(n, 1);
    CHECK(r.at.us - start.us >= 150000);
    CHECK(r.at.us - start.us < 2000000); /* generous: the machine may be busy */
    cg_loop_free(loop);
}

TEST(runs_again_after_it_was_stopped_and_ends_by_itself_when_told_so)
{
    struct cg_loop *loop;

    CHECK_OR_STOP(CHECK_OK(cg_loop_new(&loop)));
    cg_loop_stop(loop);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK(!cg_loop_run_for(loop, 20));
    cg_loop_stop(loop);
    cg_loop_run(loop);
    cg_loop_free(loop);
    cg_loop_free(NULL);
}

SUITE(loop, T(posted_work_runs_in_its_order_and_the_end_of_the_pass_comes_after_it),
      T(work_for_the_end_of_a_pass_can_be_taken_back),
      T(time_stands_still_within_a_pass_and_goes_on_between),
      T(three_threads_post_and_nothing_is_lost),
      T(a_timer_fires_in_time_and_its_work_for_the_end_of_the_pass_is_done_at_once),
      T(runs_again_after_it_was_stopped_and_ends_by_itself_when_told_so))
