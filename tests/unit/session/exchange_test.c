/* exchange_test.c: what holds for every exchange, over each HTTP version, with TLS and without. */
#include "session/exchange.h"

#include <string.h>

#include "lib/base/span.h"
#include "session/stack.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"
#include "tests/support/testcert.h"

#define MIB (1024 * 1024)

enum over { OVER_H2, OVER_H2_TLS, OVER_H1, OVER_H1_TLS, N_OVER };

static bool is_h1(enum over over)
{
    return over == OVER_H1 || over == OVER_H1_TLS;
}

static struct cg_tls_conf *client_conf(bool h1_only)
{
    struct cg_tls_client_options options = {
        .kind = CG_TLS_NATIVE, .trust = CG_TRUST_LATER, .h1_only = h1_only};
    struct cg_tls_conf *conf = NULL;

    CHECK_OK(cg_tls_conf_client(&options, &conf));
    return conf;
}

static struct cg_tls *server_tls(void)
{
    static struct cg_testcert cert;
    struct cg_tls_server_options options = {.kind = CG_TLS_NATIVE, .pad_to = 512};
    struct cg_span name = CG_LIT("gw");
    struct cg_tls_conf *conf = NULL;
    struct cg_tls_site *site = NULL;
    struct cg_tls_sites *sites = NULL;
    struct cg_tls *tls = NULL;

    if (!cert.chain.at)
        cert = cg_testcert_self("gw");
    struct cg_tls_site_options own = {
        .chain = cert.chain, .key = cert.key, .names = &name, .n_names = 1};
    CHECK_OK(cg_tls_conf_server(&options, &conf));
    CHECK_OK(cg_tls_site_new(&own, &site));
    CHECK_OK(cg_tls_sites_new(&site, 1, NULL, NULL, &sites));
    CHECK_OK(cg_tls_accept(conf, sites, &tls));
    cg_tls_conf_unref(conf);
    cg_tls_site_unref(site);
    cg_tls_sites_unref(sites);
    return tls;
}

static struct cg_tls *client_tls(bool h1_only)
{
    struct cg_tls_conf *conf = client_conf(h1_only);
    struct cg_tls_dial dial = {.name = CG_LIT("gw"), .now = CG_TESTCERT_NOW};
    struct cg_tls *tls = NULL;

    CHECK_OK(cg_tls_connect(conf, &dial, &tls));
    cg_tls_conf_unref(conf);
    return tls;
}

static void join_with(struct cg_duplex *d, enum over over, const struct cg_engine_conf *conf)
{
    bool has_tls = over == OVER_H2_TLS || over == OVER_H1_TLS;
    enum cg_speaks speaks = has_tls ? CG_SPEAKS_ALPN : is_h1(over) ? CG_SPEAKS_H1 : CG_SPEAKS_H2;
    struct cg_engine *client = NULL, *server = NULL;

    *d = (struct cg_duplex){.now = {1000}};
    CHECK_OK(
        cg_stack_connect(conf, has_tls ? client_tls(is_h1(over)) : NULL, speaks, d->now, &client));
    CHECK_OK(cg_stack_accept(conf, has_tls ? server_tls() : NULL, speaks, d->now, &server));
    cg_duplex_join(d, client, server);
    cg_duplex_run(d);
    CHECK_INT(cg_engine_state(d->client), CG_ENGINE_OPEN);
}

static void join(struct cg_duplex *d, enum over over)
{
    join_with(d, over, NULL);
}

/* --- a request in a line --- */

static struct cg_arena arena;

static struct cg_head request(const char *method, const char *path)
{
    struct cg_head head;

    cg_arena_done(&arena);
    cg_arena_init(&arena, 256 * 1024);
    cg_head_init(&head, &arena);
    head.method = cg_span_str(method);
    head.scheme = CG_LIT("httpcg");
    head.authority = CG_LIT("app");
    head.path = cg_span_str(path);
    return head;
}

