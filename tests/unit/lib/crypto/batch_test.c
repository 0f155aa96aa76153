#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"

#define TRANSPORT 0x80

static struct cg_batch batch;

/* Messages are the texts of one byte each: 0, 1, 2, ... */
static void fill(size_t n)
{
    cg_batch_init(&batch);
    for (size_t i = 0; i < n; i++) {
        uint8_t text = (uint8_t)i;
        size_t index = 999;

        CHECK_OK(cg_batch_add(&batch, cg_span_of(&text, 1), &index));
        CHECK_INT(index, i);
    }
    CHECK_OK(cg_batch_sign(&batch, cg_test_signer(TRANSPORT), CG_HSIG_SAPI_RESPONSE));
}

static cg_err verify(uint8_t text, struct cg_span wire)
{
    return cg_batch_verify(cg_test_verifier(TRANSPORT), CG_HSIG_SAPI_RESPONSE, cg_span_of(&text, 1),
                           wire);
}

TEST(a_batch_of_one_is_the_channel_proof_of_the_vectors)
{
    struct cg_span transcript = cg_vector_hex("v1:grant.proof_transcript");
    CG_AUTO(buf) struct cg_buf wire = {0};
    size_t index;

    cg_buf_init(&wire, CG_BATCH_MAX_BYTES);
    cg_batch_init(&batch);
    CHECK_OK(cg_batch_add(&batch, transcript, &index));
    CHECK_SPAN(cg_hash_span(&batch.nodes[0]),
               cg_unhex("24a76e0519d7a4d3899af285ae5a359a2eeb54a598e066b23d22b553ab77ec5f"));
    CHECK_OK(cg_batch_sign(&batch, cg_test_signer(TRANSPORT), CG_HSIG_CHANNEL_PROOF));
    CHECK_SPAN(CG_BYTES(batch.sig), cg_vector_hex("v1:grant.proof_hsig"));
    CHECK_OK(cg_batch_write(&batch, 0, &wire));
    /* [sig, 0, 1, []] */
    CHECK_INT(wire.len, 1 + 3 + CG_HSIG_BYTES + 3);
    CHECK_SPAN(cg_span_first(cg_buf_span(&wire), 4), cg_unhex("84591253"));
    CHECK_SPAN(cg_span_from(cg_buf_span(&wire), wire.len - 3), cg_unhex("000180"));
    CHECK_OK(cg_batch_verify(cg_test_verifier(TRANSPORT), CG_HSIG_CHANNEL_PROOF, transcript,
                             cg_buf_span(&wire)));
    CHECK_ERR(cg_batch_verify(cg_test_verifier(TRANSPORT), CG_HSIG_SAPI_RESPONSE, transcript,
                              cg_buf_span(&wire)),
              CG_SIGNATURE);
    CHECK_ERR(
        cg_batch_verify(cg_test_verifier(0), CG_HSIG_CHANNEL_PROOF, transcript, cg_buf_span(&wire)),
        CG_SIGNATURE);
}

TEST(every_message_of_every_size_verifies_and_as_no_other)
{
    const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 255, 256};

    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s], step = n > 16 ? 51 : 1;

        fill(n);
        for (size_t i = 0; i < n; i = i + step < n || i == n - 1 ? i + step : n - 1) {
            CG_AUTO(buf) struct cg_buf wire = {0};

            cg_buf_init(&wire, CG_BATCH_MAX_BYTES);
            CHECK_OK(cg_batch_write(&batch, i, &wire));
            CHECK_OK(verify((uint8_t)i, cg_buf_span(&wire)));
            CHECK_ERR(verify((uint8_t)(i + 1), cg_buf_span(&wire)), CG_SIGNATURE);
        }
    }
}

TEST(the_longest_wire_form_has_the_size_that_is_promised)
{
    CG_AUTO(buf) struct cg_buf wire = {0};

    cg_buf_init(&wire, CG_BATCH_MAX_BYTES);
    fill(256);
    CHECK_OK(cg_batch_write(&batch, 255, &wire));
    CHECK_INT(wire.len, CG_BATCH_MAX_BYTES);
    cg_buf_clear(&wire);
    wire.max = CG_BATCH_MAX_BYTES - 1;
    CHECK_ERR(cg_batch_write(&batch, 255, &wire), CG_TOO_LARGE);
    CHECK_INT(wire.len, 0);
}

