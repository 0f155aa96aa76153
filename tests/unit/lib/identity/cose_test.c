#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/identity/cose.h"

#define GATEWAY 0x40
#define NOTHING ((struct cg_span){NULL, 0})

/* Places in the document of the vectors: tag, array, body header, unprotected map, payload, then
 * the array of signatures and its two members. */
#define BODY_AT 3
#define UNPROTECTED_AT (BODY_AT + 2 + 41)
#define PAYLOAD_AT (UNPROTECTED_AT + 1)
#define SIGS_AT (PAYLOAD_AT + 3 + 3136)
#define ED_AT (SIGS_AT + 1)
#define ED_LEN (1 + 4 + 1 + 2 + 64)
#define ML_AT (ED_AT + ED_LEN)
#define ML_LEN (1 + 5 + 1 + 3 + 4627)

static struct cg_span good(void)
{
    return cg_vector_hex("v1:tlsls.cose_without_unprotected");
}

static struct cg_span part(size_t at, size_t len)
{
    return cg_span_of(good().at + at, len);
}

/* The document with other bytes from at up to until. */
static cg_err read_with(size_t at, size_t until, struct cg_span other)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cose cose;

    cg_buf_init(&wire, 2 * CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_buf_add(&wire, cg_span_first(good(), at)));
    CHECK_OK(cg_buf_add(&wire, other));
    CHECK_OK(cg_buf_add(&wire, cg_span_from(good(), until)));
    return cg_cose_read(cg_buf_span(&wire), CG_DOC_TLSLS, &cose);
}

TEST(issues_the_document_of_the_vectors)
{
    CG_AUTO(buf) struct cg_buf wire = {0};

    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_cose_issue(cg_test_signer(GATEWAY), CG_DOC_TLSLS, cg_vector_hex("v1:tlsls.payload"),
                           NOTHING, NOTHING, &wire));
    CHECK_SPAN(cg_buf_span(&wire), good());
}

TEST(takes_the_document_of_the_vectors_apart_and_verifies_it)
{
    struct cg_cose cose;

    CHECK_INT(good().len, ML_AT + ML_LEN);
    CHECK_OK(cg_cose_read(good(), CG_DOC_TLSLS, &cose));
    CHECK_SPAN(cose.body_protected, cg_vector_hex("v1:tlsls.body_protected"));
    CHECK_SPAN(cose.payload, cg_vector_hex("v1:tlsls.payload"));
    CHECK_SPAN(cose.sig_ed25519, cg_vector_hex("v1:tlsls.sig_ed25519"));
    CHECK_SPAN(cose.sig_mldsa87, cg_vector_hex("v1:tlsls.sig_mldsa87"));
    CHECK(cose.wallet_doc.len == 0 && cose.staple.len == 0);
    CHECK_OK(cg_cose_check(&cose, cg_test_verifier(GATEWAY)));
    CHECK_ERR(cg_cose_check(&cose, cg_test_verifier(0)), CG_SIGNATURE);
}

TEST(what_travels_unsigned_is_carried_and_replaced)
{
    CG_AUTO(buf) struct cg_buf wire = {0}, bare = {0};
    struct cg_cose cose, again;

    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&bare, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_cose_issue(cg_test_signer(GATEWAY), CG_DOC_TLSLS, cg_vector_hex("v1:tlsls.payload"),
                           CG_LIT("wallet"), CG_LIT("staple"), &wire));
    CHECK_OK(cg_cose_read(cg_buf_span(&wire), CG_DOC_TLSLS, &cose));
    CHECK_SPAN(cose.wallet_doc, CG_LIT("wallet"));
    CHECK_SPAN(cose.staple, CG_LIT("staple"));
    again = cose;
    again.wallet_doc = again.staple = NOTHING;
    CHECK_OK(cg_cose_write(&again, &bare));
    CHECK_SPAN(cg_buf_span(&bare), good());
    for (size_t n = 0; n < wire.len; n++)
        CHECK_ERR(cg_cose_read(cg_span_first(cg_buf_span(&wire), n), CG_DOC_TLSLS, &cose),
                  CG_SHORT);
}