static struct cg_head response(int status)
{
    struct cg_head head = request("", "");

    head.method = head.scheme = head.authority = head.path = (struct cg_span){0};
    head.status = status;
    return head;
}

static struct cg_exchange *begin(struct cg_duplex *d, const char *method, const char *path,
                                 bool is_end)
{
    struct cg_head head = request(method, path);
    struct cg_exchange *x = NULL;

    CHECK_OK(cg_engine_begin(d->client, &head, is_end, &x));
    return x;
}

/* The next exchange the server hears of, with its head. */
static struct cg_exchange *hear(struct cg_duplex *d)
{
    unsigned what = 0;
    struct cg_exchange *x = cg_duplex_wait(d, d->server, &what);

    CHECK(x != NULL);
    CHECK(what & CG_X_HEAD);
    return x;
}

static void answer(struct cg_exchange *y, int status, bool is_end)
{
    struct cg_head head = response(status);

    CHECK_OK(cg_exchange_answer(y, &head, is_end));
}

static void send_all(struct cg_exchange *x, struct cg_span bytes)
{
    size_t taken = 0;

    CHECK_OK(cg_exchange_send(x, bytes, &taken));
    CHECK_INT(taken, bytes.len);
}

static size_t drain(struct cg_exchange *x, uint8_t *out, size_t room)
{
    size_t n = 0;

    for (struct cg_span part; (part = cg_exchange_peek(x)).len && n < room;) {
        part = cg_span_first(part, room - n);
        memcpy(out + n, part.at, part.len);
        cg_exchange_take(x, part.len);
        n += part.len;
    }
    return n;
}

static bool has_body(struct cg_exchange *x, const char *text)
{
    uint8_t got[256];
    size_t n = drain(x, got, sizeof got);

    return cg_span_is(cg_span_of(got, n), text) && cg_exchange_is_read(x);
}

/* --- tests --- */

static void carries_one(enum over over, size_t piece)
{
    struct cg_duplex d;

    join(&d, over);
    d.piece = piece;
    struct cg_head head = request("POST", "/app.example.com/api?limit=10");
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_TYPE, CG_LIT("text/plain")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_SAPI, CG_LIT("{\"a\":1}")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("x-one"), CG_LIT("1")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("x-one"), CG_LIT("2")));
    struct cg_exchange *x = NULL;
    CHECK_OK(cg_engine_begin(d.client, &head, false, &x));
    send_all(x, CG_LIT("the request's body"));
    CHECK_OK(cg_exchange_end(x, NULL));

    struct cg_exchange *y = hear(&d);
    CHECK_SPAN(y->in.method, CG_LIT("POST"));
    CHECK_SPAN(y->in.scheme, CG_LIT("httpcg"));
    CHECK_SPAN(y->in.authority, CG_LIT("app"));
    CHECK_SPAN(y->in.path, CG_LIT("/app.example.com/api?limit=10"));
    CHECK_SPAN(cg_head_value(&y->in, CG_TOKEN_CONTENT_TYPE), CG_LIT("text/plain"));
    CHECK_SPAN(cg_head_value(&y->in, CG_TOKEN_SAPI), CG_LIT("{\"a\":1}"));
    CHECK_SPAN(cg_head_find_named(&y->in, CG_LIT("x-one"))->value, CG_LIT("1"));
    CHECK_INT(y->in.content_length, -1);
    CHECK_INT(cg_head_count(&y->in, CG_TOKEN_HOST), is_h1(over) ? 1 : 0);
    CHECK_INT(y->in.form, is_h1(over) ? CG_FORM_ABSOLUTE : CG_FORM_ORIGIN);
    cg_duplex_run(&d);
    CHECK(has_body(y, "the request's body"));

    struct cg_head out = response(201);
    out.content_length = 8;
    CHECK_OK(cg_head_add(&out, CG_TOKEN_LOCATION, CG_LIT("/x")));
    CHECK_OK(cg_exchange_answer(y, &out, false));
    send_all(y, CG_LIT("thanks!\n"));
    CHECK_OK(cg_exchange_end(y, NULL));
    CHECK(cg_duplex_until(&d, d.client, x, CG_X_HEAD | CG_X_BODY | CG_X_END));
    CHECK_INT(x->in.status, 201);
    CHECK_INT(x->in.content_length, 8);
    CHECK_SPAN(cg_head_value(&x->in, CG_TOKEN_LOCATION), CG_LIT("/x"));
    CHECK(has_body(x, "thanks!\n"));
    CHECK(cg_duplex_until(&d, d.server, y, CG_X_SENT));
    CHECK_INT(x->reset_code, 0);

    cg_exchange_release(x);
    cg_exchange_release(y);
    cg_duplex_run(&d);
    CHECK(cg_engine_is_idle(d.client) && cg_engine_is_idle(d.server));
    CHECK_INT(cg_engine_state(d.client), CG_ENGINE_OPEN);
    CHECK_INT(cg_engine_state(d.server), CG_ENGINE_OPEN);
    cg_duplex_done(&d);
}

