/* open: connections, handshakes and grants: everything that comes before the first request. */
#include "bench/load/load.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/keyfile.h"
#include "runtime/file.h"
#include "runtime/locked.h"

#include <stdlib.h>

#define PASSPHRASE_MAX_BYTES 1024
/* Gateways take so many grants a second from one address: they are asked for one by one, and after
 * a refusal once more. */
#define GRANT_TRIES 40
#define GRANT_PAUSE_MS 250
#define GRANT_EPOCHS 30

static cg_err say(const char *what, cg_err err)
{
    fprintf(stderr, "load: %s: %s\n", what, cg_err_text(err));
    return err;
}

/* --- other servers --------------------------------------------------------------------------- */

static void on_open(struct cg_conn *conn)
{
    struct ld_conn *own = cg_conn_owner(conn);

    own->is_up = true;
    cg_loop_stop(own->run->app.loop);
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct cl_asker *asker = x->owner;

    (void)conn;
    asker->on_event(asker, what);
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct ld_conn *own = cg_conn_owner(conn);

    own->why = why == CG_OK ? CG_CLOSED : why;
    ld_conn_lost(own, own->why);
    own->is_up = true;
    cg_loop_stop(own->run->app.loop);
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

static void on_dialled(void *owner, struct cg_call *call)
{
    struct ld_conn *own = owner;
    struct ld_run *run = own->run;
    struct cg_engine *engine;
    struct cg_peer peer;

    own->why = call->err;
    if (own->why == CG_OK) {
        int fd = cg_dial_take(call, &peer);

        own->why = cg_client_engine(&run->client, &peer, run->app.loop, &engine);
        if (own->why == CG_OK)
            own->why = cg_conn_new(run->app.loop, fd, &peer, engine, &events, own, &own->conn);
    }
    if (own->why != CG_OK) {
        own->is_up = true;
        cg_loop_stop(run->app.loop);
    }
}

static cg_err open_plain(struct ld_conn *conn)
{
    struct ld_run *run = conn->run;
    struct cl_app *app = &run->app;

    CG_TRY(cg_slot_open(app->loop, on_dialled, conn, &conn->ticket));
    CG_TRY(cg_dial_begin(app->resolver, &run->target, conn->ticket, 1,
                         cg_mono_after(cg_loop_mono(app->loop), app->connect_ms)));
    CG_TRY(cl_app_wait(app, &conn->is_up, app->connect_ms));
    return conn->why;
}

static cg_err prepare_plain(struct ld_run *run, bool is_tls)
{
    const struct ld_options *o = run->options;
    struct cg_span rest = cg_span_from(cg_span_str(o->url), is_tls ? 8 : 7);
    struct cg_span host = cg_span_first(rest, cg_span_find(rest, '/'));
    size_t colon = cg_span_find(host, ':');
    const struct cg_engine_conf conf = {.idle_ms = 600000, .in_max_bytes = 1 << 20};
    uint32_t port = 0;

    run->path = cg_span_from(rest, host.len);
    if (run->path.len == 0)
        run->path = CG_LIT("/");
    for (size_t i = colon + 1; i < host.len && port <= UINT16_MAX; i++) {
        if (host.at[i] < '0' || host.at[i] > '9')
            return CG_SYNTAX;
        port = port * 10 + (uint32_t)(host.at[i] - '0');
    }
    if (port == 0)
        port = is_tls ? 443 : 80;
    if (host.len == 0 || port > UINT16_MAX)
        return CG_SYNTAX;
    run->host = host;
    run->target = (struct cg_target){.host = cg_span_first(host, colon), .port = (uint16_t)port};
    if (is_tls) {
        /* Whose server it is does not matter here. */
        const struct cg_tls_client_options tls = {
            .kind = CG_TLS_SERVICES, .trust = CG_TRUST_LATER, .h1_only = o->is_h1};

        CG_TRY(cg_tls_conf_client(&tls, &run->tls));
    }
    CG_TRY(cg_client_init(&run->client, run->tls, run->target.host, &conf));
    if (!is_tls)
        run->client.speaks = o->is_h1 ? CG_SPEAKS_H1 : CG_SPEAKS_H2;
    return CG_OK;
}

/* --- gateways -------------------------------------------------------------------------------- */

static cg_err open_key(struct ld_run *run, struct cg_span file, struct cg_span passphrase)
{
    struct cl_app *app = &run->app;
    struct cg_keyfile keyfile;
    struct cg_keyfile_content content;

    CG_TRY(cg_keyfile_read(file, &keyfile));
    CG_TRY(cg_keyfile_open(app->crypto, &keyfile, passphrase, &content));
    cg_err err = cg_locked_new(&content.seed, &app->wallet.seed);
    cg_keyfile_content_done(&content);
    return err;
}

static cg_err read_key(struct ld_run *run, struct cg_span file)
{
    char path[sizeof run->app.folder + 32];
    struct cg_buf passphrase = {0};

    snprintf(path, sizeof path, "%s/passphrase", run->app.folder);
    CG_TRY(cg_file_read(run->options->passphrase ? run->options->passphrase : path,
                        PASSPHRASE_MAX_BYTES, &passphrase));
    struct cg_span text = cg_buf_span(&passphrase);
    while (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    cg_err err = open_key(run, file, text);
    cg_buf_wipe(&passphrase);
    return err;
}

/* As httpcg keeps it: wallet.hck and wallet.doc in one folder. */
static cg_err read_wallet(struct ld_run *run)
{
    struct cl_app *app = &run->app;
    struct cg_buf file = {0};
    struct cg_wallet_doc doc;
    char path[sizeof app->folder + 32];

    snprintf(path, sizeof path, "%s/wallet.hck", app->folder);
    CG_TRY(cg_file_read(path, CG_KEYFILE_MAX_BYTES, &file));
    cg_err err = read_key(run, cg_buf_span(&file));
    cg_buf_done(&file);
    CG_TRY(err);
    snprintf(path, sizeof path, "%s/wallet.doc", app->folder);
    CG_TRY(cg_file_read(path, CG_DOCUMENT_MAX_BYTES, &app->wallet.doc));
    CG_TRY(cg_wallet_doc_read(cg_buf_span(&app->wallet.doc), &doc));
    return cg_wallet_doc_address(&doc, &app->wallet.waddr);
}

static cg_err prepare_native(struct ld_run *run)
{
    const struct ld_options *o = run->options;
    struct cl_app *app = &run->app;
    struct cg_span text = cg_span_str(o->url);

    run->is_native = true;
    run->url_room = malloc(CG_URL_ROOM(text.len));
    if (!run->url_room)
        return CG_NO_MEMORY;
    CG_TRY(cg_url_read(text, run->url_room, &run->url, NULL));
    if (cl_app_trust(app, o->trust) != 0)
        return CG_CONFIG;
    if (o->is_grant) {
        cg_err err = read_wallet(run);

        if (err != CG_OK)
            return say("the wallet", err);
    }
    app->epochs = GRANT_EPOCHS;
    if (o->is_h1) {
        const struct cg_tls_client_options tls = {
            .kind = CG_TLS_NATIVE, .trust = CG_TRUST_LATER, .h1_only = true, .pad_to = 512};

        cg_tls_conf_unref(app->native_tls);
        app->native_tls = NULL;
        CG_TRY(cg_tls_conf_client(&tls, &app->native_tls));
    }
    CG_TRY(cl_resolve(app, cg_span_str(cg_plane_name(run->url.plane)), run->url.authority,
                      &run->resolved));
    return run->resolved.result.record.n_gateways > 0 ? CG_OK : CG_NOT_FOUND;
}

static void on_linked(struct cl_link *link, cg_err err)
{
    struct ld_conn *conn = link->owner;

    conn->is_up = true;
    conn->why = err;
    conn->conn = link->conn;
    if (err != CG_OK)
        ld_conn_lost(conn, err);
    cg_loop_stop(link->app->loop);
}

static cg_err try_native(struct ld_conn *conn, struct cg_span scope)
{
    struct ld_run *run = conn->run;
    const struct cg_record *record = &run->resolved.result.record;
    const struct cl_link_ask ask = {
        .gateway = record->gateways[0],
        .gateway_dids = record->gateway_dids,
        .n_gateway_dids = record->n_gateway_dids,
        .scope = &scope,
        .n_scope = 1,
        .is_anonymous = !run->options->is_grant,
        .on_done = on_linked,
        .owner = conn,
    };

    conn->is_up = false;
    CG_TRY(cl_link_open(&run->app, &ask, &conn->link));
    CG_TRY(cl_app_wait(&run->app, &conn->is_up, run->app.connect_ms));
    return conn->why;
}

static cg_err open_native(struct ld_conn *conn)
{
    struct ld_run *run = conn->run;
    char scope[512];

    cg_url_name_write(&run->url, scope);
    for (int i = 0;; i++) {
        cg_err err = try_native(conn, cg_span_of(scope, cg_url_name_chars(&run->url)));

        if (err == CG_OK || i == GRANT_TRIES)
            return err;
        cl_link_free(conn->link);
        conn->link = NULL;
        (void)cg_loop_run_for(run->app.loop, GRANT_PAUSE_MS);
    }
}

/* --- all of them ----------------------------------------------------------------------------- */

cg_err ld_open(struct ld_run *run)
{
    const struct ld_options *o = run->options;
    struct cg_span url = cg_span_str(o->url);
    cg_err err;

    if (cg_span_starts(url, CG_LIT("https://")))
        err = prepare_plain(run, true);
    else if (cg_span_starts(url, CG_LIT("http://")))
        err = prepare_plain(run, false);
    else
        err = prepare_native(run);
    if (err == CG_OK && o->is_grant && !run->is_native)
        err = CG_UNSUPPORTED;
    if (err != CG_OK)
        return say(o->url, err);
    run->conns = calloc(o->n_conns, sizeof *run->conns);
    run->latencies = calloc(o->n_requests + o->n_conns, sizeof *run->latencies);
    if (!run->conns || !run->latencies)
        return say("memory", CG_NO_MEMORY);
    for (unsigned i = 0; i < o->n_conns; i++) {
        struct ld_conn *conn = &run->conns[i];

        conn->run = run;
        err = run->is_native ? open_native(conn) : open_plain(conn);
        if (err == CG_OK)
            err = ld_conn_head(conn);
        if (err != CG_OK)
            return say("connection", err);
    }
    return CG_OK;
}

void ld_close(struct ld_run *run)
{
    for (unsigned i = 0; run->conns && i < run->options->n_conns; i++) {
        struct ld_conn *conn = &run->conns[i];

        if (conn->link)
            cl_link_free(conn->link);
        else if (conn->conn)
            cg_conn_close(conn->conn, CG_OK);
        ld_stock_done(&conn->stock);
        cg_arena_done(&conn->arena);
        for (unsigned k = 0; k < run->options->n_streams; k++)
            cg_hasher_free(conn->streams[k].hasher);
        if (run->app.loop)
            cg_slot_end(run->app.loop, conn->ticket);
    }
    if (run->app.loop)
        (void)cg_loop_run_for(run->app.loop, 50);
    free(run->conns);
    free(run->latencies);
    free(run->url_room);
    cg_tls_conf_unref(run->tls);
    cl_resolved_done(&run->resolved);
    cl_app_done(&run->app);
}
