#include "tests/support/channel.h"
#include "tests/support/check.h"

static struct cg_wall at(int64_t s)
{
    return (struct cg_wall){s};
}

TEST(accepts_this_minute_and_the_one_before_only)
{
    const struct cg_wall now = at(CG_TEST_NOW);

    CHECK(cg_epoch_of(now) == CG_TEST_EPOCH);
    CHECK(cg_epoch_accepts(CG_TEST_EPOCH, now));
    CHECK(cg_epoch_accepts(CG_TEST_EPOCH - 1, now));
    CHECK(!cg_epoch_accepts(CG_TEST_EPOCH - 2, now));
    CHECK(!cg_epoch_accepts(CG_TEST_EPOCH + 1, now));
    CHECK(!cg_epoch_accepts(0, now));
    CHECK(!cg_epoch_accepts(UINT64_MAX, now));
}

TEST(does_not_underflow_in_the_first_minutes)
{
    CHECK(cg_epoch_accepts(0, at(0)));
    CHECK(!cg_epoch_accepts(UINT64_MAX, at(0)));
    CHECK(!cg_epoch_accepts(1, at(0)));
    CHECK(cg_epoch_accepts(0, at(119)));
    CHECK(!cg_epoch_accepts(0, at(120)));
    CHECK(cg_epoch_of(at(-1)) == 0);
    CHECK(cg_epoch_of(at(INT64_MIN)) == 0);
    CHECK(cg_epoch_to_send(at(INT64_MIN)) == 0);
    CHECK(cg_epoch_to_send(at(9)) == 0);
    CHECK(cg_epoch_to_send(at(69)) == 0);
    CHECK(cg_epoch_to_send(at(70)) == 1);
}

TEST(a_sender_at_most_45_s_behind_or_10_s_ahead_always_passes)
{
    for (int64_t now = CG_TEST_NOW; now < CG_TEST_NOW + 120; now++)
        for (int64_t error = -45; error <= 10; error++)
            CHECK(cg_epoch_accepts(cg_epoch_to_send(at(now + error)), at(now)));
}

TEST(a_sender_further_off_fails_somewhere_in_the_minute)
{
    bool ahead = false, behind = false;

    for (int64_t now = CG_TEST_NOW; now < CG_TEST_NOW + 60; now++) {
        ahead |= !cg_epoch_accepts(cg_epoch_to_send(at(now + 11)), at(now));
        behind |= !cg_epoch_accepts(cg_epoch_to_send(at(now - 51)), at(now));
    }
    CHECK(ahead);
    CHECK(behind);
}

SUITE(epoch, T(accepts_this_minute_and_the_one_before_only),
      T(does_not_underflow_in_the_first_minutes),
      T(a_sender_at_most_45_s_behind_or_10_s_ahead_always_passes),
      T(a_sender_further_off_fails_somewhere_in_the_minute))
