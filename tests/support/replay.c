/* replay.c: what somebody does who has seen a request go by: send its very bytes again.
 *
 *     replay --home FOLDER --trust FILE --passphrase-file FILE [--output-dir FOLDER]
 *            URL BODY|@FILE [lie]
 *
 * Makes one POST as the client does, verified, then sends its head and body again on the same
 * connection and on another one of the same wallet. One JSON document tells how each was answered.
 * --output-dir keeps what was exchanged: certificate, grant and its answer, request and answer.
 * lie makes the POST alone, and after it was signed changes its body's last byte. */
#include "client/fetch.h"
#include "client/wallet.h"
#include "client/way.h"
#include "lib/base/hex.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/wire/refusal.h"
#include "runtime/file.h"

#include <jansson.h>
#include <string.h>

#define BODY_MAX_BYTES (64 * 1024 * 1024)
#define PATIENCE_MS 10000

/* An exchange, the client's or a repeated one. */
struct talk {
    struct cl_asker asker; /* must be first */
    struct cg_exchange *x;
    struct cg_buf body; /* of the answer */
    int status;
    bool is_done;
    cg_err err;
};

struct attack {
    struct cl_run run;
    struct cl_show show;
    struct cl_args args;
    struct cl_ways ways, others; /* of two connections */
    struct cg_url url;
    struct cg_buf body;
    bool lies;
    struct cg_arena arena; /* of what was seen */
    struct cg_head seen;   /* the request's head, as it was sent */
    json_t *answer;        /* its answer's fields */
    struct talk first;
    bool is_verified;
};

static _Noreturn void stop(const char *what, cg_err err)
{
    fprintf(stderr, "replay: %s: %s\n", what, cg_err_text(err));
    exit(1);
}

static void must(cg_err err, const char *what)
{
    if (err != CG_OK)
        stop(what, err);
}

/* --- the client's own request, looked at on its way ------------------------------------------- */

static struct cg_span keep(struct cg_arena *arena, struct cg_span bytes)
{
    struct cg_span kept;

    must(cg_arena_copy(arena, bytes, &kept), "a copy");
    return kept;
}

static void on_sent(void *ctx, const struct cg_head *head)
{
    struct attack *a = ctx;

    cg_head_init(&a->seen, &a->arena);
    a->seen.method = keep(&a->arena, head->method);
    a->seen.scheme = keep(&a->arena, head->scheme);
    a->seen.authority = keep(&a->arena, head->authority);
    a->seen.path = keep(&a->arena, head->path);
    a->seen.content_length = head->content_length;
    for (size_t i = 0; i < head->n_fields; i++)
        must(cg_head_add_named(&a->seen, keep(&a->arena, head->fields[i].name),
                               keep(&a->arena, head->fields[i].value)),
             "a field");
    if (a->lies)
        a->body.at[a->body.len - 1] ^= 1;
}

static json_t *fields_of(const struct cg_head *head)
{
    json_t *list = json_array();

    for (size_t i = 0; i < head->n_fields; i++) {
        const struct cg_field *f = &head->fields[i];

        json_array_append_new(
            list, json_pack("[s%, s%]", f->name.at, f->name.len, f->value.at, f->value.len));
    }
    return list;
}

static cg_err on_head(void *ctx, const struct cg_head *head)
{
    struct attack *a = ctx;

    a->answer = fields_of(head);
    return CG_OK;
}

static cg_err on_write(void *ctx, struct cg_span bytes, size_t *out_taken)
{
    struct attack *a = ctx;

    *out_taken = bytes.len;
    return cg_buf_add(&a->first.body, bytes);
}

static void on_done(void *ctx, struct cl_fetch *fetch, cg_err err)
{
    struct attack *a = ctx;

    a->first.status = fetch->status;
    a->first.err = err;
    a->first.is_done = true;
    a->is_verified = fetch->is_verified;
}

static struct cl_link *connect_to(struct attack *a, struct cl_ways *ways)
{
    struct cl_way *way;
    enum cl_way_step step;

    ways->app = &a->run.app;
    must(cl_way_find(ways, &a->url, false, &way, &step), "no way to the gateway");
    return way->link;
}

