#include "gateway/budget.h"

#include <assert.h>

bool gw_bucket_take_rule(struct cg_buckets *buckets, struct cg_span who, struct cg_span name,
                         unsigned rule, uint32_t per_min, uint32_t burst, struct cg_mono now)
{
    uint32_t h =
        cg_bucket_hash(cg_bucket_hash(CG_BUCKET_HASH_BEGIN, who), name) + rule * 2654435761u;
    int64_t step_us = INT64_C(60000000) / per_min;

    return cg_bucket_take_hash(buckets, h, step_us, step_us * (burst ? burst : 1), now);
}

size_t gw_share_place(struct cg_span ip)
{
    return cg_bucket_hash(CG_BUCKET_HASH_BEGIN, cg_bucket_prefix(ip)) % GW_SHARES;
}

bool gw_share_take(struct gw_shares *shares, size_t place, size_t max)
{
    if (shares->n[place] >= max)
        return false;
    shares->n[place]++;
    return true;
}

void gw_share_give(struct gw_shares *shares, size_t place)
{
    assert(shares->n[place] > 0);
    shares->n[place]--;
}

bool gw_held_take(struct gw_held *held, int64_t bytes, int64_t max)
{
    int64_t before = atomic_fetch_add_explicit(&held->bytes, bytes, memory_order_relaxed);

    if (before + bytes <= max)
        return true;
    gw_held_give(held, bytes);
    return false;
}

void gw_held_give(struct gw_held *held, int64_t bytes)
{
    atomic_fetch_sub_explicit(&held->bytes, bytes, memory_order_relaxed);
}
