#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/sign.h"

#include <stdio.h>

#define NOTHING ((struct cg_span){NULL, 0})

static const char *in_case(const char *set, size_t i, const char *name)
{
    static char path[96];

    snprintf(path, sizeof path, "standards:%s.cases.%zu.%s", set, i, name);
    return path;
}

static struct cg_secret seed_at(const char *set, size_t i)
{
    struct cg_secret seed;

    memcpy(seed.bytes, cg_vector_hex(in_case(set, i, "seed")).at, sizeof seed.bytes);
    return seed;
}

/* RFC 8032, 7.1. */
TEST(ed25519_gives_the_standards_answers)
{
    for (size_t i = 0; i < cg_vector_count("standards:ed25519.cases"); i++) {
        struct cg_secret seed = seed_at("ed25519", i);
        struct cg_span message = cg_vector_hex(in_case("ed25519", i, "message"));
        struct cg_span want = cg_vector_hex(in_case("ed25519", i, "signature"));
        struct cg_span public = cg_vector_hex(in_case("ed25519", i, "public"));
        struct cg_sign_key *key = NULL;
        struct cg_verify_key *verify = NULL;
        uint8_t pk[32], sig[64];

        CHECK_OK(cg_sign_key_new(cg_test_crypto(), CG_ALG_ED25519, &seed, &key));
        CHECK_OR_STOP(key != NULL);
        CHECK_OK(cg_sign_key_public(key, pk));
        CHECK_SPAN(CG_BYTES(pk), public);
        CHECK_OK(cg_sign(key, NOTHING, message, sig));
        CHECK_SPAN(CG_BYTES(sig), want);
        CHECK_OK(cg_verify_key_new(cg_test_crypto(), CG_ALG_ED25519, public, &verify));
        CHECK_OR_STOP(verify != NULL);
        CHECK_OK(cg_verify(verify, NOTHING, message, want));
        for (size_t bit = 0; bit < 512; bit++) {
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK_ERR(cg_verify(verify, NOTHING, message, CG_BYTES(sig)), CG_SIGNATURE);
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CHECK_ERR(cg_verify(verify, NOTHING, CG_LIT("another"), want), CG_SIGNATURE);
        CHECK_ERR(cg_verify(verify, NOTHING, message, cg_span_first(want, 63)), CG_SIGNATURE);
        cg_sign_key_free(key);
        cg_verify_key_free(verify);
    }
}

/* RFC 8032, 5.1.7: S must be below the group's order L, or each signature has a second form. */
TEST(ed25519_refuses_s_at_or_above_the_order)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    struct cg_verify_key *verify = NULL;
    struct cg_span sig = cg_vector_hex("standards:ed25519.cases.2.signature");
    struct cg_span message = cg_vector_hex("standards:ed25519.cases.2.message");
    uint8_t second[64];
    unsigned carry = 0;

    memcpy(second, sig.at, 64);
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)sig.at[32 + i] + order[i];
        second[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK_OK(cg_verify_key_new(cg_test_crypto(), CG_ALG_ED25519,
                               cg_vector_hex("standards:ed25519.cases.2.public"), &verify));
    CHECK_OR_STOP(verify != NULL);
    CHECK_OK(cg_verify(verify, NOTHING, message, sig));
    CHECK_ERR(cg_verify(verify, NOTHING, message, CG_BYTES(second)), CG_SIGNATURE);
    cg_verify_key_free(verify);
}

/* The points of small order, and y = p + 2 .. p + 18, which are no spelling of anything. */
TEST(refuses_ed25519_keys_under_which_a_signature_proves_nothing)
{
    const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t key[32];
        struct cg_verify_key *verify = NULL;

        memcpy(key, cg_unhex(bad[i]).at, sizeof key);
        CHECK_ERR(cg_ed25519_key_check(key), CG_KEY);
        CHECK_ERR(cg_verify_key_new(cg_test_crypto(), CG_ALG_ED25519, CG_BYTES(key), &verify),
                  CG_KEY);
        CHECK(verify == NULL);
        key[31] |= 0x80;
        CHECK_ERR(cg_ed25519_key_check(key), CG_KEY);
        /* A neighbour is not on the list. */
        key[15] ^= 1;
        CHECK_OK(cg_ed25519_key_check(key));
    }
    CHECK_OK(cg_ed25519_key_check(
        cg_unhex("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").at));
    CHECK_OK(cg_ed25519_key_check(cg_vector_hex("v1:wallet.ed25519").at));
}

