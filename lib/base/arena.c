#include "lib/base/arena.h"

#include "lib/base/blocks.h"
#include "lib/base/secret.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct cg_arena_block {
    struct cg_arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) uint8_t bytes[];
};

#define USUAL_BYTES (CG_BLOCK_BYTES - sizeof(struct cg_arena_block))

void cg_arena_init(struct cg_arena *arena, size_t max)
{
    *arena = (struct cg_arena){.max = max};
}

void cg_arena_init_lent(struct cg_arena *arena, size_t max, struct cg_blocks *blocks)
{
    *arena = (struct cg_arena){.lender = blocks, .max = max};
}

void cg_arena_done(struct cg_arena *arena)
{
    struct cg_arena_block *block = arena->blocks;

    while (block) {
        struct cg_arena_block *next = block->next;
        if (block->size == USUAL_BYTES)
            cg_block_give(arena->lender, block);
        else
            free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->held = 0;
}

void cg_arena_wipe(struct cg_arena *arena)
{
    for (struct cg_arena_block *block = arena->blocks; block; block = block->next)
        cg_wipe(block->bytes, block->size);
    cg_arena_done(arena);
}

static struct cg_arena_block *grow(struct cg_arena *arena, size_t n)
{
    size_t size = n > USUAL_BYTES ? n : USUAL_BYTES;
    size_t whole = sizeof(struct cg_arena_block) + size;
    if (whole > arena->max - arena->held)
        return NULL;
    struct cg_arena_block *block =
        size == USUAL_BYTES ? cg_block_take(arena->lender) : malloc(whole);
    if (!block)
        return NULL;
    *block = (struct cg_arena_block){.next = arena->blocks, .size = size};
    arena->blocks = block;
    arena->held += whole;
    return block;
}

void *cg_arena_take(struct cg_arena *arena, size_t n)
{
    const size_t align = alignof(max_align_t);
    struct cg_arena_block *block = arena->blocks;

    if (n > arena->max)
        return NULL;
    n = (n + align - 1) / align * align;
    if (!block || n > block->size - block->used)
        block = grow(arena, n);
    if (!block)
        return NULL;
    void *at = block->bytes + block->used;
    block->used += n;
    return at;
}

void *cg_arena_zero(struct cg_arena *arena, size_t n)
{
    void *at = cg_arena_take(arena, n);

    return at ? memset(at, 0, n) : NULL;
}

cg_err cg_arena_copy(struct cg_arena *arena, struct cg_span bytes, struct cg_span *out)
{
    uint8_t *at = cg_arena_take(arena, bytes.len);

    if (!at)
        return CG_NO_MEMORY;
    if (bytes.len)
        memcpy(at, bytes.at, bytes.len);
    *out = (struct cg_span){at, bytes.len};
    return CG_OK;
}
