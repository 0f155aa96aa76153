/* memory_test.c: each allocation of a conversation fails once. Whatever then happens, nothing is
 * leaked, nothing crashes, and nobody takes a broken message for a whole one. */
#include <string.h>

#include "lib/base/span.h"
#include "session/stack.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/testcert.h"

#define RUNS_MAX 20000

struct outcome {
    bool is_whole; /* the client has the answer and its end */
    bool is_right;
};

static cg_err make_tls(const struct cg_testcert *cert, struct cg_tls **client,
                       struct cg_tls **server)
{
    struct cg_tls_client_options c = {.kind = CG_TLS_NATIVE, .trust = CG_TRUST_LATER};
    struct cg_tls_server_options s = {.kind = CG_TLS_NATIVE};
    struct cg_span name = CG_LIT("gw");
    struct cg_tls_site_options o = {
        .chain = cert->chain, .key = cert->key, .names = &name, .n_names = 1};
    struct cg_tls_dial dial = {.name = name, .now = CG_TESTCERT_NOW};
    static const struct cg_secret key = {{7}};
    struct cg_tls_conf *cc = NULL, *sc = NULL;
    struct cg_tls_site *site = NULL;
    struct cg_tls_sites *sites = NULL;

    cg_err err = cg_tls_conf_client(&c, &cc);
    if (err == CG_OK)
        err = cg_tls_conf_server(&s, &sc);
    if (err == CG_OK)
        err = cg_tls_site_new(&o, &site);
    if (err == CG_OK)
        err = cg_tls_sites_new(&site, 1, &key, NULL, &sites);
    if (err == CG_OK)
        err = cg_tls_connect(cc, &dial, client);
    if (err == CG_OK)
        err = cg_tls_accept(sc, sites, server);
    if (err != CG_OK)
        cg_tls_free(*client);
    cg_tls_conf_unref(cc);
    cg_tls_conf_unref(sc);
    cg_tls_site_unref(site);
    cg_tls_sites_unref(sites);
    return err;
}

static cg_err make_head(struct cg_head *head, struct cg_arena *arena)
{
    cg_head_init(head, arena);
    head->method = CG_LIT("POST");
    head->scheme = CG_LIT("httpcg");
    head->authority = CG_LIT("app");
    head->path = CG_LIT("/x");
    return cg_head_add_named(head, CG_LIT("x-name"), CG_LIT("value"));
}

/* The server's user: echoes what came, when all of it has come. */
static cg_err serve(struct cg_exchange *y, struct cg_head *head)
{
    size_t taken = 0;

    if (!cg_exchange_peek(y).len)
        return CG_OK;
    head->status = 200;
    cg_err err = cg_exchange_answer(y, head, false);
    if (err == CG_OK)
        err = cg_exchange_send(y, cg_exchange_peek(y), &taken);
    if (err == CG_OK)
        err = cg_exchange_end(y, NULL);
    cg_exchange_take(y, taken);
    return err;
}

static void converse(struct cg_duplex *d, struct cg_arena *arena, struct outcome *out)
{
    struct cg_head head, back;
    struct cg_exchange *x = NULL;
    size_t taken;

    cg_duplex_run(d);
    if (make_head(&head, arena) != CG_OK || make_head(&back, arena) != CG_OK ||
        cg_engine_begin(d->client, &head, false, &x) != CG_OK)
        return;
    cg_err err = cg_exchange_send(x, CG_LIT("hello"), &taken);
    if (err == CG_OK)
        err = cg_exchange_end(x, NULL);
    if (err != CG_OK)
        cg_exchange_reset(x, CG_RESET_INTERNAL);
    for (int round = 0; round < 20; round++) {
        unsigned what;
        cg_duplex_run(d);
        for (struct cg_exchange *y; (y = cg_engine_ready(d->server, &what));) {
            if ((what & CG_X_RESET) || ((what & CG_X_END) && serve(y, &back) != CG_OK))
                cg_exchange_release(y);
            else if (what & CG_X_SENT)
                cg_exchange_release(y);
        }
        for (struct cg_exchange *y; (y = cg_engine_ready(d->client, &what));)
            if (what & CG_X_END)
                out->is_whole = true;
    }
    out->is_right = cg_span_is(cg_exchange_peek(x), "hello");
    cg_exchange_release(x);
}

static struct outcome attempt(enum cg_speaks speaks, const struct cg_testcert *cert)
{
    struct outcome out = {false, false};
    struct cg_duplex d = {.now = {1000}};
    struct cg_engine *client = NULL, *server = NULL;
    struct cg_tls *client_tls = NULL, *server_tls = NULL;
    struct cg_arena arena;

    if (cert && make_tls(cert, &client_tls, &server_tls) != CG_OK)
        return out;
    cg_arena_init(&arena, 65536);
    cg_err err = cg_stack_connect(NULL, client_tls, speaks, d.now, &client);
    cg_err err_too = cg_stack_accept(NULL, server_tls, speaks, d.now, &server);
    cg_duplex_join(&d, client, server);
    if (err == CG_OK && err_too == CG_OK)
        converse(&d, &arena, &out);
    cg_duplex_done(&d);
    cg_arena_done(&arena);
    return out;
}

static void fail_each(enum cg_speaks speaks, const struct cg_testcert *cert, size_t least)
{
    bool failed = true;
    size_t n = 0, n_whole = 0;

    while (failed && n < RUNS_MAX) {
        cg_fail_alloc_at(++n);
        struct outcome out = attempt(speaks, cert);
        failed = cg_fail_alloc_off();
        n_whole += out.is_whole;
        CHECK(!out.is_whole || out.is_right);
        if (!failed)
            CHECK(out.is_whole);
    }
    CHECK(!failed);
    CHECK(n > least);   /* it did fail often */
    CHECK(n_whole < n); /* and it mattered */
}

TEST(survives_each_allocation_failing_over_http_1_1)
{
    fail_each(CG_SPEAKS_H1, NULL, 10);
}

TEST(survives_each_allocation_failing_over_http_2)
{
    fail_each(CG_SPEAKS_H2, NULL, 10);
}

TEST(survives_each_allocation_failing_under_tls)
{
    struct cg_testcert cert = cg_testcert_self("gw");

    fail_each(CG_SPEAKS_ALPN, &cert, 1000);
}

SUITE(memory, T(survives_each_allocation_failing_over_http_1_1),
      T(survives_each_allocation_failing_over_http_2),
      T(survives_each_allocation_failing_under_tls))
