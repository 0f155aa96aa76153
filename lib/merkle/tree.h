/* tree.h: the log's Merkle tree (RFC 9162, 2.1): growing it, and making proofs out of stored nodes.
 *
 * A node is named by its level (0 for leaves) and its index there; only complete subtrees are nodes
 * and are stored, so a node once stored never changes. */
#ifndef CG_LIB_MERKLE_TREE_H
#define CG_LIB_MERKLE_TREE_H
#include <httpcg/receipt.h>

#define CG_TREE_LEVELS 64

struct cg_node {
    unsigned level;
    uint64_t index;
    struct cg_hash hash;
};

/* Where complete subtrees' hashes come from: a table, tiles, an array in tests.
 * Errors  of get: CG_UNKNOWN (not there), CG_STORE; handed up as they are. */
struct cg_nodes {
    cg_err (*get)(void *ctx, unsigned level, uint64_t index, struct cg_hash *out);
    void *ctx;
};

/* A tree of any size, as the roots of its complete subtrees from left to right: one for each bit
 * set in size, the largest first.  Zeroed, it is the empty tree. */
struct cg_range {
    uint64_t size;
    struct cg_hash peaks[CG_TREE_LEVELS];
};

/* cg_node_hash gives H(0x01 || left || right). */
CG_MUST_USE cg_err cg_node_hash(const struct cg_hash *left, const struct cg_hash *right,
                                struct cg_hash *out);

/* cg_range_add appends a leaf and tells every node that it completes, the leaf itself first.
 * Errors  CG_TOO_LARGE (2^64-1 leaves), CG_CRYPTO; the range then stays as it was. */
CG_MUST_USE cg_err cg_range_add(struct cg_range *range, const struct cg_hash *leaf,
                                struct cg_node out_nodes[static CG_TREE_LEVELS + 1],
                                size_t *out_n_nodes);
/* cg_range_root gives the tree head; of the empty tree it is the hash of nothing.
 * Source  RFC 9162, 2.1.1 */
CG_MUST_USE cg_err cg_range_root(const struct cg_range *range, struct cg_hash *out);
/* cg_range_load fetches the peaks of a tree of size leaves from stored nodes. */
CG_MUST_USE cg_err cg_range_load(const struct cg_nodes *nodes, uint64_t size, struct cg_range *out);

/* cg_inclusion_make makes the path from the leaf at index to the root of the tree of size leaves.
 * Errors  CG_UNKNOWN (index >= size), or what nodes answers.
 * Source  RFC 9162, 2.1.3.1 */
CG_MUST_USE cg_err cg_inclusion_make(const struct cg_nodes *nodes, uint64_t index, uint64_t size,
                                     struct cg_path *out);
/* cg_consistency_make proves that the tree of size to grew out of the one of size from.
 * Errors  CG_UNKNOWN (from > to), or what nodes answers.
 * Source  RFC 9162, 2.1.4.1 */
CG_MUST_USE cg_err cg_consistency_make(const struct cg_nodes *nodes, uint64_t from, uint64_t to,
                                       struct cg_path *out);

#endif
