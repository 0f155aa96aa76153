/* get.c: httpcg URL: fetch in the manner of curl, with every check of the protocol. */
#include "client/agent.h"
#include "client/interrupt.h"
#include "client/role.h"
#include "client/wallet.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/refusal.h"
#include "runtime/clock.h"

#include <stdlib.h>

#define CLOCK_NOTE "this machine's clock differs from the gateway's; once more"

/* --- what the fetch asks us ------------------------------------------------------------------- */

static void on_ready(void *ctx)
{
    struct cl_transfer *t = ctx;

    if (t->fetch)
        cl_fetch_wake(t->fetch);
    else if (t->agent)
        cl_agent_wake(t->agent);
}

static void show_progress(struct cl_transfer *t)
{
    cl_meter_show(&t->meter, t->fetch ? t->fetch->n_up : t->n_up,
                  t->fetch ? t->fetch->n_down : t->n_down, cg_clock_mono());
}

static cg_err on_read(void *ctx, uint8_t *at, size_t room, size_t *out_len)
{
    struct cl_transfer *t = ctx;
    cg_err err = cl_request_read(t->request, at, room, out_len);

    show_progress(t);
    return err;
}

static cg_err on_write(void *ctx, struct cg_span bytes, size_t *out_taken)
{
    struct cl_transfer *t = ctx;

    *out_taken = bytes.len;
    if (t->is_failed_status && !cl_is_on(t->run->args, CL_FAIL_BODY))
        return CG_OK; /* read, so that it is verified, but not shown */
    show_progress(t);
    return cl_output_put(&t->output, bytes);
}

static cg_err dump_head(const struct cl_transfer *t, const struct cg_head *head)
{
    const char *path = cl_text(t->run->args, CL_DUMP_HEADER);
    bool is_output = path && strcmp(path, "-") == 0;
    static bool was_begun; /* the heads of several URLs stand one behind the other */
    FILE *file = is_output ? stdout : fopen(path, was_begun ? "ae" : "we");

    if (!file)
        return CG_IO;
    was_begun = true;
    cg_err err = cl_output_head(file, head, t->http_version);
    if (!is_output && fclose(file) != 0)
        err = CG_IO;
    return err;
}

static cg_err on_head(void *ctx, const struct cg_head *head)
{
    struct cl_transfer *t = ctx;
    const struct cl_args *args = t->run->args;
    struct cg_span type = cg_head_value(head, CG_TOKEN_CONTENT_TYPE);

    t->n_headers = head->n_fields;
    snprintf(t->content_type, sizeof t->content_type, "%.*s", (int)type.len,
             type.at ? (const char *)type.at : "");
    t->meter.down_total = head->content_length;
    t->is_failed_status =
        head->status >= 400 && (cl_is_on(args, CL_FAIL) || cl_is_on(args, CL_FAIL_BODY));
    if (t->output.max > 0 && head->content_length > (int64_t)t->output.max)
        return CG_TOO_LARGE;
    if (cl_text(args, CL_DUMP_HEADER))
        CG_TRY(dump_head(t, head));
    if ((cl_is_on(args, CL_INCLUDE) || cl_is_on(args, CL_HEAD)) &&
        (!t->is_failed_status || cl_is_on(args, CL_FAIL_BODY)))
        return cl_output_head(t->output.file, head, t->http_version);
    return CG_OK;
}

static void on_done(void *ctx, struct cl_fetch *fetch, cg_err err)
{
    struct cl_transfer *t = ctx;

    (void)fetch;
    t->is_done = true;
    t->err = err;
}

/* --- one try ---------------------------------------------------------------------------------- */

