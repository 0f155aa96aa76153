/* stack_test.c: where TLS and HTTP meet: when it opens, how it ends, what an end is worth. */
#include "session/stack.h"

#include <string.h>

#include "lib/base/span.h"
#include "session/tls_own.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"
#include "tests/support/testcert.h"

static const struct cg_mono now = {1000};

static struct cg_tls *client_tls(void)
{
    struct cg_tls_client_options options = {
        .kind = CG_TLS_BACKEND, .trust = CG_TRUST_LATER, .h1_only = true};
    struct cg_tls_dial dial = {.name = CG_LIT("gw"), .now = CG_TESTCERT_NOW};
    struct cg_tls_conf *conf = NULL;
    struct cg_tls *tls = NULL;

    CHECK_OK(cg_tls_conf_client(&options, &conf));
    CHECK_OK(cg_tls_connect(conf, &dial, &tls));
    cg_tls_conf_unref(conf);
    return tls;
}

static struct cg_tls *server_tls(void)
{
    static struct cg_testcert cert;
    struct cg_tls_server_options options = {.kind = CG_TLS_SERVICES};
    struct cg_tls_conf *conf = NULL;
    struct cg_tls_site *site = NULL;
    struct cg_tls_sites *sites = NULL;
    struct cg_tls *tls = NULL;

    if (!cert.chain.at)
        cert = cg_testcert_self("gw");
    struct cg_tls_site_options own = {.chain = cert.chain, .key = cert.key};
    CHECK_OK(cg_tls_conf_server(&options, &conf));
    CHECK_OK(cg_tls_site_new(&own, &site));
    CHECK_OK(cg_tls_sites_new(&site, 1, NULL, NULL, &sites));
    CHECK_OK(cg_tls_accept(conf, sites, &tls));
    cg_tls_conf_unref(conf);
    cg_tls_site_unref(site);
    cg_tls_sites_unref(sites);
    return tls;
}

static struct cg_head request(struct cg_arena *arena)
{
    struct cg_head head;

    cg_arena_init(arena, 65536);
    cg_head_init(&head, arena);
    head.method = CG_LIT("GET");
    head.scheme = CG_LIT("https");
    head.authority = CG_LIT("gw");
    head.path = CG_LIT("/");
    return head;
}

/* A TLS server whose plaintext the test writes itself. */
struct raw {
    struct cg_tls *tls;
    struct cg_engine *client;
    struct cg_exchange *x;
    struct cg_buf to_client, to_server;
};

static void raw_open(struct raw *r)
{
    struct cg_engine_conf conf = {.allow_until_close = true};
    struct cg_arena arena;
    struct cg_head head = request(&arena);

    *r = (struct raw){.tls = server_tls()};
    cg_buf_init(&r->to_client, 1 << 20);
    cg_buf_init(&r->to_server, 1 << 20);
    CHECK_OK(cg_stack_connect(&conf, client_tls(), CG_SPEAKS_ALPN, now, &r->client));
    CHECK_ERR(cg_engine_begin(r->client, &head, true, &r->x), CG_BUSY);
    CHECK(!cg_engine_can_begin(r->client));
    CHECK_INT(cg_engine_state(r->client), CG_ENGINE_OPENING);
    for (int i = 0; i < 4 && !cg_tls_is_up(r->tls); i++) {
        CHECK_OK(cg_engine_pull(r->client, &r->to_server));
        r->tls->in = cg_buf_span(&r->to_server);
        cg_err err = cg_tls_step(r->tls);
        CHECK(err == CG_OK || err == CG_BUSY);
        cg_buf_clear(&r->to_server);
        CHECK_OK(cg_tls_flush(r->tls, &r->to_client));
        cg_give(r->client, cg_buf_span(&r->to_client), now);
        cg_buf_clear(&r->to_client);
    }
    CHECK_INT(cg_engine_state(r->client), CG_ENGINE_OPEN);
    CHECK_INT(cg_stack_speaks(r->client), CG_SPEAKS_H1);
    CHECK_OK(cg_engine_begin(r->client, &head, true, &r->x));
    CHECK_OK(cg_engine_pull(r->client, &r->to_server));
    cg_arena_done(&arena);
}

static void raw_say(struct raw *r, const char *text)
{
    CHECK_OK(cg_tls_seal(r->tls, cg_span_str(text), &r->to_client));
    cg_give(r->client, cg_buf_span(&r->to_client), now);
    cg_buf_clear(&r->to_client);
}

static void raw_close(struct raw *r)
{
    cg_tls_close(r->tls);
    CHECK_OK(cg_tls_flush(r->tls, &r->to_client));
    cg_give(r->client, cg_buf_span(&r->to_client), now);
}

static void raw_done(struct raw *r)
{
    cg_engine_free(r->client);
    cg_tls_free(r->tls);
    cg_buf_done(&r->to_client);
    cg_buf_done(&r->to_server);
}

