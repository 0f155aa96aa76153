#include "tests/support/check.h"

#include "gateway/hold.h"
#include "lib/base/span.h"

#include <string.h>

static uint8_t block[4096];

static void fill(struct gw_hold *hold, size_t bytes)
{
    while (bytes > 0) {
        size_t n = bytes < sizeof block ? bytes : sizeof block;

        CHECK_OK(gw_hold_add(hold, cg_span_of(block, n)));
        bytes -= n;
    }
}

TEST(a_body_held_whole_leaves_only_when_released)
{
    struct gw_hold hold;

    gw_hold_init(&hold, GW_HOLD_WHOLE_MAX_BYTES);
    fill(&hold, 100000);
    CHECK_INT(gw_hold_ready(&hold).len, 0);
    gw_hold_release(&hold);
    CHECK_INT(gw_hold_ready(&hold).len, 100000);
    gw_hold_took(&hold, 100000);
    CHECK(gw_hold_is_empty(&hold));
    gw_hold_done(&hold);
}

TEST(the_tail_stays_until_released)
{
    static const size_t sizes[] = {0,
                                   1,
                                   GW_HOLD_TAIL_BYTES - 1,
                                   GW_HOLD_TAIL_BYTES,
                                   GW_HOLD_TAIL_BYTES + 1,
                                   GW_HOLD_WINDOW_BYTES};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct gw_hold hold;
        size_t tail = GW_HOLD_TAIL_BYTES, n = sizes[i];

        gw_hold_init(&hold, 0);
        fill(&hold, n);
        CHECK_INT(gw_hold_ready(&hold).len, n > tail ? n - tail : 0);
        gw_hold_took(&hold, gw_hold_ready(&hold).len);
        CHECK_INT(gw_hold_ready(&hold).len, 0);
        gw_hold_release(&hold);
        CHECK_INT(gw_hold_ready(&hold).len, n < tail ? n : tail);
        gw_hold_done(&hold);
    }
}

TEST(bytes_leave_in_order_however_they_come)
{
    struct gw_hold hold;
    uint8_t next_in = 0, next_out = 0;
    size_t total = 0, left = 0;

    gw_hold_init(&hold, 0);
    for (size_t step = 0; step < 2000; step++) {
        size_t n = step * 7919 % 3001, room = gw_hold_room(&hold);

        n = n < room ? n : room;
        n = n < sizeof block ? n : sizeof block;
        for (size_t i = 0; i < n; i++)
            block[i] = next_in++;
        CHECK_OK(gw_hold_add(&hold, cg_span_of(block, n)));
        total += n;
        struct cg_span out = gw_hold_ready(&hold);
        out = cg_span_first(out, step * 104729 % 4000);
        for (size_t i = 0; i < out.len; i++)
            if (!CHECK(out.at[i] == next_out++))
                return;
        gw_hold_took(&hold, out.len);
        left += out.len;
        CHECK(hold.buf.cap <= GW_HOLD_WINDOW_BYTES);
    }
    CHECK(total > 1000000 && total - left >= GW_HOLD_TAIL_BYTES);
    gw_hold_done(&hold);
}

TEST(an_overflow_lets_all_but_the_tail_go)
{
    struct gw_hold hold;

    gw_hold_init(&hold, GW_HOLD_WHOLE_MAX_BYTES);
    fill(&hold, GW_HOLD_WHOLE_MAX_BYTES);
    CHECK_INT(gw_hold_room(&hold), 0);
    CHECK_ERR(gw_hold_add(&hold, CG_LIT("x")), CG_TOO_LARGE);
    CHECK(gw_hold_is_whole(&hold));
    gw_hold_overflow(&hold);
    CHECK_INT(gw_hold_ready(&hold).len, GW_HOLD_WHOLE_MAX_BYTES - GW_HOLD_TAIL_BYTES);
    gw_hold_took(&hold, 1000);
    CHECK_INT(gw_hold_room(&hold), 1000);
    CHECK_OK(gw_hold_add(&hold, cg_span_of(block, 1000)));
    gw_hold_done(&hold);
}

SUITE(hold, T(a_body_held_whole_leaves_only_when_released), T(the_tail_stays_until_released),
      T(bytes_leave_in_order_however_they_come), T(an_overflow_lets_all_but_the_tail_go))
