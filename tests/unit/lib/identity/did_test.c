#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/identity/cose.h"
#include "lib/identity/diddoc.h"
#include "lib/identity/didop.h"
#include "lib/wire/cbor.h"

/* Generations of one wallet, by the first byte of their seed. */
static const uint8_t generation[] = {0x00, 0x20, 0x10, 0x30, 0x50};

static struct cg_hash next_of(size_t i)
{
    struct cg_hash next = {{0}};

    CHECK_OK(cg_next_hash(cg_signer_public(cg_test_signer(generation[i])), &next));
    return next;
}

static struct cg_waddr address(void)
{
    struct cg_waddr waddr = {{0}};

    CHECK_OK(cg_waddr_read(cg_span_str(cg_vector("v1:wallet.waddr")), &waddr));
    return waddr;
}

static struct cg_did_state begin(void)
{
    struct cg_did_state state = {0};

    CHECK_OK(cg_did_begin(cg_vector_hex("v1:wallet.walletdoc"), &state));
    return state;
}

static cg_err apply(const struct cg_did_state *before, const struct cg_buf *op,
                    struct cg_did_state *out)
{
    return cg_did_apply(cg_test_crypto(), before, cg_buf_span(op), out);
}

/* Appends an operation of generation i and follows it. */
static void rotate(struct cg_did_state *state, size_t i, struct cg_buf *op)
{
    struct cg_hash next = next_of(i + 1);

    cg_buf_clear(op);
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[i]), CG_DIDOP_ROTATE, state, &next, op));
    CHECK_OK(apply(state, op, state));
}

TEST(a_wallet_document_alone_is_where_a_did_begins)
{
    struct cg_waddr waddr = address();
    struct cg_did_state state;
    struct cg_hash hash;

    CHECK_OK(cg_did_check(cg_test_crypto(), cg_vector_hex("v1:wallet.walletdoc"), &waddr, &state));
    CHECK(cg_waddr_eq(&state.waddr, &waddr));
    CHECK_INT(state.seq, 0);
    CHECK(!state.is_deactivated);
    CHECK_SPAN(CG_BYTES(state.keys.ed25519), cg_vector_hex("v1:wallet.ed25519"));
    /* What the state map of the vectors holds for this DID. */
    CHECK_OK(cg_sha256(cg_vector_hex("v1:wallet.walletdoc"), &hash));
    CHECK_SPAN(cg_hash_span(&state.newest), cg_hash_span(&hash));
    CHECK_SPAN(cg_hash_span(&state.newest), cg_vector_hex("v1:ledger.map.0.1"));
}

TEST(a_chain_of_three_leads_to_the_newest_keys_of_the_same_address)
{
    CG_AUTO(buf) struct cg_buf op = {0}, a = {0}, b = {0};
    struct cg_did_state state = begin(), checked;
    struct cg_waddr waddr = address();

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&a, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&b, CG_DOCUMENT_MAX_BYTES);
    rotate(&state, 1, &op);
    CHECK_OK(cg_did_append(cg_vector_hex("v1:wallet.walletdoc"), cg_buf_span(&op), &a));
    rotate(&state, 2, &op);
    CHECK_OK(cg_did_append(cg_buf_span(&a), cg_buf_span(&op), &b));
    rotate(&state, 3, &op);
    cg_buf_clear(&a);
    CHECK_OK(cg_did_append(cg_buf_span(&b), cg_buf_span(&op), &a));

    CHECK_OK(cg_did_check(cg_test_crypto(), cg_buf_span(&a), &waddr, &checked));
    CHECK_SPAN(cg_hash_span(&checked.newest), cg_hash_span(&state.newest));
    CHECK_SPAN(cg_hash_span(&checked.next), cg_hash_span(&state.next));
    CHECK_INT(checked.seq, 3);
    CHECK(cg_waddr_eq(&checked.waddr, &waddr));
    CHECK_SPAN(CG_BYTES(checked.keys.ed25519),
               CG_BYTES(cg_signer_public(cg_test_signer(generation[3]))->ed25519));
    for (size_t n = 0; n < a.len; n += n < 4000 ? 1 : 97)
        CHECK_ERR(
            cg_did_check(cg_test_crypto(), cg_span_first(cg_buf_span(&a), n), &waddr, &checked),
            CG_SHORT);
    CHECK_OK(cg_buf_add(&a, CG_LIT("x")));
    CHECK_ERR(cg_did_check(cg_test_crypto(), cg_buf_span(&a), &waddr, &checked), CG_EXTRA);
}

