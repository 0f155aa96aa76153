#include "session/message.h"

#include "lib/base/span.h"
#include "tests/support/check.h"

static struct cg_arena arena;
static struct cg_head head;

static void start(void)
{
    cg_arena_init(&arena, 64 * 1024);
    cg_head_init(&head, &arena);
}

TEST(knows_every_name_of_its_list_and_nothing_beside_it)
{
    for (enum cg_token t = CG_TOKEN_OTHER + 1; t < CG_TOKEN_COUNT; t++) {
        struct cg_span name = cg_token_name(t);
        CHECK_INT(cg_token_of(name), t);
        CHECK(cg_token_of(cg_span_first(name, name.len - 1)) != t);
    }
    CHECK_INT(cg_token_of(CG_LIT("")), CG_TOKEN_OTHER);
    CHECK_INT(cg_token_of(CG_LIT("x-sapi")), CG_TOKEN_OTHER);
    CHECK_INT(cg_token_of(CG_LIT("hosT")), CG_TOKEN_OTHER);
}

TEST(gives_family_members_the_familys_token_unless_they_have_their_own)
{
    CHECK_INT(cg_token_of(CG_LIT("x-httpcg-wallet-address")), CG_TOKEN_X_HTTPCG_ANY);
    CHECK_INT(cg_token_of(CG_LIT("x-forwarded-for")), CG_TOKEN_X_FORWARDED_ANY);
    CHECK_INT(cg_token_of(CG_LIT("sapi-x")), CG_TOKEN_SAPI_ANY);
    CHECK_INT(cg_token_of(CG_LIT("sapi-response")), CG_TOKEN_SAPI_RESPONSE);
    CHECK_INT(cg_token_of(CG_LIT("proxy-x")), CG_TOKEN_PROXY_ANY);
    CHECK_INT(cg_token_of(CG_LIT("proxy-authorization")), CG_TOKEN_PROXY_AUTHORIZATION);
    CHECK_INT(cg_token_of(CG_LIT("x-forwarded")), CG_TOKEN_OTHER);
}

TEST(keeps_order_and_counts_lines)
{
    start();
    CHECK_OK(cg_head_add(&head, CG_TOKEN_COOKIE, CG_LIT("a=1")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("my-name"), CG_LIT(" \t x y\t ")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("cookie"), CG_LIT("b=2")));
    CHECK_OK(cg_head_add_int(&head, CG_TOKEN_AGE, UINT64_MAX));
    CHECK_OK(cg_head_add_int(&head, CG_TOKEN_MAX_FORWARDS, 0));

    CHECK_INT(head.n_fields, 5);
    CHECK_INT(cg_head_count(&head, CG_TOKEN_COOKIE), 2);
    CHECK_INT(cg_head_count(&head, CG_TOKEN_RANGE), 0);
    CHECK_SPAN(cg_head_value(&head, CG_TOKEN_COOKIE), CG_LIT("a=1"));
    CHECK_SPAN(cg_head_find_named(&head, CG_LIT("my-name"))->value, CG_LIT("x y"));
    CHECK_SPAN(cg_head_value(&head, CG_TOKEN_AGE), CG_LIT("18446744073709551615"));
    CHECK_SPAN(cg_head_value(&head, CG_TOKEN_MAX_FORWARDS), CG_LIT("0"));
    CHECK(cg_head_find(&head, CG_TOKEN_RANGE) == NULL);
    CHECK(cg_head_value(&head, CG_TOKEN_RANGE).at == NULL);
    CHECK(cg_head_find_named(&head, CG_LIT("my-nam")) == NULL);
    CHECK(cg_head_find(&head, CG_TOKEN_COOKIE)->never_index);
    CHECK(!cg_head_find(&head, CG_TOKEN_AGE)->never_index);
    cg_arena_done(&arena);
}

TEST(counts_the_list_as_http_2_does)
{
    start();
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TE, CG_LIT("trailers")));
    CHECK_INT(head.list_bytes, 2 + 8 + 32); /* RFC 9113, 6.5.2 */
    cg_arena_done(&arena);
}

TEST(lets_nothing_in_that_could_end_a_line)
{
    start();
    for (unsigned c = 0; c < 256; c++) {
        uint8_t value[] = {'a', (uint8_t)c, 'b'};
        bool bad = (c < 0x20 && c != '\t') || c == 0x7f;
        CHECK_ERR(cg_head_add(&head, CG_TOKEN_SERVER, CG_BYTES(value)), bad ? CG_SYNTAX : CG_OK);
        CHECK_ERR(cg_head_add_named(&head, CG_LIT("n"), CG_BYTES(value)), bad ? CG_SYNTAX : CG_OK);
        cg_head_drop(&head, CG_TOKEN_SERVER);
        head.n_fields = 0;
    }
    cg_arena_done(&arena);
}

TEST(finds_a_control_character_at_any_place_of_a_long_value)
{
    for (size_t len = 1; len < 40; len++)
        for (size_t at = 0; at < len; at++) {
            static const uint8_t controls[] = {0, '\n', '\r', 0x1f, 0x7f};
            uint8_t value[40];
            start();
            memset(value, 0xff, sizeof value);
            value[len / 2] = '\t';
            CHECK_OK(cg_head_add(&head, CG_TOKEN_SERVER, cg_span_of(value, len)));
            value[at] = controls[(at + len) % sizeof controls];
            CHECK_ERR(cg_head_add(&head, CG_TOKEN_SERVER, cg_span_of(value, len)), CG_SYNTAX);
            cg_arena_done(&arena);
        }
}

