#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/config.h"
#include "runtime/nearest.h"

#include <stdio.h>
#include <string.h>

/* Room for any member; read_as fills it. */
union any {
    const char *text;
    bool b;
    int64_t n;
    int place;
    struct cg_host_port address;
    struct cg_target_option target;
    struct cg_secret_option secret;
};

static struct cg_arena arena;
static char why[CG_PROBLEM_TEXT_BYTES];

static cg_err read_as(const struct cg_option *option, struct cg_span text, union any *out)
{
    why[0] = '\0';
    return cg_option_read(option, option->type, text, "/etc/httpcg", &arena, out, why);
}

static void check_why(const struct cg_option *option, const char *text, const char *want)
{
    union any out, before;

    memset(&out, 0x5a, sizeof out);
    before = out;
    CHECK_ERR(read_as(option, cg_span_str(text), &out), CG_CONFIG);
    CHECK_SPAN(cg_span_str(why), cg_span_str(want));
    CHECK(memcmp(&out, &before, sizeof out) == 0);
}

TEST(reads_numbers_at_their_limits)
{
    struct cg_option option = {.type = CG_OPTION_INT, .min = -2, .max = 64};
    union any out;

    CHECK_OK(read_as(&option, CG_LIT("64"), &out));
    CHECK_INT(out.n, 64);
    CHECK_OK(read_as(&option, CG_LIT("63"), &out));
    CHECK_INT(out.n, 63);
    CHECK_OK(read_as(&option, CG_LIT("-2"), &out));
    CHECK_INT(out.n, -2);
    check_why(&option, "65", "\"65\" is too much: it is at most 64");
    check_why(&option, "-3", "\"-3\" is too little: it is at least -2");
    check_why(&option, "", "\"\" is not a number; write decimal digits, such as 16");
    for (size_t i = 0; i < 9; i++) {
        static const char *const bad[] = {"-", "+1", "01", "0x10", "1e3", "1.0", " 1", "1 ", "six"};
        CHECK_ERR(read_as(&option, cg_span_str(bad[i]), &out), CG_CONFIG);
    }
    option.min = option.max = 0;
    CHECK_OK(read_as(&option, CG_LIT("9223372036854775807"), &out));
    CHECK_INT(out.n, INT64_MAX);
    check_why(&option, "9223372036854775808", "\"9223372036854775808\" is too long for a number");
}

TEST(reads_durations_with_their_unit_only)
{
    struct cg_option option = {.type = CG_OPTION_DURATION, .min = 500, .max = 3600000};
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"500ms", 500}, {"1s", 1000}, {"10min", 600000}, {"1h", 3600000}, {"60min", 3600000}};
    union any out;

    for (size_t i = 0; i < CG_COUNT(good); i++) {
        CHECK_OK(read_as(&option, cg_span_str(good[i].text), &out));
        CHECK_INT(out.n, good[i].ms);
    }
    check_why(&option, "499ms", "\"499ms\" is too little: it is at least 500ms");
    check_why(&option, "3600001ms", "\"3600001ms\" is too much: it is at most 1h");
    check_why(&option, "0", "\"0\" is too little: it is at least 500ms");
    check_why(&option, "10", "\"10\" lacks a unit; write 500ms, 10s, 5min, 1h or 7d");
    check_why(&option, "10sec", "\"10sec\" has an unknown unit; write 500ms, 10s, 5min, 1h or 7d");
    check_why(&option, "10 s", "\"10 s\" has an unknown unit; write 500ms, 10s, 5min, 1h or 7d");
    check_why(&option, "soon",
              "\"soon\" is not a number with a unit; write 500ms, 10s, 5min, 1h or 7d");
    check_why(&option, "-1s",
              "\"-1s\" is not a number with a unit; write 500ms, 10s, 5min, 1h or 7d");
    check_why(&option, "9223372036854775807d", "\"9223372036854775807d\" is too long for a number");
    option.min = option.max = 0;
    CHECK_OK(read_as(&option, CG_LIT("0"), &out));
    CHECK_INT(out.n, 0);
    CHECK_OK(read_as(&option, CG_LIT("106751991167d"), &out));
    CHECK_INT(out.n, INT64_C(9223372036828800000));
    check_why(&option, "106751991168d", "\"106751991168d\" is too long for a number");
}

