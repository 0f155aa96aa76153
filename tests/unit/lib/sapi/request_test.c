#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include <httpcg/sapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *at(const char *list, size_t i, const char *member)
{
    static char path[96];

    snprintf(path, sizeof path, "sapi:%s.%zu.%s", list, i, member);
    return path;
}

static struct cg_span text(const char *list, size_t i, const char *member)
{
    return cg_span_str(cg_vector(at(list, i, member)));
}

/* The covered fields of a row. */
static void fields_of(const char *list, size_t i, struct cg_span out[CG_COVERED_COUNT])
{
    size_t n = cg_vector_count(at(list, i, "fields"));

    memset(out, 0, CG_COVERED_COUNT * sizeof out[0]);
    for (size_t j = 0; j < n; j++) {
        char member[32];

        snprintf(member, sizeof member, "fields.%zu.0", j);
        struct cg_span name = text(list, i, member);
        snprintf(member, sizeof member, "fields.%zu.1", j);
        for (int f = 0; f < CG_COVERED_COUNT; f++)
            if (cg_span_is(name, cg_covered_name((enum cg_covered)f)))
                out[f] = text(list, i, member);
    }
}

/* A row's parts, and what they point at. */
struct request {
    struct cg_sapi sapi;
    struct cg_qlock qlock;
    struct cg_url url;
    struct cg_hash fingerprint;
    struct cg_sapi_parts parts;
    uint8_t room[512];
};

static void request_of(size_t i, struct request *out)
{
    struct cg_span fields[CG_COVERED_COUNT], url = text("requests", i, "url");
    struct cg_channel channel;

    cg_test_channel(0, &channel);
    out->fingerprint = channel.fingerprint;
    CHECK_OK(cg_sapi_read(text("requests", i, "sapi"), NULL, &out->sapi));
    CHECK_OK(cg_qlock_read(text("requests", i, "qlock"), &out->qlock));
    CHECK_OK(cg_url_read(url, out->room, &out->url, NULL));
    fields_of("requests", i, fields);
    out->parts = (struct cg_sapi_parts){
        .sapi = &out->sapi,
        .qlock = &out->qlock,
        .fingerprint = &out->fingerprint,
        .method = text("requests", i, "method"),
        .url = &out->url,
        .body_mode = (enum cg_body_mode)(text("requests", i, "body_mode").at[0] - '0'),
    };
    CHECK_OK(cg_sapi_fields_digest(cg_test_kit(), fields, &out->parts.fields_digest));
    CHECK_OK(cg_sha256(text("requests", i, "body"), &out->parts.content_digest));
}

static struct cg_span tbs_of(const struct cg_sapi_parts *parts, uint8_t *room)
{
    CHECK_OK(cg_sapi_tbs(parts, room));
    return cg_span_of(room, cg_sapi_tbs_bytes(parts));
}

static struct cg_secret key_c2s(void)
{
    struct cg_secret key;
    struct cg_span bytes = cg_vector_hex("v1:grant.K_c2s");

    memcpy(key.bytes, bytes.at, sizeof key.bytes);
    return key;
}

/* Verifies with the keys of the vectors. */
static cg_err check(enum cg_sapi_mode mode, struct cg_span tbs, struct cg_span hex)
{
    static uint8_t raw[CG_HSIG_BYTES];
    struct cg_span signature = {raw, hex.len / 2};
    struct cg_secret key = key_c2s();

    CHECK_OK(cg_hex_read(hex, raw, hex.len / 2));
    if (mode == CG_SAPI_GRANT)
        return cg_sapi_check_mac(cg_test_kit(), &key, tbs, signature);
    if (mode == CG_SAPI_ED25519)
        return cg_sapi_check_session(
            cg_test_crypto(), cg_signer_public(cg_test_signer(0xc0))->ed25519, tbs, signature);
    return cg_sapi_check_hybrid(cg_test_verifier(0x00), tbs, signature);
}

