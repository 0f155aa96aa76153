/* bucket.h: token buckets, for what somebody may cost: by address prefix, or by any other bytes.
 *
 * Fixed tables of atomics, shared by all loops, so that a limit means the same with one thread and
 * with eight. Whoever falls into one place shares its bucket, which errs on the side of refusing.
 */
#ifndef CG_RUNTIME_BUCKET_H
#define CG_RUNTIME_BUCKET_H
#include <httpcg/base.h>

#include <stdatomic.h>

#define CG_BUCKETS 4096

/* A bucket in one word: when it will have been full again, in microseconds. Zeroed: all full. */
struct cg_buckets {
    _Atomic int64_t until_us[CG_BUCKETS];
};

/* cg_bucket_take takes tokens from the bucket of an address (4 or 16 bytes; a /24 or /48 is one),
 * if it has them.
 * Units   per_s tokens come back a second, 0: there never are any; burst is how many it holds. */
bool cg_bucket_take(struct cg_buckets *buckets, struct cg_span ip, int64_t per_s, int64_t burst,
                    int64_t tokens, struct cg_mono now);
/* cg_bucket_prefix gives the part of an address that stands for all who share its bucket. */
struct cg_span cg_bucket_prefix(struct cg_span ip);
/* cg_bucket_charge takes tokens from it, if need be all that it has: for what was spent already. */
void cg_bucket_charge(struct cg_buckets *buckets, struct cg_span ip, int64_t per_s, int64_t burst,
                      int64_t tokens, struct cg_mono now);
/* cg_bucket_has tells whether it has a token, and takes none. */
bool cg_bucket_has(const struct cg_buckets *buckets, struct cg_span ip, int64_t per_s,
                   int64_t burst, struct cg_mono now);
/* cg_bucket_take_hash takes one token from the bucket of a hash, which cg_bucket_hash makes: it
 * adds bytes to what was hashed before, CG_BUCKET_HASH_BEGIN at first.
 * Units   a token comes back every step_us; the bucket holds most_us / step_us of them. */
bool cg_bucket_take_hash(struct cg_buckets *buckets, uint32_t hash, int64_t step_us,
                         int64_t most_us, struct cg_mono now);
/* cg_bucket_charge_hash is to it what cg_bucket_charge is to cg_bucket_take. */
void cg_bucket_charge_hash(struct cg_buckets *buckets, uint32_t hash, int64_t step_us,
                           int64_t most_us, struct cg_mono now);
#define CG_BUCKET_HASH_BEGIN 2166136261u
uint32_t cg_bucket_hash(uint32_t hash, struct cg_span bytes);

#endif
