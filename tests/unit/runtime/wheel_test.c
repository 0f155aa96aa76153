#include "runtime/wheel.h"
#include "tests/support/check.h"

#include <stdlib.h>

/* Simulated time: a day passes in a moment. */
static struct cg_wheel wheel;
static struct cg_mono now;

struct alarm {
    struct cg_timer timer; /* first */
    unsigned n_fired;
    struct cg_mono fired_at;
    int64_t again_ms;       /* set itself anew when it fires */
    struct alarm *victim;   /* unfiled when it fires */
    struct alarm *follower; /* set to now when it fires */
};

static void fire(struct cg_timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;

    alarm->n_fired++;
    alarm->fired_at = now;
    if (alarm->again_ms)
        cg_timer_set(&wheel, timer, cg_mono_after(now, alarm->again_ms));
    if (alarm->victim)
        cg_timer_done(&wheel, &alarm->victim->timer);
    if (alarm->follower)
        cg_timer_set(&wheel, &alarm->follower->timer, now);
}

static struct alarm alarm_new(void)
{
    struct alarm alarm = {.n_fired = 0};

    cg_timer_init(&alarm.timer, fire);
    return alarm;
}

static void start(int64_t us)
{
    now = (struct cg_mono){us};
    cg_wheel_init(&wheel, now);
}

static void pass(int64_t ms)
{
    now = cg_mono_after(now, ms);
    cg_wheel_turn(&wheel, now);
}

TEST(fires_never_early_and_at_most_a_slot_late)
{
    static const int64_t dues_ms[] = {0,     1,     99,    100,    101,    250,    51099,
                                      51100, 51200, 51300, 102400, 600000, 3600000};

    for (int64_t from = 0; from < 200000; from += 33333) {
        for (size_t i = 0; i < sizeof dues_ms / sizeof dues_ms[0]; i++) {
            struct alarm alarm = alarm_new();
            struct cg_mono due;

            start(1000000 + from);
            due = cg_mono_after(now, dues_ms[i]);
            cg_timer_set(&wheel, &alarm.timer, due);
            for (int64_t ms = 0; ms <= dues_ms[i] + 300 && alarm.n_fired == 0; ms += 10)
                pass(10);
            CHECK_INT(alarm.n_fired, 1);
            CHECK(alarm.fired_at.us >= due.us);
            CHECK(alarm.fired_at.us - due.us <= CG_WHEEL_SLOT_US + 10000);
            CHECK_INT(wheel.n_filed, 0);
            pass(200000);
            CHECK_INT(alarm.n_fired, 1);
        }
    }
}

TEST(moving_to_later_touches_no_list_and_still_fires_once)
{
    struct alarm alarm = alarm_new();
    int64_t filed;

    start(0);
    cg_timer_set(&wheel, &alarm.timer, cg_mono_after(now, 500));
    filed = alarm.timer.filed;
    for (int i = 0; i < 100; i++) { /* as a busy connection does */
        pass(50);
        cg_timer_set(&wheel, &alarm.timer, cg_mono_after(now, 500));
    }
    CHECK_INT(alarm.n_fired, 0);
    CHECK(alarm.timer.filed > filed); /* filed anew by the wheel, not by the setting */
    pass(499);
    CHECK_INT(alarm.n_fired, 0);
    pass(101);
    CHECK_INT(alarm.n_fired, 1);
}

TEST(moving_to_earlier_takes_effect)
{
    struct alarm alarm = alarm_new();

    start(12345);
    cg_timer_set(&wheel, &alarm.timer, cg_mono_after(now, 40000));
    cg_timer_set(&wheel, &alarm.timer, cg_mono_after(now, 300));
    pass(299);
    CHECK_INT(alarm.n_fired, 0);
    pass(101);
    CHECK_INT(alarm.n_fired, 1);
    CHECK_INT(wheel.n_filed, 0);
}

