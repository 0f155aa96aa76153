#include "runtime/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "runtime/listen.h"
#include "runtime/pump_inner.h"
#include "tests/unit/runtime/net.h"

/* --- an echo server: what comes in a request's body goes out in the answer's --- */

struct echo {
    struct cg_loop *loop;
    struct wire *wire;
    struct cg_listener *listener;
    struct cg_address at;
    int n_open, n_closed, n_reset;
    cg_err last_why;
    bool holds;          /* takes requests and answers none */
    size_t fills;        /* instead of an echo: so many bytes */
    int64_t stall_ms;    /* other than the usual */
    bool stops_at_close; /* ends its loop */
    struct cg_conn *last;
};

static void echo_body(struct echo *echo, struct cg_exchange *x)
{
    static const uint8_t filler[8192];
    size_t taken = 1;

    while (echo->fills && x->out_bytes < echo->fills && taken > 0) {
        size_t left = echo->fills - (size_t)x->out_bytes;

        if (cg_exchange_send(x, cg_span_of(filler, left < 8192 ? left : 8192), &taken) != CG_OK)
            return;
    }
    while (!echo->fills && cg_exchange_unread(x) > 0 && taken > 0) {
        if (cg_exchange_send(x, cg_exchange_peek(x), &taken) != CG_OK)
            return;
        cg_exchange_take(x, taken);
    }
    if (echo->fills ? x->out_bytes == echo->fills : cg_exchange_is_read(x)) {
        (void)!cg_exchange_end(x, NULL);
        x->owner = NULL;
        cg_exchange_release(x);
    }
}

static void echo_on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct echo *echo = cg_conn_owner(conn);

    if (what & CG_X_RESET) {
        echo->n_reset++;
        cg_exchange_release(x);
        return;
    }
    if (what & CG_X_HEAD) {
        struct cg_head head;

        x->owner = echo;
        if (echo->holds)
            return;
        cg_head_init(&head, &x->arena);
        head.status = 200;
        CHECK_OK(cg_exchange_answer(x, &head, false));
    }
    if (!echo->holds)
        echo_body(echo, x);
}

static void echo_on_open(struct cg_conn *conn)
{
    struct echo *echo = cg_conn_owner(conn);

    echo->n_open++;
    if (echo->stall_ms)
        cg_conn_set_stall(conn, echo->stall_ms);
}

static void echo_on_close(struct cg_conn *conn, cg_err why)
{
    struct echo *echo = cg_conn_owner(conn);

    echo->n_closed++;
    echo->last_why = why;
    if (echo->stops_at_close)
        cg_loop_stop(echo->loop);
}

static const struct cg_conn_events echo_events = {echo_on_open, echo_on_exchange, echo_on_close};

static cg_err echo_accept(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                          struct cg_engine **engine, void **owner)
{
    struct echo *echo = ctx;

    (void)owner;
    CHECK(cg_address_is_loopback(&peer->at) || peer->has_uid);
    return wire_server(echo->wire, peer, loop, engine);
}

static void echo_start(struct echo *echo, struct wire *wire)
{
    struct cg_listen_options options = {
        .at = loopback(0), .events = &echo_events, .accept = echo_accept, .ctx = echo};

    echo->wire = wire;
    CHECK_OK(cg_loop_new(&echo->loop));
    CHECK_OK(cg_listener_new(echo->loop, &options, &echo->listener));
    echo->at = *cg_listener_at(echo->listener);
    CHECK(echo->at.port != 0);
}

static void echo_stop(struct echo *echo)
{
    cg_listener_free(echo->listener);
    cg_loop_free(echo->loop);
}

/* --- a client: sends bodies, checks that they come back --- */

#define N_EXCHANGES 40

struct ask {
    struct cg_exchange *x;
    size_t len, n_sent, n_got;
    uint8_t seed;
    bool is_over;
};

