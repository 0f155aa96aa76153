#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/hash.h"

#include <httpcg/identity.h>

static void doc_of_vectors(struct cg_wallet_doc *doc)
{
    struct cg_secret next_seed = cg_test_seed(0x20);
    struct cg_hash next;

    CHECK_OK(cg_wallet_next(cg_test_crypto(), &next_seed, &next));
    cg_wallet_doc_make(cg_test_signer(0), &next, doc);
}

TEST(a_seed_gives_the_keys_of_the_vectors)
{
    struct cg_secret seed = cg_test_seed(0);
    struct cg_seeds seeds;
    const struct cg_public_keys *keys = cg_signer_public(cg_test_signer(0));

    CHECK_OK(cg_wallet_seeds(&seed, &seeds));
    CHECK_SPAN(CG_BYTES(seeds.ed25519.bytes), cg_vector_hex("v1:wallet.ed25519_seed"));
    CHECK_SPAN(CG_BYTES(seeds.mldsa87.bytes), cg_vector_hex("v1:wallet.mldsa87_seed"));
    CHECK_SPAN(CG_BYTES(keys->ed25519), cg_vector_hex("v1:wallet.ed25519"));
    CHECK_SPAN(CG_BYTES(keys->mldsa87), cg_vector_hex("v1:wallet.mldsa87"));
    cg_seeds_done(&seeds);
    CHECK(seeds.ed25519.bytes[0] == 0 && seeds.mldsa87.bytes[0] == 0);
}

TEST(transport_keys_come_from_their_seed_in_the_same_way)
{
    const struct cg_public_keys *keys = cg_signer_public(cg_test_signer(0x80));

    CHECK_SPAN(CG_BYTES(keys->ed25519), cg_vector_hex("v1:gateway.transport_ed25519"));
    CHECK_SPAN(CG_BYTES(keys->mldsa87), cg_vector_hex("v1:gateway.transport_mldsa87"));
}

TEST(the_document_and_its_address_are_those_of_the_vectors)
{
    struct cg_wallet_doc doc;
    struct cg_waddr waddr;
    static uint8_t wire[CG_WALLET_DOC_BYTES];
    char did[CG_DID_CHARS + 1];

    doc_of_vectors(&doc);
    CHECK_SPAN(cg_hash_span(&doc.next), cg_vector_hex("v1:wallet.next"));
    cg_wallet_doc_write(&doc, wire);
    CHECK_SPAN(CG_BYTES(wire), cg_vector_hex("v1:wallet.walletdoc"));
    CHECK_OK(cg_wallet_doc_address(&doc, &waddr));
    CHECK_SPAN(cg_span_str(waddr.text), cg_span_str(cg_vector("v1:wallet.waddr")));

    CHECK_OK(cg_wallet_doc_read(cg_vector_hex("v1:gateway.walletdoc"), &doc));
    CHECK_OK(cg_wallet_doc_address(&doc, &waddr));
    cg_did_write(&waddr, did);
    CHECK_SPAN(cg_span_str(did), cg_span_str(cg_vector("v1:gateway.did")));
}

TEST(documents_are_read_as_they_were_written)
{
    struct cg_span wire = cg_vector_hex("v1:wallet.walletdoc");
    struct cg_wallet_doc doc, want;

    doc_of_vectors(&want);
    CHECK_OK(cg_wallet_doc_read(wire, &doc));
    CHECK(memcmp(&doc, &want, sizeof doc) == 0);
    memset(&doc, 0x5a, sizeof doc);
    want = doc;
    for (size_t n = 0; n < wire.len; n++)
        CHECK_ERR(cg_wallet_doc_read(cg_span_first(wire, n), &doc), CG_SHORT);
    CHECK(memcmp(&doc, &want, sizeof doc) == 0);
}

