/* admit: is this one request for one target, of a size and shape we take? Nothing is asked of any
 * other part here, and nothing is known of the caller. */
#include "gateway/request.h"

#include "lib/base/span.h"
#include "session/stack.h"

/* What the HTTP engine refused to take apart. */
static enum cg_refusal refusal_of(int status)
{
    switch (status) {
    case 405:
        return CG_REFUSAL_METHOD_NOT_ALLOWED;
    case 414:
        return CG_REFUSAL_URI_TOO_LONG;
    case 431:
        return CG_REFUSAL_HEADER_TOO_LARGE;
    case 501:
        return CG_REFUSAL_NOT_IMPLEMENTED;
    default:
        return CG_REFUSAL_BAD_REQUEST;
    }
}

/* HTTP/1.1's way to ask for one (RFC 6455, 4.1). Any other upgrade may be left unanswered (RFC
 * 9110, 7.8), but behind this one nothing else makes sense. */
static bool wants_websocket(const struct cg_head *in)
{
    for (size_t i = 0; i < in->n_fields; i++)
        if (in->fields[i].token == CG_TOKEN_UPGRADE &&
            cg_span_eq_nocase(in->fields[i].value, CG_LIT("websocket")))
            return true;
    return false;
}

enum gw_next gw_admit(struct gw_request *req)
{
    struct cg_exchange *x = req->x;
    const struct cg_head *in = &x->in;
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(req->conn->conn));

    if (x->refusal)
        return gw_refuse(req, refusal_of(x->refusal), CG_SYNTAX, "framing");
    const struct cg_url_target_ask ask = {
        .method = in->method,
        .scheme = in->scheme,
        .authority = in->authority,
        .path = in->path,
        .protocol = in->protocol,
        .is_absolute = in->form == CG_FORM_ABSOLUTE,
        .sni = cg_tls_name(tls),
    };
    void *room = cg_arena_take(&x->arena, CG_URL_ROOM(in->path.len));
    if (!room)
        return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_NO_MEMORY, "memory");
    if (cg_url_target_read(&ask, room, &req->target, &req->fault) != CG_OK)
        return GW_REFUSE;
    if (req->target.kind == CG_URL_TARGET_CONTROL)
        return GW_ON;

    /* HTTP/2 names its target once: :authority is the plane, and a Host beside it is refused. */
    if (in->form == CG_FORM_ORIGIN && cg_head_find(in, CG_TOKEN_HOST))
        return gw_refuse(req, CG_REFUSAL_BAD_REQUEST, CG_SYNTAX, "host");
    if (cg_gate_fields_check(in, &req->fault) != CG_OK)
        return GW_REFUSE;
    if (in->protocol.len > 0 || wants_websocket(in))
        return gw_refuse(req, CG_REFUSAL_NOT_IMPLEMENTED, CG_UNSUPPORTED, "protocol");
    if (in->content_length > gw_thread_of(req)->options->limits.body_bytes)
        return gw_refuse(req, CG_REFUSAL_TOO_LARGE, CG_TOO_LARGE, "body");
    /* The other planes are services of their own; this build serves names of the app plane. */
    if (req->target.url.plane != CG_PLANE_APP)
        return gw_refuse(req, CG_REFUSAL_NOT_IMPLEMENTED, CG_UNSUPPORTED, "plane");
    return GW_ON;
}
