/* Commands for the admin socket: whom the operator has allotted a name. */
#include "registry/inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <httpcg/identity.h>
#include <httpcg/url.h>

#include <stdlib.h>

struct allow {
    struct rg_store_job job;
    char name[RG_NAME_MAX_BYTES];
    size_t name_len;
    char did[CG_DID_CHARS + 1];
    bool is_drop;
};

static cg_err run(struct rg_store_job *job, struct cg_store *store)
{
    struct allow *allow = (struct allow *)job;
    struct cg_span name = cg_span_of(allow->name, allow->name_len);

    return allow->is_drop ? cg_store_allow_drop(store, name)
                          : cg_store_allow_put(store, name, cg_span_str(allow->did));
}

static void free_allow(struct rg_store_job *job)
{
    free(job);
}

static void on_call(struct cg_pending *pending, struct cg_call *call)
{
    if (call->err == CG_OK)
        cg_reply_send(cg_pending_close(pending), 204, NULL);
    else if (call->err == CG_NOT_FOUND)
        cg_reply_refuse(cg_pending_close(pending), CG_REFUSAL_NOT_FOUND, NULL);
    else
        cg_pending_refuse(pending, call->err);
}

static cg_err read_ask(const struct cg_message *in, struct allow *allow)
{
    struct cg_writer w = cg_writer_fixed(allow->name, sizeof allow->name);
    struct cg_waddr waddr;

    cg_put(&w, in->param[0]);
    cg_put_str(&w, "/");
    cg_put(&w, in->param[1]);
    CG_TRY(cg_writer_end(&w));
    allow->name_len = w.len;
    CG_TRY(cg_url_check_name(cg_writer_span(&w)));
    if (allow->is_drop)
        return CG_OK;
    CG_TRY(cg_did_read(in->body, &waddr));
    cg_did_write(&waddr, allow->did);
    return CG_OK;
}

static void command(const struct cg_message *in, struct cg_reply *out, bool is_drop)
{
    struct rg_registry *registry = in->role;
    struct cg_pending *pending;

    if (!cg_admin_allows(registry->admin, in, out))
        return;
    struct allow *allow = calloc(1, sizeof *allow);
    if (allow) {
        allow->job = (struct rg_store_job){.run = run, .free = free_allow};
        allow->is_drop = is_drop;
    }
    if (allow && read_ask(in, allow) != CG_OK) {
        free(allow);
        cg_reply_refuse(out, CG_REFUSAL_BAD_REQUEST, NULL);
        return;
    }
    pending = cg_pending_open(&registry->pending, out, sizeof *pending, on_call);
    if (!pending) {
        free(allow);
        return;
    }
    cg_err err =
        allow ? rg_store_begin(registry, &allow->job, cg_pending_ticket(pending), 0) : CG_NO_MEMORY;
    if (err != CG_OK)
        cg_pending_refuse(pending, err);
}

static void put_allow(const struct cg_message *in, struct cg_reply *out)
{
    command(in, out, false);
}

static void drop_allow(const struct cg_message *in, struct cg_reply *out)
{
    command(in, out, true);
}

static const struct cg_route routes[] = {
    {"PUT", "/registry/allow/{plane}/{authority}", put_allow},
    {"DELETE", "/registry/allow/{plane}/{authority}", drop_allow},
};

const struct cg_route_table *rg_commands(struct rg_registry *registry, struct cg_admin *admin)
{
    registry->admin = admin;
    registry->commands = (struct cg_route_table){
        .name = "registry-admin",
        .routes = routes,
        .n_routes = sizeof routes / sizeof *routes,
        .body_max = 1024,
        .role = registry,
    };
    return &registry->commands;
}
