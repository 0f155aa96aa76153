#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/wire/reader.h"
#include "lib/wire/tup.h"

TEST(a_tuple_is_label_count_and_led_fields)
{
    uint8_t out[64];
    struct cg_writer w = cg_writer_fixed(out, sizeof out);
    struct cg_tup t = cg_tup_begin(&w, "ab", 3);

    cg_tup_text(&t, "");
    cg_tup_u16(&t, 0x0102);
    cg_tup_bytes(&t, CG_LIT("xyz"));
    CHECK_OK(cg_tup_end(&t));
    CHECK_SPAN(cg_writer_span(&w), cg_unhex("000000026162030000000000000002010200000003"
                                            "78797a"));
}

TEST(a_list_is_one_field)
{
    uint8_t out[64];
    struct cg_writer w = cg_writer_fixed(out, sizeof out);
    struct cg_tup t = cg_tup_begin(&w, "l", 2);
    const struct cg_span items[] = {CG_LIT("a"), CG_LIT("")};

    cg_tup_list(&t, items, 2);
    cg_tup_list(&t, NULL, 0);
    CHECK_OK(cg_tup_end(&t));
    CHECK_SPAN(cg_writer_span(&w),
               cg_unhex("000000016c020000000b0002000000016100000000000000020000"));
}

TEST(bytes_cannot_slide_between_fields)
{
    uint8_t a[64], b[64];
    struct cg_writer wa = cg_writer_fixed(a, sizeof a), wb = cg_writer_fixed(b, sizeof b);
    struct cg_tup ta = cg_tup_begin(&wa, "t", 2), tb = cg_tup_begin(&wb, "t", 2);

    cg_tup_text(&ta, "ab");
    cg_tup_text(&ta, "c");
    cg_tup_text(&tb, "a");
    cg_tup_text(&tb, "bc");
    CHECK_OK(cg_tup_end(&ta));
    CHECK_OK(cg_tup_end(&tb));
    CHECK_INT(wa.len, wb.len);
    CHECK(!cg_span_eq(cg_writer_span(&wa), cg_writer_span(&wb)));
}

TEST(a_full_writer_says_so_once_and_for_all)
{
    uint8_t out[13];

    for (size_t cap = 0; cap <= sizeof out; cap++) {
        struct cg_writer w = cg_writer_fixed(out, cap);
        struct cg_tup t = cg_tup_begin(&w, "abcd", 1);

        cg_tup_text(&t, "");
        CHECK_ERR(cg_tup_end(&t), cap < 13 ? CG_TOO_LARGE : CG_OK);
    }
}

TEST(the_reader_stops_at_every_prefix_and_at_a_rest)
{
    struct cg_span whole = cg_unhex("01000200000003000000000000000400000002aabb");

    for (size_t n = 0; n <= whole.len; n++) {
        struct cg_reader r = cg_reader_of(cg_span_first(whole, n));
        uint8_t a = cg_read_u8(&r);
        uint16_t b = cg_read_u16(&r);
        uint32_t c = cg_read_u32(&r);
        uint64_t d = cg_read_u64(&r);
        struct cg_span e = cg_read_lp(&r);

        CHECK_ERR(cg_reader_end(&r), n < whole.len ? CG_SHORT : CG_OK);
        if (n == whole.len)
            CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e.len == 2);
        else
            CHECK_INT(e.len, 0);
    }
    struct cg_reader r = cg_reader_of(whole);
    cg_read_u8(&r);
    CHECK_ERR(cg_reader_end(&r), CG_EXTRA);
}

TEST(numbers_are_written_in_decimal_to_their_limits)
{
    uint8_t out[64];
    struct cg_writer w = cg_writer_fixed(out, sizeof out);

    cg_put_decimal(&w, 0);
    cg_put_u8(&w, ' ');
    cg_put_decimal(&w, 10);
    cg_put_u8(&w, ' ');
    cg_put_decimal(&w, UINT64_MAX);
    CHECK_OK(cg_writer_end(&w));
    CHECK_SPAN(cg_writer_span(&w), CG_LIT("0 10 18446744073709551615"));
}

SUITE(tup, T(a_tuple_is_label_count_and_led_fields), T(a_list_is_one_field),
      T(bytes_cannot_slide_between_fields), T(a_full_writer_says_so_once_and_for_all),
      T(the_reader_stops_at_every_prefix_and_at_a_rest),
      T(numbers_are_written_in_decimal_to_their_limits))