TEST(the_unprotected_header_is_a_closed_schema)
{
    /* {"staple": 'x'}, {"wallet_doc": 'x'} and both, in their order */
    const char *const fine[] = {"a0", "a166737461706c654178", "a16a77616c6c65745f646f634178",
                                "a266737461706c6541786a77616c6c65745f646f634178"};
    const struct {
        const char *map;
        cg_err want;
    } bad[] = {
        {"a26a77616c6c65745f646f63417866737461706c654178", CG_SCHEMA}, /* unsorted */
        {"a266737461706c65417866737461706c654178", CG_SCHEMA},         /* twice */
        {"a166737461706c6540", CG_SCHEMA},                             /* empty */
        {"a1637374614178", CG_SCHEMA},                                 /* unknown */
        {"a1010a", CG_SCHEMA},                                         /* a COSE header */
        {"a366737461706c6541786a77616c6c65745f646f634178617a4178", CG_SCHEMA},
        {"a166737461706c656178", CG_SCHEMA},      /* text */
        {"a166737461706c65580178", CG_CANONICAL}, /* a length written long */
        {"bf66737461706c654178ff", CG_CANONICAL}, /* an indefinite length */
        {"80", CG_SCHEMA},
        {"f6", CG_SCHEMA},
    };

    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        CHECK_OK(read_with(UNPROTECTED_AT, PAYLOAD_AT, cg_unhex(fine[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERR(read_with(UNPROTECTED_AT, PAYLOAD_AT, cg_unhex(bad[i].map)), bad[i].want);
}

TEST(a_signature_left_out_doubled_swapped_or_added_is_refused)
{
    CG_AUTO(buf) struct cg_buf other = {0};
    const size_t end = ML_AT + ML_LEN;

    cg_buf_init(&other, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(read_with(SIGS_AT, end, part(SIGS_AT, end - SIGS_AT)));

    /* Ed25519 alone: as an array of one, and of two that ends. */
    CHECK_OK(cg_buf_add(&other, cg_unhex("81")));
    CHECK_OK(cg_buf_add(&other, part(ED_AT, ED_LEN)));
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SCHEMA);
    other.at[0] = 0x82;
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SHORT);

    /* ML-DSA alone. */
    cg_buf_clear(&other);
    CHECK_OK(cg_buf_add(&other, cg_unhex("81")));
    CHECK_OK(cg_buf_add(&other, part(ML_AT, ML_LEN)));
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SCHEMA);
    other.at[0] = 0x82;
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SCHEMA);

    /* Swapped, Ed25519 twice, a third one. */
    cg_buf_clear(&other);
    CHECK_OK(cg_buf_add(&other, cg_unhex("82")));
    CHECK_OK(cg_buf_add(&other, part(ML_AT, ML_LEN)));
    CHECK_OK(cg_buf_add(&other, part(ED_AT, ED_LEN)));
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SCHEMA);
    cg_buf_clear(&other);
    CHECK_OK(cg_buf_add(&other, cg_unhex("82")));
    CHECK_OK(cg_buf_add(&other, part(ED_AT, ED_LEN)));
    CHECK_OK(cg_buf_add(&other, part(ED_AT, ED_LEN)));
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SCHEMA);
    cg_buf_clear(&other);
    CHECK_OK(cg_buf_add(&other, cg_unhex("83")));
    CHECK_OK(cg_buf_add(&other, part(ED_AT, ED_LEN + ML_LEN)));
    CHECK_OK(cg_buf_add(&other, part(ED_AT, ED_LEN)));
    CHECK_ERR(read_with(SIGS_AT, end, cg_buf_span(&other)), CG_SCHEMA);
}