TEST(builds_and_verifies_every_request_of_the_table)
{
    size_t n = cg_vector_count("sapi:requests");

    CHECK_INT(n, 28);
    for (size_t i = 0; i < n; i++) {
        struct request request;
        uint8_t room[1024];

        request_of(i, &request);
        struct cg_span tbs = tbs_of(&request.parts, room);
        CHECK_SPAN(tbs, cg_vector_hex(at("requests", i, "tbs")));
        CHECK_OK(check(request.sapi.mode, tbs, request.sapi.signature));
    }
}

TEST(writes_every_header_of_the_table)
{
    for (size_t i = 0; i < cg_vector_count("sapi:requests"); i++) {
        struct cg_span header = text("requests", i, "sapi");
        static uint8_t raw[CG_HSIG_BYTES];
        struct cg_sapi sapi;

        CHECK_OK(cg_sapi_read(header, NULL, &sapi));
        CHECK_OK(cg_hex_read(sapi.signature, raw, sapi.signature.len / 2));
        char *out = malloc(cg_sapi_chars(&sapi));
        CHECK_INT(cg_sapi_chars(&sapi), header.len);
        cg_sapi_write(&sapi, cg_span_of(raw, sapi.signature.len / 2), out);
        CHECK_SPAN(cg_span_of(out, header.len), header);
        free(out);
    }
}

TEST(signs_as_the_vectors_do_in_all_three_modes)
{
    struct cg_span tbs = cg_vector_hex("v1:sapi.tbs_grant");
    struct cg_secret key = key_c2s(), seed = cg_test_seed(0xc0);
    uint8_t sig[CG_HSIG_BYTES];
    struct cg_seeds seeds;
    struct cg_hash mac;

    CHECK_INT(tbs.len, 379);
    CHECK_OK(cg_sapi_mac(cg_test_kit(), &key, tbs, &mac));
    CHECK_SPAN(cg_hash_span(&mac), cg_vector_hex("v1:sapi.tag"));
    CHECK_OK(cg_wallet_seeds(&seed, &seeds));
    CHECK_OK(cg_sapi_sign_session(cg_test_crypto(), &seeds.ed25519,
                                  cg_vector_hex("v1:sapi.tbs_ed25519"), sig));
    CHECK_SPAN(cg_span_of(sig, CG_ED25519_SIG_BYTES),
               cg_unhex("ba2e521920455620ed1de785f4e751a25a2240bfaae81194511c0622d53c6e77f35486d2"
                        "efc936db812c665b60615f868fd824cd851f89f746389072285ac906"));
    CHECK_OK(cg_sapi_sign_hybrid(cg_test_signer(0x00), cg_vector_hex("v1:sapi.tbs_hybrid"), sig));
    CHECK_SPAN(cg_span_of(sig, CG_HSIG_BYTES), cg_vector_hex("v1:sapi.hsig_hybrid"));
    cg_seeds_done(&seeds);
}

TEST(digests_covered_fields_as_the_table_says)
{
    struct cg_span json[CG_COVERED_COUNT] = {[CG_COVERED_CONTENT_TYPE] =
                                                 CG_LIT("application/json")};
    struct cg_hash digest;

    CHECK_OK(cg_sapi_fields_digest(cg_test_kit(), json, &digest));
    CHECK_SPAN(cg_hash_span(&digest), cg_vector_hex("v1:sapi.fields_digest"));
    CHECK_INT(cg_vector_count("sapi:fields"), 8);
    for (size_t i = 0; i < cg_vector_count("sapi:fields"); i++) {
        struct cg_span fields[CG_COVERED_COUNT];

        fields_of("fields", i, fields);
        CHECK_OK(cg_sapi_fields_digest(cg_test_kit(), fields, &digest));
        CHECK_SPAN(cg_hash_span(&digest), cg_vector_hex(at("fields", i, "digest")));
    }
}

