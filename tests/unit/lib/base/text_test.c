#include "tests/support/check.h"

#include "lib/base/base32.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"

/* RFC 4648, 10: BASE32("foobar"), BASE64("foobar") and their prefixes. */
static const struct {
    const char *plain, *base32, *base64;
} known[] = {
    {"", "", ""},
    {"f", "my", "Zg=="},
    {"fo", "mzxq", "Zm8="},
    {"foo", "mzxw6", "Zm9v"},
    {"foob", "mzxw6yq", "Zm9vYg=="},
    {"fooba", "mzxw6ytb", "Zm9vYmE="},
    {"foobar", "mzxw6ytboi", "Zm9vYmFy"},
};

TEST(base32_and_base64_write_and_read_the_standards_examples)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct cg_span plain = cg_span_str(known[i].plain);
        char text[32];
        uint8_t back[32];
        size_t len = 99;

        cg_base32_write(plain, text);
        CHECK_SPAN(cg_span_of(text, CG_BASE32_CHARS(plain.len)), cg_span_str(known[i].base32));
        CHECK_OK(cg_base32_read(cg_span_str(known[i].base32), back, plain.len));
        CHECK_SPAN(cg_span_of(back, plain.len), plain);

        cg_base64_write(CG_BASE64, plain, text);
        CHECK_SPAN(cg_span_of(text, cg_base64_chars(CG_BASE64, plain.len)),
                   cg_span_str(known[i].base64));
        CHECK_OK(cg_base64_read(CG_BASE64, cg_span_str(known[i].base64), back, sizeof back, &len));
        CHECK_SPAN(cg_span_of(back, len), plain);
    }
}

TEST(every_text_form_has_one_spelling)
{
    uint8_t out[8];
    size_t len;

    CHECK_ERR(cg_hex_read(CG_LIT("AB"), out, 1), CG_SYNTAX);
    CHECK_ERR(cg_hex_read(CG_LIT("a"), out, 1), CG_SHORT);
    CHECK_ERR(cg_hex_read(CG_LIT("abc"), out, 1), CG_EXTRA);
    CHECK_ERR(cg_base32_read(CG_LIT("MY"), out, 1), CG_SYNTAX);
    CHECK_ERR(cg_base32_read(CG_LIT("mz"), out, 1), CG_CANONICAL);
    CHECK_ERR(cg_base32_read(CG_LIT("m"), out, 1), CG_SHORT);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("Zg="), out, 8, &len), CG_SYNTAX);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("Zg"), out, 8, &len), CG_SYNTAX);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("Zh=="), out, 8, &len), CG_CANONICAL);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("Z==="), out, 8, &len), CG_SYNTAX);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("Zg=="), out, 0, &len), CG_TOO_LARGE);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("Z g="), out, 8, &len), CG_SYNTAX);
    CHECK_ERR(cg_base64_read(CG_BASE64, CG_LIT("-_=="), out, 8, &len), CG_SYNTAX);
    CHECK_ERR(cg_base64_read(CG_BASE64URL, CG_LIT("+/"), out, 8, &len), CG_SYNTAX);
    CHECK_ERR(cg_base64_read(CG_BASE64URL, CG_LIT("Zg=="), out, 8, &len), CG_SYNTAX);
    CHECK_OK(cg_base64_read(CG_BASE64URL, CG_LIT("-_8"), out, 8, &len));
    CHECK_INT(len, 2);
}

TEST(hex_goes_there_and_back)
{
    uint8_t bytes[3] = {0x00, 0x9f, 0xff}, back[3];
    char text[6];

    cg_hex_write(CG_BYTES(bytes), text);
    CHECK_SPAN(cg_span_of(text, 6), CG_LIT("009fff"));
    CHECK_OK(cg_hex_read(cg_span_of(text, 6), back, 3));
    CHECK_SPAN(CG_BYTES(back), CG_BYTES(bytes));
}

TEST(hex_refuses_each_other_character_at_each_place)
{
    uint8_t text[6], out[3];

    for (unsigned c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof text; at++) {
            bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

            memset(text, '7', sizeof text);
            text[at] = (uint8_t)c;
            CHECK(cg_hex_check(CG_BYTES(text)) == is_digit);
            CHECK_ERR(cg_hex_read(CG_BYTES(text), out, 3), is_digit ? CG_OK : CG_SYNTAX);
        }
}

TEST(base64_writes_what_it_reads_at_every_length)
{
    uint8_t bytes[20], back[20];
    char text[32];
    size_t len;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(0xf9 * (i + 1));
    for (int kind = CG_BASE64; kind <= CG_BASE64URL; kind++)
        for (size_t n = 0; n <= sizeof bytes; n++) {
            size_t chars = cg_base64_chars((enum cg_base64_kind)kind, n);

            memset(text, '!', sizeof text);
            cg_base64_write((enum cg_base64_kind)kind, cg_span_of(bytes, n), text);
            CHECK(text[chars] == '!');
            CHECK_OK(cg_base64_read((enum cg_base64_kind)kind, cg_span_of(text, chars), back,
                                    sizeof back, &len));
            CHECK_SPAN(cg_span_of(back, len), cg_span_of(bytes, n));
        }
}

TEST(equal_means_equal_in_every_bit)
{
    uint8_t a[37], b[37];

    memset(a, 0x5a, sizeof a);
    memset(b, 0x5a, sizeof b);
    for (size_t n = 0; n <= sizeof a; n++) {
        CHECK(cg_ct_eq(a, b, n));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK(!cg_ct_eq(a, b, n));
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

SUITE(text, T(base32_and_base64_write_and_read_the_standards_examples),
      T(every_text_form_has_one_spelling), T(hex_goes_there_and_back),
      T(hex_refuses_each_other_character_at_each_place),
      T(base64_writes_what_it_reads_at_every_length), T(equal_means_equal_in_every_bit))