TEST(a_batch_takes_256_messages)
{
    size_t index = 7;

    fill(256);
    CHECK_ERR(cg_batch_add(&batch, CG_LIT("x"), &index), CG_TOO_LARGE);
    CHECK_INT(index, 7);
    CHECK_INT(batch.n, 256);
}

/* The tail of the wire form for message 2 of 5: index, count, and a path of three hashes. */
static struct cg_span tail_changed(const struct cg_buf *good, struct cg_buf *out, const char *tail,
                                   size_t n_hashes)
{
    struct cg_span path = cg_span_from(cg_buf_span(good), 4 + CG_HSIG_BYTES + 3);

    cg_buf_clear(out);
    CHECK_OK(cg_buf_add(out, cg_span_first(cg_buf_span(good), 4 + CG_HSIG_BYTES)));
    CHECK_OK(cg_buf_add(out, cg_unhex(tail)));
    CHECK_OK(cg_buf_add(out, cg_span_first(path, n_hashes * 34)));
    return cg_buf_span(out);
}

TEST(refuses_every_other_index_count_and_path)
{
    CG_AUTO(buf) struct cg_buf good = {0}, bad = {0};

    cg_buf_init(&good, CG_BATCH_MAX_BYTES);
    cg_buf_init(&bad, 2 * CG_BATCH_MAX_BYTES);
    fill(5);
    CHECK_OK(cg_batch_write(&batch, 2, &good));
    CHECK_OK(verify(2, tail_changed(&good, &bad, "020583", 3)));
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "030583", 3)), CG_SIGNATURE);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "040583", 3)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "050583", 3)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020683", 3)), CG_SIGNATURE);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020483", 3)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020083", 3)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "0219010183", 3)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "021b000000010000000583", 3)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020582", 2)), CG_PROOF);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020583", 2)), CG_SHORT);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020582", 3)), CG_EXTRA);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "020589", 3)), CG_SCHEMA);
    CHECK_ERR(verify(2, tail_changed(&good, &bad, "02180583", 3)), CG_CANONICAL);

    for (size_t i = 0; i < 3; i++) {
        struct cg_span wire = tail_changed(&good, &bad, "020583", 3);

        bad.at[wire.len - 1 - 34 * i] ^= 1;
        CHECK_ERR(verify(2, wire), CG_SIGNATURE);
    }
}

/* Such an index would climb to the same root: the path of the last message fits it too. */
TEST(an_index_outside_of_the_batch_is_refused_even_where_its_path_fits)
{
    const struct {
        size_t count;
        uint64_t index;
    } cases[] = {{1, 1}, {1, 255}, {2, 3}, {2, 5}, {4, 7}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        size_t last = cases[i].count - 1;

        cg_buf_init(&wire, CG_BATCH_MAX_BYTES);
        fill(cases[i].count);
        CHECK_OK(cg_batch_write(&batch, last, &wire));
        CHECK_OK(verify((uint8_t)last, cg_buf_span(&wire)));
        if (cases[i].index < 24) {
            wire.at[4 + CG_HSIG_BYTES] = (uint8_t)cases[i].index;
            CHECK_ERR(verify((uint8_t)last, cg_buf_span(&wire)), CG_PROOF);
            continue;
        }
        CHECK_OK(cg_buf_add(&wire, CG_LIT("x")));
        memmove(wire.at + 6 + CG_HSIG_BYTES, wire.at + 5 + CG_HSIG_BYTES, 2);
        wire.at[4 + CG_HSIG_BYTES] = 0x18;
        wire.at[5 + CG_HSIG_BYTES] = (uint8_t)cases[i].index;
        CHECK_ERR(verify((uint8_t)last, cg_buf_span(&wire)), CG_PROOF);
    }
}

TEST(refuses_every_prefix)
{
    CG_AUTO(buf) struct cg_buf good = {0};

    cg_buf_init(&good, CG_BATCH_MAX_BYTES);
    fill(3);
    CHECK_OK(cg_batch_write(&batch, 0, &good));
    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(verify(0, cg_span_first(cg_buf_span(&good), n)), CG_SHORT);
}

SUITE(batch, T(a_batch_of_one_is_the_channel_proof_of_the_vectors),
      T(every_message_of_every_size_verifies_and_as_no_other),
      T(the_longest_wire_form_has_the_size_that_is_promised), T(a_batch_takes_256_messages),
      T(refuses_every_other_index_count_and_path),
      T(an_index_outside_of_the_batch_is_refused_even_where_its_path_fits), T(refuses_every_prefix))