struct client {
    struct cg_loop *loop;
    struct cg_conn *conn;
    struct ask asks[N_EXCHANGES];
    int n_begun, n_over, n_reset;
    bool is_open, is_closed, reads_nothing;
    cg_err why;
    int closes_at; /* closes the connection from within the so-manieth end; 0: not */
};

static uint8_t byte_at(const struct ask *ask, size_t i)
{
    return (uint8_t)(ask->seed + i * 7 + (i >> 8));
}

static void send_more(struct ask *ask)
{
    uint8_t piece[5000];
    size_t taken = 1;

    while (ask->n_sent < ask->len && taken > 0) {
        size_t n = ask->len - ask->n_sent < sizeof piece ? ask->len - ask->n_sent : sizeof piece;

        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(ask, ask->n_sent + i);
        if (cg_exchange_send(ask->x, cg_span_of(piece, n), &taken) != CG_OK)
            return;
        ask->n_sent += taken;
    }
    if (ask->n_sent == ask->len) {
        ask->n_sent++; /* ended once */
        CHECK_OK(cg_exchange_end(ask->x, NULL));
    }
}

static void client_on_open(struct cg_conn *conn)
{
    struct client *client = cg_conn_owner(conn);

    client->is_open = true;
    for (int i = 0; i < client->n_begun; i++) {
        struct cg_arena arena;
        struct cg_head head;

        cg_arena_init(&arena, 4096);
        cg_head_init(&head, &arena);
        head.method = CG_LIT("POST");
        head.scheme = CG_LIT("https");
        head.authority = CG_LIT("localhost");
        head.path = CG_LIT("/echo");
        CHECK_OK(cg_engine_begin(cg_conn_engine(conn), &head, false, &client->asks[i].x));
        client->asks[i].x->owner = &client->asks[i];
        send_more(&client->asks[i]);
        cg_arena_done(&arena);
    }
    cg_conn_wake(conn);
}

static void client_on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct client *client = cg_conn_owner(conn);
    struct ask *ask = x->owner;
    struct cg_span bytes;

    if (what & CG_X_RESET) {
        client->n_reset++;
        cg_exchange_release(x);
        return;
    }
    if (what & CG_X_ROOM)
        send_more(ask);
    if (client->reads_nothing)
        return;
    while ((bytes = cg_exchange_peek(x)).len > 0) {
        for (size_t i = 0; i < bytes.len; i++)
            if (bytes.at[i] != byte_at(ask, ask->n_got + i)) {
                CHECK(!"the bytes that were sent");
                break;
            }
        ask->n_got += bytes.len;
        cg_exchange_take(x, bytes.len);
    }
    if (cg_exchange_is_read(x)) {
        CHECK_INT(ask->n_got, ask->len);
        CHECK_INT(x->in.status, 200);
        ask->is_over = true;
        cg_exchange_release(x);
        if (++client->n_over == client->closes_at) {
            cg_conn_close(conn, CG_OK);
            CHECK(!client->is_closed);
        } else if (client->n_over == client->n_begun) {
            cg_loop_stop(client->loop);
        }
    }
}

static void client_on_close(struct cg_conn *conn, cg_err why)
{
    struct client *client = cg_conn_owner(conn);

    client->is_closed = true;
    client->why = why;
    client->conn = NULL;
    cg_loop_stop(client->loop);
}

static const struct cg_conn_events client_events = {client_on_open, client_on_exchange,
                                                    client_on_close};

static void client_start(struct client *client, struct wire *wire, const struct cg_address *at,
                         int n, size_t len)
{
    struct cg_peer peer = {.at = *at};
    struct cg_engine *engine;
    int fd = raw_connect(at);

    client->n_begun = n;
    for (int i = 0; i < n; i++)
        client->asks[i] = (struct ask){.len = len + (size_t)i * 100, .seed = (uint8_t)i};
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    CHECK_OK(wire_client(wire, &peer, client->loop, &engine));
    CHECK_OK(cg_conn_new(client->loop, fd, &peer, engine, &client_events, client, &client->conn));
}

static void *run_loop(void *arg)
{
    cg_loop_run_for(arg, LIMIT_MS);
    return NULL;
}