TEST(reads_sizes_in_powers_of_1024_only)
{
    struct cg_option option = {.type = CG_OPTION_SIZE, .min = 1024, .max = INT64_C(1) << 40};
    union any out;

    CHECK_OK(read_as(&option, CG_LIT("1024B"), &out));
    CHECK_INT(out.n, 1024);
    CHECK_OK(read_as(&option, CG_LIT("1TiB"), &out));
    CHECK_INT(out.n, INT64_C(1) << 40);
    check_why(&option, "1023B", "\"1023B\" is too little: it is at least 1KiB");
    check_why(&option, "1025GiB", "\"1025GiB\" is too much: it is at most 1TiB");
    check_why(&option, "1KB", "\"1KB\" has an unknown unit; write 512B, 64KiB, 1MiB, 2GiB or 1TiB");
    check_why(&option, "1024", "\"1024\" lacks a unit; write 512B, 64KiB, 1MiB, 2GiB or 1TiB");
    check_why(&option, "8388608TiB", "\"8388608TiB\" is too long for a number");
}

TEST(reads_texts_up_to_their_length)
{
    struct cg_option option = {.type = CG_OPTION_STRING, .min = 2, .max = 4};
    char long_text[4100];
    union any out;

    check_why(&option, "a", "\"a\" is too short: it has at least 2 bytes");
    CHECK_OK(read_as(&option, CG_LIT("ab"), &out));
    CHECK_OK(read_as(&option, CG_LIT("abcd"), &out));
    CHECK_SPAN(cg_span_str(out.text), CG_LIT("abcd"));
    check_why(&option, "abcde", "\"abcde\" is too long: it has at most 4 bytes");
    check_why(&option, "a\x1b[", "\"a\x1b[\" holds a control character");

    option.min = option.max = 0;
    memset(long_text, 'x', sizeof long_text);
    CHECK_OK(read_as(&option, cg_span_of(long_text, 4095), &out));
    CHECK_OK(read_as(&option, cg_span_of(long_text, 4096), &out));
    CHECK_ERR(read_as(&option, cg_span_of(long_text, 4097), &out), CG_CONFIG);
    check_why(&option, "", "\"\" is empty");
    option.max = 10;
    check_why(&option, "", "\"\" is empty");
}

TEST(a_relative_path_starts_at_the_files_folder)
{
    struct cg_option option = {.type = CG_OPTION_PATH, .off = true};
    char long_text[5000];
    union any out;

    CHECK_OK(read_as(&option, CG_LIT("routes.d"), &out));
    CHECK_SPAN(cg_span_str(out.text), CG_LIT("/etc/httpcg/routes.d"));
    CHECK_OK(read_as(&option, CG_LIT("/srv/x"), &out));
    CHECK_SPAN(cg_span_str(out.text), CG_LIT("/srv/x"));
    CHECK_OK(cg_option_read(&option, option.type, CG_LIT("x"), NULL, &arena, &out, why));
    CHECK_SPAN(cg_span_str(out.text), CG_LIT("x"));
    CHECK_OK(read_as(&option, CG_LIT("off"), &out));
    CHECK(out.text == NULL);
    check_why(&option, "~/x",
              "\"~/x\" starts with ~, which only shells understand; write the whole "
              "path");
    check_why(&option, "", "\"\" is empty");
    memset(long_text, 'x', sizeof long_text);
    long_text[0] = '/';
    CHECK_OK(read_as(&option, cg_span_of(long_text, 4095), &out));
    CHECK_ERR(read_as(&option, cg_span_of(long_text, 4096), &out), CG_CONFIG);
    CHECK_ERR(read_as(&option, cg_span_of(long_text, 5000), &out), CG_CONFIG);
}

TEST(a_boolean_has_two_spellings)
{
    struct cg_option option = {.type = CG_OPTION_BOOL};
    union any out;

    CHECK_OK(read_as(&option, CG_LIT("true"), &out));
    CHECK(out.b);
    CHECK_OK(read_as(&option, CG_LIT("false"), &out));
    CHECK(!out.b);
    check_why(&option, "yes", "\"yes\" is neither true nor false");
    check_why(&option, "True", "\"True\" is neither true nor false");
    check_why(&option, "", "\"\" is neither true nor false");
}

TEST(an_enum_offers_the_nearest_value)
{
    static const char *const values[] = {"error", "warn", "info", "debug", NULL};
    struct cg_option option = {.type = CG_OPTION_ENUM, .values = values};
    union any out;

    CHECK_OK(read_as(&option, CG_LIT("info"), &out));
    CHECK_INT(out.place, 2);
    check_why(&option, "inof",
              "\"inof\" is not known here; did you mean info? (error, warn, info, debug)");
    check_why(&option, "loud", "\"loud\" is not known here; it is one of error, warn, info, debug");
}

