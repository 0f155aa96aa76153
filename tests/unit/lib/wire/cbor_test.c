#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/wire/cbor.h"

/* RFC 8949, appendix A: the integers. */
TEST(integers_have_the_standards_forms)
{
    static const struct {
        int64_t v;
        const char *hex;
    } known[] = {
        {0, "00"},
        {1, "01"},
        {10, "0a"},
        {23, "17"},
        {24, "1818"},
        {25, "1819"},
        {100, "1864"},
        {255, "18ff"},
        {256, "190100"},
        {1000, "1903e8"},
        {65535, "19ffff"},
        {65536, "1a00010000"},
        {1000000, "1a000f4240"},
        {4294967295, "1affffffff"},
        {4294967296, "1b0000000100000000"},
        {1000000000000, "1b000000e8d4a51000"},
        {-1, "20"},
        {-10, "29"},
        {-100, "3863"},
        {-1000, "3903e7"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint8_t out[16];
        struct cg_writer w = cg_writer_fixed(out, sizeof out);
        struct cg_span wire = cg_unhex(known[i].hex);

        cg_cbor_put_int(&w, known[i].v);
        CHECK_SPAN(cg_writer_span(&w), wire);
        for (size_t n = 0; n <= wire.len; n++) {
            struct cg_cbor r = cg_cbor_of(cg_span_first(wire, n));
            int64_t got = cg_cbor_int(&r);

            CHECK_ERR(cg_cbor_end(&r), n < wire.len ? CG_SHORT : CG_OK);
            CHECK_INT(got, n < wire.len ? 0 : known[i].v);
        }
    }
}

static cg_err read_any(const char *hex)
{
    struct cg_cbor r = cg_cbor_of(cg_unhex(hex));

    cg_cbor_item(&r);
    return cg_cbor_end(&r);
}

TEST(long_integers_indefinite_lengths_and_reserved_heads_are_refused)
{
    static const char *bad[] = {"1817",     "1900ff",   "1a0000ffff", "1b00000000ffffffff",
                                "5f4161ff", "7f6161ff", "9f01ff",     "bf616101ff",
                                "1c",       "1d",       "1e"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERR(read_any(bad[i]), CG_CANONICAL);
}

TEST(floats_undefined_and_other_simple_values_are_refused)
{
    static const char *bad[] = {"f90000", "fa47c35000", "fb3ff199999999999a", "f7", "f0", "f818"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERR(read_any(bad[i]), CG_SCHEMA);
}

static cg_err read_pair(struct cg_span wire, uint64_t *a, uint64_t *bb, bool *has_c)
{
    struct cg_cbor r = cg_cbor_of(wire);
    size_t n = cg_cbor_map(&r, 2, 3);

    cg_cbor_key(&r, "a");
    *a = cg_cbor_uint(&r);
    *has_c = n == 3 && cg_cbor_key_maybe(&r, "c");
    if (*has_c)
        cg_cbor_null(&r);
    cg_cbor_key(&r, "bb");
    *bb = cg_cbor_uint(&r);
    return cg_cbor_end(&r);
}

TEST(a_closed_schema_takes_its_keys_in_order_and_no_other)
{
    uint64_t a, bb;
    bool has_c;

    CHECK_OK(read_pair(cg_unhex("a261610162626202"), &a, &bb, &has_c));
    CHECK(a == 1 && bb == 2 && !has_c);
    CHECK_OK(read_pair(cg_unhex("a36161016163f662626202"), &a, &bb, &has_c));
    CHECK(has_c);
    /* Out of order, doubled, another key, one too few, a rest, another type. */
    CHECK_ERR(read_pair(cg_unhex("a262626202616101"), &a, &bb, &has_c), CG_SCHEMA);
    CHECK_ERR(read_pair(cg_unhex("a2616101616101"), &a, &bb, &has_c), CG_SCHEMA);
    CHECK_ERR(read_pair(cg_unhex("a3616101616201626202"), &a, &bb, &has_c), CG_SCHEMA);
    CHECK_ERR(read_pair(cg_unhex("a1616101"), &a, &bb, &has_c), CG_SCHEMA);
    CHECK_ERR(read_pair(cg_unhex("a26161016262620200"), &a, &bb, &has_c), CG_EXTRA);
    CHECK_ERR(read_pair(cg_unhex("a261612062626202"), &a, &bb, &has_c), CG_SCHEMA);
    struct cg_span good = cg_unhex("a261610162626202");
    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(read_pair(cg_span_first(good, n), &a, &bb, &has_c), CG_SHORT);
}

TEST(a_generic_map_must_be_sorted_and_without_doubles)
{
    CHECK_ERR(read_any("a262626201616102"), CG_CANONICAL);
    CHECK_ERR(read_any("a2616101616102"), CG_CANONICAL);
    struct cg_cbor r = cg_cbor_of(cg_unhex("a2616101626262028101"));
    CHECK_INT(cg_cbor_item(&r).len, 8);
    CHECK_INT(cg_cbor_array(&r, 1, 1), 1);
}

TEST(depth_six_passes_and_seven_does_not)
{
    CHECK_OK(read_any("818181818101"));
    CHECK_ERR(read_any("81818181818101"), CG_TOO_LARGE);
    CHECK_ERR(read_any("d86281818181d8628101"), CG_TOO_LARGE);
    /* A map's keys are one deeper than it, as its values are. */
    CHECK_OK(read_any("8181818181a0"));
    CHECK_OK(read_any("81818181a10000"));
    CHECK_ERR(read_any("8181818181a10000"), CG_TOO_LARGE);
    CHECK_OK(read_any("a1818181810000"));
    CHECK_ERR(read_any("a181818181810000"), CG_TOO_LARGE);
}

TEST(an_integers_key_is_that_one)
{
    struct cg_cbor r = cg_cbor_of(cg_unhex("a201222222"));

    CHECK_INT(cg_cbor_map(&r, 2, 2), 2);
    cg_cbor_int_key(&r, 1);
    CHECK_INT(cg_cbor_int(&r), -3);
    cg_cbor_int_key(&r, -3);
    CHECK_INT(cg_cbor_int(&r), -3);
    CHECK_OK(cg_cbor_end(&r));
    for (int key = -2; key <= 2; key++) {
        r = cg_cbor_of(cg_unhex("01"));
        cg_cbor_int_key(&r, key);
        CHECK_ERR(cg_cbor_end(&r), key == 1 ? CG_OK : CG_SCHEMA);
    }
}

TEST(strings_keep_to_their_limits)
{
    struct cg_span three = cg_unhex("43010203");
    struct cg_cbor r = cg_cbor_of(three);

    CHECK_INT(cg_cbor_bytes(&r, 3).len, 3);
    CHECK_OK(cg_cbor_end(&r));
    r = cg_cbor_of(three);
    cg_cbor_bytes(&r, 2);
    CHECK_ERR(cg_cbor_end(&r), CG_TOO_LARGE);
    r = cg_cbor_of(three);
    cg_cbor_bytes_n(&r, 4);
    CHECK_ERR(cg_cbor_end(&r), CG_SCHEMA);
    r = cg_cbor_of(cg_unhex("5bffffffffffffffff"));
    cg_cbor_bytes(&r, SIZE_MAX);
    CHECK_ERR(cg_cbor_end(&r), CG_SHORT);
    CHECK_ERR(read_any("617f"), CG_SYNTAX);
    CHECK_ERR(read_any("62c3bc"), CG_SYNTAX); /* text is ASCII here */
    CHECK_ERR(read_any("9bffffffffffffffff"), CG_SHORT);
}

TEST(signed_integers_keep_to_64_bits)
{
    static const struct {
        const char *hex;
        int64_t v;
        cg_err err;
    } rows[] = {
        {"1b7fffffffffffffff", INT64_MAX, CG_OK}, {"1b8000000000000000", 0, CG_TOO_LARGE},
        {"3b7fffffffffffffff", INT64_MIN, CG_OK}, {"3b8000000000000000", 0, CG_TOO_LARGE},
        {"1bffffffffffffffff", 0, CG_TOO_LARGE},  {"3bffffffffffffffff", 0, CG_TOO_LARGE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cg_cbor r = cg_cbor_of(cg_unhex(rows[i].hex));

        CHECK(cg_cbor_int(&r) == rows[i].v);
        CHECK_ERR(cg_cbor_end(&r), rows[i].err);
    }
}

TEST(booleans_nulls_and_tags_are_nothing_else)
{
    static const char *const others[] = {"00", "f6", "f7", "e0", "40"};
    struct cg_cbor r;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        r = cg_cbor_of(cg_unhex(others[i]));
        CHECK(!cg_cbor_bool(&r));
        CHECK_ERR(cg_cbor_end(&r), CG_SCHEMA);
    }
    r = cg_cbor_of(cg_unhex(""));
    CHECK(!cg_cbor_bool(&r));
    CHECK_ERR(cg_cbor_end(&r), CG_SHORT);
    r = cg_cbor_of(cg_unhex("f4f5"));
    CHECK(!cg_cbor_bool(&r) && cg_cbor_bool(&r));
    CHECK_OK(cg_cbor_end(&r));
    r = cg_cbor_of(cg_unhex("f4"));
    CHECK(!cg_cbor_null(&r));
    CHECK_ERR(cg_cbor_end(&r), CG_EXTRA);
    r = cg_cbor_of(cg_unhex("d862"));
    cg_cbor_tag(&r, 98);
    CHECK_OK(cg_cbor_end(&r));
    r = cg_cbor_of(cg_unhex("d861"));
    cg_cbor_tag(&r, 98);
    CHECK_ERR(cg_cbor_end(&r), CG_SCHEMA);
    r = cg_cbor_of(cg_unhex("1862"));
    cg_cbor_tag(&r, 98);
    CHECK_ERR(cg_cbor_end(&r), CG_SCHEMA);
}

TEST(the_first_failure_stays)
{
    struct cg_cbor r = cg_cbor_of(cg_unhex("0102"));

    cg_cbor_text(&r, 9);
    cg_cbor_uint(&r);
    cg_cbor_array(&r, 0, 9);
    CHECK(!cg_cbor_bool(&r) && !cg_cbor_null(&r) && !cg_cbor_key_maybe(&r, "a"));
    CHECK_ERR(cg_cbor_end(&r), CG_SCHEMA);
    CHECK(cg_cbor_peek(&r) == CG_CBOR_END);
}

SUITE(cbor, T(integers_have_the_standards_forms),
      T(long_integers_indefinite_lengths_and_reserved_heads_are_refused),
      T(floats_undefined_and_other_simple_values_are_refused),
      T(a_closed_schema_takes_its_keys_in_order_and_no_other),
      T(a_generic_map_must_be_sorted_and_without_doubles), T(depth_six_passes_and_seven_does_not),
      T(an_integers_key_is_that_one), T(strings_keep_to_their_limits),
      T(signed_integers_keep_to_64_bits), T(booleans_nulls_and_tags_are_nothing_else),
      T(the_first_failure_stays))
