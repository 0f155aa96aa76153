#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/aead.h"

#include <stdio.h>

struct known {
    struct cg_secret key;
    struct cg_span nonce, aad, plain, sealed;
};

static struct cg_span take(size_t i, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "standards:aes256gcm.cases.%zu.%s", i, name);
    return cg_vector_hex(path);
}

static struct known known_at(size_t i)
{
    struct known k = {
        .nonce = take(i, "nonce"),
        .aad = take(i, "aad"),
        .plain = take(i, "plain"),
        .sealed = take(i, "sealed"),
    };

    memcpy(k.key.bytes, take(i, "key").at, sizeof k.key.bytes);
    return k;
}

TEST(seals_and_opens_the_known_cases)
{
    for (size_t i = 0; i < cg_vector_count("standards:aes256gcm.cases"); i++) {
        struct known k = known_at(i);
        uint8_t sealed[128], plain[128];

        CHECK_OK(cg_aead_seal(cg_test_crypto(), &k.key, k.nonce.at, k.aad, k.plain, sealed));
        CHECK_SPAN(cg_span_of(sealed, k.sealed.len), k.sealed);
        CHECK_OK(cg_aead_open(cg_test_crypto(), &k.key, k.nonce.at, k.aad, k.sealed, plain));
        CHECK_SPAN(cg_span_of(plain, k.plain.len), k.plain);
    }
}

TEST(opens_nothing_that_was_altered_and_wipes_it)
{
    struct known k = known_at(2);
    uint8_t sealed[128], plain[128], nonce[12], aad[32];
    const uint8_t nothing[128] = {0};
    struct cg_span text = cg_span_of(sealed, k.sealed.len), a = cg_span_of(aad, k.aad.len);

    memcpy(sealed, k.sealed.at, k.sealed.len);
    memcpy(nonce, k.nonce.at, sizeof nonce);
    memcpy(aad, k.aad.at, k.aad.len);
    for (size_t i = 0; i < k.sealed.len; i++) {
        sealed[i] ^= 1;
        memset(plain, 0xee, sizeof plain);
        CHECK_ERR(cg_aead_open(cg_test_crypto(), &k.key, nonce, a, text, plain), CG_MISMATCH);
        CHECK(memcmp(plain, nothing, k.plain.len) == 0);
        sealed[i] ^= 1;
    }
    for (size_t i = 0; i < k.aad.len; i++) {
        aad[i] ^= 1;
        CHECK_ERR(cg_aead_open(cg_test_crypto(), &k.key, nonce, a, text, plain), CG_MISMATCH);
        aad[i] ^= 1;
    }
    nonce[11] ^= 1;
    CHECK_ERR(cg_aead_open(cg_test_crypto(), &k.key, nonce, a, text, plain), CG_MISMATCH);
    nonce[11] ^= 1;
    k.key.bytes[0] ^= 1;
    CHECK_ERR(cg_aead_open(cg_test_crypto(), &k.key, nonce, a, text, plain), CG_MISMATCH);
    k.key.bytes[0] ^= 1;
    CHECK_ERR(cg_aead_open(cg_test_crypto(), &k.key, nonce, (struct cg_span){NULL, 0}, text, plain),
              CG_MISMATCH);
    CHECK_OK(cg_aead_open(cg_test_crypto(), &k.key, nonce, a, text, plain));
}

TEST(needs_room_for_a_tag)
{
    struct known k = known_at(0);
    uint8_t plain[16];

    for (size_t n = 0; n < CG_AEAD_TAG_BYTES; n++)
        CHECK_ERR(cg_aead_open(cg_test_crypto(), &k.key, k.nonce.at, k.aad,
                               cg_span_first(k.sealed, n), plain),
                  CG_SHORT);
}

SUITE(aead, T(seals_and_opens_the_known_cases), T(opens_nothing_that_was_altered_and_wipes_it),
      T(needs_room_for_a_tag))
