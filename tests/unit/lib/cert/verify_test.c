#include "tests/unit/lib/cert/fixture.h"

#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/try.h"
#include "lib/cert/payload.h"
#include "lib/identity/cose.h"
#include "lib/identity/didop.h"

static struct cg_cert good_cert(void)
{
    struct cg_cert cert = {0};

    CHECK_OK(cg_cert_read(cg_vector_hex("v1:tlsls.cose_without_unprotected"), &cert));
    return cert;
}

static cg_err verify(const struct cg_cert *cert, const struct cg_cert_expect *expect)
{
    return cg_cert_verify(cg_test_crypto(), cert, expect, NULL, NULL);
}

/* Checks that step failed with want, that all before passed and none after was reached. */
static void fails_at(const struct cg_cert *cert, const struct cg_cert_expect *expect,
                     enum cg_cert_step step, cg_err want)
{
    struct cg_cert_checks checks;
    struct cg_did_state did = {.seq = 77};

    CHECK_ERR(cg_cert_verify(cg_test_crypto(), cert, expect, &checks, &did), want);
    for (size_t i = 0; i < CG_CERT_STEP_COUNT; i++)
        CHECK_INT(checks.verdict[i], i < step ? CG_PASSED : i == step ? CG_FAILED : CG_NOT_REACHED);
    CHECK_INT(did.seq, 77);
}

TEST(the_certificate_of_the_vectors_passes_every_check)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    struct cg_cert_checks checks;
    struct cg_did_state did;

    CHECK_OK(cg_cert_verify(cg_test_crypto(), &cert, &expect, &checks, &did));
    for (size_t i = 0; i < CG_CERT_STEP_COUNT; i++) {
        CHECK_INT(checks.verdict[i], CG_PASSED);
        CHECK(strlen(cg_cert_step_text((enum cg_cert_step)i)) > 10);
    }
    CHECK(cg_waddr_eq(&did.waddr, &cert.subject));
    CHECK_INT(did.seq, 0);
}

TEST(the_wallet_document_may_travel_beside_it)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cert cert = good_cert(), carried;
    struct cg_cert_expect expect = fixture_expect();

    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    expect.wallet_doc = FIXTURE_NOTHING;
    CHECK_OK(cg_cert_write(&cert, fixture_wallet_doc(), FIXTURE_NOTHING, &wire));
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &carried));
    CHECK_OK(verify(&carried, &expect));
    fails_at(&cert, &expect, CG_CERT_DID, CG_SHORT);
}

TEST(a_ledger_leaves_out_what_belongs_to_a_connection)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = {.now = {FIXTURE_NOW}, .any_role = true};
    struct cg_cert_checks checks;

    expect.wallet_doc = fixture_wallet_doc();
    CHECK_OK(cg_cert_verify(cg_test_crypto(), &cert, &expect, &checks, NULL));
    CHECK_INT(checks.verdict[CG_CERT_ROLE], CG_NOT_ASKED);
    CHECK_INT(checks.verdict[CG_CERT_TIMES], CG_PASSED);
    CHECK_INT(checks.verdict[CG_CERT_LEAF], CG_NOT_ASKED);
    CHECK_INT(checks.verdict[CG_CERT_NAME], CG_NOT_ASKED);
    CHECK_INT(checks.verdict[CG_CERT_SUBJECT], CG_NOT_ASKED);
    CHECK_INT(checks.verdict[CG_CERT_SIGNATURES], CG_PASSED);
}

TEST(another_role_is_refused)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();

    expect.role = CG_ROLE_RELAY;
    fails_at(&cert, &expect, CG_CERT_ROLE, CG_ROLE);
}

/* issued_at <= now + 300 and now < expires_at, to the second. */
TEST(times_are_checked_to_the_second)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();

    expect.now.s = FIXTURE_NOW - 300;
    CHECK_OK(verify(&cert, &expect));
    expect.now.s = FIXTURE_NOW - 301;
    fails_at(&cert, &expect, CG_CERT_TIMES, CG_EARLY);
    expect.now.s = FIXTURE_NOW + 30 * 86400 - 1;
    CHECK_OK(verify(&cert, &expect));
    expect.now.s = FIXTURE_NOW + 30 * 86400;
    fails_at(&cert, &expect, CG_CERT_TIMES, CG_EXPIRED);
}