TEST(carries_a_request_and_its_answer)
{
    for (enum over over = 0; over < N_OVER; over++)
        carries_one(over, 0);
}

TEST(carries_them_in_single_bytes_too)
{
    for (enum over over = 0; over < N_OVER; over++)
        carries_one(over, 1);
}

TEST(carries_many_on_one_connection)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        for (int i = 0; i < 300; i++) {
            struct cg_exchange *x = begin(&d, "GET", "/x", true);
            struct cg_exchange *y = hear(&d);
            CHECK(cg_exchange_is_read(y));
            answer(y, 200, true);
            CHECK(cg_duplex_until(&d, d.client, x, CG_X_HEAD | CG_X_END));
            CHECK(cg_exchange_is_read(x));
            cg_exchange_release(x);
            cg_exchange_release(y);
        }
        CHECK(cg_engine_is_idle(d.client) && cg_engine_is_idle(d.server));
        cg_duplex_done(&d);
    }
}

/* Moves total bytes from one exchange to the other and checks each; gives the most that was held
 * anywhere on the way. */
static size_t stream(struct cg_duplex *d, struct cg_exchange *from, struct cg_exchange *to,
                     size_t total)
{
    uint8_t block[10007];
    size_t sent = 0, got = 0, most = 0;

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7);
    while (got < total) {
        size_t before = got + sent;
        for (size_t taken = 1; sent < total && taken;) {
            size_t at = sent % sizeof block;
            struct cg_span part = cg_span_of(block + at, sizeof block - at);
            CHECK_OK(cg_exchange_send(from, cg_span_first(part, total - sent), &taken));
            sent += taken;
        }
        cg_duplex_run(d);
        if (to->in_ring.cap + from->out_ring.cap > most)
            most = to->in_ring.cap + from->out_ring.cap;
        for (struct cg_span part; (part = cg_exchange_peek(to)).len;) {
            size_t at = got % sizeof block;
            part = cg_span_first(part, sizeof block - at);
            if (memcmp(part.at, block + at, part.len) != 0) {
                CHECK(!"the bytes are others");
                return most;
            }
            cg_exchange_take(to, part.len);
            got += part.len;
        }
        if (got + sent == before) {
            CHECK(!"it goes on");
            return most;
        }
    }
    return most;
}

TEST(streams_both_ways_in_bounded_memory)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "POST", "/up", false);
        struct cg_exchange *y = hear(&d);
        CHECK(stream(&d, x, y, 8 * MIB) <= 128 * 1024);
        CHECK_OK(cg_exchange_end(x, NULL));
        cg_duplex_run(&d);
        CHECK(cg_exchange_is_read(y));
        answer(y, 200, false);
        CHECK(stream(&d, y, x, 8 * MIB) <= 128 * 1024);
        CHECK_OK(cg_exchange_end(y, NULL));
        cg_duplex_run(&d);
        CHECK(cg_exchange_is_read(x));
        CHECK_INT(x->in_bytes, 8 * MIB);
        CHECK_INT(y->in_bytes, 8 * MIB);
        CHECK(d.most_held <= 256 * 1024);
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_done(&d);
    }
}

