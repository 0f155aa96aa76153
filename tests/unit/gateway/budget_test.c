#include "tests/support/check.h"

#include "gateway/budget.h"
#include "lib/base/span.h"

static struct cg_buckets buckets;

static bool take(const char *ip, size_t len, int64_t now_us)
{
    return cg_bucket_take(&buckets, cg_span_of(ip, len), 5, 5, 1, (struct cg_mono){now_us});
}

TEST(a_bucket_gives_its_burst_and_then_its_rate)
{
    for (int i = 0; i < 5; i++)
        CHECK(take("\x7f\0\0\1", 4, 1000000));
    CHECK(!take("\x7f\0\0\1", 4, 1000000));
    CHECK(!take("\x7f\0\0\1", 4, 1199999));
    CHECK(take("\x7f\0\0\1", 4, 1200000));
    CHECK(!take("\x7f\0\0\1", 4, 1200000));
}

TEST(neighbours_of_a_prefix_share_a_bucket_and_others_do_not)
{
    for (int i = 0; i < 5; i++)
        CHECK(take("\x0a\1\2\1", 4, 9000000));
    CHECK(!take("\x0a\1\2\xff", 4, 9000000));
    CHECK(take("\x0a\1\3\1", 4, 9000000));
    for (int i = 0; i < 5; i++)
        CHECK(take("\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1", 16, 9000000));
    CHECK(!take("\x20\1\x0d\xb8\0\1\xff\0\0\0\0\0\0\0\0\1", 16, 9000000));
}

TEST(a_charge_takes_what_there_is_and_no_more)
{
    static struct cg_buckets charged;
    const struct cg_span ip = CG_LIT("\x0a\x09\x08\x07");
    const struct cg_mono now = {1000000};

    CHECK(cg_bucket_has(&charged, ip, 5, 5, now));
    cg_bucket_charge(&charged, ip, 5, 5, 4, now);
    CHECK(cg_bucket_has(&charged, ip, 5, 5, now));
    CHECK(cg_bucket_take(&charged, ip, 5, 5, 1, now));
    CHECK(!cg_bucket_has(&charged, ip, 5, 5, now));
    CHECK(!cg_bucket_take(&charged, ip, 5, 5, 1, now));
    /* A debt does not grow: one token is back as soon as ever. */
    for (int i = 0; i < 100; i++)
        cg_bucket_charge(&charged, ip, 5, 5, 10, now);
    CHECK(!cg_bucket_has(&charged, ip, 5, 5, (struct cg_mono){1199999}));
    CHECK(cg_bucket_has(&charged, ip, 5, 5, (struct cg_mono){1200000}));
    CHECK(cg_bucket_take(&charged, ip, 5, 5, 1, (struct cg_mono){1200000}));
}

TEST(a_rate_of_nothing_lets_nobody_in)
{
    CHECK(!cg_bucket_take(&buckets, CG_LIT("abcd"), 0, 5, 1, (struct cg_mono){5000000}));
}

TEST(held_bytes_stop_at_the_limit_and_come_back)
{
    struct gw_held held = {0};

    CHECK(gw_held_take(&held, 60, 100));
    CHECK(!gw_held_take(&held, 41, 100));
    CHECK(gw_held_take(&held, 40, 100));
    gw_held_give(&held, 60);
    CHECK(gw_held_take(&held, 60, 100));
    CHECK(!gw_held_take(&held, 1, 100));
}

TEST(a_share_has_its_limit_for_a_prefix_and_comes_back)
{
    static struct gw_shares shares;
    size_t one = gw_share_place(CG_LIT("\x0a\1\2\1")), other = gw_share_place(CG_LIT("\x0a\1\3\1"));

    CHECK(one == gw_share_place(CG_LIT("\x0a\1\2\xff")) && one != other);
    CHECK(gw_share_take(&shares, one, 2) && gw_share_take(&shares, one, 2));
    CHECK(!gw_share_take(&shares, one, 2) && gw_share_take(&shares, other, 2));
    gw_share_give(&shares, one);
    CHECK(gw_share_take(&shares, one, 2) && !gw_share_take(&shares, one, 2));
}

SUITE(budget, T(a_bucket_gives_its_burst_and_then_its_rate),
      T(neighbours_of_a_prefix_share_a_bucket_and_others_do_not),
      T(a_charge_takes_what_there_is_and_no_more), T(a_rate_of_nothing_lets_nobody_in),
      T(held_bytes_stop_at_the_limit_and_come_back),
      T(a_share_has_its_limit_for_a_prefix_and_comes_back))
