#include "runtime/clock.h"

#include <assert.h>
#include <time.h>

struct cg_mono cg_clock_mono(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_MONOTONIC, &t);

    assert(rc == 0); /* the kernel has always had this clock */
    return (struct cg_mono){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

struct cg_wall cg_clock_wall(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_REALTIME, &t);

    assert(rc == 0);
    return (struct cg_wall){t.tv_sec};
}
