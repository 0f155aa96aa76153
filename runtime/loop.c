#include "runtime/loop.h"

#include "runtime/clock.h"
#include "runtime/loop_inner.h"
#include "runtime/pump.h"
#include "session/engine.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#define TICK_MS (CG_WHEEL_SLOT_US / 1000)

/* Connections wake each other while they write (one takes what the other sent). Each round moves
 * bounded rings, so this ends by itself; the number keeps one pair from holding up the rest. */
#define TAIL_ROUNDS 8

static struct cg_loop *loop_of(void *data)
{
    return data;
}

/* --- lists of tasks --- */

static void append_task(struct cg_tasks *tasks, struct cg_task *task)
{
    task->next = NULL;
    if (tasks->last)
        tasks->last->next = task;
    else
        tasks->first = task;
    tasks->last = task;
    tasks->n++;
}

static struct cg_task *take_task(struct cg_tasks *tasks)
{
    struct cg_task *task = tasks->first;

    if (task) {
        tasks->first = task->next;
        if (!tasks->first)
            tasks->last = NULL;
        tasks->n--;
    }
    return task;
}

/* --- staying awake: libuv must not sleep while there is work --- */

static void keep_awake(uv_idle_t *idle)
{
    (void)idle;
}

static void wake(struct cg_loop *loop)
{
    if (!loop->is_awake) {
        loop->is_awake = true;
        uv_idle_start(&loop->awake, keep_awake);
    }
}

void cg_loop_queue(struct cg_loop *loop, struct cg_task *task)
{
    append_task(&loop->queue, task);
    wake(loop);
}

void cg_loop_at_end(struct cg_loop *loop, struct cg_task *task)
{
    if (task->is_queued)
        return;
    task->is_queued = true;
    append_task(&loop->tail, task);
    wake(loop);
}

void cg_loop_forget(struct cg_loop *loop, struct cg_task *task)
{
    struct cg_task **at = &loop->tail.first, *last = NULL;

    if (!task->is_queued)
        return;
    while (*at != task) {
        last = *at;
        at = &(*at)->next;
    }
    *at = task->next;
    if (loop->tail.last == task)
        loop->tail.last = last;
    loop->tail.n--;
    task->is_queued = false;
}

/* --- other threads --- */

void cg_loop_post(struct cg_loop *loop, struct cg_task *task)
{
    struct cg_task *before = atomic_load_explicit(&loop->posted, memory_order_relaxed);

    do
        task->next = before;
    while (!atomic_compare_exchange_weak_explicit(&loop->posted, &before, task,
                                                  memory_order_release, memory_order_relaxed));
    /* Whoever finds the list empty knocks; the others' tasks are taken along. */
    if (!before)
        uv_async_send(&loop->knock);
}

void cg_loop_stop(struct cg_loop *loop)
{
    atomic_store(&loop->stop, true);
    uv_async_send(&loop->knock);
}

static void take_posted(struct cg_loop *loop)
{
    struct cg_task *newest = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    struct cg_task *oldest = NULL;

    while (newest) {
        struct cg_task *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct cg_task *next = oldest->next;

        cg_loop_queue(loop, oldest);
        oldest = next;
    }
}

static void on_knock(uv_async_t *knock)
{
    take_posted(loop_of(knock->data));
}

/* --- a pass --- */

static void forget_time(struct cg_loop *loop)
{
    loop->mono_is_read = loop->wall_is_read = false;
}

static void on_before(uv_prepare_t *before)
{
    /* The next thing is to wait for the kernel: whatever comes then comes at another time. */
    forget_time(loop_of(before->data));
}

/* What is queued meanwhile waits for the next pass: a chain of calls that end at once must not keep
 * the sockets waiting. */
static void run_queue(struct cg_loop *loop)
{
    struct cg_tasks now = loop->queue;
    struct cg_task *task;

    loop->queue = (struct cg_tasks){NULL, NULL, 0};
    while ((task = take_task(&now)))
        task->run(task);
}

static void run_tail(struct cg_loop *loop)
{
    /* Taken one by one from the list itself, so that cg_loop_forget finds all of them. */
    for (int round = 0; round < TAIL_ROUNDS; round++) {
        for (size_t n = loop->tail.n; n > 0 && loop->tail.first; n--) {
            struct cg_task *task = take_task(&loop->tail);

            task->is_queued = false;
            task->run(task);
        }
    }
}

static void on_after(uv_check_t *after)
{
    struct cg_loop *loop = loop_of(after->data);

    run_queue(loop);
    run_tail(loop);
    if (!loop->queue.first && !loop->tail.first && loop->is_awake) {
        loop->is_awake = false;
        uv_idle_stop(&loop->awake);
    }
    forget_time(loop);
    if (loop->is_over || atomic_load(&loop->stop))
        uv_stop(&loop->uv);
}

struct cg_mono cg_loop_mono(struct cg_loop *loop)
{
    if (!loop->mono_is_read) {
        loop->mono = cg_clock_mono();
        loop->mono_is_read = true;
    }
    return loop->mono;
}

struct cg_wall cg_loop_wall(struct cg_loop *loop)
{
    if (!loop->wall_is_read) {
        loop->wall = cg_clock_wall();
        loop->wall_is_read = true;
    }
    return loop->wall;
}

/* --- timers --- */

