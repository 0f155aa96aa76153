#include "lib/wire/field.h"

#include "lib/base/span.h"
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include <string.h>

TEST(trims_spaces_and_tabs_and_nothing_else)
{
    CHECK_SPAN(cg_field_trim(CG_LIT(" \ta b\t ")), CG_LIT("a b"));
    CHECK_SPAN(cg_field_trim(CG_LIT("\x0b"
                                    "a\n")),
               CG_LIT("\x0b"
                      "a\n"));
    CHECK_INT(cg_field_trim(CG_LIT(" \t ")).len, 0);
    CHECK_INT(cg_field_trim(CG_LIT("")).len, 0);
}

TEST(knows_tokens)
{
    CHECK(cg_field_is_token(CG_LIT("GET")));
    CHECK(cg_field_is_token(CG_LIT("!#$%&'*+-.^_`|~09azAZ")));
    CHECK(!cg_field_is_token(CG_LIT("")));
    for (int c = 0; c < 256; c++) {
        uint8_t text[] = {'a', (uint8_t)c};
        bool is_alnum = c < 128 && ((c | 0x20) >= 'a') && ((c | 0x20) <= 'z');

        is_alnum |= c >= '0' && c <= '9';
        bool is_mark = c > 0 && c < 128 && strchr("!#$%&'*+-.^_`|~", c);
        CHECK(cg_field_is_token(CG_BYTES(text)) == (is_alnum || is_mark));
    }
}

TEST(lets_no_control_character_into_a_value)
{
    for (int c = 0; c < 256; c++) {
        uint8_t text[] = {'a', (uint8_t)c, 'b'};

        CHECK(cg_field_is_value(CG_BYTES(text)) == ((c >= 0x20 && c != 0x7f) || c == '\t'));
    }
    CHECK(cg_field_is_value(CG_LIT("")));
}

TEST(walks_lists_past_empty_members)
{
    struct cg_span left = CG_LIT(" a ,, b\t,c d , "), member;

    CHECK(cg_field_next(&left, &member));
    CHECK_SPAN(member, CG_LIT("a"));
    CHECK(cg_field_next(&left, &member));
    CHECK_SPAN(member, CG_LIT("b"));
    CHECK(cg_field_next(&left, &member));
    CHECK_SPAN(member, CG_LIT("c d"));
    CHECK(!cg_field_next(&left, &member));
    CHECK(cg_field_lists(CG_LIT("x, sapi-TRAILER"), "SAPI-Trailer"));
    CHECK(!cg_field_lists(CG_LIT("x, sapi-trailers"), "SAPI-Trailer"));
    CHECK(!cg_field_lists(CG_LIT(""), "SAPI-Trailer"));
}

TEST(joins_cookie_lines_as_http2_says)
{
    const struct cg_span lines[] = {CG_LIT("a=1"), CG_LIT(" b=2; c=3 "), CG_LIT("d=4")};
    char text[64];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    cg_field_cookies(lines, 3, &w);
    CHECK_SPAN(cg_writer_span(&w), CG_LIT("a=1; b=2; c=3; d=4"));
    w = cg_writer_fixed(text, sizeof text);
    cg_field_cookies(lines, 1, &w);
    CHECK_SPAN(cg_writer_span(&w), CG_LIT("a=1"));
}

TEST(expects_nothing_but_100_continue)
{
    bool is = false;

    CHECK_OK(cg_field_expect(CG_LIT(" 100-Continue "), &is));
    CHECK(is);
    is = false;
    CHECK_ERR(cg_field_expect(CG_LIT("200-ok"), &is), CG_SYNTAX);
    CHECK_ERR(cg_field_expect(CG_LIT("100-continue, x"), &is), CG_SYNTAX);
    CHECK_ERR(cg_field_expect(CG_LIT(""), &is), CG_SYNTAX);
    CHECK(!is);
}

#define DIGEST "FM8FV7fL62wtDLMMaiDrYMofaw5tCNWP5ThYnFiRE38="

TEST(takes_the_one_sha256_member)
{
    struct cg_span want =
        cg_unhex("14cf0557b7cbeb6c2d0cb30c6a20eb60ca1f6b0e6d08d58fe538589c5891137f");
    static const char *const good[] = {
        "sha-256=:" DIGEST ":",
        " sha-256=:" DIGEST ":\t",
        "md5=:AAAA:, sha-256=:" DIGEST ":",
        "sha-256=:" DIGEST ":,sha-512=::",
        "*x=:AA:  ,  sha-256=:" DIGEST ":",
        "a=:aAzZ09+/:,z.9-_=:zZaA90/+==:,sha-256=:" DIGEST ":",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct cg_hash got = {{0}};

        CHECK_OK(cg_digest_read(cg_span_str(good[i]), &got));
        CHECK_SPAN(cg_hash_span(&got), want);
    }
}

