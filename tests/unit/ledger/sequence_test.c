/* The sequencer in simulated time: the test is its disk, its signer and its clock. */
#include "tests/support/check.h"

#include "ledger/sequence.h"
#include "lib/base/span.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000)

struct world {
    struct lg_sequence s;
    struct cg_mono now;
    struct lg_update last;
    uint64_t size; /* published */
};

static const struct lg_pace pace = {
    .interval_ms = 1000,
    .heartbeat_ms = 3600 * 1000,
    .retry_ms = 2000,
    .queue_max = 4,
    .queue_bytes = 4 << 20,
    .batch_max = 3,
};

static void step(struct world *w, struct lg_event event)
{
    lg_step(&w->s, &event, w->now, &w->last);
}

static void begin(struct world *w)
{
    *w = (struct world){.now = {5000 * MS}};
    lg_sequence_init(&w->s, &pace, w->now);
    step(w, (struct lg_event){.kind = LG_TIME});
    CHECK(w->last.resume);
}

static void pass(struct world *w, int64_t ms)
{
    w->now.us += ms * MS;
    step(w, (struct lg_event){.kind = LG_TIME});
}

static struct lg_item *item_of(uint8_t n)
{
    struct lg_item *item = lg_item_new();

    item->kind = CG_ENTRY_DID;
    item->commitment = (struct cg_hash){{n}};
    return item;
}

static void submit(struct world *w, uint8_t n, struct lg_waiter *waiter)
{
    struct lg_item *item = item_of(n);

    *waiter = (struct lg_waiter){.err = CG_INTERNAL};
    lg_wait(item, waiter);
    step(w, (struct lg_event){.kind = LG_SUBMITTED, .item = item});
}

static unsigned n_answered(const struct world *w)
{
    unsigned n = 0;

    for (const struct lg_waiter *waiter = w->last.answered; waiter; waiter = waiter->next)
        n++;
    return n;
}

/* Plays the disk: gives the batch's items their places. */
static unsigned write_batch(struct world *w)
{
    unsigned n = 0;

    for (struct lg_item *item = w->s.batch; item; item = item->next)
        if (!item->is_settled)
            item->index = w->size + n++;
    return n;
}

/* Takes the head under way through its three jobs. */
static void finish_head(struct world *w)
{
    unsigned n = write_batch(w);

    step(w, (struct lg_event){.kind = LG_APPENDED, .has_head = true});
    CHECK(w->last.sign && n_answered(w) == 0);
    step(w, (struct lg_event){.kind = LG_SIGNED});
    CHECK(w->last.publish && n_answered(w) == 0);
    w->size += n + 1;
    step(w, (struct lg_event){.kind = LG_PUBLISHED, .size = w->size});
}

/* Start, until the first head of the run is published. */
static void settle(struct world *w)
{
    begin(w);
    step(w, (struct lg_event){.kind = LG_RESUMED});
    CHECK(w->last.append && w->last.needs_head && !w->last.batch);
    finish_head(w);
    pass(w, 1000);
}

TEST(a_fresh_log_begins_with_a_head_of_the_empty_map)
{
    struct world w;

    settle(&w);
    CHECK_INT(w.s.size, 1);
    CHECK_INT(w.s.n_heads, 1);
    CHECK(!w.last.append);
    CHECK_INT(w.last.wake.us, (5000 + 3600 * 1000) * MS);
    lg_sequence_done(&w.s);
}

TEST(nobody_is_answered_before_the_note_is_on_disk)
{
    struct world w;
    struct lg_waiter waiter;

    settle(&w);
    submit(&w, 1, &waiter);
    CHECK(w.last.append && w.last.batch && !w.last.needs_head);
    write_batch(&w);
    step(&w, (struct lg_event){.kind = LG_APPENDED, .has_head = true});
    CHECK(w.last.sign && !w.last.publish && n_answered(&w) == 0);
    step(&w, (struct lg_event){.kind = LG_SIGNED});
    CHECK(w.last.publish && n_answered(&w) == 0);
    step(&w, (struct lg_event){.kind = LG_PUBLISHED, .size = 3});
    CHECK(w.last.answered == &waiter);
    CHECK_ERR(waiter.err, CG_OK);
    CHECK_INT(waiter.index, 1);
    CHECK(waiter.item == NULL);
    CHECK_INT(w.s.size, 3);
    lg_sequence_done(&w.s);
}

