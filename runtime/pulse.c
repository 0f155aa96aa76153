#include "runtime/pulse.h"

#include "runtime/clock.h"

#include <stdio.h>

struct cg_pulse *cg_pulses_take(struct cg_pulses *pulses, const char *name, struct cg_mono now)
{
    for (size_t i = 0; i < CG_PULSES_MAX; i++) {
        struct cg_pulse *pulse = &pulses->at[i];
        bool is_free = false;

        /* Seen as free by the checker until its first beat is in place. */
        if (atomic_load(&pulse->beat_us) != 0 ||
            !atomic_compare_exchange_strong(&pulse->is_taken, &is_free, true))
            continue;
        snprintf(pulse->name, sizeof pulse->name, "%s", name);
        pulse->is_stalled = false;
        atomic_store(&pulse->beat_us, now.us > 0 ? now.us : 1);
        return pulse;
    }
    return NULL;
}

void cg_pulse_beat(struct cg_pulse *pulse)
{
    if (pulse)
        atomic_store_explicit(&pulse->beat_us, cg_clock_mono().us, memory_order_release);
}

void cg_pulse_end(struct cg_pulse *pulse)
{
    if (!pulse)
        return;
    atomic_store(&pulse->beat_us, 0);
    atomic_store(&pulse->is_taken, false);
}

bool cg_pulses_check(struct cg_pulses *pulses, struct cg_mono now,
                     void (*on_stall)(void *ctx, const char *name, int64_t silent_us), void *ctx)
{
    bool all_beat = true;

    for (size_t i = 0; i < CG_PULSES_MAX; i++) {
        struct cg_pulse *pulse = &pulses->at[i];
        int64_t beat = atomic_load_explicit(&pulse->beat_us, memory_order_acquire);
        bool is_stalled = beat != 0 && now.us - beat > CG_PULSE_LIMIT_US;

        if (is_stalled && !pulse->is_stalled)
            on_stall(ctx, pulse->name, now.us - beat);
        pulse->is_stalled = is_stalled;
        all_beat = all_beat && !is_stalled;
    }
    return all_beat;
}