TEST(an_operation_alone_tells_the_state_it_leads_to)
{
    CG_AUTO(buf) struct cg_buf op = {0};
    struct cg_did_state state = begin(), told = {.seq = 77};

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    rotate(&state, 1, &op);
    for (size_t n = 0; n < op.len; n++)
        CHECK_ERR(cg_didop_read(cg_span_first(cg_buf_span(&op), n), &told), CG_SHORT);
    CHECK_INT(told.seq, 77);
    CHECK_OK(cg_didop_read(cg_buf_span(&op), &told));
    CHECK(cg_waddr_eq(&told.waddr, &state.waddr));
    CHECK(memcmp(&told.keys, &state.keys, sizeof told.keys) == 0);
    CHECK_SPAN(cg_hash_span(&told.next), cg_hash_span(&state.next));
    CHECK_SPAN(cg_hash_span(&told.newest), cg_hash_span(&state.newest));
    CHECK_INT(told.seq, 1);
    CHECK(!told.is_deactivated);
}

TEST(a_chain_of_another_did_is_refused_before_its_signatures_are_looked_at)
{
    struct cg_waddr waddr = address();
    struct cg_did_state state = {.seq = 77};

    CHECK_ERR(cg_did_check(cg_test_crypto(), cg_vector_hex("v1:gateway.walletdoc"), &waddr, &state),
              CG_MISMATCH);
    CHECK_INT(state.seq, 77);
}

TEST(a_missing_repeated_or_reordered_link_is_refused)
{
    CG_AUTO(buf) struct cg_buf first = {0}, second = {0};
    struct cg_did_state start = begin(), one = begin(), two;

    cg_buf_init(&first, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&second, CG_DIDOP_MAX_BYTES);
    rotate(&one, 1, &first);
    two = one;
    rotate(&two, 2, &second);
    struct cg_did_state out = {.seq = 77};
    CHECK_ERR(apply(&start, &second, &out), CG_PROOF);
    CHECK_ERR(apply(&one, &first, &out), CG_PROOF);
    CHECK_ERR(apply(&two, &first, &out), CG_PROOF);
    CHECK_INT(out.seq, 77);
}

/* Whoever stole the present keys holds generation 0, and signs with it. */
TEST(the_present_keys_cannot_rotate)
{
    CG_AUTO(buf) struct cg_buf op = {0}, forged = {0};
    struct cg_did_state state = begin(), out = {.seq = 77};
    struct cg_hash next = next_of(2);
    struct cg_cose cose;

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&forged, CG_DIDOP_MAX_BYTES);
    CHECK_ERR(cg_didop_issue(cg_test_signer(0), CG_DIDOP_ROTATE, &state, &next, &op), CG_PROOF);
    CHECK_ERR(cg_didop_issue(cg_test_signer(0), CG_DIDOP_DEACTIVATE, &state, NULL, &op), CG_PROOF);
    CHECK_INT(op.len, 0);

    /* The rightful payload, signed with the old keys. */
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &state, &next, &op));
    CHECK_OK(cg_cose_read(cg_buf_span(&op), CG_DOC_DIDOP, &cose));
    CHECK_OK(cg_cose_issue(cg_test_signer(0), CG_DOC_DIDOP, cose.payload, (struct cg_span){NULL, 0},
                           (struct cg_span){NULL, 0}, &forged));
    CHECK_ERR(apply(&state, &forged, &out), CG_SIGNATURE);

    /* A state that says it committed to the thief's keys makes an operation that is well signed;
     * the real state refuses it. */
    struct cg_did_state lie = state;
    lie.next = next_of(0);
    cg_buf_clear(&forged);
    CHECK_OK(cg_didop_issue(cg_test_signer(0), CG_DIDOP_ROTATE, &lie, &next, &forged));
    CHECK_ERR(apply(&state, &forged, &out), CG_PROOF);
    CHECK_INT(out.seq, 77);
}