TEST(heads_are_an_interval_apart)
{
    struct world w;
    struct lg_waiter a, b;

    settle(&w);
    submit(&w, 1, &a);
    CHECK(w.last.append);
    finish_head(&w);
    submit(&w, 2, &b);
    CHECK(!w.last.append);
    CHECK_INT(w.last.wake.us, w.now.us + 1000 * MS);
    pass(&w, 999);
    CHECK(!w.last.append);
    pass(&w, 1);
    CHECK(w.last.append);
    finish_head(&w);
    CHECK(w.last.answered == &b);
    lg_sequence_done(&w.s);
}

TEST(a_head_is_signed_every_hour_without_entries_too)
{
    struct world w;

    settle(&w);
    pass(&w, 3600 * 1000 - 1001);
    CHECK(!w.last.append);
    pass(&w, 1);
    CHECK(w.last.append && w.last.needs_head && !w.last.batch);
    finish_head(&w);
    CHECK_INT(w.s.n_heads, 2);
    lg_sequence_done(&w.s);
}

TEST(submissions_that_need_no_head_do_not_put_the_hourly_one_off)
{
    struct world w;
    struct lg_waiter a;

    settle(&w);
    for (unsigned i = 0; i < 3; i++) {
        pass(&w, 1199 * 1000);
        submit(&w, 1, &a);
        CHECK(w.last.append && !w.last.needs_head);
        w.s.batch->is_settled = true; /* logged long ago */
        w.s.batch->index = 7;
        step(&w, (struct lg_event){.kind = LG_APPENDED, .has_head = false});
        CHECK(w.last.answered == &a && a.err == CG_OK && a.index == 7);
    }
    CHECK_INT(w.s.n_heads, 1);
    pass(&w, 2000);
    CHECK(w.last.append && w.last.needs_head);
    finish_head(&w);
    lg_sequence_done(&w.s);
}

TEST(what_comes_while_a_head_is_under_way_waits_for_the_next_one)
{
    struct world w;
    struct lg_waiter a, b;

    settle(&w);
    submit(&w, 1, &a);
    submit(&w, 2, &b);
    CHECK(!w.last.append && !w.last.sign);
    finish_head(&w);
    CHECK(w.last.answered == &a && n_answered(&w) == 1);
    pass(&w, 1000);
    CHECK(w.last.append);
    finish_head(&w);
    CHECK(w.last.answered == &b && n_answered(&w) == 1);
    lg_sequence_done(&w.s);
}

TEST(the_same_thing_twice_is_logged_once_and_answered_to_both)
{
    struct world w;
    struct lg_waiter a, b, c, d;

    settle(&w);
    submit(&w, 1, &a);
    submit(&w, 1, &b); /* joins the batch */
    submit(&w, 2, &c);
    submit(&w, 2, &d); /* joins the queue */
    CHECK_INT(w.s.n_queued, 1);
    finish_head(&w);
    CHECK_INT(n_answered(&w), 2);
    CHECK(a.err == CG_OK && b.err == CG_OK && a.index == 1 && b.index == 1);
    pass(&w, 1000);
    finish_head(&w);
    CHECK_INT(n_answered(&w), 2);
    CHECK(c.index == 3 && d.index == 3);
    lg_sequence_done(&w.s);
}

TEST(the_same_commitment_of_another_kind_is_another_thing)
{
    struct world w;
    struct lg_waiter a, b;
    struct lg_item *item = item_of(1);

    settle(&w);
    pass(&w, 0);
    submit(&w, 1, &a);
    item->kind = CG_ENTRY_KEM;
    b = (struct lg_waiter){0};
    lg_wait(item, &b);
    step(&w, (struct lg_event){.kind = LG_SUBMITTED, .item = item});
    finish_head(&w);
    CHECK_INT(n_answered(&w), 1);
    lg_sequence_done(&w.s);
    CHECK(b.item == NULL);
}

