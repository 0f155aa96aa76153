#include "session/covered.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"

#include <string.h>

/* A head of pairs token, value. */
static struct cg_head head_of(struct cg_arena *arena, const enum cg_token *tokens,
                              const char *const *values, size_t n)
{
    struct cg_head head;

    cg_arena_init(arena, 1 << 20);
    cg_head_init(&head, arena);
    for (size_t i = 0; i < n; i++)
        CHECK_OK(cg_head_add(&head, tokens[i], cg_span_str(values[i])));
    return head;
}

TEST(an_empty_value_is_not_an_absent_one)
{
    const enum cg_token tokens[] = {CG_TOKEN_CONTENT_TYPE, CG_TOKEN_COOKIE, CG_TOKEN_SET_COOKIE};
    const char *const values[] = {"", "  ", ""};
    struct cg_span out[CG_COVERED_COUNT];
    struct cg_covered_reply reply;
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_buf unused = {0};
    struct cg_head head = head_of(&arena, tokens, values, 3);

    for (size_t i = 0; i < 3; i++)
        head.fields[i].value.at = i == 2 ? NULL : head.fields[i].value.at;
    CHECK_OK(cg_covered_request(&head, &unused, out));
    CHECK(out[CG_COVERED_CONTENT_TYPE].at != NULL && out[CG_COVERED_CONTENT_TYPE].len == 0);
    CHECK(out[CG_COVERED_COOKIE].at != NULL && out[CG_COVERED_COOKIE].len == 0);
    CHECK(out[CG_COVERED_RANGE].at == NULL);
    CHECK_OK(cg_covered_reply_of(&head, &reply));
    CHECK(reply.fields.fields[CG_RESPONSE_CONTENT_TYPE].at != NULL);
    CHECK(reply.fields.n_set_cookies == 1 && reply.fields.set_cookies[0].at != NULL);
    CHECK(reply.fields.fields[CG_RESPONSE_ETAG].at == NULL);
}

TEST(joins_cookies_only_where_there_are_several)
{
    const enum cg_token tokens[] = {CG_TOKEN_COOKIE, CG_TOKEN_ACCEPT, CG_TOKEN_COOKIE};
    const char *const values[] = {"a=1", "*/*", "b=2"};
    struct cg_span out[CG_COVERED_COUNT];
    CG_AUTO(arena) struct cg_arena arena;
    CG_AUTO(buf) struct cg_buf cookies;
    struct cg_head head = head_of(&arena, tokens, values, 3);

    cg_buf_init(&cookies, 10);
    CHECK_OK(cg_covered_request(&head, &cookies, out));
    CHECK_SPAN(out[CG_COVERED_COOKIE], CG_LIT("a=1; b=2"));
    head.n_fields = 2;
    cg_buf_clear(&cookies);
    CHECK_OK(cg_covered_request(&head, &cookies, out));
    CHECK(out[CG_COVERED_COOKIE].at == head.fields[0].value.at && cookies.len == 0);
    cookies.max = 4;
    head.n_fields = 3;
    cg_buf_done(&cookies);
    CHECK_ERR(cg_covered_request(&head, &cookies, out), CG_TOO_LARGE);
}

TEST(finds_out_how_a_body_is_announced)
{
    const char *digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    const enum cg_token tokens[] = {CG_TOKEN_TRAILER, CG_TOKEN_CONTENT_DIGEST};
    const char *const values[] = {"foo, Sapi-Trailer", digest};
    struct cg_body_plan plan;
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_head head = head_of(&arena, tokens, values, 2);

    CHECK_ERR(cg_body_plan_of(&head, &plan), CG_SCHEMA);
    head.n_fields = 1;
    CHECK_OK(cg_body_plan_of(&head, &plan));
    CHECK(plan.mode == CG_BODY_TRAILER);
    head.n_fields = 0;
    CHECK_OK(cg_body_plan_of(&head, &plan));
    CHECK(plan.mode == CG_BODY_NONE);
    head.fields++;
    head.n_fields = 1;
    CHECK_OK(cg_body_plan_of(&head, &plan));
    CHECK(plan.mode == CG_BODY_DIGEST && plan.digest.bytes[0] == 0xe3);
}

TEST(trailers_of_ours_are_not_among_those_that_are_digested)
{
    const enum cg_token tokens[] = {CG_TOKEN_CONTENT_DIGEST, CG_TOKEN_GRPC_STATUS,
                                    CG_TOKEN_SAPI_RESPONSE};
    const char *const values[] = {"x", "0", "y"};
    struct cg_hash with, without, none, empty;
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_head head = head_of(&arena, tokens, values, 3);

    CHECK_OK(cg_covered_trailers(cg_test_kit(), &head, &with));
    head.fields++;
    head.n_fields = 1;
    CHECK_OK(cg_covered_trailers(cg_test_kit(), &head, &without));
    CHECK(cg_hash_eq(&with, &without));
    head.n_fields = 0;
    CHECK_OK(cg_covered_trailers(cg_test_kit(), &head, &empty));
    CHECK_OK(cg_covered_trailers(cg_test_kit(), NULL, &none));
    CHECK(cg_hash_eq(&none, &empty) && !cg_hash_eq(&none, &with));
}

SUITE(covered, T(an_empty_value_is_not_an_absent_one),
      T(joins_cookies_only_where_there_are_several), T(finds_out_how_a_body_is_announced),
      T(trailers_of_ours_are_not_among_those_that_are_digested))
