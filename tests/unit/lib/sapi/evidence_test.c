#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/sapi/evidence.h"

#include <string.h>

static uint8_t hsig[CG_HSIG_BYTES];

static struct cg_evidence usual(void)
{
    memset(hsig, 0xab, sizeof hsig);
    return (struct cg_evidence){
        .grant = CG_LIT("the grant"),
        .grant_signature = CG_BYTES(hsig),
        .tbs = CG_LIT("what is signed"),
        .signature = cg_span_of(hsig, CG_ED25519_SIG_BYTES),
    };
}

TEST(evidence_is_an_array_of_four_strings)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_evidence evidence = usual(), again;

    cg_buf_init(&wire, 16384);
    CHECK_OK(cg_evidence_write(&evidence, &wire));
    struct cg_span at = cg_buf_span(&wire);
    CHECK_SPAN(cg_span_first(at, 14), CG_LIT("\x84\x49the grant\x59\x12\x53"));
    CHECK_SPAN(cg_span_first(cg_span_from(at, 14 + 4691), 17),
               CG_LIT("\x4ewhat is signed\x58\x40"));
    CHECK_INT(at.len, 14 + 4691 + 17 + 64);
    CHECK_OK(cg_evidence_read(at, &again));
    CHECK_SPAN(again.grant, evidence.grant);
    CHECK_SPAN(again.grant_signature, evidence.grant_signature);
    CHECK_SPAN(again.tbs, evidence.tbs);
    CHECK_SPAN(again.signature, evidence.signature);

    evidence.signature = CG_BYTES(hsig);
    cg_buf_clear(&wire);
    CHECK_OK(cg_evidence_write(&evidence, &wire));
    CHECK_OK(cg_evidence_read(cg_buf_span(&wire), &again));
    CHECK_INT(again.signature.len, CG_HSIG_BYTES);
}

TEST(what_is_no_evidence_is_refused)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_evidence evidence = usual(), untouched = {.tbs = CG_LIT("kept")};

    cg_buf_init(&wire, 16384);
    CHECK_OK(cg_evidence_write(&evidence, &wire));
    for (size_t n = 0; n < wire.len; n++)
        CHECK_ERR(cg_evidence_read(cg_span_first(cg_buf_span(&wire), n), &untouched), CG_SHORT);
    CHECK_OK(cg_buf_add(&wire, CG_LIT("\x00")));
    CHECK_ERR(cg_evidence_read(cg_buf_span(&wire), &untouched), CG_EXTRA);
    wire.len--;
    wire.at[0] = 0x83;
    CHECK(cg_evidence_read(cg_buf_span(&wire), &untouched) != CG_OK);
    wire.at[0] = 0x85;
    CHECK(cg_evidence_read(cg_buf_span(&wire), &untouched) != CG_OK);

    const size_t lengths[] = {0, 63, 65, CG_HSIG_BYTES - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        evidence.signature = cg_span_of(hsig, lengths[i]);
        cg_buf_clear(&wire);
        CHECK_OK(cg_evidence_write(&evidence, &wire));
        CHECK_ERR(cg_evidence_read(cg_buf_span(&wire), &untouched), CG_SCHEMA);
    }
    evidence = usual();
    evidence.grant_signature = cg_span_of(hsig, CG_HSIG_BYTES - 1);
    cg_buf_clear(&wire);
    CHECK_OK(cg_evidence_write(&evidence, &wire));
    CHECK_ERR(cg_evidence_read(cg_buf_span(&wire), &untouched), CG_SCHEMA);
    CHECK_SPAN(untouched.tbs, CG_LIT("kept"));
}

TEST(what_does_not_fit_leaves_no_half)
{
    struct cg_evidence evidence = usual();
    CG_AUTO(buf) struct cg_buf wire = {0};

    cg_buf_init(&wire, 4096);
    CHECK_OK(cg_buf_add(&wire, CG_LIT("before")));
    CHECK_ERR(cg_evidence_write(&evidence, &wire), CG_TOO_LARGE);
    CHECK_SPAN(cg_buf_span(&wire), CG_LIT("before"));
}

SUITE(evidence, T(evidence_is_an_array_of_four_strings), T(what_is_no_evidence_is_refused),
      T(what_does_not_fit_leaves_no_half))