TEST(a_full_queue_refuses_at_once)
{
    struct world w;
    struct lg_waiter first, queued[4], refused;

    settle(&w);
    submit(&w, 100, &first);
    for (uint8_t i = 0; i < 4; i++) {
        submit(&w, i, &queued[i]);
        CHECK_INT(n_answered(&w), 0);
    }
    submit(&w, 50, &refused);
    CHECK(w.last.answered == &refused);
    CHECK_ERR(refused.err, CG_BUSY);
    submit(&w, 3, &refused); /* what is queued already may still be joined */
    CHECK_INT(n_answered(&w), 0);
    lg_sequence_done(&w.s);
}

TEST(a_queue_is_full_by_its_bytes_too)
{
    struct world w;
    struct lg_waiter first, big, small;
    struct lg_item *item = item_of(1);

    settle(&w);
    w.s.pace.queue_bytes = 8192;
    submit(&w, 100, &first);
    CHECK(cg_arena_take(&item->arena, 8192) != NULL);
    big = (struct lg_waiter){0};
    lg_wait(item, &big);
    step(&w, (struct lg_event){.kind = LG_SUBMITTED, .item = item});
    CHECK(w.last.answered == &big);
    CHECK_ERR(big.err, CG_BUSY);
    submit(&w, 2, &small);
    CHECK_INT(n_answered(&w), 0);
    lg_sequence_done(&w.s);
    CHECK_INT(w.s.queued_bytes, 0);
}

TEST(a_batch_is_bounded_and_the_rest_follows_in_order)
{
    struct world w;
    struct lg_waiter first, waiters[4];

    settle(&w);
    submit(&w, 100, &first);
    for (uint8_t i = 0; i < 4; i++)
        submit(&w, i, &waiters[i]);
    finish_head(&w);
    pass(&w, 1000);
    finish_head(&w);
    CHECK_INT(n_answered(&w), 3);
    CHECK_INT(w.s.n_queued, 1);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_INT(waiters[i].index, 3 + i);
    pass(&w, 1000);
    finish_head(&w);
    CHECK(w.last.answered == &waiters[3] && waiters[3].index == 7);
    CHECK_INT(w.s.queued_bytes, 0);
    lg_sequence_done(&w.s);
}

TEST(who_came_second_is_told_before_the_head_is_signed)
{
    struct world w;
    struct lg_waiter first, a, b;

    settle(&w);
    submit(&w, 100, &first);
    submit(&w, 1, &a);
    submit(&w, 2, &b);
    finish_head(&w);
    pass(&w, 1000);
    w.s.batch->next->is_settled = true;
    w.s.batch->next->err = CG_CONFLICT;
    write_batch(&w);
    step(&w, (struct lg_event){.kind = LG_APPENDED, .has_head = true});
    CHECK(w.last.answered == &b && n_answered(&w) == 1);
    CHECK_ERR(b.err, CG_CONFLICT);
    step(&w, (struct lg_event){.kind = LG_SIGNED});
    step(&w, (struct lg_event){.kind = LG_PUBLISHED, .size = 5});
    CHECK(w.last.answered == &a && n_answered(&w) == 1);
    lg_sequence_done(&w.s);
}

TEST(an_append_that_fails_is_answered_and_followed_by_a_look_at_the_disk)
{
    struct world w;
    struct lg_waiter a, b;

    settle(&w);
    submit(&w, 1, &a);
    submit(&w, 2, &b);
    step(&w, (struct lg_event){.kind = LG_APPENDED, .err = CG_STORE});
    CHECK(w.last.answered == &a && n_answered(&w) == 1);
    CHECK_ERR(a.err, CG_STORE);
    CHECK(!w.last.resume);
    CHECK_INT(w.last.wake.us, w.now.us + 2000 * MS);
    pass(&w, 2000);
    CHECK(w.last.resume);
    /* It was on disk after all: its head is signed before anything else is appended. */
    step(&w, (struct lg_event){.kind = LG_RESUMED, .has_head = true, .size = 1});
    CHECK(w.last.sign && !w.last.append);
    step(&w, (struct lg_event){.kind = LG_SIGNED});
    step(&w, (struct lg_event){.kind = LG_PUBLISHED, .size = 3});
    CHECK(w.last.append);
    CHECK_INT(w.s.size, 3);
    w.size = 3;
    finish_head(&w);
    CHECK(w.last.answered == &b && b.err == CG_OK && b.index == 3);
    lg_sequence_done(&w.s);
}

