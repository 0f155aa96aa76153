#include "lib/base/blocks.h"

#include <stdlib.h>

struct cg_block {
    struct cg_block *next;
};

/* A sanitizer shall see who uses a block after he has given it back. */
#ifdef __SANITIZE_ADDRESS__
#define HAS_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_POISON 1
#endif
#endif
#ifdef HAS_POISON
void __asan_poison_memory_region(void const volatile *at, size_t len);
void __asan_unpoison_memory_region(void const volatile *at, size_t len);
#define POISON(block) __asan_poison_memory_region((block), CG_BLOCK_BYTES)
#define UNPOISON(block) __asan_unpoison_memory_region((block), CG_BLOCK_BYTES)
#else
#define POISON(block) (void)(block)
#define UNPOISON(block) (void)(block)
#endif

void cg_blocks_init(struct cg_blocks *blocks, size_t n_max)
{
    *blocks = (struct cg_blocks){.n_max = n_max};
}

static struct cg_block *take_first(struct cg_blocks *blocks)
{
    struct cg_block *block = blocks->first;

    UNPOISON(block);
    blocks->first = block->next;
    blocks->n--;
    return block;
}

void cg_blocks_done(struct cg_blocks *blocks)
{
    while (blocks->first)
        free(take_first(blocks));
}

void *cg_block_take(struct cg_blocks *blocks)
{
    return blocks && blocks->first ? take_first(blocks) : malloc(CG_BLOCK_BYTES);
}

void cg_block_give(struct cg_blocks *blocks, void *block)
{
    struct cg_block *kept = block;

    if (!block)
        return;
    if (!blocks || blocks->n >= blocks->n_max) {
        free(block);
        return;
    }
    kept->next = blocks->first;
    blocks->first = kept;
    blocks->n++;
    POISON(block);
}
