#include <httpcg/receipt.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/tree.h"

cg_err cg_inclusion_check(const struct cg_hash *leaf, uint64_t index, uint64_t size,
                          const struct cg_path *path, const struct cg_hash *root)
{
    if (index >= size || path->n > CG_PATH_MAX_HASHES)
        return CG_PROOF;

    uint64_t node = index;    /* our place on this level */
    uint64_t last = size - 1; /* the level's final place */
    struct cg_hash at = *leaf;

    for (size_t i = 0; i < path->n; i++) {
        if (last == 0)
            return CG_PROOF; /* at the root, with hashes left over */

        /* An even node in the final place has no sibling: it rises alone until it has one, which it
         * will, since last > 0. */
        while (node == last && node % 2 == 0) {
            node /= 2;
            last /= 2;
        }
        if (node % 2 == 1)
            CG_TRY(cg_node_hash(&path->at[i], &at, &at));
        else
            CG_TRY(cg_node_hash(&at, &path->at[i], &at));
        node /= 2;
        last /= 2;
    }
    return last == 0 && cg_hash_eq(&at, root) ? CG_OK : CG_PROOF;
}

/* The path rebuilds both roots at once: whatever stands left of the old tree's last subtree belongs
 * to both, whatever stands right of it to the new one alone. */
static cg_err check_growth(uint64_t from, const struct cg_hash *from_root, uint64_t to,
                           const struct cg_hash *to_root, const struct cg_path *path)
{
    uint64_t node = from - 1, last = to - 1;
    size_t i = 0;

    while (node % 2 == 1) {
        node /= 2;
        last /= 2;
    }
    /* Where that subtree is the whole old tree, its root is what the verifier has. */
    struct cg_hash old = *from_root;
    if (node > 0) {
        if (path->n == 0)
            return CG_PROOF;
        old = path->at[i++];
    }
    struct cg_hash new = old;

    for (; i < path->n; i++) {
        if (last == 0)
            return CG_PROOF;
        while (node == last && node % 2 == 0) {
            node /= 2;
            last /= 2;
        }
        if (node % 2 == 1) {
            CG_TRY(cg_node_hash(&path->at[i], &old, &old));
            CG_TRY(cg_node_hash(&path->at[i], &new, &new));
        } else {
            CG_TRY(cg_node_hash(&new, &path->at[i], &new));
        }
        node /= 2;
        last /= 2;
    }
    return last == 0 && cg_hash_eq(&old, from_root) && cg_hash_eq(&new, to_root) ? CG_OK : CG_PROOF;
}

cg_err cg_consistency_check(uint64_t from, const struct cg_hash *from_root, uint64_t to,
                            const struct cg_hash *to_root, const struct cg_path *path)
{
    if (from > to || path->n > CG_PATH_MAX_HASHES)
        return CG_PROOF;
    if (from == to)
        return path->n == 0 && cg_hash_eq(from_root, to_root) ? CG_OK : CG_PROOF;
    if (from == 0)
        return path->n == 0 ? CG_OK : CG_PROOF;
    return check_growth(from, from_root, to, to_root, path);
}
