#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include <httpcg/qlock.h>
#include <stdio.h>
#include <string.h>

static const char *at(const char *list, size_t i, const char *member)
{
    static char path[96];

    snprintf(path, sizeof path, "qlock:%s.%zu.%s", list, i, member);
    return path;
}

static struct cg_url lock_url(size_t i)
{
    struct cg_url url = {0};

    CHECK_OK(cg_plane_read(cg_span_str(cg_vector(at("locks", i, "plane"))), &url.plane));
    url.authority = cg_span_str(cg_vector(at("locks", i, "authority")));
    url.path = cg_span_str(cg_vector(at("locks", i, "path")));
    return url;
}

static struct cg_hash orders(struct cg_kit *kit)
{
    struct cg_url url = {CG_PLANE_APP, CG_LIT("app.example.com"), CG_LIT("/api/orders"),
                         CG_LIT("?limit=10"), CG_LIT("")};
    struct cg_hash route;

    CHECK_OK(cg_route_of(kit, &url, &route));
    return route;
}

TEST(derives_what_v1_says)
{
    struct cg_kit *kit = cg_test_kit();
    struct cg_channel channel;
    struct cg_hash hash;

    cg_test_channel(0, &channel);
    CHECK_SPAN(CG_BYTES(channel.prk.bytes), cg_vector_hex("v1:qlock.prk"));
    CHECK_SPAN(cg_hash_span(&channel.cb), cg_vector_hex("v1:qlock.cb"));
    CHECK_SPAN(cg_span_str(channel.session_id), cg_span_str(cg_vector("v1:qlock.session_id")));
    struct cg_hash route = orders(kit);
    CHECK_SPAN(cg_hash_span(&route), cg_vector_hex("v1:qlock.route_fingerprint"));
    CHECK_OK(cg_qlock_hash(kit, &channel, &route, CG_TEST_EPOCH, &hash));
    CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex("v1:qlock.qlock_hash"));

    struct cg_hash grant = cg_test_hash("v1:grant.grant_hash");
    struct cg_secret gk, c2s, s2c, conf;
    CHECK_OK(cg_grant_key(kit, &channel, &grant, &gk));
    CHECK_SPAN(CG_BYTES(gk.bytes), cg_vector_hex("v1:grant.GK"));
    CHECK_OK(cg_epoch_keys(kit, &gk, CG_TEST_EPOCH, &c2s, &s2c));
    CHECK_SPAN(CG_BYTES(c2s.bytes), cg_vector_hex("v1:grant.K_c2s"));
    CHECK_SPAN(CG_BYTES(s2c.bytes), cg_vector_hex("v1:grant.K_s2c"));
    CHECK_OK(cg_confirm_key(kit, &gk, &conf));
    CHECK_SPAN(CG_BYTES(conf.bytes), cg_vector_hex("v1:grant.K_conf"));
}

TEST(derives_every_channel_of_the_table)
{
    CHECK(cg_vector_count("qlock:channels") == 6);
    for (size_t i = 0; i < cg_vector_count("qlock:channels"); i++) {
        struct cg_channel channel;

        cg_test_channel(i, &channel);
        CHECK_SPAN(CG_BYTES(channel.prk.bytes), cg_vector_hex(at("channels", i, "prk")));
        CHECK_SPAN(cg_hash_span(&channel.cb), cg_vector_hex(at("channels", i, "cb")));
        CHECK_SPAN(cg_span_str(channel.session_id),
                   cg_span_str(cg_vector(at("channels", i, "session_id"))));
    }
}

TEST(names_every_session_by_a_uuid_of_version_8)
{
    struct cg_hash zero = {{0}};

    for (int i = 0; i < 64; i++) {
        struct cg_secret exporter = {{(uint8_t)i}};
        struct cg_channel channel;

        CHECK_OK(cg_channel_init(cg_test_kit(), &exporter, &zero, &zero, &channel));
        CHECK(strlen(channel.session_id) == CG_SESSION_ID_CHARS);
        CHECK(channel.session_id[14] == '8');
        CHECK(strchr("89ab", channel.session_id[19]) != NULL);
    }
}

TEST(derives_and_checks_every_lock_of_the_table)
{
    struct cg_kit *kit = cg_test_kit();
    struct cg_channel channel;

    cg_test_channel(0, &channel);
    CHECK(cg_vector_count("qlock:locks") == 9);
    for (size_t i = 0; i < cg_vector_count("qlock:locks"); i++) {
        struct cg_url url = lock_url(i);
        struct cg_span header = cg_span_str(cg_vector(at("locks", i, "header")));
        struct cg_hash route, hash;
        struct cg_qlock qlock;
        char text[CG_QLOCK_MAX_CHARS];

        CHECK_OK(cg_route_of(kit, &url, &route));
        CHECK_SPAN(cg_hash_span(&route), cg_vector_hex(at("locks", i, "route")));
        CHECK_OK(cg_qlock_read(header, &qlock));
        CHECK_OK(cg_qlock_hash(kit, &channel, &route, qlock.minute_epoch, &hash));
        CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex(at("locks", i, "qlock_hash")));
        CHECK_OK(cg_qlock_check(kit, &channel, &route, &qlock));
        CHECK_SPAN(cg_span_of(text, cg_qlock_write(&qlock, text)), header);
    }
}

