/* load: sends requests and prints what they cost the other end. */
#include "bench/load/load.h"

#include "lib/base/try.h"
#include "runtime/clock.h"
#include "session/stack.h"

#include <jansson.h>
#include <stdlib.h>

struct figures {
    struct cg_mono from, to;
    uint64_t server_ns, own_ns;
};

/* "ready", and on with the next line of standard input. */
static cg_err hold(void)
{
    char line[16];

    fputs("ready\n", stdout);
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? CG_OK : CG_CANCELLED;
}

static cg_err sign_ahead(struct ld_run *run, uint64_t n_per_conn)
{
    for (unsigned i = 0; i < run->options->n_conns && run->options->is_grant; i++)
        CG_TRY(ld_stock_make(&run->conns[i], n_per_conn));
    return CG_OK;
}

static cg_err measure(struct ld_run *run, struct figures *out)
{
    const struct ld_options *o = run->options;
    uint64_t n_per_conn = (o->n_requests + o->n_conns - 1) / o->n_conns;
    uint64_t server_to = 0;

    CG_TRY(ld_phase(run, (o->n_warm_up + o->n_conns - 1) / o->n_conns));
    if (run->n_errors > 0)
        return CG_OK; /* it would only go on like that */
    CG_TRY(sign_ahead(run, n_per_conn));
    if (o->holds)
        CG_TRY(hold());
    run->n_done = 0;
    run->is_measured = true;
    CG_TRY(ld_watch_ns(o, &out->server_ns));
    out->own_ns = ld_own_ns();
    out->from = cg_clock_mono();
    CG_TRY(ld_phase(run, n_per_conn));
    out->to = cg_clock_mono();
    out->own_ns = ld_own_ns() - out->own_ns;
    CG_TRY(ld_watch_ns(o, &server_to));
    out->server_ns = server_to - out->server_ns;
    return CG_OK;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile(const struct ld_run *run, unsigned per_mille)
{
    if (run->n_latencies == 0)
        return 0;
    return run->latencies[(run->n_latencies - 1) * per_mille / 1000];
}

static int tell(struct ld_run *run, const struct figures *f)
{
    const struct ld_options *o = run->options;
    struct cg_tls *tls = NULL;
    double seconds = (double)(f->to.us - f->from.us) / 1e6;
    double n = run->n_done > 0 ? (double)run->n_done : 1;

    if (run->conns[0].conn)
        tls = cg_stack_tls(cg_conn_engine(run->conns[0].conn));
    qsort(run->latencies, run->n_latencies, sizeof *run->latencies, by_size);
    json_t *json =
        json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:s, s:s, s:s}",      //
                  "requests", (json_int_t)run->n_done, "errors", (json_int_t)run->n_errors, //
                  "seconds", seconds, "requests_per_s", seconds > 0 ? n / seconds : 0,      //
                  "latency_us_p50", percentile(run, 500), "latency_us_p99", percentile(run, 990),
                  "client_cpu_us", (double)f->own_ns / 1000 / n,                                  //
                  "body_bytes", (json_int_t)run->body_bytes,                                      //
                  "answers_verified", (json_int_t)run->n_verified,                                //
                  "signed_late", (json_int_t)run->n_signed_late,                                  //
                  "group", tls ? cg_tls_group(tls) : "", "cipher", tls ? cg_tls_cipher(tls) : "", //
                  "http", o->is_h1 ? "1.1" : "2");
    if (json && o->n_watched > 0)
        json_object_set_new(json, "cpu_us", json_real((double)f->server_ns / 1000 / n));
    if (json && run->n_errors > 0) {
        json_object_set_new(json, "first_status", json_integer(run->first_status));
        json_object_set_new(json, "first_error", json_string(cg_err_name(run->first_error)));
    }
    if (!json || json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0)
        return 1;
    fputs("\n", stdout);
    json_decref(json);
    return run->n_errors == 0 && run->n_done > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct ld_options options;
    struct ld_run run = {.options = &options};
    struct figures figures = {0};
    int code = ld_options_read(argc, argv, &options);

    if (code >= 0)
        return code;
    code = 1;
    cl_show_init(&run.show);
    cg_err err = cl_app_init(&run.app, &run.show, options.home, NULL);
    if (err == CG_OK)
        err = ld_open(&run);
    if (err == CG_OK) {
        err = measure(&run, &figures);
        if (err == CG_OK)
            code = tell(&run, &figures);
        else
            fprintf(stderr, "load: %s\n", cg_err_text(err));
    }
    ld_close(&run);
    cl_show_done(&run.show);
    return code;
}
