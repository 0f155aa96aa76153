/* agent.c: httpcg agent: keeps a wallet's keys and the connections they were shown on, so that a
 * call costs one request.
 *
 * Requests wait in a queue and are begun between two turns of the loop, since finding a way waits;
 * once begun they run side by side. */
#include "client/agent.h"
#include "client/role.h"
#include "client/wallet.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOBS_MAX 256
#define TURN_MS 250
#define LAST_TURNS 120 /* half a minute */

struct agent;

/* One fetch for one client. */
struct job {
    struct job *next;
    struct agent *agent;
    struct cg_conn *conn;  /* the client's */
    struct cg_exchange *x; /* NULL: the client is gone */
    struct cg_arena arena;
    struct cg_field fields[CL_FIELDS_MAX];
    size_t n_fields;
    char method[32];
    uint8_t room[CG_URL_ROOM(12 * 1024 + 64)];
    struct cg_url url;
    enum cg_sapi_mode mode;
    enum cl_body body;
    int64_t length;
    struct cg_hash digest;
    struct cl_way *way;
    struct cl_fetch *fetch;
    struct cl_show show; /* its own: fetches run side by side */
    size_t n_told;       /* checks of show that the client knows */
    bool is_begun, is_reused, is_answered, is_over, was_retried;
};

/* A file as it was when it was opened: another one in its place differs in some of it. */
struct file {
    char path[CL_PATH_MAX_BYTES];
    struct stat was;
};

struct agent {
    struct cl_run *run;
    struct file key, doc; /* the wallet's */
    struct cl_ways ways;
    struct cg_listener *listener;
    struct job *jobs;
    size_t n_jobs;
    uint64_t n_done;
    bool is_outdated;
};

static volatile sig_atomic_t is_stopping;

/* --- the wallet's files -------------------------------------------------------------------------
 */

static bool is_same(const struct file *file)
{
    struct stat is;

    return stat(file->path, &is) == 0 && is.st_dev == file->was.st_dev &&
           is.st_ino == file->was.st_ino && is.st_size == file->was.st_size &&
           is.st_mtim.tv_sec == file->was.st_mtim.tv_sec &&
           is.st_mtim.tv_nsec == file->was.st_mtim.tv_nsec;
}

/* Before they are opened: what changes in between is found out, too. */
static int note_files(struct agent *agent)
{
    int code = cl_wallet_paths(agent->run, agent->key.path, agent->doc.path);

    if (code == 0)
        (void)(stat(agent->key.path, &agent->key.was) + stat(agent->doc.path, &agent->doc.was));
    return code; /* that they are missing is told where they are opened */
}

/* Whoever changes his wallet means the new one: nothing is signed with the old one from here on. */
static bool is_outdated(struct agent *agent)
{
    if (agent->is_outdated || (is_same(&agent->key) && is_same(&agent->doc)))
        return agent->is_outdated;
    agent->is_outdated = true;
    is_stopping = 1;
    cl_show_warn(agent->run->show,
                 "the wallet's files have changed: the agent ends; start it again "
                 "to have it use them");
    return true;
}

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

/* --- the answer ------------------------------------------------------------------------------- */

static cg_err add_checks(const struct job *job, struct cg_head *head)
{
    const struct cl_show *show = &job->show;

    for (size_t i = job->n_told; i < show->n_checks; i++) {
        const struct cl_check *check = &show->checks[i];
        char text[256];

        snprintf(text, sizeof text, "%s\t%s\t%s\t%s", check->step, check->name,
                 cg_err_name(check->err), check->detail);
        CG_TRY(cl_agent_add(head, "check", text));
    }
    return CG_OK;
}

static cg_err add_way(const struct job *job, struct cg_head *head)
{
    const struct cl_link *link = job->way->link;
    char text[300], address[CG_ADDRESS_TEXT_BYTES], did[CG_DID_CHARS + 1];
    char fingerprint[2 * CG_HASH_BYTES + 1] = {0};

    snprintf(text, sizeof text, "%s:%u", link->host, link->port);
    cg_did_write(&link->cert.subject, did);
    cg_hex_write(cg_hash_span(&link->cert.fingerprint), fingerprint);
    CG_TRY(cl_agent_add(head, "gateway", text));
    CG_TRY(cl_agent_add(head, "did", did));
    CG_TRY(cl_agent_add(head, "fingerprint", fingerprint));
    CG_TRY(cl_agent_add(head, "address", cg_address_write(&link->peer.at, address)));
    if (job->mode != CG_SAPI_NONE)
        CG_TRY(cl_agent_add(head, "wallet", job->agent->run->app.wallet.waddr.text));
    if (!link->conn)
        return CG_OK;
    CG_TRY(cl_agent_add(head, "http", cl_http_version(link->conn)));
    return cl_agent_add(head, "group", cg_tls_group(cg_stack_tls(cg_conn_engine(link->conn))));
}

