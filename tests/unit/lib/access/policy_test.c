#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/access/cred.h"
#include "lib/access/policy.h"
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/wire/json.h"

#include <stdio.h>
#include <stdlib.h>

/* v1.json's policy is an encoding test: it has too few members to be one. */
TEST(the_protocols_policy_has_its_cbor_and_hash)
{
    static const char json[] = "{\"v\":1,\"name\":\"gw-default\",\"tls\":{\"min\":\"1.3\","
                               "\"groups\":[\"X25519MLKEM768\"]},"
                               "\"sapi_min\":\"grant\"}";
    uint8_t room[256];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_hash hash;
    struct cg_policy *policy = NULL;

    CHECK_OK(cg_json_to_cbor(cg_span_str(json), &w));
    CHECK_SPAN(cg_writer_span(&w), cg_vector_hex("v1:policy.cbor"));
    CHECK_OK(cg_policy_hash_of(cg_writer_span(&w), &hash));
    CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex("v1:policy.policy_hash"));
    CHECK_ERR(cg_policy_read_json(cg_span_str(json), &policy, NULL), CG_SCHEMA);
    CHECK(policy == NULL);
}

static struct cg_policy *read_named(const char *name)
{
    struct cg_policy *policy = NULL;
    struct cg_policy_fault fault = {.text = ""};
    const char *json = cg_vector(cg_vector_at("policy:policies.%s.json", name));

    if (!CHECK_OK(cg_policy_read_json(cg_span_str(json), &policy, &fault)))
        printf("#   %s: %s %s\n", name, fault.where, fault.text);
    return policy;
}

TEST(policies_have_their_cbor_and_hash_from_either_notation)
{
    static const char *const names[] = {"rbac", "least", "gateway", "concealed", "public"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct cg_policy *policy = read_named(names[i]), *other = NULL;
        struct cg_span cbor = cg_vector_hex(cg_vector_at("policy:policies.%s.cbor", names[i]));

        CHECK_OR_STOP(policy != NULL);
        CHECK_SPAN(cg_policy_cbor(policy), cbor);
        CHECK_SPAN(cg_hash_span(cg_policy_hash(policy)),
                   cg_vector_hex(cg_vector_at("policy:policies.%s.hash", names[i])));
        CHECK_OK(cg_policy_read_cbor(cbor, &other, NULL));
        CHECK_SPAN(cg_policy_name(other), cg_policy_name(policy));
        CHECK(cg_waddr_eq(cg_policy_owner(other), cg_policy_owner(policy)));
        cg_policy_free(other);
        cg_policy_free(policy);
    }
    for (size_t i = 0; i < cg_vector_count("policy:good"); i++) {
        struct cg_policy *policy = NULL;
        struct cg_policy_fault fault = {.text = ""};
        const char *json = cg_vector(cg_vector_at("policy:good.%zu.json", i));

        if (!CHECK_OK(cg_policy_read_json(cg_span_str(json), &policy, &fault)))
            printf("#   good %zu: %s %s\n", i, fault.where, fault.text);
        cg_policy_free(policy);
    }
}

