/* storm_test.c: two engines whose users do anything at any moment, over a wire that breaks. Nothing
 * is looked for but what must hold always; the sanitizers look for the rest. Every storm is made
 * from a number, so one that fails can be had again. */
#include <stdio.h>
#include <string.h>

#include "lib/base/span.h"
#include "session/core.h"
#include "session/stack.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"

#define LIVE_MAX 64
#define STORMS 120
#define STEPS 300

struct live {
    struct cg_exchange *x[LIVE_MAX];
    size_t n;
};

struct storm {
    struct cg_duplex d;
    struct live client, server;
    uint64_t random;
    bool corrupts;
    struct cg_arena arena;
};

/* xorshift64*: enough to be unforeseen. */
static uint32_t draw(struct storm *s, uint32_t below)
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return (uint32_t)((s->random * UINT64_C(2685821657736338717)) >> 33) % below;
}

static struct cg_head any_head(struct storm *s)
{
    struct cg_head head;
    static uint8_t value[3000];
    cg_err err = CG_OK;

    cg_arena_done(&s->arena);
    cg_arena_init(&s->arena, 65536);
    cg_head_init(&head, &s->arena);
    memset(value, 'v', sizeof value);
    for (uint32_t i = draw(s, 4); i > 0 && err == CG_OK; i--)
        err = cg_head_add_named(&head, CG_LIT("x-any"), cg_span_of(value, draw(s, 3000)));
    if (draw(s, 3) == 0)
        head.content_length = draw(s, 100000);
    CHECK_OK(err);
    return head;
}

static void try_begin(struct storm *s)
{
    struct cg_head head = any_head(s);
    struct cg_exchange *x = NULL;
    static const char *const methods[] = {"GET", "POST", "HEAD", "PUT"};

    head.method = cg_span_str(methods[draw(s, 4)]);
    head.scheme = draw(s, 2) ? CG_LIT("httpcg") : CG_LIT("https");
    head.authority = CG_LIT("app");
    head.path = CG_LIT("/a/b?c");
    bool is_end = draw(s, 2);
    if (is_end)
        head.content_length = -1;
    if (s->client.n < LIVE_MAX && cg_engine_begin(s->d.client, &head, is_end, &x) == CG_OK)
        s->client.x[s->client.n++] = x;
}

static void let_go(struct live *live, size_t i)
{
    cg_exchange_release(live->x[i]);
    live->x[i] = live->x[--live->n];
}

/* One thing that a user may do; all of it may be refused. */
static void act(struct storm *s, struct live *live)
{
    static uint8_t bytes[100000];
    size_t taken = 0;
    cg_err err = CG_OK;

    if (live->n == 0)
        return;
    size_t i = draw(s, (uint32_t)live->n);
    struct cg_exchange *x = live->x[i];
    struct cg_head head = any_head(s);
    switch (draw(s, 12)) {
    case 0:
    case 1:
    case 2:
        err = cg_exchange_send(x, cg_span_of(bytes, draw(s, sizeof bytes)), &taken);
        break;
    case 3:
        err = cg_exchange_end(x, draw(s, 2) ? &head : NULL);
        break;
    case 4:
    case 5:
        head.status = 200 + (int)draw(s, 5) * 101; /* 200 … 604: also one that is none */
        err = cg_exchange_answer(x, &head, draw(s, 3) == 0);
        break;
    case 6:
        err = cg_exchange_inform(x, 100 + (int)draw(s, 4), &head);
        break;
    case 7:
        if (draw(s, 4) == 0)
            cg_exchange_reset(x, CG_RESET_CANCEL);
        break;
    case 8:
        if (draw(s, 3) == 0)
            let_go(live, i);
        break;
    case 9:
        cg_exchange_set_patient(x, draw(s, 2));
        break;
    default: {
        struct cg_span part = cg_exchange_peek(x);
        cg_exchange_take(x, part.len ? draw(s, (uint32_t)part.len + 1) : 0);
        break;
    }
    }
    CHECK(err != CG_NO_MEMORY && err != CG_CRYPTO);
}

/* What the engines report: new exchanges are kept, finished ones often let go. */
static void look(struct storm *s, struct cg_engine *e, struct live *live)
{
    struct cg_exchange *x;
    unsigned what = 0;

    for (int n = 0; n < 200 && (x = cg_engine_ready(e, &what)); n++) {
        size_t i = 0;
        CHECK(what != 0);
        while (i < live->n && live->x[i] != x)
            i++;
        if (i == live->n && live->n == LIVE_MAX) {
            cg_exchange_release(x);
            continue;
        }
        if (i == live->n)
            live->x[live->n++] = x;
        if (what & CG_X_REFUSED) {
            struct cg_head head = any_head(s);
            head.status = x->refusal;
            head.content_length = 0;
            cg_err err = cg_exchange_answer(x, &head, true);
            CHECK(err == CG_OK || err == CG_CLOSED || err == CG_INTERNAL);
        }
        if ((what & (CG_X_RESET | CG_X_SENT)) && draw(s, 2))
            let_go(live, i);
    }
}

