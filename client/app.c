#include "client/app.h"

#include "client/heads.h"
#include "client/interrupt.h"
#include "client/show.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/file.h"

#include <stdlib.h>

#define CA_MAX_BYTES (4 * 1024 * 1024)
#define CONNECT_MS 10000
/* The longest that the loop runs without a look at the clock. */
#define STEP_US 3600000000

cg_err cl_app_home(const char *home, char *out, size_t room)
{
    const char *own = home ? home : getenv("HTTPCG_HOME"), *config = getenv("XDG_CONFIG_HOME");
    const char *user = getenv("HOME");
    int n;

    if (own && own[0])
        n = snprintf(out, room, "%s", own);
    else if (config && config[0])
        n = snprintf(out, room, "%s/httpcg", config);
    else if (user && user[0])
        n = snprintf(out, room, "%s/.config/httpcg", user);
    else
        return CG_CONFIG;
    return n > 0 && (size_t)n < room ? CG_OK : CG_TOO_LARGE;
}

/* The system's certificates may be absent: whoever then meets https is told. */
static cg_err read_ca(struct cl_app *app, const char *ca_file)
{
    const char *chosen = ca_file ? ca_file : getenv("SSL_CERT_FILE");
    const char *file = chosen ? chosen : "/etc/ssl/certs/ca-certificates.crt";
    cg_err err = cg_file_read(file, CA_MAX_BYTES, &app->ca_pem);

    if (err == CG_OK)
        return CG_OK;
    app->ca_pem = (struct cg_buf){0};
    return chosen ? CG_CONFIG : CG_OK;
}

cg_err cl_app_init(struct cl_app *app, struct cl_show *show, const char *home, const char *ca_file)
{
    const struct cg_pool_options pool = {
        .idle_max_ms = 30000, .n_per_key_max = 8, .n_max = 32, .n_waiting_max = 64};

    *app = (struct cl_app){.show = show, .connect_ms = CONNECT_MS};
    CG_TRY(cl_app_home(home, app->folder, sizeof app->folder - 64));
    CG_TRY(cg_crypto_new(&app->crypto));
    CG_TRY(cg_kit_new(app->crypto, &app->kit));
    CG_TRY(cg_loop_new(&app->loop));
    CG_TRY(cg_resolver_new(app->loop, &(struct cg_resolver_options){0}, &app->resolver));
    CG_TRY(cg_pool_new(app->loop, app->resolver, &pool, &app->pool));
    CG_TRY(read_ca(app, ca_file));
    const struct cg_tls_client_options native = {
        .kind = CG_TLS_NATIVE, .trust = CG_TRUST_LATER, .pad_to = 512};
    const struct cg_tls_client_options service = {
        .kind = CG_TLS_SERVICES, .trust = CG_TRUST_WEBPKI, .ca_pem = cg_buf_span(&app->ca_pem)};
    CG_TRY(cg_tls_conf_client(&native, &app->native_tls));
    if (app->ca_pem.len > 0)
        CG_TRY(cg_tls_conf_client(&service, &app->service_tls));
    return CG_OK;
}

void cl_app_done(struct cl_app *app)
{
    cg_pool_free(app->pool);
    cg_resolver_free(app->resolver);
    if (app->loop)
        cg_loop_free(app->loop);
    cg_tls_conf_unref(app->native_tls);
    cg_tls_conf_unref(app->service_tls);
    cg_store_free(app->seen);
    cg_trust_free(app->trust);
    cg_locked_free(app->wallet.seed);
    cg_buf_done(&app->wallet.doc);
    cg_buf_done(&app->ca_pem);
    for (size_t i = 0; i < app->n_creds; i++)
        cg_buf_done(&app->creds[i]);
    cg_kit_free(app->kit);
    cg_crypto_free(app->crypto);
    *app = (struct cl_app){0};
}

