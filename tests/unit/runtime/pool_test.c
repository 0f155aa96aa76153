#include "runtime/pool.h"

#include <fcntl.h>

#include "runtime/listen.h"
#include "runtime/pump_inner.h"
#include "tests/unit/runtime/net.h"

/* --- the other end: answers, holds, or dies --- */

enum manner {
    ANSWERS,
    HOLDS,     /* takes the request and says nothing */
    DIES,      /* cuts the connection when a request comes */
    HALF,      /* sends a head and a part of the body, then dies */
    DIES_OPEN, /* cuts the connection when the handshake is over */
    MUTE,      /* never shakes hands */
};

static struct cg_loop *loop;
static struct cg_resolver *resolver;
static struct cg_pool *pool;
static struct wire wire;
static struct cg_listener *listener;
static enum manner manner;
static int n_accepted;
static struct cg_conn *dying; /* to be cut when nothing of it is on the stack */
static struct cg_exchange *held;

static void cut_dying(struct cg_task *task)
{
    (void)task;
    if (dying)
        cg_conn_cut(dying, CG_CANCELLED);
}

static struct cg_task cutting = {.run = cut_dying};

static void cut_soon(struct cg_conn *conn)
{
    if (!dying)
        cg_loop_post(loop, &cutting);
    dying = conn;
}

static void server_open(struct cg_conn *conn)
{
    if (manner == DIES_OPEN)
        cut_soon(conn);
}

static void server_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct cg_head head;
    size_t taken;

    if (what & CG_X_RESET) {
        if (held == x)
            held = NULL;
        cg_exchange_release(x);
        return;
    }
    if (!(what & CG_X_HEAD))
        return;
    cg_head_init(&head, &x->arena);
    head.status = 200;
    switch (manner) {
    case HOLDS:
        held = x;
        break;
    case DIES:
        cut_soon(conn);
        break;
    case HALF:
        CHECK_OK(cg_exchange_answer(x, &head, false));
        CHECK_OK(cg_exchange_send(x, CG_LIT("half"), &taken));
        cg_conn_wake(conn);
        break;
    default:
        head.content_length = 0;
        CHECK_OK(cg_exchange_answer(x, &head, true));
        cg_exchange_release(x);
    }
}

static void server_close(struct cg_conn *conn, cg_err why)
{
    (void)why;
    if (conn == dying)
        dying = NULL;
}

static const struct cg_conn_events server_events = {server_open, server_exchange, server_close};

static cg_err server_accept(void *ctx, const struct cg_peer *peer, struct cg_loop *l,
                            struct cg_engine **engine, void **owner)
{
    (void)ctx;
    (void)owner;
    n_accepted++;
    if (manner == MUTE) { /* an engine that waits for a hello of its own, as a client does */
        struct wire silent = {.speaks = CG_SPEAKS_H2};

        return wire_server(&silent, peer, l, engine);
    }
    return wire_server(&wire, peer, l, engine);
}

/* --- the askers --- */

#define N 64

static struct asker {
    struct cg_lease *lease;
    cg_err err;
    int status;
    bool is_told, is_answered, is_lost, was_reused, had_answered, keeps, only_takes;
} askers[N];
static int n_over;
static struct cg_ticket tickets[N];

static void finish(struct asker *asker)
{
    n_over++;
    if (!asker->keeps) {
        cg_lease_end(asker->lease);
        asker->lease = NULL;
    }
    cg_loop_stop(loop);
}

static void on_event(struct cg_lease *lease, unsigned what)
{
    struct asker *asker = lease->owner;

    if (what & CG_X_HEAD)
        asker->status = lease->exchange->in.status;
    if (what & CG_X_RESET) {
        asker->is_lost = true;
        asker->had_answered = lease->has_answered;
        finish(asker);
    } else if (cg_exchange_is_read(lease->exchange)) {
        asker->is_answered = true;
        CHECK(lease->has_answered);
        finish(asker);
    }
}

static cg_err ask_on(struct asker *asker)
{
    struct cg_arena arena;
    struct cg_head head;
    cg_err err;

    cg_arena_init(&arena, 4096);
    cg_head_init(&head, &arena);
    head.method = CG_LIT("GET");
    head.scheme = CG_LIT("https");
    head.authority = CG_LIT("localhost");
    head.path = CG_LIT("/");
    err = cg_lease_ask(asker->lease, &head, true);
    cg_arena_done(&arena);
    return err;
}