/* Spoils one part of the first request and expects its MAC not to fit any more. */
#define SPOILT(change)                                                                             \
    do {                                                                                           \
        struct request r;                                                                          \
        uint8_t room[1024];                                                                        \
        request_of(0, &r);                                                                         \
        CHECK_OK(check(r.sapi.mode, tbs_of(&r.parts, room), r.sapi.signature));                    \
        change;                                                                                    \
        CHECK_ERR(check(CG_SAPI_GRANT, tbs_of(&r.parts, room), r.sapi.signature), CG_SIGNATURE);   \
    } while (0)

TEST(a_signature_fits_nothing_but_what_was_signed)
{
    SPOILT(r.sapi.mode = CG_SAPI_ED25519);
    SPOILT(r.sapi.wallet.text[0] ^= 1);
    SPOILT(r.sapi.timestamp++);
    SPOILT(r.sapi.nonce.bytes[0] ^= 1);
    SPOILT(r.sapi.nonce.bytes[15] ^= 2);
    SPOILT(r.qlock.session_id[0] ^= 1);
    SPOILT(r.qlock.minute_epoch++);
    SPOILT(r.qlock.hash.bytes[31] ^= 1);
    SPOILT(r.fingerprint.bytes[0] ^= 1);
    SPOILT(r.parts.method = CG_LIT("PUT"));
    SPOILT(r.parts.method = CG_LIT("post"));
    SPOILT(r.url.plane = CG_PLANE_BPI);
    SPOILT(r.url.authority = CG_LIT("app.example.con"));
    SPOILT(r.url.path = CG_LIT("/api/orders/"));
    SPOILT(r.url.query = CG_LIT("?limit=11"));
    SPOILT(r.url.query = CG_LIT("?"));
    SPOILT(r.url.query = CG_LIT(""));
    SPOILT(r.parts.body_mode = CG_BODY_NONE);
    SPOILT(r.parts.body_mode = CG_BODY_TRAILER);
    SPOILT(r.parts.content_digest.bytes[0] ^= 1);
    SPOILT(r.parts.fields_digest.bytes[0] ^= 1);
}