/* Some bytes one way, cut and sometimes spoiled. */
static void carry(struct storm *s, struct cg_engine *from, struct cg_buf *wire,
                  struct cg_engine *to)
{
    if ((cg_engine_wants(from) & CG_WANT_WRITE) && wire->len < 100000)
        cg_take_out(from, wire);
    if (wire->len == 0 || !(cg_engine_wants(to) & CG_WANT_READ))
        return;
    size_t n = draw(s, 4) ? wire->len : draw(s, (uint32_t)wire->len) + 1;
    if (s->corrupts && draw(s, 40) == 0)
        wire->at[draw(s, (uint32_t)n)] ^= (uint8_t)(1u << draw(s, 8));
    size_t taken = cg_give(to, cg_span_of(wire->at, n), s->d.now);
    CHECK(taken <= n);
    cg_buf_drop(wire, taken);
}

static void step(struct storm *s)
{
    switch (draw(s, 9)) {
    case 0:
        try_begin(s);
        break;
    case 1:
    case 2:
        act(s, &s->client);
        break;
    case 3:
    case 4:
        act(s, &s->server);
        break;
    case 5:
        s->d.now.us += draw(s, 3000000);
        if (cg_engine_deadline(s->d.client).us <= s->d.now.us &&
            cg_engine_tick(s->d.client, s->d.now) != CG_OK)
            CHECK_INT(cg_engine_state(s->d.client), CG_ENGINE_CLOSED);
        if (cg_engine_deadline(s->d.server).us <= s->d.now.us &&
            cg_engine_tick(s->d.server, s->d.now) != CG_OK)
            CHECK_INT(cg_engine_state(s->d.server), CG_ENGINE_CLOSED);
        break;
    case 6:
        if (draw(s, 60) == 0)
            cg_engine_shutdown(draw(s, 2) ? s->d.client : s->d.server);
        if (draw(s, 100) == 0)
            cg_engine_eof(draw(s, 2) ? s->d.client : s->d.server, s->d.now);
        break;
    default:
        carry(s, s->d.client, &s->d.to_server, s->d.server);
        carry(s, s->d.server, &s->d.to_client, s->d.client);
        break;
    }
    look(s, s->d.client, &s->client);
    look(s, s->d.server, &s->server);
}

/* Whoever still waits is told, and then nothing is left. */
static void calm(struct storm *s, struct cg_engine *e, struct live *live)
{
    bool was_over[LIVE_MAX];
    unsigned what;

    for (size_t i = 0; i < live->n; i++)
        was_over[i] = cg_exchange_is(live->x[i], CG_S_OVER);
    cg_engine_abort(e, CG_CANCELLED);
    for (size_t i = 0; i < live->n; i++)
        CHECK(was_over[i] || (live->x[i]->bits & CG_X_RESET) ||
              cg_exchange_is(live->x[i], CG_S_IN_END | CG_S_OUT_SENT));
    for (struct cg_exchange *x; (x = cg_engine_ready(e, &what));)
        (void)x;
    while (live->n)
        let_go(live, 0);
    CHECK(cg_engine_is_idle(e));
    CHECK(cg_engine_ready(e, &what) == NULL);
    (void)s;
}

static void rage(enum cg_speaks speaks, uint64_t seed, bool corrupts)
{
    struct storm s = {.random = seed * 2 + 1, .corrupts = corrupts, .d.now = {1000}};
    struct cg_engine_conf conf = {.idle_ms = 20000,
                                  .stall_ms = 8000,
                                  .max_streams = 20,
                                  .allow_http_1_0 = true,
                                  .allow_until_close = true};
    struct cg_engine *client = NULL, *server = NULL;

    CHECK_OK(cg_stack_connect(&conf, NULL, speaks, s.d.now, &client));
    CHECK_OK(cg_stack_accept(&conf, NULL, speaks, s.d.now, &server));
    cg_duplex_join(&s.d, client, server);
    for (int i = 0; i < STEPS; i++)
        step(&s);
    calm(&s, client, &s.client);
    calm(&s, server, &s.server);
    cg_arena_done(&s.arena);
    cg_duplex_done(&s.d);
}

TEST(weathers_storms_over_http_2)
{
    for (uint64_t seed = 0; seed < STORMS; seed++)
        rage(CG_SPEAKS_H2, seed, false);
}

TEST(weathers_storms_over_http_1_1)
{
    for (uint64_t seed = 0; seed < STORMS; seed++)
        rage(CG_SPEAKS_H1, seed, false);
}

TEST(weathers_storms_on_a_wire_that_breaks)
{
    for (uint64_t seed = 0; seed < STORMS; seed++) {
        rage(CG_SPEAKS_H2, seed, true);
        rage(CG_SPEAKS_H1, seed, true);
    }
}

SUITE(storm, T(weathers_storms_over_http_2), T(weathers_storms_over_http_1_1),
      T(weathers_storms_on_a_wire_that_breaks))
