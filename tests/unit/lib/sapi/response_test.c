#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/wire/writer.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include <httpcg/sapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *at(size_t i, const char *member)
{
    static char path[96];

    snprintf(path, sizeof path, "response:responses.%zu.%s", i, member);
    return path;
}

static struct cg_span text(size_t i, const char *member)
{
    return cg_span_str(cg_vector(at(i, member)));
}

static struct cg_span pair(size_t i, const char *list, size_t j, int which)
{
    char member[32];

    snprintf(member, sizeof member, "%s.%zu.%d", list, j, which);
    return text(i, member);
}

static uint64_t number(size_t i, const char *member)
{
    return strtoull(cg_vector(at(i, member)), NULL, 10);
}

struct reply {
    struct cg_hash tbs_hash;
    struct cg_span cookies[8];
    struct cg_response_fields fields;
    struct cg_response_parts parts;
};

static void reply_of(size_t i, struct reply *out)
{
    struct cg_span names[8], values[8];
    size_t n = cg_vector_count(at(i, "trailers"));
    enum cg_sapi_mode mode = CG_SAPI_NONE;
    char path[64];

    *out = (struct reply){.fields.set_cookies = out->cookies};
    for (size_t j = 0; j < cg_vector_count(at(i, "fields")); j++) {
        struct cg_span name = pair(i, "fields", j, 0), value = pair(i, "fields", j, 1);

        for (int f = 0; f < CG_RESPONSE_COVERED_COUNT; f++)
            if (cg_span_is(name, cg_response_covered_name((enum cg_response_covered)f)))
                out->fields.fields[f] = value;
        if (cg_span_is(name, "set-cookie"))
            out->cookies[out->fields.n_set_cookies++] = value;
    }
    for (size_t j = 0; j < n; j++) {
        names[j] = pair(i, "trailers", j, 0);
        values[j] = pair(i, "trailers", j, 1);
    }
    snprintf(path, sizeof path, "sapi:requests.%s.tbs", cg_vector(at(i, "request")));
    CHECK_OK(cg_sha256(cg_vector_hex(path), &out->tbs_hash));
    CHECK_OK(cg_sapi_mode_read(text(i, "alg"), &mode));
    out->parts = (struct cg_response_parts){
        .mode = mode,
        .tbs_hash = &out->tbs_hash,
        .timestamp = number(i, "timestamp"),
        .status = (uint16_t)number(i, "status"),
        .body_mode = (enum cg_body_mode)number(i, "body_mode"),
    };
    CHECK_OK(cg_sha256(text(i, "body"), &out->parts.content_digest));
    CHECK_OK(cg_response_fields_digest(cg_test_kit(), &out->fields, &out->parts.fields_digest));
    CHECK_OK(
        cg_response_trailers_digest(cg_test_kit(), names, values, n, &out->parts.trailers_digest));
}

static cg_err check(enum cg_sapi_mode mode, struct cg_span tbs, struct cg_span hex)
{
    static uint8_t raw[CG_BATCH_MAX_BYTES];
    struct cg_span signature = {raw, hex.len / 2}, bytes = cg_vector_hex("v1:grant.K_s2c");
    struct cg_secret key;

    memcpy(key.bytes, bytes.at, sizeof key.bytes);
    CHECK_OK(cg_hex_read(hex, raw, hex.len / 2));
    if (mode == CG_SAPI_GRANT)
        return cg_sapi_check_mac(cg_test_kit(), &key, tbs, signature);
    return cg_response_check_batch(cg_test_verifier(0x80), tbs, signature);
}

static struct cg_span tbs_of(const struct cg_response_parts *parts, uint8_t *room)
{
    size_t len = 0;

    CHECK_OK(cg_response_tbs(parts, room, &len));
    return cg_span_of(room, len);
}

TEST(builds_and_verifies_every_response_of_the_table)
{
    size_t n = cg_vector_count("response:responses");

    CHECK_INT(n, 15);
    for (size_t i = 0; i < n; i++) {
        uint8_t room[CG_RESPONSE_TBS_MAX_BYTES];
        struct cg_response response;
        struct reply reply;

        reply_of(i, &reply);
        struct cg_span tbs = tbs_of(&reply.parts, room);
        CHECK_SPAN(tbs, cg_vector_hex(at(i, "tbs")));
        CHECK_OK(cg_response_read(text(i, "sapi_response"), &response));
        CHECK(response.mode == reply.parts.mode && response.timestamp == reply.parts.timestamp);
        CHECK_OK(check(response.mode, tbs, response.signature));
        room[tbs.len - 1] ^= 1;
        CHECK(check(response.mode, tbs, response.signature) != CG_OK);
    }
}