/* A good header and its channel and route, to be spoilt. */
static struct cg_qlock good_lock(struct cg_channel *channel, struct cg_hash *route)
{
    struct cg_qlock qlock;

    cg_test_channel(0, channel);
    *route = orders(cg_test_kit());
    CHECK_OK(cg_qlock_read(cg_span_str(cg_vector("v1:qlock.header")), &qlock));
    return qlock;
}

TEST(refuses_a_lock_of_another_connection_key_or_certificate)
{
    struct cg_channel channel, other;
    struct cg_hash route;
    struct cg_qlock qlock = good_lock(&channel, &route);

    CHECK_OK(cg_qlock_check(cg_test_kit(), &channel, &route, &qlock));
    for (size_t i = 1; i < cg_vector_count("qlock:channels"); i++) {
        cg_test_channel(i, &other);
        CHECK_ERR(cg_qlock_check(cg_test_kit(), &other, &route, &qlock), CG_BINDING);
        /* Nor when the name of that session is borrowed. */
        memcpy(other.session_id, channel.session_id, sizeof other.session_id);
        CHECK_ERR(cg_qlock_check(cg_test_kit(), &other, &route, &qlock), CG_BINDING);
    }
}

TEST(refuses_a_lock_with_any_bit_of_its_inputs_changed)
{
    struct cg_kit *kit = cg_test_kit();
    struct cg_channel channel;
    struct cg_hash route;
    const struct cg_qlock good = good_lock(&channel, &route);

    for (int bit = 0; bit < 256; bit += 5) {
        struct cg_qlock qlock = good;
        struct cg_channel spoilt = channel;
        uint8_t flip = (uint8_t)(1 << bit % 8);

        qlock.hash.bytes[bit / 8] ^= flip;
        CHECK_ERR(cg_qlock_check(kit, &channel, &route, &qlock), CG_BINDING);
        spoilt.spki.bytes[bit / 8] ^= flip;
        CHECK_ERR(cg_qlock_check(kit, &spoilt, &route, &good), CG_BINDING);
        spoilt = channel;
        spoilt.fingerprint.bytes[bit / 8] ^= flip;
        CHECK_ERR(cg_qlock_check(kit, &spoilt, &route, &good), CG_BINDING);
        spoilt = channel;
        spoilt.prk.bytes[bit / 8] ^= flip;
        CHECK_ERR(cg_qlock_check(kit, &spoilt, &route, &good), CG_BINDING);
    }
    for (int bit = 0; bit < 64; bit++) {
        struct cg_qlock qlock = good;

        qlock.minute_epoch ^= UINT64_C(1) << bit;
        CHECK_ERR(cg_qlock_check(kit, &channel, &route, &qlock), CG_BINDING);
    }
    struct cg_qlock qlock = good;
    qlock.session_id[35] ^= 1;
    CHECK_ERR(cg_qlock_check(kit, &channel, &route, &qlock), CG_BINDING);
}

TEST(refuses_a_lock_of_another_plane_authority_or_path)
{
    static const struct cg_url others[] = {
        {CG_PLANE_BPI, CG_LIT("app.example.com"), CG_LIT("/api/orders"), {0}, {0}},
        {CG_PLANE_APP, CG_LIT("app.example.con"), CG_LIT("/api/orders"), {0}, {0}},
        {CG_PLANE_APP, CG_LIT("app.example.com"), CG_LIT("/api/orderr"), {0}, {0}},
        {CG_PLANE_APP, CG_LIT("app.example.com"), CG_LIT("/api/orders/"), {0}, {0}},
        {CG_PLANE_APP, CG_LIT("app.example.com/api"), CG_LIT("/orders"), {0}, {0}},
    };
    struct cg_channel channel;
    struct cg_hash route;
    struct cg_qlock qlock = good_lock(&channel, &route);

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        CHECK_OK(cg_route_of(cg_test_kit(), &others[i], &route));
        CHECK_ERR(cg_qlock_check(cg_test_kit(), &channel, &route, &qlock), CG_BINDING);
    }
}

#define ID "0f0d13b8-a56f-861f-a8d3-85f9ef52c3d2"
#define HASH "a54e6023e91786b13c49274fe053265721cea5e10a54467c65eb9426b0f8cd60"
#define LOCK(id, epoch, hash)                                                                      \
    "{\"session_id\":" id ",\"minute_epoch\":" epoch ",\"qlock_hash\":" hash "}"

TEST(takes_any_order_of_members_and_spaces_between_them)
{
    static const char *const good[] = {
        "{ \"qlock_hash\" : \"" HASH "\" , \"minute_epoch\":0,\"session_id\":\"" ID "\" }",
        LOCK("\"" ID "\"", "9007199254740991", "\"" HASH "\""),
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct cg_qlock qlock;

        CHECK_OK(cg_qlock_read(cg_span_str(good[i]), &qlock));
        CHECK_SPAN(cg_span_str(qlock.session_id), CG_LIT(ID));
    }
}

