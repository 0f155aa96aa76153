/* choose: where the request goes: the operator's own route for the name, or the target of its
 * record under the rules against server-side request forgery. */
#include "gateway/request.h"

#include "gateway/names.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/target.h"
#include "runtime/client.h"

#include <stdlib.h>
#include <string.h>

static const struct gw_route *find_route(const struct gw_options *options, struct cg_span name)
{
    for (size_t i = 0; i < options->routes.n; i++) {
        const struct gw_route *route = CG_LIST_AT(options->routes, struct gw_route, i);

        if (cg_span_is(name, route->name))
            return route;
    }
    return NULL;
}

/* Every address of a record's target is judged, and only those judged are connected to. */
static cg_err judge(void *ctx, const struct cg_address *addresses, size_t n)
{
    struct cg_ip ips[CG_DIAL_MAX_ADDRESSES];

    (void)ctx;
    if (n > CG_DIAL_MAX_ADDRESSES)
        return CG_TARGET;
    for (size_t i = 0; i < n; i++) {
        struct cg_span ip = cg_address_ip(&addresses[i]);

        memset(&ips[i], 0, sizeof ips[i]);
        memcpy(ips[i].bytes, ip.at, ip.len < 16 ? ip.len : 16);
        ips[i].is_v6 = ip.len == 16;
    }
    return cg_target_check_addresses(ips, n, NULL, 0);
}

/* Host as the backend's URL has it: the port only where it is not the scheme's own. */
static cg_err host_of(struct gw_request *req, const struct cg_target_option *to,
                      struct cg_span *out)
{
    bool is_v6 = strchr(to->host, ':') != NULL;
    size_t room = strlen(to->host) + 10;
    uint8_t *text = cg_arena_take(&req->x->arena, room);

    if (!text)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(text, room);
    cg_put_str(&w, is_v6 ? "[" : "");
    cg_put_str(&w, to->host);
    cg_put_str(&w, is_v6 ? "]" : "");
    if (to->port != (to->scheme == CG_TARGET_HTTPS ? 443 : 80)) {
        cg_put_u8(&w, ':');
        cg_put_decimal(&w, to->port);
    }
    *out = cg_writer_span(&w);
    return cg_writer_end(&w);
}

/* Connections are kept apart by whom the route says to believe, too. */
static cg_err pinned_key(struct gw_request *req, const char *backend, const char *pin,
                         struct cg_span *out)
{
    size_t room = strlen(backend) + 1 + strlen(pin);
    uint8_t *text = cg_arena_take(&req->x->arena, room);

    if (!text)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(text, room);
    cg_put_str(&w, backend);
    cg_put_u8(&w, ' ');
    cg_put_str(&w, pin);
    *out = cg_writer_span(&w);
    return cg_writer_end(&w);
}

static cg_err by_route(struct gw_request *req, const struct gw_route *route)
{
    struct gw_target *t = &req->backend;
    const struct cg_target_option *to = &route->backend;

    t->route = route;
    t->scheme = to->scheme == CG_TARGET_HTTPS ? "https" : "http";
    t->key = cg_span_str(to->text);
    if (route->pin)
        CG_TRY(pinned_key(req, to->text, route->pin, &t->key));
    if (to->scheme == CG_TARGET_UNIX)
        t->at.unix_path = cg_span_str(to->path);
    else
        t->at.host = cg_span_str(to->host);
    t->at.port = to->port;
    if (route->host)
        t->host = cg_span_str(route->host);
    else if (to->scheme == CG_TARGET_UNIX)
        t->host = CG_LIT("localhost");
    else
        CG_TRY(host_of(req, to, &t->host));
    t->pin = route->pin;
    if (route->secret.is_set) {
        t->backend_key = (struct gw_backend_key){.id = cg_span_str(route->key_id),
                                                 .secret = &route->secret.value};
        t->has_backend_key = true;
    }
    return CG_OK;
}

static cg_err by_record(struct gw_request *req)
{
    const struct cg_record *record = gw_name_record(req->name);
    const struct gw_options *options = gw_thread_of(req)->options;
    struct gw_target *t = &req->backend;
    uint16_t ports[16];
    size_t n_ports = 0;

    for (size_t i = 0; i < options->ports.n && i < 16; i++)
        ports[n_ports++] = (uint16_t)*CG_LIST_AT(options->ports, int64_t, i);
    cg_err err = cg_target_check_host(record->target_host);
    if (err == CG_OK)
        err = cg_target_check_port(record->target_port, ports, n_ports);
    /* A name whose record points at itself is served by a route here, or not at all. */
    if (err == CG_OK && cg_span_eq(record->target_host, record->host))
        err = CG_TARGET;
    if (err == CG_OK && record->target_auth == CG_TARGET_TLSLS)
        err = CG_UNSUPPORTED;
    if (err != CG_OK)
        return err;
    t->scheme = "https";
    t->at.host = record->target_host;
    t->at.port = record->target_port;
    t->at.allow = judge;
    t->host = record->target_host;
    t->record = record;
    /* Connections are kept apart by whom the record says to believe. */
    struct cg_writer w;
    size_t room = record->target_host.len + record->target_auth_text.len + 16;
    uint8_t *text = cg_arena_take(&req->x->arena, room);
    if (!text)
        return CG_NO_MEMORY;
    w = cg_writer_fixed(text, room);
    cg_put(&w, record->target_host);
    cg_put_u8(&w, ':');
    cg_put_decimal(&w, record->target_port);
    cg_put_u8(&w, ' ');
    cg_put(&w, record->target_auth_text);
    t->key = cg_writer_span(&w);
    return cg_writer_end(&w);
}

enum gw_next gw_choose(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    const struct gw_route *route = find_route(thread->options, gw_name_key(req->name));
    cg_err err;

    /* The route's strings live as long as the configuration: the request keeps it. */
    req->config = cg_config_ref(thread->config);
    err = route ? by_route(req, route) : by_record(req);
    return err == CG_OK ? GW_ON : gw_refuse(req, CG_REFUSAL_BAD_GATEWAY, err, "target");
}