static void take_way(struct cl_transfer *t, const struct cl_way *way)
{
    const struct cl_link *link = way->link;

    snprintf(t->gateway, sizeof t->gateway, "%s:%u", link->host, link->port);
    cg_did_write(&link->cert.subject, t->gateway_did);
    if (t->mode != CG_SAPI_NONE)
        snprintf(t->wallet, sizeof t->wallet, "%s", t->run->app.wallet.waddr.text);
    cg_hex_write(cg_hash_span(&link->cert.fingerprint), t->fingerprint);
    cg_address_write(&link->peer.at, t->address);
    snprintf(t->tls_group, sizeof t->tls_group, "%s",
             cg_tls_group(cg_stack_tls(cg_conn_engine(link->conn))));
    snprintf(t->http_version, sizeof t->http_version, "%s", cl_http_version(link->conn));
    /* A way that was there took no time of this transfer's. */
    if (way->began.us >= t->began.us) {
        t->resolved = way->resolved;
        t->connected = link->connected;
        t->secured = link->secured;
    }
    t->ready = cg_clock_mono();
}

static void take_fetch(struct cl_transfer *t)
{
    t->status = t->fetch->status;
    t->n_down = t->fetch->n_down;
    t->n_up = t->fetch->n_up;
    t->is_verified = t->fetch->is_verified;
    t->is_hint = t->fetch->is_hint;
    t->head_at = t->fetch->head_at;
}

static struct cl_fetch_ask ask_of(struct cl_transfer *t)
{
    struct cl_request *request = t->request;

    return (struct cl_fetch_ask){
        .url = t->url,
        .method = request->method,
        .fields = request->fields,
        .n_fields = request->n_fields,
        .mode = t->mode,
        .body = request->body,
        .whole = cg_buf_span(&request->whole),
        .length = request->length,
        .digest = request->digest,
        .read = on_read,
        .write = on_write,
        .on_head = on_head,
        .on_done = on_done,
        .ctx = t,
    };
}

static cg_err send_once(struct cl_transfer *t, struct cl_way *way)
{
    const struct cl_fetch_ask ask = ask_of(t);

    t->is_done = false;
    CG_TRY(cl_request_rewind(t->request));
    CG_TRY(cl_fetch_begin(way->link, &ask, &t->fetch));
    cg_err err = cl_app_wait(&t->run->app, &t->is_done, 0);
    return err == CG_OK ? t->err : err;
}

/* A clock that differs is corrected by the gateway's, once and for this connection only. */
static bool may_correct_clock(struct cl_transfer *t, const struct cl_way *way)
{
    struct cg_wall now = cg_loop_wall(t->run->app.loop);

    return t->fetch && t->fetch->server_time > 0 && cl_request_may_repeat(t->request) &&
           way->link->conn &&
           cg_native_learn_time(&way->link->native, t->fetch->server_time, now) == CG_OK;
}

static cg_err send_request(struct cl_transfer *t, struct cl_way *way)
{
    cg_err err = send_once(t, way);

    if (err != CG_OK && may_correct_clock(t, way)) {
        cl_show_note(t->run->show, CLOCK_NOTE);
        cl_fetch_free(t->fetch);
        t->fetch = NULL;
        err = send_once(t, way);
    }
    return err;
}

/* --- what came of it -------------------------------------------------------------------------- */

/* An unsigned refusal: nothing was done, and nothing but its code is believed. */
static int refused(const struct cl_transfer *t)
{
    struct cl_show *show = t->run->show;
    const char *remedy = NULL;

    if (t->err == CG_RATE || t->err == CG_BUSY)
        return cl_fail_later(show, t->err, t->whole);
    if (t->err == CG_SKEW && cl_request_may_repeat(t->request))
        return cl_fail_clock(show, t->whole, cg_clock_wall());
    if (t->err == CG_SKEW)
        remedy = "the clocks differ, and what came from a pipe cannot be sent again: the same "
                 "command once more will do";
    else if (strcmp(show->problem, "auth-required") == 0)
        remedy = "this name's policy asks for a signed request: --sapi grant or above";
    return cl_fail(show, (enum cl_exit)cl_refusal_exit(show), CG_OK, remedy,
                   "refused with status %d%s%s", t->status, show->problem[0] ? ", " : "",
                   show->problem);
}

