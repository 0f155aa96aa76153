#include "lib/sapi/window.h"

#include "lib/base/try.h"

#include <string.h>

static uint64_t *word_of(struct cg_window *window, uint64_t counter)
{
    return &window->used[counter % CG_WINDOW_BITS / 64];
}

static bool is_used(const struct cg_window *window, uint64_t counter)
{
    return (window->used[counter % CG_WINDOW_BITS / 64] >> counter % 64 & 1) != 0;
}

cg_err cg_window_check(const struct cg_window *window, uint64_t counter)
{
    if (counter == 0)
        return CG_SCHEMA;
    if (counter > window->highest)
        return CG_OK;
    if (window->highest - counter >= CG_WINDOW_BITS)
        return CG_STALE;
    return is_used(window, counter) ? CG_REPLAY : CG_OK;
}

cg_err cg_window_commit(struct cg_window *window, uint64_t counter)
{
    CG_TRY(cg_window_check(window, counter));
    if (counter > window->highest && counter - window->highest >= CG_WINDOW_BITS)
        memset(window->used, 0, sizeof window->used);
    /* The counters passed over enter the window unused: their places in the ring belonged to those
     * that leave it. At most 1023 steps, since a longer jump emptied the ring above. */
    for (uint64_t c = window->highest; c < counter && counter - c < CG_WINDOW_BITS; c++)
        *word_of(window, c + 1) &= ~(UINT64_C(1) << (c + 1) % 64);
    if (counter > window->highest)
        window->highest = counter;
    *word_of(window, counter) |= UINT64_C(1) << counter % 64;
    return CG_OK;
}
