#include "runtime/reply_inner.h"

#include "lib/base/span.h"

static struct cg_span path_of(const struct cg_head *head)
{
    return cg_span_first(head->path, cg_span_find(head->path, '?'));
}

/* Patterns are few and short, and come from our own tables: each is walked as text. */
static bool matches(const char *pattern, struct cg_span path, struct cg_span *params)
{
    struct cg_span p = cg_span_str(pattern);
    size_t n = 0;

    while (p.len > 0) {
        size_t end, len;

        if (p.at[0] != '{') {
            if (path.len == 0 || path.at[0] != p.at[0])
                return false;
            p = cg_span_from(p, 1);
            path = cg_span_from(path, 1);
            continue;
        }
        end = cg_span_find(p, '}');
        len = p.at[end - 1] == '*' ? path.len : cg_span_find(path, '/');
        if (len == 0)
            return false;
        if (params && n < CG_ROUTE_MAX_PARAMS)
            params[n] = cg_span_first(path, len);
        n++;
        p = cg_span_from(p, end + 1);
        path = cg_span_from(path, len);
    }
    return path.len == 0;
}

static bool serves(const struct cg_route *route, struct cg_span method)
{
    return cg_span_is(method, route->method) ||
           (cg_span_is(method, "HEAD") && cg_span_is(cg_span_str(route->method), "GET"));
}

struct cg_routed cg_route_find(const struct cg_route_table *const *tables, size_t n_tables,
                               const struct cg_head *head)
{
    struct cg_routed routed = {NULL, NULL, CG_REFUSAL_NOT_FOUND};
    struct cg_span path = path_of(head);

    for (size_t t = 0; t < n_tables; t++) {
        for (size_t i = 0; i < tables[t]->n_routes; i++) {
            const struct cg_route *route = &tables[t]->routes[i];

            if (!matches(route->pattern, path, NULL))
                continue;
            if (serves(route, head->method))
                return (struct cg_routed){tables[t], route, CG_REFUSAL_NONE};
            routed.refusal = CG_REFUSAL_METHOD_NOT_ALLOWED;
        }
    }
    return routed;
}

/* RFC 9110, 15.5.6: a 405 names the methods there are. */
static void allow(struct cg_reply *reply, const struct cg_route_table *const *tables,
                  size_t n_tables)
{
    struct cg_span path = path_of(&reply->in_head);
    char text[128];
    size_t len = 0;

    for (size_t t = 0; t < n_tables; t++) {
        for (size_t i = 0; i < tables[t]->n_routes; i++) {
            const struct cg_route *route = &tables[t]->routes[i];
            struct cg_span method = cg_span_str(route->method);

            if (!matches(route->pattern, path, NULL) || len + method.len + 2 > sizeof text)
                continue;
            if (len > 0) {
                text[len++] = ',';
                text[len++] = ' ';
            }
            memcpy(text + len, method.at, method.len);
            len += method.len;
        }
    }
    cg_reply_field(reply, CG_TOKEN_ALLOW, cg_span_of(text, len));
}

void cg_reply_run(struct cg_reply *reply, const struct cg_routed *routed,
                  const struct cg_route_table *const *tables, size_t n_tables)
{
    struct cg_message *in = &reply->in;

    if (!routed->route) {
        if (routed->refusal == CG_REFUSAL_METHOD_NOT_ALLOWED)
            allow(reply, tables, n_tables);
        cg_reply_refuse(reply, routed->refusal, NULL);
        return;
    }
    in->body = cg_buf_span(&reply->in_body);
    (void)matches(routed->route->pattern, in->path, in->param);
    routed->route->run(in, reply);
}