/* stays: the connection is there after the last answer. */
static void echo_between_two_loops(struct wire *wire, int n, size_t len, bool stays)
{
    struct echo echo = {.n_open = 0};
    struct client client = {.n_begun = 0};
    pthread_t thread;

    echo_start(&echo, wire);
    CHECK_OK(cg_loop_new(&client.loop));
    CHECK(pthread_create(&thread, NULL, run_loop, echo.loop) == 0);
    client_start(&client, wire, &echo.at, n, len);
    CHECK(cg_loop_run_for(client.loop, LIMIT_MS));
    CHECK(client.is_open);
    CHECK_INT(client.n_over, n);
    if (!stays && !client.is_closed)
        CHECK(cg_loop_run_for(client.loop, LIMIT_MS));
    CHECK_INT(!client.is_closed, stays);
    if (!client.is_closed) {
        cg_conn_close(client.conn, CG_OK);
        CHECK(!client.is_closed); /* never within the call */
        CHECK(cg_loop_run_for(client.loop, LIMIT_MS));
        CHECK(client.is_closed);
    }
    CHECK_ERR(client.why, CG_OK);
    cg_loop_stop(echo.loop);
    pthread_join(thread, NULL);
    cg_loop_run_for(echo.loop, 100);
    CHECK_INT(echo.n_open, 1);
    CHECK_INT(echo.n_closed, 1);
    CHECK_INT(cg_listener_n_conns(echo.listener), 0);
    cg_loop_free(client.loop);
    echo_stop(&echo);
}

TEST(many_exchanges_of_one_connection_echo_between_two_loops)
{
    struct wire wire;

    wire_init(&wire, CG_SPEAKS_ALPN, false);
    echo_between_two_loops(&wire, N_EXCHANGES, 3000, true);
    wire_done(&wire);
    wire_init(&wire, CG_SPEAKS_H2, false);
    echo_between_two_loops(&wire, N_EXCHANGES, 3000, true);
    wire_done(&wire);
}

/* An answer that begins before its request has ended is the last of an HTTP/1.1 connection. */
TEST(http_1_1_echoes_too_with_and_without_tls)
{
    struct wire wire;

    wire_init(&wire, CG_SPEAKS_ALPN, true);
    echo_between_two_loops(&wire, 1, 3 * 1024 * 1024, false);
    wire_done(&wire);
    wire_init(&wire, CG_SPEAKS_H1, false);
    echo_between_two_loops(&wire, 1, 3 * 1024 * 1024, false);
    wire_done(&wire);
}

TEST(bodies_larger_than_every_buffer_echo_between_two_loops)
{
    struct wire wire;

    wire_init(&wire, CG_SPEAKS_ALPN, false);
    echo_between_two_loops(&wire, 4, 3 * 1024 * 1024, true);
    wire_done(&wire);
}

/* One loop for both ends, so that both can be looked at. */
struct both {
    struct wire wire;
    struct echo echo;
    struct client client;
};

static void both_start(struct both *both, enum cg_speaks speaks)
{
    memset(both, 0, sizeof *both);
    wire_init(&both->wire, speaks, false);
}

static void both_run(struct both *both, int n, size_t len)
{
    echo_start(&both->echo, &both->wire);
    both->client.loop = both->echo.loop;
    client_start(&both->client, &both->wire, &both->echo.at, n, len);
}

static void both_stop(struct both *both)
{
    if (both->client.conn) {
        cg_conn_close(both->client.conn, CG_OK);
        CHECK(cg_loop_run_for(both->echo.loop, LIMIT_MS));
    }
    echo_stop(&both->echo);
    wire_done(&both->wire);
}

TEST(the_owner_may_close_from_within_an_event)
{
    struct both both;

    both_start(&both, CG_SPEAKS_ALPN);
    both.client.closes_at = 3;
    both_run(&both, 10, 2000);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    CHECK(both.client.is_closed);
    CHECK(both.client.n_over >= 3);
    CHECK_INT(both.client.n_over + both.client.n_reset, 10);
    both_stop(&both);
}

