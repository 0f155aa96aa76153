#include "runtime/call.h"

#include "tests/support/check.h"

#include <stdlib.h>

#define LIMIT_MS 10000

/* A kind of call that the tests end by hand. */
struct wish {
    struct cg_call call; /* first */
    bool stops_at_once;
    unsigned *n_stopped, *n_freed;
};

static bool stop_wish(struct cg_call *call)
{
    struct wish *wish = (struct wish *)call;

    (*wish->n_stopped)++;
    return wish->stops_at_once;
}

static void free_wish(struct cg_call *call)
{
    (*((struct wish *)call)->n_freed)++;
    free(call);
}

static const struct cg_call_kind wish_kind = {"wish", stop_wish, free_wish};

static struct cg_loop *loop;
static unsigned n_stopped, n_freed, n_told;
static struct {
    unsigned tag;
    cg_err err;
    bool is_cut;
} told[64];
static struct cg_ticket who;

static struct wish *wish_begin(struct cg_ticket for_whom, unsigned tag, struct cg_mono deadline,
                               bool stops_at_once)
{
    struct wish *wish = calloc(1, sizeof *wish);

    wish->stops_at_once = stops_at_once;
    wish->n_stopped = &n_stopped;
    wish->n_freed = &n_freed;
    cg_call_begin(&wish->call, &wish_kind, loop, for_whom, tag, deadline);
    return wish;
}

static void on_call(void *owner, struct cg_call *call)
{
    CHECK(owner == &told);
    if (n_told < 64) {
        told[n_told].tag = call->tag;
        told[n_told].err = call->err;
        told[n_told].is_cut = call->is_cut;
    }
    n_told++;
}

static void start(void)
{
    n_stopped = n_freed = n_told = 0;
    CHECK_OK(cg_loop_new(&loop));
    CHECK_OK(cg_slot_open(loop, on_call, &told, &who));
}

/* Some passes: more than any completion needs. */
static void some_passes(void)
{
    cg_loop_run_for(loop, 5);
}

TEST(ends_after_its_begin_has_returned_never_within)
{
    struct wish *wish;

    start();
    wish = wish_begin(who, 7, CG_NEVER, true);
    cg_call_end(&wish->call, CG_UNKNOWN);
    CHECK_INT(n_told, 0);
    CHECK_INT(cg_slot_waits(loop, who), 1);
    some_passes();
    CHECK_INT(n_told, 1);
    CHECK_INT(told[0].tag, 7);
    CHECK_ERR(told[0].err, CG_UNKNOWN);
    CHECK_INT(n_freed, 1);
    CHECK_INT(n_stopped, 0);
    CHECK_INT(cg_slot_waits(loop, who), 0);
    cg_loop_free(loop);
}

TEST(an_ended_slot_is_told_nothing_whatever_state_its_calls_are_in)
{
    struct wish *ended, *stopping;

    start();
    ended = wish_begin(who, 1, CG_NEVER, true);
    wish_begin(who, 2, CG_NEVER, true);
    stopping = wish_begin(who, 3, CG_NEVER, false);
    cg_call_end(&ended->call, CG_OK);
    cg_slot_end(loop, who);
    CHECK(!cg_slot_is_open(loop, who));
    CHECK_INT(n_stopped, 2);
    CHECK_INT(n_freed, 1); /* the one that stopped at once */
    some_passes();
    CHECK_INT(n_freed, 2); /* the one on its way */
    cg_call_end(&stopping->call, CG_OK);
    CHECK_INT(n_freed, 3); /* the one that could not stop, into the void */
    CHECK_INT(n_told, 0);
    cg_slot_end(loop, who); /* harmless */
    cg_loop_free(loop);
}

TEST(a_slot_of_another_life_is_another_slot)
{
    struct cg_ticket next, none = {0, 0};

    start();
    cg_slot_end(loop, who);
    CHECK_OK(cg_slot_open(loop, on_call, &told, &next));
    CHECK_INT(next.slot, who.slot); /* the place is used again */
    CHECK(next.generation != who.generation);
    CHECK(!cg_slot_is_open(loop, who));
    CHECK(cg_slot_is_open(loop, next));
    CHECK(!cg_slot_is_open(loop, none));
    CHECK(!cg_slot_is_open(loop, (struct cg_ticket){99999, 1}));
    cg_slot_end(loop, who);
    cg_slot_end(loop, none);
    CHECK(cg_slot_is_open(loop, next));
    cg_loop_free(loop);
}