static void on_tick(uv_timer_t *tick)
{
    struct cg_loop *loop = loop_of(tick->data);

    forget_time(loop);
    cg_wheel_turn(&loop->wheel, cg_loop_mono(loop));
    if (loop->wheel.n_filed == 0) {
        loop->is_ticking = false;
        uv_timer_stop(&loop->tick);
    }
}

void cg_loop_set(struct cg_loop *loop, struct cg_timer *timer, struct cg_mono due)
{
    if (!loop->is_ticking && due.us != INT64_MAX) {
        /* The wheel stood still while it was empty. */
        cg_wheel_turn(&loop->wheel, cg_loop_mono(loop));
        loop->is_ticking = true;
        uv_update_time(&loop->uv);
        uv_timer_start(&loop->tick, on_tick, TICK_MS, TICK_MS);
    }
    cg_timer_set(&loop->wheel, timer, due);
}

void cg_loop_unset(struct cg_loop *loop, struct cg_timer *timer)
{
    cg_timer_done(&loop->wheel, timer);
}

/* --- life --- */

struct cg_buf *cg_loop_scratch(struct cg_loop *loop)
{
    return &loop->scratch;
}

struct cg_blocks *cg_loop_blocks(struct cg_loop *loop)
{
    return &loop->blocks;
}

cg_err cg_loop_new(struct cg_loop **out)
{
    struct cg_loop *loop = calloc(1, sizeof *loop);

    if (!loop)
        return CG_NO_MEMORY;
    cg_buf_init(&loop->out, CG_LOOP_WRITE_BYTES + CG_PULL_MIN_BYTES);
    cg_buf_init(&loop->scratch, CG_PULL_MIN_BYTES);
    cg_blocks_init(&loop->blocks, CG_LOOP_BLOCKS);
    if (cg_buf_room(&loop->out, loop->out.max) != CG_OK) {
        free(loop);
        return CG_NO_MEMORY;
    }
    if (uv_loop_init(&loop->uv) != 0) {
        cg_buf_done(&loop->out);
        free(loop);
        return CG_IO;
    }
    if (uv_async_init(&loop->uv, &loop->knock, on_knock) != 0) {
        uv_loop_close(&loop->uv);
        cg_buf_done(&loop->out);
        free(loop);
        return CG_IO;
    }
    /* The rest of the handles is memory only and cannot fail. */
    uv_idle_init(&loop->uv, &loop->awake);
    uv_prepare_init(&loop->uv, &loop->before);
    uv_check_init(&loop->uv, &loop->after);
    uv_timer_init(&loop->uv, &loop->tick);
    uv_timer_init(&loop->uv, &loop->limit);
    loop->knock.data = loop->awake.data = loop->before.data = loop->after.data = loop->tick.data =
        loop->limit.data = loop;
    uv_prepare_start(&loop->before, on_before);
    uv_check_start(&loop->after, on_after);
    cg_wheel_init(&loop->wheel, cg_clock_mono());
    atomic_init(&loop->posted, NULL);
    atomic_init(&loop->stop, false);
    *out = loop;
    return CG_OK;
}

static void on_limit(uv_timer_t *limit)
{
    struct cg_loop *loop = loop_of(limit->data);

    /* libuv's versions run timers before or after the sockets; either way one whole pass is made,
     * at whose end the loop stops. */
    loop->is_over = true;
    wake(loop);
}

static void run(struct cg_loop *loop)
{
    sigset_t pipe;

    /* A peer that closes early is an error code, not the end of the process. */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);

    /* The check handle keeps the loop alive, also with nothing to wait for. */
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    atomic_store(&loop->stop, false);
    forget_time(loop);
}

void cg_loop_run(struct cg_loop *loop)
{
    loop->is_over = false;
    run(loop);
}

bool cg_loop_run_for(struct cg_loop *loop, int64_t max_ms)
{
    loop->is_over = false;
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->limit, on_limit, max_ms > 0 ? (uint64_t)max_ms : 0, 0);
    run(loop);
    uv_timer_stop(&loop->limit);
    return !loop->is_over;
}

/* Runs what is queued or posted; returns whether there was anything. */
static bool settle(struct cg_loop *loop)
{
    take_posted(loop);
    if (!loop->queue.first)
        return false;
    run_queue(loop);
    return true;
}

void cg_loops_end(struct cg_loop *const *loops, size_t n)
{
    bool is_busy = true;

    for (size_t i = 0; i < n; i++)
        loops[i]->is_ending = true;
    for (size_t i = 0; i < n; i++) {
        cg_replies_done(loops[i]);
        cg_slots_done(loops[i]);
    }
    /* What they had asked each other comes home. */
    while (is_busy) {
        is_busy = false;
        for (size_t i = 0; i < n; i++)
            is_busy |= settle(loops[i]);
    }
}

void cg_loop_free(struct cg_loop *loop)
{
    if (!loop)
        return;
    cg_loops_end(&loop, 1);

    uv_close((uv_handle_t *)&loop->knock, NULL);
    uv_close((uv_handle_t *)&loop->awake, NULL);
    uv_close((uv_handle_t *)&loop->before, NULL);
    uv_close((uv_handle_t *)&loop->after, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
    uv_close((uv_handle_t *)&loop->limit, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&loop->uv);

    assert(rc == 0); /* else something still lives on the loop */
    (void)rc;
    cg_buf_done(&loop->out);
    cg_buf_wipe(&loop->scratch);
    cg_blocks_done(&loop->blocks);
    free(loop);
}