TEST(writes_every_header_of_the_table)
{
    for (size_t i = 0; i < cg_vector_count("response:responses"); i++) {
        static uint8_t raw[CG_BATCH_MAX_BYTES];
        struct cg_span header = text(i, "sapi_response");
        struct cg_response response;

        CHECK_OK(cg_response_read(header, &response));
        size_t len = response.signature.len / 2;
        CHECK_OK(cg_hex_read(response.signature, raw, len));
        CHECK_INT(cg_response_chars(&response, len), header.len);
        char *out = malloc(header.len);
        cg_response_write(&response, cg_span_of(raw, len), out);
        CHECK_SPAN(cg_span_of(out, header.len), header);
        free(out);
    }
}

TEST(signs_the_response_of_v1)
{
    uint8_t room[CG_RESPONSE_TBS_MAX_BYTES];
    struct reply reply;

    reply_of(0, &reply);
    CHECK_SPAN(tbs_of(&reply.parts, room), cg_vector_hex("v1:sapi.response_tbs"));
    CHECK_OK(check(CG_SAPI_GRANT, tbs_of(&reply.parts, room),
                   CG_LIT("9963d1242a1ddc28b421cc8c5ae0c63e833b5fc34958b15d1a0e5ec35a2ee038")));
}

#define SPOILT(i, change)                                                                          \
    do {                                                                                           \
        uint8_t room[CG_RESPONSE_TBS_MAX_BYTES];                                                   \
        struct cg_response response;                                                               \
        struct reply r;                                                                            \
        reply_of(i, &r);                                                                           \
        CHECK_OK(cg_response_read(text(i, "sapi_response"), &response));                           \
        CHECK_OK(check(response.mode, tbs_of(&r.parts, room), response.signature));                \
        change;                                                                                    \
        CHECK_OK(cg_response_fields_digest(cg_test_kit(), &r.fields, &r.parts.fields_digest));     \
        CHECK_ERR(check(response.mode, tbs_of(&r.parts, room), response.signature), CG_SIGNATURE); \
    } while (0)

TEST(a_signature_fits_nothing_but_what_was_signed)
{
    SPOILT(0, r.parts.mode = CG_SAPI_HYBRID);
    SPOILT(0, r.tbs_hash.bytes[0] ^= 1);
    SPOILT(0, r.parts.timestamp++);
    SPOILT(0, r.parts.status = 201);
    SPOILT(0, r.parts.body_mode = CG_BODY_NONE);
    SPOILT(0, r.parts.body_mode = CG_BODY_TRAILER);
    SPOILT(0, r.parts.content_digest.bytes[31] ^= 1);
    SPOILT(0, r.fields.fields[CG_RESPONSE_CONTENT_TYPE] = CG_LIT("text/html"));
    SPOILT(0, r.fields.fields[CG_RESPONSE_LOCATION] = CG_LIT(""));
    SPOILT(5, r.fields.n_set_cookies = 0);
    SPOILT(6, r.fields.n_set_cookies = 1);
    SPOILT(6, r.cookies[1] = r.cookies[0]);
    SPOILT(7, r.parts.trailers_digest.bytes[0] ^= 1);
    SPOILT(7, r.parts.body_mode = CG_BODY_DIGEST);
}

TEST(several_cookies_are_not_one_that_looks_like_them)
{
    struct cg_span two[] = {CG_LIT("a=1"), CG_LIT("b=2")}, one[] = {CG_LIT("a=1, b=2")};
    struct cg_response_fields fields = {.set_cookies = two, .n_set_cookies = 2};
    struct cg_hash first, second;

    CHECK_OK(cg_response_fields_digest(cg_test_kit(), &fields, &first));
    fields = (struct cg_response_fields){.set_cookies = one, .n_set_cookies = 1};
    CHECK_OK(cg_response_fields_digest(cg_test_kit(), &fields, &second));
    CHECK(!cg_hash_eq(&first, &second));
}

TEST(a_batch_signature_is_for_its_own_place_only)
{
    uint8_t room[CG_RESPONSE_TBS_MAX_BYTES];
    struct cg_response response;
    struct reply reply;

    /* 12, 13 and 14 share one batch. */
    reply_of(12, &reply);
    CHECK_OK(cg_response_read(text(13, "sapi_response"), &response));
    CHECK(check(CG_SAPI_HYBRID, tbs_of(&reply.parts, room), response.signature) != CG_OK);
}

