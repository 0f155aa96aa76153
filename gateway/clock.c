#include "gateway/clock.h"

static enum gw_clock_news judge(struct gw_clock *clock, bool is_wrong, int64_t off_s)
{
    bool was_wrong = gw_clock_is_wrong(clock);

    clock->off_s = is_wrong ? off_s : 0;
    atomic_store_explicit(&clock->is_wrong, is_wrong, memory_order_relaxed);
    return is_wrong == was_wrong ? GW_CLOCK_NOTHING : is_wrong ? GW_CLOCK_WRONG : GW_CLOCK_AGREES;
}

enum gw_clock_news gw_clock_saw(struct gw_clock *clock, size_t log, const struct cg_tlog_seen *head,
                                struct cg_mono asked, struct cg_mono mono, struct cg_wall now)
{
    struct cg_mono before = clock->asked;
    bool is_first = clock->size == 0;

    if (!is_first && (log != clock->log || head->size < clock->size))
        return GW_CLOCK_NOTHING; /* another one's, or an older answer that came late */
    bool is_new = head->size > clock->size;
    clock->log = log;
    clock->size = head->size;
    if (is_new || asked.us > clock->asked.us)
        clock->asked = asked;
    /* Nobody knows when the first one was made, nor whether one that was there before is old. */
    if (is_first || !is_new)
        return GW_CLOCK_NOTHING;

    /* It was made between the question before and now; a second is what rounding makes of it. */
    int64_t since_s = (mono.us - before.us) / 1000000 + 1;
    int64_t age_s = now.s - head->time.s;
    if (age_s > since_s + GW_CLOCK_OFF_MAX_S)
        return judge(clock, true, age_s - since_s);
    if (age_s < -GW_CLOCK_OFF_MAX_S)
        return judge(clock, true, age_s);
    return judge(clock, false, 0);
}

enum gw_clock_news gw_clock_early(struct gw_clock *clock)
{
    return judge(clock, true, -CG_LEDGER_SKEW_S);
}

bool gw_clock_stepped(struct gw_clock *clock, struct cg_mono mono, struct cg_wall now,
                      int64_t *by_s)
{
    int64_t offset_s = now.s - mono.us / 1000000;
    int64_t by = offset_s - clock->offset_s;
    bool has_offset = clock->has_offset;

    clock->has_offset = true;
    clock->offset_s = offset_s;
    if (!has_offset || (by <= GW_CLOCK_STEP_S && by >= -GW_CLOCK_STEP_S))
        return false;
    *by_s = by;
    return true;
}
