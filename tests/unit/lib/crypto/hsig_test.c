#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/hsig.h"

#define WALLET 0x00
#define TRANSPORT 0x80

TEST(signs_the_grant_of_the_vectors)
{
    uint8_t sig[CG_HSIG_BYTES];
    struct cg_span grant = cg_vector_hex("v1:grant.grant");

    CHECK_OK(cg_hsig_sign(cg_test_signer(WALLET), CG_HSIG_GRANT, grant, sig));
    CHECK_SPAN(CG_BYTES(sig), cg_vector_hex("v1:grant.signature"));
    CHECK_OK(cg_hsig_verify(cg_test_verifier(WALLET), CG_HSIG_GRANT, grant, CG_BYTES(sig)));
}

TEST(signs_the_hybrid_request_of_the_vectors)
{
    uint8_t sig[CG_HSIG_BYTES];
    struct cg_span tbs = cg_vector_hex("v1:sapi.tbs_hybrid");

    CHECK_OK(cg_hsig_sign(cg_test_signer(WALLET), CG_HSIG_SAPI_REQUEST, tbs, sig));
    CHECK_SPAN(CG_BYTES(sig), cg_vector_hex("v1:sapi.hsig_hybrid"));
}

TEST(accepts_only_where_both_halves_are_of_this_message_key_and_domain)
{
    struct cg_span grant = cg_vector_hex("v1:grant.grant");
    struct cg_span good = cg_vector_hex("v1:grant.signature");
    static uint8_t other[CG_HSIG_BYTES], mixed[CG_HSIG_BYTES + 1];
    const struct cg_verifier *verifier = cg_test_verifier(WALLET);

    CHECK_OK(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, good));
    for (size_t dom = 0; dom < CG_HSIG_DOM_COUNT; dom++)
        if (dom != CG_HSIG_GRANT)
            CHECK_ERR(cg_hsig_verify(verifier, (enum cg_hsig_dom)dom, grant, good), CG_SIGNATURE);
    CHECK_ERR(cg_hsig_verify(cg_test_verifier(TRANSPORT), CG_HSIG_GRANT, grant, good),
              CG_SIGNATURE);
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, cg_span_from(grant, 1), good), CG_SIGNATURE);

    /* One half of this message, the other half of another. */
    CHECK_OK(cg_hsig_sign(cg_test_signer(WALLET), CG_HSIG_GRANT, CG_LIT("another"), other));
    memcpy(mixed, good.at, CG_HSIG_BYTES);
    memcpy(mixed + 64, other + 64, CG_MLDSA87_SIG_BYTES);
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, cg_span_of(mixed, CG_HSIG_BYTES)),
              CG_SIGNATURE);
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, CG_LIT("another"),
                             cg_span_of(mixed, CG_HSIG_BYTES)),
              CG_SIGNATURE);
    memcpy(mixed, other, 64);
    memcpy(mixed + 64, good.at + 64, CG_MLDSA87_SIG_BYTES);
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, cg_span_of(mixed, CG_HSIG_BYTES)),
              CG_SIGNATURE);

    /* One half only, the halves swapped, one byte more. */
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, cg_span_first(good, 64)),
              CG_SIGNATURE);
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, cg_span_from(good, 64)), CG_SIGNATURE);
    memcpy(mixed, good.at + 64, CG_MLDSA87_SIG_BYTES);
    memcpy(mixed + CG_MLDSA87_SIG_BYTES, good.at, 64);
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, cg_span_of(mixed, CG_HSIG_BYTES)),
              CG_SIGNATURE);
    memcpy(mixed, good.at, CG_HSIG_BYTES);
    mixed[CG_HSIG_BYTES] = 0;
    CHECK_ERR(cg_hsig_verify(verifier, CG_HSIG_GRANT, grant, CG_BYTES(mixed)), CG_SIGNATURE);
}

TEST(a_verifier_is_not_made_of_a_small_order_key)
{
    struct cg_public_keys keys = *cg_signer_public(cg_test_signer(WALLET));
    struct cg_verifier *verifier = NULL;

    memset(keys.ed25519, 0, sizeof keys.ed25519);
    CHECK_ERR(cg_verifier_new(cg_test_crypto(), &keys, &verifier), CG_KEY);
    CHECK(verifier == NULL);
}

SUITE(hsig, T(signs_the_grant_of_the_vectors), T(signs_the_hybrid_request_of_the_vectors),
      T(accepts_only_where_both_halves_are_of_this_message_key_and_domain),
      T(a_verifier_is_not_made_of_a_small_order_key))
