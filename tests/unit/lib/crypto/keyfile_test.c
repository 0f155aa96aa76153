#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/keyfile.h"

#include <stdio.h>
#include <stdlib.h>

/* As little work as RFC 9106 allows: these tests are not about its cost. */
#define CHEAP ((struct cg_argon2_cost){8, 1, 1})

static const uint8_t salt[CG_KEYFILE_SALT_BYTES] = "0123456789abcde";
static const uint8_t nonce[12] = "nonce nonce";

static struct cg_keyfile_content content(void)
{
    return (struct cg_keyfile_content){.seed = cg_test_seed(0x40), .created = {1795366003}};
}

static void write_good(struct cg_buf *out)
{
    struct cg_keyfile_content in = content();

    cg_buf_init(out, CG_KEYFILE_MAX_BYTES);
    CHECK_OK(cg_keyfile_write(cg_test_crypto(), &in, CG_LIT("identity"), CG_LIT("hint"),
                              CG_LIT("passphrase"), CHEAP, salt, nonce, out));
}

static const char *number_at(size_t i, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "standards:argon2id.cases.%zu.%s", i, name);
    return cg_vector(path);
}

TEST(argon2id_gives_the_reference_answers)
{
    for (size_t i = 0; i < cg_vector_count("standards:argon2id.cases"); i++) {
        struct cg_argon2_cost cost = {
            .m_kib = (uint32_t)atoi(number_at(i, "m_kib")),
            .passes = (uint32_t)atoi(number_at(i, "passes")),
            .lanes = (uint32_t)atoi(number_at(i, "lanes")),
        };
        struct cg_secret out;

        CHECK_OK(cg_argon2id(cg_test_crypto(), cost, cg_span_str(number_at(i, "password")),
                             cg_span_str(number_at(i, "salt")), &out));
        CHECK_SPAN(CG_BYTES(out.bytes), cg_unhex(number_at(i, "out")));
    }
}

TEST(costs_are_bounded_on_both_sides)
{
    CHECK_OK(cg_argon2_cost_check(CG_ARGON2_DEFAULT));
    CHECK_OK(cg_argon2_cost_check((struct cg_argon2_cost){1048576, 10, 4}));
    CHECK_ERR(cg_argon2_cost_check((struct cg_argon2_cost){1048577, 10, 4}), CG_TOO_LARGE);
    CHECK_ERR(cg_argon2_cost_check((struct cg_argon2_cost){1048576, 11, 4}), CG_TOO_LARGE);
    CHECK_ERR(cg_argon2_cost_check((struct cg_argon2_cost){1048576, 10, 5}), CG_TOO_LARGE);
    CHECK_OK(cg_argon2_cost_check((struct cg_argon2_cost){32, 1, 4}));
    CHECK_ERR(cg_argon2_cost_check((struct cg_argon2_cost){31, 1, 4}), CG_SCHEMA);
    CHECK_ERR(cg_argon2_cost_check((struct cg_argon2_cost){32, 0, 4}), CG_SCHEMA);
    CHECK_ERR(cg_argon2_cost_check((struct cg_argon2_cost){32, 1, 0}), CG_SCHEMA);
}

TEST(a_file_opens_with_its_passphrase_and_no_other)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile read;
    struct cg_keyfile_content got = {.created = {-7}};

    write_good(&file);
    CHECK_OK(cg_keyfile_read(cg_buf_span(&file), &read));
    CHECK_SPAN(read.role, CG_LIT("identity"));
    CHECK_SPAN(read.hint, CG_LIT("hint"));
    CHECK_INT(read.cost.m_kib, 8);
    CHECK_ERR(cg_keyfile_open(cg_test_crypto(), &read, CG_LIT("Passphrase"), &got), CG_MISMATCH);
    CHECK_ERR(cg_keyfile_open(cg_test_crypto(), &read, CG_LIT(""), &got), CG_MISMATCH);
    CHECK_INT(got.created.s, -7);
    CHECK_OK(cg_keyfile_open(cg_test_crypto(), &read, CG_LIT("passphrase"), &got));
    CHECK_INT(got.created.s, 1795366003);
    struct cg_secret want = cg_test_seed(0x40);
    CHECK_SPAN(CG_BYTES(got.seed.bytes), CG_BYTES(want.bytes));
    cg_keyfile_content_done(&got);
    CHECK(got.seed.bytes[0] == 0 && got.seed.bytes[31] == 0);
}

TEST(an_empty_passphrase_is_a_passphrase)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile_content in = content(), got;
    struct cg_keyfile read;

    cg_buf_init(&file, CG_KEYFILE_MAX_BYTES);
    CHECK_OK(cg_keyfile_write(cg_test_crypto(), &in, CG_LIT("log"), CG_LIT(""), CG_LIT(""), CHEAP,
                              salt, nonce, &file));
    CHECK_OK(cg_keyfile_read(cg_buf_span(&file), &read));
    CHECK_OK(cg_keyfile_open(cg_test_crypto(), &read, CG_LIT(""), &got));
}

TEST(every_prefix_is_short_and_a_byte_more_is_too_much)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile read = {.cost = {77, 7, 7}};

    write_good(&file);
    for (size_t n = 0; n < file.len; n++)
        CHECK_ERR(cg_keyfile_read(cg_span_first(cg_buf_span(&file), n), &read), CG_SHORT);
    CHECK_OK(cg_buf_add(&file, CG_LIT("x")));
    CHECK_ERR(cg_keyfile_read(cg_buf_span(&file), &read), CG_EXTRA);
    CHECK_INT(read.cost.m_kib, 77);
}

/* Whatever bit of the file is changed, it is refused when it is read or does not open; costs that
 * would be computed are kept small by skipping the heads that hold them. */
