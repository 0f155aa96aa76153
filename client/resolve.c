#include "client/resolve.h"

#include "client/show.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/client.h"
#include "runtime/endpoint.h"

#include <stdio.h>
#include <string.h>

#define ASK_MS 30000

/* --- asking ------------------------------------------------------------------------------------
 */

struct wait {
    struct cl_app *app;
    bool done;
    cg_err err;
    struct cl_answer *answer;
};

static void on_call(void *owner, struct cg_call *call)
{
    struct wait *wait = owner;
    const struct cg_answer *answer = cg_answer_of(call);

    wait->done = true;
    wait->err = call->err;
    cl_app_wake(wait->app);
    if (call->err != CG_OK || !answer)
        return;
    wait->answer->status = answer->head->status;
    wait->answer->retry_after_s = cl_retry_after(answer->head);
    wait->err = cg_buf_add(&wait->answer->body, answer->body);
}

static struct cg_span host_of(struct cg_span url)
{
    struct cg_span rest = cg_span_from(url, cg_span_find(url, '/') + 2);
    size_t end = 0;

    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != ':')
        end++;
    return cg_span_first(rest, end);
}

static cg_err ask_endpoint(struct cl_app *app, struct cg_endpoint *endpoint, const char *method,
                           struct cg_span path, const char *type, struct cg_span body,
                           struct wait *wait)
{
    struct cg_ticket ticket;
    const struct cg_field field = {.token = CG_TOKEN_CONTENT_TYPE, .value = cg_span_str(type)};

    CG_TRY(cg_slot_open(app->loop, on_call, wait, &ticket));
    cg_err err = cg_endpoint_begin(endpoint, cg_span_str(method), path, &field, type ? 1 : 0, body,
                                   ticket, 1, cg_mono_after(cg_loop_mono(app->loop), ASK_MS));
    if (err == CG_OK)
        err = cl_app_wait(app, &wait->done, ASK_MS + 1000);
    cg_slot_end(app->loop, ticket);
    return err == CG_OK ? wait->err : err;
}

cg_err cl_ask(struct cl_app *app, struct cg_span base, const char *method, struct cg_span path,
              const char *type, struct cg_span body, struct cl_answer *answer)
{
    char url[512];
    struct cg_client client;
    struct cg_endpoint *endpoint;
    struct wait wait = {.app = app, .answer = answer};
    bool is_tls = cg_span_starts(base, CG_LIT("https://"));

    if (base.len >= sizeof url)
        return CG_TOO_LARGE;
    memcpy(url, base.at, base.len);
    url[base.len] = '\0';
    if (is_tls && !app->service_tls)
        return CG_TLS;
    CG_TRY(cg_client_init(&client, is_tls ? app->service_tls : NULL,
                          is_tls ? host_of(base) : (struct cg_span){NULL, 0},
                          &(struct cg_engine_conf){0}));
    const struct cg_endpoint_options options = {
        .url = url, .pool = app->pool, .engine = cg_client_engine, .engine_ctx = &client};
    CG_TRY(cg_endpoint_new(app->loop, &options, &endpoint));
    answer->status = 0;
    answer->retry_after_s = -1;
    cg_buf_init(&answer->body, 8 * 1024 * 1024);
    cg_err err = ask_endpoint(app, endpoint, method, path, type, body, &wait);
    cg_endpoint_free(endpoint);
    if (err != CG_OK)
        cg_buf_done(&answer->body);
    return err;
}

cg_err cl_answer_refused(struct cl_app *app, const char *what, const struct cl_answer *answer)
{
    const struct cl_refused refused = {answer->status, answer->retry_after_s,
                                       cg_buf_span(&answer->body)};

    return cl_show_refusal(app->show, what, &refused);
}

/* --- verifying ---------------------------------------------------------------------------------
 */

static void show_checks(struct cl_app *app, const struct cg_resolve_result *result, cg_err err)
{
    for (int i = 0; i < CG_RESOLVE_STEP_COUNT; i++) {
        enum cg_verdict verdict = result->checks.verdict[i];

        if (verdict == CG_PASSED || verdict == CG_FAILED)
            cl_show_check(app->show, cg_resolve_step_text((enum cg_resolve_step)i),
                          verdict == CG_PASSED ? CG_OK : err, NULL);
    }
}

