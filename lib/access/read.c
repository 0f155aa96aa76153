/* The closed schema of both kinds of policy, read in the canonical order of their keys
 * (docs/protocol/policy.md has the CDDL). */
#include "lib/access/read.h"

#include "lib/base/base64.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/sign.h"
#include "lib/wire/cbor.h"
#include "lib/wire/word.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_AGE_S 86400
#define PADDING_MAX 3
#define EPOCHS_MAX 60

struct reading {
    struct cg_cbor r;
    struct cg_policy *policy;
    struct cg_policy_fault *fault;
};

/* Notes where reading stands, for the sentence of a later failure. */
static void at(struct reading *p, const char *where, const char *text)
{
    if (p->r.err != CG_OK)
        return;
    snprintf(p->fault->where, sizeof p->fault->where, "%s", where);
    p->fault->text = text;
}

static void at_item(struct reading *p, const char *list, size_t i, const char *member,
                    const char *text)
{
    if (p->r.err != CG_OK)
        return;
    snprintf(p->fault->where, sizeof p->fault->where, "%s[%zu]%s%s", list, i, *member ? "." : "",
             member);
    p->fault->text = text;
}

static struct cg_span read_word(struct reading *p)
{
    struct cg_span word = cg_cbor_text(&p->r, CG_WORD_MAX_BYTES);

    if (!cg_is_word(word))
        cg_cbor_fail(&p->r, CG_SCHEMA);
    return word;
}

static uint64_t read_uint_to(struct reading *p, uint64_t max)
{
    uint64_t v = cg_cbor_uint(&p->r);

    if (v > max)
        cg_cbor_fail(&p->r, CG_SCHEMA);
    return v;
}

static uint64_t read_uint_from_1_to(struct reading *p, uint64_t max)
{
    uint64_t v = read_uint_to(p, max);

    if (v == 0)
        cg_cbor_fail(&p->r, CG_SCHEMA);
    return v;
}

static enum cg_sapi_mode read_mode(struct reading *p)
{
    enum cg_sapi_mode mode = CG_SAPI_NONE;

    if (cg_sapi_mode_read(cg_cbor_text(&p->r, 16), &mode) != CG_OK)
        cg_cbor_fail(&p->r, CG_SCHEMA);
    return mode;
}

static void read_exactly(struct reading *p, const char *text)
{
    if (!cg_span_is(cg_cbor_text(&p->r, 64), text))
        cg_cbor_fail(&p->r, CG_SCHEMA);
}

static void *take(struct reading *p, size_t n, size_t size)
{
    void *memory = p->r.err == CG_OK ? cg_arena_zero(&p->policy->arena, n * size) : NULL;

    if (!memory)
        cg_cbor_fail(&p->r, CG_NO_MEMORY);
    return memory;
}

static void read_tls(struct reading *p)
{
    at(p, "tls", "must be {\"min\":\"1.3\",\"groups\":[\"X25519MLKEM768\"]}");
    cg_cbor_map(&p->r, 2, 2);
    cg_cbor_key(&p->r, "min");
    read_exactly(p, "1.3");
    cg_cbor_key(&p->r, "groups");
    cg_cbor_array(&p->r, 1, 1);
    read_exactly(p, "X25519MLKEM768");
    p->policy->has_tls = true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct cg_waddr *)a)->text, ((const struct cg_waddr *)b)->text);
}

static void read_role(struct reading *p, struct cg_role_list *role, size_t i)
{
    size_t n_keys = cg_cbor_map(&p->r, 2, 3);

    at_item(p, "roles", i, "role", "must be a name of a-z, 0-9, '-', '_' and '.'");
    cg_cbor_key(&p->r, "role");
    role->role = read_word(p);
    if (cg_span_is(role->role, "anonymous") || cg_span_is(role->role, "any-wallet"))
        cg_cbor_fail(&p->r, CG_SCHEMA);
    at_item(p, "roles", i, "until", "must be a time in Unix seconds");
    role->has_until = n_keys == 3;
    if (role->has_until) {
        cg_cbor_key(&p->r, "until");
        role->until.s = (int64_t)read_uint_to(p, CG_JSON_MAX_INT);
    }
    at_item(p, "roles", i, "wallets", "must be a list of wallet addresses");
    cg_cbor_key(&p->r, "wallets");
    role->n_wallets = cg_cbor_array(&p->r, 0, CG_ROLE_WALLETS_MAX);
    role->wallets = take(p, role->n_wallets, sizeof *role->wallets);
    for (size_t k = 0; k < role->n_wallets && p->r.err == CG_OK; k++) {
        struct cg_span text = cg_cbor_text(&p->r, CG_WADDR_CHARS);

        if (p->r.err == CG_OK)
            cg_cbor_fail(&p->r, cg_waddr_read(text, &role->wallets[k]));
    }
    if (p->r.err == CG_OK && role->n_wallets > 1)
        qsort(role->wallets, role->n_wallets, sizeof *role->wallets, by_text);
}

