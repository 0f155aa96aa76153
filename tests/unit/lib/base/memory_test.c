#include "tests/support/check.h"

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

TEST(a_buffer_takes_its_maximum_and_not_one_byte_more)
{
    CG_AUTO(buf) struct cg_buf buf;
    uint8_t bytes[300] = {7};

    cg_buf_init(&buf, 300);
    CHECK_OK(cg_buf_add(&buf, cg_span_of(bytes, 299)));
    CHECK_ERR(cg_buf_add(&buf, cg_span_of(bytes, 2)), CG_TOO_LARGE);
    CHECK_INT(buf.len, 299);
    CHECK_OK(cg_buf_add(&buf, cg_span_of(bytes, 1)));
    CHECK_ERR(cg_buf_room(&buf, 1), CG_TOO_LARGE);
    CHECK_OK(cg_buf_room(&buf, 0));
    CHECK(buf.at[0] == 7 && buf.at[299] == 7);
}

TEST(dropping_keeps_the_order_of_the_rest)
{
    CG_AUTO(buf) struct cg_buf buf;

    cg_buf_init(&buf, 16);
    CHECK_OK(cg_buf_add(&buf, CG_LIT("abcdef")));
    cg_buf_drop(&buf, 4);
    CHECK_SPAN(cg_buf_span(&buf), CG_LIT("ef"));
    cg_buf_drop(&buf, 2);
    CHECK_INT(buf.len, 0);
}

TEST(an_arena_stops_at_its_maximum)
{
    CG_AUTO(arena) struct cg_arena arena;
    size_t n = 0;

    cg_arena_init(&arena, 8192);
    while (cg_arena_take(&arena, 100) && n < 1000)
        n++;
    CHECK(n >= 60 && n < 82);
    CHECK(cg_arena_take(&arena, SIZE_MAX) == NULL);
    CHECK(cg_arena_take(&arena, 8193) == NULL);
    CHECK(arena.held <= 8192);
}

TEST(an_arena_gives_pieces_that_do_not_touch)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_span a, b;

    cg_arena_init(&arena, 65536);
    CHECK_OK(cg_arena_copy(&arena, CG_LIT("first"), &a));
    uint8_t *big = cg_arena_zero(&arena, 5000);
    CHECK_OR_STOP(big != NULL);
    CHECK(big[0] == 0 && big[4999] == 0);
    CHECK_OK(cg_arena_copy(&arena, CG_LIT("second"), &b));
    CHECK_SPAN(a, CG_LIT("first"));
    CHECK_SPAN(b, CG_LIT("second"));
}

TEST(secrets_are_equal_only_in_every_byte)
{
    struct cg_secret a = {{1}}, b = {{1}};

    CHECK(cg_secret_eq(&a, &b));
    for (size_t i = 0; i < 32; i++) {
        b.bytes[i] ^= 0x80;
        CHECK(!cg_secret_eq(&a, &b));
        b.bytes[i] ^= 0x80;
    }
    cg_secret_done(&a);
    for (size_t i = 0; i < 32; i++)
        CHECK(a.bytes[i] == 0);
}

TEST(every_error_has_a_name_a_sentence_and_a_fault)
{
    for (int e = CG_OK + 1; e < CG_ERR_COUNT; e++) {
        CHECK(cg_err_name((cg_err)e)[0] != '\0');
        CHECK(cg_err_text((cg_err)e)[0] != '\0');
        CHECK(cg_err_fault((cg_err)e) != CG_FAULT_NONE);
    }
    CHECK(cg_span_is(cg_span_str(cg_err_name((cg_err)CG_ERR_COUNT)), "INTERNAL"));
}

TEST(spans_compare_and_cut)
{
    CHECK(cg_span_cmp(CG_LIT("ab"), CG_LIT("abc")) < 0);
    CHECK(cg_span_cmp(CG_LIT("b"), CG_LIT("abc")) > 0);
    CHECK(cg_span_cmp(CG_LIT(""), CG_LIT("")) == 0);
    CHECK(cg_span_eq_nocase(CG_LIT("Host"), CG_LIT("hOST")));
    CHECK(!cg_span_eq_nocase(CG_LIT("["), CG_LIT("{")));
    CHECK(!cg_span_eq_nocase(CG_LIT("Host"), CG_LIT("hosts")));
    CHECK(!cg_span_eq_nocase(CG_LIT("Hosts"), CG_LIT("host")));
    CHECK(cg_span_ends(CG_LIT("ab"), CG_LIT("ab")) && !cg_span_ends(CG_LIT("b"), CG_LIT("ab")));
    CHECK(cg_span_ends(CG_LIT("a.b"), CG_LIT(".b")) && !cg_span_ends(CG_LIT("b"), CG_LIT(".b")));
    CHECK_INT(cg_span_find(CG_LIT("a=b"), '='), 1);
    CHECK_INT(cg_span_find(CG_LIT("ab"), '='), 2);
    CHECK_INT(cg_span_from(CG_LIT("ab"), 3).len, 0);
}

SUITE(memory, T(a_buffer_takes_its_maximum_and_not_one_byte_more),
      T(dropping_keeps_the_order_of_the_rest), T(an_arena_stops_at_its_maximum),
      T(an_arena_gives_pieces_that_do_not_touch), T(secrets_are_equal_only_in_every_byte),
      T(every_error_has_a_name_a_sentence_and_a_fault), T(spans_compare_and_cut))