/* One change each, to the first 50 bytes: map, v, next and the head of what follows. */
TEST(documents_in_any_other_form_are_refused)
{
    static uint8_t wire[CG_WALLET_DOC_BYTES + 1];
    struct cg_span good = cg_vector_hex("v1:wallet.walletdoc");
    struct cg_wallet_doc doc;
    const struct {
        size_t at;
        uint8_t value;
        cg_err want;
    } changes[] = {
        {0, 0xa3, CG_SCHEMA},     /* three members */
        {0, 0xbf, CG_CANONICAL},  /* an indefinite length */
        {0, 0x84, CG_SCHEMA},     /* an array */
        {2, 'w', CG_SCHEMA},      /* an unknown member */
        {3, 0x02, CG_VERSION},    /* */
        {3, 0x20, CG_SCHEMA},     /* a negative version */
        {9, 0x78, CG_SCHEMA},     /* text for bytes */
        {10, 0x1f, CG_SCHEMA},    /* 31 bytes */
        {10, 0x17, CG_CANONICAL}, /* a length of 23 written long */
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(wire, good.at, good.len);
        wire[changes[i].at] = changes[i].value;
        CHECK_ERR(cg_wallet_doc_read(cg_span_of(wire, good.len), &doc), changes[i].want);
    }
    memcpy(wire, good.at, good.len);
    wire[good.len] = 0;
    CHECK_ERR(cg_wallet_doc_read(CG_BYTES(wire), &doc), CG_EXTRA);
}

TEST(every_part_of_a_document_changes_its_address)
{
    struct cg_wallet_doc doc;
    struct cg_waddr before, after;

    doc_of_vectors(&doc);
    CHECK_OK(cg_wallet_doc_address(&doc, &before));
    doc.keys.ed25519[31] ^= 1;
    CHECK_OK(cg_wallet_doc_address(&doc, &after));
    CHECK(!cg_waddr_eq(&before, &after));
    doc.keys.ed25519[31] ^= 1;
    doc.keys.mldsa87[2591] ^= 1;
    CHECK_OK(cg_wallet_doc_address(&doc, &after));
    CHECK(!cg_waddr_eq(&before, &after));
    doc.keys.mldsa87[2591] ^= 1;
    doc.next.bytes[0] ^= 1;
    CHECK_OK(cg_wallet_doc_address(&doc, &after));
    CHECK(!cg_waddr_eq(&before, &after));
}

TEST(addresses_are_read_in_their_one_spelling)
{
    struct cg_span good = cg_span_str(cg_vector("v1:wallet.waddr"));
    struct cg_waddr waddr, again;
    char text[64];

    CHECK_OK(cg_waddr_read(good, &waddr));
    CHECK_SPAN(cg_span_str(waddr.text), good);
    CHECK_OK(cg_waddr_read(cg_span_str(waddr.text), &again));
    CHECK(cg_waddr_eq(&waddr, &again));
    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_waddr_read(cg_span_first(good, n), &waddr), CG_SHORT);
    memcpy(text, good.at, good.len);
    text[good.len] = 'a';
    CHECK_ERR(cg_waddr_read(cg_span_of(text, good.len + 1), &waddr), CG_EXTRA);

    /* A wrong character anywhere is caught by the checksum, or is the version. */
    for (size_t i = 0; i < good.len; i++) {
        text[i] = text[i] == 'a' ? 'b' : 'a';
        cg_err err = cg_waddr_read(cg_span_of(text, good.len), &waddr);
        CHECK(err == CG_MISMATCH || err == CG_VERSION);
        text[i] = (char)good.at[i];
    }
    text[0] = 'V';
    CHECK_ERR(cg_waddr_read(cg_span_of(text, good.len), &waddr), CG_SYNTAX);
    text[0] = '1';
    CHECK_ERR(cg_waddr_read(cg_span_of(text, good.len), &waddr), CG_SYNTAX);
}

TEST(dids_are_an_address_behind_their_method)
{
    struct cg_span good = cg_span_str(cg_vector("v1:gateway.did"));
    struct cg_waddr waddr;
    char text[96], out[CG_DID_CHARS + 1];

    CHECK_OK(cg_did_read(good, &waddr));
    cg_did_write(&waddr, out);
    CHECK_SPAN(cg_span_str(out), good);
    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_did_read(cg_span_first(good, n), &waddr), CG_SHORT);
    memcpy(text, good.at, good.len);
    text[4] = 'B';
    CHECK_ERR(cg_did_read(cg_span_of(text, good.len), &waddr), CG_SYNTAX);
    CHECK_ERR(cg_did_read(cg_span_str(waddr.text), &waddr), CG_SYNTAX);
}

SUITE(wallet, T(a_seed_gives_the_keys_of_the_vectors),
      T(transport_keys_come_from_their_seed_in_the_same_way),
      T(the_document_and_its_address_are_those_of_the_vectors),
      T(documents_are_read_as_they_were_written), T(documents_in_any_other_form_are_refused),
      T(every_part_of_a_document_changes_its_address), T(addresses_are_read_in_their_one_spelling),
      T(dids_are_an_address_behind_their_method))