static void read_roles(struct reading *p)
{
    at(p, "roles", "must be a list of {\"role\",\"wallets\",\"until\"}");
    p->policy->n_roles = cg_cbor_array(&p->r, 0, CG_ROLES_MAX);
    p->policy->roles = take(p, p->policy->n_roles, sizeof *p->policy->roles);
    for (size_t i = 0; i < p->policy->n_roles && p->r.err == CG_OK; i++)
        read_role(p, &p->policy->roles[i], i);
}

/* Whether every star is a segment "*" or "**". */
static bool has_whole_stars(struct cg_span pattern)
{
    for (size_t from = 0; from < pattern.len;) {
        struct cg_span rest = cg_span_from(pattern, from);
        struct cg_span segment = cg_span_first(rest, cg_span_find(rest, '/'));

        if (cg_span_find(segment, '*') < segment.len && !cg_span_is(segment, "*") &&
            !cg_span_is(segment, "**"))
            return false;
        from += segment.len + 1;
    }
    return true;
}

/* A pattern is a canonical path itself ('*' is an ordinary character there): whatever is not could
 * never match one. */
static cg_err check_pattern(struct cg_span pattern)
{
    char room[CG_URL_ROOM(CG_PATTERN_MAX_BYTES + 1)], target[CG_PATTERN_MAX_BYTES + 2];
    struct cg_url url;
    size_t n_segments = 0;

    if (pattern.len == 0 || pattern.at[0] != '/' || !has_whole_stars(pattern))
        return CG_SCHEMA;
    for (size_t i = 0; i < pattern.len; i++)
        n_segments += pattern.at[i] == '/';
    if (n_segments > CG_PATTERN_SEGMENTS_MAX)
        return CG_TOO_LARGE;
    /* Any authority will do; it is one letter behind a slash. */
    memcpy(target, "/a", 2);
    memcpy(target + 2, pattern.at, pattern.len);
    if (cg_url_read_target(CG_LIT("app"), cg_span_of(target, pattern.len + 2), room, &url, NULL) !=
            CG_OK ||
        url.query.len > 0 || !cg_span_eq(url.path, pattern))
        return CG_SCHEMA;
    return CG_OK;
}

static void read_pattern(struct reading *p, struct cg_span *out)
{
    *out = cg_cbor_text(&p->r, CG_PATTERN_MAX_BYTES);
    if (p->r.err == CG_OK)
        cg_cbor_fail(&p->r, check_pattern(*out));
}

static bool is_method(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.at[i] < 'A' || text.at[i] > 'Z') && text.at[i] != '-')
            return false;
    /* What tunnels or echoes is never a rule's. */
    return text.len > 0 && !cg_span_is(text, "CONNECT") && !cg_span_is(text, "TRACE");
}

static void read_rule_roles(struct reading *p, struct cg_rule *rule)
{
    rule->n_roles = cg_cbor_array(&p->r, 1, CG_RULE_ROLES_MAX);
    for (size_t i = 0; i < rule->n_roles && p->r.err == CG_OK; i++) {
        rule->roles[i] = read_word(p);
        rule->allows_anonymous |= cg_span_is(rule->roles[i], "anonymous");
        rule->allows_any_wallet |= cg_span_is(rule->roles[i], "any-wallet");
    }
}

static void read_rate(struct reading *p, struct cg_rate *rate)
{
    cg_cbor_map(&p->r, 2, 2);
    cg_cbor_key(&p->r, "burst");
    rate->burst = (uint32_t)read_uint_from_1_to(p, 1000000);
    cg_cbor_key(&p->r, "per_min");
    rate->per_min = (uint32_t)read_uint_from_1_to(p, 60000000);
}