/* status 0: there is no answer of a gateway's. */
static cg_err answer(struct job *job, const struct cg_head *theirs)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;
    char text[24];

    cg_arena_init(&arena, 2 * CL_AGENT_HEAD_MAX_BYTES);
    cg_head_init(&head, &arena);
    head.status = 200;
    head.content_length = -1;
    for (size_t i = 0; theirs && i < theirs->n_fields; i++)
        if (!cl_agent_is_ours(&theirs->fields[i]))
            CG_TRY(cg_head_add_named(&head, theirs->fields[i].name, theirs->fields[i].value));
    if (theirs) {
        snprintf(text, sizeof text, "%d", theirs->status);
        CG_TRY(cl_agent_add(&head, "status", text));
    }
    if (theirs && theirs->content_length >= 0) {
        snprintf(text, sizeof text, "%lld", (long long)theirs->content_length);
        CG_TRY(cl_agent_add(&head, "length", text));
    }
    if (job->way)
        CG_TRY(add_way(job, &head));
    if (job->is_reused)
        CG_TRY(cl_agent_add(&head, "reused", "1"));
    CG_TRY(add_checks(job, &head));
    job->n_told = job->show.n_checks;
    job->is_answered = true;
    return cg_exchange_answer(job->x, &head, false);
}

static cg_err add_end(const struct job *job, enum cl_way_step step, cg_err err,
                      struct cg_head *trailers)
{
    const struct cl_fetch *fetch = job->fetch;
    char text[64];

    CG_TRY(add_checks(job, trailers));
    if (job->show.problem[0])
        CG_TRY(cl_agent_add(trailers, "problem", job->show.problem));
    if (job->show.retry_after_s >= 0) {
        snprintf(text, sizeof text, "%" PRId64, job->show.retry_after_s);
        CG_TRY(cl_agent_add(trailers, "retry-after", text));
    }
    if (job->show.server_time > 0) {
        snprintf(text, sizeof text, "%" PRIu64, job->show.server_time);
        CG_TRY(cl_agent_add(trailers, "server-time", text));
    }
    if (fetch && fetch->is_verified)
        CG_TRY(cl_agent_add(trailers, "verified", "1"));
    if (fetch && fetch->is_hint) {
        snprintf(text, sizeof text, "%d", fetch->status);
        CG_TRY(cl_agent_add(trailers, "hint", "1"));
        CG_TRY(cl_agent_add(trailers, "status", text));
    }
    if (err == CG_OK)
        return cl_agent_add(trailers, "done", "1");
    if (step == CL_WAY_READY)
        return cl_agent_add(trailers, "failed", cg_err_name(err));
    snprintf(text, sizeof text, "%d %s", (int)step, cg_err_name(err));
    return cl_agent_add(trailers, "failed-way", text);
}

static cg_err end_answer(struct job *job, enum cl_way_step step, cg_err err)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head trailers;

    if (!job->is_answered)
        CG_TRY(answer(job, NULL));
    cg_arena_init(&arena, CL_AGENT_HEAD_MAX_BYTES);
    cg_head_init(&trailers, &arena);
    CG_TRY(add_end(job, step, err, &trailers));
    return cg_exchange_end(job->x, &trailers);
}

/* The job is over; it is freed between two turns, for it may be its fetch that tells so. */
static void settle(struct job *job, enum cl_way_step step, cg_err err)
{
    job->is_over = true;
    job->agent->n_done++;
    if (!job->x)
        return;
    if (end_answer(job, step, err) != CG_OK)
        cg_exchange_reset(job->x, CG_RESET_INTERNAL);
    cg_exchange_release(job->x);
    job->x = NULL;
    cg_conn_wake(job->conn);
}

/* --- the fetch -------------------------------------------------------------------------------- */

