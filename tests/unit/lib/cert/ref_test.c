#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"

#include <httpcg/cert.h>

TEST(the_reference_of_the_vectors_is_written_and_read)
{
    struct cg_cert cert;
    struct cg_cert_ref ref, read;
    uint8_t wire[CG_CERT_REF_BYTES];

    CHECK_OK(cg_cert_read(cg_vector_hex("v1:tlsls.cose_without_unprotected"), &cert));
    cg_cert_ref_of(&cert, &ref);
    cg_cert_ref_write(&ref, wire);
    CHECK_SPAN(CG_BYTES(wire), cg_vector_hex("v1:tlsls.reference_65001"));
    CHECK_OK(cg_cert_ref_read(CG_BYTES(wire), &read));
    CHECK(cg_cert_ref_eq(&ref, &read));
}

TEST(every_member_of_a_reference_counts)
{
    struct cg_cert_ref ref, other;

    CHECK_OK(cg_cert_ref_read(cg_vector_hex("v1:tlsls.reference_65001"), &ref));
    other = ref;
    other.fingerprint.bytes[31] ^= 1;
    CHECK(!cg_cert_ref_eq(&ref, &other));
    other = ref;
    other.policy_hash.bytes[0] ^= 1;
    CHECK(!cg_cert_ref_eq(&ref, &other));
    other = ref;
    other.log_id.bytes[7] ^= 1;
    CHECK(!cg_cert_ref_eq(&ref, &other));
    other = ref;
    other.anchor.bytes[0] ^= 1;
    CHECK(!cg_cert_ref_eq(&ref, &other));
    other = ref;
    CHECK_OK(cg_waddr_read(cg_span_str(cg_vector("v1:wallet.waddr")), &other.issuer));
    CHECK(!cg_cert_ref_eq(&ref, &other));
}

TEST(a_reference_has_one_form)
{
    struct cg_span good = cg_vector_hex("v1:tlsls.reference_65001");
    uint8_t wire[CG_CERT_REF_BYTES + 1];
    struct cg_cert_ref ref = {.fingerprint = {{77}}};

    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_cert_ref_read(cg_span_first(good, n), &ref), CG_SHORT);
    memcpy(wire, good.at, good.len);
    wire[good.len] = 0;
    CHECK_ERR(cg_cert_ref_read(CG_BYTES(wire), &ref), CG_EXTRA);
    CHECK_INT(ref.fingerprint.bytes[0], 77);
    const struct {
        size_t at;
        uint8_t value;
        cg_err want;
    } bad[] = {
        {0, 0xa4, CG_SCHEMA}, {0, 0xbf, CG_CANONICAL}, {2, 'w', CG_SCHEMA},   {3, 2, CG_VERSION},
        {5, 'B', CG_SCHEMA},  {17, 'B', CG_SYNTAX},    {15, 0x58, CG_SCHEMA}, {117, 'x', CG_SYNTAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t kept = wire[bad[i].at];

        wire[bad[i].at] = bad[i].value;
        CHECK_ERR(cg_cert_ref_read(cg_span_of(wire, good.len), &ref), bad[i].want);
        wire[bad[i].at] = kept;
    }
}

SUITE(ref, T(the_reference_of_the_vectors_is_written_and_read),
      T(every_member_of_a_reference_counts), T(a_reference_has_one_form))
