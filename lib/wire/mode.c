#include <httpcg/mode.h>

#include "lib/base/span.h"

static const char *const names[] = {"none", "grant", "ed25519", "hybrid"};

const char *cg_sapi_mode_name(enum cg_sapi_mode mode)
{
    return mode < CG_SAPI_MODE_COUNT ? names[mode] : names[CG_SAPI_NONE];
}

cg_err cg_sapi_mode_read(struct cg_span text, enum cg_sapi_mode *out)
{
    for (int i = CG_SAPI_NONE; i < CG_SAPI_MODE_COUNT; i++)
        if (cg_span_is(text, names[i])) {
            *out = (enum cg_sapi_mode)i;
            return CG_OK;
        }
    return CG_UNKNOWN;
}