TEST(refuses_every_other_content_digest)
{
    static const struct {
        const char *text;
        cg_err err;
    } bad[] = {
        {"", CG_SYNTAX},
        {"sha-256", CG_SYNTAX},
        {"sha-256=", CG_SYNTAX},
        {"sha-256=:", CG_SYNTAX},
        {"sha-256=" DIGEST, CG_SYNTAX},
        {"sha-256=:" DIGEST, CG_SYNTAX},
        {"sha-256=\"" DIGEST "\"", CG_SYNTAX},
        {"SHA-256=:" DIGEST ":", CG_SYNTAX},
        {"sha-256 =:" DIGEST ":", CG_SYNTAX},
        {"sha-256=:" DIGEST ":;q=1", CG_SYNTAX},
        {"sha-256=:" DIGEST ":,", CG_SYNTAX},
        {",sha-256=:" DIGEST ":", CG_SYNTAX},
        {"sha-256=:" DIGEST ":,,md5=:AAAA:", CG_SYNTAX},
        {"sha-256=:FM8FV7fL62wtDLMM aiDrYMofaw5tCNWP5ThYnFiRE38=:", CG_SYNTAX},
        {"sha-512=:AAAA:", CG_SCHEMA},
        {"sha-256=:" DIGEST ":, sha-256=:" DIGEST ":", CG_SCHEMA},
        {"sha-256=:AAAA:", CG_SHORT},
        {"sha-256=::", CG_SHORT},
        {"sha-256=:" DIGEST ":, 1=:AA:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a:=:AA:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A@A:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A[A:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A`A:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A{A:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A-A:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A.A:", CG_SYNTAX},
        {"sha-256=:" DIGEST ":, a=:A:A:", CG_SYNTAX},
        {"sha-256=:FM8FV7fL62wtDLMMaiDrYMofaw5tCNWP5ThYnFiRE39=:", CG_CANONICAL},
        {"sha-256=:FM8FV7fL62wtDLMMaiDrYMofaw5tCNWP5ThYnFiRE38AAA==:", CG_TOO_LARGE},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_hash got = {{7}};

        if (!CHECK_ERR(cg_digest_read(cg_span_str(bad[i].text), &got), bad[i].err))
            CHECK_SPAN(CG_LIT("row"), cg_span_str(bad[i].text));
        CHECK(got.bytes[0] == 7);
    }
}

TEST(writes_a_digest_and_reads_it_again)
{
    struct cg_hash digest = {{1, 2, 3}}, again;
    char text[CG_DIGEST_CHARS];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    cg_digest_write(&digest, &w);
    CHECK_OK(cg_writer_end(&w));
    CHECK_INT(w.len, CG_DIGEST_CHARS);
    CHECK_OK(cg_digest_read(cg_writer_span(&w), &again));
    CHECK(cg_hash_eq(&digest, &again));
}

TEST(judges_each_character_at_each_place_of_values_and_tokens)
{
    uint8_t text[26];

    for (unsigned c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof text; at++) {
            bool is_tchar = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                            (c >= 'a' && c <= 'z') || (c != 0 && strchr("!#$%&'*+-.^_`|~", (int)c));

            memset(text, 'v', sizeof text);
            text[at] = (uint8_t)c;
            CHECK(cg_field_is_value(CG_BYTES(text)) == ((c >= 0x20 && c != 0x7f) || c == '\t'));
            CHECK(cg_field_is_token(CG_BYTES(text)) == is_tchar);
            /* A neighbour that borrows or carries hides nothing. */
            text[(at + 1) % sizeof text] = '\t';
            CHECK(cg_field_is_value(CG_BYTES(text)) == ((c >= 0x20 && c != 0x7f) || c == '\t'));
        }
    CHECK_INT(cg_field_char('A'), CG_FIELD_UPPER);
    CHECK_INT(cg_field_char('a'), CG_FIELD_TOKEN);
    CHECK_INT(cg_field_char(':'), CG_FIELD_OTHER);
}

SUITE(field, T(trims_spaces_and_tabs_and_nothing_else), T(knows_tokens),
      T(lets_no_control_character_into_a_value), T(walks_lists_past_empty_members),
      T(joins_cookie_lines_as_http2_says), T(expects_nothing_but_100_continue),
      T(takes_the_one_sha256_member), T(refuses_every_other_content_digest),
      T(writes_a_digest_and_reads_it_again),
      T(judges_each_character_at_each_place_of_values_and_tokens))