TEST(reads_addresses_of_every_kind)
{
    struct cg_option option = {.type = CG_OPTION_ADDRESS};
    static const struct {
        const char *text, *host;
        uint16_t port;
    } good[] = {{"127.0.0.1:1", "127.0.0.1", 1},
                {"[::1]:65535", "::1", 65535},
                {"*:443", "*", 443},
                {"a-b.example:8443", "a-b.example", 8443},
                {"localhost:80", "localhost", 80}};
    static const char *const bad[] = {
        "",         "x",           "x:",          "x:0",    "x:65536",    "x:+1",        "x:1 ",
        ":80",      "::1:80",      "[::1]",       "[::1",   "[::1]80",    "[1.2.3.4]:1", "[x]:1",
        "1.2.3:80", "1.2.3.4.5:1", "256.1.1.1:1", "a..b:1", "-a:1",       "a-:1",        "a b:1",
        "**:1",     "*",           "a/b:1",       "x:1:2",  "\xc3\xa4:1", "0x7f.1:80"};
    char name[300];
    union any out;

    for (size_t i = 0; i < CG_COUNT(good); i++) {
        CHECK_OK(read_as(&option, cg_span_str(good[i].text), &out));
        CHECK_SPAN(cg_span_str(out.address.host), cg_span_str(good[i].host));
        CHECK_INT(out.address.port, good[i].port);
    }
    for (size_t i = 0; i < CG_COUNT(bad); i++)
        if (!CHECK_ERR(read_as(&option, cg_span_str(bad[i]), &out), CG_CONFIG))
            printf("# %s\n", bad[i]);
    option.max = 65535;
    CHECK_OK(read_as(&option, CG_LIT("127.0.0.1:0"), &out));
    CHECK_INT(out.address.port, 0);

    /* RFC 1035, 2.3.4: a label has at most 63 octets, a name 255 on the wire, 253 as text. */
    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < 253; i += 64)
        name[i] = '.';
    memcpy(name + 253, ":1", 2);
    CHECK_OK(read_as(&option, cg_span_of(name, 255), &out));
    memcpy(name + 253, "a:1", 3);
    CHECK_ERR(read_as(&option, cg_span_of(name, 256), &out), CG_CONFIG);
    memset(name, 'a', 64);
    memcpy(name + 63, ":1", 2);
    CHECK_OK(read_as(&option, cg_span_of(name, 65), &out));
    memcpy(name + 63, "a:1", 3);
    CHECK_ERR(read_as(&option, cg_span_of(name, 66), &out), CG_CONFIG);
}

TEST(reads_backend_urls)
{
    struct cg_option option = {.type = CG_OPTION_URL};
    static const struct {
        const char *text, *host, *path;
        enum cg_target_scheme scheme;
        uint16_t port;
    } good[] = {{"http://127.0.0.1:3000", "127.0.0.1", "/", CG_TARGET_HTTP, 3000},
                {"https://shop.example", "shop.example", "/", CG_TARGET_HTTPS, 443},
                {"https://[::1]:8443/a/b", "::1", "/a/b", CG_TARGET_HTTPS, 8443},
                {"http://x/", "x", "/", CG_TARGET_HTTP, 80},
                {"unix:/run/app.sock", NULL, "/run/app.sock", CG_TARGET_UNIX, 0}};
    static const char *const bad[] = {"",
                                      "x",
                                      "ftp://x/",
                                      "http:/x",
                                      "http://",
                                      "http://x:",
                                      "http://x:/",
                                      "http://x:0/",
                                      "http://u@x/",
                                      "http://x?q",
                                      "http://x/?q",
                                      "http://x/#f",
                                      "http://x/ ",
                                      "http://x/\\",
                                      "unix:x",
                                      "unix:/",
                                      "HTTP://x/",
                                      "https://:443/",
                                      "http://x:80a/",
                                      "http://[::1/",
                                      "http://*:80/"};
    char path[200];
    union any out;

    for (size_t i = 0; i < CG_COUNT(good); i++) {
        CHECK_OK(read_as(&option, cg_span_str(good[i].text), &out));
        CHECK_SPAN(cg_span_str(out.target.text), cg_span_str(good[i].text));
        CHECK_SPAN(cg_span_str(out.target.host), cg_span_str(good[i].host));
        CHECK_SPAN(cg_span_str(out.target.path), cg_span_str(good[i].path));
        CHECK_INT(out.target.scheme, good[i].scheme);
        CHECK_INT(out.target.port, good[i].port);
    }
    for (size_t i = 0; i < CG_COUNT(bad); i++)
        if (!CHECK_ERR(read_as(&option, cg_span_str(bad[i]), &out), CG_CONFIG))
            printf("# %s\n", bad[i]);
    memset(path, 'x', sizeof path);
    memcpy(path, "unix:/", 6);
    CHECK_OK(read_as(&option, cg_span_of(path, 5 + 107), &out));
    CHECK_ERR(read_as(&option, cg_span_of(path, 5 + 108), &out), CG_CONFIG);
}

