/* map_page.h: eight levels of the state map, as they are kept and as they are worked on.
 *
 * A page's nodes are numbered as in a heap: 1 is its root, 2i and 2i+1 are below i, and 256..511
 * are its slots, one for each value of the next byte.  It is written from the root on, each node
 * before what is below it:
 *
 *   0                    nothing
 *   1 hash               (slots) more than one pair: a page of its own, with that root
 *   2 key value          one pair, wherever it stands
 *   3 hash zero one      a node, and what is below it
 *
 * The root page begins with the number of pairs in the whole map, as u64. */
#ifndef CG_LIB_MERKLE_MAP_PAGE_H
#define CG_LIB_MERKLE_MAP_PAGE_H
#include "lib/merkle/map.h"

#define CG_MAP_PREFIX_MAX_BYTES 31
#define CG_MAP_SLOTS 256

enum cg_map_page_kind {
    CG_MAP_PAGE_EMPTY = 0,
    CG_MAP_PAGE_LINK = 1,
    CG_MAP_PAGE_PAIR = 2,
    CG_MAP_PAGE_NODE = 3,
};

struct cg_map_page {
    uint64_t n_pairs; /* of the whole map, in the root page */
    uint8_t kind[2 * CG_MAP_SLOTS];
    bool is_changed[CG_MAP_SLOTS];         /* nodes whose hash must be made anew */
    struct cg_hash hash[2 * CG_MAP_SLOTS]; /* of a link or node; a pair's key */
    struct cg_hash value[2 * CG_MAP_SLOTS];
};

/* cg_map_page_read parses; an empty span is a page without pairs. Errors  CG_STORE. */
CG_MUST_USE cg_err cg_map_page_read(struct cg_span bytes, bool is_root, struct cg_map_page *out);
CG_MUST_USE cg_err cg_map_page_write(const struct cg_map_page *page, bool is_root,
                                     struct cg_writer *out);
/* cg_map_page_hash gives the hash of what is at node i. */
CG_MUST_USE cg_err cg_map_page_hash(const struct cg_map_page *page, size_t i, struct cg_hash *out);
/* cg_map_page_rehash makes the hashes of all nodes anew that are marked as changed. */
CG_MUST_USE cg_err cg_map_page_rehash(struct cg_map_page *page);

#endif
