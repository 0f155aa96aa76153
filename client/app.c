#include "client/app.h"

#include "client/show.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/file.h"

#include <stdlib.h>

#define CA_MAX_BYTES (4 * 1024 * 1024)
#define TIMEOUT_MS 60000
#define CONNECT_MS 10000

static cg_err find_folder(struct cl_app *app)
{
    const char *own = getenv("HTTPCG_HOME"), *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int n;

    if (own && own[0])
        n = snprintf(app->folder, sizeof app->folder, "%s", own);
    else if (config && config[0])
        n = snprintf(app->folder, sizeof app->folder, "%s/httpcg", config);
    else if (home && home[0])
        n = snprintf(app->folder, sizeof app->folder, "%s/.config/httpcg", home);
    else
        return CG_CONFIG;
    return n > 0 && (size_t)n < sizeof app->folder - 64 ? CG_OK : CG_TOO_LARGE;
}

static void read_ca(struct cl_app *app)
{
    const char *file = getenv("SSL_CERT_FILE");

    if (cg_file_read(file ? file : "/etc/ssl/certs/ca-certificates.crt", CA_MAX_BYTES,
                     &app->ca_pem) != CG_OK)
        app->ca_pem = (struct cg_buf){0};
}

cg_err cl_app_init(struct cl_app *app, struct cl_show *show)
{
    const struct cg_pool_options pool = {
        .idle_max_ms = 30000, .n_per_key_max = 8, .n_max = 32, .n_waiting_max = 64};

    *app = (struct cl_app){.show = show, .timeout_ms = TIMEOUT_MS, .connect_ms = CONNECT_MS};
    CG_TRY(find_folder(app));
    CG_TRY(cg_crypto_new(&app->crypto));
    CG_TRY(cg_kit_new(app->crypto, &app->kit));
    CG_TRY(cg_loop_new(&app->loop));
    CG_TRY(cg_resolver_new(app->loop, &(struct cg_resolver_options){0}, &app->resolver));
    CG_TRY(cg_pool_new(app->loop, app->resolver, &pool, &app->pool));
    read_ca(app);
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
    cg_signer_free(app->wallet.signer);
    cg_buf_done(&app->wallet.doc);
    cg_buf_done(&app->ca_pem);
    cg_kit_free(app->kit);
    cg_crypto_free(app->crypto);
    *app = (struct cl_app){0};
}

static cg_err open_seen(struct cl_app *app)
{
    char path[sizeof app->folder + 16], why[CG_STORE_WHY_BYTES];

    CG_TRY(cg_folder_make(app->folder));
    snprintf(path, sizeof path, "%s/seen.db", app->folder);
    cg_err err = cg_store_open_sqlite(path, why, &app->seen);
    if (err != CG_OK) {
        fprintf(app->show->err, "%s: cannot open %s: %s\n", app->show->program, path, why);
        return err;
    }
    for (size_t i = 0; i < app->trust->n_logs; i++) {
        struct cg_seen_log seen;

        if (cg_store_seen_log_newest(app->seen, CG_BYTES(app->trust->log_ids[i].bytes), &seen) ==
            CG_OK)
            app->heads[i] = (struct cg_tlog_seen){seen.size, seen.root, seen.time};
    }
    return CG_OK;
}

cg_err cl_app_trust(struct cl_app *app, const char *file)
{
    char path[sizeof app->folder + 16];
    struct cg_buf text = {0};
    struct cg_trust_fault fault = {0};

    snprintf(path, sizeof path, "%s/trust.conf", app->folder);
    file = file ? file : getenv("HTTPCG_TRUST");
    file = file ? file : path;
    cg_err err = cg_file_read(file, CG_TRUST_MAX_BYTES, &text);
    if (err != CG_OK) {
        fprintf(app->show->err,
                "%s: cannot read the trust file %s: %s\n"
                "%s: it says which ledger and registry to believe; get it from who runs them, or "
                "name it with --trust\n",
                app->show->program, file, cg_err_text(err), app->show->program);
        return CG_CONFIG;
    }
    err = cg_trust_read(app->crypto, cg_buf_span(&text), &app->trust, &fault);
    cg_buf_done(&text);
    if (err != CG_OK) {
        fprintf(app->show->err, "%s: %s:%u: %s\n", app->show->program, file, fault.line,
                fault.text ? fault.text : cg_err_text(err));
        return err;
    }
    return open_seen(app);
}

cg_err cl_app_wait(struct cl_app *app, const bool *done, int64_t timeout_ms)
{
    int64_t until = cg_clock_mono().us + timeout_ms * 1000;

    while (!*done) {
        int64_t left_ms = timeout_ms > 0 ? (until - cg_clock_mono().us) / 1000 : 1000;

        if (left_ms <= 0)
            return CG_TIMEOUT;
        cg_loop_run_for(app->loop, left_ms);
    }
    return CG_OK;
}

cg_err cl_app_remember(struct cl_app *app, size_t log, const struct cg_tlog_seen *head)
{
    const struct cg_seen_log seen = {head->size, head->root, head->time};

    if (head->size <= app->heads[log].size)
        return CG_OK;
    if (app->seen)
        CG_TRY(cg_store_seen_log(app->seen, CG_BYTES(app->trust->log_ids[log].bytes), &seen));
    app->heads[log] = *head;
    return CG_OK;
}
