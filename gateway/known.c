#include "gateway/known.h"

#include "lib/base/span.h"
#include "lib/crypto/hash.h"

#define TAG_BITS 40 /* of a place; the rest is the minute it was written in */
#define MINUTE_US INT64_C(60000000)
#define BURST 4

/* --- memory -----------------------------------------------------------------------------------
 * A place is u40 of a salted hash and u24 minutes; a wallet has two to choose from. */

static uint64_t minute_of(struct cg_mono now)
{
    return (uint64_t)(now.us / MINUTE_US) & 0xffffff;
}

static bool hash_of(const struct gw_known *known, const struct cg_waddr *wallet, uint64_t *place,
                    uint64_t *tag)
{
    struct cg_hash hash;

    if (cg_sha256_2(cg_hash_span(&known->salt), cg_span_of(wallet->text, CG_WADDR_CHARS), &hash) !=
        CG_OK)
        return false;
    *place = (uint64_t)hash.bytes[0] << 8 | hash.bytes[1];
    *tag = 0;
    for (size_t i = 2; i < 2 + TAG_BITS / 8; i++)
        *tag = *tag << 8 | hash.bytes[i];
    *tag |= 1; /* never that of an empty place */
    return true;
}

static bool is_it(uint64_t word, uint64_t tag, struct cg_mono now)
{
    uint64_t age = (minute_of(now) - (word >> TAG_BITS)) & 0xffffff;

    return (word & ((UINT64_C(1) << TAG_BITS) - 1)) == tag && age < GW_KNOWN_MIN;
}

static bool is_known(const struct gw_known *known, const struct cg_waddr *wallet,
                     struct cg_mono now)
{
    uint64_t place, tag;

    if (!hash_of(known, wallet, &place, &tag))
        return false;
    for (uint64_t i = 0; i < 2; i++)
        if (is_it(atomic_load_explicit(&known->places[(place ^ i) % GW_KNOWN_PLACES],
                                       memory_order_relaxed),
                  tag, now))
            return true;
    return false;
}

void gw_known_granted(struct gw_known *known, const struct cg_waddr *wallet, struct cg_mono now)
{
    uint64_t place, tag, ages[2];
    const uint64_t minute = minute_of(now);

    if (!hash_of(known, wallet, &place, &tag))
        return;
    for (uint64_t i = 0; i < 2; i++) {
        _Atomic uint64_t *at = &known->places[(place ^ i) % GW_KNOWN_PLACES];
        uint64_t word = atomic_load_explicit(at, memory_order_relaxed);

        if (word == 0 || (word & ((UINT64_C(1) << TAG_BITS) - 1)) == tag) {
            atomic_store_explicit(at, minute << TAG_BITS | tag, memory_order_relaxed);
            return;
        }
        ages[i] = (minute - (word >> TAG_BITS)) & 0xffffff;
    }
    uint64_t older = ages[1] > ages[0];
    atomic_store_explicit(&known->places[(place ^ older) % GW_KNOWN_PLACES],
                          minute << TAG_BITS | tag, memory_order_relaxed);
}

cg_err gw_known_mark(const struct cg_waddr *wallet, struct cg_hash *out)
{
    return cg_sha256(cg_span_of(wallet->text, CG_WADDR_CHARS), out);
}

/* --- budgets --------------------------------------------------------------------------------- */

static struct cg_span prefix_of(struct cg_span ip)
{
    return (struct cg_span){ip.at, ip.len == 16 ? 6 : ip.len == 4 ? 3 : ip.len};
}

static uint32_t wallet_bucket(const struct gw_known *known, const struct gw_asker *asker)
{
    uint32_t h = cg_bucket_hash(CG_BUCKET_HASH_BEGIN, cg_hash_span(&known->salt));

    h = cg_bucket_hash(h, cg_span_of(asker->wallet->text, CG_WADDR_CHARS));
    return asker->standing == GW_CLAIMED ? cg_bucket_hash(h, prefix_of(asker->ip)) : h;
}

static bool take_own(struct gw_known *known, const struct gw_asker *asker, int64_t per_s,
                     int64_t tokens, struct cg_mono now)
{
    int64_t step_us = 1000000 / (per_s * GW_KNOWN_TIMES);

    return cg_bucket_take_hash(&known->wallets, wallet_bucket(known, asker), tokens * step_us,
                               per_s * GW_KNOWN_TIMES * BURST * step_us, now);
}

static enum gw_standing standing_of(const struct gw_known *known, const struct gw_asker *asker,
                                    int64_t per_s, struct cg_mono now)
{
    if (asker->has_ticket)
        return GW_RESUMED;
    if (is_known(known, asker->wallet, now) &&
        cg_bucket_has(&known->liars, asker->ip, per_s, per_s * BURST, now))
        return GW_CLAIMED;
    return GW_STRANGER;
}

bool gw_known_take(struct gw_known *known, struct gw_asker *asker, int64_t per_s, int64_t tokens,
                   struct cg_mono now)
{
    asker->standing = standing_of(known, asker, per_s, now);
    if (asker->standing != GW_STRANGER && take_own(known, asker, per_s, tokens, now))
        return true;
    /* A ticket that asks too often is told so; who only says that he is known may still be let in
     * as anybody is. */
    if (asker->standing == GW_RESUMED)
        return false;
    asker->standing = GW_STRANGER;
    return cg_bucket_take(&known->strangers, asker->ip, per_s, per_s * BURST, tokens, now);
}

void gw_known_failed(struct gw_known *known, const struct gw_asker *asker, int64_t per_s,
                     struct cg_mono now)
{
    int64_t step_us = 1000000 / (per_s * GW_KNOWN_TIMES);

    switch (asker->standing) {
    case GW_RESUMED:
        cg_bucket_charge_hash(&known->wallets, wallet_bucket(known, asker),
                              GW_BAD_GRANT_TOKENS * step_us,
                              per_s * GW_KNOWN_TIMES * BURST * step_us, now);
        return;
    case GW_CLAIMED:
        cg_bucket_charge(&known->liars, asker->ip, per_s, per_s * BURST, 1, now);
        break;
    case GW_STRANGER:
        break;
    }
    cg_bucket_charge(&known->strangers, asker->ip, per_s, per_s * BURST, GW_BAD_GRANT_TOKENS, now);
}
