#include "gateway/hold.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <assert.h>

void gw_hold_init(struct gw_hold *hold, size_t whole_max)
{
    *hold = (struct gw_hold){.keep = whole_max ? SIZE_MAX : GW_HOLD_TAIL_BYTES};
    cg_buf_init(&hold->buf, whole_max > GW_HOLD_WINDOW_BYTES ? whole_max : GW_HOLD_WINDOW_BYTES);
}

void gw_hold_done(struct gw_hold *hold)
{
    cg_buf_done(&hold->buf);
    *hold = (struct gw_hold){0};
}

size_t gw_hold_room(const struct gw_hold *hold)
{
    return hold->buf.max - (hold->buf.len - hold->from);
}

cg_err gw_hold_add(struct gw_hold *hold, struct cg_span bytes)
{
    /* Moving the rest to the front costs at most a tail for each window that passed. */
    if (hold->from > 0 && bytes.len > hold->buf.cap - hold->buf.len) {
        cg_buf_drop(&hold->buf, hold->from);
        hold->from = 0;
    }
    return cg_buf_add(&hold->buf, bytes);
}

void gw_hold_overflow(struct gw_hold *hold)
{
    hold->keep = GW_HOLD_TAIL_BYTES;
}

bool gw_hold_is_whole(const struct gw_hold *hold)
{
    return hold->keep == SIZE_MAX;
}

void gw_hold_release(struct gw_hold *hold)
{
    hold->keep = 0;
}

bool gw_hold_is_released(const struct gw_hold *hold)
{
    return hold->keep == 0;
}

struct cg_span gw_hold_ready(const struct gw_hold *hold)
{
    struct cg_span held = cg_span_from(cg_buf_span(&hold->buf), hold->from);

    return held.len > hold->keep ? cg_span_first(held, held.len - hold->keep)
                                 : (struct cg_span){NULL, 0};
}

void gw_hold_took(struct gw_hold *hold, size_t n)
{
    assert(n <= gw_hold_ready(hold).len);
    hold->from += n;
    if (hold->from == hold->buf.len) {
        cg_buf_clear(&hold->buf);
        hold->from = 0;
    }
}

bool gw_hold_is_empty(const struct gw_hold *hold)
{
    return hold->from == hold->buf.len;
}
