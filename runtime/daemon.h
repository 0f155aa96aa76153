/* daemon.h: the process around the roles: start order, signals, drain, the service manager.
 *
 * The main thread runs cg_daemon_run and nothing else: it waits for signals, tells the service
 * manager the truth and calls the parts' hooks. The parts' own threads never see a signal.
 *
 *   SIGTERM, SIGINT  drain: parts stop accepting and finish; a second one, or the limit, ends it
 *   SIGHUP           reload the configuration, then reopen the logs
 *   SIGUSR1          reopen the logs
 */
#ifndef CG_RUNTIME_DAEMON_H
#define CG_RUNTIME_DAEMON_H
#include "runtime/config.h"
#include "runtime/log.h"

/* What a process ends with. */
enum cg_exit {
    CG_EXIT_OK = 0,
    CG_EXIT_FAILED = 1, /* could not start, or a configuration does not pass --check-config */
    CG_EXIT_USAGE = 2,  /* the command line */
    CG_EXIT_CUT = 3,    /* stopped before the drain was over */
};

/* One part of the process, started in the table's order and stopped in the opposite one. */
struct cg_part {
    const char *name;
    /* Starts threads and opens what is needed; on an error problems says what and what to do. */
    cg_err (*start)(void *ctx, struct cg_config *config, struct cg_problems *problems);
    /* A new configuration is in force; it takes its own reference. Called by whichever thread
     * reloads, one at a time. NULL: nothing depends on it. */
    void (*reload)(void *ctx, struct cg_config *config);
    /* Accept nothing new. NULL: nothing to do. */
    void (*drain)(void *ctx);
    /* Has everything that was open ended? NULL: always. Called by the main thread, often. */
    bool (*is_drained)(void *ctx);
    /* Ends threads; nothing of the part runs after it returned. Also after a failed start. */
    void (*stop)(void *ctx);
    void *ctx;
};

struct cg_daemon;

struct cg_daemon_setup {
    const struct cg_config_source *source; /* for reloads; lives as long as the daemon */
    struct cg_config *config;              /* the first; the daemon takes its own reference */
    struct cg_log *log;
    const struct cg_part *parts;
    size_t n_parts;
    const char *notify_socket; /* $NOTIFY_SOCKET, or NULL */
    int64_t watchdog_us;       /* $WATCHDOG_USEC, or 0 */
};

/* cg_daemon_harden is the first call of main (harden.c): no core dumps, nobody may attach, new
 * files are private, SIGPIPE is an error code, standard descriptors are open. */
CG_MUST_USE cg_err cg_daemon_harden(struct cg_problems *problems);
/* cg_daemon_raise_files raises the limit of open files towards want (0: as far as allowed) and
 * tells what it is now. */
CG_MUST_USE cg_err cg_daemon_raise_files(int64_t want, int64_t *now);

/* cg_daemon_from_environment fills in the last two members as the service manager set them. */
void cg_daemon_from_environment(struct cg_daemon_setup *setup);
/* cg_daemon_new blocks the signals above in the calling thread: call it before any other thread is
 * started, so that all of them inherit that. */
CG_MUST_USE cg_err cg_daemon_new(const struct cg_daemon_setup *setup, struct cg_daemon **out);
void cg_daemon_free(struct cg_daemon *daemon);
/* cg_daemon_run starts the parts, waits, stops them and returns an enum cg_exit. Problems of the
 * start are added to problems; the parts that had started are stopped again. */
int cg_daemon_run(struct cg_daemon *daemon, struct cg_problems *problems);

/* The rest may be called from any thread. */

/* cg_daemon_stop asks for a drain, as SIGTERM does. */
void cg_daemon_stop(struct cg_daemon *daemon);
/* cg_daemon_reload reads the configuration anew, with change (or NULL) tried on top, and puts it in
 * force; what is in force stays if it is bad. accept, if given, is called between the two, such as
 * to write the change's file; its error calls the whole off. Waits for another reload to end.
 * Errors  those of cg_config_load and cg_config_may_follow; accept's; CG_CANCELLED: the parts are
 *         stopping. A problem is added for each. */
CG_MUST_USE cg_err cg_daemon_reload(struct cg_daemon *daemon, const struct cg_config_change *change,
                                    cg_err (*accept)(void *ctx, struct cg_problems *problems),
                                    void *ctx, struct cg_problems *problems);
struct cg_config_live *cg_daemon_config(struct cg_daemon *daemon);
struct cg_log *cg_daemon_log(struct cg_daemon *daemon);
bool cg_daemon_is_draining(const struct cg_daemon *daemon);
int64_t cg_daemon_uptime_s(const struct cg_daemon *daemon);

/* Signs of life. A thread that must not stall takes a pulse and beats it at least once a second;
 * while one has not for ten, the watchdog is not fed and the log names it. */
struct cg_pulse;
struct cg_pulse *cg_daemon_pulse(struct cg_daemon *daemon, const char *name);
void cg_pulse_beat(struct cg_pulse *pulse);
void cg_pulse_end(struct cg_pulse *pulse);

/* notify.c: one datagram to the service manager, as sd_notify(3) would send it.
 * Errors  CG_IO; nothing happens for socket NULL or "". */
CG_MUST_USE cg_err cg_notify_send(const char *socket, const char *state);

#endif
