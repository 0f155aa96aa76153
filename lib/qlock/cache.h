/* cache.h: the qlock hashes of a connection's latest routes, so that a request on a known route
 * costs no derivation.  It grows to 64 entries, then the least recently used one goes: a client
 * cannot make us hold more by asking for many paths. */
#ifndef CG_LIB_QLOCK_CACHE_H
#define CG_LIB_QLOCK_CACHE_H
#include <httpcg/qlock.h>

#define CG_QLOCK_CACHE_MAX 64

struct cg_qlock_entry;

/* Zeroed is an empty cache. */
struct cg_qlock_cache {
    struct cg_qlock_entry *entries;
    uint32_t n;
    uint32_t cap;
    uint64_t clock; /* counts uses */
};

/* cg_qlock_cache_done wipes and frees. */
void cg_qlock_cache_done(struct cg_qlock_cache *cache);
/* cg_qlock_cache_get gives a route's hash in a minute, derived where it is not there. Being out of
 * memory only means that nothing is remembered. */
CG_MUST_USE cg_err cg_qlock_cache_get(struct cg_qlock_cache *cache, struct cg_kit *kit,
                                      const struct cg_channel *channel, const struct cg_hash *route,
                                      uint64_t minute_epoch, struct cg_hash *out);

#endif
