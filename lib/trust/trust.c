#include "lib/trust/trust.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"

#include <stdlib.h>

void cg_trust_free(struct cg_trust *trust)
{
    if (!trust)
        return;
    for (size_t i = 0; i < trust->n_logs; i++)
        cg_tlog_done(&trust->logs[i]);
    cg_quorum_done(&trust->quorum);
    free(trust->pins);
    free(trust->text);
    free(trust);
}

const struct cg_tlog *cg_trust_log(const struct cg_trust *trust, const struct cg_log_id *id)
{
    for (size_t i = 0; i < trust->n_logs; i++)
        if (cg_log_id_eq(&trust->log_ids[i], id))
            return &trust->logs[i];
    return NULL;
}

const struct cg_trust_registry *cg_trust_find_registry(const struct cg_trust *trust,
                                                       const struct cg_waddr *did)
{
    for (size_t i = 0; i < trust->n_registries; i++)
        if (cg_waddr_eq(&trust->registries[i].did, did))
            return &trust->registries[i];
    return NULL;
}

/* Orders a pin's name against plane/authority, without putting the two together. */
static int order(struct cg_span name, struct cg_span plane, struct cg_span authority)
{
    struct cg_span head = cg_span_first(name, cg_span_find(name, '/'));
    int by_plane = cg_span_cmp(head, plane);

    return by_plane != 0 ? by_plane : cg_span_cmp(cg_span_from(name, head.len + 1), authority);
}

const struct cg_waddr *cg_trust_find_pin(const struct cg_trust *trust, struct cg_span plane,
                                         struct cg_span authority)
{
    size_t from = 0, to = trust->n_pins;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int way = order(trust->pins[middle].name, plane, authority);

        if (way == 0)
            return &trust->pins[middle].gateway;
        if (way < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

cg_err cg_trust_log_write(struct cg_span origin, const struct cg_public_keys *keys,
                          struct cg_writer *out)
{
    cg_put_str(out, "log ");
    CG_TRY(cg_vkey_write(origin, CG_NOTE_ED25519, CG_BYTES(keys->ed25519), out));
    cg_put_str(out, "\nlog ");
    CG_TRY(cg_vkey_write(origin, CG_NOTE_MLDSA87, CG_BYTES(keys->mldsa87), out));
    cg_put_u8(out, '\n');
    return cg_writer_end(out);
}
