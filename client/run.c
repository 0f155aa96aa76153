/* run.c: what most commands begin with. */
#include "client/wallet.h"

#include "lib/base/span.h"
#include "runtime/clock.h"
#include "runtime/file.h"

#include <math.h>
#include <stdlib.h>

/* Seconds with a fraction, as curl takes them. */
static cg_err read_seconds(const char *text, int64_t *out_ms)
{
    char *end;
    double s = strtod(text, &end);

    if (end == text || *end || !isfinite(s) || s <= 0)
        return CG_SYNTAX;
    if (s > 365 * 86400.0)
        return CG_TOO_LARGE;
    *out_ms = (int64_t)(s * 1000);
    return CG_OK;
}

static int read_times(struct cl_run *run)
{
    const char *max = cl_text(run->args, CL_MAX_TIME);
    const char *connect = cl_text(run->args, CL_CONNECT_TIMEOUT);
    int64_t ms;

    if (max) {
        if (read_seconds(max, &ms) != CG_OK)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--max-time %s: no seconds", max);
        run->app.until.us = cg_clock_mono().us + ms * 1000;
    }
    if (connect) {
        if (read_seconds(connect, &ms) != CG_OK)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                           "--connect-timeout %s: no seconds", connect);
        run->app.connect_ms = ms;
    }
    return 0;
}

/* A part of HOST1:PORT1:HOST2:PORT2; a host may stand in brackets. */
static bool take_part(struct cg_span *left, bool is_last, struct cg_span *out)
{
    size_t end = cg_span_find(*left, ':');

    if (left->len > 0 && left->at[0] == '[') {
        size_t close = cg_span_find(*left, ']');

        if (close == left->len)
            return false;
        *out = cg_span_from(cg_span_first(*left, close), 1);
        *left = cg_span_from(*left, close + 1);
        end = 0;
        if (left->len > 0 && left->at[0] != ':')
            return false;
    } else {
        *out = cg_span_first(*left, end);
        *left = cg_span_from(*left, end);
    }
    if (is_last)
        return left->len == 0;
    if (left->len == 0)
        return false;
    *left = cg_span_from(*left, 1);
    return true;
}

static bool take_host(struct cg_span *left, char out[CG_HOST_MAX_BYTES + 1])
{
    struct cg_span part;

    if (!take_part(left, false, &part) || part.len > CG_HOST_MAX_BYTES)
        return false;
    memcpy(out, part.at, part.len);
    out[part.len] = '\0';
    return true;
}

static bool take_port(struct cg_span *left, bool is_last, uint16_t *out)
{
    struct cg_span part;
    char text[6];
    uint64_t port = 0;

    if (!take_part(left, is_last, &part) || part.len > 5)
        return false;
    memcpy(text, part.at, part.len);
    text[part.len] = '\0';
    if (part.len > 0 && cl_number(text, 1, 65535, &port) != CG_OK)
        return false;
    *out = (uint16_t)port;
    return true;
}

static int read_detours(struct cl_run *run)
{
    struct cl_app *app = &run->app;
    const char *text;
    size_t at = 0;

    while ((text = cl_next(run->args, CL_CONNECT_TO, &at)) != NULL) {
        struct cl_detour *detour = &app->detours[app->n_detours];
        struct cg_span left = cg_span_str(text);

        if (app->n_detours == CL_DETOURS_MAX)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "more than %d --connect-to",
                           CL_DETOURS_MAX);
        if (!take_host(&left, detour->from_host) || !take_port(&left, false, &detour->from_port) ||
            !take_host(&left, detour->to_host) || !take_port(&left, true, &detour->to_port))
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                           "it is HOST1:PORT1:HOST2:PORT2, such as ::127.0.0.1:8443",
                           "--connect-to %s cannot be read", text);
        app->n_detours++;
    }
    return 0;
}

int cl_run_open(struct cl_run *run)
{
    const char *ca_file = cl_text(run->args, CL_CACERT);
    cg_err err = cl_app_init(&run->app, run->show, cl_text(run->args, CL_HOME), ca_file);
    int code;

    if (err == CG_CONFIG && run->app.loop)
        return cl_fail(run->show, CL_EXIT_PEER, CG_OK, NULL, "cannot use the certificates in %s",
                       ca_file ? ca_file : getenv("SSL_CERT_FILE"));
    if (err == CG_CONFIG)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, "use --home FOLDER",
                       "neither HTTPCG_HOME nor HOME is set");
    if (err != CG_OK)
        return cl_fail(run->show, cl_exit_of(err), err, NULL, "cannot start");
    code = read_times(run);
    return code != 0 ? code : read_detours(run);
}

int cl_run_trust(struct cl_run *run)
{
    int code = cl_run_open(run);

    return code != 0 ? code : cl_app_trust(&run->app, cl_text(run->args, CL_TRUST));
}