#define NONCE "5c783953cc69ab570000000000000001"
#define TAG "68d3f2efe5ecc174c701d202bab5febf07443e9b2b5e9616e4aaa3cd7d15bfd2"
#define HEADER(a, t, n, s)                                                                         \
    "{\"alg\":\"" a "\",\"timestamp\":" t ",\"nonce\":\"" n "\",\"signature\":\"" s "\"}"

TEST(refuses_headers_that_are_malformed)
{
    static const struct {
        const char *text;
        cg_err err;
    } bad[] = {
        {"", CG_SHORT},
        {HEADER("grant", "1", NONCE, TAG) " ", CG_EXTRA},
        {HEADER("ed25519", "1", NONCE, TAG TAG), CG_UNKNOWN},
        {HEADER("none", "1", NONCE, TAG), CG_UNKNOWN},
        {HEADER("grant", "01", NONCE, TAG), CG_CANONICAL},
        {HEADER("grant", "1", "5c", TAG), CG_SHORT},
        {HEADER("grant", "1", NONCE, TAG "00"), CG_EXTRA},
        {HEADER("grant", "1", NONCE, ""), CG_SHORT},
        {HEADER("hybrid", "1", NONCE, ""), CG_SHORT},
        {HEADER("hybrid", "1", NONCE, "abc"), CG_EXTRA},
        {HEADER("hybrid", "1", NONCE, "AB"), CG_SYNTAX},
        {"{\"alg\":\"grant\",\"timestamp\":1,\"nonce\":\"" NONCE "\"}", CG_SCHEMA},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_response response = {.timestamp = 77};

        if (!CHECK_ERR(cg_response_read(cg_span_str(bad[i].text), &response), bad[i].err))
            CHECK_SPAN(CG_LIT("row"), cg_span_str(bad[i].text));
        CHECK(response.timestamp == 77);
    }
}

TEST(a_batch_signature_is_as_long_as_one_can_be_and_no_longer)
{
    static char room[CG_SAPI_RESPONSE_MAX_BYTES];
    static const size_t lens[] = {2, 2 * CG_BATCH_MAX_BYTES, 2 * CG_BATCH_MAX_BYTES + 2,
                                  2 * CG_BATCH_MAX_BYTES - 1, 0};
    static const cg_err want[] = {CG_OK, CG_OK, CG_EXTRA, CG_EXTRA, CG_SHORT};

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct cg_writer w = cg_writer_fixed(room, sizeof room);
        struct cg_response response = {.timestamp = 77};

        cg_put_str(&w, "{\"alg\":\"hybrid\",\"timestamp\":1,\"nonce\":"
                       "\"5c783953cc69ab570000000000000001\",\"signature\":\"");
        memset(cg_put_room(&w, lens[i]), 'a', lens[i]);
        cg_put_str(&w, "\"}");
        CHECK_OK(cg_writer_end(&w));
        CHECK_ERR(cg_response_read(cg_writer_span(&w), &response), want[i]);
        CHECK(response.timestamp == (want[i] == CG_OK ? 1 : 77));
    }
}

TEST(refuses_every_prefix_of_a_header_and_what_is_over_the_limit)
{
    static char room[CG_SAPI_RESPONSE_MAX_BYTES + 1];
    struct cg_span header = text(0, "sapi_response");
    struct cg_response response;

    for (size_t n = 0; n < header.len; n++)
        CHECK_ERR(cg_response_read(cg_span_first(header, n), &response), CG_SHORT);
    struct cg_span rest = cg_span_from(header, 1);
    CHECK_OR_STOP(rest.len > 0 && rest.len < sizeof room);
    memset(room, ' ', sizeof room);
    room[0] = '{';
    memcpy(room + sizeof room - 1 - rest.len, rest.at, rest.len);
    CHECK_OK(cg_response_read(cg_span_of(room, sizeof room - 1), &response));
    memcpy(room + sizeof room - rest.len, rest.at, rest.len);
    CHECK_ERR(cg_response_read(cg_span_of(room, sizeof room), &response), CG_TOO_LARGE);
}

SUITE(response, T(builds_and_verifies_every_response_of_the_table),
      T(writes_every_header_of_the_table), T(signs_the_response_of_v1),
      T(a_signature_fits_nothing_but_what_was_signed),
      T(several_cookies_are_not_one_that_looks_like_them),
      T(a_batch_signature_is_for_its_own_place_only), T(refuses_headers_that_are_malformed),
      T(a_batch_signature_is_as_long_as_one_can_be_and_no_longer),
      T(refuses_every_prefix_of_a_header_and_what_is_over_the_limit))