static int open_seen(struct cl_app *app)
{
    char path[sizeof app->folder + 16], why[CG_STORE_WHY_BYTES] = "";

    snprintf(path, sizeof path, "%s/seen.db", app->folder);
    cg_err err = cg_folder_make(app->folder);
    if (err == CG_OK)
        err = cg_store_open_sqlite(path, why, &app->seen);
    if (err != CG_OK)
        return cl_fail(app->show, CL_EXIT_WRITE, err,
                       "what was seen of names and ledgers is kept there, so that nobody can take "
                       "it back; --home names another folder",
                       "cannot open %s%s%s", path, why[0] ? ": " : "", why);
    for (size_t i = 0; i < app->trust->n_logs; i++) {
        struct cg_seen_log seen;

        if (cg_store_seen_log_newest(app->seen, CG_BYTES(app->trust->log_ids[i].bytes), &seen) ==
            CG_OK)
            app->heads[i] = (struct cg_tlog_seen){seen.size, seen.root, seen.time};
    }
    return 0;
}

int cl_app_trust(struct cl_app *app, const char *file)
{
    char path[sizeof app->folder + 16];
    struct cg_buf text = {0};
    struct cg_trust_fault fault = {0};

    snprintf(path, sizeof path, "%s/trust.conf", app->folder);
    file = file ? file : getenv("HTTPCG_TRUST");
    file = file ? file : path;
    cg_err err = cg_file_read(file, CG_TRUST_MAX_BYTES, &text);
    if (err == CG_NOT_FOUND)
        return cl_fail(app->show, CL_EXIT_TRUST, CG_OK,
                       "it says which ledger and registry to believe: get it from who runs them, "
                       "or name it with --trust",
                       "there is no trust file %s", file);
    if (err != CG_OK)
        return cl_fail(app->show, CL_EXIT_TRUST, err,
                       "it says which ledger and registry to believe: get it from who runs them, "
                       "or name it with --trust",
                       "cannot read the trust file %s", file);
    err = cg_trust_read(app->crypto, cg_buf_span(&text), &app->trust, &fault);
    cg_buf_done(&text);
    if (err != CG_OK)
        return cl_fail(app->show, CL_EXIT_TRUST, CG_OK,
                       "get it anew from who runs the registry; httpcg trust make writes one",
                       "%s:%u: %s", file, fault.line, fault.text ? fault.text : cg_err_text(err));
    return open_seen(app);
}

cg_err cl_app_wait(struct cl_app *app, const bool *done, int64_t timeout_ms)
{
    int64_t until = timeout_ms > 0 ? cg_clock_mono().us + timeout_ms * 1000 : INT64_MAX;

    if (app->until.us > 0 && app->until.us < until)
        until = app->until.us;
    while (!*done) {
        if (cl_interrupt_pending())
            return CG_CANCELLED;
        int64_t left_us = until - cg_clock_mono().us;

        if (left_us <= 0)
            return CG_TIMEOUT;
        cg_loop_run_for(app->loop, left_us < STEP_US ? left_us / 1000 + 1 : STEP_US / 1000);
    }
    return CG_OK;
}

void cl_app_wake(struct cl_app *app)
{
    cg_loop_stop(app->loop);
}

void cl_app_detour(const struct cl_app *app, struct cg_span *host, uint16_t *port)
{
    for (size_t i = 0; i < app->n_detours; i++) {
        const struct cl_detour *detour = &app->detours[i];

        if ((detour->from_host[0] && !cg_span_eq_nocase(cg_span_str(detour->from_host), *host)) ||
            (detour->from_port && detour->from_port != *port))
            continue;
        if (detour->to_host[0])
            *host = cg_span_str(detour->to_host);
        if (detour->to_port)
            *port = detour->to_port;
        return;
    }
}

void cl_app_say_unwitnessed(struct cl_app *app)
{
    if (!app->said_unwitnessed)
        cl_show_warn(app->show, "quorum none: no witness watches the ledger; its operator alone is "
                                "believed");
    app->said_unwitnessed = true;
}

cg_err cl_wallet_signer(const struct cl_app *app, struct cg_signer **out)
{
    if (!app->wallet.seed)
        return CG_UNKNOWN;
    return cg_key_heap_signer(app->crypto, cg_locked_get(app->wallet.seed), out);
}

cg_err cl_app_remember(struct cl_app *app, size_t log, const struct cg_tlog_seen *head)
{
    const struct cg_seen_log seen = {head->size, head->root, head->time};

    if (head->size <= app->heads[log].size)
        return CG_OK;
    if (app->seen) {
        CG_TRY(cg_store_seen_log(app->seen, CG_BYTES(app->trust->log_ids[log].bytes), &seen));
        CG_TRY(cl_heads_add(app, log, head));
    }
    app->heads[log] = *head;
    return CG_OK;
}