static int interrupted(const struct cl_transfer *t)
{
    bool is_file = t->output.draft[0] != '\0';

    return cl_fail(t->run->show, CL_EXIT_PARTIAL, CG_CANCELLED, NULL, "%s%s",
                   is_file ? t->output.path : t->whole, is_file ? " is as it was before" : "");
}

static int failed(struct cl_transfer *t)
{
    struct cl_show *show = t->run->show;

    if (t->output.is_pipe_gone)
        return 0;
    if (cl_interrupt_number() != 0)
        return interrupted(t);
    if (t->output.is_binary)
        return cl_fail(show, CL_EXIT_WRITE, CG_OK,
                       "-o FILE keeps it; -o - puts it on the terminal all the same",
                       "the answer is no text, and this is a terminal");
    if (t->is_hint)
        return refused(t);
    switch (t->err) {
    case CG_TOO_LARGE:
        return t->output.max > 0 ? cl_fail(show, CL_EXIT_TOO_LARGE, CG_OK, NULL,
                                           "the answer is longer than --max-filesize")
                                 : cl_fail(show, CL_EXIT_ANSWER, t->err, NULL, "the request");
    case CG_IO:
        return t->output.error
                   ? cl_fail(show, CL_EXIT_WRITE, CG_OK, NULL, "cannot write the answer: %s",
                             strerror(t->output.error))
                   : cl_fail(show, CL_EXIT_READ, CG_OK, NULL, "cannot read what is to be sent");
    case CG_CLOSED:
        return cl_fail(show,
                       t->status ? CL_EXIT_PARTIAL
                       : t->n_up ? CL_EXIT_SEND
                                 : CL_EXIT_EMPTY,
                       t->err, NULL, "%s", t->status ? "the answer ended early" : t->whole);
    case CG_TIMEOUT:
        return cl_fail(show, CL_EXIT_TIMEOUT, t->err,
                       "--max-time and --connect-timeout set the limits", "%s", t->whole);
    default:
        return cl_fail(show, cl_exit_of(t->err), t->err,
                       t->n_down > 0 && !t->output.path[0]
                           ? "what was written to standard output is not to be believed"
                           : NULL,
                       "%s", t->whole);
    }
}

static int finish(struct cl_transfer *t)
{
    const char *format = cl_text(t->run->args, CL_WRITE_OUT);
    int code = t->err == CG_OK ? 0 : failed(t);

    if (code == 0 && t->is_failed_status)
        code = cl_fail(t->run->show, CL_EXIT_STATUS, CG_OK, NULL, "the status is %d", t->status);
    if (code == 0 && t->mode == CG_SAPI_NONE)
        cl_show_warn(t->run->show, t->status == 401
                                       ? "not signed, and refused: --sapi grant signs the request"
                                       : "not signed: nothing but TLS vouches for this answer");
    bool is_good = code == 0 || (code == CL_EXIT_STATUS && cl_is_on(t->run->args, CL_FAIL_BODY));
    int written = cl_output_end(t->run, &t->output, is_good);
    t->code = code ? code : written;
    if (format && cl_write_out(t, format) == CG_SYNTAX)
        cl_show_warn(t->run->show, "-w names a variable that there is none of");
    return t->code;
}

static const char *way_remedy(enum cl_way_step step, cg_err err)
{
    if (step == CL_WAY_CONNECT && err == CG_UNREACHABLE)
        return "is the gateway running, and reachable from here? httpcg doctor tells more";
    if (step == CL_WAY_RESOLVE && (err == CG_UNREACHABLE || err == CG_TIMEOUT))
        return "no registry of the trust file could be asked; httpcg doctor tells more";
    if (err == CG_EARLY || err == CG_STALE || err == CG_EXPIRED)
        return "is this machine's clock right? httpcg doctor looks at it";
    if (err == CG_ROLLBACK || err == CG_CONFLICT)
        return "an attack, or a registry that was set back: tell whoever runs it; nothing was sent";
    return NULL;
}

