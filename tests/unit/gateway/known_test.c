#include "tests/support/check.h"

#include "gateway/known.h"
#include "lib/base/span.h"

#include <stdio.h>
#include <string.h>

#define PER_S 5

static struct gw_known known;
static const struct cg_mono now = {INT64_C(1000000000000)};

static struct cg_mono later(int64_t s)
{
    return (struct cg_mono){now.us + s * 1000000};
}

/* An address that is none, and serves as well. */
static struct cg_waddr wallet(unsigned i)
{
    struct cg_waddr w;

    memset(&w, 0, sizeof w);
    snprintf(w.text, sizeof w.text, "%056u", i);
    return w;
}

static const char here[] = "\x0a\x01\x02\x03", neighbour[] = "\x0a\x01\x02\x04",
                  elsewhere[] = "\x0b\x01\x02\x03";

/* How an asker is let in: his standing, or -1. */
static int ask(const char *ip, unsigned who, bool has_ticket, struct cg_mono when)
{
    const struct cg_waddr w = wallet(who);
    struct gw_asker asker = {.ip = cg_span_of(ip, 4), .wallet = &w, .has_ticket = has_ticket};

    return gw_known_take(&known, &asker, PER_S, 1, when) ? (int)asker.standing : -1;
}

static void fail(const char *ip, unsigned who, enum gw_standing standing, struct cg_mono when)
{
    const struct cg_waddr w = wallet(who);
    const struct gw_asker asker = {.ip = cg_span_of(ip, 4), .wallet = &w, .standing = standing};

    gw_known_failed(&known, &asker, PER_S, when);
}

static void grant(unsigned who, struct cg_mono when)
{
    const struct cg_waddr w = wallet(who);

    gw_known_granted(&known, &w, when);
}

static void begin(void)
{
    memset(&known, 0, sizeof known);
    known.salt.bytes[0] = 42;
}

TEST(strangers_of_a_prefix_share_a_rate)
{
    begin();
    for (unsigned i = 0; i < 4 * PER_S; i++)
        CHECK_INT(ask(i % 2 ? here : neighbour, i, false, now), GW_STRANGER);
    CHECK_INT(ask(here, 100, false, now), -1);
    CHECK_INT(ask(elsewhere, 100, false, now), GW_STRANGER);
    CHECK_INT(ask(here, 100, false, later(1)), GW_STRANGER);
}

TEST(a_wallet_that_was_granted_has_ten_times_as_much_of_its_own)
{
    begin();
    grant(1, now);
    for (unsigned i = 0; i < 40 * PER_S; i++)
        CHECK_INT(ask(here, 1, false, now), GW_CLAIMED);
    /* Then it is let in as anybody is, for as long as that goes. */
    CHECK_INT(ask(here, 1, false, now), GW_STRANGER);
    CHECK_INT(ask(elsewhere, 1, false, now), GW_CLAIMED);
    for (unsigned i = 0; i < 10 * PER_S; i++)
        CHECK_INT(ask(here, 1, false, later(1)), GW_CLAIMED);
    CHECK_INT(ask(here, 1, false, later(1)), GW_STRANGER);
}

TEST(strangers_do_not_lock_a_known_wallet_out_nor_it_them)
{
    begin();
    grant(1, now);
    while (ask(here, 2, false, now) == GW_STRANGER)
        ;
    CHECK_INT(ask(here, 1, false, now), GW_CLAIMED);
    CHECK_INT(ask(here, 1, true, now), GW_RESUMED);
    begin();
    grant(1, now);
    for (unsigned i = 0; i < 30 * PER_S; i++)
        CHECK_INT(ask(here, 1, false, now), GW_CLAIMED);
    CHECK_INT(ask(here, 2, false, now), GW_STRANGER);
}

TEST(a_failure_costs_a_prefix_ten_and_a_claim_its_credit)
{
    begin();
    CHECK_INT(ask(here, 2, false, now), GW_STRANGER);
    fail(here, 2, GW_STRANGER, now);
    for (unsigned i = 0; i < 4 * PER_S - 11; i++)
        CHECK_INT(ask(here, 2, false, now), GW_STRANGER);
    CHECK_INT(ask(here, 2, false, now), -1);

    begin();
    grant(1, now);
    for (unsigned i = 0; i < 4 * PER_S; i++) {
        CHECK_INT(ask(here, 1, false, now), GW_CLAIMED);
        fail(here, 1, GW_CLAIMED, now);
    }
    /* Claims of this prefix count no more; elsewhere they do, and so does a ticket here. */
    CHECK_INT(ask(here, 1, false, now), -1);
    CHECK_INT(ask(neighbour, 1, false, now), -1);
    CHECK_INT(ask(elsewhere, 1, false, now), GW_CLAIMED);
    CHECK_INT(ask(here, 1, true, now), GW_RESUMED);
}

TEST(a_ticket_has_a_rate_and_its_failures_are_its_own)
{
    begin();
    for (unsigned i = 0; i < 40 * PER_S; i++)
        CHECK_INT(ask(i % 2 ? here : elsewhere, 1, true, now), GW_RESUMED);
    CHECK_INT(ask(here, 1, true, now), -1);
    CHECK_INT(ask(here, 2, true, now), GW_RESUMED);
    fail(here, 2, GW_RESUMED, now);
    for (unsigned i = 0; i < 40 * PER_S - 11; i++)
        CHECK_INT(ask(here, 2, true, now), GW_RESUMED);
    CHECK_INT(ask(here, 2, true, now), -1);
    CHECK_INT(ask(here, 3, false, now), GW_STRANGER);
}

TEST(a_wallet_is_remembered_for_a_day)
{
    begin();
    grant(1, now);
    CHECK_INT(ask(here, 1, false, later(24 * 3600 - 61)), GW_CLAIMED);
    CHECK_INT(ask(here, 1, false, later(24 * 3600 + 1)), GW_STRANGER);
    grant(1, later(24 * 3600 + 1));
    CHECK_INT(ask(here, 1, false, later(24 * 3600 + 2)), GW_CLAIMED);
}

TEST(of_many_wallets_the_newest_are_remembered)
{
    unsigned n = 0;

    begin();
    for (unsigned i = 0; i < 2 * GW_KNOWN_PLACES; i++)
        grant(i, later(i / 100));
    for (unsigned i = 2 * GW_KNOWN_PLACES - 3000; i < 2 * GW_KNOWN_PLACES; i++)
        n += ask("\x01\x01\x01\x01", i, false, later(1000)) == GW_CLAIMED;
    CHECK(n > 2500);
    /* One that was never granted is none of them. */
    for (unsigned i = 0; i < 1000; i++)
        n += ask("\x02\x02\x02\x02", 1000000 + i, false, later(1000 + i)) == GW_CLAIMED;
    CHECK(n <= 3000);
}

SUITE(known, T(strangers_of_a_prefix_share_a_rate),
      T(a_wallet_that_was_granted_has_ten_times_as_much_of_its_own),
      T(strangers_do_not_lock_a_known_wallet_out_nor_it_them),
      T(a_failure_costs_a_prefix_ten_and_a_claim_its_credit),
      T(a_ticket_has_a_rate_and_its_failures_are_its_own), T(a_wallet_is_remembered_for_a_day),
      T(of_many_wallets_the_newest_are_remembered))
