#include "lib/qlock/cache.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"

static struct cg_hash route(unsigned i)
{
    return (struct cg_hash){{(uint8_t)i, (uint8_t)(i >> 8), 1}};
}

/* Tells the hash that the cache gives for a route, and compares it with the derived one. */
static struct cg_hash get(struct cg_qlock_cache *cache, const struct cg_channel *channel,
                          unsigned i, uint64_t epoch)
{
    struct cg_hash r = route(i), got = {{0}}, want;

    CHECK_OK(cg_qlock_cache_get(cache, cg_test_kit(), channel, &r, epoch, &got));
    CHECK_OK(cg_qlock_hash(cg_test_kit(), channel, &r, epoch, &want));
    CHECK(cg_hash_eq(&got, &want));
    return got;
}

TEST(gives_what_would_be_derived_for_more_routes_than_it_holds)
{
    CG_AUTO(qlock_cache) struct cg_qlock_cache cache = {0};
    struct cg_channel channel;

    cg_test_channel(0, &channel);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 200; i++)
            get(&cache, &channel, i, CG_TEST_EPOCH + i % 2);
    CHECK_INT(cache.n, CG_QLOCK_CACHE_MAX);
    CHECK_INT(cache.cap, CG_QLOCK_CACHE_MAX);
}

TEST(grows_only_as_routes_come)
{
    CG_AUTO(qlock_cache) struct cg_qlock_cache cache = {0};
    struct cg_channel channel;

    cg_test_channel(0, &channel);
    for (unsigned i = 0; i < 20; i++)
        get(&cache, &channel, 1, CG_TEST_EPOCH);
    CHECK_INT(cache.n, 1);
    CHECK(cache.cap < 16);
}

TEST(really_remembers_and_lets_the_least_recently_used_go)
{
    CG_AUTO(qlock_cache) struct cg_qlock_cache cache = {0};
    struct cg_channel channel, other;
    struct cg_hash r, got;

    cg_test_channel(0, &channel);
    cg_test_channel(1, &other);
    for (unsigned i = 0; i < CG_QLOCK_CACHE_MAX; i++)
        get(&cache, &channel, i, CG_TEST_EPOCH);
    struct cg_hash first = get(&cache, &channel, 0, CG_TEST_EPOCH); /* now the newest */
    get(&cache, &channel, 1000, CG_TEST_EPOCH);                     /* 1 goes */

    /* Asked with another channel, what is remembered shows by being the old channel's. */
    r = route(0);
    CHECK_OK(cg_qlock_cache_get(&cache, cg_test_kit(), &other, &r, CG_TEST_EPOCH, &got));
    CHECK(cg_hash_eq(&got, &first));
    r = route(1);
    CHECK_OK(cg_qlock_cache_get(&cache, cg_test_kit(), &other, &r, CG_TEST_EPOCH, &got));
    struct cg_hash derived;
    CHECK_OK(cg_qlock_hash(cg_test_kit(), &other, &r, CG_TEST_EPOCH, &derived));
    CHECK(cg_hash_eq(&got, &derived));
}

SUITE(cache, T(gives_what_would_be_derived_for_more_routes_than_it_holds),
      T(grows_only_as_routes_come), T(really_remembers_and_lets_the_least_recently_used_go))
