#include "tests/support/check.h"

#include "gateway/clock.h"

#define NOW 1795366003

/* A machine: how long it runs, and what its clock says. */
struct machine {
    struct gw_clock clock;
    int64_t runs_s, off_s;
};

static struct cg_mono mono(const struct machine *m)
{
    return (struct cg_mono){m->runs_s * 1000000};
}

/* The ledger is asked; its newest head has that size and is so many seconds old. */
static enum gw_clock_news ask(struct machine *m, uint64_t size, int64_t age_s)
{
    const struct cg_tlog_seen head = {.size = size, .time = {NOW + m->runs_s - age_s}};

    return gw_clock_saw(&m->clock, 0, &head, mono(m), mono(m),
                        (struct cg_wall){NOW + m->runs_s + m->off_s});
}

TEST(a_clock_within_ten_minutes_is_right)
{
    for (int64_t off = -600; off <= 600; off += 100) {
        struct machine m = {.runs_s = 1000, .off_s = off};

        CHECK_INT(ask(&m, 10, 5000), GW_CLOCK_NOTHING);
        m.runs_s += 30;
        CHECK_INT(ask(&m, 11, 1), GW_CLOCK_NOTHING);
        CHECK(!gw_clock_is_wrong(&m.clock));
    }
}

TEST(a_clock_that_is_further_off_is_wrong_until_a_later_head_agrees)
{
    const int64_t offs[] = {700, 3600, 1000000, -602, -3600, -1000000};

    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        struct machine m = {.runs_s = 1000, .off_s = offs[i]};

        CHECK_INT(ask(&m, 10, 1), GW_CLOCK_NOTHING);
        m.runs_s += 30;
        CHECK_INT(ask(&m, 11, 1), GW_CLOCK_WRONG);
        CHECK(gw_clock_is_wrong(&m.clock));
        CHECK(m.clock.off_s > 0 ? offs[i] > 0 && m.clock.off_s <= offs[i]
                                : m.clock.off_s >= offs[i]);
        /* The same head again, or one of before, says nothing. */
        m.off_s = 0;
        CHECK_INT(ask(&m, 11, 31), GW_CLOCK_NOTHING);
        CHECK_INT(ask(&m, 10, 31), GW_CLOCK_NOTHING);
        CHECK(gw_clock_is_wrong(&m.clock));
        m.runs_s += 30;
        CHECK_INT(ask(&m, 12, 29), GW_CLOCK_AGREES);
        CHECK(!gw_clock_is_wrong(&m.clock) && m.clock.off_s == 0);
        m.runs_s += 30;
        CHECK_INT(ask(&m, 13, 2), GW_CLOCK_NOTHING);
    }
}

TEST(a_head_may_be_as_old_as_the_time_since_it_was_not_there)
{
    struct machine m = {.runs_s = 1000};

    /* Nobody asked for an hour, in which the ledger made one head and then was idle. */
    CHECK_INT(ask(&m, 10, 100000), GW_CLOCK_NOTHING);
    m.runs_s += 3600;
    CHECK_INT(ask(&m, 11, 3599), GW_CLOCK_NOTHING);
    CHECK(!gw_clock_is_wrong(&m.clock));
    /* The same old head asked for again begins a new interval. */
    m.runs_s += 3600;
    CHECK_INT(ask(&m, 11, 7199), GW_CLOCK_NOTHING);
    m.runs_s += 30;
    CHECK_INT(ask(&m, 12, 700), GW_CLOCK_WRONG);
}

TEST(an_answer_that_comes_late_does_not_shorten_the_interval)
{
    struct machine m = {.runs_s = 1000};
    const struct cg_mono early = mono(&m);

    m.runs_s += 60;
    CHECK_INT(ask(&m, 10, 1), GW_CLOCK_NOTHING);
    /* Asked before, answered after: 10 was the newest at that time, too. */
    const struct cg_tlog_seen head = {.size = 10, .time = {NOW + m.runs_s - 1}};
    CHECK_INT(gw_clock_saw(&m.clock, 0, &head, early, mono(&m), (struct cg_wall){NOW + m.runs_s}),
              GW_CLOCK_NOTHING);
    CHECK_INT(m.clock.asked.us, mono(&m).us);
}

TEST(heads_of_another_log_are_not_compared)
{
    struct machine m = {.runs_s = 1000};
    const struct cg_tlog_seen other = {.size = 500, .time = {1}};

    CHECK_INT(ask(&m, 10, 1), GW_CLOCK_NOTHING);
    CHECK_INT(gw_clock_saw(&m.clock, 1, &other, mono(&m), mono(&m), (struct cg_wall){NOW}),
              GW_CLOCK_NOTHING);
    CHECK_INT(m.clock.size, 10);
}

TEST(a_head_of_the_future_is_a_clock_that_is_behind)
{
    struct machine m = {.runs_s = 1000, .off_s = -400};

    CHECK_INT(ask(&m, 10, 1), GW_CLOCK_NOTHING);
    CHECK_INT(gw_clock_early(&m.clock), GW_CLOCK_WRONG);
    CHECK_INT(gw_clock_early(&m.clock), GW_CLOCK_NOTHING);
    CHECK(gw_clock_is_wrong(&m.clock) && m.clock.off_s < 0);
    m.off_s = 0;
    m.runs_s += 3600; /* the question that was refused then is the newest head now */
    CHECK_INT(ask(&m, 11, 3600), GW_CLOCK_AGREES);
}

TEST(a_step_of_more_than_half_a_minute_is_told_once)
{
    struct gw_clock clock = {0};
    int64_t by = 7;

    CHECK(!gw_clock_stepped(&clock, (struct cg_mono){5000000}, (struct cg_wall){NOW}, &by));
    CHECK(!gw_clock_stepped(&clock, (struct cg_mono){6000000}, (struct cg_wall){NOW + 31}, &by));
    CHECK_INT(by, 7);
    CHECK(gw_clock_stepped(&clock, (struct cg_mono){7000000}, (struct cg_wall){NOW + 63}, &by));
    CHECK_INT(by, 31);
    CHECK(!gw_clock_stepped(&clock, (struct cg_mono){8000000}, (struct cg_wall){NOW + 64}, &by));
    CHECK(gw_clock_stepped(&clock, (struct cg_mono){9000000}, (struct cg_wall){NOW}, &by));
    CHECK_INT(by, -65);
    /* An hour passes on both. */
    CHECK(
        !gw_clock_stepped(&clock, (struct cg_mono){3609000000}, (struct cg_wall){NOW + 3600}, &by));
}

SUITE(clock, T(a_clock_within_ten_minutes_is_right),
      T(a_clock_that_is_further_off_is_wrong_until_a_later_head_agrees),
      T(a_head_may_be_as_old_as_the_time_since_it_was_not_there),
      T(an_answer_that_comes_late_does_not_shorten_the_interval),
      T(heads_of_another_log_are_not_compared), T(a_head_of_the_future_is_a_clock_that_is_behind),
      T(a_step_of_more_than_half_a_minute_is_told_once))
