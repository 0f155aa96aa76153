#include "runtime/admin_inner.h"

#include "lib/base/span.h"

#include <stdio.h>

#define METRICS_MAX_BYTES (4 * 1024 * 1024)

const char *cg_admin_missing(struct cg_admin *admin)
{
    if (cg_daemon_is_draining(admin->setup.daemon))
        return "draining";
    for (size_t i = 0; i < admin->n_conditions; i++) {
        const struct cg_admin_condition *condition = &admin->conditions[i];
        const char *missing = condition->is_note ? NULL : condition->ask(condition->ctx);

        if (missing)
            return missing;
    }
    return NULL;
}

/* A moment's answer, for nobody's cache. */
static void send_text(struct cg_reply *out, int status)
{
    cg_reply_field_named(out, "cache-control", CG_LIT("no-store"));
    cg_reply_send(out, status, "text/plain; charset=utf-8");
}

static void live(const struct cg_message *in, struct cg_reply *out)
{
    (void)in;
    cg_reply_add(out, CG_LIT("ok\n"));
    send_text(out, 200);
}

/* "[+]name ok" or "[-]name what is missing", as those who watch many services know it; "[!]" where
 * it is nothing that is missed yet. */
static bool add_condition(struct cg_reply *out, const char *name, bool is_note, const char *said)
{
    char line[256];
    int n = snprintf(line, sizeof line, "[%c]%s %s\n",
                     !said     ? '+'
                     : is_note ? '!'
                               : '-',
                     name, said ? said : "ok");

    cg_reply_add(out, cg_span_of(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1));
    return !said || is_note;
}

static void ready(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_admin *admin = in->role;
    bool is_draining = cg_daemon_is_draining(admin->setup.daemon);
    char value[8];
    size_t len;

    if (cg_message_query(in, "verbose", value, sizeof value, &len) == CG_NOT_FOUND) {
        const char *missing = cg_admin_missing(admin);

        cg_reply_add(out, missing ? CG_LIT("not ready\n") : CG_LIT("ok\n"));
        send_text(out, missing ? 503 : 200);
        return;
    }
    bool is_ready = add_condition(out, "running", false, is_draining ? "draining" : NULL);
    for (size_t i = 0; i < admin->n_conditions; i++) {
        const struct cg_admin_condition *condition = &admin->conditions[i];

        is_ready &=
            add_condition(out, condition->name, condition->is_note, condition->ask(condition->ctx));
    }
    send_text(out, is_ready ? 200 : 503);
}

static void metrics(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_admin *admin = in->role;
    struct cg_buf text;

    cg_buf_init(&text, METRICS_MAX_BYTES);
    if (cg_metrics_text(admin->setup.metrics, &text) != CG_OK) {
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
    } else {
        cg_reply_add(out, cg_buf_span(&text));
        cg_reply_send(out, 200, "text/plain; version=0.0.4; charset=utf-8");
    }
    cg_buf_done(&text);
}

static const struct cg_route pages[] = {
    {"GET", "/livez", live},  {"GET", "/health", live},     {"GET", "/readyz", ready},
    {"GET", "/ready", ready}, {"GET", "/metrics", metrics},
};

void cg_admin_fill_pages(struct cg_admin *admin)
{
    admin->pages = (struct cg_route_table){
        .name = "admin", .routes = pages, .n_routes = CG_COUNT(pages), .role = admin};
}
