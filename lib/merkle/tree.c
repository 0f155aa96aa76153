#include "lib/merkle/tree.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"

cg_err cg_leaf_hash(struct cg_span entry, struct cg_hash *out)
{
    static const uint8_t prefix[] = {0x00};

    return cg_sha256_2(CG_BYTES(prefix), entry, out);
}

cg_err cg_node_hash(const struct cg_hash *left, const struct cg_hash *right, struct cg_hash *out)
{
    static const uint8_t prefix[] = {0x01};

    return cg_sha256_3(CG_BYTES(prefix), cg_hash_span(left), cg_hash_span(right), out);
}

static size_t count_peaks(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

cg_err cg_range_add(struct cg_range *range, const struct cg_hash *leaf,
                    struct cg_node out_nodes[static CG_TREE_LEVELS + 1], size_t *out_n_nodes)
{
    uint64_t index = range->size;
    size_t n_peaks = count_peaks(index);
    unsigned level = 0;
    struct cg_hash at = *leaf;

    if (index == UINT64_MAX)
        return CG_TOO_LARGE;
    out_nodes[0] = (struct cg_node){0, index, at};
    /* A leaf at an odd place closes a pair, and so on up: as many as index ends in ones. */
    for (; index & 1; index >>= 1) {
        CG_TRY(cg_node_hash(&range->peaks[--n_peaks], &at, &at));
        level++;
        out_nodes[level] = (struct cg_node){level, index >> 1, at};
    }
    range->peaks[n_peaks] = at;
    range->size++;
    *out_n_nodes = level + 1;
    return CG_OK;
}

/* Peaks are joined from the right: the smaller subtree is always the right-hand one. */
static cg_err fold(const struct cg_hash *peaks, size_t n_peaks, struct cg_hash *out)
{
    struct cg_hash at = peaks[n_peaks - 1];

    for (size_t i = n_peaks - 1; i-- > 0;)
        CG_TRY(cg_node_hash(&peaks[i], &at, &at));
    *out = at;
    return CG_OK;
}

cg_err cg_range_root(const struct cg_range *range, struct cg_hash *out)
{
    if (range->size == 0)
        return cg_sha256((struct cg_span){NULL, 0}, out);
    return fold(range->peaks, count_peaks(range->size), out);
}

/* Fetches the peaks of the leaves begin .. begin + n, where begin is a multiple of a power of two
 * that is at least n. */
static cg_err load_peaks(const struct cg_nodes *nodes, uint64_t begin, uint64_t n,
                         struct cg_hash *peaks, size_t *out_n_peaks)
{
    size_t n_peaks = 0;

    for (unsigned level = CG_TREE_LEVELS; level-- > 0;) {
        if ((n >> level & 1) == 0)
            continue;
        CG_TRY(nodes->get(nodes->ctx, level, begin >> level, &peaks[n_peaks++]));
        begin += UINT64_C(1) << level;
    }
    *out_n_peaks = n_peaks;
    return CG_OK;
}

cg_err cg_range_load(const struct cg_nodes *nodes, uint64_t size, struct cg_range *out)
{
    struct cg_range got = {.size = size};
    size_t n_peaks;

    CG_TRY(load_peaks(nodes, 0, size, got.peaks, &n_peaks));
    *out = got;
    return CG_OK;
}

/* The hash of the node at (level, index) of a tree of size leaves, which may be the last one of its
 * level and not complete. */
static cg_err load_node(const struct cg_nodes *nodes, unsigned level, uint64_t index, uint64_t size,
                        struct cg_hash *out)
{
    struct cg_hash peaks[CG_TREE_LEVELS];
    size_t n_peaks;

    if (index < size >> level)
        return nodes->get(nodes->ctx, level, index, out);
    uint64_t begin = index << level;
    CG_TRY(load_peaks(nodes, begin, size - begin, peaks, &n_peaks));
    return fold(peaks, n_peaks, out);
}

/* Appends the siblings on the way from the node at (level, index) up to the root. */
static cg_err climb(const struct cg_nodes *nodes, unsigned level, uint64_t index, uint64_t size,
                    struct cg_path *path)
{
    for (uint64_t last = (size - 1) >> level; last > 0; level++, index >>= 1, last >>= 1) {
        /* An even node in the final place has no sibling: it rises alone. */
        if (index == last && index % 2 == 0)
            continue;
        CG_TRY(load_node(nodes, level, index ^ 1, size, &path->at[path->n]));
        path->n++;
    }
    return CG_OK;
}

cg_err cg_inclusion_make(const struct cg_nodes *nodes, uint64_t index, uint64_t size,
                         struct cg_path *out)
{
    struct cg_path path = {0};

    if (index >= size)
        return CG_UNKNOWN;
    CG_TRY(climb(nodes, 0, index, size, &path));
    *out = path;
    return CG_OK;
}

cg_err cg_consistency_make(const struct cg_nodes *nodes, uint64_t from, uint64_t to,
                           struct cg_path *out)
{
    struct cg_path path = {0};
    unsigned level = 0;

    if (from > to)
        return CG_UNKNOWN;
    if (from > 0 && from < to) {
        /* The last complete subtree of the old tree. When it is the whole old tree, its root is
         * known to the verifier and left out. */
        uint64_t index = from - 1;

        for (; index & 1; index >>= 1)
            level++;
        if (index > 0) {
            CG_TRY(nodes->get(nodes->ctx, level, index, &path.at[0]));
            path.n = 1;
        }
        CG_TRY(climb(nodes, level, index, to, &path));
    }
    *out = path;
    return CG_OK;
}