static void on_lease(void *owner, struct cg_call *call)
{
    struct asker *asker = owner;

    asker->is_told = true;
    asker->err = call->err;
    asker->lease = cg_lease_take(call);
    CHECK((asker->lease != NULL) == (call->err == CG_OK));
    if (!asker->lease) {
        n_over++;
        cg_loop_stop(loop);
        return;
    }
    asker->lease->owner = asker;
    asker->lease->on_event = on_event;
    asker->was_reused = asker->lease->was_reused;
    if (asker->only_takes)
        cg_loop_stop(loop);
    else
        asker->err = ask_on(asker);
    /* It may have gone between promise and use: then nothing was sent. */
    if (asker->err == CG_CLOSED) {
        asker->is_lost = true;
        finish(asker);
    } else {
        CHECK_ERR(asker->err, CG_OK);
    }
}

static cg_err begin_at(int i, const char *key, uint16_t port, int64_t connect_ms, int64_t ms)
{
    struct cg_lease_request request = {.key = cg_span_str(key),
                                       .target = {.host = CG_LIT("127.0.0.1"), .port = port},
                                       .engine = wire_client,
                                       .engine_ctx = &wire,
                                       .connect_ms = connect_ms};
    bool keeps = askers[i].keeps, only_takes = askers[i].only_takes;

    askers[i] = (struct asker){.keeps = keeps, .only_takes = only_takes};
    CHECK_OK(cg_slot_open(loop, on_lease, &askers[i], &tickets[i]));
    return cg_lease_begin(pool, &request, tickets[i], 0,
                          ms ? cg_mono_after(cg_loop_mono(loop), ms) : CG_NEVER);
}

static cg_err begin(int i, const char *key)
{
    return begin_at(i, key, cg_listener_at(listener)->port, 2000, 0);
}

static void await(int n)
{
    while (n_over < n && cg_loop_run_for(loop, LIMIT_MS))
        ;
    CHECK_INT(n_over, n);
}

static void start(struct cg_pool_options options, enum cg_speaks speaks)
{
    struct cg_resolver_options resolving = {.servers = "127.0.0.1:1"};
    struct cg_listen_options listening = {
        .at = loopback(0), .events = &server_events, .accept = server_accept};

    memset(askers, 0, sizeof askers);
    memset(tickets, 0, sizeof tickets);
    n_over = n_accepted = 0;
    manner = ANSWERS;
    dying = NULL;
    held = NULL;
    wire_init(&wire, speaks, false);
    CHECK_OK(cg_loop_new(&loop));
    CHECK_OK(cg_listener_new(loop, &listening, &listener));
    CHECK_OK(cg_resolver_new(loop, &resolving, &resolver));
    CHECK_OK(cg_pool_new(loop, resolver, &options, &pool));
}

static const struct cg_pool_options roomy = {
    .idle_max_ms = 20000, .n_per_key_max = 4, .n_max = 16, .n_waiting_max = 100};

static void stop(void)
{
    cg_pool_free(pool);
    for (int i = 0; i < N; i++)
        cg_lease_end(askers[i].lease);
    cg_listener_free(listener);
    cg_resolver_free(resolver);
    cg_loop_free(loop);
    wire_done(&wire);
}

TEST(a_connection_is_used_again_and_only_for_its_key)
{
    start(roomy, CG_SPEAKS_ALPN);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(begin(i, "alice"));
        CHECK(!askers[i].is_told); /* never within begin */
        await(i + 1);
        CHECK(askers[i].is_answered && askers[i].status == 200);
        CHECK_INT(askers[i].was_reused, i > 0);
    }
    CHECK_INT(n_accepted, 1);
    CHECK_OK(begin(5, "bob"));
    await(6);
    CHECK(askers[5].is_answered && !askers[5].was_reused);
    CHECK_INT(n_accepted, 2);
    CHECK_INT(cg_pool_count(pool).n_idle, 2);
    stop();
}

TEST(an_http_1_1_connection_is_lent_to_one_at_a_time)
{
    start(roomy, CG_SPEAKS_H1);
    for (int i = 0; i < 20; i++)
        CHECK_OK(begin(i, "k"));
    await(20);
    for (int i = 0; i < 20; i++)
        CHECK(askers[i].is_answered);
    CHECK_INT(n_accepted, 4); /* all that are allowed, used five times each */
    manner = HOLDS;
    CHECK_OK(begin(20, "k"));
    cg_loop_run_for(loop, 50);
    CHECK(held != NULL);
    cg_lease_end(askers[20].lease); /* in the middle: that connection is good for nothing more */
    askers[20].lease = NULL;
    cg_loop_run_for(loop, 50);
    CHECK_INT(cg_pool_count(pool).n_open, 3);
    stop();
}

