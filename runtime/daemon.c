#include "runtime/daemon.h"

#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/pulse.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TURN_MS 1000
#define DRAIN_TURN_MS 20
/* What the service manager allows beyond our own limit, for the parts to stop. */
#define STOP_MORE_US 10000000

struct cg_daemon {
    struct cg_daemon_setup setup;
    struct cg_config_live *live;
    struct cg_pulses pulses;
    pthread_mutex_t reloading; /* held through a reload and the start */
    bool is_over;              /* parts are stopping: no more reloads */
    int signals;               /* signalfd */
    int wish;                  /* eventfd: written by cg_daemon_stop */
    atomic_bool is_draining;
    struct cg_mono started;
    struct cg_mono drain_limit;
    struct cg_mono next_feed; /* of the watchdog */
    size_t n_started;
};

static void signals_of_ours(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
}

void cg_daemon_from_environment(struct cg_daemon_setup *setup)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    char own[32];

    snprintf(own, sizeof own, "%ld", (long)getpid());
    setup->notify_socket = getenv("NOTIFY_SOCKET");
    setup->watchdog_us = usec && (!pid || strcmp(pid, own) == 0) ? strtoll(usec, NULL, 10) : 0;
    if (setup->watchdog_us < 0 || setup->watchdog_us == INT64_MAX)
        setup->watchdog_us = 0;
}

cg_err cg_daemon_new(const struct cg_daemon_setup *setup, struct cg_daemon **out)
{
    struct cg_daemon *daemon = calloc(1, sizeof *daemon);
    sigset_t ours;
    cg_err err;

    if (!daemon)
        return CG_NO_MEMORY;
    daemon->setup = *setup;
    daemon->started = cg_clock_mono();
    pthread_mutex_init(&daemon->reloading, NULL);
    signals_of_ours(&ours);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    daemon->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    daemon->wish = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = daemon->signals >= 0 && daemon->wish >= 0
              ? cg_config_live_new(setup->config, &daemon->live)
              : CG_IO;
    if (err != CG_OK) {
        cg_daemon_free(daemon);
        return err;
    }
    *out = daemon;
    return CG_OK;
}

void cg_daemon_free(struct cg_daemon *daemon)
{
    if (!daemon)
        return;
    cg_config_live_free(daemon->live);
    if (daemon->signals >= 0)
        close(daemon->signals);
    if (daemon->wish >= 0)
        close(daemon->wish);
    pthread_mutex_destroy(&daemon->reloading);
    free(daemon);
}

static void notify(struct cg_daemon *daemon, const char *state)
{
    cg_err err = cg_notify_send(daemon->setup.notify_socket, state);

    if (err != CG_OK)
        cg_log(daemon->setup.log, WARN, notify_failed, CG_ERR(err));
}

static void log_problems(struct cg_log *log, enum cg_log_event event,
                         const struct cg_problems *problems, size_t from)
{
    for (size_t i = from; i < problems->n; i++) {
        const struct cg_problem *problem = &problems->at[i];
        const struct cg_log_field fields[] = {
            CG_STR("where", problem->where[0] ? problem->where : NULL),
            CG_UINT("line", problem->line), CG_UINT("column", problem->column),
            CG_STR("problem", problem->text)};

        if (cg_log_has(log, CG_LOG_ERROR))
            cg_log_write(log, CG_LOG_ERROR, event, fields, sizeof fields / sizeof fields[0]);
    }
}

/* Everything that can fail, before anything changes. */
static cg_err prepare(struct cg_daemon *daemon, const struct cg_config_change *change,
                      cg_err (*accept)(void *ctx, struct cg_problems *problems), void *ctx,
                      struct cg_problems *problems, struct cg_config **out)
{
    struct cg_config_source source = *daemon->setup.source;
    struct cg_config *next, *now;
    cg_err err;

    source.change = change;
    CG_TRY(cg_config_load(&source, problems, &next));
    now = cg_config_live_ref(daemon->live);
    err = cg_config_may_follow(now, next, problems);
    cg_config_unref(now);
    if (err == CG_OK && accept)
        err = accept(ctx, problems);
    if (err != CG_OK) {
        cg_config_unref(next);
        return err;
    }
    *out = next;
    return CG_OK;
}

cg_err cg_daemon_reload(struct cg_daemon *daemon, const struct cg_config_change *change,
                        cg_err (*accept)(void *ctx, struct cg_problems *problems), void *ctx,
                        struct cg_problems *problems)
{
    struct cg_log *log = daemon->setup.log;
    struct cg_config *next = NULL;
    size_t before = problems->n;