TEST(every_member_that_links_is_compared)
{
    CG_AUTO(buf) struct cg_buf op = {0};
    struct cg_did_state state = begin(), other, out;
    struct cg_hash next = next_of(2);

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    other = state;
    other.seq = 1;
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &other, &next, &op));
    CHECK_ERR(apply(&state, &op, &out), CG_PROOF);
    cg_buf_clear(&op);
    other = state;
    other.newest.bytes[0] ^= 1;
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &other, &next, &op));
    CHECK_ERR(apply(&state, &op, &out), CG_PROOF);
    cg_buf_clear(&op);
    other = state;
    CHECK_OK(cg_did_read(cg_span_str(cg_vector("v1:gateway.did")), &other.waddr));
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &other, &next, &op));
    CHECK_ERR(apply(&state, &op, &out), CG_PROOF);
}

TEST(nothing_follows_a_deactivation)
{
    CG_AUTO(buf) struct cg_buf op = {0}, more = {0};
    struct cg_did_state state = begin(), off, out;
    struct cg_hash next = next_of(2);

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&more, CG_DIDOP_MAX_BYTES);
    CHECK_OK(
        cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_DEACTIVATE, &state, &next, &op));
    CHECK_OK(apply(&state, &op, &off));
    CHECK(off.is_deactivated);
    CHECK_INT(off.seq, 1);
    CHECK_ERR(cg_didop_issue(cg_test_signer(generation[2]), CG_DIDOP_ROTATE, &off, NULL, &more),
              CG_REVOKED);
    struct cg_did_state pretend = off;
    pretend.is_deactivated = false;
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[2]), CG_DIDOP_ROTATE, &pretend, NULL, &more));
    CHECK_ERR(apply(&off, &more, &out), CG_REVOKED);
}

TEST(without_a_next_commitment_only_burning_is_left)
{
    CG_AUTO(buf) struct cg_buf op = {0}, more = {0};
    struct cg_did_state state = begin(), out;

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&more, CG_DIDOP_MAX_BYTES);
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &state, NULL, &op));
    CHECK_OK(apply(&state, &op, &state));
    CHECK_ERR(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &state, NULL, &more),
              CG_PROOF);
    CHECK_ERR(
        cg_didop_issue(cg_test_signer(generation[2]), CG_DIDOP_DEACTIVATE, &state, NULL, &more),
        CG_PROOF);
    CHECK_OK(
        cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_DEACTIVATE, &state, NULL, &more));
    CHECK_OK(apply(&state, &more, &out));
    CHECK(out.is_deactivated);
}

/* One change each, to a payload that is then signed rightfully. */
static cg_err apply_payload(const uint8_t *payload, size_t len)
{
    CG_AUTO(buf) struct cg_buf op = {0};
    struct cg_did_state state = begin(), out;

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    CHECK_OK(cg_cose_issue(cg_test_signer(generation[1]), CG_DOC_DIDOP, cg_span_of(payload, len),
                           (struct cg_span){NULL, 0}, (struct cg_span){NULL, 0}, &op));
    return apply(&state, &op, &out);
}

TEST(an_operation_is_a_closed_schema)
{
    CG_AUTO(buf) struct cg_buf op = {0};
    struct cg_did_state state = begin();
    struct cg_hash next = next_of(2);
    struct cg_cose cose;
    uint8_t payload[4096];

    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    CHECK_OK(cg_didop_issue(cg_test_signer(generation[1]), CG_DIDOP_ROTATE, &state, &next, &op));
    CHECK_OK(cg_cose_read(cg_buf_span(&op), CG_DOC_DIDOP, &cose));
    memcpy(payload, cose.payload.at, cose.payload.len);
    CHECK_OK(apply_payload(payload, cose.payload.len));

    /* map(8) "v" 1 "op" "rotate" "did" <64> "seq" 1 "next" ... */
    const struct {
        size_t at;
        uint8_t value;
        cg_err want;
    } changes[] = {
        {3, 2, CG_VERSION},     {2, 'w', CG_SCHEMA}, {8, 'R', CG_SCHEMA}, {20, 'D', CG_SYNTAX},
        {28, 'a', CG_MISMATCH}, {88, 2, CG_PROOF},   {88, 0, CG_PROOF},   {96, 0xff, CG_OK},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t kept = payload[changes[i].at];

        payload[changes[i].at] = changes[i].value;
        CHECK_ERR(apply_payload(payload, cose.payload.len), changes[i].want);
        payload[changes[i].at] = kept;
    }
}

