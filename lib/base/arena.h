/* arena.h: memory that is given out piece by piece and freed in one call. */
#ifndef CG_LIB_BASE_ARENA_H
#define CG_LIB_BASE_ARENA_H
#include <httpcg/err.h>

struct cg_arena_block;
struct cg_blocks;

struct cg_arena {
    struct cg_blocks *lender;      /* where blocks of the usual size come from; NULL: the heap */
    struct cg_arena_block *blocks; /* newest first */
    size_t held;                   /* bytes asked of the heap so far */
    size_t max;
};

/* cg_arena_init makes an arena that asks the heap for at most max bytes; it allocates nothing yet.
 */
void cg_arena_init(struct cg_arena *arena, size_t max);
/* cg_arena_init_lent makes one that borrows blocks.
 * Owns    blocks must outlive the arena. */
void cg_arena_init_lent(struct cg_arena *arena, size_t max, struct cg_blocks *blocks);
/* cg_arena_done frees all of it; twice is harmless. */
void cg_arena_done(struct cg_arena *arena);
/* cg_arena_wipe overwrites all of it, then frees: for anything that held secrets. */
void cg_arena_wipe(struct cg_arena *arena);
/* cg_arena_take gives n bytes, aligned for any type, not cleared; NULL when over the maximum or out
 * of memory. n = 0 gives a pointer that must not be read. */
void *cg_arena_take(struct cg_arena *arena, size_t n);
/* cg_arena_zero is cg_arena_take, cleared. */
void *cg_arena_zero(struct cg_arena *arena, size_t n);
/* cg_arena_copy copies bytes into the arena; *out then borrows from it. */
CG_MUST_USE cg_err cg_arena_copy(struct cg_arena *arena, struct cg_span bytes, struct cg_span *out);

#endif
