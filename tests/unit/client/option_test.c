#include "tests/support/check.h"

#include "client/option.h"
#include "lib/base/span.h"

#include <stdlib.h>

static struct cl_args args;
static char why[512];

#define READ(...)                                                                                  \
    read_words((const char *const[]){__VA_ARGS__},                                                 \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static cg_err read_words(const char *const *words, size_t n)
{
    args = (struct cl_args){0};
    why[0] = '\0';
    return cl_args_read(&args, (int)n, words, why, sizeof why);
}

static bool says(const char *text)
{
    return strstr(why, text) != NULL;
}

TEST(options_and_words_stand_anywhere)
{
    CHECK_OK(READ("post", "-H", "a: b", "httpcg://app/x.y/", "-v", "--output", "file"));
    CHECK_INT(args.n_words, 2);
    CHECK(strcmp(args.words[0], "post") == 0);
    CHECK(strcmp(cl_text(&args, CL_HEADER), "a: b") == 0);
    CHECK(strcmp(cl_text(&args, CL_OUTPUT), "file") == 0);
    CHECK(cl_is_on(&args, CL_VERBOSE));
    CHECK(!cl_is_on(&args, CL_SILENT));
}

TEST(letters_join_and_the_last_may_take_the_rest)
{
    CHECK_OK(READ("-sSvXPUT"));
    CHECK(cl_is_on(&args, CL_SILENT) && cl_is_on(&args, CL_SHOW_ERROR));
    CHECK(cl_is_on(&args, CL_VERBOSE));
    CHECK(strcmp(cl_text(&args, CL_REQUEST), "PUT") == 0);
    CHECK_OK(READ("-so", "there"));
    CHECK(strcmp(cl_text(&args, CL_OUTPUT), "there") == 0);
}

TEST(a_value_stands_behind_an_equals_sign_or_next)
{
    CHECK_OK(READ("--output=a=b", "--max-time", "-3"));
    CHECK(strcmp(cl_text(&args, CL_OUTPUT), "a=b") == 0);
    CHECK(strcmp(cl_text(&args, CL_MAX_TIME), "-3") == 0);
}

TEST(a_single_dash_is_a_word_and_two_end_the_options)
{
    CHECK_OK(READ("-", "--", "-v", "--verbose"));
    CHECK_INT(args.n_words, 3);
    CHECK_INT(args.n_sets, 0);
}

TEST(long_names_may_be_cut_while_they_stay_unambiguous)
{
    CHECK_OK(READ("--verb"));
    CHECK(cl_is_on(&args, CL_VERBOSE));
    /* A whole name wins over longer ones that begin with it. */
    CHECK_OK(READ("--data", "x"));
    CHECK(strcmp(cl_text(&args, CL_DATA), "x") == 0);
    CHECK_OK(READ("--json"));
    CHECK(cl_is_on(&args, CL_JSON));
    CHECK_ERR(READ("--dat", "x"), CG_UNKNOWN);
    CHECK(says("--data or --data-raw"));
}

TEST(a_later_no_undoes_a_switch)
{
    CHECK_OK(READ("-v", "--no-verbose"));
    CHECK(!cl_is_on(&args, CL_VERBOSE));
    CHECK(cl_is_off(&args, CL_VERBOSE));
    CHECK_OK(READ("--no-verbose", "-v"));
    CHECK(cl_is_on(&args, CL_VERBOSE));
    CHECK_ERR(READ("--no-output"), CG_UNKNOWN);
    CHECK(says("no switch"));
}

TEST(unknown_options_are_named_with_what_was_meant)
{
    CHECK_ERR(READ("--verbsoe"), CG_UNKNOWN);
    CHECK(says("--verbose?"));
    CHECK_ERR(READ("--zzzz"), CG_UNKNOWN);
    CHECK(says("no option --zzzz"));
    CHECK(!says("did you mean"));
    CHECK_ERR(READ("-k"), CG_UNKNOWN);
    CHECK(says("no check can be switched off"));
    CHECK_ERR(READ("-L"), CG_UNKNOWN);
    CHECK(says("redirects"));
    CHECK_ERR(READ("-\x01"), CG_UNKNOWN);
    CHECK(says("-?"));
    CHECK_ERR(READ("--"
                   "=x"),
              CG_UNKNOWN);
}

TEST(values_are_missing_or_too_many)
{
    CHECK_ERR(READ("--output"), CG_SHORT);
    CHECK(says("FILE"));
    CHECK_ERR(READ("-o"), CG_SHORT);
    CHECK_ERR(READ("--json={}"), CG_EXTRA);
    CHECK(says("--json-data"));
    CHECK_ERR(READ("--verbose=1"), CG_EXTRA);
}

TEST(repeated_options_are_given_in_their_order)
{
    size_t at = 0;

    CHECK_OK(READ("-H", "a: 1", "-v", "-H", "b: 2", "-Hc: 3"));
    CHECK(strcmp(cl_next(&args, CL_HEADER, &at), "a: 1") == 0);
    CHECK(strcmp(cl_next(&args, CL_HEADER, &at), "b: 2") == 0);
    CHECK(strcmp(cl_next(&args, CL_HEADER, &at), "c: 3") == 0);
    CHECK(cl_next(&args, CL_HEADER, &at) == NULL);
    CHECK(cl_next(&args, CL_HEADER, &at) == NULL);
    CHECK(strcmp(cl_text(&args, CL_HEADER), "c: 3") == 0);
}

TEST(there_is_room_for_so_many_and_no_more)
{
    const char *words[CL_SETS_MAX + 1];

    for (size_t i = 0; i <= CL_SETS_MAX; i++)
        words[i] = "-v";
    CHECK_OK(read_words(words, CL_SETS_MAX - 1));
    CHECK_OK(read_words(words, CL_SETS_MAX));
    CHECK_ERR(read_words(words, CL_SETS_MAX + 1), CG_TOO_LARGE);
    for (size_t i = 0; i <= CL_WORDS_MAX; i++)
        words[i] = "word";
    CHECK_OK(read_words(words, CL_WORDS_MAX));
    CHECK_ERR(read_words(words, CL_WORDS_MAX + 1), CG_TOO_LARGE);
}

static cg_err read_line(const char *text)
{
    static char line[256];

    snprintf(line, sizeof line, "%s", text);
    args = (struct cl_args){0};
    return cl_args_line(&args, line, why, sizeof why);
}

TEST(a_line_of_a_file_is_one_option)
{
    static const char *const same[] = {"max-time 7",      "max-time = 7",      "max-time: 7",
                                       "--max-time 7",    "  max-time=7  ",    "max-time \"7\"",
                                       "max-time\t7\r\n", "--max-time = \"7\""};

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        CHECK_OK(read_line(same[i]));
        CHECK(cl_text(&args, CL_MAX_TIME) && strcmp(cl_text(&args, CL_MAX_TIME), "7") == 0);
    }
    CHECK_OK(read_line("verbose"));
    CHECK(cl_is_on(&args, CL_VERBOSE));
    CHECK_OK(read_line("no-verbose"));
    CHECK(cl_is_off(&args, CL_VERBOSE));
    CHECK_OK(read_line("header \"a: b\""));
    CHECK(strcmp(cl_text(&args, CL_HEADER), "a: b") == 0);
    CHECK_OK(read_line("trust-registry did:bpi:x=http://127.0.0.1:1"));
    CHECK(strcmp(cl_text(&args, CL_TRUST_REGISTRY), "did:bpi:x=http://127.0.0.1:1") == 0);
}

