#include "tests/support/check.h"

#include "lib/access/policy.h"
#include "lib/base/span.h"

#define ALICE "vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"
#define BOB "d4hghd4da3wpsqc2edagkfuvykjl2gzavwjjmba7ncr5hgf2jxv7wcqb"

static const char example[] =
    "{\"v\":1,\"kind\":\"rbac\",\"name\":\"web-default\",\"owner\":\"did:bpi:" BOB "\","
    "\"version\":3,\"tls\":{\"min\":\"1.3\",\"groups\":[\"X25519MLKEM768\"]},"
    "\"default\":\"deny\",\"conceal\":false,"
    "\"roles\":[{\"role\":\"staff\",\"wallets\":[\"" ALICE "\"],\"until\":1800000000}],"
    "\"rules\":["
    "{\"methods\":[\"GET\",\"HEAD\"],\"path\":\"/public/**\",\"roles\":[\"anonymous\"],"
    "\"sapi\":\"none\",\"rate\":{\"per_min\":600,\"burst\":60}},"
    "{\"methods\":[\"GET\",\"POST\"],\"path\":\"/api/**\",\"roles\":[\"any-wallet\"],"
    "\"sapi\":\"grant\"},"
    "{\"methods\":[\"POST\",\"DELETE\"],\"path\":\"/admin/**\",\"roles\":[\"staff\"],"
    "\"sapi\":\"hybrid\",\"evidence\":true,\"max_rtt_us\":0,\"stream\":false,\"body_modes\":[1],"
    "\"max_body\":1048576,\"rate\":{\"per_min\":30,\"burst\":5}}],"
    "\"web2\":{\"allow\":false},\"padding\":1,\"max_checkpoint_age\":21600}";

struct asked {
    const char *method, *path;
    const char *wallet; /* NULL: not signed */
    enum cg_sapi_mode mode;
    unsigned body_mode;
    uint64_t body_len;
    cg_err want;
};

static cg_err decide(const struct cg_policy *policy, const struct asked *a, int64_t now_s,
                     const char *scope, struct cg_access *out)
{
    const struct cg_url url = {
        .plane = CG_PLANE_APP, .authority = CG_LIT("shop.example"), .path = cg_span_str(a->path)};
    struct cg_waddr wallet = {0};
    const struct cg_span names[] = {cg_span_str(scope)};
    struct cg_access_ask ask = {
        .now = {now_s},
        .method = cg_span_str(a->method),
        .url = &url,
        .mode = a->mode,
        .is_anywhere = !scope,
        .scope = names,
        .n_scope = scope ? 1 : 0,
        .body_mode = a->body_mode,
        .body_len = a->body_len,
    };

    if (a->wallet) {
        if (!CHECK_OK(cg_waddr_read(cg_span_str(a->wallet), &wallet)))
            return CG_INTERNAL;
        ask.wallet = &wallet;
    }
    return cg_policy_decide(policy, &ask, out);
}

static struct cg_policy *read_example(void)
{
    struct cg_policy *policy = NULL;
    struct cg_policy_fault fault;

    if (!CHECK_OK(cg_policy_read_json(cg_span_str(example), &policy, &fault)))
        return NULL;
    return policy;
}

static const struct asked table[] = {
    {"GET", "/public/a", NULL, CG_SAPI_NONE, 0, 0, CG_OK},
    {"HEAD", "/public", NULL, CG_SAPI_NONE, 0, 0, CG_OK},
    {"GET", "/public/", ALICE, CG_SAPI_GRANT, 0, 0, CG_OK},
    /* Whoever has not signed cannot tell routes that exist from those that do not. */
    {"POST", "/public/a", NULL, CG_SAPI_NONE, 0, 0, CG_NEEDS_AUTH},
    {"GET", "/api/x", NULL, CG_SAPI_NONE, 0, 0, CG_NEEDS_AUTH},
    {"GET", "/nothing", NULL, CG_SAPI_NONE, 0, 0, CG_NEEDS_AUTH},
    {"POST", "/admin/x", NULL, CG_SAPI_NONE, 0, 0, CG_NEEDS_AUTH},
    {"GET", "/api/x", ALICE, CG_SAPI_GRANT, 0, 0, CG_OK},
    {"GET", "/api", BOB, CG_SAPI_GRANT, 0, 0, CG_OK},
    {"GET", "/nothing", ALICE, CG_SAPI_GRANT, 0, 0, CG_NO_RULE},
    {"GET", "/apix", ALICE, CG_SAPI_GRANT, 0, 0, CG_NO_RULE},
    {"DELETE", "/api/x", ALICE, CG_SAPI_GRANT, 0, 0, CG_METHOD},
    {"POST", "/admin/x", ALICE, CG_SAPI_GRANT, 1, 0, CG_STEP_UP},
    {"POST", "/admin/x", ALICE, CG_SAPI_ED25519, 1, 0, CG_STEP_UP},
    {"POST", "/admin/x", ALICE, CG_SAPI_HYBRID, 1, 0, CG_OK},
    {"POST", "/admin/x", BOB, CG_SAPI_HYBRID, 1, 0, CG_DENIED},
    {"POST", "/admin/x", ALICE, CG_SAPI_HYBRID, 2, 0, CG_DENIED},
    {"POST", "/admin/x", ALICE, CG_SAPI_HYBRID, 1, 1048576, CG_OK},
    {"POST", "/admin/x", ALICE, CG_SAPI_HYBRID, 1, 1048577, CG_TOO_LARGE},
};