TEST(a_secret_is_64_digits_and_is_never_repeated)
{
    struct cg_option option = {.type = CG_OPTION_SECRET};
    char digits[65];
    CG_AUTO(buf) struct cg_buf text;
    union any out = {.n = 0};

    memset(digits, 'a', sizeof digits);
    for (size_t len = 62; len <= 65; len++)
        CHECK_ERR(read_as(&option, cg_span_of(digits, len), &out), len == 64 ? CG_OK : CG_CONFIG);
    CHECK(out.secret.is_set && out.secret.value.bytes[31] == 0xaa);
    digits[3] = 'A';
    CHECK_ERR(read_as(&option, cg_span_of(digits, 64), &out), CG_CONFIG);
    CHECK(strstr(why, "aaa") == NULL);
    cg_buf_init(&text, 100);
    CHECK_OK(cg_option_print(&option, option.type, &out, &text));
    CHECK_SPAN(cg_buf_span(&text), CG_LIT("(hidden)"));
}

static const char *not_a_did(struct cg_span text)
{
    return cg_span_starts(text, CG_LIT("did:")) ? NULL : "is not a DID";
}

TEST(a_role_may_check_a_text_itself)
{
    struct cg_option option = {.type = CG_OPTION_STRING, .check = not_a_did};
    union any out;

    CHECK_OK(read_as(&option, CG_LIT("did:bpi:x"), &out));
    check_why(&option, "bpi:x", "\"bpi:x\" is not a DID");
}

TEST(what_is_printed_reads_back_the_same)
{
    static const char *const values[] = {"one", "two", NULL};
    static const struct {
        struct cg_option option;
        const char *text;
    } cases[] = {
        {{.type = CG_OPTION_INT}, "-12"},
        {{.type = CG_OPTION_DURATION}, "90s"},
        {{.type = CG_OPTION_DURATION}, "0"},
        {{.type = CG_OPTION_DURATION}, "1ms"},
        {{.type = CG_OPTION_SIZE}, "1025B"},
        {{.type = CG_OPTION_SIZE}, "3GiB"},
        {{.type = CG_OPTION_BOOL}, "true"},
        {{.type = CG_OPTION_ENUM, .values = values}, "two"},
        {{.type = CG_OPTION_ADDRESS}, "\"[::1]:443\""},
        {{.type = CG_OPTION_URL}, "\"https://x/\""},
        {{.type = CG_OPTION_STRING}, "\"a \\\"b\\\" \\\\c\""},
    };

    for (size_t i = 0; i < CG_COUNT(cases); i++) {
        const struct cg_option *option = &cases[i].option;
        struct cg_span text = cg_span_str(cases[i].text);
        CG_AUTO(buf) struct cg_buf printed;
        union any out;

        if (option->type == CG_OPTION_STRING)
            text = CG_LIT("a \"b\" \\c");
        else if (text.at[0] == '"')
            text = cg_span_of(text.at + 1, text.len - 2);
        CHECK_OK(read_as(option, text, &out));
        cg_buf_init(&printed, 100);
        CHECK_OK(cg_option_print(option, option->type, &out, &printed));
        CHECK_SPAN(cg_buf_span(&printed), cg_span_str(cases[i].text));
        CHECK(cg_option_same(option, &out, &out));
    }
}

