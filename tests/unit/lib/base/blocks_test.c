#include "tests/support/check.h"

#include "lib/base/arena.h"
#include "lib/base/blocks.h"
#include "lib/base/span.h"

TEST(a_block_given_back_is_the_next_one_taken)
{
    struct cg_blocks blocks;

    cg_blocks_init(&blocks, 2);
    uint8_t *a = cg_block_take(&blocks), *b = cg_block_take(&blocks), *c = cg_block_take(&blocks);
    CHECK_OR_STOP(a && b && c);
    memset(a, 1, CG_BLOCK_BYTES);
    memset(b, 2, CG_BLOCK_BYTES);
    cg_block_give(&blocks, a);
    cg_block_give(&blocks, b);
    cg_block_give(&blocks, NULL);
    CHECK_INT(blocks.n, 2);
    cg_block_give(&blocks, c); /* one too many: to the heap */
    CHECK_INT(blocks.n, 2);
    CHECK(cg_block_take(&blocks) == b);
    CHECK(cg_block_take(&blocks) == a);
    CHECK_INT(blocks.n, 0);
    memset(a, 3, CG_BLOCK_BYTES);
    memset(b, 4, CG_BLOCK_BYTES);
    cg_block_give(&blocks, a);
    cg_block_give(&blocks, b);
    cg_blocks_done(&blocks);
    CHECK_INT(blocks.n, 0);
    CHECK(blocks.first == NULL);
}

TEST(without_a_lender_blocks_are_the_heaps)
{
    uint8_t *block = cg_block_take(NULL);

    CHECK_OR_STOP(block != NULL);
    memset(block, 1, CG_BLOCK_BYTES);
    cg_block_give(NULL, block);
}

/* The same pieces of the same sizes, from arenas of either kind. */
TEST(an_arena_gives_its_blocks_back_and_keeps_to_its_maximum)
{
    struct cg_blocks blocks;
    struct cg_arena arena;

    cg_blocks_init(&blocks, 16);
    for (int round = 0; round < 3; round++) {
        size_t n = 0;

        cg_arena_init_lent(&arena, 8 * CG_BLOCK_BYTES, &blocks);
        uint8_t *large = cg_arena_take(&arena, 2 * CG_BLOCK_BYTES);
        CHECK_OR_STOP(large != NULL);
        memset(large, 1, 2 * CG_BLOCK_BYTES);
        for (uint8_t *at; (at = cg_arena_take(&arena, 1000)) != NULL; n++)
            memset(at, 2, 1000);
        CHECK_INT(n, 5 * 4); /* five blocks beside the large piece, four pieces in each */
        cg_arena_done(&arena);
        CHECK_INT(blocks.n, 5);
        cg_arena_done(&arena);
        CHECK_INT(blocks.n, 5);
    }
    cg_blocks_done(&blocks);
}

SUITE(blocks, T(a_block_given_back_is_the_next_one_taken), T(without_a_lender_blocks_are_the_heaps),
      T(an_arena_gives_its_blocks_back_and_keeps_to_its_maximum))
