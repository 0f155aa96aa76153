#include "httpcgd/process.h"

#include "gateway/evidence.h"
#include "gateway/gateway.h"
#include "gateway/options.h"
#include "ledger/ledger.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "registry/registry.h"
#include "runtime/admin.h"
#include "runtime/file.h"
#include "runtime/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CA_MAX_BYTES (4 * 1024 * 1024)

const struct cg_option_table *const cd_tables[] = {&cg_option_table_common, &gw_option_table,
                                                   &rg_option_table, &lg_option_table};
const size_t cd_n_tables = CG_COUNT(cd_tables);

static bool has_duty(const struct cg_config *config, enum cg_duty duty)
{
    const struct cg_list *roles = &cg_config_common(config)->roles;

    for (size_t i = 0; i < roles->n; i++)
        if (*CG_LIST_AT(*roles, int, i) == (int)duty)
            return true;
    return false;
}

/* --- what all roles need -----------------------------------------------------------------------
 */

static cg_err read_trust(struct cd_process *p, struct cg_problems *problems)
{
    const char *file = cg_config_common(p->config)->trust;
    struct cg_buf text = {0};
    struct cg_trust_fault fault = {0};

    if (!file) {
        cg_problem_add(problems, "trust", 0, 0,
                       "is not set; name the trust file that says which log and registry to "
                       "believe");
        return CG_CONFIG;
    }
    cg_err err = cg_file_read(file, CG_TRUST_MAX_BYTES, &text);
    if (err != CG_OK) {
        cg_problem_add(problems, file, 0, 0, "cannot be read: %s (trust)", cg_err_text(err));
        return CG_CONFIG;
    }
    err = cg_trust_read(p->crypto, cg_buf_span(&text), &p->trust, &fault);
    cg_buf_done(&text);
    if (err == CG_CONFIG)
        cg_problem_add(problems, file, fault.line, 0, "%s", fault.text);
    if (err == CG_OK && p->trust->quorum.is_none)
        cg_log(p->log, WARN, quorum_none, CG_STR("file", file));
    return err;
}

/* The certificates this machine trusts; without any only local: endpoints and plain backends work.
 */
static void read_ca(struct cd_process *p)
{
    const char *file = getenv("SSL_CERT_FILE");

    if (cg_file_read(file ? file : "/etc/ssl/certs/ca-certificates.crt", CA_MAX_BYTES,
                     &p->ca_pem) != CG_OK)
        p->ca_pem = (struct cg_buf){0};
}

static size_t count_cores(int64_t asked)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return asked > 0 ? (size_t)asked : cores > 0 ? (size_t)cores : 1;
}

static cg_err make_common(struct cd_process *p, struct cg_problems *problems)
{
    const struct cg_options *options = cg_config_common(p->config);
    const struct cg_metric_table *const metric_tables[] = {&gw_metric_table};
    const struct cg_pool_options pool = {
        .idle_max_ms = 30000, .n_per_key_max = 8, .n_max = 64, .n_waiting_max = 1024};

    CG_TRY(cg_crypto_new(&p->crypto));
    CG_TRY(read_trust(p, problems));
    read_ca(p);
    CG_TRY(cg_metrics_new(metric_tables, 1, count_cores(options->threads.loops) + 1, &p->metrics));
    CG_TRY(cg_workers_new("crypto", (unsigned)count_cores(options->threads.crypto), 1024,
                          &p->workers));
    CG_TRY(cg_loop_new(&p->service));
    CG_TRY(cg_locals_new(&p->locals));
    CG_TRY(cg_resolver_new(p->service, &(struct cg_resolver_options){0}, &p->resolver));
    CG_TRY(cg_pool_new(p->service, p->resolver, &pool, &p->pool));
    cg_err err = cg_folder_make(options->state);
    if (err != CG_OK) {
        cg_problem_add(problems, options->state, 0, 0,
                       "cannot be made or is not private to this user (state)");
        return CG_CONFIG;
    }
    err = cg_folder_lock(options->state, &p->state_lock);
    if (err != CG_OK) {
        cg_problem_add(problems, options->state, 0, 0, "%s (state)",
                       err == CG_CONFLICT
                           ? "is in use by another httpcgd; stop that one, or choose "
                             "another folder"
                           : "cannot be written to");
        return err;
    }
    snprintf(p->database, sizeof p->database, "%s/httpcg.db", options->state);
    return CG_OK;
}

/* --- ledger and registry -----------------------------------------------------------------------
 */

static cg_err start_ledger(struct cd_process *p, struct cg_problems *problems)
{
    const struct lg_setup setup = {
        .options = cg_config_values(p->config, &lg_option_table),
        .database = p->database,
        .crypto = p->crypto,
        .log = p->log,
        .loop = p->service,
        .workers = p->workers,
    };

    CG_TRY(lg_start(&setup, problems, &p->ledger));
    p->tables[p->n_tables++] = lg_routes(p->ledger);
    return cg_locals_add(p->locals, p->service, lg_routes(p->ledger));
}

