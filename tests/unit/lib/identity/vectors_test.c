#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/identity/didop.h"
#include "lib/wire/cbor.h"

/* The wallet_doc that a case's chain stands for. */
static void write_chain(const char *path, struct cg_buf *out)
{
    struct cg_span inception = cg_vector_hex("didop:inception");
    size_t n = cg_vector_count(path);

    cg_buf_init(out, 4 * CG_DOCUMENT_MAX_BYTES);
    if (n == 0) {
        CHECK_OK(cg_buf_add(out, inception));
        return;
    }
    struct cg_writer w = cg_writer_into(out);
    cg_cbor_put_array(&w, 1 + n);
    cg_cbor_put_bytes(&w, inception);
    for (size_t i = 0; i < n; i++) {
        const char *name = cg_vector(cg_vector_at("%s.%zu", path, i));

        cg_cbor_put_bytes(&w, cg_vector_hex(cg_vector_at("didop:documents.%s", name)));
    }
    CHECK_OK(cg_writer_end(&w));
}

static cg_err check(const struct cg_buf *wire, struct cg_did_state *out)
{
    struct cg_waddr waddr;

    CG_TRY(cg_did_read(cg_span_str(cg_vector("didop:did")), &waddr));
    return cg_did_check(cg_test_crypto(), cg_buf_span(wire), &waddr, out);
}

TEST(good_chains_lead_where_the_vectors_say)
{
    for (size_t i = 0; i < cg_vector_count("didop:good"); i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        char path[64];
        struct cg_hash hash,
            sha = cg_vector_hash(cg_vector_at("didop:good.%zu.wallet_doc_sha256", i));
        struct cg_hash newest = cg_vector_hash(cg_vector_at("didop:good.%zu.newest", i));
        struct cg_hash next = cg_vector_hash(cg_vector_at("didop:good.%zu.next", i));
        struct cg_did_state state;

        strcpy(path, cg_vector_at("didop:good.%zu.chain", i));
        write_chain(path, &wire);
        CHECK_OK(cg_sha256(cg_buf_span(&wire), &hash));
        CHECK(cg_hash_eq(&hash, &sha));
        CHECK_OK(check(&wire, &state));
        CHECK(cg_hash_eq(&state.newest, &newest));
        CHECK(cg_hash_eq(&state.next, &next));
        CHECK_INT(state.seq, cg_vector_uint(cg_vector_at("didop:good.%zu.seq", i)));
        CHECK_SPAN(CG_BYTES(state.keys.ed25519),
                   cg_vector_hex(cg_vector_at("didop:good.%zu.ed25519", i)));
        const char *gone = cg_vector(cg_vector_at("didop:good.%zu.deactivated", i));
        CHECK(state.is_deactivated == (strcmp(gone, "yes") == 0));
    }
}

TEST(bad_chains_are_refused_for_their_reason)
{
    for (size_t i = 0; i < cg_vector_count("didop:bad"); i++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        char path[64];
        struct cg_did_state state = {.seq = 77};

        strcpy(path, cg_vector_at("didop:bad.%zu.chain", i));
        write_chain(path, &wire);
        cg_err err = check(&wire, &state);
        CHECK(cg_vector_expects(cg_vector_at("didop:bad.%zu", i), err));
        CHECK_INT(state.seq, 77);
    }
}

/* Generations are the seeds 00.., 20.., 10.., 30..; each operation commits to the one after it. */
TEST(operations_are_issued_as_in_the_vectors)
{
    static const uint8_t generations[] = {0x00, 0x20, 0x10, 0x30, 0x50};
    static const char *const names[] = {"one", "two", "three", "off"};
    struct cg_did_state state;

    CHECK_OK(cg_did_begin(cg_vector_hex("didop:inception"), &state));
    for (size_t i = 0; i < 4; i++) {
        CG_AUTO(buf) struct cg_buf op = {0};
        struct cg_hash next = {{0}};
        bool is_last = i == 3;

        if (!is_last)
            CHECK_OK(cg_next_hash(cg_signer_public(cg_test_signer(generations[i + 2])), &next));
        cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
        CHECK_OK(cg_didop_issue(cg_test_signer(generations[i + 1]),
                                is_last ? CG_DIDOP_DEACTIVATE : CG_DIDOP_ROTATE, &state,
                                is_last ? NULL : &next, &op));
        CHECK_SPAN(cg_buf_span(&op), cg_vector_hex(cg_vector_at("didop:documents.%s", names[i])));
        CHECK_OK(cg_did_apply(cg_test_crypto(), &state, cg_buf_span(&op), &state));
    }
    CHECK(state.is_deactivated);
}

SUITE(identity_vectors, T(good_chains_lead_where_the_vectors_say),
      T(bad_chains_are_refused_for_their_reason), T(operations_are_issued_as_in_the_vectors))