TEST(the_first_rule_that_matches_decides)
{
    struct cg_policy *policy = read_example();

    CHECK_OR_STOP(policy != NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct cg_access out;

        if (!CHECK_ERR(decide(policy, &table[i], 1700000000, NULL, &out), table[i].want))
            CHECK_INT(i, -1);
    }
    cg_policy_free(policy);
}

TEST(refusals_say_what_it_takes)
{
    struct cg_policy *policy = read_example();
    struct cg_access out;

    CHECK_OR_STOP(policy != NULL);
    CHECK_ERR(decide(policy, &table[12], 1700000000, NULL, &out), CG_STEP_UP);
    CHECK_INT(out.needs, CG_SAPI_HYBRID);
    CHECK_ERR(decide(policy, &table[11], 1700000000, NULL, &out), CG_METHOD);
    CHECK_SPAN(cg_span_str(out.allow), CG_LIT("GET, POST"));
    cg_policy_free(policy);
}

TEST(roles_end_at_their_time_and_scopes_at_their_name)
{
    struct cg_policy *policy = read_example();
    struct cg_access out;

    CHECK_OR_STOP(policy != NULL);
    CHECK_OK(decide(policy, &table[14], 1799999999, NULL, &out));
    CHECK_ERR(decide(policy, &table[14], 1800000000, NULL, &out), CG_DENIED);
    CHECK_OK(decide(policy, &table[7], 1700000000, "app/shop.example", &out));
    CHECK_ERR(decide(policy, &table[7], 1700000000, "app/shop.exampl", &out), CG_SCOPE);
    CHECK_ERR(decide(policy, &table[7], 1700000000, "m2m/shop.example", &out), CG_SCOPE);
    cg_policy_free(policy);
}

TEST(patterns_match_whole_segments)
{
    static const struct {
        const char *pattern, *path;
        bool want;
    } rows[] = {
        {"", "/", false},
        {"/", "", false},
        {"a", "/a", false},
        {"/a", "a", false},
        {"/", "/", true},
        {"/", "/a", false},
        {"/a", "/a", true},
        {"/a", "/a/", false},
        {"/a/", "/a/", true},
        {"/*", "/a", true},
        {"/*", "/", false},
        {"/*", "/a/b", false},
        {"/a/*/c", "/a/b/c", true},
        {"/a/*/c", "/a/b/d", false},
        {"/a/*/c", "/a//c", false},
        {"/**", "/", true},
        {"/**", "/a/b/c/", true},
        {"/a/**", "/a", true},
        {"/a/**", "/a/", true},
        {"/a/**", "/ab", false},
        {"/**/z", "/z", true},
        {"/**/z", "/a/b/z", true},
        {"/**/z", "/a/z/b", false},
        {"/a/**/b/**/c", "/a/b/x/b/y/c", true},
        {"/a/**/b/*/c", "/a/b/b/x/c", true},
        {"/a/**/b/*/c", "/a/b/x/x/c", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!CHECK(cg_path_matches(cg_span_str(rows[i].pattern), cg_span_str(rows[i].path)) ==
                   rows[i].want))
            CHECK_INT(i, -1);
}

TEST(every_prefix_of_a_policys_cbor_is_refused)
{
    struct cg_policy *policy = read_example(), *other = NULL;

    CHECK_OR_STOP(policy != NULL);
    struct cg_span cbor = cg_policy_cbor(policy);
    for (size_t n = 0; n < cbor.len; n++)
        CHECK(cg_policy_read_cbor(cg_span_first(cbor, n), &other, NULL) != CG_OK);
    for (size_t n = 0; n < sizeof example - 1; n++)
        CHECK(cg_policy_read_json(cg_span_of(example, n), &other, NULL) != CG_OK);
    CHECK(other == NULL);
    CHECK_OK(cg_policy_read_cbor(cbor, &other, NULL));
    CHECK(cg_hash_eq(cg_policy_hash(policy), cg_policy_hash(other)));
    cg_policy_free(other);
    cg_policy_free(policy);
}

SUITE(decide, T(the_first_rule_that_matches_decides), T(refusals_say_what_it_takes),
      T(roles_end_at_their_time_and_scopes_at_their_name), T(patterns_match_whole_segments),
      T(every_prefix_of_a_policys_cbor_is_refused))
