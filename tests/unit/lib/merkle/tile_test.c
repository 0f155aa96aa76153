/* C2SP tlog-tiles: addresses, widths, bytes. */
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/tile.h"

#include <stdio.h>

TEST(paths_go_there_and_back)
{
    for (size_t i = 0; i < cg_vector_count("merkle:tiles.good"); i++) {
        struct cg_span path = cg_span_str(cg_vector(cg_vector_at("merkle:tiles.good.%zu.path", i)));
        const char *level = cg_vector_at("merkle:tiles.good.%zu.level", i);
        struct cg_tile tile;
        char room[CG_TILE_PATH_MAX_BYTES];
        struct cg_writer w = cg_writer_fixed(room, sizeof room);

        CHECK_OK(cg_tile_read(path, &tile));
        CHECK(tile.is_entries == cg_span_is(cg_span_str(cg_vector(level)), "entries"));
        if (!tile.is_entries)
            CHECK_INT(tile.level, cg_vector_uint(level));
        CHECK(tile.index == cg_vector_uint(cg_vector_at("merkle:tiles.good.%zu.index", i)));
        CHECK_INT(tile.width, cg_vector_uint(cg_vector_at("merkle:tiles.good.%zu.width", i)));
        cg_tile_write(&tile, &w);
        CHECK_OK(cg_writer_end(&w));
        CHECK_SPAN(cg_writer_span(&w), path);
    }
}

TEST(a_path_has_one_spelling_and_nothing_around_it)
{
    struct cg_tile tile = {.width = 7};

    for (size_t i = 0; i < cg_vector_count("merkle:tiles.bad"); i++) {
        const char *path = cg_vector(cg_vector_at("merkle:tiles.bad.%zu", i));

        if (!CHECK_ERR(cg_tile_read(cg_span_str(path), &tile), CG_SYNTAX))
            printf("#   %s\n", path);
    }
    CHECK_INT(tile.width, 7);
}

/* C2SP tlog-tiles, "Partial Tiles": a tree of 70 000 leaves, and one of 256. */
TEST(a_tree_has_the_tiles_the_standard_counts)
{
    static const struct {
        uint64_t size;
        struct cg_tile tile;
        bool is_in;
    } rows[] = {
        {70000, {false, 0, 272, 256}, true},
        {70000, {false, 0, 273, 112}, true},
        {70000, {false, 0, 273, 113}, false},
        {70000, {false, 0, 273, 256}, false},
        {70000, {false, 0, 273, 1}, true},
        {70000, {false, 0, 274, 1}, false},
        {70000, {false, 1, 0, 256}, true},
        {70000, {false, 1, 1, 17}, true},
        {70000, {false, 1, 1, 18}, false},
        {70000, {false, 2, 0, 1}, true},
        {70000, {false, 2, 0, 2}, false},
        {70000, {false, 3, 0, 1}, false},
        {70000, {true, 0, 273, 112}, true},
        {70000, {true, 0, 273, 113}, false},
        {256, {false, 0, 0, 256}, true},
        {256, {false, 0, 0, 255}, true},
        {256, {false, 1, 0, 1}, true},
        {256, {false, 0, 1, 1}, false},
        {0, {false, 0, 0, 1}, false},
        {UINT64_MAX, {false, 7, 0, 255}, true},
        {UINT64_MAX, {false, 7, 0, 256}, false},
        {UINT64_MAX, {false, 0, UINT64_MAX, 1}, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(cg_tile_is_in(&rows[i].tile, rows[i].size), rows[i].is_in);
}

static cg_err get(void *ctx, unsigned level, uint64_t index, struct cg_hash *out)
{
    const uint64_t *first_missing = ctx;
    char text[32];

    if (index >= *first_missing || level != 0)
        return CG_UNKNOWN;
    int n = snprintf(text, sizeof text, "entry %u", (unsigned)index);
    return cg_leaf_hash(cg_span_of(text, (size_t)n), out);
}

TEST(a_tiles_bytes_are_its_hashes_one_after_the_other)
{
    uint64_t size = 9;
    const struct cg_nodes nodes = {get, &size};
    struct cg_tile tile = {.width = 9};
    uint8_t room[256 * CG_HASH_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_hash got, want = cg_vector_hash("merkle:tiles.level0_width9_sha256");

    CHECK_OK(cg_tile_hashes(&tile, &nodes, &w));
    CHECK_INT(w.len, 9 * CG_HASH_BYTES);
    CHECK_OK(cg_sha256(cg_writer_span(&w), &got));
    CHECK(cg_hash_eq(&got, &want));

    tile.width = 10;
    w = cg_writer_fixed(room, sizeof room);
    CHECK_ERR(cg_tile_hashes(&tile, &nodes, &w), CG_UNKNOWN);
    tile = (struct cg_tile){.width = 1, .index = UINT64_MAX};
    CHECK_ERR(cg_tile_hashes(&tile, &nodes, &w), CG_UNKNOWN);
    tile = (struct cg_tile){.width = 1, .is_entries = true};
    CHECK_ERR(cg_tile_hashes(&tile, &nodes, &w), CG_UNKNOWN);
    tile = (struct cg_tile){.width = 2};
    w = cg_writer_fixed(room, 2 * CG_HASH_BYTES - 1);
    CHECK_ERR(cg_tile_hashes(&tile, &nodes, &w), CG_TOO_LARGE);
}

TEST(entry_bundles_are_written_and_read)
{
    struct cg_span want = cg_vector_hex("merkle:tiles.bundle_of_3");
    uint8_t room[128];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    cg_bundle_add(&w, CG_LIT("entry 0"));
    cg_bundle_add(&w, CG_LIT("entry 1"));
    cg_bundle_add(&w, CG_LIT("entry 2"));
    CHECK_OK(cg_writer_end(&w));
    CHECK_SPAN(cg_writer_span(&w), want);

    struct cg_reader r = cg_reader_of(want);
    CHECK_SPAN(cg_bundle_next(&r), CG_LIT("entry 0"));
    CHECK_SPAN(cg_bundle_next(&r), CG_LIT("entry 1"));
    CHECK_SPAN(cg_bundle_next(&r), CG_LIT("entry 2"));
    CHECK_OK(cg_reader_end(&r));
    r = cg_reader_of(cg_span_first(want, want.len - 1));
    for (size_t i = 0; i < 3; i++)
        cg_bundle_next(&r);
    CHECK_ERR(cg_reader_end(&r), CG_SHORT);

    static uint8_t large[UINT16_MAX + 1];
    w = cg_writer_fixed(room, sizeof room);
    cg_bundle_add(&w, CG_BYTES(large));
    CHECK_ERR(cg_writer_end(&w), CG_TOO_LARGE);

    /* There is room; it is the length that does not fit. */
    static uint8_t much[2 * sizeof large];
    w = cg_writer_fixed(much, sizeof much);
    cg_bundle_add(&w, cg_span_of(large, UINT16_MAX));
    CHECK_OK(cg_writer_end(&w));
    CHECK_INT(w.len, 2 + UINT16_MAX);
    cg_bundle_add(&w, CG_BYTES(large));
    CHECK_ERR(cg_writer_end(&w), CG_TOO_LARGE);
}

SUITE(tile, T(paths_go_there_and_back), T(a_path_has_one_spelling_and_nothing_around_it),
      T(a_tree_has_the_tiles_the_standard_counts),
      T(a_tiles_bytes_are_its_hashes_one_after_the_other), T(entry_bundles_are_written_and_read))
