/* load.h: a load generator: so many connections, so many requests at a time on each, so many in
 * all.
 *
 * It drives any HTTP server, over TLS or not, and gateways with signed requests. What it measures
 * is the server: the CPU time of processes that it watches, between the last answer of a warm-up
 * and the last answer of all. What its own work would slow down is done before: requests are
 * signed ahead.
 *
 *   open → warm up → sign ahead → measure → tell */
#ifndef CG_BENCH_LOAD_H
#define CG_BENCH_LOAD_H
#include "client/app.h"
#include "client/link.h"
#include "client/resolve.h"
#include "client/show.h"

#include <sys/types.h>

#define LD_CONNS_MAX 1024
#define LD_STREAMS_MAX 256
#define LD_WATCH_MAX 16

struct ld_options {
    const char *url;
    unsigned n_conns, n_streams;
    uint64_t n_requests, n_warm_up;
    bool is_h1;
    bool is_grant;  /* httpcg: requests are signed */
    bool holds;     /* say "ready" and wait for a line before measuring */
    unsigned every; /* so many signed answers, one is verified */
    unsigned timeout_s;
    const char *home;               /* of trust file and wallet */
    const char *trust, *passphrase; /* files */
    pid_t watched[LD_WATCH_MAX];
    size_t n_watched;
};

/* ld_options_read takes the command line.
 * Returns -1 to go on, or the exit code to end with. */
int ld_options_read(int argc, char **argv, struct ld_options *out);

struct ld_conn;

/* One request at a time, again and again. */
struct ld_stream {
    struct cl_asker asker; /* must be first */
    struct ld_conn *conn;
    struct cg_exchange *x;
    struct cg_mono began;
    uint64_t n_body;
    struct cg_native_sent *sent; /* this answer is verified; NULL: it is not */
    struct cg_hasher *hasher;    /* of its body then */
};

/* A request that was signed ahead. */
struct ld_signed {
    char sapi[256];
    size_t len;
    struct cg_native_sent *sent; /* to verify its answer with, or NULL */
};

/* One connection's requests of one minute, in the order of their counters. */
struct ld_stock {
    struct ld_signed *at;
    size_t n, next;
    uint64_t minute;
    char qlock[CG_QLOCK_MAX_CHARS];
    size_t qlock_len;
};

struct ld_conn {
    struct ld_run *run;
    struct cg_conn *conn; /* NULL: gone */
    struct cl_link *link; /* httpcg only */
    struct cg_ticket ticket;
    bool is_up;
    cg_err why;
    struct cg_arena arena;
    struct cg_head head; /* of every request; two values change where they are signed */
    struct cg_field *qlock, *sapi;
    struct ld_stock stock;
    uint64_t n_to_begin; /* of this phase */
    unsigned n_open;
    struct ld_stream streams[LD_STREAMS_MAX];
};

struct ld_run {
    const struct ld_options *options;
    struct cl_app app;
    struct cl_show show;
    struct cl_resolved resolved;
    bool is_native;
    char *url_room;
    struct cg_url url; /* native */
    struct cg_target target;
    struct cg_span host, path; /* of other URLs */
    struct cg_tls_conf *tls;
    struct cg_client client;

    struct ld_conn *conns;
    unsigned n_up, n_failed;
    /* Of the phase under way. */
    bool is_over, is_measured;
    uint64_t n_left;
    uint64_t n_done, n_errors;
    uint64_t n_verified;
    int first_status; /* that was not 200 */
    cg_err first_error;
    uint64_t body_bytes; /* of the first answer; all others must have as many */
    bool has_body_bytes;
    uint32_t *latencies; /* microseconds, of the measured phase */
    size_t n_latencies;
    uint64_t n_signed_late; /* not signed ahead: the client may have been the limit */
};

/* ld_open makes all connections, handshakes and grants included. What is wrong is said. */
CG_MUST_USE cg_err ld_open(struct ld_run *run);
void ld_close(struct ld_run *run);

/* ld_phase sends so many requests on each connection and waits for the answers. */
CG_MUST_USE cg_err ld_phase(struct ld_run *run, uint64_t n_per_conn);

/* ld_stream_fill begins as many requests as a connection may have open. */
void ld_stream_fill(struct ld_conn *conn);
/* ld_conn_lost counts what a connection that is gone still owed. */
void ld_conn_lost(struct ld_conn *conn, cg_err why);
/* ld_conn_head makes the head of its requests. */
CG_MUST_USE cg_err ld_conn_head(struct ld_conn *conn);

/* ld_stock_make signs so many requests, in place of those that are left. */
CG_MUST_USE cg_err ld_stock_make(struct ld_conn *conn, size_t n);
/* ld_stock_take gives the next one; a new stock is made first where there is none, or its minute
 * will not be accepted for long any more.
 * Owns  out->sent is the caller's; the rest is valid until the next call. */
CG_MUST_USE cg_err ld_stock_take(struct ld_conn *conn, struct ld_signed **out);
void ld_stock_done(struct ld_stock *stock);

/* ld_watch_ns gives the CPU time that the watched processes have used, all their threads.
 * Errors  CG_NOT_FOUND: one of them is gone. */
CG_MUST_USE cg_err ld_watch_ns(const struct ld_options *options, uint64_t *out);
uint64_t ld_own_ns(void);

#endif