TEST(the_members_are_read)
{
    struct cg_policy *rbac = read_named("rbac"), *gateway = read_named("gateway");

    CHECK_OR_STOP(rbac && gateway);
    CHECK_INT(cg_policy_kind(rbac), CG_POLICY_RBAC);
    CHECK_INT(rbac->version, 3);
    CHECK_INT(rbac->n_roles, 2);
    CHECK_INT(rbac->roles[0].until.s, 1800000000);
    CHECK(!rbac->roles[1].has_until);
    CHECK_INT(rbac->n_rules, 5);
    CHECK_INT(rbac->rules[0].rate.per_min, 600);
    CHECK_INT(rbac->rules[0].rate.burst, 60);
    CHECK_INT(rbac->rules[1].body_modes, 7);
    CHECK_INT(rbac->rules[1].max_body, CG_DEFAULT_MAX_BODY);
    CHECK(rbac->rules[2].evidence && !rbac->rules[2].receipt && !rbac->rules[2].stream);
    CHECK_INT(rbac->rules[2].body_modes, 3);
    CHECK_INT(rbac->rules[2].max_body, 1048576);
    CHECK(rbac->rules[3].receipt);
    CHECK_INT(rbac->rules[3].max_rtt_us, 333);
    CHECK_INT(rbac->rules[3].rate.per_min, 0);
    CHECK(rbac->rules[4].stream);
    CHECK(!rbac->conceal && !rbac->web2_allow);
    CHECK_INT(rbac->max_checkpoint_age_s, 21600);

    CHECK_INT(cg_policy_kind(gateway), CG_POLICY_GATEWAY);
    CHECK_INT(gateway->sapi_min, CG_SAPI_GRANT);
    CHECK_INT(gateway->planes, 1 << CG_PLANE_APP | 1 << CG_PLANE_M2M);
    CHECK_INT(gateway->padding, 2);
    CHECK_INT(gateway->max_epochs, 10);
    CHECK_INT(gateway->audit_days, 365);
    CHECK_INT(gateway->n_backend_keys, 1);
    CHECK_SPAN(gateway->backend_keys[0].kid, CG_LIT("backend-1"));
    /* RFC 8037, A.2 */
    CHECK_SPAN(CG_BYTES(gateway->backend_keys[0].ed25519),
               cg_unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
    cg_policy_free(rbac);
    cg_policy_free(gateway);
}

TEST(every_bad_policy_is_refused_where_it_is_bad)
{
    for (size_t i = 0; i < cg_vector_count("policy:bad"); i++) {
        const char *why = cg_vector(cg_vector_at("policy:bad.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("policy:bad.%zu.error", i));
        const char *where = cg_vector(cg_vector_at("policy:bad.%zu.where", i));
        const char *json = cg_vector(cg_vector_at("policy:bad.%zu.json", i));
        struct cg_policy *policy = NULL;
        struct cg_policy_fault fault = {.text = ""};
        cg_err err = cg_policy_read_json(cg_span_str(json), &policy, &fault);

        if (!CHECK(strcmp(cg_err_name(err), error) == 0) ||
            !CHECK(strcmp(where, "*") == 0 || strcmp(fault.where, where) == 0) ||
            !CHECK(*fault.text != '\0'))
            printf("#   %s: %s at \"%s\" %s\n", why, cg_err_name(err), fault.where, fault.text);
        CHECK(policy == NULL);
    }
}

TEST(cbor_that_is_not_canonical_is_refused)
{
    struct cg_span good = cg_vector_hex("policy:policies.least.cbor");
    struct cg_policy *policy = NULL;
    uint8_t bytes[512];

    CHECK_OR_STOP(good.len < sizeof bytes);
    memcpy(bytes, good.at, good.len);
    bytes[good.len] = 0;
    CHECK_ERR(cg_policy_read_cbor(cg_span_of(bytes, good.len + 1), &policy, NULL), CG_EXTRA);
    /* {"v": 1, ...}: the 1 in two bytes */
    memmove(bytes + 4, bytes + 3, good.len - 3);
    bytes[3] = 0x18;
    CHECK_ERR(cg_policy_read_cbor(cg_span_of(bytes, good.len + 1), &policy, NULL), CG_CANONICAL);
    memcpy(bytes, good.at, good.len);
    bytes[0] = 0xbf; /* a map without length */
    CHECK_ERR(cg_policy_read_cbor(cg_span_of(bytes, good.len), &policy, NULL), CG_CANONICAL);
    CHECK(policy == NULL);
    uint8_t *large = calloc(1, CG_POLICY_MAX_BYTES + 1);
    CHECK_ERR(cg_policy_read_cbor(cg_span_of(large, CG_POLICY_MAX_BYTES + 1), &policy, NULL),
              CG_TOO_LARGE);
    free(large);
}

TEST(the_table_of_patterns_holds)
{
    for (size_t i = 0; i < cg_vector_count("policy:matches"); i++) {
        const char *pattern = cg_vector(cg_vector_at("policy:matches.%zu.pattern", i));
        const char *path = cg_vector(cg_vector_at("policy:matches.%zu.path", i));
        bool want = *cg_vector(cg_vector_at("policy:matches.%zu.match", i)) != '\0';

        if (!CHECK_INT(cg_path_matches(cg_span_str(pattern), cg_span_str(path)), want))
            printf("#   %s against %s\n", pattern, path);
    }
}

/* A path of many segments against a pattern that could be tried in many ways takes its product, not
 * its power. */
TEST(matching_is_no_way_to_waste_time)
{
    static char path[4096];
    struct cg_span pattern = CG_LIT("/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b");

    for (size_t i = 0; i < sizeof path; i++)
        path[i] = i % 2 == 0 ? '/' : 'a';
    for (int i = 0; i < 100; i++)
        CHECK(!cg_path_matches(pattern, cg_span_of(path, sizeof path)));
}

static struct cg_waddr waddr_of(const char *text)
{
    struct cg_waddr waddr = {{0}};

    if (*text)
        CHECK_OK(cg_waddr_read(cg_span_str(text), &waddr));
    return waddr;
}

static enum cg_sapi_mode mode_of(const char *name)
{
    enum cg_sapi_mode mode = CG_SAPI_NONE;

    CHECK_OK(cg_sapi_mode_read(cg_span_str(name), &mode));
    return mode;
}

static size_t read_creds(size_t i, struct cg_cred *creds)
{
    size_t n = cg_vector_count(cg_vector_at("policy:decisions.%zu.creds", i));

    for (size_t k = 0; k < n; k++) {
        const char *owner = cg_vector(cg_vector_at("policy:decisions.%zu.creds.%zu.owner", i, k));

        CHECK_OK(cg_did_read(cg_span_str(owner), &creds[k].owner));
        creds[k].aud =
            cg_span_str(cg_vector(cg_vector_at("policy:decisions.%zu.creds.%zu.aud", i, k)));
        creds[k].role =
            cg_span_str(cg_vector(cg_vector_at("policy:decisions.%zu.creds.%zu.role", i, k)));
        creds[k].wallet =
            waddr_of(cg_vector(cg_vector_at("policy:decisions.%zu.creds.%zu.wallet", i, k)));
        creds[k].until.s =
            (int64_t)cg_vector_uint(cg_vector_at("policy:decisions.%zu.creds.%zu.until", i, k));
    }
    return n;
}

static uint64_t number(size_t i, const char *member)
{
    return cg_vector_uint(cg_vector_at("policy:decisions.%zu.%s", i, member));
}

static const char *text(size_t i, const char *member)
{
    return cg_vector(cg_vector_at("policy:decisions.%zu.%s", i, member));
}

TEST(the_table_of_decisions_holds)
{
    for (size_t i = 0; i < cg_vector_count("policy:decisions"); i++) {
        struct cg_policy *policy = read_named(text(i, "policy"));
        struct cg_waddr wallet = waddr_of(text(i, "wallet"));
        struct cg_span scope = cg_span_str(text(i, "scope"));
        struct cg_cred creds[CG_CREDS_MAX];
        const struct cg_url url = {.plane = CG_PLANE_APP,
                                   .authority = CG_LIT("shop.example"),
                                   .path = cg_span_str(text(i, "path"))};
        struct cg_access_ask ask = {
            .now = {(int64_t)number(i, "now")},
            .method = cg_span_str(text(i, "method")),
            .url = &url,
            .mode = mode_of(text(i, "mode")),
            .least = mode_of(text(i, "least")),
            .wallet = *text(i, "wallet") ? &wallet : NULL,
            .is_anywhere = cg_span_is(scope, "*"),
            .scope = &scope,
            .n_scope = scope.len > 0,
            .creds = creds,
            .n_creds = read_creds(i, creds),
            .body_mode = (unsigned)number(i, "body_mode"),
            .body_len = number(i, "body_len"),
            .rtt_us = (uint32_t)number(i, "rtt_us"),
        };
        struct cg_access access;

        CHECK_OR_STOP(policy != NULL);
        cg_err err = cg_policy_decide(policy, &ask, &access);
        bool ok = CHECK(strcmp(cg_err_name(err), text(i, "want")) == 0);
        if (err == CG_STEP_UP)
            ok &= CHECK(strcmp(cg_sapi_mode_name(access.needs), text(i, "needs")) == 0);
        ok &= CHECK(strcmp(access.allow, text(i, "allow")) == 0);
        if (strcmp(text(i, "rule"), "-1") != 0)
            ok &= CHECK(access.rule == &policy->rules[number(i, "rule")]) &&
                  CHECK_INT(access.rule_index, number(i, "rule"));
        if (!ok)
            printf("#   row %zu: %s %s by %s: %s, Allow \"%s\"\n", i, text(i, "method"),
                   text(i, "path"), text(i, "mode"), cg_err_name(err), access.allow);
        cg_policy_free(policy);
    }
}

TEST(credentials_go_there_and_back)
{
    struct cg_span wire = cg_vector_hex("policy:credential.cbor");
    uint8_t nonce[16], room[512], bad[512];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_cred cred, untouched = {.until = {77}};

    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)i;
    CHECK_OK(cg_cred_read(wire, &cred));
    CHECK_SPAN(cred.role, cg_span_str(cg_vector("policy:credential.role")));
    CHECK_SPAN(cred.aud, cg_span_str(cg_vector("policy:credential.aud")));
    CHECK_SPAN(cg_span_str(cred.wallet.text), cg_span_str(cg_vector("policy:credential.wallet")));
    CHECK_INT(cred.until.s, cg_vector_uint("policy:credential.until"));
    CHECK_OK(cg_cred_write(&cred, nonce, &w));
    CHECK_SPAN(cg_writer_span(&w), wire);

    for (size_t n = 0; n < wire.len; n++)
        CHECK_ERR(cg_cred_read(cg_span_first(wire, n), &untouched), CG_SHORT);
    memcpy(bad, wire.at, wire.len);
    bad[wire.len] = 0;
    CHECK_ERR(cg_cred_read(cg_span_of(bad, wire.len + 1), &untouched), CG_EXTRA);
    bad[3] = 2; /* {"v": 2 */
    CHECK_ERR(cg_cred_read(cg_span_of(bad, wire.len), &untouched), CG_VERSION);
    bad[3] = 1;
    bad[9] = 'W'; /* "aud": "Web-default" */
    CHECK_ERR(cg_cred_read(cg_span_of(bad, wire.len), &untouched), CG_SCHEMA);
    bad[9] = 'w';
    bad[wire.len - 1] ^= 3; /* the wallet's last character */
    CHECK(cg_cred_read(cg_span_of(bad, wire.len), &untouched) != CG_OK);
    /* The last second that JSON could tell, and one more. */
    cred.until.s = (int64_t)CG_JSON_MAX_INT;
    w = cg_writer_fixed(room, sizeof room);
    CHECK_OK(cg_cred_write(&cred, nonce, &w));
    CHECK_OK(cg_cred_read(cg_writer_span(&w), &cred));
    cred.until.s++;
    w = cg_writer_fixed(bad, sizeof bad);
    CHECK_OK(cg_cred_write(&cred, nonce, &w));
    CHECK_ERR(cg_cred_read(cg_writer_span(&w), &untouched), CG_TOO_LARGE);
    CHECK_INT(untouched.until.s, 77);
}

SUITE(policy, T(the_protocols_policy_has_its_cbor_and_hash),
      T(policies_have_their_cbor_and_hash_from_either_notation), T(the_members_are_read),
      T(every_bad_policy_is_refused_where_it_is_bad), T(cbor_that_is_not_canonical_is_refused),
      T(the_table_of_patterns_holds), T(matching_is_no_way_to_waste_time),
      T(the_table_of_decisions_holds), T(credentials_go_there_and_back))
