/* policy: the first line is a method and a URL, the rest a policy, as JSON or as CBOR. Its CBOR is
 * its one form; and whatever it says, it decides. */
#include "lib/access/policy.h"
#include "fuzz/fuzz.h"

/* Whether a path matches, by the definition: segment by segment, "**" as many as you like. */
static bool matches(struct cg_span pattern, struct cg_span path)
{
    bool can[CG_PATTERN_SEGMENTS_MAX + 1] = {true}; /* match so many of the pattern's so far */
    struct cg_span parts[CG_PATTERN_SEGMENTS_MAX];
    size_t n = 0;

    for (bool more = true; more && n < CG_PATTERN_SEGMENTS_MAX; n++) {
        pattern = cg_span_from(pattern, 1);
        parts[n] = cg_span_first(pattern, cg_span_find(pattern, '/'));
        more = parts[n].len < pattern.len;
        pattern = cg_span_from(pattern, parts[n].len);
    }
    for (bool more = true; more;) {
        path = cg_span_from(path, 1);
        struct cg_span part = cg_span_first(path, cg_span_find(path, '/'));
        more = part.len < path.len;
        path = cg_span_from(path, part.len);
        for (size_t i = 0; i < n; i++) /* one that takes nothing */
            can[i + 1] |= can[i] && cg_span_is(parts[i], "**");
        for (size_t i = n + 1; i-- > 0;) {
            bool takes = i > 0 && (cg_span_is(parts[i - 1], "*") ? part.len > 0
                                                                 : cg_span_eq(parts[i - 1], part));
            bool stays = i > 0 && cg_span_is(parts[i - 1], "**") && can[i];
            can[i] = stays || (takes && can[i - 1]);
        }
    }
    for (size_t i = 0; i < n; i++)
        can[i + 1] |= can[i] && cg_span_is(parts[i], "**");
    return can[n];
}

static bool has_method(const struct cg_rule *rule, struct cg_span method)
{
    for (size_t i = 0; i < rule->n_methods; i++)
        if (cg_span_eq(rule->methods[i], method))
            return true;
    return false;
}

static void decide(struct cg_fuzz *in, const struct cg_policy *policy, struct cg_span line)
{
    struct cg_span method = cg_span_first(line, cg_span_find(line, ' '));
    struct cg_span text = cg_span_from(line, method.len + 1), scope;
    struct cg_waddr wallet = {"vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"};
    struct cg_url url;
    struct cg_access access;

    if (cg_url_read(text, cg_fuzz_room(in, CG_URL_ROOM(text.len)), &url, NULL) != CG_OK)
        return;
    scope = cg_span_of(cg_fuzz_room(in, cg_url_name_chars(&url)), cg_url_name_chars(&url));
    cg_url_name_write(&url, (char *)(uintptr_t)scope.at);
    for (enum cg_sapi_mode mode = CG_SAPI_NONE; mode < CG_SAPI_MODE_COUNT; mode++) {
        struct cg_access_ask ask = {
            .now = {1795366003},
            .method = method,
            .url = &url,
            .mode = mode,
            .wallet = mode == CG_SAPI_NONE ? NULL : &wallet,
            .scope = &scope,
            .n_scope = 1,
        };
        cg_err err = cg_policy_decide(policy, &ask, &access);
        MUST(strnlen(access.allow, sizeof access.allow) < sizeof access.allow);
        if (err != CG_OK) {
            MUST(cg_err_fault(err) == CG_FAULT_POLICY || err == CG_TOO_LARGE);
            continue;
        }
        /* It is the first that matches, and it lets such a request in. */
        size_t i = 0;
        while (!matches(policy->rules[i].path, url.path) || !has_method(&policy->rules[i], method))
            MUST(++i < policy->n_rules);
        MUST(access.rule == &policy->rules[i] && mode >= access.rule->sapi);
        MUST(mode != CG_SAPI_NONE || access.rule->allows_anonymous);
    }
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span line = cg_fuzz_line(in), text = cg_fuzz_rest(in);
    struct cg_policy *policy = NULL, *again = NULL;
    struct cg_policy_fault fault = {.text = NULL};
    bool is_json = text.len && text.at[0] == '{';
    cg_err err = is_json ? cg_policy_read_json(text, &policy, &fault)
                         : cg_policy_read_cbor(text, &policy, &fault);

    if (err != CG_OK) {
        MUST(!policy && fault.text);
        MUST(strnlen(fault.where, sizeof fault.where) < sizeof fault.where);
        return;
    }
    if (!is_json)
        MUST_SAME(cg_policy_cbor(policy), text);
    MUST_OK(cg_policy_read_cbor(cg_policy_cbor(policy), &again, NULL));
    MUST(cg_hash_eq(cg_policy_hash(policy), cg_policy_hash(again)));
    if (cg_policy_kind(policy) == CG_POLICY_RBAC)
        decide(in, policy, line);
    cg_policy_free(policy);
    cg_policy_free(again);
}