TEST(no_more_than_eight_operations_travel_inline)
{
    CG_AUTO(buf) struct cg_buf a = {0}, b = {0};
    struct cg_did_state state;
    struct cg_waddr waddr = address();

    cg_buf_init(&a, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&b, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_buf_add(&a, cg_vector_hex("v1:wallet.walletdoc")));
    for (size_t i = 0; i < 8; i++) {
        CHECK_OK(cg_did_append(cg_buf_span(&a), CG_LIT("an operation"), &b));
        cg_buf_clear(&a);
        CHECK_OK(cg_buf_add(&a, cg_buf_span(&b)));
        cg_buf_clear(&b);
    }
    CHECK_ERR(cg_did_append(cg_buf_span(&a), CG_LIT("an operation"), &b), CG_TOO_LARGE);
    CHECK_INT(b.len, 0);
    a.at[0] = 0x8a; /* nine */
    CHECK_OK(cg_buf_add(&a, cg_unhex("4178")));
    CHECK_ERR(cg_did_check(cg_test_crypto(), cg_buf_span(&a), &waddr, &state), CG_SCHEMA);
    /* An array of the document alone is a second spelling of it. */
    a.at[0] = 0x81;
    CHECK_ERR(cg_did_check(cg_test_crypto(), cg_buf_span(&a), &waddr, &state), CG_SCHEMA);
}

TEST(a_small_order_key_begins_no_did)
{
    static uint8_t wire[CG_WALLET_DOC_BYTES];
    struct cg_wallet_doc doc;
    struct cg_waddr waddr;
    struct cg_did_state state;

    CHECK_OK(cg_wallet_doc_read(cg_vector_hex("v1:wallet.walletdoc"), &doc));
    memset(doc.keys.ed25519, 0, sizeof doc.keys.ed25519);
    CHECK_OK(cg_wallet_doc_address(&doc, &waddr));
    cg_wallet_doc_write(&doc, wire);
    CHECK_ERR(cg_did_check(cg_test_crypto(), CG_BYTES(wire), &waddr, &state), CG_KEY);
}

TEST(the_w3c_view_names_both_keys_and_none_when_deactivated)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    struct cg_did_state state = begin();

    cg_buf_init(&json, 16384);
    struct cg_writer w = cg_writer_into(&json);
    cg_diddoc_write(&state, &w);
    CHECK_OK(cg_writer_end(&w));
    CHECK_OK(cg_buf_add(&json, (struct cg_span){(const uint8_t *)"", 1}));
    const char *text = (const char *)json.at;
    CHECK(strstr(text, "\"id\":\"did:bpi:vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"
                       "\"") != NULL);
    CHECK(strstr(text, "\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                       "\"x\":\"gK7vFJV3HANpST2B2IDRJtoELxRm9FR6lZeZIWxENqM\"}") != NULL);
    CHECK(strstr(text, "\"kty\":\"AKP\",\"alg\":\"ML-DSA-87\",\"pub\":\"A2ZxUCfhRujOsBQn") != NULL);
    CHECK(strstr(text, "\"assertionRule\":\"both or nothing\"}") != NULL);

    cg_buf_clear(&json);
    w = cg_writer_into(&json);
    state.is_deactivated = true;
    cg_diddoc_write(&state, &w);
    CHECK_OK(cg_buf_add(&json, (struct cg_span){(const uint8_t *)"", 1}));
    CHECK(strstr((const char *)json.at, "verificationMethod") == NULL);
}

SUITE(did, T(a_wallet_document_alone_is_where_a_did_begins),
      T(a_chain_of_three_leads_to_the_newest_keys_of_the_same_address),
      T(an_operation_alone_tells_the_state_it_leads_to),
      T(a_chain_of_another_did_is_refused_before_its_signatures_are_looked_at),
      T(a_missing_repeated_or_reordered_link_is_refused), T(the_present_keys_cannot_rotate),
      T(every_member_that_links_is_compared), T(nothing_follows_a_deactivation),
      T(without_a_next_commitment_only_burning_is_left), T(an_operation_is_a_closed_schema),
      T(no_more_than_eight_operations_travel_inline), T(a_small_order_key_begins_no_did),
      T(the_w3c_view_names_both_keys_and_none_when_deactivated))
