#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/daemon.h"
#include "runtime/pulse.h"
#include "tests/unit/runtime/demo_options.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the parts of a test were told, in order: "a+" started, "a!" reload, "a~" drain, "a-" stop.
 */
static char story[256];
static pthread_mutex_t story_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool may_end;

static void tell(const char *name, char what)
{
    pthread_mutex_lock(&story_lock);
    size_t len = strlen(story);
    snprintf(story + len, sizeof story - len, "%s%c ", name, what);
    pthread_mutex_unlock(&story_lock);
}

static bool was_told(const char *what)
{
    pthread_mutex_lock(&story_lock);
    bool was = strstr(story, what) != NULL;
    pthread_mutex_unlock(&story_lock);
    return was;
}

/* Ten seconds at most. */
static bool await_story(const char *what)
{
    for (int i = 0; i < 1000 && !was_told(what); i++)
        usleep(10000);
    return was_told(what);
}

static cg_err start_part(void *ctx, struct cg_config *config, struct cg_problems *problems)
{
    (void)problems;
    CHECK(cg_config_common(config) != NULL);
    tell(ctx, '+');
    return CG_OK;
}

static cg_err start_badly(void *ctx, struct cg_config *config, struct cg_problems *problems)
{
    (void)config;
    tell(ctx, '+');
    cg_problem_attempt(problems, CG_ATTEMPT_LISTEN, "127.0.0.1:443", "listen.native", EADDRINUSE);
    return CG_CONFLICT;
}

static void reload_part(void *ctx, struct cg_config *config)
{
    (void)config;
    tell(ctx, '!');
}

static void drain_part(void *ctx)
{
    tell(ctx, '~');
}

static bool is_part_drained(void *ctx)
{
    (void)ctx;
    return atomic_load(&may_end);
}

static void stop_part(void *ctx)
{
    tell(ctx, '-');
}

#define PART(letter)                                                                               \
    {                                                                                              \
        .name = letter, .start = start_part, .reload = reload_part, .drain = drain_part,           \
        .is_drained = is_part_drained, .stop = stop_part, .ctx = (void *)(uintptr_t)letter         \
    }

struct running {
    char folder[64];
    char file[128];
    char log_file[128];
    char socket[128];
    int notified; /* the service manager's end */
    struct cg_part parts[3];
    struct cg_config_source source;
    struct cg_log *log;
    struct cg_daemon *daemon;
    struct cg_problems problems;
    pthread_t thread;
    int ends;
};

static void write_config(const struct running *r, const char *text)
{
    FILE *out = fopen(r->file, "w");

    CHECK_OR_STOP(out != NULL);
    fputs(text, out);
    fclose(out);
}

static void *run_daemon(void *arg)
{
    struct running *r = arg;

    r->ends = cg_daemon_run(r->daemon, &r->problems);
    return NULL;
}

static void prepare(struct running *r, int64_t watchdog_us)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct cg_config *config = NULL;

    story[0] = '\0';
    atomic_store(&may_end, true);
    *r = (struct running){.parts = {PART("a"), PART("b"), PART("c")}, .ends = -1};
    strcpy(r->folder, "/tmp/httpcg-daemon-XXXXXX");
    CHECK_OR_STOP(mkdtemp(r->folder) != NULL);
    snprintf(r->file, sizeof r->file, "%s/httpcgd.yaml", r->folder);
    snprintf(r->log_file, sizeof r->log_file, "%s/log", r->folder);
    snprintf(r->socket, sizeof r->socket, "%s/notify", r->folder);
    write_config(r, "demo: {title: x}\ndrain: {stop: 10s}\n");
    r->notified = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(at.sun_path, r->socket, strlen(r->socket) + 1);
    CHECK(bind(r->notified, (struct sockaddr *)&at, sizeof at) == 0);

    r->source = (struct cg_config_source){.file = r->file, .tables = demo_tables, .n_tables = 2};
    CHECK_OK(cg_config_load(&r->source, &r->problems, &config));
    CHECK_OK(cg_log_new(&(struct cg_log_options){.level = CG_LOG_INFO, .file = r->log_file},
                        &r->problems, &r->log));
    struct cg_daemon_setup setup = {.source = &r->source,
                                    .config = config,
                                    .log = r->log,
                                    .parts = r->parts,
                                    .n_parts = 3,
                                    .notify_socket = r->socket,
                                    .watchdog_us = watchdog_us};
    CHECK_OK(cg_daemon_new(&setup, &r->daemon));
    cg_config_unref(config);
}