/* The forgery that the check is there for: R the identity, S = 0 verifies for every message. */
TEST(the_identity_point_never_becomes_a_key)
{
    struct cg_verify_key *verify = NULL;
    uint8_t identity[32] = {1};

    CHECK_ERR(cg_verify_key_new(cg_test_crypto(), CG_ALG_ED25519, CG_BYTES(identity), &verify),
              CG_KEY);
    CHECK(verify == NULL);
}

TEST(mldsa87_makes_the_standards_keys)
{
    for (size_t i = 0; i < cg_vector_count("standards:mldsa87_keygen.cases"); i++) {
        struct cg_secret seed = seed_at("mldsa87_keygen", i);
        struct cg_sign_key *key = NULL;
        uint8_t pk[CG_MLDSA87_KEY_BYTES];

        CHECK_OK(cg_sign_key_new(cg_test_crypto(), CG_ALG_MLDSA87, &seed, &key));
        CHECK_OR_STOP(key != NULL);
        CHECK_OK(cg_sign_key_public(key, pk));
        CHECK_SPAN(cg_span_of(pk, 32), cg_vector_hex(in_case("mldsa87_keygen", i, "first")));
        CHECK_SPAN(cg_span_of(pk + sizeof pk - 32, 32),
                   cg_vector_hex(in_case("mldsa87_keygen", i, "last")));
        cg_sign_key_free(key);
    }
}

TEST(mldsa87_gives_the_known_signature_and_refuses_what_was_altered)
{
    struct cg_secret seed = seed_at("mldsa87_sign", 0);
    struct cg_span message = cg_vector_hex("standards:mldsa87_sign.cases.0.message");
    struct cg_sign_key *key = NULL;
    struct cg_verify_key *verify = NULL;
    uint8_t pk[CG_MLDSA87_KEY_BYTES], sig[CG_MLDSA87_SIG_BYTES + 1];
    struct cg_span whole = cg_span_of(sig, CG_MLDSA87_SIG_BYTES);

    CHECK_OK(cg_sign_key_new(cg_test_crypto(), CG_ALG_MLDSA87, &seed, &key));
    CHECK_OR_STOP(key != NULL);
    CHECK_OK(cg_sign_key_public(key, pk));
    CHECK_OK(cg_sign(key, NOTHING, message, sig));
    CHECK_SPAN(cg_span_first(whole, 32), cg_vector_hex("standards:mldsa87_sign.cases.0.first"));
    CHECK_SPAN(cg_span_from(whole, whole.len - 32),
               cg_vector_hex("standards:mldsa87_sign.cases.0.last"));
    CHECK_OK(cg_verify_key_new(cg_test_crypto(), CG_ALG_MLDSA87, CG_BYTES(pk), &verify));
    CHECK_OR_STOP(verify != NULL);
    CHECK_OK(cg_verify(verify, NOTHING, message, whole));
    CHECK_ERR(cg_verify(verify, CG_LIT("x"), message, whole), CG_SIGNATURE);
    CHECK_ERR(cg_verify(verify, NOTHING, CG_LIT("Hello World"), whole), CG_SIGNATURE);
    CHECK_ERR(cg_verify(verify, NOTHING, message, cg_span_first(whole, whole.len - 1)),
              CG_SIGNATURE);
    sig[CG_MLDSA87_SIG_BYTES] = 0;
    CHECK_ERR(cg_verify(verify, NOTHING, message, CG_BYTES(sig)), CG_SIGNATURE);
    /* c~ (64), z (7 * 640), hint (83): a bit in each, and at their borders. */
    const size_t places[] = {0, 63, 64, 65, 2000, 4543, 4544, 4600, 4618, 4619, 4626};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        sig[places[i]] ^= 1;
        CHECK_ERR(cg_verify(verify, NOTHING, message, whole), CG_SIGNATURE);
        sig[places[i]] ^= 1;
    }
    cg_sign_key_free(key);
    cg_verify_key_free(verify);
}