TEST(stops_the_sender_when_nobody_reads)
{
    static uint8_t much[4 * MIB];

    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        size_t sent = 0, taken = 1;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "POST", "/up", false);
        struct cg_exchange *y = hear(&d);
        while (taken) {
            CHECK_OK(cg_exchange_send(x, cg_span_of(much, sizeof much - sent), &taken));
            sent += taken;
            cg_duplex_run(&d);
        }
        /* Two rings and what is on its way. */
        CHECK(sent <= 512 * 1024);
        CHECK_INT(cg_exchange_unread(y), y->in_ring.max);
        CHECK_INT(cg_exchange_room(x), 0);

        unsigned what = 0;
        while (cg_engine_ready(d.client, &what))
            ;
        cg_exchange_take(y, cg_exchange_peek(y).len);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_ROOM));
        CHECK(cg_exchange_room(x) > 0);
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_done(&d);
    }
}

TEST(carries_trailers_both_ways)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        struct cg_head head = request("POST", "/t");
        CHECK_OK(cg_head_add(&head, CG_TOKEN_TRAILER, CG_LIT("SAPI-Trailer, x-b")));
        struct cg_exchange *x = NULL;
        CHECK_OK(cg_engine_begin(d.client, &head, false, &x));
        send_all(x, CG_LIT("body"));
        struct cg_head trailers = response(0);
        CHECK_OK(cg_head_add(&trailers, CG_TOKEN_SAPI_TRAILER, CG_LIT("{}")));
        CHECK_OK(cg_head_add_named(&trailers, CG_LIT("x-b"), CG_LIT("b")));
        CHECK_OK(cg_exchange_end(x, &trailers));

        struct cg_exchange *y = hear(&d);
        cg_duplex_run(&d);
        CHECK(has_body(y, "body"));
        CHECK_SPAN(cg_head_value(&y->in_trailers, CG_TOKEN_SAPI_TRAILER), CG_LIT("{}"));
        CHECK_INT(y->in_trailers.n_fields, 2);
        CHECK(cg_head_find(&y->in, CG_TOKEN_SAPI_TRAILER) == NULL);

        struct cg_head out = response(200);
        CHECK_OK(cg_head_add(&out, CG_TOKEN_TRAILER, CG_LIT("content-digest")));
        CHECK_OK(cg_exchange_answer(y, &out, false));
        trailers = response(0);
        CHECK_OK(cg_head_add(&trailers, CG_TOKEN_CONTENT_DIGEST, CG_LIT("sha-256=:x:")));
        CHECK_OK(cg_exchange_end(y, &trailers));
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_TRAILERS | CG_X_END));
        CHECK_SPAN(cg_head_value(&x->in_trailers, CG_TOKEN_CONTENT_DIGEST), CG_LIT("sha-256=:x:"));
        CHECK(has_body(x, ""));
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_run(&d);
        CHECK_INT(cg_engine_state(d.server), CG_ENGINE_OPEN);
        cg_duplex_done(&d);
    }
}

