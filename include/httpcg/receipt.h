/* receipt.h: proofs that a log holds an entry, that it only ever grew, and what its state map says.
 *
 * A log is a Merkle tree over entries (RFC 9162, 2.1); its state map is a prefix tree over 256-bit
 * keys whose root stands in the log.  Everything here is plain hashing: no socket, no clock, no
 * heap, no signature.  Who signed the roots is checkpoint.h's question. */
#ifndef CG_RECEIPT_H
#define CG_RECEIPT_H
#include <httpcg/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tree of 2^64-1 leaves has 64 levels; a consistency proof can need one hash more. */
#define CG_PATH_MAX_HASHES 65

/* Sibling hashes, in the order RFC 9162 gives them (the leaf's sibling first). */
struct cg_path {
    size_t n;
    struct cg_hash at[CG_PATH_MAX_HASHES];
};

/* cg_leaf_hash gives H(0x00 || entry).
 * Source  RFC 9162, 2.1.1 */
CG_API CG_MUST_USE cg_err cg_leaf_hash(struct cg_span entry, struct cg_hash *out);

/* cg_inclusion_check tells whether leaf stands at index in the tree of size leaves with that root.
 * Errors  CG_PROOF (wrong leaf, place, path or root), CG_CRYPTO.
 * Source  RFC 9162, 2.1.3.2 */
CG_API CG_MUST_USE cg_err cg_inclusion_check(const struct cg_hash *leaf, uint64_t index,
                                             uint64_t size, const struct cg_path *path,
                                             const struct cg_hash *root);

/* cg_consistency_check tells whether the tree of size to grew out of the tree of size from.
 * A tree is consistent with itself and with the empty tree, in both cases by an empty path.
 * Errors  CG_PROOF (also for from > to), CG_CRYPTO.
 * Source  RFC 9162, 2.1.4.2 */
CG_API CG_MUST_USE cg_err cg_consistency_check(uint64_t from, const struct cg_hash *from_root,
                                               uint64_t to, const struct cg_hash *to_root,
                                               const struct cg_path *path);

/* What a state map says about a key. */
enum cg_map_kind {
    CG_MAP_EMPTY,   /* nothing: the key's place is empty */
    CG_MAP_OTHER,   /* nothing: another pair stands there alone */
    CG_MAP_PRESENT, /* a value */
};

struct cg_map_proof {
    enum cg_map_kind kind;
    struct cg_hash value;       /* of the key, where present */
    struct cg_hash other_key;   /* where another pair stands there */
    struct cg_hash other_value; /* likewise */
    size_t n_siblings;
    struct cg_span siblings; /* their CBOR items, root first */
};

/* cg_map_key gives the place of (kind, id) in the map, such as ("reg", "app/app.example.com").
 * Source  docs/protocol/ledger.md, "State map" */
CG_API CG_MUST_USE cg_err cg_map_key(const char *kind, struct cg_span id, struct cg_hash *out);

/* cg_map_proof_read parses the CBOR of one proof.
 * Owns    nothing: out->siblings points into wire.
 * Errors  CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_CANONICAL, CG_TOO_LARGE (over 256 siblings). */
CG_API CG_MUST_USE cg_err cg_map_proof_read(struct cg_span wire, struct cg_map_proof *out);

/* cg_map_proof_check tells whether the map with that root says what the proof claims about key.
 * Errors  CG_PROOF, CG_CRYPTO.
 * Source  docs/protocol/ledger.md, "State map" */
CG_API CG_MUST_USE cg_err cg_map_proof_check(const struct cg_map_proof *proof,
                                             const struct cg_hash *key, const struct cg_hash *root);

#ifdef __cplusplus
}
#endif
#endif