TEST(a_reader_that_stops_reading_costs_the_sender_a_bounded_number_of_bytes)
{
    struct both both;
    size_t before;

    both_start(&both, CG_SPEAKS_ALPN);
    both.echo.fills = 256 * 1024 * 1024;
    both.client.reads_nothing = true;
    both_run(&both, 1, 0);
    before = heap_in_use();
    CHECK(!cg_loop_run_for(both.echo.loop, 700));
    CHECK(both.client.is_open);
    CHECK_INT(both.echo.n_open, 1);
    if (before > 0) {
        CHECK(heap_in_use() - before < 1024 * 1024);
        printf("# both ends of a stalled download hold %zu KiB\n", (heap_in_use() - before) / 1024);
    }
    both_stop(&both);
}

static void stall_upload(enum cg_speaks speaks)
{
    struct both both;
    size_t before;

    both_start(&both, speaks);
    both.echo.holds = true;
    both_run(&both, 1, 256 * 1024 * 1024);
    before = heap_in_use();
    CHECK(!cg_loop_run_for(both.echo.loop, 500));
    CHECK(both.client.is_open);
    CHECK(both.client.asks[0].n_sent > 0);
    CHECK(both.client.asks[0].n_sent < 32 * 1024 * 1024); /* the kernel's buffers, and ours */
    if (before > 0)
        CHECK(heap_in_use() - before < 1024 * 1024);
    both_stop(&both);
}

TEST(a_handler_that_takes_nothing_stops_an_upload)
{
    stall_upload(CG_SPEAKS_ALPN);
    stall_upload(CG_SPEAKS_H2);
    stall_upload(CG_SPEAKS_H1);
}

/* The same without an engine at the other end, which therefore takes nothing from its socket. */
TEST(a_peer_that_takes_nothing_from_its_socket_is_cut_after_its_time)
{
    static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                /* SETTINGS: INITIAL_WINDOW_SIZE 2^31 - 1 */
                                "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff"
                                /* WINDOW_UPDATE of the connection */
                                "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\x00\x00\x00"
                                /* GET / by https with authority "a", whole */
                                "\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x84\x87\x41\x01"
                                "a";
    struct both both;
    size_t before;
    int fd;

    both_start(&both, CG_SPEAKS_H2);
    both.echo.fills = 256 * 1024 * 1024;
    both.echo.stall_ms = 500;
    both.echo.stops_at_close = true;
    echo_start(&both.echo, &both.wire);
    fd = raw_connect(&both.echo.at);
    CHECK(write(fd, hello, sizeof hello - 1) == sizeof hello - 1);
    before = heap_in_use();
    CHECK(!cg_loop_run_for(both.echo.loop, 300));
    CHECK_INT(both.echo.n_open, 1);
    CHECK_INT(both.echo.n_closed, 0);
    if (before > 0)
        CHECK(heap_in_use() - before < 1024 * 1024);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    CHECK_ERR(both.echo.last_why, CG_TIMEOUT);
    CHECK_INT(both.echo.n_reset, 1);
    close(fd);
    both_stop(&both);
}

TEST(a_slow_reader_is_not_a_dead_one)
{
    static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff"
                                "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\x00\x00\x00"
                                "\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x84\x87\x41\x01"
                                "a";
    static uint8_t sink[256 * 1024];
    struct both both;
    int fd;

    both_start(&both, CG_SPEAKS_H2);
    both.echo.fills = 256 * 1024 * 1024;
    both.echo.stall_ms = 400;
    both.echo.stops_at_close = true;
    echo_start(&both.echo, &both.wire);
    fd = raw_connect(&both.echo.at);
    CHECK(write(fd, hello, sizeof hello - 1) == sizeof hello - 1);
    for (int i = 0; i < 15; i++) { /* 1.5 s, a little each time */
        CHECK(!cg_loop_run_for(both.echo.loop, 100));
        CHECK(read(fd, sink, sizeof sink) > 0);
    }
    CHECK_INT(both.echo.n_closed, 0);
    close(fd);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    CHECK_ERR(both.echo.last_why, CG_CLOSED);
    both_stop(&both);
}

