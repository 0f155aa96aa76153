#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/crypto/keyfile.h"
#include "lib/crypto/sign.h"

#include <stdio.h>
#include <stdlib.h>

#define SIGNER 0x00

static enum cg_hsig_dom dom_at(const char *path)
{
    const char *name = cg_vector(path);

    for (size_t i = 0; i < CG_HSIG_DOM_COUNT; i++)
        if (strcmp(cg_hsig_dom_name((enum cg_hsig_dom)i), name) == 0)
            return (enum cg_hsig_dom)i;
    CHECK(false);
    return CG_HSIG_INBOX;
}

TEST(hsig_signs_and_verifies_every_good_case)
{
    CHECK_INT(cg_vector_count("hsig:good"), CG_HSIG_DOM_COUNT + 2);
    for (size_t i = 0; i < cg_vector_count("hsig:good"); i++) {
        enum cg_hsig_dom dom = dom_at(cg_vector_at("hsig:good.%zu.dom", i));
        struct cg_span message = cg_vector_hex(cg_vector_at("hsig:good.%zu.message", i));
        struct cg_span want = cg_vector_hex(cg_vector_at("hsig:good.%zu.signature", i));
        uint8_t sig[CG_HSIG_BYTES];

        CHECK_OK(cg_hsig_sign(cg_test_signer(SIGNER), dom, message, sig));
        CHECK_SPAN(CG_BYTES(sig), want);
        CHECK_OK(cg_hsig_verify(cg_test_verifier(SIGNER), dom, message, want));
    }
}

TEST(hsig_refuses_every_bad_case)
{
    for (size_t i = 0; i < cg_vector_count("hsig:bad"); i++) {
        enum cg_hsig_dom dom = dom_at(cg_vector_at("hsig:bad.%zu.dom", i));
        struct cg_span message = cg_vector_hex(cg_vector_at("hsig:bad.%zu.message", i));
        struct cg_span sig = cg_vector_hex(cg_vector_at("hsig:bad.%zu.signature", i));

        CHECK(cg_vector_expects(cg_vector_at("hsig:bad.%zu", i),
                                cg_hsig_verify(cg_test_verifier(SIGNER), dom, message, sig)));
    }
}

static struct cg_span message_of(size_t i, char room[32])
{
    return cg_span_of(room, (size_t)snprintf(room, 32, "message %zu", i));
}

/* Adds the messages of batch b, and signs. */
static void make_batch(size_t b, struct cg_batch *batch)
{
    size_t n = (size_t)cg_vector_uint(cg_vector_at("hsig:batch.%zu.count", b));

    cg_batch_init(batch);
    for (size_t i = 0; i < n; i++) {
        char room[32];
        size_t index;

        CHECK_OK(cg_batch_add(batch, message_of(i, room), &index));
    }
    CHECK_OK(cg_batch_sign(batch, cg_test_signer(SIGNER), CG_HSIG_SAPI_RESPONSE));
    CHECK_SPAN(CG_BYTES(batch->sig), cg_vector_hex(cg_vector_at("hsig:batch.%zu.signature", b)));
}

TEST(batches_have_the_signatures_and_proofs_of_the_vectors)
{
    static struct cg_batch batch;

    for (size_t b = 0; b < cg_vector_count("hsig:batch"); b++) {
        make_batch(b, &batch);
        for (size_t p = 0; p < cg_vector_count(cg_vector_at("hsig:batch.%zu.proofs", b)); p++) {
            size_t index =
                (size_t)cg_vector_uint(cg_vector_at("hsig:batch.%zu.proofs.%zu.index", b, p));
            CG_AUTO(buf) struct cg_buf wire = {0};
            struct cg_hash hash,
                want = cg_vector_hash(cg_vector_at("hsig:batch.%zu.proofs.%zu.wire_sha256", b, p));
            char room[32];

            cg_buf_init(&wire, CG_BATCH_MAX_BYTES);
            CHECK_OK(cg_batch_write(&batch, index, &wire));
            CHECK_OK(cg_sha256(cg_buf_span(&wire), &hash));
            CHECK(cg_hash_eq(&hash, &want));
            CHECK_OK(cg_batch_verify(cg_test_verifier(SIGNER), CG_HSIG_SAPI_RESPONSE,
                                     message_of(index, room), cg_buf_span(&wire)));
        }
    }
}