    pthread_mutex_lock(&daemon->reloading);
    cg_err err =
        daemon->is_over ? CG_CANCELLED : prepare(daemon, change, accept, ctx, problems, &next);
    if (err == CG_CANCELLED) {
        cg_problem_add(problems, "", 0, 0, "the process is stopping");
    } else if (err == CG_OK) {
        cg_log_set_level(log, (enum cg_log_level)cg_config_common(next)->log.level);
        cg_config_ref(next); /* ours, while the parts are told */
        cg_config_live_swap(daemon->live, next);
        for (size_t i = 0; i < daemon->n_started; i++)
            if (daemon->setup.parts[i].reload)
                daemon->setup.parts[i].reload(daemon->setup.parts[i].ctx, next);
        cg_config_unref(next);
        cg_log(log, INFO, config_loaded,
               CG_UINT("generation", cg_config_live_generation(daemon->live)));
    } else {
        log_problems(log, CG_EVENT_config_refused, problems, before);
    }
    pthread_mutex_unlock(&daemon->reloading);
    return err;
}

static void reload_on_signal(struct cg_daemon *daemon)
{
    struct cg_problems problems = {0};
    char state[64];

    /* systemd.service(5), Type=notify-reload: the moment tells it which reload this answers. */
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, cg_clock_mono().us);
    notify(daemon, state);
    cg_err err = cg_daemon_reload(daemon, NULL, NULL, NULL, &problems);
    cg_log_reopen(daemon->setup.log);
    notify(daemon, err == CG_OK ? "READY=1\nSTATUS=ready"
                                : "READY=1\nSTATUS=the new configuration was refused; the one "
                                  "before is in force");
}

static void begin_drain(struct cg_daemon *daemon)
{
    struct cg_config *config = cg_config_live_ref(daemon->live);
    int64_t limit_us = cg_config_common(config)->drain.stop_ms * 1000;
    char state[96];

    cg_config_unref(config);
    daemon->drain_limit.us = cg_clock_mono().us + limit_us;
    atomic_store(&daemon->is_draining, true);
    cg_log(daemon->setup.log, INFO, stopping, CG_INT("limit_ms", limit_us / 1000));
    snprintf(state, sizeof state, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%" PRId64,
             limit_us + STOP_MORE_US);
    notify(daemon, state);
    for (size_t i = 0; i < daemon->n_started; i++)
        if (daemon->setup.parts[i].drain)
            daemon->setup.parts[i].drain(daemon->setup.parts[i].ctx);
}

static bool all_drained(const struct cg_daemon *daemon)
{
    for (size_t i = 0; i < daemon->n_started; i++) {
        const struct cg_part *part = &daemon->setup.parts[i];

        if (part->is_drained && !part->is_drained(part->ctx))
            return false;
    }
    return true;
}

/* The next signal or wish within timeout_ms; 0 for none. A wish counts as SIGTERM. */
static int await_signal(struct cg_daemon *daemon, int timeout_ms)
{
    struct pollfd ready[] = {{.fd = daemon->signals, .events = POLLIN},
                             {.fd = daemon->wish, .events = POLLIN}};
    struct signalfd_siginfo info;
    uint64_t n;

    if (poll(ready, 2, timeout_ms) <= 0)
        return 0;
    if (read(daemon->wish, &n, sizeof n) == sizeof n)
        return SIGTERM;
    if (read(daemon->signals, &info, sizeof info) == sizeof info)
        return (int)info.ssi_signo;
    return 0;
}

static void tell_of_stall(void *ctx, const char *name, int64_t silent_us)
{
    struct cg_daemon *daemon = ctx;

    cg_log(daemon->setup.log, ERROR, loop_stalled, CG_STR("thread", name),
           CG_INT("silent_ms", silent_us / 1000));
}

/* The watchdog is fed at half its time, and only while every thread gives a sign of life: a process
 * that looks alive and serves nobody is what it is there for. */
static void feed_watchdog(struct cg_daemon *daemon)
{
    struct cg_mono now = cg_clock_mono();
    bool all_beat = cg_pulses_check(&daemon->pulses, now, tell_of_stall, daemon);

    if (!all_beat || daemon->setup.watchdog_us == 0 || now.us < daemon->next_feed.us)
        return;
    notify(daemon, "WATCHDOG=1");
    daemon->next_feed.us = now.us + daemon->setup.watchdog_us / 2;
}

static int turn_ms(const struct cg_daemon *daemon)
{
    int64_t quarter_ms = daemon->setup.watchdog_us / 4000;

    if (atomic_load(&daemon->is_draining))
        return DRAIN_TURN_MS;
    return quarter_ms > 0 && quarter_ms < TURN_MS ? (int)quarter_ms : TURN_MS;
}