static cg_err on_read(void *ctx, uint8_t *at, size_t room, size_t *out_len)
{
    struct job *job = ctx;

    if (!job->x)
        return CG_CANCELLED;
    struct cg_span bytes = cg_span_first(cg_exchange_peek(job->x), room);
    if (bytes.len == 0) {
        *out_len = 0;
        return cg_exchange_is_read(job->x) ? CG_OK : CG_BUSY;
    }
    memcpy(at, bytes.at, bytes.len);
    cg_exchange_take(job->x, bytes.len);
    cg_conn_wake(job->conn);
    *out_len = bytes.len;
    return CG_OK;
}

static cg_err on_write(void *ctx, struct cg_span bytes, size_t *out_taken)
{
    struct job *job = ctx;

    if (!job->x)
        return CG_CANCELLED;
    CG_TRY(cg_exchange_send(job->x, bytes, out_taken));
    cg_conn_wake(job->conn);
    return CG_OK;
}

static cg_err on_head(void *ctx, const struct cg_head *head)
{
    struct job *job = ctx;

    if (!job->x)
        return CG_CANCELLED;
    cg_conn_wake(job->conn);
    return answer(job, head);
}

/* A clock that differs is corrected by the gateway's, for this connection. Where there is a body,
 * only the client still has it, and sends it once more. */
static bool may_repeat(struct job *job)
{
    struct cl_app *app = &job->agent->run->app;
    bool is_learnt = job->fetch->server_time > 0 && job->way->link->conn &&
                     cg_native_learn_time(&job->way->link->native, job->fetch->server_time,
                                          cg_loop_wall(app->loop)) == CG_OK;

    return is_learnt && !job->was_retried && job->body == CL_BODY_NONE;
}

static void on_done(void *ctx, struct cl_fetch *fetch, cg_err err)
{
    struct job *job = ctx;

    job->fetch = fetch;
    if (err != CG_OK && may_repeat(job)) {
        job->was_retried = true;
        job->is_begun = false; /* once more, from the queue */
        return;
    }
    settle(job, CL_WAY_READY, err);
}

static cg_err begin_fetch(struct job *job)
{
    const struct cl_fetch_ask ask = {
        .url = &job->url,
        .method = job->method,
        .fields = job->fields,
        .n_fields = job->n_fields,
        .show = &job->show,
        .mode = job->mode,
        .body = job->body,
        .length = job->length,
        .digest = job->digest,
        .read = on_read,
        .write = on_write,
        .on_head = on_head,
        .on_done = on_done,
        .ctx = job,
    };

    cl_fetch_free(job->fetch);
    job->fetch = NULL;
    return cl_fetch_begin(job->way->link, &ask, &job->fetch);
}

/* Between two turns of the loop, for this waits. */
static void begin_job(struct job *job)
{
    struct agent *agent = job->agent;
    enum cl_way_step step;

    job->is_begun = true;
    agent->run->app.show = &job->show;
    cg_err err = cl_way_find(&agent->ways, &job->url, job->mode == CG_SAPI_NONE, &job->way, &step);
    agent->run->app.show = agent->run->show;
    job->is_reused = job->show.n_checks == 0;
    if (job->is_over)
        return; /* the client went meanwhile */
    if (err != CG_OK) {
        job->way = NULL;
        settle(job, step, err);
        return;
    }
    err = begin_fetch(job);
    if (err != CG_OK)
        settle(job, CL_WAY_READY, err);
}

/* --- the request ------------------------------------------------------------------------------ */

static cg_err read_body_kind(struct job *job, const struct cg_head *head)
{
    struct cg_span kind = cl_agent_value(head, "body"), length = cl_agent_value(head, "length");
    char text[24];
    uint64_t n;

    if (cg_span_is(kind, "none"))
        job->body = CL_BODY_NONE;
    else if (cg_span_is(kind, "stream"))
        job->body = CL_BODY_STREAM;
    else if (cg_span_is(kind, "sized"))
        job->body = CL_BODY_SIZED;
    else
        return CG_SCHEMA;
    if (job->body != CL_BODY_SIZED)
        return CG_OK;
    if (length.len == 0 || length.len >= sizeof text)
        return CG_SCHEMA;
    snprintf(text, sizeof text, "%.*s", (int)length.len, (const char *)length.at);
    CG_TRY(cl_number(text, 0, INT64_MAX, &n));
    job->length = (int64_t)n;
    return cg_hex_read(cl_agent_value(head, "digest"), job->digest.bytes, CG_HASH_BYTES);
}

