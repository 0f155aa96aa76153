#include "tests/unit/lib/cert/fixture.h"

#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/try.h"
#include "lib/cert/payload.h"
#include "lib/crypto/hash.h"
#include "lib/identity/cose.h"

static cg_err read_and_verify(struct cg_span wire)
{
    struct cg_cert cert;
    struct cg_cert_expect expect = fixture_expect();

    CG_TRY(cg_cert_read(wire, &cert));
    return cg_cert_verify(cg_test_crypto(), &cert, &expect, NULL, NULL);
}

TEST(the_certificate_has_every_form_of_the_vectors)
{
    struct cg_cert_ask ask = fixture_ask();
    CG_AUTO(buf) struct cg_buf wire = {0}, json = {0}, full = {0};
    struct cg_cert cert;
    struct cg_hash hash;
    uint8_t reference[CG_CERT_REF_BYTES];

    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    cg_buf_init(&json, CG_CERT_MAX_BYTES);
    cg_buf_init(&full, CG_CERT_MAX_BYTES);
    CHECK_OK(cg_cert_issue(cg_test_signer(FIXTURE_GATEWAY), &ask, FIXTURE_NOTHING, FIXTURE_NOTHING,
                           &wire));
    CHECK_SPAN(cg_buf_span(&wire), cg_vector_hex("tlsls:document"));
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
    CHECK_SPAN(cert.payload, cg_vector_hex("tlsls:payload"));
    CHECK_SPAN(cert.body_protected, cg_vector_hex("tlsls:body_protected"));
    CHECK_SPAN(cg_hash_span(&cert.fingerprint), cg_vector_hex("tlsls:fingerprint"));
    CHECK_OK(cg_cert_commitment(&cert, &hash));
    CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex("tlsls:commitment"));

    struct cg_cert_ref ref;
    cg_cert_ref_of(&cert, &ref);
    cg_cert_ref_write(&ref, reference);
    CHECK_SPAN(CG_BYTES(reference), cg_vector_hex("tlsls:reference"));
    CHECK_OK(cg_cert_write_json(&cert, &json));
    CHECK_SPAN(cg_buf_span(&json), cg_span_str(cg_vector("tlsls:json")));
    CHECK_OK(cg_cert_write(&cert, cg_vector_hex("tlsls:wallet_doc"), CG_LIT("staple"), &full));
    CHECK_OK(cg_sha256(cg_buf_span(&full), &hash));
    CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex("tlsls:with_unsigned_sha256"));
    CHECK_OK(read_and_verify(cg_buf_span(&full)));
}

TEST(bad_certificates_are_refused_for_their_reason)
{
    struct cg_span good = cg_vector_hex("tlsls:document");

    for (size_t i = 0; i < cg_vector_count("tlsls:bad"); i++) {
        struct cg_span wire = cg_vector_cut(good, cg_vector_at("tlsls:bad.%zu", i));

        CHECK(cg_vector_expects(cg_vector_at("tlsls:bad.%zu", i), read_and_verify(wire)));
    }
}

TEST(rightly_signed_certificates_that_say_something_wrong_are_refused_for_it)
{
    struct cg_span good = cg_vector_hex("tlsls:payload");

    for (size_t i = 0; i < cg_vector_count("tlsls:resigned"); i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        struct cg_span sigs = cg_vector_hex(cg_vector_at("tlsls:resigned.%zu.signature", i));
        struct cg_cose cose = {
            .type = CG_DOC_TLSLS,
            .body_protected = cg_vector_hex("tlsls:body_protected"),
            .payload = cg_vector_cut(good, cg_vector_at("tlsls:resigned.%zu", i)),
            .sig_ed25519 = cg_span_first(sigs, CG_ED25519_SIG_BYTES),
            .sig_mldsa87 = cg_span_from(sigs, CG_ED25519_SIG_BYTES),
        };

        cg_buf_init(&wire, CG_CERT_MAX_BYTES);
        CHECK_OK(cg_cose_write(&cose, &wire));
        CHECK_OK(cg_cose_check(&cose, cg_test_verifier(FIXTURE_GATEWAY)));
        CHECK(cg_vector_expects(cg_vector_at("tlsls:resigned.%zu", i),
                                read_and_verify(cg_buf_span(&wire))));
    }
}

SUITE(cert_vectors, T(the_certificate_has_every_form_of_the_vectors),
      T(bad_certificates_are_refused_for_their_reason),
      T(rightly_signed_certificates_that_say_something_wrong_are_refused_for_it))
