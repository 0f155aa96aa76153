/* budget.h: what strangers may cost: token buckets by address prefix, and memory for held bodies.
 *
 * Fixed tables of atomics, shared by all loops, so that a limit means the same with one thread and
 * with eight. A /24 or /48 is one prefix; prefixes that fall into one place share its bucket, which
 * errs on the side of refusing. */
#ifndef CG_GATEWAY_BUDGET_H
#define CG_GATEWAY_BUDGET_H
#include <httpcg/base.h>

#include <stdatomic.h>

#define GW_BUCKETS 4096

/* A bucket in one word: when it will have been full again, in microseconds. */
struct gw_buckets {
    _Atomic int64_t until_us[GW_BUCKETS];
};

/* gw_bucket_take takes tokens from the bucket of an address (4 or 16 bytes), if it has them.
 * Units   per_s tokens come back a second; burst is how many it holds. */
bool gw_bucket_take(struct gw_buckets *buckets, struct cg_span ip, int64_t per_s, int64_t burst,
                    int64_t tokens, struct cg_mono now);

/* gw_bucket_take_rule takes one token of a rule's rate, for one caller.
 * Units   per_min tokens come back a minute; burst 0 means one. */
bool gw_bucket_take_rule(struct gw_buckets *buckets, struct cg_span who, struct cg_span name,
                         unsigned rule, uint32_t per_min, uint32_t burst, struct cg_mono now);

/* Bytes that may be held. Zeroed: none are. */
struct gw_held {
    _Atomic int64_t bytes;
};

/* gw_held_take takes bytes of the budget, if max allows it. */
bool gw_held_take(struct gw_held *held, int64_t bytes, int64_t max);
void gw_held_give(struct gw_held *held, int64_t bytes);

#endif
