/* tile.h: how a log's nodes and entries are cut into files that never change (C2SP tlog-tiles).
 *
 *   tile/<L>/<N>[.p/<W>]        256 (or W) hashes of level 8L, from index 256N
 *   tile/entries/<N>[.p/<W>]    256 (or W) entries from index 256N, each behind its length as u16
 *
 * N is written in groups of three digits, all but the last led by an x: 1234067 is x001/x234/067.
 */
#ifndef CG_LIB_MERKLE_TILE_H
#define CG_LIB_MERKLE_TILE_H
#include "lib/merkle/tree.h"
#include "lib/wire/reader.h"
#include "lib/wire/writer.h"

#define CG_TILE_WIDTH 256
/* C2SP allows 64; a tree of 2^64-1 leaves has nodes on the first eight. */
#define CG_TILE_LEVELS 8
/* "tile/entries/" and 7 groups of three digits for 2^64-1, ".p/255". */
#define CG_TILE_PATH_MAX_BYTES 64

struct cg_tile {
    bool is_entries;
    unsigned level; /* L, 0 for entries; at most 7, since no tree has more */
    uint64_t index; /* N */
    unsigned width; /* 256 for a full tile, 1..255 for a partial one */
};

/* cg_tile_read parses a path, from "tile/" on.
 * Errors  CG_SYNTAX (also for any second spelling of the same tile). */
CG_MUST_USE cg_err cg_tile_read(struct cg_span path, struct cg_tile *out);
/* cg_tile_write writes the path. */
void cg_tile_write(const struct cg_tile *tile, struct cg_writer *w);
/* cg_tile_is_in tells whether a tree of size leaves has all of the tile's hashes or entries. */
bool cg_tile_is_in(const struct cg_tile *tile, uint64_t size);
/* cg_tile_hashes writes the tile's bytes from stored nodes.
 * Errors  CG_UNKNOWN (an entry tile), or what nodes and writer answer. */
CG_MUST_USE cg_err cg_tile_hashes(const struct cg_tile *tile, const struct cg_nodes *nodes,
                                  struct cg_writer *out);

/* cg_bundle_add writes one entry of an entry bundle; cg_bundle_next borrows the next one. */
void cg_bundle_add(struct cg_writer *w, struct cg_span entry);
struct cg_span cg_bundle_next(struct cg_reader *r);

#endif