TEST(one_connection_carries_many_exchanges_where_the_other_end_allows)
{
    start(roomy, CG_SPEAKS_ALPN);
    CHECK_OK(begin(0, "k")); /* tells the pool that it is HTTP/2 */
    await(1);
    for (int i = 1; i < N; i++)
        CHECK_OK(begin(i, "k"));
    await(N);
    for (int i = 0; i < N; i++)
        CHECK(askers[i].is_answered);
    CHECK_INT(n_accepted, 1);
    stop();
}

TEST(a_cold_key_makes_as_many_connections_as_allowed_and_the_rest_wait)
{
    start(roomy, CG_SPEAKS_ALPN);
    for (int i = 0; i < 20; i++)
        CHECK_OK(begin(i, "k"));
    CHECK_INT(cg_pool_count(pool).n_waiting, 20);
    CHECK_INT(cg_pool_count(pool).n_connecting, 4);
    await(20);
    for (int i = 0; i < 20; i++)
        CHECK(askers[i].is_answered);
    CHECK(n_accepted <= 4);
    CHECK_INT(cg_pool_count(pool).n_waiting, 0);
    stop();
}

TEST(too_many_who_wait_are_busy_and_who_waits_is_served_when_one_comes_back)
{
    struct cg_pool_options options = roomy;

    options.n_per_key_max = 1;
    options.n_waiting_max = 3;
    start(options, CG_SPEAKS_H2);
    wire.conf.max_streams = 1;
    askers[0].keeps = true;
    CHECK_OK(begin(0, "k"));
    await(1); /* the other end has said that it allows one at a time */
    cg_lease_end(askers[0].lease);
    askers[0].lease = NULL;
    manner = HOLDS;
    CHECK_OK(begin(1, "k"));
    cg_loop_run_for(loop, 50);
    CHECK(askers[1].is_told && held != NULL);
    for (int i = 2; i < 5; i++)
        CHECK_OK(begin(i, "k"));
    CHECK_ERR(begin(5, "k"), CG_BUSY);
    manner = ANSWERS;
    cg_lease_end(askers[1].lease); /* resets its exchange */
    askers[1].lease = NULL;
    await(4);
    for (int i = 2; i < 5; i++)
        CHECK(askers[i].is_answered);
    CHECK_INT(n_accepted, 1);
    stop();
}

TEST(a_full_pool_gives_up_what_was_unused_for_longest)
{
    struct cg_pool_options options = roomy;

    options.n_max = 2;
    start(options, CG_SPEAKS_H2);
    CHECK_OK(begin(0, "a"));
    await(1);
    cg_loop_run_for(loop, 20);
    CHECK_OK(begin(1, "b"));
    await(2);
    CHECK_OK(begin(2, "c"));
    await(3);
    CHECK(askers[2].is_answered);
    CHECK_INT(cg_pool_count(pool).n_open, 2);
    CHECK_OK(begin(3, "b"));
    await(4);
    CHECK(askers[3].was_reused); /* b was used after a */
    CHECK_INT(n_accepted, 3);
    stop();
}

static void die_early_and_late(enum cg_speaks speaks)
{
    start(roomy, speaks);
    CHECK_OK(begin(0, "k"));
    await(1);
    manner = DIES;
    CHECK_OK(begin(1, "k"));
    await(2);
    CHECK(askers[1].is_lost && askers[1].was_reused && !askers[1].had_answered);
    manner = HALF;
    CHECK_OK(begin(2, "k"));
    while (askers[2].status == 0 && cg_loop_run_for(loop, 1) == false)
        ;
    CHECK(!askers[2].is_lost);
    cg_listener_free(listener);
    listener = NULL;
    await(3);
    CHECK(askers[2].is_lost && askers[2].had_answered);
    CHECK_INT(cg_pool_count(pool).n_open, 0);
    stop();
}

TEST(a_connection_that_died_before_a_byte_of_the_answer_says_so)
{
    die_early_and_late(CG_SPEAKS_ALPN);
    die_early_and_late(CG_SPEAKS_H2);
    die_early_and_late(CG_SPEAKS_H1);
}

