/* blocks.h: pieces of memory of one size, kept when they are given back: what one request needed is
 * what the next one needs, and the heap, asked for pieces of this size, looks around for long.
 *
 * One thread's; who lends one out outlives all that is taken from it.  Blocks that lie here hold
 * what they held: like freed memory, they are for nobody to read. */
#ifndef CG_LIB_BASE_BLOCKS_H
#define CG_LIB_BASE_BLOCKS_H
#include <httpcg/base.h>

#define CG_BLOCK_BYTES 4096

struct cg_block;

struct cg_blocks {
    struct cg_block *first; /* given back last */
    size_t n, n_max;
};

/* cg_blocks_init keeps at most n_max blocks; it allocates nothing. */
void cg_blocks_init(struct cg_blocks *blocks, size_t n_max);
/* cg_blocks_done frees what is kept. */
void cg_blocks_done(struct cg_blocks *blocks);
/* cg_block_take gives CG_BLOCK_BYTES, aligned for any type, not cleared; NULL when out of memory.
 * blocks NULL: from the heap. */
void *cg_block_take(struct cg_blocks *blocks);
/* cg_block_give takes one back; block NULL is nothing. */
void cg_block_give(struct cg_blocks *blocks, void *block);

#endif
