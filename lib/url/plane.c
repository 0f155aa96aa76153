#include "lib/base/span.h"

#include <httpcg/url.h>

static const char *const names[CG_PLANE_COUNT] = {
    [CG_PLANE_APP] = "app",       [CG_PLANE_BPI] = "bpi", [CG_PLANE_GW] = "gw",
    [CG_PLANE_WALLET] = "wallet", [CG_PLANE_M2M] = "m2m",
};

const char *cg_plane_name(enum cg_plane plane)
{
    return names[plane];
}

cg_err cg_plane_read(struct cg_span text, enum cg_plane *out)
{
    for (int plane = 0; plane < CG_PLANE_COUNT; plane++) {
        if (cg_span_eq_nocase(text, cg_span_str(names[plane]))) {
            *out = (enum cg_plane)plane;
            return CG_OK;
        }
    }
    return CG_UNKNOWN;
}