TEST(who_does_not_shake_hands_in_time_is_cut)
{
    struct both both;
    char byte;
    int fd;

    both_start(&both, CG_SPEAKS_ALPN);
    both.wire.conf.open_ms = 200;
    both.echo.stops_at_close = true;
    echo_start(&both.echo, &both.wire);
    fd = raw_connect(&both.echo.at);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    CHECK_INT(both.echo.n_open, 0);
    CHECK_INT(both.echo.n_closed, 1);
    CHECK_ERR(both.echo.last_why, CG_TIMEOUT);
    cg_loop_run_for(both.echo.loop, 50);
    CHECK(read(fd, &byte, 1) >= 0); /* an alert, or the end; not a reset */
    close(fd);
    both_stop(&both);
}

TEST(what_is_no_handshake_is_cut_and_hears_why)
{
    struct both both;
    static uint8_t noise[200 * 1024];
    uint8_t answer[512];
    ssize_t n, total = 0;
    int fd;

    memset(noise, 'x', sizeof noise);
    memcpy(noise, "\x16\x03\x01\x01\x00", 5); /* a TLS record, at first sight */
    both_start(&both, CG_SPEAKS_ALPN);
    both.echo.stops_at_close = true;
    echo_start(&both.echo, &both.wire);
    fd = raw_connect(&both.echo.at);
    CHECK(write(fd, noise, sizeof noise) > 0);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    CHECK_ERR(both.echo.last_why, CG_TLS);
    /* It lingers: closed with bytes unread, the kernel would reset, and take the alert along. */
    cg_loop_run_for(both.echo.loop, 100);
    while ((n = read(fd, answer, sizeof answer)) > 0)
        total += n;
    CHECK_INT(n, 0);
    CHECK(total >= 7 && answer[0] == 21); /* a TLS alert */
    CHECK_INT(cg_listener_n_conns(both.echo.listener), 1);
    close(fd);
    cg_loop_run_for(both.echo.loop, 100);
    CHECK_INT(cg_listener_n_conns(both.echo.listener), 0);
    both_stop(&both);
}

TEST(lingering_ends_by_itself)
{
    struct both both;
    struct cg_mono begun = cg_clock_mono();
    int fd;

    both_start(&both, CG_SPEAKS_ALPN);
    both.echo.stops_at_close = true;
    echo_start(&both.echo, &both.wire);
    fd = raw_connect(&both.echo.at);
    CHECK(write(fd, "nonsense that is long enough to be one", 38) == 38);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    while (cg_listener_n_conns(both.echo.listener) > 0 &&
           cg_clock_mono().us - begun.us < 10 * 1000000)
        cg_loop_run_for(both.echo.loop, 50);
    CHECK(cg_clock_mono().us - begun.us < 5 * 1000000);
    close(fd);
    both_stop(&both);
}

TEST(a_peer_that_goes_in_the_middle_resets_what_is_open)
{
    struct both both;

    both_start(&both, CG_SPEAKS_ALPN);
    both.echo.holds = true;
    both.echo.stops_at_close = true;
    both_run(&both, 5, 1000);
    CHECK(!cg_loop_run_for(both.echo.loop, 200));
    CHECK_INT(both.echo.n_open, 1);
    cg_conn_cut(both.client.conn, CG_CANCELLED);
    CHECK(both.client.is_closed); /* a cut is at once */
    CHECK_INT(both.client.n_reset, 5);
    CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS)); /* the client's stop */
    if (both.echo.n_closed == 0)
        CHECK(cg_loop_run_for(both.echo.loop, LIMIT_MS));
    CHECK_INT(both.echo.n_reset, 5);
    CHECK_INT(both.echo.n_closed, 1);
    both_stop(&both);
}