TEST(bad_batch_proofs_are_refused_for_their_reason)
{
    struct cg_span sig = cg_vector_hex("hsig:batch_bad.signature");
    struct cg_span message = cg_vector_hex("hsig:batch_bad.message");

    for (size_t i = 0; i < cg_vector_count("hsig:batch_bad.cases"); i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};

        cg_buf_init(&wire, 2 * CG_BATCH_MAX_BYTES);
        CHECK_OK(
            cg_buf_add(&wire, cg_vector_hex(cg_vector_at("hsig:batch_bad.cases.%zu.head", i))));
        CHECK_OK(cg_buf_add(&wire, cg_unhex("591253"))); /* a byte string of 4691 */
        CHECK_OK(cg_buf_add(&wire, sig));
        CHECK_OK(
            cg_buf_add(&wire, cg_vector_hex(cg_vector_at("hsig:batch_bad.cases.%zu.tail", i))));
        CHECK(cg_vector_expects(cg_vector_at("hsig:batch_bad.cases.%zu", i),
                                cg_batch_verify(cg_test_verifier(SIGNER), CG_HSIG_SAPI_RESPONSE,
                                                message, cg_buf_span(&wire))));
    }
}

TEST(bad_ed25519_keys_are_refused)
{
    CHECK_INT(cg_vector_count("hsig:ed25519_bad_keys"), 18);
    for (size_t i = 0; i < cg_vector_count("hsig:ed25519_bad_keys"); i++)
        CHECK_ERR(
            cg_ed25519_key_check(cg_vector_hex(cg_vector_at("hsig:ed25519_bad_keys.%zu", i)).at),
            CG_KEY);
}

static cg_err verify_with(enum cg_alg alg, struct cg_span public, struct cg_span context,
                          struct cg_span message, struct cg_span sig)
{
    struct cg_verify_key *key;

    CG_TRY(cg_verify_key_new(cg_test_crypto(), alg, public, &key));
    cg_err err = cg_verify(key, context, message, sig);
    cg_verify_key_free(key);
    return err;
}

/* RFC 8032, 5.1.7: the equation without the cofactor, R and S in their one spelling. */
TEST(ed25519_is_judged_at_its_edges_as_everywhere)
{
    CHECK_INT(cg_vector_count("ed25519:cases"), 86);
    for (size_t i = 0; i < cg_vector_count("ed25519:cases"); i++) {
        struct cg_span public = cg_vector_hex(cg_vector_at("ed25519:cases.%zu.public", i));
        struct cg_span message = cg_vector_hex(cg_vector_at("ed25519:cases.%zu.message", i));
        struct cg_span sig = cg_vector_hex(cg_vector_at("ed25519:cases.%zu.signature", i));

        CHECK(cg_vector_expects(
            cg_vector_at("ed25519:cases.%zu", i),
            verify_with(CG_ALG_ED25519, public, (struct cg_span){NULL, 0}, message, sig)));
    }
}

static cg_err verify_mldsa87(const char *path, struct cg_span public, struct cg_span sig)
{
    char copy[64];

    snprintf(copy, sizeof copy, "%s", path);
    return verify_with(CG_ALG_MLDSA87, public, cg_vector_hex(cg_vector_at("%s.context", copy)),
                       cg_vector_hex(cg_vector_at("%s.message", copy)), sig);
}

/* FIPS 204, Algorithm 3. */
TEST(mldsa87_verifies_what_others_signed_and_refuses_what_others_spoilt)
{
    struct cg_span public = cg_vector_hex("mldsa87:wycheproof.public");
    struct cg_span good = cg_vector_hex("mldsa87:wycheproof.signature");

    CHECK_INT(cg_vector_count("mldsa87:acvp.cases"), 7);
    for (size_t i = 0; i < cg_vector_count("mldsa87:acvp.cases"); i++) {
        const char *path = cg_vector_at("mldsa87:acvp.cases.%zu", i);

        CHECK(cg_vector_expects(path,
                                verify_mldsa87(path, cg_vector_hex(cg_vector_at("%s.public", path)),
                                               cg_vector_hex(cg_vector_at("%s.signature", path)))));
    }
    CHECK_INT(cg_vector_count("mldsa87:wycheproof.cases"), 22);
    for (size_t i = 0; i < cg_vector_count("mldsa87:wycheproof.cases"); i++) {
        const char *path = cg_vector_at("mldsa87:wycheproof.cases.%zu", i);

        CHECK(cg_vector_expects(path, verify_mldsa87(path, public, cg_vector_cut(good, path))));
    }
}

