#include "runtime/bucket.h"

/* FNV-1a: only spreads, nobody gains by a collision but the loss of his own budget together with
 * another's. */
uint32_t cg_bucket_hash(uint32_t hash, struct cg_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.at[i]) * 16777619u;
    return hash;
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

static void charge(_Atomic int64_t *at, int64_t step_us, int64_t most_us, struct cg_mono now)
{
    int64_t seen = atomic_load_explicit(at, memory_order_relaxed), to;

    do {
        to = (seen > now.us ? seen : now.us) + step_us;
        if (to - now.us > most_us)
            to = now.us + most_us;
    } while (to > seen && !atomic_compare_exchange_weak_explicit(
                              at, &seen, to, memory_order_relaxed, memory_order_relaxed));
}

static uint32_t prefix_hash(struct cg_span ip)
{
    return cg_bucket_hash(CG_BUCKET_HASH_BEGIN, cg_bucket_prefix(ip));
}

bool cg_bucket_take_hash(struct cg_buckets *buckets, uint32_t hash, int64_t step_us,
                         int64_t most_us, struct cg_mono now)
{
    return take(&buckets->until_us[hash % CG_BUCKETS], step_us, most_us, now);
}

struct cg_span cg_bucket_prefix(struct cg_span ip)
{
    return (struct cg_span){ip.at, ip.len == 16 ? 6 : ip.len == 4 ? 3 : ip.len};
}

void cg_bucket_charge_hash(struct cg_buckets *buckets, uint32_t hash, int64_t step_us,
                           int64_t most_us, struct cg_mono now)
{
    charge(&buckets->until_us[hash % CG_BUCKETS], step_us, most_us, now);
}

bool cg_bucket_take(struct cg_buckets *buckets, struct cg_span ip, int64_t per_s, int64_t burst,
                    int64_t tokens, struct cg_mono now)
{
    return per_s > 0 && cg_bucket_take_hash(buckets, prefix_hash(ip), tokens * 1000000 / per_s,
                                            burst * 1000000 / per_s, now);
}

void cg_bucket_charge(struct cg_buckets *buckets, struct cg_span ip, int64_t per_s, int64_t burst,
                      int64_t tokens, struct cg_mono now)
{
    if (per_s > 0)
        cg_bucket_charge_hash(buckets, prefix_hash(ip), tokens * 1000000 / per_s,
                              burst * 1000000 / per_s, now);
}

bool cg_bucket_has(const struct cg_buckets *buckets, struct cg_span ip, int64_t per_s,
                   int64_t burst, struct cg_mono now)
{
    int64_t until = atomic_load_explicit(&buckets->until_us[prefix_hash(ip) % CG_BUCKETS],
                                         memory_order_relaxed);

    return per_s > 0 && until + 1000000 / per_s - now.us <= burst * 1000000 / per_s;
}