static int no_way(struct cl_transfer *t, enum cl_way_step step, cg_err err)
{
    int code = cl_way_exit(&t->run->app, step, err);

    if (t->run->app.until.us > 0 && cg_clock_mono().us >= t->run->app.until.us)
        code = CL_EXIT_TIMEOUT;
    t->err = err;
    if (cl_interrupt_number() != 0)
        t->code = interrupted(t);
    else if (code == CL_EXIT_LATER)
        t->code = cl_fail_later(t->run->show, err, t->whole);
    else if (code == CL_EXIT_CLOCK)
        t->code = cl_fail_clock(t->run->show, t->whole, cg_clock_wall());
    else if (code == CL_EXIT_UNRESOLVED)
        t->code = cl_fail(t->run->show, CL_EXIT_UNRESOLVED, CG_OK, NULL,
                          "%s: the registry proved that there is no such name", t->whole);
    else
        t->code =
            cl_fail(t->run->show, (enum cl_exit)code, err, way_remedy(step, err), "%s", t->whole);
    int closed = cl_output_end(t->run, &t->output, false);
    return t->code ? t->code : closed;
}

/* --- one URL ---------------------------------------------------------------------------------- */

static int by_ourselves(struct cl_transfer *t, struct cl_ways *ways)
{
    enum cl_way_step step;
    struct cl_way *way;
    int code = t->mode != CG_SAPI_NONE ? cl_wallet_open(t->run) : 0;

    if (code != 0) {
        int closed = cl_output_end(t->run, &t->output, false);

        t->code = code;
        return code ? code : closed;
    }
    cg_err err = cl_way_find(ways, t->url, t->mode == CG_SAPI_NONE, &way, &step);
    if (err != CG_OK)
        return no_way(t, step, err);
    take_way(t, way);
    t->err = send_request(t, way);
    t->ended = cg_clock_mono();
    if (t->fetch)
        take_fetch(t);
    cl_meter_end(&t->meter);
    code = finish(t);
    cl_fetch_free(t->fetch);
    t->fetch = NULL;
    return code;
}

static cg_err ask_agent(struct cl_transfer *t, const char *path, const struct cl_fetch_ask *ask,
                        enum cl_way_step *out_step)
{
    *out_step = CL_WAY_READY;
    t->n_up = t->n_down = 0;
    t->is_hint = false;
    CG_TRY(cl_request_rewind(t->request));
    return cl_agent_fetch(t, path, ask, out_step);
}

/* It took some of what comes from a pipe, and then could not go on. */
static int no_agent(struct cl_transfer *t)
{
    t->code = cl_fail(t->run->show, CL_EXIT_SEND, CG_OK,
                      "what came from a pipe cannot be sent again: the same command once more",
                      "the agent does not do it; it ends, or has too much to do");
    int closed = cl_output_end(t->run, &t->output, false);
    return t->code ? t->code : closed;
}

/* An agent that is gone, or was never there, costs nothing: then we do it ourselves. */
static int transfer(struct cl_transfer *t, struct cl_ways *ways)
{
    const struct cl_fetch_ask ask = ask_of(t);
    char path[CL_PATH_MAX_BYTES];
    enum cl_way_step step;

    t->began = cg_clock_mono();
    cl_meter_begin(t->run, t->output.is_terminal, t->began, &t->meter);
    t->meter.up_total = t->request->body == CL_BODY_SIZED   ? t->request->length
                        : t->request->body == CL_BODY_WHOLE ? (int64_t)t->request->whole.len
                                                            : -1;
    /* An agent has its own credentials, or none: what is shown here is ours to show. */
    if (t->run->app.n_creds > 0 || !cl_agent_path(t->run, path) || !cl_agent_is_there(path))
        return by_ourselves(t, ways);
    t->err = ask_agent(t, path, &ask, &step);
    if (t->err == CG_UNREACHABLE && !t->is_by_agent && t->n_up > 0 &&
        !cl_request_may_repeat(t->request))
        return no_agent(t);
    if (t->err == CG_UNREACHABLE && !t->is_by_agent)
        return by_ourselves(t, ways);
    if (t->err == CG_SKEW && step == CL_WAY_READY && cl_request_may_repeat(t->request)) {
        cl_show_note(t->run->show, CLOCK_NOTE);
        t->err = ask_agent(t, path, &ask, &step);
    }
    t->ended = cg_clock_mono();
    cl_meter_end(&t->meter);
    return t->err != CG_OK && step != CL_WAY_READY ? no_way(t, step, t->err) : finish(t);
}