static const char *good_file(size_t i, const char *member)
{
    return cg_vector(cg_vector_at("keyfile:good.%zu.%s", i, member));
}

static uint64_t good_number(size_t i, const char *member)
{
    return cg_vector_uint(cg_vector_at("keyfile:good.%zu.%s", i, member));
}

TEST(key_files_are_written_and_opened_as_in_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("keyfile:good"); i++) {
        struct cg_argon2_cost cost = {(uint32_t)good_number(i, "m"), (uint32_t)good_number(i, "t"),
                                      (uint32_t)good_number(i, "p")};
        struct cg_keyfile_content content = {.created = {(int64_t)good_number(i, "created")}}, got;
        struct cg_span want = cg_unhex(good_file(i, "file"));
        struct cg_span passphrase = cg_span_str(good_file(i, "passphrase"));
        struct cg_keyfile file;
        CG_AUTO(buf) struct cg_buf wire = {0};

        memcpy(content.seed.bytes, cg_unhex(good_file(i, "seed")).at, sizeof content.seed.bytes);
        cg_buf_init(&wire, CG_KEYFILE_MAX_BYTES);
        CHECK_OK(cg_keyfile_write(cg_test_crypto(), &content, cg_span_str(good_file(i, "role")),
                                  cg_span_str(good_file(i, "hint")), passphrase, cost,
                                  cg_unhex(good_file(i, "salt")).at,
                                  cg_unhex(good_file(i, "nonce")).at, &wire));
        CHECK_SPAN(cg_buf_span(&wire), want);
        CHECK_OK(cg_keyfile_read(want, &file));
        CHECK_OK(cg_keyfile_open(cg_test_crypto(), &file, passphrase, &got));
        CHECK_SPAN(CG_BYTES(got.seed.bytes), CG_BYTES(content.seed.bytes));
        CHECK_INT(got.created.s, content.created.s);
    }
}

static cg_err open_file(struct cg_span wire, const char *passphrase)
{
    struct cg_keyfile file;
    struct cg_keyfile_content content;

    CG_TRY(cg_keyfile_read(wire, &file));
    return cg_keyfile_open(cg_test_crypto(), &file, cg_span_str(passphrase), &content);
}

TEST(bad_key_files_are_refused_for_their_reason)
{
    struct cg_span good = cg_unhex(good_file(0, "file"));

    for (size_t i = 0; i < cg_vector_count("keyfile:wrong_passphrases"); i++)
        CHECK_ERR(open_file(good, cg_vector(cg_vector_at("keyfile:wrong_passphrases.%zu", i))),
                  CG_MISMATCH);
    for (size_t i = 0; i < cg_vector_count("keyfile:bad"); i++) {
        struct cg_span wire = cg_vector_cut(good, cg_vector_at("keyfile:bad.%zu", i));

        CHECK(cg_vector_expects(cg_vector_at("keyfile:bad.%zu", i), open_file(wire, "passphrase")));
    }
}

SUITE(crypto_vectors, T(hsig_signs_and_verifies_every_good_case), T(hsig_refuses_every_bad_case),
      T(batches_have_the_signatures_and_proofs_of_the_vectors),
      T(bad_batch_proofs_are_refused_for_their_reason), T(bad_ed25519_keys_are_refused),
      T(ed25519_is_judged_at_its_edges_as_everywhere),
      T(mldsa87_verifies_what_others_signed_and_refuses_what_others_spoilt),
      T(key_files_are_written_and_opened_as_in_the_vectors),
      T(bad_key_files_are_refused_for_their_reason))
