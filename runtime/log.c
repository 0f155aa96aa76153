#include "runtime/log.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/log_sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING_BYTES (1024 * 1024)
#define TURN_MS 100
#define TELL_TURNS 10

struct cg_log {
    atomic_int level;
    enum cg_log_format format;
    int64_t (*now_us)(void *ctx);
    void *ctx;
    struct cg_log_sink events, access;

    pthread_t writer;
    bool is_running;
    pthread_mutex_t lock; /* of the wishes below */
    pthread_cond_t wish;
    bool wants_stop, wants_turn;
    atomic_bool wants_reopen;
};

static int64_t system_now(void *ctx)
{
    struct timespec now;

    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_stderr(const char *file)
{
    return strcmp(file, "-") == 0;
}

cg_err cg_log_new(const struct cg_log_options *options, struct cg_problems *problems,
                  struct cg_log **out)
{
    struct cg_log *log = calloc(1, sizeof *log);
    size_t ring = options->ring_bytes ? options->ring_bytes : RING_BYTES;
    pthread_condattr_t monotonic;
    cg_err err;

    if (!log)
        return CG_NO_MEMORY;
    atomic_init(&log->level, (int)options->level);
    log->format = options->format;
    log->now_us = options->now_us ? options->now_us : system_now;
    log->ctx = options->ctx;
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->wish, &monotonic);
    pthread_condattr_destroy(&monotonic);

    err = cg_log_sink_open(&log->events, options->file, "log.file", ring, problems);
    if (err == CG_OK && options->access)
        err = cg_log_sink_open(&log->access, is_stderr(options->access) ? NULL : options->access,
                               "log.access", ring, problems);
    if (err != CG_OK) {
        cg_log_free(log);
        return err;
    }
    *out = log;
    return CG_OK;
}

void cg_log_free(struct cg_log *log)
{
    if (!log)
        return;
    cg_log_stop(log);
    cg_log_sink_done(&log->events);
    cg_log_sink_done(&log->access);
    pthread_cond_destroy(&log->wish);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

/* Tells of lines that were lost, at most once a second and only where it can be read; past the
 * ring, which may be full again. */
static void tell_of_drops(struct cg_log *log, struct cg_log_sink *sink, const char *name)
{
    uint64_t n = cg_log_sink_dropped(sink);
    char line[CG_LOG_LINE_MAX_BYTES];

    sink->n_turns++;
    if (n == sink->n_said || log->events.error != 0 ||
        (sink->n_said > 0 && sink->n_turns < TELL_TURNS))
        return;
    const struct cg_log_field fields[] = {
        CG_STR("log", name), CG_UINT("lines", n - sink->n_said),
        CG_STR("errno", sink->error ? strerrorname_np(sink->error) : NULL)};
    size_t len = cg_log_line(log->format, log->now_us(log->ctx), CG_LOG_WARN, CG_EVENT_log_dropped,
                             fields, sizeof fields / sizeof fields[0], line);
    cg_log_sink_say(&log->events, line, len);
    sink->n_said = n;
    sink->n_turns = 0;
}

static void reopen(struct cg_log *log)
{
    int error = cg_log_sink_reopen(&log->events);

    if (error != 0)
        cg_log(log, ERROR, log_failed, CG_STR("log", "events"),
               CG_STR("errno", strerrorname_np(error)));
    if (cg_log_sink_is_open(&log->access)) {
        error = cg_log_sink_reopen(&log->access);
        if (error != 0)
            cg_log(log, ERROR, log_failed, CG_STR("log", "access"),
                   CG_STR("errno", strerrorname_np(error)));
    }
    cg_log(log, INFO, log_reopened);
}

static void write_turn(struct cg_log *log)
{
    /* What was said before the reopening belongs to the old files. */
    cg_log_sink_flush(&log->events);
    if (cg_log_sink_is_open(&log->access))
        cg_log_sink_flush(&log->access);
    if (atomic_exchange(&log->wants_reopen, false))
        reopen(log);
    tell_of_drops(log, &log->events, "events");
    if (cg_log_sink_is_open(&log->access))
        tell_of_drops(log, &log->access, "access");
}

/* Waits for the next turn; false when it is the last. */
static bool await_turn(struct cg_log *log)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TURN_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&log->lock);
    while (!log->wants_stop && !log->wants_turn &&
           pthread_cond_timedwait(&log->wish, &log->lock, &until) == 0)
        ;
    bool goes_on = !log->wants_stop;
    log->wants_turn = false;
    pthread_mutex_unlock(&log->lock);
    return goes_on;
}

static void *run_writer(void *arg)
{
    struct cg_log *log = arg;

    while (await_turn(log))
        write_turn(log);
    return NULL;
}

static void set_direct(struct cg_log *log, bool is_direct)
{
    cg_log_sink_direct(&log->events, is_direct);
    if (cg_log_sink_is_open(&log->access))
        cg_log_sink_direct(&log->access, is_direct);
}

cg_err cg_log_start(struct cg_log *log)
{
    if (log->is_running)
        return CG_OK;
    log->wants_stop = false;
    set_direct(log, false);
    if (pthread_create(&log->writer, NULL, run_writer, log) != 0) {
        set_direct(log, true);
        return CG_IO;
    }
    pthread_setname_np(log->writer, "log");
    log->is_running = true;
    return CG_OK;
}

static void wish(struct cg_log *log, bool *what)
{
    pthread_mutex_lock(&log->lock);
    *what = true;
    pthread_cond_signal(&log->wish);
    pthread_mutex_unlock(&log->lock);
}

void cg_log_stop(struct cg_log *log)
{
    if (!log->is_running)
        return;
    wish(log, &log->wants_stop);
    pthread_join(log->writer, NULL);
    log->is_running = false;
    write_turn(log); /* the rest, and what is to be said of drops, */
    set_direct(log, true);
    write_turn(log); /* also of those that came in between */
}

void cg_log_reopen(struct cg_log *log)
{
    if (!log->is_running) {
        reopen(log);
        return;
    }
    atomic_store(&log->wants_reopen, true);
    wish(log, &log->wants_turn);
}

void cg_log_set_level(struct cg_log *log, enum cg_log_level level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

bool cg_log_has(const struct cg_log *log, enum cg_log_level level)
{
    return log && (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

uint64_t cg_log_dropped(struct cg_log *log, bool access)
{
    if (access && !cg_log_sink_is_open(&log->access))
        return 0;
    return cg_log_sink_dropped(access ? &log->access : &log->events);
}

void cg_log_write(struct cg_log *log, enum cg_log_level level, enum cg_log_event event,
                  const struct cg_log_field *fields, size_t n_fields)
{
    char line[CG_LOG_LINE_MAX_BYTES];
    size_t len =
        cg_log_line(log->format, log->now_us(log->ctx), (int)level, event, fields, n_fields, line);

    if (cg_log_sink_add(&log->events, line, len))
        wish(log, &log->wants_turn);
}

void cg_log_write_access(struct cg_log *log, const struct cg_log_field *fields, size_t n_fields)
{
    char line[CG_LOG_LINE_MAX_BYTES];
    size_t len;

    if (!log || !cg_log_sink_is_open(&log->access))
        return;
    len = cg_log_line(log->format, log->now_us(log->ctx), CG_LOG_ACCESS, CG_EVENT_request, fields,
                      n_fields, line);
    if (cg_log_sink_add(&log->access, line, len))
        wish(log, &log->wants_turn);
}