static cg_err read_fields(struct job *job, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct cg_field *field = &head->fields[i];

        if (cl_agent_is_ours(field) || field->token == CG_TOKEN_CONTENT_LENGTH)
            continue;
        if (job->n_fields == CL_FIELDS_MAX)
            return CG_TOO_LARGE;
        struct cg_field *copy = &job->fields[job->n_fields++];
        *copy = (struct cg_field){.token = field->token};
        CG_TRY(cg_arena_copy(&job->arena, field->name, &copy->name));
        CG_TRY(cg_arena_copy(&job->arena, field->value, &copy->value));
    }
    return CG_OK;
}

static cg_err read_job(struct job *job, const struct cg_head *head)
{
    struct cg_span url = cl_agent_value(head, "url"), method = cl_agent_value(head, "method");

    if (!cg_span_is(head->method, "POST") || !cg_span_is(head->path, "/fetch"))
        return CG_NOT_FOUND;
    if (CG_URL_ROOM(url.len) > sizeof job->room || method.len == 0 ||
        method.len >= sizeof job->method)
        return CG_TOO_LARGE;
    CG_TRY(cg_url_read(url, job->room, &job->url, NULL));
    snprintf(job->method, sizeof job->method, "%.*s", (int)method.len, (const char *)method.at);
    CG_TRY(cg_sapi_mode_read(cl_agent_value(head, "sapi"), &job->mode));
    CG_TRY(read_body_kind(job, head));
    return read_fields(job, head);
}

static void refuse(struct cg_conn *conn, struct cg_exchange *x, int status)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;

    cg_arena_init(&arena, 1024);
    cg_head_init(&head, &arena);
    head.status = status;
    head.content_length = 0;
    if (cg_exchange_answer(x, &head, true) != CG_OK)
        cg_exchange_reset(x, CG_RESET_INTERNAL);
    cg_exchange_release(x);
    cg_conn_wake(conn);
}

static void free_job(struct job *job)
{
    cl_fetch_free(job->fetch);
    if (job->x)
        cg_exchange_release(job->x);
    cg_arena_wipe(&job->arena);
    free(job);
}

static void take_request(struct agent *agent, struct cg_conn *conn, struct cg_exchange *x)
{
    struct job *job = agent->n_jobs < JOBS_MAX ? calloc(1, sizeof *job) : NULL;
    struct job **last = &agent->jobs;

    int status = !job ? 503 : is_outdated(agent) ? 410 : 0;
    if (status != 0) {
        free(job);
        refuse(conn, x, status);
        return;
    }
    job->agent = agent;
    job->conn = conn;
    cl_show_init(&job->show);
    job->show.err = agent->run->show->err;
    job->show.is_verbose = agent->run->show->is_verbose;
    job->show.is_silent = true; /* failures are the client's to tell */
    cg_arena_init(&job->arena, 4 * CL_AGENT_HEAD_MAX_BYTES);
    cg_err err = read_job(job, &x->in);
    if (err != CG_OK) {
        free_job(job);
        refuse(conn, x, err == CG_NOT_FOUND ? 404 : 400);
        return;
    }
    job->x = x;
    x->owner = job;
    cg_exchange_set_patient(x, true);
    while (*last)
        last = &(*last)->next;
    *last = job;
    agent->n_jobs++;
    cl_app_wake(&agent->run->app);
}

/* The client is gone: so is what it asked for. */
static void lose(struct job *job)
{
    if (job->x)
        cg_exchange_release(job->x);
    job->x = NULL;
    job->is_over = true;
    cl_app_wake(&job->agent->run->app);
}