TEST(blank_lines_and_remarks_are_nothing)
{
    static const char *const nothing[] = {"", "   ", "# verbose", "  # x", "\r\n"};

    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        CHECK_OK(read_line(nothing[i]));
        CHECK_INT(args.n_sets, 0);
    }
    CHECK_ERR(read_line("verbos3"), CG_UNKNOWN);
    CHECK_ERR(read_line("output"), CG_SHORT);
    CHECK_ERR(read_line("verbose yes"), CG_EXTRA);
}

TEST(numbers_are_decimal_and_within_their_limits)
{
    uint64_t n = 77;

    CHECK_OK(cl_number("0", 0, 9, &n));
    CHECK_INT(n, 0);
    CHECK_OK(cl_number("18446744073709551609", 0, UINT64_MAX, &n));
    CHECK(n == UINT64_C(18446744073709551609));
    n = 77;
    CHECK_ERR(cl_number("18446744073709551616", 0, UINT64_MAX, &n), CG_TOO_LARGE);
    CHECK_ERR(cl_number("", 0, 9, &n), CG_SYNTAX);
    CHECK_ERR(cl_number("1x", 0, 9, &n), CG_SYNTAX);
    CHECK_ERR(cl_number("-1", 0, 9, &n), CG_SYNTAX);
    CHECK_ERR(cl_number("+1", 0, 9, &n), CG_SYNTAX);
    CHECK_ERR(cl_number(" 1", 0, 9, &n), CG_SYNTAX);
    CHECK_ERR(cl_number("1", 2, 4, &n), CG_TOO_LARGE);
    CHECK_ERR(cl_number("5", 2, 4, &n), CG_TOO_LARGE);
    CHECK_INT(n, 77);
    CHECK_OK(cl_number("2", 2, 4, &n));
    CHECK_OK(cl_number("4", 2, 4, &n));
}

TEST(the_table_names_each_option_once)
{
    for (int i = 1; i < CL_OPTION_COUNT; i++) {
        CHECK(cl_options[i].name[0] != '\0');
        CHECK(cl_options[i].help[strlen(cl_options[i].help) - 1] == '.');
        for (int k = 1; k < i; k++) {
            CHECK(strcmp(cl_options[i].name, cl_options[k].name) != 0);
            CHECK(!cl_options[i].letter || cl_options[i].letter != cl_options[k].letter);
        }
        /* "--no-x" has to mean that x is off. */
        CHECK(strncmp(cl_options[i].name, "no-", 3) != 0);
    }
}

SUITE(option, T(options_and_words_stand_anywhere), T(letters_join_and_the_last_may_take_the_rest),
      T(a_value_stands_behind_an_equals_sign_or_next),
      T(a_single_dash_is_a_word_and_two_end_the_options),
      T(long_names_may_be_cut_while_they_stay_unambiguous), T(a_later_no_undoes_a_switch),
      T(unknown_options_are_named_with_what_was_meant), T(values_are_missing_or_too_many),
      T(repeated_options_are_given_in_their_order), T(there_is_room_for_so_many_and_no_more),
      T(a_line_of_a_file_is_one_option), T(blank_lines_and_remarks_are_nothing),
      T(numbers_are_decimal_and_within_their_limits), T(the_table_names_each_option_once))