TEST(asks_and_answers_whether_to_continue)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        struct cg_head head = request("PUT", "/e");
        head.content_length = 4;
        CHECK_OK(cg_head_add(&head, CG_TOKEN_EXPECT, CG_LIT("100-continue")));
        struct cg_exchange *x = NULL;
        CHECK_OK(cg_engine_begin(d.client, &head, false, &x));
        struct cg_exchange *y = hear(&d);
        CHECK(y->expects_continue);
        CHECK_OK(cg_exchange_inform(y, 100, NULL));
        CHECK(!y->expects_continue);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_INFORM));
        CHECK_INT(x->inform.status, 100);
        struct cg_head hints = response(0);
        CHECK_OK(cg_head_add_named(&hints, CG_LIT("link"), CG_LIT("</a.css>")));
        CHECK_OK(cg_exchange_inform(y, 103, &hints));
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_INFORM));
        CHECK_INT(x->inform.status, 103);
        CHECK_SPAN(cg_head_find_named(&x->inform, CG_LIT("link"))->value, CG_LIT("</a.css>"));
        CHECK_ERR(cg_exchange_inform(y, 101, NULL), CG_INTERNAL);
        send_all(x, CG_LIT("body"));
        CHECK_OK(cg_exchange_end(x, NULL));
        CHECK(cg_duplex_until(&d, d.server, y, CG_X_END));
        CHECK(has_body(y, "body"));
        answer(y, 204, true);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_HEAD | CG_X_END));
        CHECK_INT(x->in.status, 204);
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_done(&d);
    }
}

TEST(answers_head_with_a_length_and_no_body)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "HEAD", "/h", true);
        struct cg_exchange *y = hear(&d);
        struct cg_head out = response(200);
        out.content_length = 12345;
        CHECK_ERR(cg_exchange_answer(y, &out, false), CG_INTERNAL);
        CHECK_OK(cg_exchange_answer(y, &out, true));
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_HEAD | CG_X_END));
        CHECK_INT(x->in.content_length, 12345);
        CHECK(cg_exchange_is_read(x));
        cg_exchange_release(x);
        cg_exchange_release(y);
        /* The connection is still in step. */
        x = begin(&d, "GET", "/g", true);
        y = hear(&d);
        answer(y, 304, true);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_END));
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_done(&d);
    }
}

TEST(refuses_its_users_mistakes)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        size_t taken;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "GET", "/m", true);
        CHECK_ERR(cg_exchange_send(x, CG_LIT("x"), &taken), CG_INTERNAL);
        CHECK_ERR(cg_exchange_end(x, NULL), CG_INTERNAL);
        CHECK_ERR(cg_exchange_inform(x, 100, NULL), CG_INTERNAL);
        struct cg_exchange *y = hear(&d);
        CHECK_ERR(cg_exchange_send(y, CG_LIT("x"), &taken), CG_INTERNAL);
        struct cg_head out = response(199);
        CHECK_ERR(cg_exchange_answer(y, &out, true), CG_INTERNAL);
        out = response(200);
        out.content_length = 3;
        CHECK_ERR(cg_exchange_answer(y, &out, true), CG_INTERNAL);
        CHECK_OK(cg_exchange_answer(y, &out, false));
        CHECK_ERR(cg_exchange_answer(y, &out, false), CG_INTERNAL);
        CHECK_ERR(cg_exchange_inform(y, 100, NULL), CG_INTERNAL);
        CHECK_INT(cg_exchange_room(y), 3);
        CHECK_ERR(cg_exchange_send(y, CG_LIT("four"), &taken), CG_INTERNAL);
        send_all(y, CG_LIT("ab"));
        CHECK_ERR(cg_exchange_end(y, NULL), CG_INTERNAL); /* short: visibly broken */
        CHECK_ERR(cg_exchange_send(y, CG_LIT("c"), &taken), CG_CLOSED);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_RESET));
        CHECK(!cg_exchange_is_read(x));
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_done(&d);
    }
}

