#include "client/floor.h"
#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"

#include <httpcg/policy.h>
#include <stdio.h>

#define HEAD                                                                                       \
    "{\"v\":1,\"kind\":\"gateway\",\"name\":\"gw\",\"owner\":"                                     \
    "\"did:bpi:d4hghd4da3wpsqc2edagkfuvykjl2gzavwjjmba7ncr5hgf2jxv7wcqb\",\"version\":1"
#define TLS ",\"tls\":{\"min\":\"1.3\",\"groups\":[\"X25519MLKEM768\"]}"

/* The signed document of a policy's JSON, and the hash a certificate would have. */
static void make(const char *json, struct cg_buf *out, struct cg_hash *hash)
{
    struct cg_policy *policy = NULL;

    cg_buf_init(out, 64 * 1024);
    if (!CHECK_OK(cg_policy_read_json(cg_span_str(json), &policy, NULL)))
        return;
    *hash = *cg_policy_hash(policy);
    CHECK_OK(cg_cose_issue(cg_test_signer(0x40), CG_DOC_POLICY, cg_policy_cbor(policy),
                           (struct cg_span){NULL, 0}, (struct cg_span){NULL, 0}, out));
    cg_policy_free(policy);
}

TEST(each_floor_is_held_by_what_the_policy_says_or_leaves_out)
{
    static const struct {
        const char *json;
        enum cg_sapi_mode sapi;
        const char *group;
        unsigned padding;
        const char *below;
    } rows[] = {
        {HEAD "}", CG_SAPI_NONE, "", 1, NULL}, /* padding is 1 where it is absent */
        {HEAD "}", CG_SAPI_NONE, "", 2, "padding"},
        {HEAD ",\"padding\":0}", CG_SAPI_NONE, "", 1, "padding"},
        {HEAD ",\"padding\":3}", CG_SAPI_NONE, "", 3, NULL},
        {HEAD "}", CG_SAPI_GRANT, "", 0, "sapi"}, /* and sapi_min none */
        {HEAD ",\"sapi_min\":\"grant\"}", CG_SAPI_GRANT, "", 0, NULL},
        {HEAD ",\"sapi_min\":\"grant\"}", CG_SAPI_ED25519, "", 0, "sapi"},
        {HEAD ",\"sapi_min\":\"hybrid\"}", CG_SAPI_GRANT, "", 0, NULL},
        {HEAD "}", CG_SAPI_NONE, "X25519MLKEM768", 0, "group"},
        {HEAD TLS "}", CG_SAPI_NONE, "X25519MLKEM768", 0, NULL},
        {HEAD TLS ",\"padding\":2,\"sapi_min\":\"ed25519\"}", CG_SAPI_ED25519, "X25519MLKEM768", 2,
         NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cg_trust trust = {.floor_sapi = rows[i].sapi,
                                       .floor_group = cg_span_str(rows[i].group),
                                       .floor_padding = rows[i].padding};
        CG_AUTO(buf) struct cg_buf document = {0};
        struct cg_hash hash;
        const char *why = "not set";

        make(rows[i].json, &document, &hash);
        CHECK(cl_floor_is_set(&trust));
        if (!CHECK_ERR(cl_floor_check(&trust, &hash, cg_buf_span(&document), &why),
                       rows[i].below ? CG_DENIED : CG_OK) ||
            !CHECK_SPAN(cg_span_str(why), cg_span_str(rows[i].below)))
            printf("#   row %zu\n", i);
    }
    const struct cg_trust none = {0};
    CHECK(!cl_floor_is_set(&none));
}

TEST(only_the_promised_policy_of_a_gateway_counts)
{
    const struct cg_trust trust = {.floor_padding = 1};
    CG_AUTO(buf) struct cg_buf gateway = {0};
    CG_AUTO(buf) struct cg_buf profile = {0};
    struct cg_hash of_gateway, of_profile;
    const char *why;

    make(HEAD "}", &gateway, &of_gateway);
    make("{\"v\":1,\"kind\":\"rbac\",\"name\":\"p\",\"owner\":"
         "\"did:bpi:d4hghd4da3wpsqc2edagkfuvykjl2gzavwjjmba7ncr5hgf2jxv7wcqb\",\"version\":1,"
         "\"padding\":3,\"rules\":[{\"methods\":[\"GET\"],\"path\":\"/\",\"roles\":[\"anonymous\"],"
         "\"sapi\":\"none\"}]}",
         &profile, &of_profile);
    CHECK_OK(cl_floor_check(&trust, &of_gateway, cg_buf_span(&gateway), &why));
    CHECK_ERR(cl_floor_check(&trust, &of_profile, cg_buf_span(&gateway), &why), CG_MISMATCH);
    CHECK_ERR(cl_floor_check(&trust, &of_profile, cg_buf_span(&profile), &why), CG_MISMATCH);
    struct cg_span whole = cg_buf_span(&gateway);
    for (size_t n = 0; n < whole.len; n += n < 400 ? 1 : 97)
        CHECK_ERR(cl_floor_check(&trust, &of_gateway, cg_span_first(whole, n), &why), CG_SHORT);
}

SUITE(floor, T(each_floor_is_held_by_what_the_policy_says_or_leaves_out),
      T(only_the_promised_policy_of_a_gateway_counts))
