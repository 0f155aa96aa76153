#include "lib/merkle/tlog.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"

bool cg_quorum_met(const struct cg_quorum *quorum, const bool *has_signed)
{
    uint16_t n_met[CG_WITNESSES_MAX + CG_GROUPS_MAX] = {0}; /* of each group's members */

    if (quorum->is_none)
        return true;
    /* Members stand before their group, so a group's count is complete when its turn comes. */
    for (size_t i = 0; i < quorum->n_nodes; i++) {
        const struct cg_quorum_node *node = &quorum->nodes[i];
        bool is_met = node->is_group ? n_met[i] >= node->k : has_signed[i];

        if (is_met && i == quorum->goal)
            return true;
        if (is_met && node->parent != CG_GROUP_NONE)
            n_met[node->parent]++;
    }
    return false;
}

bool cg_quorum_counts(const struct cg_quorum *quorum, size_t node)
{
    if (quorum->is_none)
        return false;
    /* Parents stand behind their members, so this rises and ends. */
    while (node != quorum->goal && quorum->nodes[node].parent != CG_GROUP_NONE)
        node = quorum->nodes[node].parent;
    return node == quorum->goal;
}

void cg_quorum_done(struct cg_quorum *quorum)
{
    for (size_t i = 0; i < quorum->n_nodes; i++)
        cg_note_key_done(&quorum->nodes[i].key);
    quorum->n_nodes = 0;
}

cg_err cg_tlog_init(const struct cg_crypto *crypto, struct cg_span origin,
                    const struct cg_public_keys *keys, const struct cg_quorum *quorum,
                    int64_t max_age_s, struct cg_tlog *out)
{
    struct cg_tlog log = {.quorum = quorum, .max_age_s = max_age_s};
    cg_err err =
        cg_note_key_init(crypto, origin, CG_NOTE_ED25519, CG_BYTES(keys->ed25519), &log.ed25519);

    if (err == CG_OK)
        err = cg_note_key_init(crypto, origin, CG_NOTE_MLDSA87, CG_BYTES(keys->mldsa87),
                               &log.mldsa87);
    if (err == CG_OK)
        err = cg_log_id_of(origin, keys, &log.id);
    if (err != CG_OK) {
        cg_tlog_done(&log);
        return err;
    }
    *out = log;
    return CG_OK;
}

void cg_tlog_done(struct cg_tlog *log)
{
    cg_note_key_done(&log->ed25519);
    cg_note_key_done(&log->mldsa87);
}