/* -G puts the data behind the query, -T the file's name behind a path that ends with a slash. */
static int complete_url(struct cl_run *run, const struct cl_request *request, const char *text,
                        char *out, size_t room)
{
    struct cg_span data = request->is_query ? cg_buf_span(&request->whole) : CG_LIT("");
    size_t len = strcspn(text, "#");
    const char *name = request->file_name ? strrchr(request->file_name, '/') : NULL;
    int n;

    name = name ? name + 1 : request->file_name;
    if (len == 0 || text[len - 1] != '/' || memchr(text, '?', len))
        name = NULL;
    bool has_query = memchr(text, '?', len) != NULL;
    n = snprintf(out, room, "%.*s%s%s%.*s", (int)len, text, name ? name : "",
                 data.len == 0 ? ""
                 : has_query   ? "&"
                               : "?",
                 (int)data.len, data.at ? (const char *)data.at : "");
    if (n < 0 || (size_t)n >= room)
        return cl_fail(run->show, CL_EXIT_URL, CG_TOO_LARGE, NULL, "the URL");
    return 0;
}

static int read_url(struct cl_transfer *t, const char *text, void *room, struct cg_url *out)
{
    struct cg_url_fault fault = {.why = ""};
    struct cl_show *show = t->run->show;
    if (cg_url_read(cg_span_str(text), room, out, &fault) != CG_OK)
        return cl_fail(show, CL_EXIT_URL, CG_OK, "httpcg url parse shows the place",
                       "malformed URL, byte %zu: %s", fault.at, fault.why);
    size_t len = cg_url_chars(out);
    if (len >= sizeof t->whole)
        return cl_fail(show, CL_EXIT_URL, CG_TOO_LARGE, NULL, "the URL");
    cg_url_write(out, t->whole);
    t->whole[len] = '\0';
    return 0;
}

/* -O: the last segment of the path, which the canonical form keeps free of dots and slashes. */
static int remote_name(struct cl_run *run, const struct cg_url *url, char *out, size_t room)
{
    size_t from = url->path.len;

    while (from > 0 && url->path.at[from - 1] != '/')
        from--;
    struct cg_span name = cg_span_from(url->path, from);
    if (name.len == 0 || name.len >= room)
        return cl_fail(run->show, CL_EXIT_WRITE, CG_OK, "-o names a file",
                       "the URL has no last segment to name a file by");
    memcpy(out, name.at, name.len);
    out[name.len] = '\0';
    return 0;
}

static const char *nth_output(const struct cl_run *run, size_t n)
{
    const char *text = NULL;
    size_t at = 0;

    for (size_t i = 0; i <= n; i++)
        text = cl_next(run->args, CL_OUTPUT, &at);
    return text;
}

static int fetch_url(struct cl_transfer *t, struct cl_ways *ways, size_t n, json_t *list)
{
    char text[12 * 1024 + 64], name[256];
    struct cg_url url;
    int code = complete_url(t->run, t->request, t->text, text, sizeof text);
    void *room = malloc(CG_URL_ROOM(sizeof text));

    if (!room)
        return CL_EXIT_MEMORY;
    if (code == 0)
        code = read_url(t, text, room, &url);
    const char *path = nth_output(t->run, n);
    if (code == 0 && !path && cl_is_on(t->run->args, CL_REMOTE_NAME)) {
        code = remote_name(t->run, &url, name, sizeof name);
        path = name;
    }
    if (code == 0)
        code = cl_output_open(t->run, path, &t->output);
    if (code == 0 && cl_request_listen(t->request, t->run->app.loop, on_ready, t) != CG_OK)
        code = cl_fail(t->run->show, CL_EXIT_READ, CG_OK, NULL, "standard input cannot be read");
    if (code == 0) {
        t->url = &url;
        code = transfer(t, ways);
        json_array_append_new(list, cl_transfer_json(t));
    }
    free(room);
    return code;
}