static void read_body_modes(struct reading *p, struct cg_rule *rule)
{
    size_t n = cg_cbor_array(&p->r, 0, 2);

    rule->body_modes = 1; /* no body is always a body mode */
    for (size_t i = 0; i < n; i++) {
        uint64_t mode = cg_cbor_uint(&p->r);

        if (mode < 1 || mode > 2 || (rule->body_modes >> mode & 1) != 0)
            cg_cbor_fail(&p->r, CG_SCHEMA);
        else
            rule->body_modes |= (uint8_t)(1u << mode);
    }
}

static void read_rule(struct reading *p, struct cg_rule *rule, size_t i)
{
    size_t left = cg_cbor_map(&p->r, 4, 11) - 4;

    rule->body_modes = 7;
    rule->max_body = CG_DEFAULT_MAX_BODY;
    at_item(p, "rules", i, "path", "must be like /api/**: '*' is one segment, '**' any number");
    cg_cbor_key(&p->r, "path");
    read_pattern(p, &rule->path);
    at_item(p, "rules", i, "rate", "must be {\"per_min\":N,\"burst\":N}");
    if (cg_cbor_key_maybe(&p->r, "rate")) {
        left--;
        read_rate(p, &rule->rate);
    }
    at_item(p, "rules", i, "sapi", "must be none, grant, ed25519 or hybrid");
    cg_cbor_key(&p->r, "sapi");
    rule->sapi = read_mode(p);
    at_item(p, "rules", i, "roles", "must be a list of role names, anonymous or any-wallet");
    cg_cbor_key(&p->r, "roles");
    read_rule_roles(p, rule);
    at_item(p, "rules", i, "stream", "must be true or false");
    if (cg_cbor_key_maybe(&p->r, "stream")) {
        left--;
        rule->stream = cg_cbor_bool(&p->r);
    }
    at_item(p, "rules", i, "methods", "must be a list of methods, CONNECT and TRACE excepted");
    cg_cbor_key(&p->r, "methods");
    rule->n_methods = cg_cbor_array(&p->r, 1, CG_METHODS_MAX);
    for (size_t k = 0; k < rule->n_methods && p->r.err == CG_OK; k++) {
        rule->methods[k] = cg_cbor_text(&p->r, 24);
        if (p->r.err == CG_OK && !is_method(rule->methods[k]))
            cg_cbor_fail(&p->r, CG_SCHEMA);
    }
    at_item(p, "rules", i, "receipt", "must be true or false");
    if (cg_cbor_key_maybe(&p->r, "receipt")) {
        left--;
        rule->receipt = cg_cbor_bool(&p->r);
    }
    at_item(p, "rules", i, "evidence", "must be true or false");
    if (cg_cbor_key_maybe(&p->r, "evidence")) {
        left--;
        rule->evidence = cg_cbor_bool(&p->r);
    }
    at_item(p, "rules", i, "max_body", "must be a number of bytes");
    if (cg_cbor_key_maybe(&p->r, "max_body")) {
        left--;
        rule->max_body = read_uint_to(p, CG_DEFAULT_MAX_BODY);
    }
    at_item(p, "rules", i, "body_modes", "must be a list of 1 and 2");
    if (cg_cbor_key_maybe(&p->r, "body_modes")) {
        left--;
        read_body_modes(p, rule);
    }
    at_item(p, "rules", i, "max_rtt_us", "must be a number of microseconds");
    if (cg_cbor_key_maybe(&p->r, "max_rtt_us")) {
        left--;
        rule->max_rtt_us = (uint32_t)read_uint_to(p, 60000000);
    }
    at_item(p, "rules", i, "", "has a member that rules do not have");
    if (left != 0)
        cg_cbor_fail(&p->r, CG_SCHEMA);
    at_item(p, "rules", i, "sapi",
            "must be none where anonymous is among the roles, and only there");
    if (rule->allows_anonymous != (rule->sapi == CG_SAPI_NONE))
        cg_cbor_fail(&p->r, CG_SCHEMA);
    at_item(p, "rules", i, "stream", "needs body mode 2");
    if (rule->stream && (rule->body_modes & 4) == 0)
        cg_cbor_fail(&p->r, CG_SCHEMA);
    /* A MAC convinces nobody else, and a body that is signed behind itself is not in what is shown.
     */
    at_item(p, "rules", i, "evidence", "needs sapi ed25519 or hybrid, and no stream");
    if (rule->evidence && (rule->sapi < CG_SAPI_ED25519 || rule->stream))
        cg_cbor_fail(&p->r, CG_SCHEMA);
}

