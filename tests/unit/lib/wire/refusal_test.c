#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/wire/refusal.h"

static const uint8_t id[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                               0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

TEST(a_refusal_says_its_code_and_nothing_else)
{
    uint8_t out[512];
    struct cg_writer w = cg_writer_fixed(out, sizeof out);

    CHECK_OK(cg_refusal_write(CG_REFUSAL_AUTH_FAILED, id, NULL, &w));
    CHECK_SPAN(cg_writer_span(&w),
               CG_LIT("{\"type\":\"httpcg://bpi/problems.httpcg/v1/auth-failed\","
                      "\"title\":\"Authentication failed\",\"status\":401,"
                      "\"instance\":\"urn:uuid:01234567-89ab-cdef-0123-456789abcdef\"}\n"));
}

TEST(extras_stand_where_they_are_given)
{
    uint8_t out[512];
    struct cg_writer w = cg_writer_fixed(out, sizeof out);
    const struct cg_refusal_extra extra = {
        .server_time = 1795366003, .sapi = "hybrid", .staple = CG_LIT("foob")};

    CHECK_OK(cg_refusal_write(CG_REFUSAL_CLOCK_SKEW, id, &extra, &w));
    CHECK(cg_span_ends(cg_writer_span(&w), CG_LIT(",\"server_time\":1795366003,\"sapi\":\"hybrid\","
                                                  "\"staple\":\"Zm9vYg==\"}\n")));
    const struct cg_refusal_extra other = {.field = "record.serial"};
    w = cg_writer_fixed(out, sizeof out);
    CHECK_OK(cg_refusal_write(CG_REFUSAL_UNPROCESSABLE, id, &other, &w));
    CHECK(cg_span_ends(cg_writer_span(&w), CG_LIT("def\",\"field\":\"record.serial\"}\n")));
}

TEST(codes_are_found_by_name_and_by_url)
{
    for (int i = CG_REFUSAL_NONE + 1; i < CG_REFUSAL_COUNT; i++) {
        enum cg_refusal r = (enum cg_refusal)i;

        CHECK_INT(cg_refusal_of_code(cg_span_str(cg_refusal_code(r))), r);
        CHECK(cg_refusal_status(r) >= 400 && cg_refusal_status(r) <= 504);
    }
    CHECK_INT(cg_refusal_of_code(CG_LIT("httpcg://bpi/problems.httpcg/v1/step-up")),
              CG_REFUSAL_STEP_UP);
    CHECK_INT(cg_refusal_of_code(CG_LIT("none")), CG_REFUSAL_NONE);
    CHECK_INT(cg_refusal_of_code(CG_LIT("about:blank")), CG_REFUSAL_NONE);
}

SUITE(refusal, T(a_refusal_says_its_code_and_nothing_else), T(extras_stand_where_they_are_given),
      T(codes_are_found_by_name_and_by_url))