TEST(no_altered_file_opens)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile_content got;

    write_good(&file);
    for (size_t bit = 0; bit < file.len * 8; bit++) {
        struct cg_keyfile read;

        file.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (cg_keyfile_read(cg_buf_span(&file), &read) == CG_OK && read.cost.m_kib < 64)
            CHECK_ERR(cg_keyfile_open(cg_test_crypto(), &read, CG_LIT("passphrase"), &got),
                      CG_MISMATCH);
        file.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* The head of a file: map(11), m, p, t, v; then the rest of a good one. */
static cg_err read_with_head(const struct cg_buf *good, const char *head)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile read;

    cg_buf_init(&file, CG_KEYFILE_MAX_BYTES + 64);
    CHECK_OK(cg_buf_add(&file, cg_unhex(head)));
    CHECK_OK(cg_buf_add(&file, cg_span_from(cg_buf_span(good), 13)));
    return cg_keyfile_read(cg_buf_span(&file), &read);
}

TEST(costs_over_the_maximum_are_refused_before_anything_is_computed)
{
    CG_AUTO(buf) struct cg_buf good = {0};

    write_good(&good);
    CHECK_ERR(read_with_head(&good, "ab616d08617001617401617601"), CG_OK);
    CHECK_ERR(read_with_head(&good, "ab616d1a00100000617001617401617601"), CG_OK);
    CHECK_ERR(read_with_head(&good, "ab616d1a00100001617001617401617601"), CG_TOO_LARGE);
    CHECK_ERR(read_with_head(&good, "ab616d1b0000000100000008617001617401617601"), CG_TOO_LARGE);
    CHECK_ERR(read_with_head(&good, "ab616d1a00100000617004617401617601"), CG_OK);
    CHECK_ERR(read_with_head(&good, "ab616d1a00100000617005617401617601"), CG_TOO_LARGE);
    CHECK_ERR(read_with_head(&good, "ab616d1a0010000061700161740a617601"), CG_OK);
    CHECK_ERR(read_with_head(&good, "ab616d1a0010000061700161740b617601"), CG_TOO_LARGE);
    CHECK_ERR(read_with_head(&good, "ab616d07617001617401617601"), CG_SCHEMA);
    CHECK_ERR(read_with_head(&good, "ab616d08617001617400617601"), CG_SCHEMA);
}

TEST(versions_and_forms_that_are_not_ours_are_refused)
{
    CG_AUTO(buf) struct cg_buf good = {0};

    write_good(&good);
    CHECK_ERR(read_with_head(&good, "ab616d08617001617401617602"), CG_VERSION);
    CHECK_ERR(read_with_head(&good, "aa616d08617001617401617601"), CG_SCHEMA);
    CHECK_ERR(read_with_head(&good, "bf616d08617001617401617601"), CG_CANONICAL);
    CHECK_ERR(read_with_head(&good, "ab616d1808617001617401617601"), CG_CANONICAL);
    CHECK_ERR(read_with_head(&good, "ab617001616d08617401617601"), CG_SCHEMA);
    CHECK_ERR(read_with_head(&good, "ab616d08616d08617401617601"), CG_SCHEMA);
}

TEST(names_that_are_too_long_are_not_written)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile_content in = content();
    static const char longest[] =
        "0123456789012345678901234567890123456789012345678901234567890123";

    cg_buf_init(&file, CG_KEYFILE_MAX_BYTES);
    struct cg_span role = cg_span_of(longest, CG_KEYFILE_ROLE_MAX_BYTES);
    struct cg_span hint = cg_span_of(longest, CG_KEYFILE_HINT_MAX_BYTES);
    CHECK_OK(cg_keyfile_write(cg_test_crypto(), &in, role, hint, CG_LIT("p"), CHEAP, salt, nonce,
                              &file));
    struct cg_keyfile read;
    CHECK_OK(cg_keyfile_read(cg_buf_span(&file), &read));
    CHECK_OK(cg_keyfile_open(cg_test_crypto(), &read, CG_LIT("p"), &in));
    size_t before = file.len;
    CHECK_ERR(cg_keyfile_write(cg_test_crypto(), &in, cg_span_of(longest, role.len + 1), hint,
                               CG_LIT("p"), CHEAP, salt, nonce, &file),
              CG_TOO_LARGE);
    CHECK_ERR(cg_keyfile_write(cg_test_crypto(), &in, role, cg_span_of(longest, sizeof longest),
                               CG_LIT("p"), CHEAP, salt, nonce, &file),
              CG_TOO_LARGE);
    CHECK_INT(file.len, before);
}

TEST(a_time_before_1970_is_not_written)
{
    CG_AUTO(buf) struct cg_buf file = {0};
    struct cg_keyfile_content in = content();

    cg_buf_init(&file, CG_KEYFILE_MAX_BYTES);
    in.created.s = -1;
    CHECK_ERR(cg_keyfile_write(cg_test_crypto(), &in, CG_LIT("log"), CG_LIT(""), CG_LIT("p"), CHEAP,
                               salt, nonce, &file),
              CG_SCHEMA);
    CHECK_INT(file.len, 0);
}

SUITE(keyfile, T(argon2id_gives_the_reference_answers), T(costs_are_bounded_on_both_sides),
      T(a_file_opens_with_its_passphrase_and_no_other), T(an_empty_passphrase_is_a_passphrase),
      T(every_prefix_is_short_and_a_byte_more_is_too_much), T(no_altered_file_opens),
      T(costs_over_the_maximum_are_refused_before_anything_is_computed),
      T(versions_and_forms_that_are_not_ours_are_refused),
      T(names_that_are_too_long_are_not_written), T(a_time_before_1970_is_not_written))
