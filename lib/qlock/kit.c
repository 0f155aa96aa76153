#include "lib/qlock/kit.h"

#include "lib/base/limits.h"

#include <stdlib.h>

/* The largest thing built in scratch: a request's to-be-signed bytes, or its covered fields. */
#define SCRATCH_MAX_BYTES (CG_HEADER_LIST_MAX_BYTES + CG_URI_MAX_BYTES + 4096)

cg_err cg_kit_new(const struct cg_crypto *crypto, struct cg_kit **out)
{
    struct cg_kit *kit = calloc(1, sizeof *kit);

    if (!kit)
        return CG_NO_MEMORY;
    kit->crypto = crypto;
    cg_buf_init(&kit->scratch, SCRATCH_MAX_BYTES);
    cg_err err = cg_mac_new(&kit->mac);
    if (err == CG_OK)
        err = cg_hasher_new(&kit->hasher);
    if (err != CG_OK) {
        cg_kit_free(kit);
        return err;
    }
    *out = kit;
    return CG_OK;
}

void cg_kit_free(struct cg_kit *kit)
{
    if (!kit)
        return;
    cg_mac_free(kit->mac);
    cg_hasher_free(kit->hasher);
    cg_buf_wipe(&kit->scratch); /* cookies and authorization were in it */
    free(kit);
}
