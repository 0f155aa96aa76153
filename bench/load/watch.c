/* watch: how much CPU time other processes have used: the kernel keeps a clock for each process,
 * which counts all its threads, in nanoseconds. */
#include "bench/load/load.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t = {0};

    if (clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

cg_err ld_watch_ns(const struct ld_options *options, uint64_t *out)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < options->n_watched; i++) {
        clockid_t clock;

        if (clock_getcpuclockid(options->watched[i], &clock) != 0)
            return CG_NOT_FOUND;
        sum += read_clock(clock);
    }
    *out = sum;
    return CG_OK;
}

uint64_t ld_own_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