TEST(headers_say_what_they_must_and_nothing_else)
{
    const struct {
        size_t at;
        uint8_t value;
        cg_err want;
    } changes[] = {
        {0, 0xd2, CG_SCHEMA},                  /* COSE_Sign1's tag, 18 */
        {1, 97, CG_SCHEMA},                    /* COSE_Mac */
        {2, 0x85, CG_SCHEMA},                  /* five members */
        {BODY_AT, 0x78, CG_SCHEMA},            /* text for bytes */
        {BODY_AT + 4, 0x82, CG_SCHEMA},        /* crit of two */
        {BODY_AT + 7, 'x', CG_SCHEMA},         /* crit names another header */
        {BODY_AT + 25, 'x', CG_SCHEMA},        /* another type */
        {UNPROTECTED_AT - 1, 0x30, CG_SCHEMA}, /* hsig lists -49 */
        {UNPROTECTED_AT - 3, 0x31, CG_SCHEMA}, /* hsig lists -18 */
        {ED_AT + 4, 0x33, CG_SCHEMA},          /* the first signer says -20 */
        {ED_AT + 5, 0xa1, CG_SCHEMA},          /* its unprotected map is not empty */
        {ED_AT + 7, 0x3f, CG_SCHEMA},          /* 63 bytes */
        {ML_AT + 5, 0x30, CG_SCHEMA},          /* the second says -49 */
        {ML_AT + 9, 0x12, CG_SCHEMA},          /* 4626 bytes */
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct cg_span byte = cg_span_of(&changes[i].value, 1);

        CHECK_ERR(read_with(changes[i].at, changes[i].at + 1, byte), changes[i].want);
    }
    /* A label of another document, and one byte more at the end. */
    struct cg_cose cose;
    CHECK_ERR(cg_cose_read(good(), CG_DOC_DIDOP, &cose), CG_SCHEMA);
    CHECK_ERR(read_with(good().len, good().len, CG_LIT("x")), CG_EXTRA);
}

TEST(other_forms_of_the_same_numbers_are_refused)
{
    CHECK_ERR(read_with(0, 2, cg_unhex("d90062")), CG_CANONICAL); /* tag 98 written long */
    CHECK_ERR(read_with(2, 3, cg_unhex("9804")), CG_CANONICAL);   /* four members, long */
    CHECK_ERR(read_with(2, 3, cg_unhex("9f")), CG_CANONICAL);     /* indefinite */
    CHECK_ERR(read_with(BODY_AT, BODY_AT + 2, cg_unhex("590029")), CG_CANONICAL);
    CHECK_ERR(read_with(PAYLOAD_AT, PAYLOAD_AT + 3, cg_unhex("5a00000c40")), CG_CANONICAL);
    CHECK_ERR(read_with(PAYLOAD_AT, PAYLOAD_AT + 3, cg_unhex("5f590c40")), CG_CANONICAL);
    CHECK_ERR(read_with(SIGS_AT, SIGS_AT + 1, cg_unhex("9802")), CG_CANONICAL);
}

