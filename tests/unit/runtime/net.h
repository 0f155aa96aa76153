/* net.h: engines for the tests of connections, and two ends on loopback. */
#ifndef CG_TESTS_RUNTIME_NET_H
#define CG_TESTS_RUNTIME_NET_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/span.h"
#include "runtime/clock.h"
#include "runtime/pump.h"
#include "session/stack.h"
#include "tests/support/check.h"
#include "tests/support/testcert.h"

#define LIMIT_MS 30000

/* What both ends of a test speak. */
struct wire {
    enum cg_speaks speaks; /* CG_SPEAKS_ALPN: TLS, and h2 by ALPN unless h1_only */
    bool h1_only;
    struct cg_engine_conf conf;
    struct cg_tls_conf *client, *server;
    struct cg_tls_sites *sites;
};

static inline void wire_init(struct wire *wire, enum cg_speaks speaks, bool h1_only)
{
    struct cg_testcert cert;
    struct cg_span name = CG_LIT("localhost");
    struct cg_tls_site *site;
    struct cg_hash pin;

    *wire = (struct wire){.speaks = speaks, .h1_only = h1_only};
    if (speaks != CG_SPEAKS_ALPN)
        return;
    cert = cg_testcert_self("localhost");
    struct cg_tls_site_options options = {
        .chain = cert.chain, .key = cert.key, .names = &name, .n_names = 1};
    CHECK_OK(cg_tls_site_new(&options, &site));
    pin = *cg_tls_site_spki(site);
    CHECK_OK(cg_tls_sites_new(&site, 1, NULL, NULL, &wire->sites));
    cg_tls_site_unref(site);
    struct cg_tls_client_options client = {.kind = CG_TLS_SERVICES,
                                           .trust = CG_TRUST_PINS,
                                           .pins = &pin,
                                           .n_pins = 1,
                                           .h1_only = h1_only};
    struct cg_tls_server_options server = {.kind = CG_TLS_SERVICES};
    CHECK_OK(cg_tls_conf_client(&client, &wire->client));
    CHECK_OK(cg_tls_conf_server(&server, &wire->server));
}

static inline void wire_done(struct wire *wire)
{
    if (wire->speaks == CG_SPEAKS_ALPN) {
        cg_tls_conf_unref(wire->client);
        cg_tls_conf_unref(wire->server);
        cg_tls_sites_unref(wire->sites);
    }
    *wire = (struct wire){.speaks = CG_SPEAKS_H2};
}

/* Both are cg_engine_fn; ctx is the wire. */
static inline cg_err wire_client(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                                 struct cg_engine **out)
{
    struct wire *wire = ctx;
    struct cg_engine_conf conf = wire->conf;
    struct cg_tls_dial dial = {.name = CG_LIT("localhost"), .now = CG_TESTCERT_NOW};
    struct cg_tls *tls = NULL;
    cg_err err = CG_OK;

    (void)peer;
    conf.scratch = cg_loop_scratch(loop);
    conf.blocks = cg_loop_blocks(loop);
    if (wire->speaks == CG_SPEAKS_ALPN)
        err = cg_tls_connect(wire->client, &dial, &tls);
    return err != CG_OK ? err : cg_stack_connect(&conf, tls, wire->speaks, cg_loop_mono(loop), out);
}

static inline cg_err wire_server(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                                 struct cg_engine **out)
{
    struct wire *wire = ctx;
    struct cg_engine_conf conf = wire->conf;
    struct cg_tls *tls = NULL;
    cg_err err = CG_OK;

    (void)peer;
    conf.scratch = cg_loop_scratch(loop);
    conf.blocks = cg_loop_blocks(loop);
    if (wire->speaks == CG_SPEAKS_ALPN)
        err = cg_tls_accept(wire->server, wire->sites, &tls);
    return err != CG_OK ? err : cg_stack_accept(&conf, tls, wire->speaks, cg_loop_mono(loop), out);
}

static inline struct cg_address loopback(uint16_t port)
{
    return (struct cg_address){.kind = CG_ADDRESS_IP4, .port = port, .ip = {127, 0, 0, 1}};
}

/* A connected socket from the outside, without any engine. */
static inline int raw_connect(const struct cg_address *at)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(at->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(&to.sin_addr, at->ip, 4);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

/* Heap in use, where the sanitizer counts it; 0 otherwise. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
static inline size_t heap_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : 0;
}

#endif
