#include "lib/access/cred.h"
#include "lib/access/policy.h"

#include "lib/base/span.h"

#include <stdlib.h>
#include <string.h>

static bool has_method(const struct cg_rule *rule, struct cg_span method)
{
    for (size_t i = 0; i < rule->n_methods; i++)
        if (cg_span_eq(rule->methods[i], method))
            return true;
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct cg_waddr *)a)->text, ((const struct cg_waddr *)b)->text);
}

bool cg_policy_gives(const struct cg_policy *policy, size_t i, const struct cg_access_ask *ask)
{
    const struct cg_role_list *list = &policy->roles[i];

    if (!ask->wallet)
        return false;
    if ((!list->has_until || ask->now.s < list->until.s) && list->n_wallets > 0 &&
        bsearch(ask->wallet, list->wallets, list->n_wallets, sizeof *list->wallets, by_text))
        return true;
    for (size_t k = 0; k < ask->n_creds; k++)
        if (cg_span_eq(ask->creds[k].role, list->role) &&
            cg_cred_counts(&ask->creds[k], &policy->owner, policy->name, ask->wallet, ask->now))
            return true;
    return false;
}

/* A role may be declared twice, with lists that end at different times. */
static bool has_role(const struct cg_policy *policy, const struct cg_access_ask *ask,
                     struct cg_span role)
{
    for (size_t i = 0; i < policy->n_roles; i++)
        if (cg_span_eq(policy->roles[i].role, role) && cg_policy_gives(policy, i, ask))
            return true;
    return false;
}

static bool may_ask(const struct cg_policy *policy, const struct cg_access_ask *ask,
                    const struct cg_rule *rule)
{
    if (rule->allows_anonymous || rule->allows_any_wallet)
        return true;
    for (size_t i = 0; i < rule->n_roles; i++)
        if (has_role(policy, ask, rule->roles[i]))
            return true;
    return false;
}

static bool is_in_scope(const struct cg_access_ask *ask)
{
    const char *plane = cg_plane_name(ask->url->plane);
    size_t n = strlen(plane);

    if (ask->is_anywhere)
        return true;
    for (size_t i = 0; i < ask->n_scope; i++) {
        struct cg_span name = ask->scope[i];

        if (name.len == n + 1 + ask->url->authority.len &&
            cg_span_eq(cg_span_first(name, n), cg_span_str(plane)) && name.at[n] == '/' &&
            cg_span_eq(cg_span_from(name, n + 1), ask->url->authority))
            return true;
    }
    return false;
}

/* The methods of all rules for this path: "GET, HEAD". */
static void list_methods(const struct cg_policy *policy, struct cg_span path, char *out,
                         size_t room)
{
    struct cg_writer w = cg_writer_fixed(out, room - 1);
    struct cg_span seen[CG_METHODS_MAX];
    size_t n_seen = 0;

    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct cg_rule *rule = &policy->rules[i];

        if (!cg_path_matches(rule->path, path))
            continue;
        for (size_t k = 0; k < rule->n_methods && n_seen < CG_METHODS_MAX; k++) {
            size_t j = 0;

            while (j < n_seen && !cg_span_eq(seen[j], rule->methods[k]))
                j++;
            if (j < n_seen)
                continue;
            seen[n_seen++] = rule->methods[k];
            cg_put_str(&w, w.len > 0 ? ", " : "");
            cg_put(&w, rule->methods[k]);
        }
    }
    out[w.len] = '\0';
}

static cg_err check_body(const struct cg_rule *rule, const struct cg_access_ask *ask)
{
    if ((rule->body_modes >> ask->body_mode & 1) == 0 || (rule->evidence && ask->body_mode == 2))
        return CG_DENIED;
    return ask->body_len > rule->max_body ? CG_TOO_LARGE : CG_OK;
}

static bool may_ask_any(const struct cg_policy *policy, const struct cg_access_ask *ask)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (cg_path_matches(policy->rules[i].path, ask->url->path) &&
            may_ask(policy, ask, &policy->rules[i]))
            return true;
    return false;
}

static cg_err refuse_method(const struct cg_policy *policy, const struct cg_access_ask *ask,
                            struct cg_access *out)
{
    list_methods(policy, ask->url->path, out->allow, sizeof out->allow);
    return CG_METHOD;
}

/* Somebody signed: he may learn which routes there are, unless the profile conceals. */
static cg_err decide_signed(const struct cg_policy *policy, const struct cg_access_ask *ask,
                            const struct cg_rule *rule, bool has_path, struct cg_access *out)
{
    cg_err denied = policy->conceal ? CG_NOT_FOUND : CG_DENIED;

    if (!is_in_scope(ask))
        return policy->conceal ? CG_NOT_FOUND : CG_SCOPE;
    if (!has_path)
        return CG_NO_RULE;
    if (!rule)
        return policy->conceal && !may_ask_any(policy, ask) ? CG_NOT_FOUND
                                                            : refuse_method(policy, ask, out);
    if (!may_ask(policy, ask, rule))
        return denied;
    out->needs = rule->sapi;
    if (rule->sapi != CG_SAPI_NONE && ask->least > out->needs)
        out->needs = ask->least;
    if (ask->mode < out->needs)
        return CG_STEP_UP;
    if (rule->max_rtt_us > 0 && (ask->rtt_us == 0 || ask->rtt_us > rule->max_rtt_us))
        return denied;
    return check_body(rule, ask);
}

/* Nobody signed. Where any rule asks for a signature, all that is not open to everybody looks as if
 * it did; where none does, there is nothing to hide. */
static cg_err decide_unsigned(const struct cg_policy *policy, const struct cg_access_ask *ask,
                              const struct cg_rule *rule, bool has_path, struct cg_access *out)
{
    if (rule && rule->allows_anonymous) {
        if (rule->max_rtt_us > 0 && (ask->rtt_us == 0 || ask->rtt_us > rule->max_rtt_us))
            return policy->conceal ? CG_NOT_FOUND : CG_DENIED;
        return check_body(rule, ask);
    }
    for (size_t i = 0; i < policy->n_rules; i++)
        if (!policy->rules[i].allows_anonymous)
            return CG_NEEDS_AUTH;
    return has_path ? refuse_method(policy, ask, out) : CG_NO_RULE;
}

cg_err cg_policy_decide(const struct cg_policy *policy, const struct cg_access_ask *ask,
                        struct cg_access *out)
{
    const struct cg_rule *rule = NULL;
    bool has_path = false;

    *out = (struct cg_access){0};
    for (size_t i = 0; i < policy->n_rules && !rule; i++) {
        if (!cg_path_matches(policy->rules[i].path, ask->url->path))
            continue;
        has_path = true;
        if (has_method(&policy->rules[i], ask->method)) {
            rule = &policy->rules[i];
            out->rule_index = (unsigned)i;
        }
    }
    out->rule = rule;
    if (ask->mode != CG_SAPI_NONE && ask->wallet)
        return decide_signed(policy, ask, rule, has_path, out);
    return decide_unsigned(policy, ask, rule, has_path, out);
}
