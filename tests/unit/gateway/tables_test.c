#include "tests/support/check.h"

#include "gateway/gateway.h"
#include "gateway/metrics.h"
#include "gateway/options.h"

#include <stdio.h>

static bool is_sound(const char *fault)
{
    if (fault)
        printf("# %s\n", fault);
    return !fault;
}

TEST(the_option_table_is_sound)
{
    CHECK(is_sound(cg_option_table_fault(&gw_option_table)));
}

TEST(the_metric_table_is_sound)
{
    CHECK(is_sound(cg_metric_table_fault(&gw_metric_table)));
}

SUITE(tables, T(the_option_table_is_sound), T(the_metric_table_is_sound))
