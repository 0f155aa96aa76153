#include "tests/support/check.h"

#include "lib/base/base32.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
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

SUITE(text, T(base32_and_base64_write_and_read_the_standards_examples),
      T(every_text_form_has_one_spelling), T(hex_goes_there_and_back))
