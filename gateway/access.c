/* access: was what was presented enough for the rule of this path and method? */
#include "gateway/request.h"

#include "gateway/identity.h"
#include "gateway/names.h"
#include "lib/base/span.h"

static enum cg_refusal refusal_of(cg_err err)
{
    switch (err) {
    case CG_NEEDS_AUTH:
        return CG_REFUSAL_AUTH_REQUIRED;
    case CG_STEP_UP:
        return CG_REFUSAL_STEP_UP;
    case CG_SCOPE:
    case CG_DENIED:
        return CG_REFUSAL_FORBIDDEN;
    case CG_NO_RULE:
    case CG_NOT_FOUND:
        return CG_REFUSAL_NOT_FOUND;
    case CG_METHOD:
        return CG_REFUSAL_METHOD_NOT_ALLOWED;
    case CG_TOO_LARGE:
        return CG_REFUSAL_TOO_LARGE;
    default:
        return CG_REFUSAL_INTERNAL;
    }
}

/* A rule's rate, for each wallet (or, where nobody signed, each address prefix). */
static bool has_tokens(struct gw_request *req)
{
    const struct cg_rule *rule = req->access.rule;
    struct gw_thread *thread = gw_thread_of(req);
    struct cg_span who = req->is_signed ? cg_span_str(req->sapi.wallet.text) : req->conn->ip;

    if (!rule || rule->rate.per_min == 0)
        return true;
    return gw_bucket_take_rule(&thread->gw->rules, who, gw_name_key(req->name),
                               req->access.rule_index, rule->rate.per_min, rule->rate.burst,
                               cg_loop_mono(thread->loop));
}

static bool is_listed(const char *roles, struct cg_span role)
{
    struct cg_span left = cg_span_str(roles);

    while (left.len > 0) {
        size_t end = cg_span_find(left, ',');

        if (cg_span_eq(cg_span_first(left, end), role))
            return true;
        left = cg_span_from(left, end < left.len ? end + 1 : end);
    }
    return false;
}

/* The caller's roles by the profile, for the backend: "a,b". One too many is left out. */
static void list_roles(struct gw_request *req, const struct cg_access_ask *ask)
{
    const struct cg_policy *policy = gw_name_policy(req->name);
    struct cg_writer w = cg_writer_fixed(req->roles, sizeof req->roles - 1);

    for (size_t i = 0; i < policy->n_roles; i++) {
        struct cg_writer before = w;
        struct cg_span role = policy->roles[i].role;

        if (!cg_policy_gives(policy, i, ask) || is_listed(req->roles, role))
            continue;
        if (w.len > 0)
            cg_put_u8(&w, ',');
        cg_put(&w, role);
        if (cg_writer_end(&w) != CG_OK)
            w = before;
        req->roles[w.len] = '\0';
    }
}

enum gw_next gw_access(struct gw_request *req)
{
    const struct cg_head *in = &req->x->in;
    struct cg_cred creds[CG_CREDS_MAX];
    size_t n_creds;

    if (req->fault.refusal != CG_REFUSAL_NONE)
        return GW_REFUSE; /* as noted when the worker's answer did not come */
    enum gw_next next = gw_creds_get(req, creds, &n_creds);
    if (next != GW_ON)
        return next;
    const struct cg_access_ask ask = {
        .now = req->wall,
        .method = in->method,
        .url = &req->target.url,
        .mode = req->sapi.mode,
        .least = req->conn->identity->sapi_min,
        .wallet = req->is_signed ? &req->sapi.wallet : NULL,
        /* The gate has compared the grant's scope already: what is left of it is yes or no. */
        .is_anywhere = req->sapi.is_in_scope,
        .creds = creds,
        .n_creds = n_creds,
        .body_mode = (unsigned)req->sapi.body.mode,
        /* Nobody measures it: who would be let in from near by is refused below. */
        .rtt_us = 1,
        .body_len = in->content_length > 0 ? (uint64_t)in->content_length : 0,
    };

    cg_err err = cg_policy_decide(gw_name_policy(req->name), &ask, &req->access);
    if (err != CG_OK) {
        if (err == CG_STEP_UP)
            req->extra.sapi = cg_sapi_mode_name(req->access.needs);
        return gw_refuse(req, refusal_of(err), err, "rule");
    }
    if (req->access.rule->max_rtt_us > 0)
        return gw_refuse(req, CG_REFUSAL_NOT_IMPLEMENTED, CG_UNSUPPORTED, "distance");
    list_roles(req, &ask);
    if (!has_tokens(req))
        return gw_refuse(req, CG_REFUSAL_RATE_LIMITED, CG_RATE, "rate");
    return GW_ON;
}