static bool is_role(const struct cg_policy *policy, struct cg_span name)
{
    if (cg_span_is(name, "anonymous") || cg_span_is(name, "any-wallet"))
        return true;
    for (size_t i = 0; i < policy->n_roles; i++)
        if (cg_span_eq(policy->roles[i].role, name))
            return true;
    return false;
}

/* A mistyped role would shut its rule for everybody; one that only credentials give has an empty
 * list of wallets. */
static void check_rule_roles(struct reading *p)
{
    for (size_t i = 0; i < p->policy->n_rules; i++) {
        const struct cg_rule *rule = &p->policy->rules[i];

        at_item(p, "rules", i, "roles", "has a role that is not among the profile's roles");
        for (size_t k = 0; k < rule->n_roles; k++)
            if (!is_role(p->policy, rule->roles[k]))
                cg_cbor_fail(&p->r, CG_SCHEMA);
    }
}

static void read_rules(struct reading *p)
{
    at(p, "rules", "must be a list of rules, one at least");
    cg_cbor_key(&p->r, "rules");
    p->policy->n_rules = cg_cbor_array(&p->r, 1, CG_RULES_MAX);
    p->policy->rules = take(p, p->policy->n_rules, sizeof *p->policy->rules);
    for (size_t i = 0; i < p->policy->n_rules && p->r.err == CG_OK; i++)
        read_rule(p, &p->policy->rules[i], i);
    if (p->r.err == CG_OK)
        check_rule_roles(p);
}

static void read_owner(struct reading *p)
{
    at(p, "owner", "must be a DID, did:bpi:...");
    cg_cbor_key(&p->r, "owner");
    struct cg_span text = cg_cbor_text(&p->r, CG_DID_CHARS);
    if (p->r.err == CG_OK)
        cg_cbor_fail(&p->r, cg_did_read(text, &p->policy->owner));
}

static void read_version(struct reading *p)
{
    at(p, "version", "must be a whole number from 1");
    cg_cbor_key(&p->r, "version");
    p->policy->version = read_uint_from_1_to(p, CG_JSON_MAX_INT);
}

static bool read_padding(struct reading *p)
{
    at(p, "padding", "must be 0 to 3");
    p->policy->padding = 1;
    if (!cg_cbor_key_maybe(&p->r, "padding"))
        return false;
    p->policy->padding = (unsigned)read_uint_to(p, PADDING_MAX);
    return true;
}

static bool read_max_age(struct reading *p)
{
    at(p, "max_checkpoint_age", "must be a number of seconds, 1 to 86400");
    if (!cg_cbor_key_maybe(&p->r, "max_checkpoint_age"))
        return false;
    p->policy->max_checkpoint_age_s = (int64_t)read_uint_from_1_to(p, MAX_AGE_S);
    return true;
}

static void read_rbac(struct reading *p, size_t left)
{
    at(p, "web2", "must be {\"allow\":false} or {\"allow\":true}");
    if (cg_cbor_key_maybe(&p->r, "web2")) {
        left--;
        cg_cbor_map(&p->r, 1, 1);
        cg_cbor_key(&p->r, "allow");
        p->policy->web2_allow = cg_cbor_bool(&p->r);
    }
    read_owner(p);
    if (cg_cbor_key_maybe(&p->r, "roles")) {
        left--;
        read_roles(p);
    }
    read_rules(p);
    at(p, "conceal", "must be true or false");
    if (cg_cbor_key_maybe(&p->r, "conceal")) {
        left--;
        p->policy->conceal = cg_cbor_bool(&p->r);
    }
    at(p, "default", "must be \"deny\"");
    if (cg_cbor_key_maybe(&p->r, "default")) {
        left--;
        read_exactly(p, "deny");
    }
    left -= read_padding(p);
    read_version(p);
    left -= read_max_age(p);
    at(p, "", "has a member that profiles do not have");
    if (left != 3) /* owner, rules, version */
        cg_cbor_fail(&p->r, CG_SCHEMA);
}

static void read_planes(struct reading *p)
{
    size_t n = cg_cbor_array(&p->r, 1, CG_PLANE_COUNT);

    for (size_t i = 0; i < n && p->r.err == CG_OK; i++) {
        struct cg_span name = cg_cbor_text(&p->r, 8);
        enum cg_plane plane = CG_PLANE_APP;

        if (cg_plane_read(name, &plane) != CG_OK || !cg_span_is(name, cg_plane_name(plane)) ||
            (p->policy->planes >> plane & 1) != 0)
            cg_cbor_fail(&p->r, CG_SCHEMA);
        p->policy->planes |= (uint8_t)(1u << plane);
    }
}

