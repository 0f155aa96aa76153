/* map_node.h: the state map's hashes, shared by those who make proofs and those who check them. */
#ifndef CG_LIB_MERKLE_MAP_NODE_H
#define CG_LIB_MERKLE_MAP_NODE_H
#include <httpcg/err.h>

#define CG_MAP_DEPTH 256

/* M(d, {}): the hash of an empty subtree. */
extern const struct cg_hash cg_map_nothing;

/* cg_map_leaf_hash gives H(0x02 || key || value), cg_map_node_hash H(0x03 || zero || one). */
CG_MUST_USE cg_err cg_map_leaf_hash(const struct cg_hash *key, const struct cg_hash *value,
                                    struct cg_hash *out);
CG_MUST_USE cg_err cg_map_node_hash(const struct cg_hash *zero, const struct cg_hash *one,
                                    struct cg_hash *out);

/* Bit i of a key, from the most significant bit of its first byte on. */
static inline unsigned cg_map_bit(const struct cg_hash *key, size_t i)
{
    return (unsigned)key->bytes[i / 8] >> (7 - i % 8) & 1u;
}

#endif
