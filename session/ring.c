#include "session/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/blocks.h"
#include "lib/base/try.h"

void cg_ring_init(struct cg_ring *ring, size_t max, struct cg_blocks *blocks)
{
    *ring = (struct cg_ring){.max = max, .lender = blocks};
}

static void *take(struct cg_ring *ring, size_t cap)
{
    return cap == CG_BLOCK_BYTES ? cg_block_take(ring->lender) : malloc(cap);
}

static void give(struct cg_ring *ring)
{
    if (ring->cap == CG_BLOCK_BYTES)
        cg_block_give(ring->lender, ring->at);
    else
        free(ring->at);
}

void cg_ring_done(struct cg_ring *ring)
{
    give(ring);
    *ring = (struct cg_ring){0};
}

/* Where the n-th byte after the first stands. */
static size_t place(const struct cg_ring *ring, size_t n)
{
    size_t at = ring->from + n;

    return at < ring->cap ? at : at - ring->cap;
}

static void copy_out(const struct cg_ring *ring, uint8_t *out, size_t n)
{
    size_t first = ring->cap - ring->from;

    if (first > n)
        first = n;
    if (first)
        memcpy(out, ring->at + ring->from, first);
    if (n > first)
        memcpy(out + first, ring->at, n - first);
}

static cg_err grow(struct cg_ring *ring, size_t need)
{
    size_t cap = ring->cap ? ring->cap : CG_BLOCK_BYTES;

    while (cap < need)
        cap = cap > ring->max / 2 ? ring->max : cap * 2;
    if (cap > ring->max)
        cap = ring->max;
    uint8_t *at = take(ring, cap);
    if (!at)
        return CG_NO_MEMORY;
    copy_out(ring, at, ring->len);
    give(ring);
    ring->at = at;
    ring->cap = cap;
    ring->from = 0;
    return CG_OK;
}

cg_err cg_ring_put(struct cg_ring *ring, struct cg_span bytes, size_t *taken)
{
    size_t n = bytes.len < ring->max - ring->len ? bytes.len : ring->max - ring->len;

    if (n && ring->len + n > ring->cap)
        CG_TRY(grow(ring, ring->len + n));
    if (n) {
        size_t to = place(ring, ring->len);
        size_t first = ring->cap - to < n ? ring->cap - to : n;
        memcpy(ring->at + to, bytes.at, first);
        if (n > first)
            memcpy(ring->at, bytes.at + first, n - first);
        ring->len += n;
    }
    *taken = n;
    return CG_OK;
}

struct cg_span cg_ring_peek(const struct cg_ring *ring)
{
    size_t n = ring->cap - ring->from;

    return (struct cg_span){ring->at ? ring->at + ring->from : NULL, n < ring->len ? n : ring->len};
}

void cg_ring_drop(struct cg_ring *ring, size_t n)
{
    assert(n <= ring->len);
    ring->from = place(ring, n);
    ring->len -= n;
    if (ring->len == 0)
        ring->from = 0; /* what comes next stands together */
}

void cg_ring_get(struct cg_ring *ring, uint8_t *out, size_t n)
{
    assert(n <= ring->len);
    copy_out(ring, out, n);
    cg_ring_drop(ring, n);
}