static void start(struct running *r)
{
    CHECK(pthread_create(&r->thread, NULL, run_daemon, r) == 0);
}

static void end(struct running *r)
{
    char command[128];

    cg_daemon_free(r->daemon);
    cg_log_free(r->log);
    close(r->notified);
    snprintf(command, sizeof command, "rm -r %s", r->folder);
    CHECK(system(command) == 0);
}

/* The service manager's next message; "" after ten seconds without one. */
static const char *next_notice(const struct running *r, char out[static 256])
{
    struct pollfd ready = {.fd = r->notified, .events = POLLIN};
    ssize_t n = poll(&ready, 1, 10000) == 1 ? recv(r->notified, out, 255, 0) : 0;

    out[n > 0 ? n : 0] = '\0';
    return out;
}

static void check_notice(const struct running *r, const char *start_of)
{
    char notice[256];

    next_notice(r, notice);
    if (!CHECK(strncmp(notice, start_of, strlen(start_of)) == 0))
        printf("# %s\n", notice);
}

static bool log_has(const struct running *r, const char *text)
{
    static char all[65536];
    FILE *in = fopen(r->log_file, "r");
    size_t n = in ? fread(all, 1, sizeof all - 1, in) : 0;

    all[n] = '\0';
    if (in)
        fclose(in);
    return strstr(all, text) != NULL;
}