TEST(takes_lower_case_tokens_as_names_and_nothing_else)
{
    const char *good = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";

    start();
    for (unsigned c = 0; c < 256; c++) {
        uint8_t name[] = {'n', (uint8_t)c};
        bool ok = c && strchr(good, (int)c);
        CHECK_ERR(cg_head_add_named(&head, CG_BYTES(name), CG_LIT("")), ok ? CG_OK : CG_SYNTAX);
    }
    CHECK(head.has_underscore);
    CHECK_ERR(cg_head_add_named(&head, CG_LIT(""), CG_LIT("v")), CG_SYNTAX);
    CHECK_ERR(cg_head_add(&head, CG_TOKEN_OTHER, CG_LIT("v")), CG_SYNTAX);
    CHECK_ERR(cg_head_add(&head, CG_TOKEN_X_HTTPCG_ANY, CG_LIT("v")), CG_SYNTAX);
    cg_arena_done(&arena);
}

TEST(stops_at_its_number_of_fields)
{
    start();
    for (int i = 0; i < CG_HEAD_MAX_FIELDS; i++)
        CHECK_OK(cg_head_add(&head, CG_TOKEN_VIA, CG_LIT("x")));
    CHECK_ERR(cg_head_add(&head, CG_TOKEN_VIA, CG_LIT("x")), CG_TOO_LARGE);
    CHECK_INT(head.n_fields, CG_HEAD_MAX_FIELDS);
    cg_arena_done(&arena);
}

TEST(finds_members_of_lists)
{
    start();
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("x, ,Close")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("upgrade")));
    CHECK(cg_head_lists(&head, CG_TOKEN_CONNECTION, "close"));
    CHECK(cg_head_lists(&head, CG_TOKEN_CONNECTION, "upgrade"));
    CHECK(!cg_head_lists(&head, CG_TOKEN_CONNECTION, "clos"));
    CHECK(!cg_head_lists(&head, CG_TOKEN_TE, "close"));
    cg_arena_done(&arena);
}

TEST(drops_hop_by_hop_fields_and_those_that_connection_names)
{
    start();
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("close, X-Secret")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("x-httpcg-roles")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("x-secret"), CG_LIT("1")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("x-secrets"), CG_LIT("2")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("x-httpcg-roles"), CG_LIT("admin")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("proxy-anything"), CG_LIT("3")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TE, CG_LIT("trailers")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_HOST, CG_LIT("h")));
    CHECK_OK(cg_head_drop_hops(&head));
    CHECK_INT(head.n_fields, 2);
    CHECK_SPAN(head.fields[0].name, CG_LIT("x-secrets"));
    CHECK_SPAN(head.fields[1].name, CG_LIT("host"));
    CHECK(cg_head_find(&head, CG_TOKEN_CONNECTION) == NULL);
    CHECK(cg_head_find(&head, CG_TOKEN_HOST) != NULL);
    cg_arena_done(&arena);
}

TEST(refuses_a_connection_that_names_what_is_end_to_end)
{
    start();
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("close, Content-Type")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_TYPE, CG_LIT("text/plain")));
    CHECK_ERR(cg_head_drop_hops(&head), CG_SYNTAX);
    CHECK_INT(head.n_fields, 2);
    cg_arena_done(&arena);
}

TEST(refuses_a_connection_with_too_many_names)
{
    start();
    for (int i = 0; i < 32; i++)
        CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("x")));
    struct cg_head full = head;
    CHECK_OK(cg_head_drop_hops(&full));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("x")));
    CHECK_ERR(cg_head_drop_hops(&head), CG_TOO_LARGE);
    cg_arena_done(&arena);
}

TEST(copies_fields_of_another_head_as_they_are)
{
    static const char *const names[] = {"content-type", "x-httpcg-a", "a_b", "set-cookie"};
    struct cg_arena other_arena;
    struct cg_head other;

    start();
    cg_arena_init(&other_arena, 64 * 1024);
    cg_head_init(&other, &other_arena);
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(cg_head_add_named(&head, cg_span_str(names[i]), CG_LIT("v")));
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(cg_head_add_copy(&other, &head.fields[i]));
    CHECK_INT(other.list_bytes, head.list_bytes);
    CHECK(other.has_underscore);
    cg_arena_done(&arena);
    CHECK_INT(other.n_fields, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_SPAN(other.fields[i].name, cg_span_str(names[i]));
        CHECK_SPAN(other.fields[i].value, CG_LIT("v"));
        CHECK_INT(other.fields[i].token, cg_token_of(cg_span_str(names[i])));
    }
    CHECK(other.fields[3].never_index);
    CHECK(cg_head_find(&other, CG_TOKEN_CONTENT_TYPE) == &other.fields[0]);
    cg_arena_done(&other_arena);
}

SUITE(message, T(knows_every_name_of_its_list_and_nothing_beside_it),
      T(gives_family_members_the_familys_token_unless_they_have_their_own),
      T(keeps_order_and_counts_lines), T(counts_the_list_as_http_2_does),
      T(lets_nothing_in_that_could_end_a_line),
      T(finds_a_control_character_at_any_place_of_a_long_value),
      T(takes_lower_case_tokens_as_names_and_nothing_else), T(stops_at_its_number_of_fields),
      T(finds_members_of_lists), T(drops_hop_by_hop_fields_and_those_that_connection_names),
      T(refuses_a_connection_that_names_what_is_end_to_end),
      T(refuses_a_connection_with_too_many_names), T(copies_fields_of_another_head_as_they_are))