TEST(takes_a_close_notify_for_an_end_and_nothing_less)
{
    for (int honest = 0; honest < 2; honest++) {
        struct raw r;
        unsigned what;
        raw_open(&r);
        raw_say(&r, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
        if (honest)
            raw_close(&r);
        cg_engine_eof(r.client, now);
        CHECK(cg_engine_ready(r.client, &what) == r.x);
        CHECK_INT((what & CG_X_END) != 0, honest);
        CHECK_INT((what & CG_X_RESET) != 0, !honest);
        CHECK_SPAN(cg_exchange_peek(r.x), CG_LIT("until the end"));
        CHECK_INT(cg_engine_state(r.client), CG_ENGINE_CLOSED);
        raw_done(&r);
    }
}

TEST(forgets_an_exchange_that_a_cut_connection_ended)
{
    struct raw r;
    unsigned what;

    raw_open(&r);
    raw_say(&r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut");
    cg_engine_eof(r.client, now); /* without close_notify */
    CHECK(cg_engine_ready(r.client, &what) == r.x);
    CHECK((what & CG_X_RESET) != 0);
    cg_exchange_release(r.x);
    /* Whoever still holds the connection asks it before letting go. */
    CHECK_INT(cg_engine_wants(r.client) & CG_WANT_READ, 0);
    CHECK(cg_engine_ready(r.client, &what) == NULL);
    cg_engine_eof(r.client, now);
    (void)!cg_engine_tick(r.client, now);
    cg_take_out(r.client, &r.to_server);
    raw_done(&r);
}

TEST(ends_on_a_record_that_was_changed)
{
    struct raw r;
    unsigned what;
    size_t taken;

    raw_open(&r);
    CHECK_OK(cg_tls_seal(r.tls, CG_LIT("HTTP/1.1 204 NC\r\n\r\n"), &r.to_client));
    r.to_client.at[10] ^= 1;
    CHECK_ERR(cg_engine_feed(r.client, cg_buf_span(&r.to_client), now, &taken), CG_TLS);
    CHECK_INT(taken, r.to_client.len);
    CHECK(cg_engine_ready(r.client, &what) == r.x && (what & CG_X_RESET));
    CHECK_ERR(r.x->fault, CG_TLS);
    CHECK_INT(cg_tls_alert(cg_stack_tls(r.client)), SSL_AD_BAD_RECORD_MAC);
    cg_buf_clear(&r.to_server);
    CHECK_OK(cg_engine_pull(r.client, &r.to_server));
    CHECK(r.to_server.len > 0); /* the alert */
    CHECK(!(cg_engine_wants(r.client) & (CG_WANT_READ | CG_WANT_WRITE)));
    raw_done(&r);
}

TEST(holds_plaintext_back_that_nobody_has_room_for)
{
    static char body[40000];
    struct raw r;
    unsigned what;
    size_t got = 0, left;

    raw_open(&r);
    memset(body, 'b', sizeof body - 1);
    raw_say(&r, "HTTP/1.1 200 OK\r\ncontent-length: 119997\r\n\r\n");
    for (int i = 0; i < 3; i++)
        CHECK_OK(cg_tls_seal(r.tls, cg_span_of(body, 13333), &r.to_client));
    for (int i = 0; i < 6; i++)
        CHECK_OK(cg_tls_seal(r.tls, cg_span_of(body, 13333), &r.to_client));
    left = r.to_client.len;
    left -= cg_give(r.client, cg_buf_span(&r.to_client), now);
    CHECK(left > 0);
    CHECK_INT(cg_exchange_unread(r.x), 65536);
    CHECK(!(cg_engine_wants(r.client) & CG_WANT_READ));
    for (int i = 0; i < 100 && got < 119997; i++) {
        while (cg_engine_ready(r.client, &what))
            ;
        for (struct cg_span part; (part = cg_exchange_peek(r.x)).len;) {
            got += part.len;
            cg_exchange_take(r.x, part.len);
        }
        struct cg_span rest = cg_span_from(cg_buf_span(&r.to_client), r.to_client.len - left);
        left -= cg_give(r.client, rest, now);
    }
    CHECK_INT(got, 119997);
    CHECK_INT(left, 0);
    raw_done(&r);
}

TEST(says_goodbye_in_tls_as_well)
{
    struct raw r;
    uint8_t plain[100];
    size_t n;

    raw_open(&r);
    raw_say(&r, "HTTP/1.1 204 NC\r\nconnection: close\r\n\r\n");
    CHECK_INT(cg_engine_state(r.client), CG_ENGINE_CLOSED);
    CHECK(cg_engine_wants(r.client) & CG_WANT_WRITE);
    CHECK_OK(cg_engine_pull(r.client, &r.to_server));
    CHECK(!(cg_engine_wants(r.client) & CG_WANT_WRITE));
    r.tls->in = cg_buf_span(&r.to_server);
    CHECK_OK(cg_tls_open(r.tls, plain, sizeof plain, &n));
    CHECK(n > 0 && !r.tls->peer_closed);
    CHECK_OK(cg_tls_open(r.tls, plain, sizeof plain, &n));
    CHECK(r.tls->peer_closed);
    raw_done(&r);
}

TEST(refuses_to_guess_what_a_plain_connection_speaks)
{
    struct cg_engine *e = NULL;

    CHECK_ERR(cg_stack_accept(NULL, NULL, CG_SPEAKS_ALPN, now, &e), CG_CONFIG);
    CHECK(e == NULL);
    CHECK_OK(cg_stack_accept(NULL, NULL, CG_SPEAKS_H1, now, &e));
    CHECK(cg_stack_tls(e) == NULL);
    cg_engine_free(e);
    cg_engine_free(NULL);
}

TEST(ends_in_the_middle_of_a_handshake)
{
    struct cg_arena arena;
    struct cg_head head = request(&arena);
    struct cg_exchange *x;
    struct cg_engine *e = NULL;
    size_t taken;

    CHECK_OK(cg_stack_connect(NULL, client_tls(), CG_SPEAKS_ALPN, now, &e));
    cg_engine_eof(e, now);
    CHECK_INT(cg_engine_state(e), CG_ENGINE_CLOSED);
    CHECK_ERR(cg_engine_why(e), CG_CLOSED);
    CHECK_ERR(cg_engine_begin(e, &head, true, &x), CG_CLOSED);
    cg_engine_free(e);

    CHECK_OK(cg_stack_accept(NULL, server_tls(), CG_SPEAKS_ALPN, now, &e));
    CHECK_ERR(cg_engine_feed(e, CG_LIT("GET / HTTP/1.1\r\n\r\n"), now, &taken), CG_TLS);
    CHECK(cg_tls_reason(cg_stack_tls(e))[0]);
    CHECK_INT(cg_engine_deadline(e).us, INT64_MAX);
    cg_engine_free(e);

    CHECK_OK(cg_stack_accept(NULL, server_tls(), CG_SPEAKS_ALPN, now, &e));
    cg_engine_abort(e, CG_CANCELLED);
    CHECK_ERR(cg_engine_why(e), CG_CANCELLED);
    cg_engine_free(e);
    CHECK_OK(cg_stack_accept(NULL, server_tls(), CG_SPEAKS_ALPN, now, &e));
    cg_engine_shutdown(e);
    CHECK_INT(cg_engine_state(e), CG_ENGINE_CLOSED);
    CHECK_OK(cg_engine_why(e));
    cg_engine_free(e);
    cg_arena_done(&arena);
}

TEST(gathers_small_frames_into_one_record)
{
    struct cg_duplex d = {.now = now};
    struct cg_engine *client = NULL, *server = NULL;
    struct cg_tls_client_options options = {.kind = CG_TLS_SERVICES, .trust = CG_TRUST_LATER};
    struct cg_tls_dial dial = {.name = CG_LIT("gw"), .now = CG_TESTCERT_NOW};
    struct cg_tls_conf *conf = NULL;
    struct cg_tls *tls = NULL;
    struct cg_arena arena;
    struct cg_head head = request(&arena);
    size_t records = 0;

    CHECK_OK(cg_tls_conf_client(&options, &conf));
    CHECK_OK(cg_tls_connect(conf, &dial, &tls));
    CHECK_OK(cg_stack_connect(NULL, tls, CG_SPEAKS_ALPN, now, &client));
    CHECK_OK(cg_stack_accept(NULL, server_tls(), CG_SPEAKS_ALPN, now, &server));
    cg_duplex_join(&d, client, server);
    cg_duplex_run(&d);
    CHECK_INT(cg_stack_speaks(client), CG_SPEAKS_H2);
    for (int i = 0; i < 20; i++) {
        struct cg_exchange *x;
        size_t taken;
        CHECK_OK(cg_engine_begin(client, &head, false, &x));
        CHECK_OK(cg_exchange_send(x, CG_LIT("0123456789"), &taken));
        CHECK_OK(cg_exchange_end(x, NULL));
    }
    cg_buf_clear(&d.to_server);
    CHECK_OK(cg_engine_pull(client, &d.to_server));
    for (struct cg_span rest = cg_buf_span(&d.to_server); rest.len >= 5; records++)
        rest = cg_span_from(rest, 5 + ((size_t)rest.at[3] << 8 | rest.at[4]));
    CHECK_INT(records, 1); /* forty frames */
    cg_tls_conf_unref(conf);
    cg_arena_done(&arena);
    cg_duplex_done(&d);
}

SUITE(stack, T(takes_a_close_notify_for_an_end_and_nothing_less),
      T(forgets_an_exchange_that_a_cut_connection_ended), T(ends_on_a_record_that_was_changed),
      T(holds_plaintext_back_that_nobody_has_room_for), T(says_goodbye_in_tls_as_well),
      T(refuses_to_guess_what_a_plain_connection_speaks), T(ends_in_the_middle_of_a_handshake),
      T(gathers_small_frames_into_one_record))
