#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/leaf.h"

#include <string.h>

static const struct cg_span names[] = {
    {(const uint8_t *)"gw1.example.com", 15},
    {(const uint8_t *)"localhost", 9},
    {(const uint8_t *)"127.0.0.1", 9},
    {(const uint8_t *)"::1", 3},
};

static struct cg_leaf_ask ask(void)
{
    return (struct cg_leaf_ask){
        .names = names,
        .n_names = 4,
        .not_before = {1795366003},
        .not_after = {1795366003 + 86400},
        .seed = cg_test_seed(1),
        .serial = {0xff, 1},
    };
}

/* The DER inside a PEM text. */
static struct cg_span der_of(const struct cg_buf *pem, uint8_t *out, size_t room)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    char text[4096];
    size_t n = 0, len = 0;

    for (size_t i = sizeof begin - 1; i < pem->len && pem->at[i] != '-'; i++)
        if (pem->at[i] != '\n' && n < sizeof text)
            text[n++] = (char)pem->at[i];
    CHECK_OK(cg_base64_read(CG_BASE64, cg_span_of(text, n), out, room, &len));
    return cg_span_of(out, len);
}

static bool holds(struct cg_span bytes, struct cg_span part)
{
    return memmem(bytes.at, bytes.len, part.at, part.len) != NULL;
}

TEST(certificate_and_key_belong_together_and_name_what_was_asked)
{
    CG_AUTO(buf) struct cg_buf cert = {0}, key = {0};
    struct cg_leaf_ask a = ask();
    struct cg_hash of_cert, of_key, of_der;
    uint8_t room[4096];

    cg_buf_init(&cert, CG_LEAF_MAX_BYTES);
    cg_buf_init(&key, CG_LEAF_MAX_BYTES);
    CHECK_OK(cg_leaf_issue(&a, &cert, &key));
    CHECK_OK(cg_leaf_spki(cg_buf_span(&cert), &of_cert));
    CHECK_OK(cg_leaf_key_spki(cg_buf_span(&key), &of_key));
    CHECK_SPAN(cg_hash_span(&of_cert), cg_hash_span(&of_key));

    struct cg_span der = der_of(&cert, room, sizeof room);
    CHECK_OK(cg_leaf_spki_der(der, &of_der));
    CHECK_SPAN(cg_hash_span(&of_der), cg_hash_span(&of_cert));
    CHECK(holds(der, CG_LIT("\x82\x0fgw1.example.com")));
    CHECK(holds(der, CG_LIT("\x82\x09localhost")));
    CHECK(holds(der, CG_LIT("\x87\x04\x7f\x00\x00\x01")));
    CHECK(holds(der, cg_unhex("871000000000000000000000000000000001")));
    CHECK(holds(der, CG_LIT("261122164643Z"))); /* 2026-11-22T16:46:43Z */
    CHECK(holds(der, CG_LIT("261123164643Z")));
    CHECK(holds(der, cg_unhex("02107f01000000000000"))); /* a positive serial number */
    for (size_t n = 0; n < der.len; n++)
        CHECK_ERR(cg_leaf_spki_der(cg_span_first(der, n), &of_der), CG_SYNTAX);
    room[der.len] = 0;
    CHECK_ERR(cg_leaf_spki_der(cg_span_of(room, der.len + 1), &of_der), CG_EXTRA);
}

TEST(the_same_seed_gives_the_same_certificate_and_another_another_key)
{
    CG_AUTO(buf) struct cg_buf a = {0}, b = {0}, c = {0}, key = {0};
    struct cg_leaf_ask in = ask();
    struct cg_hash first, second;

    cg_buf_init(&a, CG_LEAF_MAX_BYTES);
    cg_buf_init(&b, CG_LEAF_MAX_BYTES);
    cg_buf_init(&c, CG_LEAF_MAX_BYTES);
    cg_buf_init(&key, CG_LEAF_MAX_BYTES);
    CHECK_OK(cg_leaf_issue(&in, &a, &key));
    CHECK_OK(cg_leaf_issue(&in, &b, &key));
    CHECK_SPAN(cg_buf_span(&a), cg_buf_span(&b));
    in.seed.bytes[31] ^= 1;
    CHECK_OK(cg_leaf_issue(&in, &c, &key));
    CHECK_OK(cg_leaf_spki(cg_buf_span(&a), &first));
    CHECK_OK(cg_leaf_spki(cg_buf_span(&c), &second));
    CHECK(!cg_hash_eq(&first, &second));
}

static cg_err issue_named(const char *name)
{
    CG_AUTO(buf) struct cg_buf cert = {0}, key = {0};
    struct cg_leaf_ask in = ask();
    struct cg_span one = cg_span_str(name);

    cg_buf_init(&cert, CG_LEAF_MAX_BYTES);
    cg_buf_init(&key, CG_LEAF_MAX_BYTES);
    in.names = &one;
    in.n_names = 1;
    return cg_leaf_issue(&in, &cert, &key);
}