static void send_first(struct attack *a, struct cl_link *link)
{
    static const struct cg_field type = {.name = CG_LIT("content-type"),
                                         .value = CG_LIT("text/plain")};
    const struct cl_fetch_ask ask = {
        .url = &a->url,
        .method = "POST",
        .fields = &type,
        .n_fields = 1,
        .mode = CG_SAPI_GRANT,
        .body = CL_BODY_WHOLE,
        .whole = cg_buf_span(&a->body),
        .write = on_write,
        .on_sent = on_sent,
        .on_head = on_head,
        .on_done = on_done,
        .ctx = a,
    };
    struct cl_fetch *fetch;

    must(cl_fetch_begin(link, &ask, &fetch), "the request");
    must(cl_app_wait(&a->run.app, &a->first.is_done, PATIENCE_MS), "no answer");
    cl_fetch_free(fetch);
}

/* --- the same bytes again --------------------------------------------------------------------- */

static void on_event(struct cl_asker *asker, unsigned what)
{
    struct talk *talk = (struct talk *)asker;
    struct cg_exchange *x = talk->x;

    if ((what & CG_X_HEAD) != 0)
        talk->status = x->in.status;
    for (struct cg_span bytes = cg_exchange_peek(x); bytes.len > 0; bytes = cg_exchange_peek(x)) {
        must(cg_buf_add(&talk->body, bytes), "the answer");
        cg_exchange_take(x, bytes.len);
    }
    talk->is_done = cg_exchange_is_read(x) || (what & CG_X_RESET) != 0;
}

static void repeat(struct attack *a, struct cl_link *link, struct talk *talk)
{
    size_t taken;

    *talk = (struct talk){.asker.on_event = on_event};
    cg_buf_init(&talk->body, BODY_MAX_BYTES);
    must(cg_engine_begin(cg_conn_engine(link->conn), &a->seen, false, &talk->x), "the repetition");
    talk->x->owner = &talk->asker;
    must(cg_exchange_send(talk->x, cg_buf_span(&a->body), &taken), "the repetition's body");
    must(cg_exchange_end(talk->x, NULL), "the repetition's end");
    cg_conn_wake(link->conn);
    for (int64_t ms = 0; !talk->is_done && ms < PATIENCE_MS; ms += 20)
        (void)cg_loop_run_for(a->run.app.loop, 20);
    cg_exchange_release(talk->x);
    cg_conn_wake(link->conn);
}

static json_t *told(const struct talk *talk)
{
    json_t *problem = json_loadb((const char *)talk->body.at, talk->body.len, 0, NULL);
    const char *type = json_string_value(json_object_get(problem, "type"));
    json_t *out = json_pack("{s:i, s:s}", "status", talk->status, "problem",
                            type ? cg_refusal_code(cg_refusal_of_code(cg_span_str(type))) : "");

    json_decref(problem);
    return out;
}

/* --- what is kept for others to verify -------------------------------------------------------- */

static void save(struct attack *a, const char *name, struct cg_span bytes)
{
    char path[CL_PATH_MAX_BYTES];

    if (cl_path_in(&a->run, cl_text(&a->args, CL_OUTPUT_DIR), name, path) != 0 ||
        cl_write(&a->run, path, bytes) != 0)
        exit(1);
}

static void save_json(struct attack *a, const char *name, json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(1));

    save(a, name, cg_span_str(text));
    free(text);
    json_decref(value);
}

static json_t *hex_of(struct cg_span bytes)
{
    char *text = malloc(2 * bytes.len + 1);

    if (!text)
        stop("hex", CG_NO_MEMORY);
    cg_hex_write(bytes, text);
    json_t *out = json_stringn(text, 2 * bytes.len);
    free(text);
    return out;
}

/* The exporter's secret lets others check the MACs as well; it is worth nothing once the
 * connection is over. */
