/* budget.h: what callers may cost: a rule's rate by caller, and memory for held bodies.
 *
 * Atomics shared by all loops, so that a limit means the same with one thread and with eight. */
#ifndef CG_GATEWAY_BUDGET_H
#define CG_GATEWAY_BUDGET_H
#include "runtime/bucket.h"

/* gw_bucket_take_rule takes one token of a rule's rate, for one caller.
 * Units   per_min tokens come back a minute; burst 0 means one. */
bool gw_bucket_take_rule(struct cg_buckets *buckets, struct cg_span who, struct cg_span name,
                         unsigned rule, uint32_t per_min, uint32_t burst, struct cg_mono now);

/* How many of something the peers of each address prefix have, of one thread. Prefixes share places
 * where their hashes meet. Zeroed: nobody has any. */
#define GW_SHARES 1024
struct gw_shares {
    uint32_t n[GW_SHARES];
};

/* gw_share_place gives the place of an address's prefix; gw_share_take takes one more there, unless
 * there are max. */
size_t gw_share_place(struct cg_span ip);
bool gw_share_take(struct gw_shares *shares, size_t place, size_t max);
void gw_share_give(struct gw_shares *shares, size_t place);

/* Bytes that may be held. Zeroed: none are. */
struct gw_held {
    _Atomic int64_t bytes;
};

/* gw_held_take takes bytes of the budget, if max allows it. */
bool gw_held_take(struct gw_held *held, int64_t bytes, int64_t max);
void gw_held_give(struct gw_held *held, int64_t bytes);

#endif