static void on_open(struct cg_conn *conn)
{
    (void)conn;
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct agent *agent = cg_conn_owner(conn);
    struct job *job = x->owner;

    if (!job) {
        if ((what & CG_X_HEAD) != 0 && (what & (CG_X_RESET | CG_X_REFUSED)) == 0)
            take_request(agent, conn, x);
        else
            refuse(conn, x, 400);
    } else if ((what & CG_X_RESET) != 0) {
        lose(job);
    } else if (job->fetch && job->is_begun && (what & (CG_X_BODY | CG_X_END | CG_X_ROOM)) != 0) {
        cl_fetch_wake(job->fetch);
    }
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct agent *agent = cg_conn_owner(conn);

    (void)why;
    for (struct job *job = agent->jobs; job; job = job->next)
        if (job->conn == conn)
            lose(job);
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

static cg_err accept_client(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                            struct cg_engine **engine, void **owner)
{
    const struct cg_engine_conf conf = {
        .idle_ms = 600000, .in_max_bytes = 1 << 20, .scratch = cg_loop_scratch(loop)};

    (void)owner;
    (void)ctx;
    /* The socket's mode says the same; a folder that others may search is no reason to trust it. */
    if (!peer->has_uid || peer->uid != geteuid())
        return CG_DENIED;
    return cg_stack_accept(&conf, NULL, CG_SPEAKS_H2, cg_loop_mono(loop), engine);
}

/* --- the process ------------------------------------------------------------------------------ */

/* Nothing was done with it: its client does it without us. */
static void give_back(struct job *job)
{
    job->is_over = true;
    if (job->x)
        refuse(job->conn, job->x, 410);
    job->x = NULL;
}

static void turn(struct agent *agent)
{
    struct job **at = &agent->jobs;

    cg_loop_run_for(agent->run->app.loop, TURN_MS);
    (void)is_outdated(agent);
    for (struct job *job = agent->jobs; job; job = job->next) {
        if (job->is_begun || job->is_over)
            continue;
        if (agent->is_outdated)
            give_back(job);
        else
            begin_job(job);
    }
    while (*at) {
        struct job *job = *at;

        if (!job->is_over) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        agent->n_jobs--;
        free_job(job);
    }
}

/* The seed is in a locked page, and so are the keys that are made of it; this keeps the rest from
 * the swap, where the system lets us: what signing needs for a moment, connections' keys, bodies.
 */
static void keep_private(struct cl_show *show)
{
    if (cg_memory_lock_all() != CG_OK)
        cl_show_note(show, "keys are locked in memory, the rest is not (ulimit -l)");
}

static int listen_at(struct agent *agent, const char *path)
{
    struct cl_run *run = agent->run;
    struct cg_listen_options options = {
        .n_conns_max = JOBS_MAX, .events = &events, .accept = accept_client, .ctx = agent};
    int n = snprintf(options.at.path, sizeof options.at.path, "%s", path);

    options.at.kind = CG_ADDRESS_UNIX;
    if (n < 0 || n >= (int)sizeof options.at.path)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, "choose a shorter one with --agent",
                       "a socket's path has at most %zu bytes", sizeof options.at.path - 1);
    cg_err err = cg_listener_new(run->app.loop, &options, &agent->listener);
    if (err == CG_CONFLICT)
        return cl_fail(run->show, CL_EXIT_WRITE, CG_OK, NULL, "an agent runs already at %s", path);
    return err == CG_OK ? 0
                        : cl_fail(run->show, CL_EXIT_WRITE, err, NULL, "cannot listen at %s", path);
}

static int serve(struct agent *agent, const char *path)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct cl_run *run = agent->run;
    int code = listen_at(agent, path);

    if (code != 0)
        return code;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    keep_private(run->show);
    cl_say(run->show, "HTTPCG_AGENT=%s", path);
    fflush(run->show->out);
    while (!is_stopping)
        turn(agent);
    unlink(path); /* nobody comes any more */
    /* What was begun with the old wallet may end, within reason. */
    for (int i = 0; agent->is_outdated && agent->n_jobs > 0 && i < LAST_TURNS; i++)
        turn(agent);
    for (struct job *job = agent->jobs; job; job = job->next)
        lose(job);
    turn(agent);
    cg_listener_free(agent->listener);
    return 0;
}

int cl_run_agent(struct cl_run *run)
{
    struct agent agent = {.run = run, .ways = {.app = &run->app}};
    char path[CL_PATH_MAX_BYTES];
    int code = cl_run_trust(run);

    if (code == 0 && !cl_agent_path(run, path))
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--agent off is for clients");
    if (code == 0)
        code = note_files(&agent);
    if (code == 0)
        code = cl_wallet_open(run);
    if (code == 0)
        code = cl_creds_read(run);
    if (code == 0)
        code = serve(&agent, path);
    cl_ways_done(&agent.ways);
    return code;
}