TEST(a_validity_of_ninety_days_is_the_longest)
{
    struct cg_cert cert = good_cert();
    const struct cg_wall now = {FIXTURE_NOW};

    cert.expires.s = cert.issued.s + 7776000;
    CHECK_OK(cg_cert_check_times(&cert, now));
    CHECK_ERR(cg_cert_check_times(&cert, (struct cg_wall){INT64_MAX}), CG_EXPIRED);
    CHECK_ERR(cg_cert_check_times(&cert, (struct cg_wall){INT64_MIN}), CG_EARLY);
    cert.expires.s++;
    CHECK_ERR(cg_cert_check_times(&cert, now), CG_TOO_LARGE);
    cert.expires.s = INT64_MAX;
    cert.issued.s = 0;
    CHECK_ERR(cg_cert_check_times(&cert, now), CG_TOO_LARGE);
    cert.expires = cert.issued;
    CHECK_ERR(cg_cert_check_times(&cert, now), CG_SCHEMA);
    cert.issued.s++;
    CHECK_ERR(cg_cert_check_times(&cert, now), CG_SCHEMA);
}

TEST(the_connection_and_the_name_must_be_listed)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    struct cg_hash other = *expect.leaf_spki;

    other.bytes[31] ^= 1;
    expect.leaf_spki = &other;
    fails_at(&cert, &expect, CG_CERT_LEAF, CG_BINDING);

    const char *const names[] = {
        "gw2.example.com", "example.com", "xgw1.example.com", "gw1.example.co", "",
        "GW1.example.com"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        expect = fixture_expect();
        expect.name = cg_span_of(names[i], strlen(names[i]));
        fails_at(&cert, &expect, CG_CERT_NAME, CG_MISMATCH);
    }
}

TEST(the_subject_must_be_one_that_may_speak_here)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    struct cg_waddr subjects[2];

    CHECK_OK(cg_waddr_read(cg_span_str(cg_vector("v1:wallet.waddr")), &subjects[0]));
    subjects[1] = cert.subject;
    expect.subjects = subjects;
    fails_at(&cert, &expect, CG_CERT_SUBJECT, CG_DENIED);
    expect.n_subjects = 0;
    fails_at(&cert, &expect, CG_CERT_SUBJECT, CG_DENIED);
    expect.n_subjects = 2;
    CHECK_OK(verify(&cert, &expect));
}

TEST(the_wallet_document_must_prove_the_subject)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();

    expect.wallet_doc = cg_vector_hex("v1:wallet.walletdoc");
    fails_at(&cert, &expect, CG_CERT_DID, CG_MISMATCH);
    expect.wallet_doc = CG_LIT("x");
    fails_at(&cert, &expect, CG_CERT_DID, CG_SCHEMA);
}

TEST(a_transport_key_that_proves_nothing_is_refused)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();

    memset(cert.transport.ed25519, 0, sizeof cert.transport.ed25519);
    fails_at(&cert, &expect, CG_CERT_DID, CG_KEY);
}

/* Yesterday the gateway's keys were rotated away; the certificate is by the old ones. */
TEST(old_keys_do_not_sign_for_a_did_that_was_rotated)
{
    CG_AUTO(buf) struct cg_buf op = {0}, doc = {0};
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    struct cg_did_state state;

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&doc, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_did_begin(fixture_wallet_doc(), &state));
    CHECK_OK(
        cg_didop_issue(cg_test_signer(FIXTURE_GATEWAY_NEXT), CG_DIDOP_ROTATE, &state, NULL, &op));
    CHECK_OK(cg_did_append(fixture_wallet_doc(), cg_buf_span(&op), &doc));
    expect.wallet_doc = cg_buf_span(&doc);
    fails_at(&cert, &expect, CG_CERT_SIGNATURES, CG_SIGNATURE);

    /* And the new ones do. */
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cert_ask ask = fixture_ask();
    struct cg_did_state did;
    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    CHECK_OK(cg_cert_issue(cg_test_signer(FIXTURE_GATEWAY_NEXT), &ask, cg_buf_span(&doc),
                           CG_LIT("staple"), &wire));
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
    expect.wallet_doc = FIXTURE_NOTHING;
    CHECK_OK(cg_cert_verify(cg_test_crypto(), &cert, &expect, NULL, &did));
    CHECK_INT(did.seq, 1);
}