TEST(a_context_string_separates_and_hedged_signatures_differ)
{
    struct cg_crypto *hedging = NULL;
    struct cg_secret seed = cg_test_seed(0);
    struct cg_sign_key *key = NULL;
    struct cg_verify_key *verify = NULL;
    static uint8_t pk[CG_MLDSA87_KEY_BYTES], a[CG_MLDSA87_SIG_BYTES], b[CG_MLDSA87_SIG_BYTES];

    CHECK_OK(cg_crypto_new(&hedging));
    CHECK_OR_STOP(hedging != NULL);
    CHECK_OK(cg_sign_key_new(hedging, CG_ALG_MLDSA87, &seed, &key));
    CHECK_OK(cg_sign_key_public(key, pk));
    CHECK_OK(cg_verify_key_new(hedging, CG_ALG_MLDSA87, CG_BYTES(pk), &verify));
    CHECK_OK(cg_sign(key, CG_LIT("one"), CG_LIT("m"), a));
    CHECK_OK(cg_sign(key, CG_LIT("one"), CG_LIT("m"), b));
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK_OK(cg_verify(verify, CG_LIT("one"), CG_LIT("m"), CG_BYTES(a)));
    CHECK_OK(cg_verify(verify, CG_LIT("one"), CG_LIT("m"), CG_BYTES(b)));
    CHECK_ERR(cg_verify(verify, CG_LIT("two"), CG_LIT("m"), CG_BYTES(a)), CG_SIGNATURE);
    CHECK_ERR(cg_verify(verify, NOTHING, CG_LIT("m"), CG_BYTES(a)), CG_SIGNATURE);
    cg_sign_key_free(key);
    cg_verify_key_free(verify);
    cg_crypto_free(hedging);
}

TEST(keys_of_another_length_are_refused_for_every_algorithm)
{
    static const uint8_t bytes[CG_MLDSA87_KEY_BYTES + 1] = {3};

    for (size_t alg = 0; alg < CG_ALG_COUNT; alg++) {
        size_t len = cg_alg_info_of((enum cg_alg)alg)->key_len;
        struct cg_verify_key *key = NULL;

        CHECK_ERR(
            cg_verify_key_new(cg_test_crypto(), (enum cg_alg)alg, cg_span_of(bytes, len - 1), &key),
            CG_KEY);
        CHECK_ERR(
            cg_verify_key_new(cg_test_crypto(), (enum cg_alg)alg, cg_span_of(bytes, len + 1), &key),
            CG_KEY);
        CHECK_OK(
            cg_verify_key_new(cg_test_crypto(), (enum cg_alg)alg, cg_span_of(bytes, len), &key));
        cg_verify_key_free(key);
    }
}

TEST(mldsa44_signs_and_verifies_as_witnesses_do)
{
    struct cg_secret seed = cg_test_seed(9);
    struct cg_sign_key *key = NULL;
    struct cg_verify_key *verify = NULL;
    static uint8_t pk[1312], sig[2420];

    CHECK_OK(cg_sign_key_new(cg_test_crypto(), CG_ALG_MLDSA44, &seed, &key));
    CHECK_OR_STOP(key != NULL);
    CHECK_OK(cg_sign_key_public(key, pk));
    CHECK_OK(cg_sign(key, NOTHING, CG_LIT("note"), sig));
    CHECK_OK(cg_verify_key_new(cg_test_crypto(), CG_ALG_MLDSA44, CG_BYTES(pk), &verify));
    CHECK_OR_STOP(verify != NULL);
    CHECK_OK(cg_verify(verify, NOTHING, CG_LIT("note"), CG_BYTES(sig)));
    CHECK_ERR(cg_verify(verify, NOTHING, CG_LIT("nota"), CG_BYTES(sig)), CG_SIGNATURE);
    cg_sign_key_free(key);
    cg_verify_key_free(verify);
}

SUITE(sign, T(ed25519_gives_the_standards_answers), T(ed25519_refuses_s_at_or_above_the_order),
      T(refuses_ed25519_keys_under_which_a_signature_proves_nothing),
      T(the_identity_point_never_becomes_a_key), T(mldsa87_makes_the_standards_keys),
      T(mldsa87_gives_the_known_signature_and_refuses_what_was_altered),
      T(a_context_string_separates_and_hedged_signatures_differ),
      T(keys_of_another_length_are_refused_for_every_algorithm),
      T(mldsa44_signs_and_verifies_as_witnesses_do))
