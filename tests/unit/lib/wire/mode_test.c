#include "tests/support/check.h"

#include "lib/base/span.h"

#include <httpcg/mode.h>

TEST(modes_have_names_and_nothing_else_is_one)
{
    enum cg_sapi_mode mode;

    for (int i = CG_SAPI_NONE; i < CG_SAPI_MODE_COUNT; i++) {
        CHECK_OK(cg_sapi_mode_read(cg_span_str(cg_sapi_mode_name((enum cg_sapi_mode)i)), &mode));
        CHECK_INT(mode, i);
    }
    CHECK_ERR(cg_sapi_mode_read(CG_LIT("Grant"), &mode), CG_UNKNOWN);
    CHECK_ERR(cg_sapi_mode_read(CG_LIT(""), &mode), CG_UNKNOWN);
}

SUITE(mode, T(modes_have_names_and_nothing_else_is_one))
