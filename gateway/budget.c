#include "gateway/budget.h"

/* FNV-1a over the prefix: only spreads, nobody gains by a collision but the loss of his own budget
 * together with another's. */
#define FNV_BEGIN 2166136261u

static uint32_t fnv(uint32_t h, struct cg_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ bytes.at[i]) * 16777619u;
    return h;
}

/* A bucket that holds `burst` tokens and refills at per_s is the same as a moment that moves
 * 1/per_s ahead with each token taken and may be at most burst/per_s ahead of now (the generic cell
 * rate algorithm): one word, so one compare-and-swap. */
static bool take(_Atomic int64_t *at, int64_t step_us, int64_t most_us, struct cg_mono now)
{
    int64_t seen = atomic_load_explicit(at, memory_order_relaxed);

    for (;;) {
        int64_t to = (seen > now.us ? seen : now.us) + step_us;

        if (to - now.us > most_us)
            return false;
        if (atomic_compare_exchange_weak_explicit(at, &seen, to, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}

bool gw_bucket_take(struct gw_buckets *buckets, struct cg_span ip, int64_t per_s, int64_t burst,
                    int64_t tokens, struct cg_mono now)
{
    struct cg_span prefix = {ip.at, ip.len == 16 ? 6 : ip.len == 4 ? 3 : ip.len};
    _Atomic int64_t *at = &buckets->until_us[fnv(FNV_BEGIN, prefix) % GW_BUCKETS];

    return per_s > 0 && take(at, tokens * 1000000 / per_s, burst * 1000000 / per_s, now);
}

bool gw_bucket_take_rule(struct gw_buckets *buckets, struct cg_span who, struct cg_span name,
                         unsigned rule, uint32_t per_min, uint32_t burst, struct cg_mono now)
{
    uint32_t h = fnv(fnv(FNV_BEGIN, who), name) + rule * 2654435761u;
    int64_t step_us = INT64_C(60000000) / per_min;

    return take(&buckets->until_us[h % GW_BUCKETS], step_us, step_us * (burst ? burst : 1), now);
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
