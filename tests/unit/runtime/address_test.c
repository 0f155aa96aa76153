#include "runtime/address.h"

#include "lib/base/span.h"
#include "tests/support/check.h"

#include <string.h>

TEST(addresses_are_read_and_written_alike)
{
    static const char *const texts[] = {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535",
                                        "[::1]:443",    "[::]:0",    "[2001:db8::5]:8443",
                                        "unix:/run/x"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cg_address got;
        char back[CG_ADDRESS_TEXT_BYTES];

        CHECK_OK(cg_address_read(cg_span_str(texts[i]), &got));
        CHECK_SPAN(cg_span_str(cg_address_write(&got, back)), cg_span_str(texts[i]));
    }
}

TEST(what_is_no_address_is_refused)
{
    static const char *const texts[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:00",
        "127.1:80",
        "0x7f.0.0.1:1",
        "localhost:80",
        "[127.0.0.1]:80",
        "[::1]",
        "[::1:80",
        "::1:80",
        "[::1]80",
        "127.0.0.1:8 0",
        "127.0.0.1:-1",
        "unix:",
        "[fe80::1%1]:1",
        "127.0.0.1:080",
        "[]:1",
        "127.0.0.01:80",
    };
    struct cg_address got = {.port = 77};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_ERR(cg_address_read(cg_span_str(texts[i]), &got), CG_SYNTAX);
    CHECK_ERR(cg_address_read(cg_span_of("127.0.0.1\0:80", 13), &got), CG_SYNTAX);
    CHECK_ERR(cg_address_read(cg_span_of("unix:a\0b", 8), &got), CG_SYNTAX);
    CHECK_INT(got.port, 77);
}

TEST(a_socket_path_ends_where_the_kernel_ends_it)
{
    char text[5 + CG_UNIX_PATH_BYTES + 1] = "unix:";
    struct cg_address got;

    memset(text + 5, 'a', CG_UNIX_PATH_BYTES);
    CHECK_OK(cg_address_read(cg_span_of(text, 5 + CG_UNIX_PATH_BYTES - 1), &got));
    CHECK_INT(strlen(got.path), CG_UNIX_PATH_BYTES - 1);
    CHECK_ERR(cg_address_read(cg_span_of(text, 5 + CG_UNIX_PATH_BYTES), &got), CG_TOO_LARGE);
}

TEST(loopback_is_known_in_both_families)
{
    static const struct {
        const char *text;
        bool is;
    } known[] = {{"127.0.0.1:1", true}, {"127.255.0.9:1", true}, {"128.0.0.1:1", false},
                 {"[::1]:1", true},     {"[::2]:1", false},      {"[::ffff:127.0.0.1]:1", false}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct cg_address got;

        CHECK_OK(cg_address_read(cg_span_str(known[i].text), &got));
        CHECK(cg_address_is_loopback(&got) == known[i].is);
    }
}

TEST(equal_means_equal_in_everything)
{
    struct cg_address a, b;

    CHECK_OK(cg_address_read(CG_LIT("127.0.0.1:80"), &a));
    CHECK_OK(cg_address_read(CG_LIT("127.0.0.1:80"), &b));
    CHECK(cg_address_eq(&a, &b));
    CHECK_OK(cg_address_read(CG_LIT("127.0.0.1:81"), &b));
    CHECK(!cg_address_eq(&a, &b));
    CHECK_OK(cg_address_read(CG_LIT("127.0.0.2:80"), &b));
    CHECK(!cg_address_eq(&a, &b));
    CHECK_OK(cg_address_read(CG_LIT("[7f00:1::]:80"), &b));
    CHECK(!cg_address_eq(&a, &b));
    CHECK_INT(cg_address_ip(&a).len, 4);
    CHECK_INT(cg_address_ip(&b).len, 16);
}

SUITE(address, T(addresses_are_read_and_written_alike), T(what_is_no_address_is_refused),
      T(a_socket_path_ends_where_the_kernel_ends_it), T(loopback_is_known_in_both_families),
      T(equal_means_equal_in_everything))
