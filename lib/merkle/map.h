/* map.h: the state map, a binary Merkle prefix tree over 256-bit keys, kept in pages.
 *
 *   M(d, {})      = 32 zero bytes
 *   M(d, {(k,v)}) = H(0x02 || k || v)                     one pair: its leaf, wherever it stands
 *   M(d, set)     = H(0x03 || M(d+1, bit d is 0) || M(d+1, bit d is 1))
 *
 * A page holds eight levels: everything below one prefix of whole bytes that is shared by more
 * than one key, down to the next whole byte.  So a change touches one page per byte that its key
 * shares with another (three in a map of ten million), costs one hash a level, and a proof costs
 * none.  Pairs are changed but never removed. */
#ifndef CG_LIB_MERKLE_MAP_H
#define CG_LIB_MERKLE_MAP_H
#include "lib/merkle/entry.h"

#include <httpcg/receipt.h>

/* Where pages are kept: a table, or cg_map_memory below.
 * load lends a page's bytes until the next call, and gives the empty span where there is no such
 * page; save keeps a copy.  Prefixes are 0 to 31 bytes.  Their errors are handed up as they are. */
struct cg_map_pages {
    cg_err (*load)(void *ctx, struct cg_span prefix, struct cg_span *bytes);
    cg_err (*save)(void *ctx, struct cg_span prefix, struct cg_span bytes);
    void *ctx;
};

/* The largest page: 256 slots of 65 bytes under 255 nodes of 33, and the root page's counter. */
#define CG_MAP_PAGE_MAX_BYTES (256 * 65 + 255 * 33 + 8)

struct cg_map_head {
    struct cg_hash root;
    uint64_t n_pairs;
};

/* cg_map_head_of gives root and size as the pages have them.
 * Errors  CG_STORE (a page that makes no sense), CG_NO_MEMORY, what pages answers; so below. */
CG_MUST_USE cg_err cg_map_head_of(const struct cg_map_pages *pages, struct cg_map_head *out);
/* cg_map_apply writes pairs, in whatever order they come; of two with one key the later counts.
 * Each page is saved once.  After an error some may be saved already: whoever keeps them takes them
 * back (a transaction). */
CG_MUST_USE cg_err cg_map_apply(const struct cg_map_pages *pages,
                                const struct cg_map_change *changes, size_t n_changes,
                                struct cg_map_head *out);
/* cg_map_prove writes the proof of what the map says about key, and tells it.
 * Errors  and the writer's. */
CG_MUST_USE cg_err cg_map_prove(const struct cg_map_pages *pages, const struct cg_hash *key,
                                struct cg_writer *proof, enum cg_map_kind *out_kind,
                                struct cg_hash *out_value);
/* cg_map_rebuild computes root and size from pairs alone, as cg_map_apply would on an empty map:
 * O(n), what an auditor compares. Errors  CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err cg_map_rebuild(const struct cg_map_change *changes, size_t n_changes,
                                  struct cg_map_head *out);

/* Pages in memory: for tests, auditors, and gateways that follow the whole map. */
struct cg_map_memory;

CG_MUST_USE cg_err cg_map_memory_new(struct cg_map_memory **out);
void cg_map_memory_free(struct cg_map_memory *memory);
/* cg_map_memory_pages gives the interface; it borrows memory. */
struct cg_map_pages cg_map_memory_pages(struct cg_map_memory *memory);

#endif