TEST(parts_start_in_order_and_stop_the_other_way_round)
{
    struct running r;

    prepare(&r, 0);
    start(&r);
    check_notice(&r, "READY=1\nSTATUS=ready");
    CHECK(!cg_daemon_is_draining(r.daemon));
    CHECK(cg_daemon_uptime_s(r.daemon) >= 0 && cg_daemon_uptime_s(r.daemon) < 60);
    kill(getpid(), SIGTERM);
    check_notice(&r, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=20000000");
    pthread_join(r.thread, NULL);
    CHECK_INT(r.ends, CG_EXIT_OK);
    CHECK_SPAN(cg_span_str(story), CG_LIT("a+ b+ c+ a~ b~ c~ c- b- a- "));
    CHECK(log_has(&r, "\"event\":\"started\"") && log_has(&r, "\"event\":\"stopped\""));
    end(&r);
}

TEST(a_part_that_cannot_start_stops_those_before_it_and_says_why)
{
    struct running r;

    prepare(&r, 0);
    r.parts[1].start = start_badly;
    start(&r);
    pthread_join(r.thread, NULL);
    CHECK_INT(r.ends, CG_EXIT_FAILED);
    CHECK_SPAN(cg_span_str(story), CG_LIT("a+ b+ b- a- "));
    CHECK_INT(r.problems.n, 1);
    CHECK(strstr(r.problems.at[0].text, "another program already uses this address") != NULL);
    CHECK(log_has(&r, "\"event\":\"start_failed\""));
    end(&r);
}

TEST(a_drain_waits_for_what_is_open)
{
    struct running r;

    prepare(&r, 0);
    atomic_store(&may_end, false);
    start(&r);
    check_notice(&r, "READY=1");
    cg_daemon_stop(r.daemon);
    CHECK(await_story("c~"));
    CHECK(cg_daemon_is_draining(r.daemon));
    usleep(100000);
    CHECK(!was_told("c-"));
    atomic_store(&may_end, true);
    pthread_join(r.thread, NULL);
    CHECK_INT(r.ends, CG_EXIT_OK);
    end(&r);
}

TEST(a_second_signal_ends_the_drain)
{
    struct running r;

    prepare(&r, 0);
    atomic_store(&may_end, false);
    start(&r);
    check_notice(&r, "READY=1");
    kill(getpid(), SIGTERM);
    CHECK(await_story("c~"));
    kill(getpid(), SIGINT);
    pthread_join(r.thread, NULL);
    CHECK_INT(r.ends, CG_EXIT_CUT);
    CHECK(was_told("a-"));
    CHECK(log_has(&r, "drain_cut"));
    end(&r);
}

TEST(the_drain_ends_at_its_limit)
{
    struct running r;

    prepare(&r, 0);
    atomic_store(&may_end, false);
    start(&r);
    check_notice(&r, "READY=1");
    write_config(&r, "demo: {title: x}\ndrain: {stop: 200ms}\n");
    kill(getpid(), SIGHUP);
    CHECK(await_story("c!"));
    struct cg_mono before = cg_clock_mono();
    cg_daemon_stop(r.daemon);
    pthread_join(r.thread, NULL);
    CHECK_INT(r.ends, CG_EXIT_CUT);
    CHECK(cg_clock_mono().us - before.us >= 200000);
    end(&r);
}

TEST(a_hang_up_reloads_and_a_bad_file_changes_nothing)
{
    struct running r;
    uint64_t generation;

    prepare(&r, 0);
    start(&r);
    check_notice(&r, "READY=1");
    generation = cg_config_live_generation(cg_daemon_config(r.daemon));
    write_config(&r, "demo: {title: y}\n");
    kill(getpid(), SIGHUP);
    check_notice(&r, "RELOADING=1\nMONOTONIC_USEC=");
    check_notice(&r, "READY=1\nSTATUS=ready");
    CHECK(was_told("a! b! c! "));
    CHECK_INT(cg_config_live_generation(cg_daemon_config(r.daemon)), generation + 1);

    write_config(&r, "demo: {title: z, strict: maybe}\n");
    kill(getpid(), SIGHUP);
    check_notice(&r, "RELOADING=1\nMONOTONIC_USEC=");
    check_notice(&r, "READY=1\nSTATUS=the new configuration was refused");
    CHECK_INT(cg_config_live_generation(cg_daemon_config(r.daemon)), generation + 1);
    struct cg_config *config = cg_config_live_ref(cg_daemon_config(r.daemon));
    const struct demo_options *demo = cg_config_values(config, &demo_table);
    CHECK_SPAN(cg_span_str(demo->title), CG_LIT("y"));
    cg_config_unref(config);
    CHECK(log_has(&r, "httpcgd.yaml\",\"line\":1,\"column\":26,\"problem\":\"demo.strict"));

    /* What needs a restart is refused as a whole. */
    write_config(&r, "demo: {title: z, strict: false}\n");
    kill(getpid(), SIGHUP);
    check_notice(&r, "RELOADING=1");
    check_notice(&r, "READY=1\nSTATUS=the new configuration was refused");
    CHECK(log_has(&r, "demo.strict cannot change while running"));
    cg_daemon_stop(r.daemon);
    pthread_join(r.thread, NULL);
    end(&r);
}

static cg_err say_no(void *ctx, struct cg_problems *problems)
{
    cg_problem_add(problems, "", 0, 0, "cannot write %s", (const char *)ctx);
    return CG_IO;
}

TEST(a_reload_whose_change_cannot_be_kept_is_called_off)
{
    struct cg_config_change change = {.table = &demo_table,
                                      .key = "routes",
                                      .name = "a",
                                      .bytes = CG_LIT("name: app/a\nbackend: https://a/\n")};
    struct cg_problems problems = {0};
    struct running r;

    prepare(&r, 0);
    start(&r);
    check_notice(&r, "READY=1");
    CHECK_ERR(cg_daemon_reload(r.daemon, &change, say_no, (void *)(uintptr_t) "it", &problems),
              CG_IO);
    CHECK_SPAN(cg_span_str(problems.at[0].text), CG_LIT("cannot write it"));
    CHECK(!was_told("a!"));
    CHECK_OK(cg_daemon_reload(r.daemon, &change, NULL, NULL, &problems));
    CHECK(was_told("a! b! c!"));
    cg_daemon_stop(r.daemon);
    pthread_join(r.thread, NULL);
    end(&r);
}

/* Asks for a reload while it is being stopped. */
static struct cg_daemon *stopping_daemon;
static cg_err late_reload;

static void stop_late(void *ctx)
{
    struct cg_problems problems = {0};

    stop_part(ctx);
    late_reload = cg_daemon_reload(stopping_daemon, NULL, NULL, NULL, &problems);
    CHECK_SPAN(cg_span_str(problems.at[0].text), CG_LIT("the process is stopping"));
}

TEST(no_part_is_told_of_a_configuration_once_one_stops)
{
    struct running r;

    prepare(&r, 0);
    r.parts[2].stop = stop_late;
    stopping_daemon = r.daemon;
    start(&r);
    check_notice(&r, "READY=1");
    cg_daemon_stop(r.daemon);
    pthread_join(r.thread, NULL);
    CHECK_ERR(late_reload, CG_CANCELLED);
    CHECK(!was_told("a!") && was_told("a-"));
    end(&r);
}

TEST(a_signal_before_the_last_part_started_calls_the_start_off)
{
    struct running r;

    prepare(&r, 0);
    cg_daemon_stop(r.daemon);
    start(&r);
    pthread_join(r.thread, NULL);
    CHECK_INT(r.ends, CG_EXIT_OK);
    CHECK_SPAN(cg_span_str(story), CG_LIT(""));
    end(&r);
}

TEST(the_watchdog_is_fed_while_every_thread_gives_signs_of_life)
{
    struct running r;

    prepare(&r, 200000);
    start(&r);
    check_notice(&r, "READY=1");
    check_notice(&r, "WATCHDOG=1");
    struct cg_pulse *pulse = cg_daemon_pulse(r.daemon, "loop 0");
    cg_pulse_beat(pulse);
    check_notice(&r, "WATCHDOG=1");
    /* As if it had been silent for 11 s. */
    atomic_store(&pulse->beat_us, cg_clock_mono().us - 11000000);
    char notice[256];
    usleep(300000);
    while (recv(r.notified, notice, sizeof notice, MSG_DONTWAIT) > 0)
        ;
    usleep(400000);
    CHECK(recv(r.notified, notice, sizeof notice, MSG_DONTWAIT) < 0);
    CHECK(log_has(&r, "\"event\":\"loop_stalled\",\"thread\":\"loop 0\""));
    cg_pulse_end(pulse);
    check_notice(&r, "WATCHDOG=1");
    cg_daemon_stop(r.daemon);
    pthread_join(r.thread, NULL);
    end(&r);
}

static unsigned n_stalls;

static void count_stall(void *ctx, const char *name, int64_t silent_us)
{
    (void)ctx;
    (void)name;
    CHECK(silent_us > CG_PULSE_LIMIT_US);
    n_stalls++;
}

TEST(a_stalled_thread_is_told_of_once)
{
    static struct cg_pulses pulses;
    struct cg_mono now = {1000000};
    struct cg_pulse *pulse = cg_pulses_take(&pulses, "a name that is far too long to be kept", now);

    n_stalls = 0;
    CHECK_INT(strlen(pulse->name), 31);
    now.us += CG_PULSE_LIMIT_US;
    CHECK(cg_pulses_check(&pulses, now, count_stall, NULL));
    now.us++;
    CHECK(!cg_pulses_check(&pulses, now, count_stall, NULL));
    CHECK(!cg_pulses_check(&pulses, now, count_stall, NULL));
    CHECK_INT(n_stalls, 1);
    atomic_store(&pulse->beat_us, now.us);
    CHECK(cg_pulses_check(&pulses, now, count_stall, NULL));
    cg_pulse_end(pulse);
    for (size_t i = 0; i < CG_PULSES_MAX; i++)
        CHECK(cg_pulses_take(&pulses, "x", now) != NULL);
    CHECK(cg_pulses_take(&pulses, "x", now) == NULL);
    cg_pulse_beat(NULL);
    cg_pulse_end(NULL);
}

TEST(a_notice_reaches_paths_and_abstract_names)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64], got[16];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int len = snprintf(name, sizeof name, "@httpcg-test-%d", (int)getpid());

    memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
    CHECK(bind(fd, (struct sockaddr *)&at,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) == 0);
    CHECK_OK(cg_notify_send(name, "READY=1"));
    CHECK_INT(recv(fd, got, sizeof got, MSG_DONTWAIT), 7);
    close(fd);
    CHECK_ERR(cg_notify_send(name, "READY=1"), CG_IO);
    CHECK_OK(cg_notify_send(NULL, "READY=1"));
    CHECK_OK(cg_notify_send("", "READY=1"));
    CHECK_ERR(cg_notify_send("relative", "READY=1"), CG_UNSUPPORTED);
    char long_name[120];
    memset(long_name, 'x', sizeof long_name);
    long_name[0] = '/';
    long_name[108] = '\0';
    CHECK_ERR(cg_notify_send(long_name, "READY=1"), CG_UNSUPPORTED);
    long_name[107] = '\0';
    CHECK_ERR(cg_notify_send(long_name, "READY=1"), CG_IO);
}