static cg_err make_ledger_endpoint(struct cd_process *p, const char *url,
                                   struct cg_problems *problems)
{
    struct cg_span host = {NULL, 0};
    bool is_tls = cg_span_starts(cg_span_str(url), CG_LIT("https://"));
    const struct cg_tls_client_options tls = {
        .kind = CG_TLS_SERVICES, .trust = CG_TRUST_WEBPKI, .ca_pem = cg_buf_span(&p->ca_pem)};

    if (is_tls) {
        host = cg_span_from(cg_span_str(url), 8);
        host = cg_span_first(host, cg_span_find(host, '/'));
        host = cg_span_first(host, cg_span_find(host, ':'));
        CG_TRY(cg_tls_conf_client(&tls, &p->client_tls));
    }
    CG_TRY(cg_client_init(&p->ledger_client, p->client_tls, host, &(struct cg_engine_conf){0}));
    const struct cg_endpoint_options options = {
        .url = url,
        .locals = p->locals,
        .pool = p->pool,
        .engine = cg_client_engine,
        .engine_ctx = &p->ledger_client,
    };
    cg_err err = cg_endpoint_new(p->service, &options, &p->ledger_endpoint);
    if (err == CG_CONFIG)
        cg_problem_add(problems, "registry.ledger", 0, 0,
                       "%s cannot be used; write https://host, or local:ledger where that role "
                       "runs in this process",
                       url);
    return err;
}

static cg_err start_registry(struct cd_process *p, struct cg_problems *problems)
{
    const struct rg_options *options = cg_config_values(p->config, &rg_option_table);
    struct rg_setup setup = {
        .options = options,
        .database = p->database,
        .crypto = p->crypto,
        .trust = p->trust,
        .log = p->log,
        .loop = p->service,
        .workers = p->workers,
    };

    CG_TRY(make_ledger_endpoint(p, options->ledger, problems));
    setup.ledger = p->ledger_endpoint;
    CG_TRY(rg_start(&setup, problems, &p->registry));
    p->tables[p->n_tables++] = rg_routes(p->registry);
    return cg_locals_add(p->locals, p->service, rg_routes(p->registry));
}

/* --- the gateway
 * ---------------------------------------------------------------------------------- */

/* Where there is a services listener, backends fetch from it. */
static cg_err make_evidence(struct cd_process *p)
{
    if (cg_config_common(p->config)->listen.services.n == 0)
        return CG_OK;
    CG_TRY(gw_evidence_new(p->service, &p->evidence));
    p->tables[p->n_tables++] = gw_evidence_routes(p->evidence);
    return CG_OK;
}

static cg_err start_gateway(struct cd_process *p, struct cg_problems *problems)
{
    const struct cg_options *options = cg_config_common(p->config);
    const struct gw_setup setup = {
        .crypto = p->crypto,
        .trust = p->trust,
        .config = cg_daemon_config(p->daemon),
        .log = p->log,
        .metrics = p->metrics,
        .workers = p->workers,
        .service = p->service,
        .locals = p->locals,
        .evidence = p->evidence,
        .ca_pem = cg_buf_span(&p->ca_pem),
        .n_threads = count_cores(options->threads.loops),
    };

    return gw_start(&setup, problems, &p->gateway);
}

static const char *ledger_misses(void *ctx)
{
    const char *why = NULL;

    return lg_is_ready(((struct cd_process *)ctx)->ledger, &why) ? NULL : why;
}

static const char *registry_misses(void *ctx)
{
    const char *why = NULL;

    return rg_is_ready(((struct cd_process *)ctx)->registry, &why) ? NULL : why;
}

static const char *gateway_misses(void *ctx)
{
    const char *why = NULL;

    return gw_is_ready(((struct cd_process *)ctx)->gateway, &why) ? NULL : why;
}

static const char *gateway_notes(void *ctx)
{
    return gw_note(((struct cd_process *)ctx)->gateway);
}

static cg_err start_admin(struct cd_process *p, struct cg_problems *problems)
{
    const struct cg_admin_setup setup = {
        .daemon = p->daemon,
        .metrics = p->metrics,
        .table = &gw_option_table,
        .key = "routes",
    };

    CG_TRY(cg_admin_new(&setup, &p->admin));
    if (p->ledger)
        CG_TRY(cg_admin_condition(p->admin, "ledger", ledger_misses, p));
    if (p->registry)
        CG_TRY(cg_admin_condition(p->admin, "registry", registry_misses, p));
    if (p->gateway) {
        CG_TRY(cg_admin_condition(p->admin, "gateway", gateway_misses, p));
        CG_TRY(cg_admin_note(p->admin, "renewal", gateway_notes, p));
    }
    const struct cg_route_table *commands[1];
    size_t n_commands = 0;
    if (p->registry)
        commands[n_commands++] = rg_commands(p->registry, p->admin);
    return cg_admin_listen(p->admin, p->service, p->config, commands, n_commands, problems);
}

/* --- the part
 * -------------------------------------------------------------------------------------- */

static void *run_service(void *arg)
{
    struct cd_process *p = arg;

    cg_loop_run(p->service);
    return NULL;
}