static cg_err remember_name(struct cl_app *app, const struct cg_resolve_ask *ask,
                            const struct cg_resolve_result *result)
{
    char name[320];
    int n = snprintf(name, sizeof name, "%.*s/%.*s", (int)ask->plane.len, ask->plane.at,
                     (int)ask->authority.len, ask->authority.at);

    CG_TRY(cl_app_remember(app, result->staple.log, &result->staple.head));
    if (!result->has_record || result->is_gone || !app->seen)
        return CG_OK;
    return cl_show_check(app->show, "not older than what was seen before",
                         cg_store_seen_name(app->seen, cg_span_of(name, (size_t)n),
                                            result->record.serial, &result->record.anchor),
                         NULL);
}

static cg_err verify(struct cl_app *app, const struct cg_resolve_ask *ask, int status,
                     struct cl_resolved *out)
{
    cg_err err;

    cg_buf_init(&out->room, CG_RESOLVE_MAX_BYTES);
    if (status == 404)
        err = cg_resolve_verify_denial(ask, cg_buf_span(&out->json), &out->room, &out->result);
    else
        err = cg_resolve_verify(ask, cg_buf_span(&out->json), &out->room, &out->result);
    show_checks(app, &out->result, err);
    CG_TRY(err);
    if (out->result.staple.checkpoint.is_unwitnessed)
        cl_app_say_unwitnessed(app);
    CG_TRY(remember_name(app, ask, &out->result));
    return out->result.is_gone ? CG_NOT_FOUND : CG_OK;
}

void cl_resolved_done(struct cl_resolved *resolved)
{
    cg_buf_done(&resolved->json);
    cg_buf_done(&resolved->room);
    *resolved = (struct cl_resolved){0};
}

static bool is_alarm(cg_err err)
{
    return err == CG_ROLLBACK || err == CG_CONFLICT;
}

/* Of several endpoints' failures the one that tells most: an alarm, then a check that failed, then
 * nobody there. */
static cg_err worse(cg_err a, cg_err b)
{
    if (is_alarm(a) || is_alarm(b))
        return is_alarm(a) ? a : b;
    return cg_err_fault(a) == CG_FAULT_LATER ? b : a;
}

static cg_err ask_one(struct cl_app *app, const struct cg_resolve_ask *ask, struct cg_span url,
                      struct cg_span path, struct cl_resolved *out)
{
    struct cl_answer answer;
    char detail[96];
    cg_err err = cl_ask(app, url, "GET", path, NULL, (struct cg_span){NULL, 0}, &answer);

    if (err != CG_OK) {
        snprintf(detail, sizeof detail, "%.*s", (int)url.len, (const char *)url.at);
        return cl_show_check(app->show, "the registry can be asked", err, detail);
    }
    *out = (struct cl_resolved){.json = answer.body};
    if (answer.status != 200 && answer.status != 404)
        return cl_answer_refused(app, "the registry answers", &answer);
    return verify(app, ask, answer.status, out);
}

cg_err cl_resolve(struct cl_app *app, struct cg_span plane, struct cg_span authority,
                  struct cl_resolved *out)
{
    const struct cg_resolve_ask ask = {
        .crypto = app->crypto,
        .trust = app->trust,
        .plane = plane,
        .authority = authority,
        .now = cg_loop_wall(app->loop),
        .heads = app->heads,
        .is_local = true, /* the gateway connects to the target, not we */
    };
    char path[512];
    int n = snprintf(path, sizeof path, "/resolve/%.*s/%.*s", (int)plane.len, plane.at,
                     (int)authority.len, authority.at);
    cg_err worst = CG_UNREACHABLE;

    app->show->step = "resolve";
    for (size_t i = 0; i < app->trust->n_registries; i++) {
        const struct cg_trust_registry *registry = &app->trust->registries[i];

        for (size_t k = 0; k < registry->n_urls; k++) {
            cg_err err = ask_one(app, &ask, registry->urls[k], cg_span_of(path, (size_t)n), out);

            if (err == CG_OK || err == CG_NOT_FOUND) {
                if (is_alarm(worst))
                    cl_show_warn(app->show, "a registry showed an older or another record than one "
                                            "seen before: tell whoever runs it");
                return err;
            }
            cl_resolved_done(out);
            worst = worse(worst, err);
        }
    }
    return worst;
}