TEST(tells_the_other_side_of_a_reset)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        size_t taken;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "POST", "/r", false);
        struct cg_exchange *y = hear(&d);
        cg_exchange_reset(x, CG_RESET_CANCEL);
        CHECK_ERR(cg_exchange_send(x, CG_LIT("x"), &taken), CG_CLOSED);
        CHECK(cg_duplex_until(&d, d.server, y, CG_X_RESET));
        CHECK_ERR(cg_exchange_send(y, CG_LIT("x"), &taken), CG_CLOSED);
        CHECK(y->reset_by_peer || is_h1(over));
        CHECK_INT(y->reset_code, CG_RESET_CANCEL);
        CHECK(!cg_exchange_is_read(y));
        struct cg_head out = response(200);
        CHECK_ERR(cg_exchange_answer(y, &out, true), CG_CLOSED);
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_run(&d);
        CHECK_INT(cg_engine_state(d.client), is_h1(over) ? CG_ENGINE_CLOSED : CG_ENGINE_OPEN);
        CHECK(cg_engine_is_idle(d.client) && cg_engine_is_idle(d.server));
        cg_duplex_done(&d);
    }
}

TEST(takes_an_exchange_back_at_any_moment)
{
    for (enum over over = 0; over < N_OVER; over++) {
        for (int moment = 0; moment < 6; moment++) {
            struct cg_duplex d;
            join(&d, over);
            struct cg_exchange *x = begin(&d, "POST", "/r", false);
            struct cg_exchange *y = NULL;
            if (moment == 0)
                cg_exchange_release(x), x = NULL;
            if (moment >= 1)
                y = hear(&d);
            if (moment == 1)
                cg_exchange_release(y), y = NULL;
            if (moment >= 2)
                send_all(x, CG_LIT("some"));
            if (moment == 3)
                cg_duplex_run(&d);
            if (moment >= 4) {
                answer(y, 200, false);
                send_all(y, CG_LIT("more"));
            }
            if (moment == 5) {
                CHECK_OK(cg_exchange_end(y, NULL)); /* whole, the request unread */
                cg_exchange_release(y), y = NULL;
                CHECK(cg_duplex_until(&d, d.client, x, CG_X_END));
                CHECK(has_body(x, "more"));
            }
            if (x)
                cg_exchange_release(x);
            if (y)
                cg_exchange_release(y);
            cg_duplex_run(&d);
            unsigned what;
            for (struct cg_exchange *z; (z = cg_engine_ready(d.server, &what));)
                cg_exchange_release(z);
            for (struct cg_exchange *z; (z = cg_engine_ready(d.client, &what));)
                cg_exchange_release(z);
            cg_duplex_run(&d);
            CHECK(cg_engine_is_idle(d.client) && cg_engine_is_idle(d.server));
            cg_duplex_done(&d);
        }
    }
}

TEST(still_sends_an_answer_that_was_ended_and_released)
{
    for (enum over over = 0; over < N_OVER; over++) {
        static uint8_t body[50000];
        struct cg_duplex d;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "GET", "/a", true);
        struct cg_exchange *y = hear(&d);
        answer(y, 200, false);
        send_all(y, CG_BYTES(body));
        CHECK_OK(cg_exchange_end(y, NULL));
        cg_exchange_release(y);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_END));
        CHECK_INT(cg_exchange_unread(x), sizeof body);
        cg_exchange_release(x);
        CHECK(cg_engine_is_idle(d.client) && cg_engine_is_idle(d.server));
        cg_duplex_done(&d);
    }
}

TEST(frees_everything_with_the_engine)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "POST", "/f", false);
        struct cg_exchange *y = hear(&d);
        send_all(x, CG_LIT("some"));
        answer(y, 200, false);
        send_all(y, CG_LIT("some"));
        cg_duplex_run(&d);
        cg_duplex_done(&d); /* the sanitizer tells */
    }
}

TEST(tells_every_exchange_when_the_connection_ends)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        unsigned what;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "POST", "/f", false);
        struct cg_exchange *y = hear(&d);
        cg_engine_eof(d.server, d.now);
        CHECK(cg_engine_ready(d.server, &what) == y && (what & CG_X_RESET));
        CHECK_ERR(y->fault, CG_CLOSED);
        CHECK_INT(cg_engine_state(d.server), CG_ENGINE_CLOSED);
        cg_engine_abort(d.client, CG_UNREACHABLE);
        CHECK(cg_engine_ready(d.client, &what) == x && (what & CG_X_RESET));
        CHECK_ERR(x->fault, CG_UNREACHABLE);
        CHECK_ERR(cg_engine_why(d.client), CG_UNREACHABLE);
        cg_exchange_release(x);
        cg_exchange_release(y);
        CHECK(cg_engine_is_idle(d.client) && cg_engine_is_idle(d.server));
        cg_duplex_done(&d);
    }
}

