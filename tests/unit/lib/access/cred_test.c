#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/access/cred.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/cose.h"

static struct cg_did_state owner_of(void)
{
    struct cg_did_state owner;

    CHECK_OK(cg_did_begin(cg_vector_hex("role:owner_doc"), &owner));
    return owner;
}

static cg_err verify(struct cg_span wire)
{
    const struct cg_did_state owner = owner_of();
    struct cg_cred cred = {.until = {77}};
    cg_err err = cg_cred_verify(cg_test_crypto(), wire, &owner, &cred);

    if (err != CG_OK)
        CHECK_INT(cred.until.s, 77);
    return err;
}

TEST(the_credential_is_what_the_vectors_say)
{
    const struct cg_did_state owner = owner_of();
    struct cg_cred cred;
    char did[CG_DID_CHARS + 1];

    CHECK_OK(cg_cred_verify(cg_test_crypto(), cg_vector_hex("role:document"), &owner, &cred));
    cg_did_write(&cred.owner, did);
    CHECK_SPAN(cg_span_str(did), cg_span_str(cg_vector("role:owner")));
    CHECK_SPAN(cg_span_str(cred.wallet.text), cg_span_str(cg_vector("role:wallet")));
    CHECK_SPAN(cred.aud, cg_span_str(cg_vector("role:aud")));
    CHECK_SPAN(cred.role, cg_span_str(cg_vector("role:role")));
    CHECK_INT(cred.until.s, cg_vector_uint("role:until"));
}

TEST(an_issued_credential_verifies_and_says_the_same)
{
    const struct cg_did_state owner = owner_of();
    CG_AUTO(buf) struct cg_buf wire = {0};
    const struct cg_signer *signer = cg_test_signer(0x40);
    struct cg_cred cred, again;
    uint8_t nonce[CG_CRED_NONCE_BYTES];

    memcpy(nonce, cg_vector_hex("role:nonce").at, sizeof nonce);
    CHECK_OK(cg_cred_open(cg_vector_hex("role:document"), &cred));
    cg_buf_init(&wire, CG_CRED_MAX_BYTES);
    CHECK_OK(cg_cred_issue(signer, &cred, nonce, &wire));
    CHECK_SPAN(cg_buf_span(&wire), cg_vector_hex("role:document"));
    CHECK_OK(cg_cred_verify(cg_test_crypto(), cg_buf_span(&wire), &owner, &again));
    CHECK_SPAN(again.role, cred.role);

    /* What could not be read again is not signed. */
    size_t before = wire.len;
    cred.role = CG_LIT("Auditor");
    CHECK_ERR(cg_cred_issue(signer, &cred, nonce, &wire), CG_SCHEMA);
    cred.role = CG_LIT("auditor"), cred.aud = CG_LIT("");
    CHECK_ERR(cg_cred_issue(signer, &cred, nonce, &wire), CG_SCHEMA);
    cred.aud = CG_LIT("web"), cred.until.s = -1;
    CHECK_ERR(cg_cred_issue(signer, &cred, nonce, &wire), CG_SCHEMA);
    CHECK_INT(wire.len, before);
}

TEST(credentials_that_say_something_wrong_are_refused_for_it)
{
    for (size_t i = 0; i < cg_vector_count("role:resigned"); i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        struct cg_span sigs = cg_vector_hex(cg_vector_at("role:resigned.%zu.signature", i));
        struct cg_cose cose;

        CHECK_OK(cg_cose_read(cg_vector_hex("role:document"), CG_DOC_ROLE, &cose));
        cose.payload =
            cg_vector_cut(cg_vector_hex("role:payload"), cg_vector_at("role:resigned.%zu", i));
        cose.sig_ed25519 = cg_span_first(sigs, CG_ED25519_SIG_BYTES);
        cose.sig_mldsa87 = cg_span_from(sigs, CG_ED25519_SIG_BYTES);
        cg_buf_init(&wire, CG_CRED_MAX_BYTES);
        CHECK_OK(cg_cose_write(&cose, &wire));
        CHECK(cg_vector_expects(cg_vector_at("role:resigned.%zu", i), verify(cg_buf_span(&wire))));
    }
}

TEST(credentials_that_nobody_signed_so_are_refused)
{
    for (size_t i = 0; i < cg_vector_count("role:bad"); i++) {
        const char *row = cg_vector_at("role:bad.%zu", i);

        CHECK(cg_vector_expects(row, verify(cg_vector_cut(cg_vector_hex("role:document"), row))));
    }
}

TEST(every_beginning_of_a_credential_is_too_short)
{
    struct cg_span document = cg_vector_hex("role:document");
    struct cg_cred cred = {.until = {77}};

    for (size_t n = 0; n < document.len; n++)
        CHECK_ERR(cg_cred_open(cg_span_first(document, n), &cred), CG_SHORT);
    CHECK_INT(cred.until.s, 77);
}

TEST(the_owners_keys_of_now_count)
{
    struct cg_did_state owner = owner_of();
    struct cg_cred cred = {.until = {77}};

    owner.keys = *cg_signer_public(cg_test_signer(0x60)); /* rotated since */
    CHECK_ERR(cg_cred_verify(cg_test_crypto(), cg_vector_hex("role:document"), &owner, &cred),
              CG_SIGNATURE);
    owner = owner_of();
    owner.is_deactivated = true;
    CHECK_ERR(cg_cred_verify(cg_test_crypto(), cg_vector_hex("role:document"), &owner, &cred),
              CG_REVOKED);
    CHECK_INT(cred.until.s, 77);
}

TEST(it_counts_for_its_profile_wallet_and_time)
{
    struct cg_cred cred;

    CHECK_OK(cg_cred_open(cg_vector_hex("role:document"), &cred));
    for (size_t i = 0; i < cg_vector_count("role:counts"); i++) {
        struct cg_waddr owner, wallet;
        const struct cg_wall now = {
            (int64_t)cg_vector_uint(cg_vector_at("role:counts.%zu.now", i))};
        bool want = strcmp(cg_vector(cg_vector_at("role:counts.%zu.counts", i)), "yes") == 0;

        CHECK_OK(cg_waddr_read(
            cg_span_str(cg_vector(cg_vector_at("role:counts.%zu.profile_owner", i))), &owner));
        CHECK_OK(cg_waddr_read(cg_span_str(cg_vector(cg_vector_at("role:counts.%zu.caller", i))),
                               &wallet));
        struct cg_span aud = cg_span_str(cg_vector(cg_vector_at("role:counts.%zu.profile", i)));
        CHECK_INT(cg_cred_counts(&cred, &owner, aud, &wallet, now), want);
    }
}

SUITE(cred, T(the_credential_is_what_the_vectors_say),
      T(an_issued_credential_verifies_and_says_the_same),
      T(credentials_that_say_something_wrong_are_refused_for_it),
      T(credentials_that_nobody_signed_so_are_refused),
      T(every_beginning_of_a_credential_is_too_short), T(the_owners_keys_of_now_count),
      T(it_counts_for_its_profile_wallet_and_time))
