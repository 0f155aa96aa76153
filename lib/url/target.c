#include "lib/url/target.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"

static const char check[] = "target";

static cg_err refuse(struct cg_fault *fault, enum cg_refusal refusal, cg_err err)
{
    return cg_fault_set(fault, refusal, err, check);
}

/* An authority with an optional port, which is ignored. */
static struct cg_span without_port(struct cg_span authority)
{
    size_t n = authority.len;

    while (n > 0 && authority.at[n - 1] >= '0' && authority.at[n - 1] <= '9')
        n--;
    return n > 0 && authority.at[n - 1] == ':' ? cg_span_first(authority, n - 1) : authority;
}

static cg_err read_native(const struct cg_url_target_ask *ask, void *room,
                          struct cg_url_target *out, struct cg_fault *fault)
{
    struct cg_url_target got = {.kind = CG_URL_TARGET_NATIVE};
    cg_err err = cg_url_read_target(ask->authority, ask->path, room, &got.url, NULL);

    if (err == CG_TOO_LARGE)
        return refuse(fault, CG_REFUSAL_URI_TOO_LONG, err);
    if (err != CG_OK)
        return refuse(fault, CG_REFUSAL_BAD_REQUEST, err);
    *out = got;
    return CG_OK;
}

static cg_err read_control(const struct cg_url_target_ask *ask, struct cg_url_target *out,
                           struct cg_fault *fault)
{
    struct cg_span prefix = CG_LIT(CG_CONTROL_PREFIX);
    bool is_our_name =
        ask->sni.len == 0 || cg_span_eq_nocase(without_port(ask->authority), ask->sni);

    if (ask->path.len > CG_URI_MAX_BYTES)
        return refuse(fault, CG_REFUSAL_URI_TOO_LONG, CG_TOO_LARGE);
    if (ask->is_absolute || !is_our_name || !cg_span_starts(ask->path, prefix))
        return refuse(fault, CG_REFUSAL_MISDIRECTED, CG_TARGET);
    struct cg_span rest = cg_span_from(ask->path, prefix.len);
    size_t n = cg_span_find(rest, '?');
    *out = (struct cg_url_target){
        .kind = CG_URL_TARGET_CONTROL,
        .control = cg_span_first(rest, n),
        .query = cg_span_from(rest, n + 1),
    };
    return CG_OK;
}

cg_err cg_url_target_read(const struct cg_url_target_ask *ask, void *room,
                          struct cg_url_target *out, struct cg_fault *fault)
{
    bool is_native = cg_span_eq_nocase(ask->scheme, CG_LIT("httpcg"));

    /* TRACE would echo secrets; CONNECT without a protocol asks for a tunnel to anywhere, and has
     * neither scheme nor path (RFC 9113, 8.5). */
    if (cg_span_is(ask->method, "TRACE"))
        return refuse(fault, CG_REFUSAL_METHOD_NOT_ALLOWED, CG_METHOD);
    if (cg_span_is(ask->method, "CONNECT") &&
        !(is_native && cg_span_eq_nocase(ask->protocol, CG_LIT("websocket"))))
        return refuse(fault, CG_REFUSAL_METHOD_NOT_ALLOWED, CG_METHOD);
    if (is_native)
        return read_native(ask, room, out, fault);
    if (cg_span_eq_nocase(ask->scheme, CG_LIT("https")))
        return read_control(ask, out, fault);
    return refuse(fault, CG_REFUSAL_MISDIRECTED, CG_TARGET);
}