TEST(shuts_down_after_the_last_exchange)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        join(&d, over);
        struct cg_exchange *x = begin(&d, "GET", "/s", true);
        struct cg_exchange *y = hear(&d);
        cg_engine_shutdown(d.server);
        cg_duplex_run(&d);
        CHECK_INT(cg_engine_state(d.server), CG_ENGINE_DRAINING);
        if (!is_h1(over)) {
            CHECK_INT(cg_engine_state(d.client), CG_ENGINE_DRAINING);
            CHECK(!cg_engine_can_begin(d.client));
        }
        answer(y, 200, false);
        send_all(y, CG_LIT("late"));
        CHECK_OK(cg_exchange_end(y, NULL));
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_END));
        CHECK(has_body(x, "late"));
        cg_exchange_release(x);
        cg_exchange_release(y);
        cg_duplex_run(&d);
        struct cg_head head = request("GET", "/again");
        CHECK(cg_engine_begin(d.client, &head, true, &x) != CG_OK);
        CHECK_OK(cg_engine_tick(d.client, d.now));
        CHECK_OK(cg_engine_tick(d.server, d.now));
        CHECK_INT(cg_engine_state(d.server), CG_ENGINE_CLOSED);
        CHECK_INT(cg_engine_state(d.client), CG_ENGINE_CLOSED);
        CHECK_OK(cg_engine_why(d.server));
        cg_duplex_done(&d);
    }
}

/* --- time --- */

static cg_err tick_to(struct cg_duplex *d, struct cg_engine *e, int64_t ms)
{
    d->now.us = 1000 + ms * 1000;
    return cg_engine_tick(e, d->now);
}

TEST(ends_a_connection_that_idles)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        struct cg_engine_conf conf = {.idle_ms = 5000, .head_ms = 2000};
        join_with(&d, over, &conf);
        struct cg_exchange *x = begin(&d, "GET", "/i", true);
        struct cg_exchange *y = hear(&d);
        answer(y, 200, true);
        CHECK(cg_duplex_until(&d, d.client, x, CG_X_END));
        CHECK_OK(tick_to(&d, d.server, 60000)); /* open: not idle */
        cg_exchange_release(x);
        cg_exchange_release(y);
        CHECK_OK(tick_to(&d, d.server, 70000));
        CHECK_INT(cg_engine_deadline(d.server).us, 1000 + 75000 * 1000);
        CHECK_OK(tick_to(&d, d.server, 74999));
        CHECK_ERR(tick_to(&d, d.server, 75000), CG_TIMEOUT);
        cg_duplex_done(&d);
    }
}

TEST(ends_a_connection_whose_first_request_does_not_come)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        struct cg_engine_conf conf = {.idle_ms = 50000, .head_ms = 2000};
        join_with(&d, over, &conf);
        CHECK_OK(tick_to(&d, d.server, 1999));
        CHECK_ERR(tick_to(&d, d.server, 2000), CG_TIMEOUT);
        CHECK_OK(tick_to(&d, d.client, 2000));
        cg_duplex_done(&d);
    }
}