static cg_err start(void *ctx, struct cg_config *config, struct cg_problems *problems)
{
    struct cd_process *p = ctx;

    p->config = cg_config_ref(config);
    CG_TRY(make_common(p, problems));
    if (has_duty(config, CG_DUTY_LEDGER))
        CG_TRY(start_ledger(p, problems));
    if (has_duty(config, CG_DUTY_REGISTRY))
        CG_TRY(start_registry(p, problems));
    if (has_duty(config, CG_DUTY_GATEWAY))
        CG_TRY(make_evidence(p));
    if (p->n_tables > 0)
        CG_TRY(cd_services_listen(p, problems));
    if (has_duty(config, CG_DUTY_GATEWAY))
        CG_TRY(start_gateway(p, problems));
    CG_TRY(start_admin(p, problems));
    if (pthread_create(&p->thread, NULL, run_service, p) != 0) {
        cg_problem_attempt(problems, CG_ATTEMPT_THREAD, "the service loop", NULL, 0);
        return CG_IO;
    }
    p->is_running = true;
    cd_beats_begin(p);
    return CG_OK;
}

static void reload(void *ctx, struct cg_config *config)
{
    struct cd_process *p = ctx;

    (void)config;
    if (p->gateway)
        gw_reload(p->gateway);
}

static void on_server_drained(void *ctx)
{
    struct cd_process *p = ctx;

    if (++p->n_drained == p->n_servers)
        p->servers_drained = true;
}

#define PROCESS_OF(t) ((struct cd_process *)((char *)(t)-offsetof(struct cd_process, draining)))

static void on_drain(struct cg_task *task)
{
    struct cd_process *p = PROCESS_OF(task);
    struct cg_mono limit =
        cg_mono_after(cg_loop_mono(p->service), cg_config_common(p->config)->drain.stop_ms);

    if (p->ledger)
        lg_drain(p->ledger);
    if (p->registry)
        rg_drain(p->registry);
    for (size_t i = 0; i < p->n_servers; i++)
        cg_server_drain(p->servers[i], limit, on_server_drained, p);
    if (p->n_servers == 0)
        p->servers_drained = true;
}

static void drain(void *ctx)
{
    struct cd_process *p = ctx;

    if (p->gateway)
        gw_drain(p->gateway);
    p->draining.run = on_drain;
    cg_loop_post(p->service, &p->draining);
}

static bool is_drained(void *ctx)
{
    struct cd_process *p = ctx;

    return (!p->gateway || gw_is_drained(p->gateway)) && p->servers_drained;
}

/* What was on its way between loops arrives, now that none of them runs. */
static void end_loops(struct cd_process *p)
{
    struct cg_loop *loops[1 + CD_LOOPS_MAX];
    size_t n = 0;

    if (p->service)
        loops[n++] = p->service;
    for (size_t i = 0; i < CD_LOOPS_MAX && gw_loop(p->gateway, i); i++)
        loops[n++] = gw_loop(p->gateway, i);
    cg_loops_end(loops, n);
}

/* The opposite order of the start; loops last, since calls may end on them until then. */
static void stop(void *ctx)
{
    struct cd_process *p = ctx;

    cd_beats_end(p);
    gw_stop(p->gateway);
    if (p->is_running) {
        cg_loop_stop(p->service);
        pthread_join(p->thread, NULL);
        p->is_running = false;
    }
    if (p->admin)
        cg_admin_close(p->admin);
    cg_admin_free(p->admin);
    for (size_t i = 0; i < p->n_servers; i++)
        cg_server_free(p->servers[i]);
    cg_workers_free(p->workers);
    gw_end(p->gateway);
    rg_stop(p->registry);
    lg_stop(p->ledger);
    end_loops(p);
    gw_free(p->gateway);
    gw_evidence_free(p->evidence);
    cg_endpoint_free(p->ledger_endpoint);
    cg_pool_free(p->pool);
    cg_resolver_free(p->resolver);
    if (p->service)
        cg_loop_free(p->service);
    cg_locals_free(p->locals);
    cg_tls_sites_unref(p->sites);
    cg_tls_site_unref(p->site);
    cg_tls_conf_unref(p->server_tls);
    cg_tls_conf_unref(p->client_tls);
    cg_metrics_free(p->metrics);
    cg_buf_done(&p->ca_pem);
    cg_trust_free(p->trust);
    cg_crypto_free(p->crypto);
    cg_config_unref(p->config);
    if (p->state_lock >= 0)
        close(p->state_lock);
    struct cg_log *log = p->log;
    struct cg_daemon *daemon = p->daemon;
    *p = (struct cd_process){.log = log, .daemon = daemon, .state_lock = -1};
}

cg_err cd_process_new(struct cg_log *log, struct cd_process **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return CG_NO_MEMORY;
    (*out)->log = log;
    (*out)->state_lock = -1;
    return CG_OK;
}

void cd_process_free(struct cd_process *process)
{
    free(process);
}

void cd_process_set_daemon(struct cd_process *process, struct cg_daemon *daemon)
{
    process->daemon = daemon;
}

struct cg_part cd_process_part(struct cd_process *process)
{
    return (struct cg_part){"roles", start, reload, drain, is_drained, stop, process};
}
