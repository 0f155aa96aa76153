/* gateway.h: the gateway role: what its threads share, and how it starts and ends.
 *
 * Nothing on a request's path is shared but what stands here: immutable snapshots with counted
 * references, and fixed tables of atomics.  Each thread has its own listener socket, connections,
 * backend pools and crypto contexts (thread.h). */
#ifndef CG_GATEWAY_GATEWAY_H
#define CG_GATEWAY_GATEWAY_H
#include "gateway/budget.h"
#include "gateway/clock.h"
#include "gateway/known.h"
#include "lib/trust/trust.h"
#include "runtime/config.h"
#include "runtime/endpoint.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/problem.h"
#include "runtime/worker.h"

#include <pthread.h>

struct gw_evidence;
struct gw_identity;
struct gw_names;
struct gw_signer;
struct gw_thread;

/* What the process gives its gateway; everything lives longer than it. */
struct gw_setup {
    const struct cg_crypto *crypto;
    const struct cg_trust *trust;
    struct cg_config_live *config;
    struct cg_log *log;
    struct cg_metrics *metrics;
    struct cg_workers *workers;   /* for signatures */
    struct cg_loop *service;      /* the loop of look-ups and of the roles with one writer */
    struct cg_locals *locals;     /* roles of this process */
    struct gw_evidence *evidence; /* for backends to fetch; NULL: they cannot */
    struct cg_span ca_pem;        /* the system's certificates, for https endpoints and backends */
    size_t n_threads;
};

struct gw_gateway {
    struct gw_setup setup;
    pthread_mutex_t lock;
    struct gw_identity *identity;             /* under lock: what new connections get */
    struct gw_identity *waiting;              /* under lock: what will replace it, or NULL */
    struct cg_secret tickets, tickets_before; /* under lock: keys of TLS tickets, replaced hourly */
    bool has_tickets_before;
    _Atomic uint64_t generation; /* of what is under lock */
    struct cg_timer hourly, tick;
    struct cg_task started; /* on the service loop */
    _Atomic uint16_t port;  /* of the native listener */
    struct gw_signer *signer;
    struct gw_names *names;
    struct gw_clock clock;       /* the service loop's */
    _Atomic bool is_ledger_late; /* its newest head is too old, or our clock is far ahead */
    struct cg_buckets strangers; /* look-ups for those who did not sign */
    struct cg_buckets callers;   /* and for those who did */
    struct gw_known known;       /* grants */
    struct cg_buckets rules;     /* requests, by wallet and rule */
    struct gw_held held;
    struct gw_thread **threads;
    size_t n_threads;
    _Atomic uint64_t n_requests;
};

/* gw_start opens the listeners and starts the threads.
 * Errors  CG_CONFIG, CG_IO …, with a problem that says what to do; nothing then runs. */
CG_MUST_USE cg_err gw_start(const struct gw_setup *setup, struct cg_problems *problems,
                            struct gw_gateway **out);
/* gw_reload takes the new configuration; the threads see it at their next pass. A certificate that
 * cannot be read leaves the present one in use; so does a renewed one until the ledger confirmed
 * it, for clients would refuse it. */
void gw_reload(struct gw_gateway *gw);
/* gw_saw_head and gw_saw_no_head tell what a question to the ledger says about this machine's
 * clock: a verified head, or one that is of the future (CG_EARLY) or too old (CG_STALE); on the
 * service loop. */
void gw_saw_head(struct gw_gateway *gw, size_t log, const struct cg_tlog_seen *head,
                 struct cg_mono asked);
void gw_saw_no_head(struct gw_gateway *gw, cg_err err);
/* gw_drain accepts no more and lets open requests end. */
void gw_drain(struct gw_gateway *gw);
bool gw_is_drained(struct gw_gateway *gw);
/* The end, in three steps, since calls go from loop to loop (runtime/loop.h, cg_loops_end):
 * gw_stop ends the threads, cutting what is open; gw_end, once the service loop has stopped and the
 * workers have been freed, ends what waits in between; gw_free frees the rest after cg_loops_end
 * was called on all loops. NULL is nothing to each. */
void gw_stop(struct gw_gateway *gw);
void gw_end(struct gw_gateway *gw);
void gw_free(struct gw_gateway *gw);
/* gw_loop gives the loop of thread i, for cg_loops_end; NULL past the last. */
struct cg_loop *gw_loop(struct gw_gateway *gw, size_t i);
/* gw_is_ready tells whether requests can be answered; if not, why ends the sentence "not ready: ".
 */
bool gw_is_ready(struct gw_gateway *gw, const char **why);
/* gw_note gives what an operator should know though requests can be answered, or NULL. */
const char *gw_note(struct gw_gateway *gw);
/* gw_port gives the native listener's port (after port 0). */
uint16_t gw_port(const struct gw_gateway *gw);

extern const struct cg_metric_table gw_metric_table;

#endif
