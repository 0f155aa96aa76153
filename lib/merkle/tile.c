#include "lib/merkle/tile.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#define GROUP 1000

/* A decimal number up to max without a leading zero. */
static bool take_decimal(struct cg_span *left, unsigned max, unsigned *out)
{
    unsigned v = 0;
    size_t n = 0;

    for (; n < left->len && left->at[n] >= '0' && left->at[n] <= '9'; n++) {
        v = v * 10 + (unsigned)(left->at[n] - '0');
        if (v > max)
            return false;
    }
    if (n == 0 || (n > 1 && left->at[0] == '0'))
        return false;
    *left = cg_span_from(*left, n);
    *out = v;
    return true;
}

static bool take(struct cg_span *left, struct cg_span text)
{
    if (!cg_span_starts(*left, text))
        return false;
    *left = cg_span_from(*left, text.len);
    return true;
}

/* Groups of three digits, all but the last led by an x; a leading x000 would be a second spelling.
 */
static bool take_index(struct cg_span *left, uint64_t *out)
{
    uint64_t index = 0;
    bool is_first = true, is_last;

    do {
        unsigned group = 0;

        is_last = !take(left, CG_LIT("x"));
        if (left->len < 3)
            return false;
        for (size_t i = 0; i < 3; i++) {
            if (left->at[i] < '0' || left->at[i] > '9')
                return false;
            group = group * 10 + (unsigned)(left->at[i] - '0');
        }
        *left = cg_span_from(*left, 3);
        if (is_first && !is_last && group == 0)
            return false;
        if (index > (UINT64_MAX - group) / GROUP)
            return false;
        index = index * GROUP + group;
        is_first = false;
        if (!is_last && !take(left, CG_LIT("/")))
            return false;
    } while (!is_last);
    *out = index;
    return true;
}

cg_err cg_tile_read(struct cg_span path, struct cg_tile *out)
{
    struct cg_tile tile = {.width = CG_TILE_WIDTH};

    if (!take(&path, CG_LIT("tile/")))
        return CG_SYNTAX;
    tile.is_entries = take(&path, CG_LIT("entries/"));
    if (!tile.is_entries &&
        (!take_decimal(&path, CG_TILE_LEVELS - 1, &tile.level) || !take(&path, CG_LIT("/"))))
        return CG_SYNTAX;
    if (!take_index(&path, &tile.index))
        return CG_SYNTAX;
    if (take(&path, CG_LIT(".p/")) &&
        (!take_decimal(&path, CG_TILE_WIDTH - 1, &tile.width) || tile.width == 0))
        return CG_SYNTAX;
    if (path.len != 0)
        return CG_SYNTAX;
    *out = tile;
    return CG_OK;
}

static void put_index(struct cg_writer *w, uint64_t index)
{
    unsigned groups[7];
    size_t n = 0;

    do {
        groups[n++] = (unsigned)(index % GROUP);
        index /= GROUP;
    } while (index > 0);
    while (n-- > 0) {
        if (n > 0)
            cg_put_u8(w, 'x');
        cg_put_u8(w, (uint8_t)('0' + groups[n] / 100));
        cg_put_u8(w, (uint8_t)('0' + groups[n] / 10 % 10));
        cg_put_u8(w, (uint8_t)('0' + groups[n] % 10));
        if (n > 0)
            cg_put_u8(w, '/');
    }
}

void cg_tile_write(const struct cg_tile *tile, struct cg_writer *w)
{
    cg_put_str(w, "tile/");
    if (tile->is_entries)
        cg_put_str(w, "entries");
    else
        cg_put_decimal(w, tile->level);
    cg_put_u8(w, '/');
    put_index(w, tile->index);
    if (tile->width < CG_TILE_WIDTH) {
        cg_put_str(w, ".p/");
        cg_put_decimal(w, tile->width);
    }
}

bool cg_tile_is_in(const struct cg_tile *tile, uint64_t size)
{
    uint64_t n = size >> (8 * tile->level); /* complete subtrees of the tile's level */

    return tile->index < n / CG_TILE_WIDTH ||
           (tile->index == n / CG_TILE_WIDTH && tile->width <= n % CG_TILE_WIDTH);
}

cg_err cg_tile_hashes(const struct cg_tile *tile, const struct cg_nodes *nodes,
                      struct cg_writer *out)
{
    /* No tree has a node behind this index; the peer chose it, so it is no operand before. */
    if (tile->is_entries || tile->index > UINT64_MAX >> 8)
        return CG_UNKNOWN;
    for (unsigned i = 0; i < tile->width; i++) {
        struct cg_hash hash;

        CG_TRY(nodes->get(nodes->ctx, 8 * tile->level, tile->index * CG_TILE_WIDTH + i, &hash));
        cg_put(out, cg_hash_span(&hash));
    }
    return cg_writer_end(out);
}

void cg_bundle_add(struct cg_writer *w, struct cg_span entry)
{
    if (entry.len > UINT16_MAX)
        cg_writer_fail(w, CG_TOO_LARGE);
    cg_put_u16(w, (uint16_t)entry.len);
    cg_put(w, entry);
}

struct cg_span cg_bundle_next(struct cg_reader *r)
{
    return cg_read_bytes(r, cg_read_u16(r));
}