/* Drain: what is open goes on to its end, then the connection closes by itself. */
struct drained {
    struct cg_loop *loop;
    bool is;
};

static void on_drained(void *ctx)
{
    struct drained *drained = ctx;

    drained->is = true;
    cg_loop_stop(drained->loop);
}

TEST(a_drain_lets_open_exchanges_end_and_closes_then)
{
    struct both both;
    struct drained drained = {.is = false};

    both_start(&both, CG_SPEAKS_ALPN);
    both_run(&both, 4, 2 * 1024 * 1024);
    drained.loop = both.echo.loop;
    while (both.client.asks[0].n_got == 0 && both.client.n_over == 0)
        cg_loop_run_for(both.echo.loop, 1);
    cg_listener_drain(both.echo.listener, cg_mono_after(cg_loop_mono(both.echo.loop), LIMIT_MS),
                      on_drained, &drained);
    CHECK(!drained.is);
    while (!drained.is && cg_loop_run_for(both.echo.loop, LIMIT_MS))
        ;
    CHECK(drained.is);
    CHECK_INT(both.client.n_over, 4);
    CHECK_INT(both.client.n_reset, 0);
    CHECK_ERR(both.echo.last_why, CG_OK);
    both_stop(&both);
}

TEST(a_drain_ends_at_its_limit)
{
    struct both both;
    struct drained drained = {.is = false};

    both_start(&both, CG_SPEAKS_ALPN);
    both.echo.holds = true;
    both_run(&both, 2, 100);
    drained.loop = both.echo.loop;
    CHECK(!cg_loop_run_for(both.echo.loop, 100));
    cg_listener_drain(both.echo.listener, cg_mono_after(cg_loop_mono(both.echo.loop), 200),
                      on_drained, &drained);
    while (!drained.is && cg_loop_run_for(both.echo.loop, LIMIT_MS))
        ;
    CHECK(drained.is);
    CHECK_INT(both.echo.n_closed, 1);
    CHECK_INT(both.echo.n_reset, 2);
    both_stop(&both);
}

TEST(an_idle_connection_costs_little)
{
    enum { N = 200 };
    struct both both;
    static struct client clients[N];
    size_t before;

    memset(clients, 0, sizeof clients);
    both_start(&both, CG_SPEAKS_ALPN);
    echo_start(&both.echo, &both.wire);
    before = heap_in_use();
    for (int i = 0; i < N; i++) {
        clients[i].loop = both.echo.loop;
        client_start(&clients[i], &both.wire, &both.echo.at, 1, 100);
        while (clients[i].n_over == 0 && cg_loop_run_for(both.echo.loop, LIMIT_MS))
            ;
    }
    CHECK_INT(both.echo.n_open, N);
    if (before > 0) {
        size_t each = (heap_in_use() - before) / N;

        printf("# an idle TLS connection, both ends: %zu bytes\n", each);
        CHECK(each < 200 * 1024);
    }
    for (int i = 0; i < N; i++)
        cg_conn_cut(clients[i].conn, CG_CANCELLED);
    both_stop(&both);
}

SUITE(pump, T(many_exchanges_of_one_connection_echo_between_two_loops),
      T(bodies_larger_than_every_buffer_echo_between_two_loops),
      T(http_1_1_echoes_too_with_and_without_tls), T(the_owner_may_close_from_within_an_event),
      T(a_reader_that_stops_reading_costs_the_sender_a_bounded_number_of_bytes),
      T(a_handler_that_takes_nothing_stops_an_upload),
      T(a_peer_that_takes_nothing_from_its_socket_is_cut_after_its_time),
      T(a_slow_reader_is_not_a_dead_one), T(who_does_not_shake_hands_in_time_is_cut),
      T(what_is_no_handshake_is_cut_and_hears_why), T(lingering_ends_by_itself),
      T(a_peer_that_goes_in_the_middle_resets_what_is_open),
      T(a_drain_lets_open_exchanges_end_and_closes_then), T(a_drain_ends_at_its_limit),
      T(an_idle_connection_costs_little))