TEST(refuses_headers_that_are_malformed)
{
    static const struct {
        const char *text;
        cg_err err;
    } bad[] = {
        {"", CG_SHORT},
        {" " LOCK("\"" ID "\"", "1", "\"" HASH "\""), CG_SYNTAX},
        {LOCK("\"" ID "\"", "1", "\"" HASH "\"") " ", CG_EXTRA},
        {LOCK("\"" ID "\"", "1", "\"" HASH "\"") ",{}", CG_EXTRA},
        {LOCK("\"" ID "\"", "1.0", "\"" HASH "\""), CG_SYNTAX},
        {LOCK("\"" ID "\"", "1e3", "\"" HASH "\""), CG_SYNTAX},
        {LOCK("\"" ID "\"", "-1", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"" ID "\"", "+1", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"" ID "\"", "01", "\"" HASH "\""), CG_CANONICAL},
        {LOCK("\"" ID "\"", "\"1\"", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"" ID "\"", "null", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"" ID "\"", "9007199254740992", "\"" HASH "\""), CG_TOO_LARGE},
        {LOCK("\"" ID "\"", "18446744073709551615", "\"" HASH "\""), CG_TOO_LARGE},
        {LOCK("\"" ID "\"", "1,\"minute_epoch\":1", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"" ID "\"", "1,\"x\":1", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"0F0D13B8-A56F-861F-A8D3-85F9EF52C3D2\"", "1", "\"" HASH "\""), CG_SYNTAX},
        {LOCK("\"0f0d13b8-a56f-861f-a8d3-85f9ef52c3d\"", "1", "\"" HASH "\""), CG_SHORT},
        {LOCK("\"" ID "0\"", "1", "\"" HASH "\""), CG_EXTRA},
        {LOCK("\"0f0d13b8a-56f-861f-a8d3-85f9ef52c3d2\"", "1", "\"" HASH "\""), CG_SYNTAX},
        {LOCK("1", "1", "\"" HASH "\""), CG_SCHEMA},
        {LOCK("\"" ID "\"", "1",
              "\"A54e6023e91786b13c49274fe053265721cea5e10a54467c65eb9426b0f8cd60\""),
         CG_SYNTAX},
        {LOCK("\"" ID "\"", "1",
              "\"a54e6023e91786b13c49274fe053265721cea5e10a54467c65eb9426b0f8cd6\""),
         CG_SHORT},
        {LOCK("\"" ID "\"", "1", "\"" HASH "00\""), CG_EXTRA},
        {LOCK("\"" ID "\"", "1", "\"\\u0061" HASH "\""), CG_SYNTAX},
        {"{\"session_id\":\"" ID "\",\"minute_epoch\":1}", CG_SCHEMA},
        {"[" LOCK("\"" ID "\"", "1", "\"" HASH "\"") "]", CG_SYNTAX},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_qlock qlock = {.minute_epoch = 77};

        if (!CHECK_ERR(cg_qlock_read(cg_span_str(bad[i].text), &qlock), bad[i].err))
            CHECK_SPAN(CG_LIT("row"), cg_span_str(bad[i].text));
        CHECK(qlock.minute_epoch == 77);
    }
}

TEST(refuses_every_prefix_of_a_header)
{
    struct cg_span header = cg_span_str(cg_vector("v1:qlock.header"));

    for (size_t n = 0; n < header.len; n++) {
        struct cg_qlock qlock = {.minute_epoch = 77};

        CHECK_ERR(cg_qlock_read(cg_span_first(header, n), &qlock), CG_SHORT);
        CHECK(qlock.minute_epoch == 77);
    }
}

TEST(takes_512_bytes_of_header_and_no_more)
{
    char text[600];
    struct cg_qlock qlock;
    int n = snprintf(text, sizeof text,
                     "{%*s\"session_id\":\"" ID "\",\"minute_epoch\":1,"
                     "\"qlock_hash\":\"" HASH "\"}",
                     CG_QLOCK_MAX_BYTES - 150, "");

    CHECK_INT(n, CG_QLOCK_MAX_BYTES);
    CHECK_OK(cg_qlock_read(cg_span_of(text, (size_t)n), &qlock));
    memmove(text + 2, text + 1, (size_t)n - 1);
    CHECK_ERR(cg_qlock_read(cg_span_of(text, (size_t)n + 1), &qlock), CG_TOO_LARGE);
}

SUITE(qlock, T(derives_what_v1_says), T(derives_every_channel_of_the_table),
      T(names_every_session_by_a_uuid_of_version_8), T(derives_and_checks_every_lock_of_the_table),
      T(refuses_a_lock_of_another_connection_key_or_certificate),
      T(refuses_a_lock_with_any_bit_of_its_inputs_changed),
      T(refuses_a_lock_of_another_plane_authority_or_path),
      T(takes_any_order_of_members_and_spaces_between_them), T(refuses_headers_that_are_malformed),
      T(refuses_every_prefix_of_a_header), T(takes_512_bytes_of_header_and_no_more))
