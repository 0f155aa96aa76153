/* pulse.h: the table of threads that give signs of life. */
#ifndef CG_RUNTIME_PULSE_H
#define CG_RUNTIME_PULSE_H
#include "runtime/daemon.h"

#include <stdatomic.h>

#define CG_PULSES_MAX 64
#define CG_PULSE_LIMIT_US 10000000

struct cg_pulse {
    atomic_bool is_taken;
    atomic_llong beat_us; /* monotonic */
    bool is_stalled;      /* already told of; the checker's */
    char name[32];
};

struct cg_pulses {
    struct cg_pulse at[CG_PULSES_MAX];
};

/* cg_pulses_take gives a free one, beating now; NULL when all are taken. */
struct cg_pulse *cg_pulses_take(struct cg_pulses *pulses, const char *name, struct cg_mono now);
/* cg_pulses_check tells whether all beat; on_stall is called once for each that stopped. */
bool cg_pulses_check(struct cg_pulses *pulses, struct cg_mono now,
                     void (*on_stall)(void *ctx, const char *name, int64_t silent_us), void *ctx);

#endif