TEST(every_covered_field_counts_and_absent_is_not_empty)
{
    struct cg_span none[CG_COVERED_COUNT] = {0};
    struct cg_hash seen[2 * CG_COVERED_COUNT + 1];
    size_t n = 0;

    CHECK_OK(cg_sapi_fields_digest(cg_test_kit(), none, &seen[n++]));
    for (int f = 0; f < CG_COVERED_COUNT; f++) {
        struct cg_span fields[CG_COVERED_COUNT] = {0};

        fields[f] = CG_LIT("");
        CHECK_OK(cg_sapi_fields_digest(cg_test_kit(), fields, &seen[n++]));
        fields[f] = CG_LIT("x");
        CHECK_OK(cg_sapi_fields_digest(cg_test_kit(), fields, &seen[n++]));
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(!cg_hash_eq(&seen[i], &seen[j]));
}

TEST(a_mac_is_no_signature_of_another_mode)
{
    struct cg_span tbs = cg_vector_hex("v1:sapi.tbs_ed25519"), tag = cg_vector_hex("v1:sapi.tag");

    CHECK_ERR(cg_sapi_check_session(cg_test_crypto(),
                                    cg_signer_public(cg_test_signer(0xc0))->ed25519, tbs, tag),
              CG_SIGNATURE);
    CHECK_ERR(cg_sapi_check_hybrid(cg_test_verifier(0), tbs, tag), CG_SIGNATURE);
}

TEST(one_valid_half_is_not_a_valid_signature)
{
    struct cg_span tbs = cg_vector_hex("v1:sapi.tbs_hybrid");
    uint8_t good[CG_HSIG_BYTES], other[CG_HSIG_BYTES], mixed[CG_HSIG_BYTES];

    CHECK_OK(cg_sapi_sign_hybrid(cg_test_signer(0), tbs, good));
    CHECK_OK(cg_sapi_sign_hybrid(cg_test_signer(0), CG_LIT("another message"), other));
    CHECK_OK(cg_sapi_check_hybrid(cg_test_verifier(0), tbs, CG_BYTES(good)));
    memcpy(mixed, good, sizeof mixed);
    memcpy(mixed, other, CG_ED25519_SIG_BYTES);
    CHECK_ERR(cg_sapi_check_hybrid(cg_test_verifier(0), tbs, CG_BYTES(mixed)), CG_SIGNATURE);
    memcpy(mixed, other, sizeof mixed);
    memcpy(mixed, good, CG_ED25519_SIG_BYTES);
    CHECK_ERR(cg_sapi_check_hybrid(cg_test_verifier(0), tbs, CG_BYTES(mixed)), CG_SIGNATURE);
}

TEST(a_nonce_names_its_grant_and_counts)
{
    struct cg_hash grant = cg_test_hash("v1:grant.grant_hash"), other = grant;
    struct cg_nonce nonce;

    cg_nonce_make(&grant, UINT64_C(0x0102030405060708), &nonce);
    CHECK_SPAN(CG_BYTES(nonce.bytes), cg_unhex("5c783953cc69ab570102030405060708"));
    CHECK(cg_nonce_counter(&nonce) == UINT64_C(0x0102030405060708));
    CHECK(cg_nonce_is_of(&nonce, &grant));
    other.bytes[7] ^= 1;
    CHECK(!cg_nonce_is_of(&nonce, &other));
    other = grant;
    other.bytes[8] ^= 1;
    CHECK(cg_nonce_is_of(&nonce, &other));
}

#define WADDR "vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"
#define NONCE "5c783953cc69ab570000000000000001"
#define TAG "68d3f2efe5ecc174c701d202bab5febf07443e9b2b5e9616e4aaa3cd7d15bfd2"
#define HEADER(w, t, n, s, a)                                                                      \
    "{\"wallet_address\":" w ",\"timestamp\":" t ",\"nonce\":" n ",\"signature\":" s ",\"alg\":" a \
    "}"
#define Q(s) "\"" s "\""

TEST(refuses_headers_that_are_malformed)
{
    static const struct {
        const char *text;
        cg_err err;
    } bad[] = {
        {"", CG_SHORT},
        {"{}", CG_SCHEMA},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("grant")) " ", CG_EXTRA},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("grant")) "," HEADER(Q(WADDR), "1", Q(NONCE),
                                                                        Q(TAG), Q("grant")),
         CG_EXTRA},
        {HEADER(Q(WADDR), "1,\"timestamp\":1", Q(NONCE), Q(TAG), Q("grant")), CG_SCHEMA},
        {HEADER(Q(WADDR), "1,\"scope\":1", Q(NONCE), Q(TAG), Q("grant")), CG_SCHEMA},
        {HEADER(Q(WADDR), "-1", Q(NONCE), Q(TAG), Q("grant")), CG_SCHEMA},
        {HEADER(Q(WADDR), "1.5", Q(NONCE), Q(TAG), Q("grant")), CG_SYNTAX},
        {HEADER(Q(WADDR), "\"1\"", Q(NONCE), Q(TAG), Q("grant")), CG_SCHEMA},
        {HEADER(Q(WADDR), "9007199254740992", Q(NONCE), Q(TAG), Q("grant")), CG_TOO_LARGE},
        {HEADER(Q(WADDR), "1", Q("5C783953cc69ab570000000000000001"), Q(TAG), Q("grant")),
         CG_SYNTAX},
        {HEADER(Q(WADDR), "1", Q("5c783953cc69ab5700000000000001"), Q(TAG), Q("grant")), CG_SHORT},
        {HEADER(Q(WADDR), "1", Q(NONCE "00"), Q(TAG), Q("grant")), CG_EXTRA},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("none")), CG_UNKNOWN},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("Grant")), CG_UNKNOWN},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("")), CG_UNKNOWN},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), "1"), CG_SCHEMA},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("ed25519")), CG_SHORT},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG), Q("hybrid")), CG_SHORT},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q(TAG TAG), Q("grant")), CG_EXTRA},
        {HEADER(Q(WADDR), "1", Q(NONCE),
                Q("68D3f2efe5ecc174c701d202bab5febf07443e9b2b5e9616e4aaa3cd7d15bfd2"), Q("grant")),
         CG_SYNTAX},
        {HEADER(Q(WADDR), "1", Q(NONCE), Q("\\u0036"), Q("grant")), CG_SYNTAX},
        {HEADER(Q("acxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"), "1", Q(NONCE),
                Q(TAG), Q("grant")),
         CG_MISMATCH},
        {HEADER(Q("VCXB5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"), "1", Q(NONCE),
                Q(TAG), Q("grant")),
         CG_SYNTAX},
        {HEADER(Q("did:bpi:" WADDR), "1", Q(NONCE), Q(TAG), Q("grant")), CG_EXTRA},
    };
    struct cg_waddr known;

    CHECK_OK(cg_waddr_read(CG_LIT(WADDR), &known));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_sapi sapi = {.timestamp = 77};

        if (!CHECK_ERR(cg_sapi_read(cg_span_str(bad[i].text), NULL, &sapi), bad[i].err))
            CHECK_SPAN(CG_LIT("row"), cg_span_str(bad[i].text));
        CHECK_ERR(cg_sapi_read(cg_span_str(bad[i].text), &known, &sapi), bad[i].err);
        CHECK(sapi.timestamp == 77);
    }
}

