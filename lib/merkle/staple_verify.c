#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/staple.h"

const char *cg_staple_step_text(enum cg_staple_step step)
{
    static const char *const texts[CG_STAPLE_STEP_COUNT] = {
        [CG_STAPLE_FORM] = "the ledger's proof is well-formed and of a log known here",
        [CG_STAPLE_CHECKPOINT] = "the log's head is signed by both its keys and witnessed",
        [CG_STAPLE_HEAD] = "the map's head is the log's last entry",
        [CG_STAPLE_AGE] = "the log's head is fresh, and not behind what was seen",
        [CG_STAPLE_INCLUSION] = "the entry is in the log",
        [CG_STAPLE_MAP] = "the state map says what is claimed",
    };

    return texts[step];
}

/* One verification under way. */
struct verify {
    const struct cg_ledger_view *view;
    const struct cg_tlog *log;
    const struct cg_tlog_seen *seen;
    int64_t max_age_s;
    struct cg_staple staple;
    struct cg_checkpoint checkpoint;
    struct cg_entry head;
};

static cg_err find_log(struct verify *v, size_t *out)
{
    for (size_t i = 0; i < v->view->n_logs; i++) {
        const struct cg_tlog *log = &v->view->logs[i];

        if (!cg_span_is(v->checkpoint.origin, log->ed25519.name))
            continue;
        v->log = log;
        v->seen = v->view->seen ? &v->view->seen[i] : NULL;
        v->max_age_s = log->max_age_s;
        if (v->view->max_age_s > 0 && v->view->max_age_s < log->max_age_s)
            v->max_age_s = v->view->max_age_s;
        *out = i;
        return CG_OK;
    }
    return CG_UNKNOWN;
}

static cg_err check_leaf(const struct verify *v, const struct cg_leaf_proof *proof,
                         struct cg_entry *out)
{
    struct cg_hash leaf;

    CG_TRY(cg_entry_read(proof->entry, out));
    CG_TRY(cg_leaf_hash(proof->entry, &leaf));
    return cg_inclusion_check(&leaf, proof->index, v->checkpoint.size, &proof->path,
                              &v->checkpoint.root);
}

/* The head of the map must be the last leaf: an older one would hide what came since. */
static cg_err check_head(struct verify *v)
{
    const struct cg_leaf_proof *proof = &v->staple.map_head;

    if (v->checkpoint.size == 0 || proof->index != v->checkpoint.size - 1)
        return CG_PROOF;
    CG_TRY(check_leaf(v, proof, &v->head));
    return v->head.kind == CG_ENTRY_MAP_HEAD && v->head.log_size == proof->index ? CG_OK : CG_PROOF;
}

/* What was seen is a head that this verifier accepted before. Heads of one log are one history:
 * one root for a size, and times that never decrease. */
static cg_err check_history(const struct cg_tlog_seen *seen, const struct cg_tlog_seen *head)
{
    if (!seen || seen->size == 0)
        return CG_OK;
    if (head->size == seen->size)
        return cg_hash_eq(&head->root, &seen->root) ? CG_OK : CG_CONFLICT;
    if (head->size > seen->size)
        return head->time.s < seen->time.s ? CG_CONFLICT : CG_OK;
    if (head->time.s > seen->time.s)
        return CG_CONFLICT;
    return seen->time.s - head->time.s > CG_STAPLE_BEHIND_S ? CG_STALE : CG_OK;
}

static cg_err check_age(const struct verify *v, struct cg_tlog_seen *out)
{
    *out = (struct cg_tlog_seen){v->checkpoint.size, v->checkpoint.root, v->head.time};
    if (v->head.time.s - CG_LEDGER_SKEW_S > v->view->now.s)
        return CG_EARLY;
    if (v->head.time.s < v->view->now.s - v->max_age_s)
        return CG_STALE;
    return check_history(v->seen, out);
}

static cg_err check_entry(const struct verify *v, struct cg_staple_facts *facts)
{
    facts->has_entry = v->staple.has_incl;
    if (!v->staple.has_incl)
        return CG_OK;
    CG_TRY(check_leaf(v, &v->staple.incl, &facts->entry));
    facts->entry_index = v->staple.incl.index;
    return cg_sha256(v->staple.incl.entry, &facts->entry_hash);
}

static cg_err check_map(const struct verify *v, struct cg_staple_ask *asks)
{
    for (size_t i = 0; i < v->staple.n_map; i++) {
        struct cg_map_proof proof;
        struct cg_hash key;

        CG_TRY(cg_map_key(asks[i].kind, asks[i].id, &key));
        CG_TRY(cg_map_proof_read(v->staple.map[i], &proof));
        CG_TRY(cg_map_proof_check(&proof, &key, &v->head.commitment));
        asks[i].is_present = proof.kind == CG_MAP_PRESENT;
        asks[i].value = proof.value;
    }
    return CG_OK;
}

cg_err cg_staple_verify(struct cg_span wire, const struct cg_ledger_view *view, bool wants_entry,
                        struct cg_staple_ask *asks, size_t n_asks, struct cg_staple_facts *out)
{
    struct verify v = {.view = view};

    *out = (struct cg_staple_facts){.failed = CG_STAPLE_FORM};
    CG_TRY(cg_staple_read(wire, &v.staple));
    if (v.staple.has_incl != wants_entry || v.staple.n_map != n_asks)
        return CG_SCHEMA;
    CG_TRY(cg_checkpoint_read(v.staple.note, &v.checkpoint));
    CG_TRY(find_log(&v, &out->log));

    out->failed = CG_STAPLE_CHECKPOINT;
    CG_TRY(cg_checkpoint_verify(&v.checkpoint, v.log, view->now, &out->checkpoint));
    out->failed = CG_STAPLE_HEAD;
    CG_TRY(check_head(&v));
    out->failed = CG_STAPLE_AGE;
    CG_TRY(check_age(&v, &out->head));
    out->failed = CG_STAPLE_INCLUSION;
    CG_TRY(check_entry(&v, out));
    out->failed = CG_STAPLE_MAP;
    CG_TRY(check_map(&v, asks));
    out->failed = CG_STAPLE_STEP_COUNT;
    return CG_OK;
}