TEST(a_deadline_called_off_does_not_fire)
{
    struct alarm a = alarm_new(), b = alarm_new();

    start(0);
    cg_timer_set(&wheel, &a.timer, cg_mono_after(now, 300));
    cg_timer_set(&wheel, &b.timer, cg_mono_after(now, 300));
    cg_timer_set(&wheel, &a.timer, CG_NEVER);
    cg_timer_done(&wheel, &b.timer);
    cg_timer_done(&wheel, &b.timer);
    pass(100000);
    CHECK_INT(a.n_fired, 0);
    CHECK_INT(b.n_fired, 0);
    CHECK_INT(wheel.n_filed, 0);
}

TEST(a_timer_may_set_itself_anew_and_take_another_out)
{
    struct alarm a = alarm_new(), b = alarm_new(), c = alarm_new();

    start(0);
    a.again_ms = 1000;
    a.victim = &b;
    a.follower = &c;
    cg_timer_set(&wheel, &a.timer, cg_mono_after(now, 100));
    cg_timer_set(&wheel, &b.timer, cg_mono_after(now, 100));
    for (int i = 0; i < 105; i++)
        pass(100);
    CHECK_INT(a.n_fired, 10); /* at 0.2 s and then every 1.1 s at most */
    CHECK_INT(b.n_fired, 0);
    CHECK_INT(c.n_fired, 10);
}

TEST(a_long_sleep_fires_everything_once)
{
    struct alarm alarms[64];

    start(777);
    for (size_t i = 0; i < 64; i++) {
        alarms[i] = alarm_new();
        cg_timer_set(&wheel, &alarms[i].timer, cg_mono_after(now, (int64_t)i * 3000));
    }
    pass(24 * 3600 * 1000);
    for (size_t i = 0; i < 64; i++)
        CHECK_INT(alarms[i].n_fired, 1);
    CHECK_INT(wheel.n_filed, 0);
}

/* Against the obvious: a list that is searched at every step. */
TEST(agrees_with_a_plain_list_over_random_days)
{
    enum { N = 200 };
    static struct alarm alarms[N];
    static struct cg_mono dues[N];
    static unsigned expected[N];
    unsigned seed = 20261123;

    start(5000000);
    for (int i = 0; i < N; i++) {
        alarms[i] = alarm_new();
        dues[i] = CG_NEVER;
        expected[i] = 0;
    }
    for (int step = 0; step < 20000; step++) {
        for (int k = 0; k < 3; k++) {
            int i = rand_r(&seed) % N;

            dues[i] =
                rand_r(&seed) % 8 == 0 ? CG_NEVER : cg_mono_after(now, rand_r(&seed) % 120000);
            cg_timer_set(&wheel, &alarms[i].timer, dues[i]);
        }
        now = cg_mono_after(now, rand_r(&seed) % 300);
        cg_wheel_turn(&wheel, now);
        for (int i = 0; i < N; i++) {
            /* Fired must be what is surely due, may be what is due. */
            bool may = cg_mono_is_due(dues[i], now);
            bool must = may && dues[i].us / CG_WHEEL_SLOT_US < now.us / CG_WHEEL_SLOT_US;

            if (alarms[i].n_fired > expected[i]) {
                CHECK(may);
                expected[i]++;
                dues[i] = CG_NEVER;
            }
            CHECK(!(must && dues[i].us != INT64_MAX));
            CHECK_INT(alarms[i].n_fired, expected[i]);
        }
    }
}

TEST(sums_of_times_do_not_overflow)
{
    struct cg_mono late = {INT64_MAX - 5};

    CHECK_INT(cg_mono_after(late, 1).us, INT64_MAX);
    CHECK_INT(cg_mono_after(late, INT64_MAX).us, INT64_MAX);
    CHECK_INT(cg_mono_after((struct cg_mono){10}, 2).us, 2010);
    CHECK_INT(cg_mono_earlier(CG_NEVER, (struct cg_mono){3}).us, 3);
}

SUITE(wheel, T(fires_never_early_and_at_most_a_slot_late),
      T(moving_to_later_touches_no_list_and_still_fires_once), T(moving_to_earlier_takes_effect),
      T(a_deadline_called_off_does_not_fire), T(a_timer_may_set_itself_anew_and_take_another_out),
      T(a_long_sleep_fires_everything_once), T(agrees_with_a_plain_list_over_random_days),
      T(sums_of_times_do_not_overflow))
