/* resolve: the name's verified record, from this thread's memory or from the look-up all threads
 * share. Whoever did not sign may cause look-ups only within a small budget of his address prefix;
 * beyond it he is told what an existing protected route tells him. A wallet costs nothing, and a
 * look-up a hundred times what a request costs: so there is a budget for those who sign, too. */
#include "gateway/request.h"

#include "gateway/names.h"
#include "lib/base/span.h"

static struct gw_name **place_of(struct gw_thread *thread, struct cg_span key)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ key.at[i]) * 16777619u;
    return &thread->names[h % GW_NAME_CACHE];
}

#define SIGNED_FACTOR 20
#define SIGNED_LEAST_PER_S 100

static bool has_tokens(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct gw_gateway *gw = thread->gw;
    int64_t per_s = thread->options->limits.strangers_per_s;

    if (req->is_signed)
        per_s =
            per_s > SIGNED_LEAST_PER_S / SIGNED_FACTOR ? per_s * SIGNED_FACTOR : SIGNED_LEAST_PER_S;
    return cg_bucket_take(req->is_signed ? &gw->callers : &gw->strangers, req->conn->ip, per_s,
                          per_s, 1, cg_loop_mono(thread->loop));
}

static cg_err look_up(struct gw_request *req, struct cg_span key)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_mono deadline =
        cg_mono_after(cg_loop_mono(thread->loop), thread->options->timeouts.lookup_ms);
    cg_err err =
        gw_name_begin(thread->gw->names, key, thread->loop, req->ticket, GW_TAG_NAME, deadline);

    if (err == CG_OK)
        req->waits |= 1u << GW_TAG_NAME;
    return err;
}

void gw_resolve_call(struct gw_request *req, struct cg_call *call)
{
    struct gw_name *name = gw_name_take(call);

    if (!name) {
        enum cg_refusal refusal = call->err == CG_TIMEOUT ? CG_REFUSAL_GATEWAY_TIMEOUT
                                  : cg_err_fault(call->err) == CG_FAULT_PEER
                                      ? CG_REFUSAL_BAD_GATEWAY
                                      : CG_REFUSAL_UNAVAILABLE;
        gw_refuse(req, refusal, call->err, "registry");
        return;
    }
    struct gw_name **place = place_of(gw_thread_of(req), gw_name_key(name));
    struct cg_span unused;
    /* Names that are not there are without number: they drive out none that is. */
    if (!*place || !gw_name_is_gone(name, &unused) || gw_name_is_gone(*place, &unused)) {
        gw_name_unref(*place);
        *place = gw_name_ref(name);
    }
    req->name = name;
}

enum gw_next gw_resolve(struct gw_request *req)
{
    struct gw_thread *thread = gw_thread_of(req);

    if (gw_waits_for(req, GW_TAG_NAME))
        return GW_WAIT;
    if (req->fault.refusal != CG_REFUSAL_NONE)
        return GW_REFUSE; /* as the look-up's end noted */
    if (!req->name) {
        const struct cg_url *url = &req->target.url;
        size_t len = cg_url_name_chars(url);
        uint8_t *text = cg_arena_take(&req->x->arena, len);

        if (!text)
            return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_NO_MEMORY, "memory");
        cg_url_name_write(url, (char *)text);
        struct cg_span key = {text, len};
        struct gw_name *known = *place_of(thread, key);
        if (known && cg_span_eq(gw_name_key(known), key) && gw_name_is_fresh(known, req->wall)) {
            req->name = gw_name_ref(known);
        } else {
            if (!has_tokens(req))
                return req->is_signed
                           ? gw_refuse(req, CG_REFUSAL_RATE_LIMITED, CG_RATE, "lookups")
                           : gw_refuse(req, CG_REFUSAL_AUTH_REQUIRED, CG_RATE, "strangers");
            cg_err err = look_up(req, key);
            return err == CG_OK ? GW_WAIT : gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "registry");
        }
    }
    if (gw_name_is_gone(req->name, &req->extra.staple))
        return gw_refuse(req, CG_REFUSAL_NAME_UNRESOLVED, CG_NOT_FOUND, "name");
    return GW_ON;
}
