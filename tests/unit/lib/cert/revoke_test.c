#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/revoke.h"
#include "lib/identity/cose.h"

#define GATEWAY 0x40
#define GATEWAY_NEXT 0x60

static const struct cg_hash fingerprint = {{1, 2, 3}};

static struct cg_did_state gateway(void)
{
    struct cg_did_state state = {0};

    CHECK_OK(cg_did_begin(cg_vector_hex("v1:gateway.walletdoc"), &state));
    return state;
}

static cg_err verify_issued(uint8_t signer, bool by_next, struct cg_revoke *out)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_did_state state = gateway();

    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_revoke_issue(cg_test_signer(signer), &state.waddr, (struct cg_wall){1795366003},
                             &fingerprint, by_next, &wire));
    struct cg_revoke read;
    CHECK_OK(cg_revoke_read(cg_buf_span(&wire), &read));
    CHECK(cg_waddr_eq(&read.did, &state.waddr));
    CHECK_SPAN(cg_hash_span(&read.fingerprint), cg_hash_span(&fingerprint));
    return cg_revoke_verify(cg_test_crypto(), cg_buf_span(&wire), &state, out);
}

TEST(the_present_and_the_next_keys_revoke_and_no_others)
{
    struct cg_revoke revoke = {.time = {-7}};

    CHECK_ERR(verify_issued(0x00, false, &revoke), CG_SIGNATURE);
    CHECK_ERR(verify_issued(GATEWAY_NEXT, false, &revoke), CG_SIGNATURE);
    CHECK_ERR(verify_issued(0x00, true, &revoke), CG_PROOF);
    CHECK_ERR(verify_issued(GATEWAY, true, &revoke), CG_PROOF);
    CHECK_INT(revoke.time.s, -7);
    CHECK_OK(verify_issued(GATEWAY, false, &revoke));
    CHECK(!revoke.by_next);
    CHECK_INT(revoke.time.s, 1795366003);
    CHECK_SPAN(cg_hash_span(&revoke.fingerprint), cg_hash_span(&fingerprint));
    CHECK_OK(verify_issued(GATEWAY_NEXT, true, &revoke));
    CHECK(revoke.by_next);
}

/* Of both kinds: each prefix is short, and no byte can be another. */
TEST(no_part_and_no_altered_statement_revokes)
{
    struct cg_did_state state = gateway();

    for (int by_next = 0; by_next < 2; by_next++) {
        CG_AUTO(buf) struct cg_buf wire = {0};
        struct cg_revoke out = {.time = {-7}};

        cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
        CHECK_OK(cg_revoke_issue(cg_test_signer(by_next ? GATEWAY_NEXT : GATEWAY), &state.waddr,
                                 (struct cg_wall){1795366003}, &fingerprint, by_next, &wire));
        struct cg_span whole = cg_buf_span(&wire);
        for (size_t n = 0; n < whole.len; n++)
            CHECK_ERR(cg_revoke_read(cg_span_first(whole, n), &out), CG_SHORT);
        CHECK_OK(cg_buf_add(&wire, CG_LIT("\0")));
        CHECK_ERR(cg_revoke_read(cg_buf_span(&wire), &out), CG_EXTRA);
        wire.len--;
        for (size_t at = 0; at < wire.len; at += at < 400 ? 1 : 61)
            for (unsigned bit = 0; bit < 8; bit += 3) {
                wire.at[at] ^= (uint8_t)(1u << bit);
                CHECK(cg_revoke_verify(cg_test_crypto(), cg_buf_span(&wire), &state, &out) !=
                      CG_OK);
                wire.at[at] ^= (uint8_t)(1u << bit);
            }
        CHECK_INT(out.time.s, -7);
        CHECK_OK(cg_revoke_verify(cg_test_crypto(), cg_buf_span(&wire), &state, &out));
    }
}

TEST(a_statement_is_of_one_did)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_did_state state = gateway();
    struct cg_waddr other;
    struct cg_revoke revoke;

    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_waddr_read(cg_span_str(cg_vector("v1:wallet.waddr")), &other));
    CHECK_OK(cg_revoke_issue(cg_test_signer(GATEWAY), &other, (struct cg_wall){1}, &fingerprint,
                             false, &wire));
    CHECK_ERR(cg_revoke_verify(cg_test_crypto(), cg_buf_span(&wire), &state, &revoke), CG_MISMATCH);
    CHECK_ERR(cg_revoke_issue(cg_test_signer(GATEWAY), &other, (struct cg_wall){-1}, &fingerprint,
                              false, &wire),
              CG_SCHEMA);
}

/* Payloads that are signed rightfully and are not a statement. */
TEST(a_statement_is_a_closed_schema)
{
    CG_AUTO(buf) struct cg_buf good = {0}, wire = {0};
    struct cg_did_state state = gateway();
    struct cg_revoke revoke;
    struct cg_cose cose;
    uint8_t payload[256];
    const struct cg_span nothing = {NULL, 0};

    cg_buf_init(&good, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_revoke_issue(cg_test_signer(GATEWAY), &state.waddr, (struct cg_wall){1},
                             &fingerprint, false, &good));
    CHECK_OK(cg_cose_read(cg_buf_span(&good), CG_DOC_REVOKE, &cose));
    CHECK_OR_STOP(cose.payload.len <= sizeof payload);
    /* map(4) "v" 1 "did" <64> "time" 1 "fingerprint" <32> */
    const struct {
        size_t at;
        uint8_t value;
        cg_err want;
    } changes[] = {
        {3, 2, CG_VERSION}, {2, 'w', CG_SCHEMA},   {10, 'D', CG_SYNTAX},
        {79, 2, CG_OK},     {79, 0x20, CG_SCHEMA}, {81, 'F', CG_SCHEMA},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(payload, cose.payload.at, cose.payload.len);
        payload[changes[i].at] = changes[i].value;
        cg_buf_clear(&wire);
        CHECK_OK(cg_cose_issue(cg_test_signer(GATEWAY), CG_DOC_REVOKE,
                               cg_span_of(payload, cose.payload.len), nothing, nothing, &wire));
        CHECK_ERR(cg_revoke_verify(cg_test_crypto(), cg_buf_span(&wire), &state, &revoke),
                  changes[i].want);
    }
}

SUITE(revoke, T(the_present_and_the_next_keys_revoke_and_no_others),
      T(no_part_and_no_altered_statement_revokes), T(a_statement_is_of_one_did),
      T(a_statement_is_a_closed_schema))
