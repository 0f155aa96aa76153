/* resolve: the name's verified record, from this thread's memory or from the look-up all threads
 * share. Whoever did not sign may cause look-ups only within a small budget of his address prefix;
 * beyond it he is told what an existing protected route tells him. A wallet costs nothing, and a
 * look-up a hundred times what a request costs: so there is a budget for those who sign, too. */
#include "gateway/request.h"

#include "gateway/names.h"
#include "lib/base/span.h"

/* A name that ran out, and that nobody can confirm, is asked for so often. */
#define UNCONFIRMED_MS 1000

static size_t place_of(struct cg_span key)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ key.at[i]) * 16777619u;
    return h % GW_NAME_CACHE;
}

/* What this thread knows and may use; NULL: it has to ask. */
static struct gw_name *recall(struct gw_request *req, struct cg_span key)
{
    struct gw_thread *thread = gw_thread_of(req);
    size_t place = place_of(key);
    struct gw_name *known = thread->names[place];

    if (!known || !cg_span_eq(gw_name_key(known), key))
        return NULL;
    if (gw_name_is_fresh(known, req->wall)) {
        gw_name_renew(thread->gw->names, known, req->wall);
        return known;
    }
    bool may_not = gw_name_is_over(known, req->wall) ||
                   cg_mono_is_due(thread->names_until[place], cg_loop_mono(thread->loop));
    return may_not ? NULL : known;
}

/* Names that are not there are without number: they drive out none that is. */
static void keep(struct gw_request *req, struct gw_name *name)
{
    struct gw_thread *thread = gw_thread_of(req);
    size_t place = place_of(gw_name_key(name));
    struct gw_name **at = &thread->names[place];
    struct cg_span unused;

    if (*at && gw_name_is_gone(name, &unused) && !gw_name_is_gone(*at, &unused))
        return;
    gw_name_unref(*at);
    *at = gw_name_ref(name);
    thread->names_until[place] = gw_name_is_fresh(name, req->wall)
                                     ? (struct cg_mono){0}
                                     : cg_mono_after(cg_loop_mono(thread->loop), UNCONFIRMED_MS);
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
    keep(req, name);
    req->name = name;
}

enum gw_next gw_resolve(struct gw_request *req)
{
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
        struct gw_name *known = recall(req, key);
        if (known) {
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