/* Until the drain is over; returns the exit. */
static int serve(struct cg_daemon *daemon)
{
    for (;;) {
        int signal = await_signal(daemon, turn_ms(daemon));
        bool is_draining = atomic_load(&daemon->is_draining);

        if (signal == SIGHUP && !is_draining)
            reload_on_signal(daemon);
        else if (signal == SIGUSR1)
            cg_log_reopen(daemon->setup.log);
        else if ((signal == SIGTERM || signal == SIGINT) && !is_draining)
            begin_drain(daemon);
        else if (signal == SIGTERM || signal == SIGINT)
            daemon->drain_limit.us = 0; /* asked twice: now */
        feed_watchdog(daemon);
        if (!atomic_load(&daemon->is_draining))
            continue;
        if (all_drained(daemon))
            return CG_EXIT_OK;
        if (cg_clock_mono().us >= daemon->drain_limit.us) {
            cg_log(daemon->setup.log, WARN, drain_cut);
            return CG_EXIT_CUT;
        }
    }
}

/* Stops what was started, the last first. A reload that is under way ends before, and none follows:
 * no part is told of a configuration while or after it stops. */
static void stop_parts(struct cg_daemon *daemon)
{
    pthread_mutex_lock(&daemon->reloading);
    daemon->is_over = true;
    pthread_mutex_unlock(&daemon->reloading);
    for (; daemon->n_started > 0; daemon->n_started--) {
        const struct cg_part *part = &daemon->setup.parts[daemon->n_started - 1];

        if (part->stop)
            part->stop(part->ctx);
    }
}

/* A stop that was asked for while parts were starting. */
static bool is_called_off(struct cg_daemon *daemon)
{
    int signal = await_signal(daemon, 0);

    return signal == SIGTERM || signal == SIGINT;
}

static cg_err start_parts(struct cg_daemon *daemon, struct cg_problems *problems)
{
    struct cg_config *config = cg_config_live_ref(daemon->live);
    cg_err err = CG_OK;

    /* A part that has started may ask for a reload: it waits until all have. */
    pthread_mutex_lock(&daemon->reloading);
    for (size_t i = 0; err == CG_OK && i < daemon->setup.n_parts; i++) {
        const struct cg_part *part = &daemon->setup.parts[i];
        size_t before = problems->n;

        if (is_called_off(daemon)) {
            err = CG_CANCELLED;
            break;
        }
        err = part->start(part->ctx, config, problems);
        daemon->n_started = i + 1; /* also after a failed start */
        if (err != CG_OK && problems->n == before)
            cg_problem_add(problems, "", 0, 0, "cannot start %s: %s", part->name, cg_err_text(err));
    }
    pthread_mutex_unlock(&daemon->reloading);
    cg_config_unref(config);
    return err;
}

int cg_daemon_run(struct cg_daemon *daemon, struct cg_problems *problems)
{
    size_t before = problems->n;
    cg_err err = start_parts(daemon, problems);
    int ends = CG_EXIT_FAILED;

    if (err == CG_OK) {
        cg_log(daemon->setup.log, INFO, started, CG_STR("version", cg_version()),
               CG_INT("pid", getpid()));
        notify(daemon, "READY=1\nSTATUS=ready");
        ends = serve(daemon);
    } else if (err == CG_CANCELLED) {
        ends = CG_EXIT_OK;
    } else {
        log_problems(daemon->setup.log, CG_EVENT_start_failed, problems, before);
    }
    atomic_store(&daemon->is_draining, true);
    stop_parts(daemon);
    cg_log(daemon->setup.log, INFO, stopped, CG_INT("exit", ends));
    return ends;
}

void cg_daemon_stop(struct cg_daemon *daemon)
{
    uint64_t one = 1;

    /* It can only fail when the counter is full, and then it is readable already. */
    if (write(daemon->wish, &one, sizeof one) != sizeof one)
        return;
}

struct cg_config_live *cg_daemon_config(struct cg_daemon *daemon)
{
    return daemon->live;
}

struct cg_log *cg_daemon_log(struct cg_daemon *daemon)
{
    return daemon->setup.log;
}

bool cg_daemon_is_draining(const struct cg_daemon *daemon)
{
    return atomic_load(&daemon->is_draining);
}

int64_t cg_daemon_uptime_s(const struct cg_daemon *daemon)
{
    return (cg_clock_mono().us - daemon->started.us) / 1000000;
}

struct cg_pulse *cg_daemon_pulse(struct cg_daemon *daemon, const char *name)
{
    return cg_pulses_take(&daemon->pulses, name, cg_clock_mono());
}
