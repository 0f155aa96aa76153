#include "runtime/nearest.h"

#include "lib/base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table are enough. */
unsigned cg_nearest_distance(struct cg_span a, struct cg_span b)
{
    unsigned rows[3][CG_NEAREST_MAX_BYTES + 1];

    if (a.len > CG_NEAREST_MAX_BYTES || b.len > CG_NEAREST_MAX_BYTES)
        return CG_NEAREST_MAX_BYTES;
    for (unsigned k = 0; k <= b.len; k++)
        rows[0][k] = k;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned k = 1; k <= b.len; k++) {
            uint8_t x = lower(a.at[i - 1]), y = lower(b.at[k - 1]);

            row[k] = least(above[k] + 1, row[k - 1] + 1);
            row[k] = least(row[k], above[k - 1] + (x != y));
            if (i > 1 && k > 1 && x == lower(b.at[k - 2]) && y == lower(a.at[i - 2]))
                row[k] = least(row[k], two_above[k - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

/* "warning" for "warn", "addr" for "address". */
static bool begins_the_other(struct cg_span a, struct cg_span b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;

    return shorter >= 3 && cg_span_eq_nocase(cg_span_first(a, shorter), cg_span_first(b, shorter));
}

const char *cg_nearest(struct cg_span written, const char *const *words, size_t n_words)
{
    const char *best = NULL;
    unsigned best_distance = CG_NEAREST_MAX_BYTES;

    for (size_t i = 0; i < n_words; i++) {
        struct cg_span word = cg_span_str(words[i]);
        unsigned distance = cg_nearest_distance(written, word);
        size_t longer = word.len > written.len ? word.len : written.len;

        if (distance < best_distance &&
            (distance * 3 <= longer || begins_the_other(written, word))) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}