/* In a process of its own: what it changes cannot be taken back. */
static int harden_in_child(void)
{
    struct cg_problems problems = {0};
    struct rlimit core;
    struct sigaction pipe_action;
    int64_t files;

    close(0);
    if (cg_daemon_harden(&problems) != CG_OK)
        return 1;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
        return 2;
    if (fcntl(0, F_GETFD) < 0)
        return 3;
    if (sigaction(SIGPIPE, NULL, &pipe_action) != 0 || pipe_action.sa_handler != SIG_IGN)
        return 4;
    if (umask(0) != 077)
        return 5;
    if (cg_daemon_raise_files(64, &files) != CG_OK || files != 64)
        return 6;
    if (cg_daemon_raise_files(0, &files) != CG_OK || files < 64)
        return 7;
    return 0;
}

TEST(the_process_is_made_private)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(harden_in_child());
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(the_service_managers_wishes_come_from_the_environment)
{
    struct cg_daemon_setup setup = {0};
    char own[32];

    setenv("NOTIFY_SOCKET", "/run/x", 1);
    setenv("WATCHDOG_USEC", "3000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    cg_daemon_from_environment(&setup);
    CHECK_SPAN(cg_span_str(setup.notify_socket), CG_LIT("/run/x"));
    CHECK_INT(setup.watchdog_us, 0);
    snprintf(own, sizeof own, "%d", (int)getpid());
    setenv("WATCHDOG_PID", own, 1);
    cg_daemon_from_environment(&setup);
    CHECK_INT(setup.watchdog_us, 3000000);
    setenv("WATCHDOG_USEC", "-5", 1);
    cg_daemon_from_environment(&setup);
    CHECK_INT(setup.watchdog_us, 0);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    cg_daemon_from_environment(&setup);
    CHECK(setup.notify_socket == NULL && setup.watchdog_us == 0);
}

SUITE(daemon, T(parts_start_in_order_and_stop_the_other_way_round),
      T(a_part_that_cannot_start_stops_those_before_it_and_says_why),
      T(a_drain_waits_for_what_is_open), T(a_second_signal_ends_the_drain),
      T(the_drain_ends_at_its_limit), T(a_hang_up_reloads_and_a_bad_file_changes_nothing),
      T(a_reload_whose_change_cannot_be_kept_is_called_off),
      T(no_part_is_told_of_a_configuration_once_one_stops),
      T(a_signal_before_the_last_part_started_calls_the_start_off),
      T(the_watchdog_is_fed_while_every_thread_gives_signs_of_life),
      T(a_stalled_thread_is_told_of_once), T(a_notice_reaches_paths_and_abstract_names),
      T(the_process_is_made_private), T(the_service_managers_wishes_come_from_the_environment))
