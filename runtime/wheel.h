/* wheel.h: deadlines, by the thousand, for next to nothing.
 *
 * A wheel of 100 ms slots.  Whatever has deadlines owns ONE timer and keeps in it the earliest of
 * them.  Moving a deadline to later only writes a number: the wheel looks again when the old time
 * comes and files anew.  So a connection that is busy touches no list and calls no kernel.
 *
 * Pure: time is an argument, which is how the tests run a day in a millisecond. */
#ifndef CG_RUNTIME_WHEEL_H
#define CG_RUNTIME_WHEEL_H
#include <httpcg/base.h>

#define CG_WHEEL_SLOT_US 100000
#define CG_WHEEL_SLOTS 512 /* 51.2 s; what is due later is filed there and looked at again */

/* No deadline. */
#define CG_NEVER ((struct cg_mono){INT64_MAX})

struct cg_timer {
    struct cg_timer *next, *prev; /* in its slot; NULL when not filed */
    int64_t filed;                /* the slot's absolute number, meaningful while filed */
    struct cg_mono due;
    void (*fire)(struct cg_timer *timer);
};

struct cg_wheel {
    struct cg_timer slots[CG_WHEEL_SLOTS]; /* list heads */
    int64_t at;                            /* the absolute number of the slot looked at last */
    size_t n_filed;
};

/* cg_wheel_init makes an empty wheel that stands at now. */
void cg_wheel_init(struct cg_wheel *wheel, struct cg_mono now);
/* cg_wheel_turn fires every timer due at now or before; a timer fires once for each time it was
 * set, never early, and at most one slot late.  A timer may set or stop any timer, itself included,
 * and may free what holds itself. */
void cg_wheel_turn(struct cg_wheel *wheel, struct cg_mono now);

/* cg_timer_init prepares a timer that is not set. */
void cg_timer_init(struct cg_timer *timer, void (*fire)(struct cg_timer *timer));
/* cg_timer_set makes due the timer's one deadline; CG_NEVER is none.  Cheap when due moves to
 * later. */
void cg_timer_set(struct cg_wheel *wheel, struct cg_timer *timer, struct cg_mono due);
/* cg_timer_done unfiles: the timer's memory may then go.  Twice is harmless. */
void cg_timer_done(struct cg_wheel *wheel, struct cg_timer *timer);

/* cg_mono_after adds milliseconds; what would overflow becomes CG_NEVER. */
struct cg_mono cg_mono_after(struct cg_mono t, int64_t ms);
/* cg_mono_earlier gives the earlier of two. */
struct cg_mono cg_mono_earlier(struct cg_mono a, struct cg_mono b);
static inline bool cg_mono_is_due(struct cg_mono due, struct cg_mono now)
{
    return due.us <= now.us;
}

#endif