TEST(a_deactivated_did_has_no_certificates)
{
    CG_AUTO(buf) struct cg_buf op = {0}, doc = {0};
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    struct cg_did_state state;

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&doc, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_did_begin(fixture_wallet_doc(), &state));
    CHECK_OK(cg_didop_issue(cg_test_signer(FIXTURE_GATEWAY_NEXT), CG_DIDOP_DEACTIVATE, &state, NULL,
                            &op));
    CHECK_OK(cg_did_append(fixture_wallet_doc(), cg_buf_span(&op), &doc));
    expect.wallet_doc = cg_buf_span(&doc);
    fails_at(&cert, &expect, CG_CERT_DID, CG_REVOKED);
}

/* Signs a payload that was changed after its anchor was made. */
static void reissue(const struct cg_cert *cert, const char *anchor, struct cg_buf *out)
{
    uint8_t room[CG_CERT_PAYLOAD_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    cg_cert_payload_write(cert, cg_span_str(anchor), &w);
    CHECK_OK(cg_writer_end(&w));
    CHECK_OK(cg_cose_issue(cg_test_signer(FIXTURE_GATEWAY), CG_DOC_TLSLS, cg_writer_span(&w),
                           FIXTURE_NOTHING, FIXTURE_NOTHING, out));
}

TEST(the_anchor_commits_to_every_member)
{
    const struct cg_cert good = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    const struct cg_span other_name = CG_LIT("gw2.example.com");

    for (int i = 0; i < 9; i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        struct cg_cert cert = good;

        expect = fixture_expect();
        switch (i) {
        case 0:
            cert.role = expect.role = CG_ROLE_RELAY;
            break;
        case 1:
            cert.spki[cert.n_spki++] = (struct cg_hash){{9}};
            break;
        case 2:
            cert.names[cert.n_names++] = other_name;
            break;
        case 3:
            cert.serial[0] ^= 1;
            break;
        case 4:
            cert.issued.s--;
            break;
        case 5:
            cert.expires.s++;
            break;
        case 6:
            cert.policy_hash.bytes[0] ^= 1;
            break;
        case 7:
            cert.transport.ed25519[5] ^= 1;
            break;
        case 8:
            cert.transport.mldsa87[5] ^= 1;
            break;
        }
        cg_buf_init(&wire, CG_CERT_MAX_BYTES);
        reissue(&cert, cg_vector("v1:tlsls.anchor"), &wire);
        CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
        fails_at(&cert, &expect, CG_CERT_ANCHORED, CG_PROOF);
    }
}

TEST(a_log_must_be_known)
{
    struct cg_cert cert = good_cert();
    struct cg_cert_expect expect = fixture_expect();
    struct cg_log_id logs[2] = {{{1}}, *expect.logs};

    expect.logs = logs;
    expect.n_logs = 1;
    fails_at(&cert, &expect, CG_CERT_ANCHORED, CG_UNKNOWN);
    expect.n_logs = 0;
    fails_at(&cert, &expect, CG_CERT_ANCHORED, CG_UNKNOWN);
    expect.n_logs = 2;
    CHECK_OK(verify(&cert, &expect));
}

/* Every byte of what is signed: whatever still parses fails one of the checks. */
TEST(no_altered_certificate_verifies)
{
    static uint8_t wire[8192];
    struct cg_span good = cg_vector_hex("v1:tlsls.cose_without_unprotected");
    struct cg_cert_expect expect = fixture_expect();
    unsigned n_parsed = 0;

    memcpy(wire, good.at, good.len);
    for (size_t i = 0; i < good.len; i += i < 700 ? 1 : 23) {
        struct cg_cert cert;

        wire[i] ^= 1;
        if (cg_cert_read(cg_span_of(wire, good.len), &cert) == CG_OK) {
            n_parsed++;
            CHECK(verify(&cert, &expect) != CG_OK);
        }
        wire[i] ^= 1;
    }
    CHECK(n_parsed > 100);
}

SUITE(verify, T(the_certificate_of_the_vectors_passes_every_check),
      T(the_wallet_document_may_travel_beside_it),
      T(a_ledger_leaves_out_what_belongs_to_a_connection), T(another_role_is_refused),
      T(times_are_checked_to_the_second), T(a_validity_of_ninety_days_is_the_longest),
      T(the_connection_and_the_name_must_be_listed), T(the_subject_must_be_one_that_may_speak_here),
      T(the_wallet_document_must_prove_the_subject),
      T(a_transport_key_that_proves_nothing_is_refused),
      T(old_keys_do_not_sign_for_a_did_that_was_rotated), T(a_deactivated_did_has_no_certificates),
      T(the_anchor_commits_to_every_member), T(a_log_must_be_known),
      T(no_altered_certificate_verifies))