TEST(a_connection_that_dies_between_lending_and_asking_is_closed_and_nothing_was_sent)
{
    start(roomy, CG_SPEAKS_H2);
    askers[0].only_takes = true;
    CHECK_OK(begin(0, "k"));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK(askers[0].lease != NULL);
    cg_listener_free(listener);
    listener = NULL;
    cg_loop_run_for(loop, 50);
    CHECK(!askers[0].is_lost); /* there was no exchange to lose */
    CHECK_ERR(ask_on(&askers[0]), CG_CLOSED);
    stop();
}

TEST(failures_to_connect_are_told_to_who_asked)
{
    uint16_t port;

    start(roomy, CG_SPEAKS_ALPN);
    port = cg_listener_at(listener)->port;

    manner = MUTE; /* speaks, but not TLS */
    CHECK_OK(begin_at(0, "k", port, 2000, 0));
    await(1);
    CHECK(askers[0].err == CG_TLS || askers[0].err == CG_CLOSED);

    CHECK_OK(begin_at(1, "k", 1, 2000, 0)); /* nobody there */
    await(2);
    CHECK_ERR(askers[1].err, CG_UNREACHABLE);
    CHECK_INT(cg_pool_count(pool).n_open + cg_pool_count(pool).n_connecting, 0);

    manner = ANSWERS;
    CHECK_OK(begin(2, "k"));
    await(3);
    CHECK(askers[2].is_answered);
    stop();
}

/* Somebody who takes the connection and never says a word. */
TEST(a_handshake_that_does_not_end_is_over_in_its_time)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct cg_mono begun;

    start(roomy, CG_SPEAKS_ALPN);
    CHECK(bind(s, (struct sockaddr *)&at, sizeof at) == 0 && listen(s, 8) == 0);
    CHECK(getsockname(s, (struct sockaddr *)&at, &len) == 0);
    begun = cg_loop_mono(loop);
    CHECK_OK(begin_at(0, "k", ntohs(at.sin_port), 300, 0));    /* its time to connect */
    CHECK_OK(begin_at(1, "l", ntohs(at.sin_port), 9000, 300)); /* its deadline */
    await(2);
    CHECK_ERR(askers[0].err, CG_TIMEOUT);
    CHECK_ERR(askers[1].err, CG_TIMEOUT);
    CHECK(cg_loop_mono(loop).us - begun.us < 5000000);
    close(s);
    stop();
}

TEST(an_unused_connection_is_closed_after_its_time_and_an_old_one_is_not_lent)
{
    struct cg_pool_options options = roomy;

    options.idle_max_ms = 300;
    start(options, CG_SPEAKS_H2);
    CHECK_OK(begin(0, "k"));
    await(1);
    CHECK_INT(cg_pool_count(pool).n_idle, 1);
    cg_loop_run_for(loop, 700);
    CHECK_INT(cg_pool_count(pool).n_open, 0);
    stop();

    options = roomy;
    options.age_max_ms = 200;
    start(options, CG_SPEAKS_H2);
    CHECK_OK(begin(0, "k"));
    await(1);
    cg_loop_run_for(loop, 300);
    CHECK_OK(begin(1, "k"));
    await(2);
    CHECK(askers[1].is_answered && !askers[1].was_reused);
    CHECK_INT(n_accepted, 2);
    stop();
}

TEST(a_dropped_key_gets_new_connections_and_open_exchanges_go_on)
{
    start(roomy, CG_SPEAKS_H2);
    CHECK_OK(begin(0, "k"));
    CHECK_OK(begin(1, "l"));
    await(2);
    manner = HOLDS;
    CHECK_OK(begin(2, "k"));
    cg_loop_run_for(loop, 50);
    CHECK(held != NULL);
    cg_pool_drop(pool, CG_LIT("k"));
    manner = ANSWERS;
    CHECK_OK(begin(3, "k"));
    CHECK_OK(begin(4, "l"));
    await(4);
    CHECK(!askers[3].was_reused && askers[4].was_reused);
    CHECK(!askers[2].is_lost);
    if (held) {
        struct cg_head head;

        cg_head_init(&head, &held->arena);
        head.status = 204;
        CHECK_OK(cg_exchange_answer(held, &head, true));
        cg_exchange_release(held);
    }
    cg_pool_drop(pool, CG_LIT("")); /* all */
    cg_loop_run_for(loop, 100);
    CHECK_INT(cg_pool_count(pool).n_idle, 0);
    stop();
}

