/* clock.h: is this machine's clock right?
 *
 * Minutes and timestamps of grants are judged by it, so a gateway whose clock is off would believe
 * in another ten minutes than everybody else.  A tree head of the ledger says what time it was
 * made; one that was not there when the ledger was asked before was made since then, and the
 * monotonic clock knows how long ago that is at most.  Where the two clocks disagree by more than
 * ten minutes, no grants are given until a later head agrees (docs/protocol/qlock.md).
 *
 * Pure: times come in, verdicts go out. All on one thread, but for gw_clock_is_wrong. */
#ifndef CG_GATEWAY_CLOCK_H
#define CG_GATEWAY_CLOCK_H
#include "lib/merkle/tlog.h"

#include <stdatomic.h>

#define GW_CLOCK_OFF_MAX_S 600
#define GW_CLOCK_STEP_S 30

struct gw_clock {
    /* What the ledger said. */
    size_t log;            /* which of the trusted ones */
    uint64_t size;         /* of the newest head seen; 0: none yet */
    struct cg_mono asked;  /* the last question that it was the answer to */
    _Atomic bool is_wrong; /* the newest head that could tell does not agree */
    int64_t off_s;         /* by so much we are ahead; negative: behind */
    /* What the machine does. */
    bool has_offset;
    int64_t offset_s; /* civil time before the monotonic clock */
};

enum gw_clock_news {
    GW_CLOCK_NOTHING,
    GW_CLOCK_WRONG,  /* it disagrees from now on, by off_s */
    GW_CLOCK_AGREES, /* again */
};

/* gw_clock_saw takes a verified head of a log; asked is when the question was sent, now and mono
 * are both clocks as the answer is judged. */
enum gw_clock_news gw_clock_saw(struct gw_clock *clock, size_t log, const struct cg_tlog_seen *head,
                                struct cg_mono asked, struct cg_mono mono, struct cg_wall now);
/* gw_clock_early takes a head that did not verify because it is of the future. */
enum gw_clock_news gw_clock_early(struct gw_clock *clock);
/* gw_clock_stepped tells whether civil time jumped by more than GW_CLOCK_STEP_S since it was asked
 * before, and by how much. */
bool gw_clock_stepped(struct gw_clock *clock, struct cg_mono mono, struct cg_wall now,
                      int64_t *by_s);

static inline bool gw_clock_is_wrong(const struct gw_clock *clock)
{
    return atomic_load_explicit(&clock->is_wrong, memory_order_relaxed);
}

#endif
