#include <httpcg/qlock.h>

uint64_t cg_epoch_of(struct cg_wall now)
{
    return now.s < 0 ? 0 : (uint64_t)now.s / 60;
}

bool cg_epoch_accepts(uint64_t minute_epoch, struct cg_wall now)
{
    uint64_t current = cg_epoch_of(now);

    /* Written so that nothing underflows at 0. */
    return minute_epoch <= current && current - minute_epoch <= 1;
}

uint64_t cg_epoch_to_send(struct cg_wall now)
{
    return now.s < CG_EPOCH_GUARD_S ? 0 : cg_epoch_of((struct cg_wall){now.s - CG_EPOCH_GUARD_S});
}