/* A JSON Web Key of an Ed25519 key (RFC 8037). */
static void read_backend_key(struct reading *p, struct cg_backend_key *key)
{
    size_t len = 0;

    cg_cbor_map(&p->r, 4, 4);
    cg_cbor_key(&p->r, "x");
    struct cg_span x = cg_cbor_text(&p->r, 43);
    if (p->r.err == CG_OK &&
        (cg_base64_read(CG_BASE64URL, x, key->ed25519, sizeof key->ed25519, &len) != CG_OK ||
         len != sizeof key->ed25519))
        cg_cbor_fail(&p->r, CG_SCHEMA);
    if (p->r.err == CG_OK)
        cg_cbor_fail(&p->r, cg_ed25519_key_check(key->ed25519));
    cg_cbor_key(&p->r, "crv");
    read_exactly(p, "Ed25519");
    cg_cbor_key(&p->r, "kid");
    key->kid = read_word(p);
    cg_cbor_key(&p->r, "kty");
    read_exactly(p, "OKP");
}

static void read_gateway(struct reading *p, size_t left)
{
    read_owner(p);
    at(p, "planes", "must be a list of app, bpi, gw, wallet, m2m");
    p->policy->planes = 1u << CG_PLANE_APP;
    if (cg_cbor_key_maybe(&p->r, "planes")) {
        left--;
        p->policy->planes = 0;
        read_planes(p);
    }
    left -= read_padding(p);
    read_version(p);
    at(p, "sapi_min", "must be none, grant, ed25519 or hybrid");
    if (cg_cbor_key_maybe(&p->r, "sapi_min")) {
        left--;
        p->policy->sapi_min = read_mode(p);
    }
    at(p, "audit_days", "must be a number of days");
    if (cg_cbor_key_maybe(&p->r, "audit_days")) {
        left--;
        p->policy->audit_days = read_uint_to(p, 36500);
    }
    at(p, "max_epochs", "must be 1 to 60");
    p->policy->max_epochs = EPOCHS_MAX;
    if (cg_cbor_key_maybe(&p->r, "max_epochs")) {
        left--;
        p->policy->max_epochs = read_uint_from_1_to(p, EPOCHS_MAX);
    }
    at(p, "backend_keys", "must be a list of Ed25519 JSON Web Keys");
    if (cg_cbor_key_maybe(&p->r, "backend_keys")) {
        left--;
        p->policy->n_backend_keys = cg_cbor_array(&p->r, 0, CG_BACKEND_KEYS_MAX);
        for (size_t i = 0; i < p->policy->n_backend_keys && p->r.err == CG_OK; i++)
            read_backend_key(p, &p->policy->backend_keys[i]);
    }
    left -= read_max_age(p);
    at(p, "", "has a member that gateway policies do not have");
    if (left != 2) /* owner, version */
        cg_cbor_fail(&p->r, CG_SCHEMA);
}

cg_err cg_policy_parse(struct cg_policy *policy, struct cg_policy_fault *fault)
{
    struct reading p = {.r = cg_cbor_of(policy->cbor), .policy = policy, .fault = fault};
    size_t left;

    at(&p, "", "is not a policy's map");
    left = cg_cbor_map(&p.r, 5, 16);
    at(&p, "v", "must be 1");
    cg_cbor_key(&p.r, "v");
    if (cg_cbor_uint(&p.r) != 1)
        cg_cbor_fail(&p.r, CG_VERSION);
    left -= 3; /* v, kind, name */
    if (cg_cbor_key_maybe(&p.r, "tls")) {
        left--;
        read_tls(&p);
    }
    at(&p, "kind", "must be rbac or gateway");
    cg_cbor_key(&p.r, "kind");
    struct cg_span kind = cg_cbor_text(&p.r, 16);
    if (cg_span_is(kind, "gateway"))
        policy->kind = CG_POLICY_GATEWAY;
    else if (!cg_span_is(kind, "rbac"))
        cg_cbor_fail(&p.r, CG_SCHEMA);
    at(&p, "name", "must be a name of a-z, 0-9, '-', '_' and '.'");
    cg_cbor_key(&p.r, "name");
    policy->name = read_word(&p);
    if (p.r.err == CG_OK && policy->kind == CG_POLICY_RBAC)
        read_rbac(&p, left);
    else if (p.r.err == CG_OK)
        read_gateway(&p, left);
    return cg_cbor_end(&p.r);
}