TEST(a_payload_is_one_canonical_item)
{
    /* {"a": 1, "b": 2} in forms that are not the one */
    const struct {
        const char *payload;
        cg_err want;
    } cases[] = {
        {"47a2616101616202", CG_OK},
        {"47a2616201616102", CG_CANONICAL},
        {"47a2616101616102", CG_CANONICAL},
        {"48a261611801616202", CG_CANONICAL},
        {"48bf616101616202ff", CG_CANONICAL},
        {"48a261610161620200", CG_EXTRA},
        {"46a26161016162", CG_SHORT},
        {"43f93c00", CG_SCHEMA},
        {"40", CG_SHORT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_ERR(read_with(PAYLOAD_AT, SIGS_AT, cg_unhex(cases[i].payload)), cases[i].want);
}

TEST(every_altered_signed_byte_breaks_both_signatures)
{
    static uint8_t wire[8192];
    struct cg_cose cose;

    memcpy(wire, good().at, good().len);
    /* In the payload, in each signature; a step that meets all of them. */
    for (size_t at = PAYLOAD_AT + 3; at < good().len; at += 61) {
        wire[at] ^= 1;
        if (cg_cose_read(cg_span_of(wire, good().len), CG_DOC_TLSLS, &cose) == CG_OK)
            CHECK_ERR(cg_cose_check(&cose, cg_test_verifier(GATEWAY)), CG_SIGNATURE);
        wire[at] ^= 1;
    }
}

TEST(one_half_of_another_document_is_not_enough)
{
    CG_AUTO(buf) struct cg_buf other = {0};
    struct cg_cose cose, second;

    cg_buf_init(&other, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_cose_issue(cg_test_signer(GATEWAY), CG_DOC_TLSLS, cg_unhex("a0"), NOTHING, NOTHING,
                           &other));
    CHECK_OK(cg_cose_read(cg_buf_span(&other), CG_DOC_TLSLS, &second));
    CHECK_OK(cg_cose_read(good(), CG_DOC_TLSLS, &cose));
    struct cg_span sig = cose.sig_mldsa87;
    cose.sig_mldsa87 = second.sig_mldsa87;
    CHECK_ERR(cg_cose_check(&cose, cg_test_verifier(GATEWAY)), CG_SIGNATURE);
    cose.sig_mldsa87 = sig;
    cose.sig_ed25519 = second.sig_ed25519;
    CHECK_ERR(cg_cose_check(&cose, cg_test_verifier(GATEWAY)), CG_SIGNATURE);
}

TEST(a_document_of_one_type_does_not_verify_as_another)
{
    struct cg_cose cose;

    CHECK_OK(cg_cose_read(good(), CG_DOC_TLSLS, &cose));
    cose.type = CG_DOC_POLICY;
    CHECK_ERR(cg_cose_check(&cose, cg_test_verifier(GATEWAY)), CG_SIGNATURE);
}

TEST(every_type_is_written_and_read_and_has_a_label_of_its_own)
{
    for (size_t type = 0; type < CG_DOC_COUNT; type++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        struct cg_cose cose;

        cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
        CHECK_OK(cg_cose_issue(cg_test_signer(0), (enum cg_doc_type)type, cg_unhex("a0"), NOTHING,
                               NOTHING, &wire));
        for (size_t other = 0; other < CG_DOC_COUNT; other++)
            CHECK_ERR(cg_cose_read(cg_buf_span(&wire), (enum cg_doc_type)other, &cose),
                      other == type ? CG_OK : CG_SCHEMA);
        CHECK_OK(cg_cose_read(cg_buf_span(&wire), (enum cg_doc_type)type, &cose));
        CHECK_OK(cg_cose_check(&cose, cg_test_verifier(0)));
    }
}

TEST(documents_are_limited)
{
    static uint8_t big[CG_DOCUMENT_MAX_BYTES + 1];
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cose cose;

    cg_buf_init(&wire, 2 * CG_DOCUMENT_MAX_BYTES);
    CHECK_ERR(cg_cose_read(CG_BYTES(big), CG_DOC_TLSLS, &cose), CG_TOO_LARGE);
    CHECK_OK(cg_cose_read(good(), CG_DOC_TLSLS, &cose));
    /* Its key takes 7 bytes, its length 5. */
    cose.staple = cg_span_of(big, CG_DOCUMENT_MAX_BYTES - good().len - 7 - 5 + 1);
    CHECK_ERR(cg_cose_write(&cose, &wire), CG_TOO_LARGE);
    CHECK_INT(wire.len, 0);
    cose.staple.len--;
    CHECK_OK(cg_cose_write(&cose, &wire));
    CHECK_INT(wire.len, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_cose_read(cg_buf_span(&wire), CG_DOC_TLSLS, &cose));
}

/* H(TUP("httpcg-object/v1"; body_protected, payload)): what the ledger's first entry holds. */
TEST(the_object_digest_is_of_what_is_signed)
{
    struct cg_cose cose;
    struct cg_hash digest;
    struct cg_span entry = cg_vector_hex("v1:ledger.entries.0");

    CHECK_OK(cg_cose_read(good(), CG_DOC_TLSLS, &cose));
    CHECK_OK(cg_cose_digest(&cose, &digest));
    CHECK(memmem(entry.at, entry.len, digest.bytes, CG_HASH_BYTES) != NULL);
    cose.staple = CG_LIT("another staple");
    struct cg_hash same;
    CHECK_OK(cg_cose_digest(&cose, &same));
    CHECK_SPAN(cg_hash_span(&same), cg_hash_span(&digest));
}

SUITE(cose, T(issues_the_document_of_the_vectors),
      T(takes_the_document_of_the_vectors_apart_and_verifies_it),
      T(what_travels_unsigned_is_carried_and_replaced),
      T(the_unprotected_header_is_a_closed_schema),
      T(a_signature_left_out_doubled_swapped_or_added_is_refused),
      T(headers_say_what_they_must_and_nothing_else),
      T(other_forms_of_the_same_numbers_are_refused), T(a_payload_is_one_canonical_item),
      T(every_altered_signed_byte_breaks_both_signatures),
      T(one_half_of_another_document_is_not_enough),
      T(a_document_of_one_type_does_not_verify_as_another),
      T(every_type_is_written_and_read_and_has_a_label_of_its_own), T(documents_are_limited),
      T(the_object_digest_is_of_what_is_signed))
