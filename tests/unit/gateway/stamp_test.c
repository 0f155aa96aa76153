#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "gateway/stamp.h"
#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/writer.h"

static const struct cg_secret secret = {{1, 2, 3}};

static void make(struct cg_head *head, struct cg_arena *arena)
{
    cg_arena_init(arena, 65536);
    cg_head_init(head, arena);
    head->method = CG_LIT("POST");
    head->scheme = CG_LIT("http");
    head->authority = CG_LIT("127.0.0.1:3000");
    head->path = CG_LIT("/api/orders?limit=10");
}

static cg_err stamp(struct cg_head *head, const struct gw_backend_key *key)
{
    struct cg_mac *mac;
    struct gw_stamp facts = {
        .original_url = CG_LIT("httpcg://app/shop.example/api/orders?limit=10"),
        .wallet_address = CG_LIT("vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"),
        .session_id = CG_LIT("0f0d13b8-a56f-861f-a8d3-85f9ef52c3d2"),
        .gateway_did = CG_LIT("did:bpi:gw"),
        .auth = GW_AUTH_GRANT,
        .body = GW_BODY_VERIFIED,
    };

    for (size_t i = 0; i < sizeof facts.request_id; i++)
        facts.request_id[i] = (uint8_t)i;
    CG_TRY(cg_mac_new(&mac));
    cg_err err = gw_stamp_head(head, &facts, CG_LIT("http://127.0.0.1:3000/api/orders?limit=10"),
                               key, mac, (struct cg_wall){1795366003});
    cg_mac_free(mac);
    return err;
}

/* RFC 9421, 2.5: the base, written out by hand. */
static const char params[] =
    "(\"@method\" \"@target-uri\" \"content-digest\" \"x-httpcg-original-url\" "
    "\"x-httpcg-wallet-address\" \"x-httpcg-session-id\" \"x-httpcg-auth\" "
    "\"x-httpcg-gateway-did\" \"x-httpcg-request-id\")"
    ";created=1795366003;expires=1795366063;nonce=\"000102030405060708090a0b0c0d0e0f\""
    ";keyid=\"gateway\";alg=\"hmac-sha256\";tag=\"httpcg-gw\"";
static const char base[] =
    "\"@method\": POST\n"
    "\"@target-uri\": http://127.0.0.1:3000/api/orders?limit=10\n"
    "\"content-digest\": sha-256=:x:\n"
    "\"x-httpcg-original-url\": httpcg://app/shop.example/api/orders?limit=10\n"
    "\"x-httpcg-wallet-address\": vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb\n"
    "\"x-httpcg-session-id\": 0f0d13b8-a56f-861f-a8d3-85f9ef52c3d2\n"
    "\"x-httpcg-auth\": grant;body=verified\n"
    "\"x-httpcg-gateway-did\": did:bpi:gw\n"
    "\"x-httpcg-request-id\": 00010203-0405-0607-0809-0a0b0c0d0e0f\n"
    "\"@signature-params\": ";

TEST(the_signature_covers_method_target_digest_and_every_fact)
{
    struct cg_arena arena;
    struct cg_head head;
    struct cg_mac *mac;
    struct cg_hash tag;
    char whole[sizeof base + sizeof params], expected[64];
    const struct gw_backend_key key = {.id = CG_LIT("gateway"), .secret = &secret};
    struct cg_writer w = cg_writer_fixed(whole, sizeof whole);

    make(&head, &arena);
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_DIGEST, CG_LIT("sha-256=:x:")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("x-other"), CG_LIT("not covered")));
    CHECK_OK(stamp(&head, &key));
    CHECK_SPAN(cg_span_from(cg_head_value(&head, CG_TOKEN_SIGNATURE_INPUT), 7),
               cg_span_str(params));

    cg_put_str(&w, base);
    cg_put_str(&w, params);
    CHECK_OK(cg_mac_new(&mac));
    CHECK_OK(cg_mac_whole(mac, &secret, cg_writer_span(&w), &tag));
    cg_mac_free(mac);
    cg_base64_write(CG_BASE64, cg_hash_span(&tag), expected);
    struct cg_span value = cg_head_value(&head, CG_TOKEN_SIGNATURE);
    CHECK(cg_span_starts(value, CG_LIT("httpcg=:")) && cg_span_ends(value, CG_LIT(":")));
    CHECK_SPAN(cg_span_first(cg_span_from(value, 8), value.len - 9),
               cg_span_of(expected, cg_base64_chars(CG_BASE64, 32)));
    cg_arena_done(&arena);
}

TEST(without_a_key_the_facts_stand_unsigned)
{
    struct cg_arena arena;
    struct cg_head head;

    make(&head, &arena);
    CHECK_OK(stamp(&head, NULL));
    CHECK(!cg_head_find(&head, CG_TOKEN_SIGNATURE));
    CHECK_SPAN(cg_head_find_named(&head, CG_LIT("x-httpcg-auth"))->value,
               CG_LIT("grant;body=verified"));
    /* A fact that there is none of is no field. */
    CHECK(!cg_head_find_named(&head, CG_LIT("x-httpcg-roles")));
    cg_arena_done(&arena);
}

SUITE(stamp, T(the_signature_covers_method_target_digest_and_every_fact),
      T(without_a_key_the_facts_stand_unsigned))
