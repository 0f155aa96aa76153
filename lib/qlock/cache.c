#include "lib/qlock/cache.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

#define CACHE_FIRST 8

struct cg_qlock_entry {
    struct cg_hash route;
    uint64_t minute_epoch;
    uint64_t used; /* the clock at its last use */
    struct cg_hash hash;
};

void cg_qlock_cache_done(struct cg_qlock_cache *cache)
{
    if (cache->entries)
        cg_wipe(cache->entries, cache->cap * sizeof *cache->entries);
    free(cache->entries);
    *cache = (struct cg_qlock_cache){0};
}

static struct cg_qlock_entry *find(const struct cg_qlock_cache *cache, const struct cg_hash *route,
                                   uint64_t minute_epoch)
{
    for (uint32_t i = 0; i < cache->n; i++) {
        struct cg_qlock_entry *entry = &cache->entries[i];

        if (entry->minute_epoch == minute_epoch && cg_hash_eq(&entry->route, route))
            return entry;
    }
    return NULL;
}

/* Doubles the room by hand, since realloc would leave an unwiped copy behind. */
static void grow(struct cg_qlock_cache *cache)
{
    uint32_t cap = cache->cap ? cache->cap * 2 : CACHE_FIRST;
    struct cg_qlock_entry *entries = calloc(cap, sizeof *entries);

    if (!entries)
        return;
    if (cache->entries) {
        memcpy(entries, cache->entries, cache->n * sizeof *entries);
        cg_wipe(cache->entries, cache->cap * sizeof *entries);
        free(cache->entries);
    }
    cache->entries = entries;
    cache->cap = cap;
}

/* Gives a place for one more: a free one, or the least recently used one's. */
static struct cg_qlock_entry *place(struct cg_qlock_cache *cache)
{
    if (cache->n == cache->cap && cache->cap < CG_QLOCK_CACHE_MAX)
        grow(cache);
    if (cache->n < cache->cap)
        return &cache->entries[cache->n++];
    struct cg_qlock_entry *oldest = cache->entries; /* NULL where there was never any memory */
    for (uint32_t i = 1; i < cache->n; i++)
        if (cache->entries[i].used < oldest->used)
            oldest = &cache->entries[i];
    return oldest;
}

cg_err cg_qlock_cache_get(struct cg_qlock_cache *cache, struct cg_kit *kit,
                          const struct cg_channel *channel, const struct cg_hash *route,
                          uint64_t minute_epoch, struct cg_hash *out)
{
    struct cg_qlock_entry *entry = find(cache, route, minute_epoch);
    struct cg_hash hash;

    if (entry) {
        entry->used = ++cache->clock;
        *out = entry->hash;
        return CG_OK;
    }
    CG_TRY(cg_qlock_hash(kit, channel, route, minute_epoch, &hash));
    entry = place(cache);
    if (entry)
        *entry = (struct cg_qlock_entry){*route, minute_epoch, ++cache->clock, hash};
    *out = hash;
    return CG_OK;
}