TEST(a_deadline_tells_timeout_and_the_work_may_still_end_into_the_void)
{
    struct wish *stopping;
    struct cg_mono soon;

    start();
    soon = cg_mono_after(cg_loop_mono(loop), 10);
    wish_begin(who, 1, soon, true);
    stopping = wish_begin(who, 2, soon, false);
    cg_loop_run_for(loop, 400);
    CHECK_INT(n_told, 2);
    CHECK_ERR(told[0].err, CG_TIMEOUT);
    CHECK_ERR(told[1].err, CG_TIMEOUT);
    CHECK(told[0].is_cut && told[1].is_cut);
    CHECK_INT(n_stopped, 2);
    CHECK_INT(n_freed, 1);
    cg_call_end(&stopping->call, CG_OK);
    CHECK_INT(n_freed, 2);
    CHECK_INT(n_told, 2);
    cg_loop_free(loop);
}

TEST(calls_off_by_tag_leave_the_others)
{
    struct wish *b;

    start();
    wish_begin(who, 1, CG_NEVER, true);
    b = wish_begin(who, 2, CG_NEVER, true);
    wish_begin(who, 1, CG_NEVER, true);
    cg_slot_call_off(loop, who, 1);
    CHECK_INT(n_freed, 2);
    CHECK_INT(cg_slot_waits(loop, who), 1);
    cg_call_end(&b->call, CG_OK);
    some_passes();
    CHECK_INT(n_told, 1);
    CHECK_INT(told[0].tag, 2);
    cg_loop_free(loop);
}

TEST(calls_left_over_are_freed_with_their_loop)
{
    struct wish *ended;

    start();
    wish_begin(who, 1, CG_NEVER, true);
    ended = wish_begin(who, 2, CG_NEVER, true);
    cg_call_end(&ended->call, CG_OK);
    cg_loop_free(loop);
    CHECK_INT(n_freed, 2);
    CHECK_INT(n_told, 0);
}

/* What a request does when it is told: begins something else, ends itself. */
struct stubborn {
    struct cg_ticket who;
    unsigned left;
    bool ended;
};

static void on_stubborn(void *owner, struct cg_call *call)
{
    struct stubborn *s = owner;

    CHECK(!s->ended);
    CHECK_INT(call->tag, s->left);
    if (--s->left == 0) {
        s->ended = true;
        wish_begin(s->who, 5, CG_NEVER, true); /* goes with the slot */
        cg_slot_end(loop, s->who);
        return;
    }
    cg_call_end(&wish_begin(s->who, s->left, CG_NEVER, true)->call, CG_OK);
}

TEST(the_receiver_may_begin_calls_and_end_its_slot_while_it_is_told)
{
    struct stubborn s = {.left = 100};

    start();
    CHECK_OK(cg_slot_open(loop, on_stubborn, &s, &s.who));
    cg_call_end(&wish_begin(s.who, s.left, CG_NEVER, true)->call, CG_OK);
    cg_loop_run_for(loop, 50);
    CHECK(s.ended);
    CHECK_INT(n_freed, 101);
    cg_loop_free(loop);
}

TEST(many_slots_come_and_go_in_any_order)
{
    enum { N = 3000 };
    static struct cg_ticket tickets[N];
    unsigned seed = 7, n_begun = 0;

    start();
    for (int i = 0; i < N; i++)
        tickets[i] = (struct cg_ticket){0, 0};
    for (int step = 0; step < 30000; step++) {
        int i = rand_r(&seed) % N;

        if (cg_slot_is_open(loop, tickets[i])) {
            cg_slot_end(loop, tickets[i]);
        } else {
            CHECK_OK(cg_slot_open(loop, on_call, &told, &tickets[i]));
            wish_begin(tickets[i], 1, CG_NEVER, true);
            n_begun++;
        }
    }
    cg_loop_free(loop);
    CHECK_INT(n_freed, n_begun);
    CHECK_INT(n_told, 0);
}

SUITE(call, T(ends_after_its_begin_has_returned_never_within),
      T(an_ended_slot_is_told_nothing_whatever_state_its_calls_are_in),
      T(a_slot_of_another_life_is_another_slot),
      T(a_deadline_tells_timeout_and_the_work_may_still_end_into_the_void),
      T(calls_off_by_tag_leave_the_others), T(calls_left_over_are_freed_with_their_loop),
      T(the_receiver_may_begin_calls_and_end_its_slot_while_it_is_told),
      T(many_slots_come_and_go_in_any_order))
