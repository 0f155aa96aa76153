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

static const char *generation(size_t i, const char *member)
{
    return cg_vector_at("wallet:generations.%zu.%s", i, member);
}

static struct cg_secret secret_at(const char *path)
{
    struct cg_secret secret;

    memcpy(secret.bytes, cg_vector_hash(path).bytes, sizeof secret.bytes);
    return secret;
}

/* The document that generation i begins a DID with. */
static void make_doc(size_t i, struct cg_wallet_doc *out)
{
    struct cg_secret seed = secret_at(generation(i, "S"));
    struct cg_signer *signer = NULL;
    struct cg_hash next = {{0}};

    if (*cg_vector(generation(i, "R"))) {
        struct cg_secret next_seed = secret_at(generation(i, "R"));

        CHECK_OK(cg_wallet_next(cg_test_crypto(), &next_seed, &next));
    }
    CHECK_OK(cg_wallet_signer(cg_test_crypto(), &seed, &signer));
    cg_wallet_doc_make(signer, &next, out);
    cg_signer_free(signer);
}

TEST(seeds_make_the_keys_and_addresses_of_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("wallet:generations"); i++) {
        struct cg_secret seed = secret_at(generation(i, "S"));
        static uint8_t wire[CG_WALLET_DOC_BYTES];
        struct cg_wallet_doc doc;
        struct cg_seeds seeds;
        struct cg_hash hash;
        struct cg_waddr waddr;

        CHECK_OK(cg_wallet_seeds(&seed, &seeds));
        CHECK_SPAN(CG_BYTES(seeds.ed25519.bytes), cg_vector_hex(generation(i, "ed25519_seed")));
        CHECK_SPAN(CG_BYTES(seeds.mldsa87.bytes), cg_vector_hex(generation(i, "mldsa87_seed")));
        make_doc(i, &doc);
        CHECK_SPAN(CG_BYTES(doc.keys.ed25519), cg_vector_hex(generation(i, "ed25519")));
        CHECK_OK(cg_sha256(CG_BYTES(doc.keys.mldsa87), &hash));
        CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex(generation(i, "mldsa87_sha256")));
        CHECK_SPAN(cg_hash_span(&doc.next), cg_vector_hex(generation(i, "next")));
        CHECK_OK(cg_wallet_doc_address(&doc, &waddr));
        CHECK_SPAN(cg_span_str(waddr.text), cg_span_str(cg_vector(generation(i, "waddr"))));
        cg_wallet_doc_write(&doc, wire);
        CHECK_OK(cg_sha256(CG_BYTES(wire), &hash));
        CHECK_SPAN(cg_hash_span(&hash), cg_vector_hex(generation(i, "doc_sha256")));
        cg_seeds_done(&seeds);
    }
}

TEST(bad_addresses_and_dids_are_refused_for_their_reason)
{
    struct cg_waddr waddr, before;

    memset(&waddr, 0x5a, sizeof waddr);
    before = waddr;
    for (size_t i = 0; i < cg_vector_count("wallet:addresses_bad"); i++) {
        const char *text = cg_vector(cg_vector_at("wallet:addresses_bad.%zu.text", i));

        CHECK(cg_vector_expects(cg_vector_at("wallet:addresses_bad.%zu", i),
                                cg_waddr_read(cg_span_str(text), &waddr)));
    }
    for (size_t i = 0; i < cg_vector_count("wallet:dids_bad"); i++) {
        const char *text = cg_vector(cg_vector_at("wallet:dids_bad.%zu.text", i));

        CHECK(cg_vector_expects(cg_vector_at("wallet:dids_bad.%zu", i),
                                cg_did_read(cg_span_str(text), &waddr)));
    }
    CHECK(memcmp(&waddr, &before, sizeof waddr) == 0);
}

TEST(bad_documents_are_refused_for_their_reason)
{
    struct cg_span good = cg_vector_hex("wallet:doc");
    struct cg_wallet_doc doc, before;

    CHECK_OK(cg_wallet_doc_read(good, &doc));
    before = doc;
    for (size_t i = 0; i < cg_vector_count("wallet:docs_bad"); i++)
        CHECK(cg_vector_expects(
            cg_vector_at("wallet:docs_bad.%zu", i),
            cg_wallet_doc_read(cg_vector_cut(good, cg_vector_at("wallet:docs_bad.%zu", i)), &doc)));
    CHECK(memcmp(&doc, &before, sizeof doc) == 0);
}

SUITE(identity_vectors, T(good_chains_lead_where_the_vectors_say),
      T(bad_chains_are_refused_for_their_reason), T(operations_are_issued_as_in_the_vectors),
      T(seeds_make_the_keys_and_addresses_of_the_vectors),
      T(bad_addresses_and_dids_are_refused_for_their_reason),
      T(bad_documents_are_refused_for_their_reason))
