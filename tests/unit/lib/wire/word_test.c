#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/wire/word.h"

TEST(words_are_small_letters_digits_and_three_marks)
{
    static const char *const good[] = {"a", "9", "web-default", "a.b_c-1", "0-"};
    static const char *const bad[] = {"",    "-a",  ".",   "_x",  "Web",      "a b", "a/b",
                                      "a\n", "a\"", "a\\", "a:b", "\xc3\xa4", "a~"};
    char text[CG_WORD_MAX_BYTES + 1];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(cg_is_word(cg_span_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!cg_is_word(cg_span_str(bad[i])));
    memset(text, 'w', sizeof text);
    CHECK(cg_is_word(cg_span_of(text, CG_WORD_MAX_BYTES)));
    CHECK(!cg_is_word(cg_span_of(text, CG_WORD_MAX_BYTES + 1)));
}

SUITE(word, T(words_are_small_letters_digits_and_three_marks))