TEST(refuses_every_prefix_of_a_header)
{
    struct cg_span header = cg_span_str(cg_vector("v1:sapi.header_grant"));

    for (size_t n = 0; n < header.len; n++) {
        struct cg_sapi sapi = {.timestamp = 77};

        CHECK_ERR(cg_sapi_read(cg_span_first(header, n), NULL, &sapi), CG_SHORT);
        CHECK(sapi.timestamp == 77);
    }
}

TEST(a_hybrid_header_has_9555_bytes_and_10240_are_the_limit)
{
    static char room[CG_SAPI_MAX_BYTES + 1];
    struct cg_span header = {0};
    struct cg_sapi sapi;

    for (size_t i = 0; i < cg_vector_count("sapi:requests") && header.len < 9000; i++)
        header = text("requests", i, "sapi");
    CHECK_INT(header.len, 9555);
    memset(room, ' ', sizeof room);
    room[0] = '{';
    memcpy(room + CG_SAPI_MAX_BYTES - header.len + 1, header.at + 1, header.len - 1);
    CHECK_OK(cg_sapi_read(cg_span_of(room, CG_SAPI_MAX_BYTES), NULL, &sapi));
    memmove(room + 2, room + 1, CG_SAPI_MAX_BYTES - 1);
    CHECK_ERR(cg_sapi_read(cg_span_of(room, CG_SAPI_MAX_BYTES + 1), NULL, &sapi), CG_TOO_LARGE);
}

SUITE(request, T(builds_and_verifies_every_request_of_the_table),
      T(writes_every_header_of_the_table), T(signs_as_the_vectors_do_in_all_three_modes),
      T(digests_covered_fields_as_the_table_says), T(a_signature_fits_nothing_but_what_was_signed),
      T(every_covered_field_counts_and_absent_is_not_empty),
      T(a_mac_is_no_signature_of_another_mode), T(one_valid_half_is_not_a_valid_signature),
      T(a_nonce_names_its_grant_and_counts), T(refuses_headers_that_are_malformed),
      T(refuses_every_prefix_of_a_header),
      T(a_hybrid_header_has_9555_bytes_and_10240_are_the_limit))