TEST(values_differ_when_any_part_does)
{
    struct cg_option option = {.type = CG_OPTION_ADDRESS};
    union any a, b;

    CHECK_OK(read_as(&option, CG_LIT("x:1"), &a));
    CHECK_OK(read_as(&option, CG_LIT("x:2"), &b));
    CHECK(!cg_option_same(&option, &a, &b));
    CHECK_OK(read_as(&option, CG_LIT("y:1"), &b));
    CHECK(!cg_option_same(&option, &a, &b));
    CHECK_OK(read_as(&option, CG_LIT("x:1"), &b));
    CHECK(cg_option_same(&option, &a, &b));
    option = (struct cg_option){.type = CG_OPTION_PATH, .off = true};
    CHECK_OK(read_as(&option, CG_LIT("off"), &a));
    CHECK_OK(read_as(&option, CG_LIT("/x"), &b));
    CHECK(!cg_option_same(&option, &a, &b));
    CHECK(!cg_option_same(&option, &b, &a));
}

TEST(the_nearest_word_is_found_and_a_far_one_is_not)
{
    static const char *const words[] = {"listen", "limits", "level"};

    CHECK_INT(cg_nearest_distance(CG_LIT("lisetn"), CG_LIT("listen")), 1);
    CHECK_INT(cg_nearest_distance(CG_LIT(""), CG_LIT("abc")), 3);
    CHECK_INT(cg_nearest_distance(CG_LIT("kitten"), CG_LIT("sitting")), 3);
    CHECK_SPAN(cg_span_str(cg_nearest(CG_LIT("lisen"), words, 3)), CG_LIT("listen"));
    CHECK_SPAN(cg_span_str(cg_nearest(CG_LIT("Level"), words, 3)), CG_LIT("level"));
    CHECK(cg_nearest(CG_LIT("port"), words, 3) == NULL);
    CHECK(cg_nearest(CG_LIT(""), words, 3) == NULL);
    char far[CG_NEAREST_MAX_BYTES + 1];
    memset(far, 'l', sizeof far);
    CHECK(cg_nearest(cg_span_of(far, sizeof far), words, 3) == NULL);
}

static const char *fault_of(struct cg_option option)
{
    struct cg_option_table table = {
        .section = "x", .help = "h", .options = &option, .n_options = 1, .size = 64};

    option.key = option.key ? option.key : "key";
    option.help = option.help ? option.help : "Help.";
    return cg_option_table_fault(&table);
}

TEST(a_table_with_a_mistake_is_found_out)
{
    struct cg_option twice[] = {
        {.key = "a.b", .help = "h", .type = CG_OPTION_STRING},
        {.key = "a_b", .help = "h", .type = CG_OPTION_STRING},
    };
    struct cg_option apart[] = {
        {.key = "a.b", .help = "h", .type = CG_OPTION_STRING},
        {.key = "c", .help = "h", .type = CG_OPTION_STRING},
        {.key = "a.d", .help = "h", .type = CG_OPTION_STRING},
    };
    struct cg_option_table table = {.section = "x", .options = twice, .n_options = 2, .size = 64};

    CHECK(cg_option_table_fault(&cg_option_table_common) == NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_STRING}) == NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_INT}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_INT, .def = "x"}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_INT, .def = "3", .max = 2}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_INT, .def = "2", .max = 2}) == NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_STRING, .key = "Key"}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_STRING, .key = "a..b"}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_STRING, .offset = 57}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_ENUM, .def = "a"}) != NULL);
    CHECK(fault_of((struct cg_option){.type = CG_OPTION_ROWS}) != NULL);
    CHECK(cg_option_table_fault(&table) != NULL);
    table.options = apart;
    table.n_options = 3;
    CHECK(cg_option_table_fault(&table) != NULL);
    table.n_options = 2;
    CHECK(cg_option_table_fault(&table) == NULL);
}

__attribute__((constructor)) static void arena_start(void)
{
    cg_arena_init(&arena, 1 << 24);
}

__attribute__((destructor)) static void arena_end(void)
{
    cg_arena_done(&arena);
}

SUITE(option, T(reads_numbers_at_their_limits), T(reads_durations_with_their_unit_only),
      T(reads_sizes_in_powers_of_1024_only), T(reads_texts_up_to_their_length),
      T(a_relative_path_starts_at_the_files_folder), T(a_boolean_has_two_spellings),
      T(an_enum_offers_the_nearest_value), T(reads_addresses_of_every_kind), T(reads_backend_urls),
      T(a_secret_is_64_digits_and_is_never_repeated), T(a_role_may_check_a_text_itself),
      T(what_is_printed_reads_back_the_same), T(values_differ_when_any_part_does),
      T(the_nearest_word_is_found_and_a_far_one_is_not), T(a_table_with_a_mistake_is_found_out))
