#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/mac.h"

#include <stdio.h>

static struct cg_secret secret_at(const char *path)
{
    struct cg_secret secret = {{0}};
    struct cg_span bytes = cg_vector_hex(path);

    if (CHECK(bytes.len == sizeof secret.bytes))
        memcpy(secret.bytes, bytes.at, sizeof secret.bytes);
    return secret;
}

static const char *in_case(size_t i, const char *name)
{
    static char path[64];

    snprintf(path, sizeof path, "standards:hkdf.cases.%zu.%s", i, name);
    return path;
}

/* RFC 5869, A.1 to A.3: short, longer than a block, without salt. */
TEST(hkdf_gives_the_standards_answers)
{
    struct cg_mac *mac = NULL;

    CHECK_OK(cg_mac_new(&mac));
    CHECK_OR_STOP(mac != NULL);
    for (size_t i = 0; i < cg_vector_count("standards:hkdf.cases"); i++) {
        struct cg_span salt = cg_vector_hex(in_case(i, "salt"));
        struct cg_span info = cg_vector_hex(in_case(i, "info"));
        struct cg_span want = cg_vector_hex(in_case(i, "okm"));
        struct cg_secret prk, first;
        uint8_t okm[128];

        CHECK_OK(cg_hkdf_extract(mac, salt, cg_vector_hex(in_case(i, "ikm")), &prk));
        CHECK_SPAN(CG_BYTES(prk.bytes), cg_vector_hex(in_case(i, "prk")));
        CHECK_OK(cg_hkdf_expand_to(mac, &prk, info, okm, want.len));
        CHECK_SPAN(cg_span_of(okm, want.len), want);
        CHECK_OK(cg_hkdf_expand(mac, &prk, info, &first));
        CHECK_SPAN(CG_BYTES(first.bytes), cg_span_first(want, 32));
    }
    cg_mac_free(mac);
}

TEST(expand_is_bounded_and_every_length_is_a_prefix_of_the_next)
{
    static uint8_t all[255 * 32], some[255 * 32];
    struct cg_secret prk = {{7}};
    struct cg_mac *mac = NULL;

    CHECK_OK(cg_mac_new(&mac));
    CHECK_OR_STOP(mac != NULL);
    CHECK_OK(cg_hkdf_expand_to(mac, &prk, CG_LIT("x"), all, sizeof all));
    CHECK_ERR(cg_hkdf_expand_to(mac, &prk, CG_LIT("x"), all, sizeof all + 1), CG_TOO_LARGE);
    const size_t lengths[] = {0, 1, 31, 32, 33, 63, 64, 65, sizeof all - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memset(some, 0xee, sizeof some);
        CHECK_OK(cg_hkdf_expand_to(mac, &prk, CG_LIT("x"), some, lengths[i]));
        CHECK(memcmp(some, all, lengths[i]) == 0);
        CHECK(some[lengths[i]] == 0xee);
    }
    cg_mac_free(mac);
}

TEST(one_context_serves_many_keys_and_pieces_make_the_whole)
{
    struct cg_mac *mac = NULL;
    struct cg_secret key = secret_at("v1:grant.K_conf"), other = {{1}};
    struct cg_span answer = cg_vector_hex("v1:grant.answer");
    struct cg_hash got;

    CHECK_OK(cg_mac_new(&mac));
    CHECK_OR_STOP(mac != NULL);
    CHECK_OK(cg_mac_whole(mac, &other, answer, &got));
    CHECK_OK(cg_mac_whole(mac, &key, answer, &got));
    CHECK_SPAN(cg_hash_span(&got), cg_vector_hex("v1:grant.confirm"));

    CHECK_OK(cg_mac_begin(mac, &other));
    CHECK_OK(cg_mac_add(mac, CG_LIT("left over")));
    CHECK_OK(cg_mac_begin(mac, &key));
    CHECK_OK(cg_mac_add(mac, cg_span_first(answer, 1)));
    CHECK_OK(cg_mac_add(mac, (struct cg_span){NULL, 0}));
    CHECK_OK(cg_mac_add(mac, cg_span_from(answer, 1)));
    CHECK_OK(cg_mac_end(mac, &got));
    CHECK_SPAN(cg_hash_span(&got), cg_vector_hex("v1:grant.confirm"));
    cg_mac_free(mac);
    cg_mac_free(NULL);
}

TEST(a_check_refuses_every_other_tag_key_and_text)
{
    struct cg_mac *mac = NULL;
    struct cg_secret key = secret_at("v1:grant.K_conf"), other = key;
    struct cg_span answer = cg_vector_hex("v1:grant.answer");
    uint8_t tag[33];

    CHECK_OK(cg_mac_new(&mac));
    CHECK_OR_STOP(mac != NULL);
    memcpy(tag, cg_vector_hex("v1:grant.confirm").at, 32);
    tag[32] = 0;
    CHECK_OK(cg_mac_check(mac, &key, answer, cg_span_of(tag, 32)));
    CHECK_ERR(cg_mac_check(mac, &key, answer, cg_span_of(tag, 31)), CG_SIGNATURE);
    CHECK_ERR(cg_mac_check(mac, &key, answer, cg_span_of(tag, 33)), CG_SIGNATURE);
    CHECK_ERR(cg_mac_check(mac, &key, cg_span_from(answer, 1), cg_span_of(tag, 32)), CG_SIGNATURE);
    other.bytes[31] ^= 1;
    CHECK_ERR(cg_mac_check(mac, &other, answer, cg_span_of(tag, 32)), CG_SIGNATURE);
    for (size_t i = 0; i < 32; i++) {
        tag[i] ^= 0x80;
        CHECK_ERR(cg_mac_check(mac, &key, answer, cg_span_of(tag, 32)), CG_SIGNATURE);
        tag[i] ^= 0x80;
    }
    cg_mac_free(mac);
}

SUITE(mac, T(hkdf_gives_the_standards_answers),
      T(expand_is_bounded_and_every_length_is_a_prefix_of_the_next),
      T(one_context_serves_many_keys_and_pieces_make_the_whole),
      T(a_check_refuses_every_other_tag_key_and_text))