static void save_all(struct attack *a, struct cl_link *link)
{
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(link->conn));
    const struct cg_head *seen = &a->seen;
    struct cg_secret exporter;
    struct cg_hash spki;
    char url[4096];

    if (cl_folders(&a->run, cl_text(&a->args, CL_OUTPUT_DIR)) != 0)
        exit(1);
    must(cg_tls_export(tls, CG_EXPORTER_LABEL, &exporter), "the exporter");
    must(cg_tls_peer_spki(tls, &spki), "the TLS key");
    size_t len = cg_url_chars(&a->url);
    if (len > sizeof url)
        stop("the URL", CG_TOO_LARGE);
    cg_url_write(&a->url, url);
    save(a, "gateway.tlsls", cg_buf_span(&link->document));
    save(a, "grant.cbor", cg_buf_span(&link->grant));
    save(a, "grant-answer.cbor", cg_buf_span(&link->body));
    save_json(a, "connection.json",
              json_pack("{s:o, s:o}", "exporter", hex_of(CG_BYTES(exporter.bytes)), "spki",
                        hex_of(CG_BYTES(spki.bytes))));
    cg_secret_done(&exporter);
    save_json(a, "request.json",
              json_pack("{s:s%, s:s%, s:o, s:o}", "method", seen->method.at, seen->method.len,
                        "url", url, len, "fields", fields_of(seen), "body",
                        hex_of(cg_buf_span(&a->body))));
    save_json(a, "answer.json",
              json_pack("{s:i, s:O, s:o}", "status", a->first.status, "fields", a->answer, "body",
                        hex_of(cg_buf_span(&a->first.body))));
}

/* --- the program ------------------------------------------------------------------------------ */

static void begin(struct attack *a, int argc, char **argv)
{
    static uint8_t room[4096];
    char why[512];

    cl_show_init(&a->show);
    a->run.show = &a->show;
    a->run.args = &a->args;
    if (cl_args_read(&a->args, argc - 1, (const char *const *)argv + 1, why, sizeof why) != CG_OK ||
        a->args.n_words < 2 || a->args.n_words > 3 || strlen(a->args.words[0]) >= sizeof room) {
        fputs("usage: replay --home FOLDER --trust FILE --passphrase-file FILE "
              "[--output-dir FOLDER] URL BODY|@FILE [lie]\n",
              stderr);
        exit(2);
    }
    a->show.is_verbose = cl_is_on(&a->args, CL_VERBOSE);
    must(cg_url_read(cg_span_str(a->args.words[0]), room, &a->url, NULL), "the URL");
    a->lies = a->args.n_words == 3;
    cg_buf_init(&a->body, BODY_MAX_BYTES);
    if (a->args.words[1][0] == '@')
        must(cg_file_read(a->args.words[1] + 1, BODY_MAX_BYTES, &a->body), "the body's file");
    else
        must(cg_buf_add(&a->body, cg_span_str(a->args.words[1])), "the body");
    if (a->body.len == 0)
        stop("the body is empty", CG_SHORT);
    if (cl_run_trust(&a->run) != 0 || cl_wallet_open(&a->run) != 0)
        exit(1);
    cg_arena_init(&a->arena, 1 << 20);
    cg_buf_init(&a->first.body, BODY_MAX_BYTES);
}

static void finish(struct attack *a)
{
    cl_ways_done(&a->ways);
    cl_ways_done(&a->others);
    json_decref(a->answer);
    cg_buf_done(&a->first.body);
    cg_buf_done(&a->body);
    cg_arena_done(&a->arena);
    cl_app_done(&a->run.app);
    cg_buf_wipe(&a->run.pass.text);
    cl_show_done(&a->show);
}

static void print(json_t *told)
{
    json_dumpf(told, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(told);
}

static void repeat_twice(struct attack *a, struct cl_link *link)
{
    struct talk same, other;

    if (cl_text(&a->args, CL_OUTPUT_DIR))
        save_all(a, link);
    repeat(a, link, &same);
    repeat(a, connect_to(a, &a->others), &other);
    print(json_pack("{s:{s:i, s:b}, s:o, s:o}", "first", "status", a->first.status, "verified",
                    a->is_verified, "same_connection", told(&same), "other_connection",
                    told(&other)));
    cg_buf_done(&same.body);
    cg_buf_done(&other.body);
}

int main(int argc, char **argv)
{
    static struct attack a;

    begin(&a, argc, argv);
    struct cl_link *link = connect_to(&a, &a.ways);
    send_first(&a, link);
    if (a.lies)
        print(told(&a.first));
    else if (a.first.err != CG_OK)
        stop("the first request", a.first.err);
    else
        repeat_twice(&a, link);
    finish(&a);
    return 0;
}