TEST(what_is_no_name_is_refused)
{
    static const char label63[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example";
    static const char label64[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example";
    const char *const bad[] = {"",        "a..b",  ".a",  "a.",      "-a.b",  "a-.b",    "a b",
                               "*.a.com", "A.com", "a_b", "::ffff:", label64, "a\nb.com"};

    CHECK_OK(issue_named("a"));
    CHECK_OK(issue_named("a-b.c1.example"));
    CHECK_OK(issue_named(label63));
    char longest[256];
    memset(longest, 'a', sizeof longest);
    longest[63] = longest[127] = longest[191] = '.';
    longest[253] = '\0';
    CHECK_OK(issue_named(longest));
    longest[253] = 'a';
    longest[254] = '\0';
    CHECK_ERR(issue_named(longest), CG_SCHEMA);
    CHECK_OK(issue_named("::ffff:10.0.0.1"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERR(issue_named(bad[i]), CG_SCHEMA);
}

TEST(counts_of_names_are_bounded)
{
    CG_AUTO(buf) struct cg_buf cert = {0}, key = {0};
    struct cg_leaf_ask in = ask();
    struct cg_span many[17];

    for (size_t i = 0; i < 17; i++)
        many[i] = names[0];
    cg_buf_init(&cert, CG_LEAF_MAX_BYTES);
    cg_buf_init(&key, CG_LEAF_MAX_BYTES);
    in.names = many;
    in.n_names = 0;
    CHECK_ERR(cg_leaf_issue(&in, &cert, &key), CG_SCHEMA);
    in.n_names = 17;
    CHECK_ERR(cg_leaf_issue(&in, &cert, &key), CG_SCHEMA);
    CHECK_INT(cert.len + key.len, 0);
    in.n_names = 16;
    CHECK_OK(cg_leaf_issue(&in, &cert, &key));
}

/* RFC 5280, 4.1.2.5: two digits for the year until 2049, four from then on. */
TEST(times_are_written_as_the_calendar_has_them)
{
    const struct {
        int64_t s;
        const char *text;
    } known[] = {
        {0, "\x17\x0d"
            "700101000000Z"},
        {951782399, "\x17\x0d"
                    "000228235959Z"},
        {951782400, "\x17\x0d"
                    "000229000000Z"},
        {951868800, "\x17\x0d"
                    "000301000000Z"},
        {1798761599, "\x17\x0d"
                     "261231235959Z"},
        {2524607999, "\x17\x0d"
                     "491231235959Z"},
        {2524608000, "\x18\x0f"
                     "20500101000000Z"},
        {4107542399, "\x18\x0f"
                     "21000228235959Z"},
        {4107542400, "\x18\x0f"
                     "21000301000000Z"},
        {253402300799, "\x18\x0f"
                       "99991231235959Z"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        CG_AUTO(buf) struct cg_buf cert = {0}, key = {0};
        struct cg_leaf_ask in = ask();
        uint8_t room[4096];

        cg_buf_init(&cert, CG_LEAF_MAX_BYTES);
        cg_buf_init(&key, CG_LEAF_MAX_BYTES);
        in.not_before.s = 0;
        in.not_after.s = known[i].s;
        CHECK_OK(cg_leaf_issue(&in, &cert, &key));
        CHECK(holds(der_of(&cert, room, sizeof room), cg_span_str(known[i].text)));
    }
}

TEST(times_that_are_none_are_refused)
{
    CG_AUTO(buf) struct cg_buf cert = {0}, key = {0};
    struct cg_leaf_ask in = ask();

    cg_buf_init(&cert, CG_LEAF_MAX_BYTES);
    cg_buf_init(&key, CG_LEAF_MAX_BYTES);
    in.not_before.s = -1;
    CHECK_ERR(cg_leaf_issue(&in, &cert, &key), CG_SCHEMA);
    in.not_before.s = in.not_after.s + 1;
    CHECK_ERR(cg_leaf_issue(&in, &cert, &key), CG_SCHEMA);
    in.not_before.s = 0;
    in.not_after.s = INT64_C(253402300800);
    CHECK_ERR(cg_leaf_issue(&in, &cert, &key), CG_SCHEMA);
}

TEST(a_buffer_that_is_too_small_gets_nothing)
{
    CG_AUTO(buf) struct cg_buf cert = {0}, key = {0};
    struct cg_leaf_ask in = ask();

    cg_buf_init(&cert, CG_LEAF_MAX_BYTES);
    cg_buf_init(&key, 100);
    CHECK_ERR(cg_leaf_issue(&in, &cert, &key), CG_TOO_LARGE);
    CHECK_INT(cert.len, 0);
    CHECK_INT(key.len, 0);
}

TEST(text_without_a_certificate_or_key_is_malformed)
{
    struct cg_hash out;

    CHECK_ERR(cg_leaf_spki(CG_LIT(""), &out), CG_SYNTAX);
    CHECK_ERR(cg_leaf_spki(CG_LIT("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"),
                           &out),
              CG_SYNTAX);
    CHECK_ERR(cg_leaf_key_spki(CG_LIT("nothing"), &out), CG_SYNTAX);
}

SUITE(leaf, T(certificate_and_key_belong_together_and_name_what_was_asked),
      T(the_same_seed_gives_the_same_certificate_and_another_another_key),
      T(what_is_no_name_is_refused), T(counts_of_names_are_bounded),
      T(times_are_written_as_the_calendar_has_them), T(times_that_are_none_are_refused),
      T(a_buffer_that_is_too_small_gets_nothing), T(text_without_a_certificate_or_key_is_malformed))