TEST(resets_a_body_that_stalls_unless_told_to_be_patient)
{
    for (enum over over = 0; over < N_OVER; over++) {
        for (int patient = 0; patient < 2; patient++) {
            struct cg_duplex d;
            unsigned what;
            struct cg_engine_conf conf = {.stall_ms = 1000, .stall_min_bytes = 10};
            join_with(&d, over, &conf);
            struct cg_exchange *x = begin(&d, "POST", "/s", false);
            struct cg_exchange *y = hear(&d);
            cg_exchange_set_patient(y, patient);
            for (int i = 1; i <= 4; i++) { /* ten bytes a second are enough */
                send_all(x, CG_LIT("0123456789"));
                cg_duplex_run(&d);
                CHECK_OK(tick_to(&d, d.server, i * 1000));
            }
            send_all(x, CG_LIT("012345678"));
            cg_duplex_run(&d);
            cg_err err = tick_to(&d, d.server, 5000);
            struct cg_exchange *z = cg_engine_ready(d.server, &what);
            CHECK(z == y);
            CHECK_INT((what & CG_X_RESET) != 0, !patient);
            if (!patient)
                CHECK_ERR(y->fault, CG_TIMEOUT);
            CHECK_ERR(err, !patient && is_h1(over) ? CG_TIMEOUT : CG_OK);
            cg_exchange_release(y);
            cg_exchange_release(x);
            cg_duplex_done(&d);
        }
    }
}

TEST(resets_an_answer_that_nobody_takes)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        unsigned what;
        static uint8_t much[64 * 1024];
        struct cg_engine_conf conf = {.stall_ms = 1000};
        join_with(&d, over, &conf);
        struct cg_exchange *x = begin(&d, "GET", "/s", true);
        struct cg_exchange *y = hear(&d);
        answer(y, 200, false);
        for (size_t taken = 1; taken;) { /* until the client's ring and ours are full */
            CHECK_OK(cg_exchange_send(y, CG_BYTES(much), &taken));
            cg_duplex_run(&d);
        }
        while (cg_engine_ready(d.server, &what))
            ;
        CHECK_OK(tick_to(&d, d.server, 1000));
        cg_err err = tick_to(&d, d.server, 2000);
        CHECK_ERR(err, is_h1(over) ? CG_TIMEOUT : CG_OK);
        CHECK(cg_engine_ready(d.server, &what) == y && (what & CG_X_RESET));
        CHECK_ERR(y->fault, CG_TIMEOUT);
        cg_exchange_release(y);
        cg_exchange_release(x);
        cg_duplex_done(&d);
    }
}

TEST(drains_a_connection_that_is_old)
{
    for (enum over over = 0; over < N_OVER; over++) {
        struct cg_duplex d;
        struct cg_engine_conf conf = {.life_ms = 5000};
        join_with(&d, over, &conf);
        struct cg_exchange *x = begin(&d, "GET", "/s", true);
        struct cg_exchange *y = hear(&d);
        CHECK_OK(tick_to(&d, d.server, 4999));
        CHECK_INT(cg_engine_state(d.server), CG_ENGINE_OPEN);
        CHECK_OK(tick_to(&d, d.server, 5000));
        CHECK_INT(cg_engine_state(d.server), CG_ENGINE_DRAINING);
        cg_exchange_release(y);
        cg_exchange_release(x);
        cg_duplex_done(&d);
    }
}

SUITE(exchange, T(carries_a_request_and_its_answer), T(carries_them_in_single_bytes_too),
      T(carries_many_on_one_connection), T(streams_both_ways_in_bounded_memory),
      T(stops_the_sender_when_nobody_reads), T(carries_trailers_both_ways),
      T(asks_and_answers_whether_to_continue), T(answers_head_with_a_length_and_no_body),
      T(refuses_its_users_mistakes), T(tells_the_other_side_of_a_reset),
      T(takes_an_exchange_back_at_any_moment), T(still_sends_an_answer_that_was_ended_and_released),
      T(frees_everything_with_the_engine), T(tells_every_exchange_when_the_connection_ends),
      T(shuts_down_after_the_last_exchange), T(ends_a_connection_that_idles),
      T(ends_a_connection_whose_first_request_does_not_come),
      T(resets_a_body_that_stalls_unless_told_to_be_patient), T(resets_an_answer_that_nobody_takes),
      T(drains_a_connection_that_is_old))