TEST(a_head_left_unsigned_by_the_last_run_comes_first)
{
    struct world w;
    struct lg_waiter a;

    begin(&w);
    submit(&w, 1, &a);
    CHECK(!w.last.append);
    step(&w, (struct lg_event){.kind = LG_RESUMED, .has_head = true, .size = 10});
    CHECK(w.last.sign && !w.last.append);
    step(&w, (struct lg_event){.kind = LG_SIGNED});
    CHECK(w.last.publish);
    step(&w, (struct lg_event){.kind = LG_PUBLISHED, .size = 12});
    CHECK_INT(n_answered(&w), 0);
    CHECK(w.last.append && w.last.batch);
    lg_sequence_done(&w.s);
}

TEST(signing_and_publishing_are_tried_again_and_nothing_else_happens_meanwhile)
{
    struct world w;
    struct lg_waiter a, b[3];

    settle(&w);
    submit(&w, 1, &a);
    write_batch(&w);
    step(&w, (struct lg_event){.kind = LG_APPENDED, .has_head = true});
    for (unsigned i = 0; i < 3; i++) {
        step(&w, (struct lg_event){.kind = LG_SIGNED, .err = CG_CRYPTO});
        CHECK(!w.last.sign && w.last.wake.us == w.now.us + 2000 * MS);
        submit(&w, 2, &b[i]);
        CHECK(!w.last.append && !w.last.sign);
        pass(&w, 2000);
        CHECK(w.last.sign);
    }
    step(&w, (struct lg_event){.kind = LG_SIGNED});
    CHECK(w.last.publish);
    step(&w, (struct lg_event){.kind = LG_PUBLISHED, .err = CG_STORE});
    CHECK(!w.last.publish && n_answered(&w) == 0);
    pass(&w, 1999);
    CHECK(!w.last.publish);
    pass(&w, 1);
    CHECK(w.last.publish);
    step(&w, (struct lg_event){.kind = LG_PUBLISHED, .size = 3});
    CHECK(w.last.answered == &a);
    CHECK_ERR(a.err, CG_OK);
    CHECK(w.last.append);
    lg_sequence_done(&w.s);
}

TEST(a_log_that_cannot_be_read_is_tried_again)
{
    struct world w;

    begin(&w);
    step(&w, (struct lg_event){.kind = LG_RESUMED, .err = CG_STORE});
    CHECK(!w.last.resume && !w.last.append);
    pass(&w, 2000);
    CHECK(w.last.resume);
    lg_sequence_done(&w.s);
}

TEST(who_no_longer_waits_is_not_answered)
{
    struct world w;
    struct lg_waiter a, b, c;

    settle(&w);
    submit(&w, 1, &a);
    submit(&w, 1, &b);
    submit(&w, 1, &c);
    lg_wait_end(&b);
    lg_wait_end(&b);
    finish_head(&w);
    CHECK_INT(n_answered(&w), 2);
    CHECK_ERR(b.err, CG_INTERNAL);
    lg_sequence_done(&w.s);
}

TEST(draining_takes_nothing_new_and_ends_with_the_last_head)
{
    struct world w;
    struct lg_waiter a, b;

    settle(&w);
    submit(&w, 1, &a);
    lg_sequence_drain(&w.s);
    CHECK(!lg_sequence_is_drained(&w.s));
    submit(&w, 2, &b);
    CHECK_ERR(b.err, CG_BUSY);
    finish_head(&w);
    CHECK(w.last.answered == &a);
    CHECK(lg_sequence_is_drained(&w.s));
    lg_sequence_done(&w.s);
}

