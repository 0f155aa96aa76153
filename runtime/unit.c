#include "runtime/unit.h"

#include "lib/base/span.h"

#include <inttypes.h>
#include <stdio.h>

const struct cg_unit cg_unit_durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

const struct cg_unit cg_unit_sizes[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {"B", 1},
    {NULL, 0},
};

const struct cg_unit *cg_unit_find(const struct cg_unit *units, struct cg_span name)
{
    for (; units->name; units++)
        if (cg_span_is(name, units->name))
            return units;
    return NULL;
}

const char *cg_unit_write(const struct cg_unit *units, int64_t n,
                          char out[static CG_UNIT_TEXT_BYTES])
{
    /* The last unit is 1, so the search ends. */
    while (units && n % units->factor != 0)
        units++;
    if (!units || n == 0)
        snprintf(out, CG_UNIT_TEXT_BYTES, "%" PRId64, n);
    else
        snprintf(out, CG_UNIT_TEXT_BYTES, "%" PRId64 "%s", n / units->factor, units->name);
    return out;
}
