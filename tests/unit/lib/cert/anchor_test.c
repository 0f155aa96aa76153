#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/cert/anchor.h"

TEST(the_log_of_the_vectors_has_its_id)
{
    struct cg_log_id id, other;
    const struct cg_public_keys *keys = cg_signer_public(cg_test_signer(0xa0));

    CHECK_OK(cg_log_id_of(CG_LIT("ledger.example/bpi1"), keys, &id));
    CHECK_SPAN(CG_BYTES(id.bytes), cg_unhex("f4264161cfbd32e0"));
    CHECK_OK(cg_log_id_of(CG_LIT("ledger.example/bpi2"), keys, &other));
    CHECK(!cg_log_id_eq(&id, &other));
}

TEST(a_record_commits_to_itself_without_its_anchor)
{
    struct cg_hash commitment;
    struct cg_anchor anchor;

    CHECK_OK(cg_anchor_commit("registry", cg_vector_hex("v1:registry.R_no_anchor"), &commitment));
    CHECK_OK(cg_anchor_read(cg_span_str(cg_vector("v1:registry.anchor")), &anchor));
    CHECK_SPAN(cg_hash_span(&commitment), cg_hash_span(&anchor.commitment));
    CHECK_OK(cg_anchor_commit("tlsls", cg_vector_hex("v1:registry.R_no_anchor"), &commitment));
    CHECK(!cg_hash_eq(&commitment, &anchor.commitment));
}

TEST(anchors_are_written_and_read_in_one_spelling)
{
    struct cg_span good = cg_span_str(cg_vector("v1:tlsls.anchor"));
    struct cg_anchor anchor = {.log_id = {{77}}};
    char text[CG_ANCHOR_CHARS + 1];

    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_anchor_read(cg_span_first(good, n), &anchor), CG_SHORT);
    CHECK_INT(anchor.log_id.bytes[0], 77);
    CHECK_OK(cg_anchor_read(good, &anchor));
    CHECK_SPAN(CG_BYTES(anchor.log_id.bytes), cg_unhex("f4264161cfbd32e0"));
    cg_anchor_write(&anchor, text);
    CHECK_SPAN(cg_span_str(text), good);
    CHECK_ERR(cg_anchor_read(cg_span_of(text, sizeof text), &anchor), CG_EXTRA);

    const struct {
        size_t at;
        char value;
    } bad[] = {{0, 'B'}, {3, '2'}, {4, ';'}, {5, 'F'}, {20, 'g'}, {21, '-'}, {22, 'A'}, {85, 'x'}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char kept = text[bad[i].at];

        text[bad[i].at] = bad[i].value;
        CHECK_ERR(cg_anchor_read(cg_span_of(text, CG_ANCHOR_CHARS), &anchor), CG_SYNTAX);
        text[bad[i].at] = kept;
    }
}

SUITE(anchor, T(the_log_of_the_vectors_has_its_id),
      T(a_record_commits_to_itself_without_its_anchor),
      T(anchors_are_written_and_read_in_one_spelling))