TEST(a_pool_that_goes_tells_who_waits_and_who_asked)
{
    struct cg_pool_options options = roomy;

    options.n_per_key_max = 1;
    start(options, CG_SPEAKS_H2);
    wire.conf.max_streams = 1;
    CHECK_OK(begin(0, "k"));
    await(1);
    manner = HOLDS;
    CHECK_OK(begin(1, "k"));
    cg_loop_run_for(loop, 50);
    CHECK(held != NULL);
    CHECK_OK(begin(2, "k"));
    cg_pool_free(pool);
    CHECK(askers[1].is_lost);
    await(3);
    CHECK_ERR(askers[2].err, CG_CANCELLED);
    CHECK_OK(cg_pool_new(loop, resolver, &roomy, &pool));
    stop();
}

static void come_and_go(enum cg_speaks speaks, int n)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    struct cg_pool_options options = roomy;
    unsigned seed = 5;
    int n_answered = 0;
    size_t before;

    options.n_per_key_max = 2;
    options.n_max = 6;
    start(options, speaks);
    cg_loop_run_for(loop, 1);
    before = heap_in_use();
    for (int i = 0; i < n; i++) {
        int a = rand_r(&seed) % N;

        n_answered += askers[a].is_answered;
        cg_slot_end(loop, tickets[a]);
        cg_lease_end(askers[a].lease);
        askers[a].lease = NULL;
        manner = rand_r(&seed) % 50 ? ANSWERS : (enum manner)(rand_r(&seed) % 3);
        cg_err err = begin_at(a, keys[rand_r(&seed) % 5], cg_listener_at(listener)->port,
                              200 + rand_r(&seed) % 2000, 1 + rand_r(&seed) % 1000);
        CHECK(err == CG_OK || err == CG_BUSY);
        for (int passes = rand_r(&seed) % 4; passes > 0; passes--)
            cg_loop_run_for(loop, 0);
    }
    CHECK(n_answered > 500);
    printf("# %d of %d were answered before they went\n", n_answered, n);
    for (int a = 0; a < N; a++) {
        cg_slot_end(loop, tickets[a]);
        cg_lease_end(askers[a].lease);
        askers[a].lease = NULL;
    }
    manner = ANSWERS;
    cg_pool_drop(pool, CG_LIT(""));
    for (int i = 0; i < 100 && cg_listener_n_conns(listener) > 0; i++)
        cg_loop_run_for(loop, 50);
    CHECK_INT(cg_listener_n_conns(listener), 0);
    CHECK_INT(cg_pool_count(pool).n_open + cg_pool_count(pool).n_connecting +
                  cg_pool_count(pool).n_waiting,
              0);
    CHECK(heap_in_use() <= before + 128 * 1024); /* the slots' table has grown */
    n_over = 0;
    CHECK_OK(begin(0, "a"));
    await(1);
    CHECK(askers[0].is_answered);
    stop();
}

TEST(the_asker_goes_away_at_any_moment_ten_thousand_times)
{
    come_and_go(CG_SPEAKS_H2, 4000);
    come_and_go(CG_SPEAKS_H1, 6000);
}

SUITE(pool, T(a_connection_is_used_again_and_only_for_its_key),
      T(an_http_1_1_connection_is_lent_to_one_at_a_time),
      T(one_connection_carries_many_exchanges_where_the_other_end_allows),
      T(a_cold_key_makes_as_many_connections_as_allowed_and_the_rest_wait),
      T(too_many_who_wait_are_busy_and_who_waits_is_served_when_one_comes_back),
      T(a_full_pool_gives_up_what_was_unused_for_longest),
      T(a_connection_that_died_before_a_byte_of_the_answer_says_so),
      T(a_connection_that_dies_between_lending_and_asking_is_closed_and_nothing_was_sent),
      T(failures_to_connect_are_told_to_who_asked),
      T(a_handshake_that_does_not_end_is_over_in_its_time),
      T(an_unused_connection_is_closed_after_its_time_and_an_old_one_is_not_lent),
      T(a_dropped_key_gets_new_connections_and_open_exchanges_go_on),
      T(a_pool_that_goes_tells_who_waits_and_who_asked),
      T(the_asker_goes_away_at_any_moment_ten_thousand_times))