/* --- the command ------------------------------------------------------------------------------ */

static int read_mode(struct cl_run *run, enum cg_sapi_mode *out)
{
    const char *text = cl_text(run->args, CL_SAPI), *epochs = cl_text(run->args, CL_EPOCHS);
    uint64_t n;

    *out = CG_SAPI_GRANT;
    if (text && cg_sapi_mode_read(cg_span_str(text), out) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "--sapi %s: there are none, grant, ed25519 and hybrid", text);
    if (epochs) {
        if (cl_number(epochs, 1, 60, &n) != CG_OK)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--epochs is from 1 to 60");
        run->app.epochs = (uint32_t)n;
    }
    return 0;
}

static int fetch_all(struct cl_run *run, const char *method, const char *const *urls, size_t n)
{
    static struct cl_transfer transfer;
    struct cl_request request = {0};
    struct cl_ways ways = {.app = &run->app};
    json_t *list = json_array();
    enum cg_sapi_mode mode;
    int code = read_mode(run, &mode), first = 0;

    if (code == 0)
        code = cl_creds_read(run);
    if (code == 0)
        code = cl_request_make(run, method, &request);
    for (size_t i = 0; code == 0 && i < n; i++) {
        transfer =
            (struct cl_transfer){.run = run, .request = &request, .text = urls[i], .mode = mode};
        int one = fetch_url(&transfer, &ways, i, list);

        /* As curl does it: all are tried, and the last failure is told. */
        first = one ? one : first;
        if (cl_interrupt_number() != 0)
            break;
    }
    cl_add(run->show, "transfers", list);
    cl_ways_done(&ways);
    cl_request_done(&request);
    return code ? code : first;
}

/* What can be told before anything is opened. */
static int check_word(struct cl_show *show, const char *word)
{
    const char *end = strstr(word, "://");

    if (word[0] == '{' || word[0] == '[')
        return cl_fail(show, CL_EXIT_USAGE, CG_OK, "to send JSON use --json-data",
                       "%.40s is no URL", word);
    if (!end)
        return cl_fail(show, CL_EXIT_URL, CG_OK,
                       "a URL is written whole: httpcg://app/shop.example/path", "%.80s is no URL",
                       word);
    if (end - word != 6 || strncasecmp(word, "httpcg", 6) != 0)
        return cl_fail(show, CL_EXIT_SCHEME, CG_OK, "other schemes are curl's",
                       "httpcg:// is the only scheme here, not %.*s://", (int)(end - word), word);
    void *room = malloc(CG_URL_ROOM(strlen(word)));
    struct cg_url_fault fault = {.why = ""};
    struct cg_url url;
    cg_err err = room ? cg_url_read(cg_span_str(word), room, &url, &fault) : CG_NO_MEMORY;
    free(room);
    return err == CG_OK ? 0
                        : cl_fail(show, CL_EXIT_URL, CG_OK, "httpcg url parse shows the place",
                                  "malformed URL, byte %zu: %s", fault.at, fault.why);
}

int cl_run_fetch(struct cl_run *run)
{
    const char *method = run->words[0];
    bool has_method = !strstr(method, "://");
    size_t n = run->n_words - has_method;
    int code;

    if (n == 0)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "httpcg %s what? a URL is missing",
                       method);
    for (size_t i = has_method; i < run->n_words; i++) {
        code = check_word(run->show, run->words[i]);
        if (code != 0)
            return code;
    }
    code = cl_run_trust(run);
    return code ? code : fetch_all(run, has_method ? method : NULL, run->words + has_method, n);
}