/* A small random machine: whatever fails when, everyone is answered at most once, an index is given
 * to one commitment only, and what was answered good lies below the published size. */
TEST(through_a_year_of_failures_nobody_is_answered_wrongly)
{
    static struct lg_waiter waiters[200];
    struct world w;
    uint32_t random = 12345;
    uint64_t disk = 0;
    bool unsigned_head = false;

    begin(&w);
    for (unsigned i = 0; i < 200; i++)
        waiters[i] = (struct lg_waiter){.err = CG_INTERNAL};
    for (unsigned turn = 0, next = 0; turn < 20000; turn++) {
        random = random * 1664525 + 1013904223;
        bool fails = (random >> 24) % 4 == 0;
        struct lg_update *u = &w.last;
        struct lg_update wish = *u;

        if (wish.resume) {
            step(&w, (struct lg_event){.kind = LG_RESUMED,
                                       .err = fails ? CG_STORE : CG_OK,
                                       .has_head = unsigned_head,
                                       .size = w.size});
        } else if (wish.append) {
            unsigned n = 0;
            for (struct lg_item *item = w.s.batch; item; item = item->next)
                item->index = disk + n++;
            bool reached_disk = !fails || (random >> 16) % 2 == 0;
            if (reached_disk) {
                disk += n + 1;
                unsigned_head = true;
            }
            step(&w, (struct lg_event){
                         .kind = LG_APPENDED, .err = fails ? CG_STORE : CG_OK, .has_head = true});
        } else if (wish.sign) {
            CHECK(unsigned_head);
            step(&w, (struct lg_event){.kind = LG_SIGNED, .err = fails ? CG_CRYPTO : CG_OK});
        } else if (wish.publish) {
            if (!fails) {
                unsigned_head = false;
                w.size = disk;
            }
            step(&w, (struct lg_event){
                         .kind = LG_PUBLISHED, .err = fails ? CG_STORE : CG_OK, .size = disk});
        } else if (random % 3 == 0 && next < 200) {
            submit(&w, (uint8_t)next, &waiters[next]);
            next++;
        } else {
            pass(&w, 500);
        }
        for (struct lg_waiter *a = w.last.answered; a; a = a->next) {
            CHECK(a->item == NULL);
            if (a->err == CG_OK)
                CHECK(a->index < w.size && !unsigned_head);
            for (unsigned i = 0; a->err == CG_OK && i < 200; i++)
                if (&waiters[i] != a && waiters[i].err == CG_OK)
                    CHECK(waiters[i].index != a->index);
        }
    }
    CHECK(w.size > 100);
    lg_sequence_done(&w.s);
}

SUITE(sequence, T(a_fresh_log_begins_with_a_head_of_the_empty_map),
      T(nobody_is_answered_before_the_note_is_on_disk), T(heads_are_an_interval_apart),
      T(a_head_is_signed_every_hour_without_entries_too),
      T(submissions_that_need_no_head_do_not_put_the_hourly_one_off),
      T(what_comes_while_a_head_is_under_way_waits_for_the_next_one),
      T(the_same_thing_twice_is_logged_once_and_answered_to_both),
      T(the_same_commitment_of_another_kind_is_another_thing), T(a_full_queue_refuses_at_once),
      T(a_queue_is_full_by_its_bytes_too), T(a_batch_is_bounded_and_the_rest_follows_in_order),
      T(who_came_second_is_told_before_the_head_is_signed),
      T(an_append_that_fails_is_answered_and_followed_by_a_look_at_the_disk),
      T(a_head_left_unsigned_by_the_last_run_comes_first),
      T(signing_and_publishing_are_tried_again_and_nothing_else_happens_meanwhile),
      T(a_log_that_cannot_be_read_is_tried_again), T(who_no_longer_waits_is_not_answered),
      T(draining_takes_nothing_new_and_ends_with_the_last_head),
      T(through_a_year_of_failures_nobody_is_answered_wrongly))
