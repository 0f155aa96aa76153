#include "session/tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "session/stack.h"
#include "session/tls_own.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"
#include "tests/support/testcert.h"

#define NAME "gw1.example.com"
#define LABEL "EXPERIMENTAL-httpcg-qlock/v1"

static const struct cg_secret ticket_key = {{1, 2, 3}}, next_key = {{4, 5, 6}};
static const struct cg_hash fpr_one = {{1}}, fpr_two = {{2}};

/* What a test varies; everything else is the plain native case. */
struct setup {
    enum cg_tls_kind client_kind, server_kind;
    enum cg_tls_trust trust;
    struct cg_span ca, name, session, reference;
    const struct cg_hash *pins;
    size_t n_pins;
    const struct cg_secret *key, *key_before;
    struct cg_hash fingerprint;
    struct cg_testcert cert;
    bool h1_only, allow_no_name;
    uint32_t pad_to;
    int64_t now_s;
};

static struct cg_testcert shared_cert(void)
{
    static struct cg_testcert cert;

    if (!cert.chain.at)
        cert = cg_testcert_self(NAME);
    return cert;
}

static struct setup native(void)
{
    return (struct setup){
        .client_kind = CG_TLS_NATIVE,
        .server_kind = CG_TLS_NATIVE,
        .trust = CG_TRUST_LATER,
        .name = CG_LIT(NAME),
        .reference = CG_LIT("the reference"),
        .key = &ticket_key,
        .fingerprint = fpr_one,
        .cert = shared_cert(),
        .now_s = CG_TESTCERT_NOW.s,
    };
}

static struct cg_tls_sites *sites_of(const struct setup *s)
{
    struct cg_span names[] = {CG_LIT(NAME), CG_LIT("other.example.com")};
    struct cg_tls_site_options options = {.chain = s->cert.chain,
                                          .key = s->cert.key,
                                          .names = names,
                                          .n_names = 2,
                                          .reference = s->reference,
                                          .fingerprint = s->fingerprint};
    struct cg_tls_site *site = NULL;
    struct cg_tls_sites *sites = NULL;

    CHECK_OK(cg_tls_site_new(&options, &site));
    CHECK_OK(cg_tls_sites_new(&site, 1, s->key, s->key_before, &sites));
    cg_tls_site_unref(site);
    return sites;
}

static struct cg_engine *server_of(const struct setup *s)
{
    struct cg_tls_server_options options = {
        .kind = s->server_kind, .allow_no_name = s->allow_no_name, .pad_to = s->pad_to};
    struct cg_tls_sites *sites = sites_of(s);
    struct cg_tls_conf *conf = NULL;
    struct cg_tls *tls = NULL;
    struct cg_engine *server = NULL;

    CHECK_OK(cg_tls_conf_server(&options, &conf));
    CHECK_OK(cg_tls_accept(conf, sites, &tls));
    CHECK_OK(cg_stack_accept(NULL, tls, CG_SPEAKS_ALPN, (struct cg_mono){1}, &server));
    cg_tls_conf_unref(conf);
    cg_tls_sites_unref(sites);
    return server;
}

static struct cg_engine *client_of(const struct setup *s)
{
    struct cg_tls_client_options options = {.kind = s->client_kind,
                                            .trust = s->trust,
                                            .ca_pem = s->ca,
                                            .pins = s->pins,
                                            .n_pins = s->n_pins,
                                            .h1_only = s->h1_only,
                                            .pad_to = s->pad_to};
    struct cg_tls_dial dial = {.name = s->name, .session = s->session, .now = {s->now_s}};
    struct cg_tls_conf *conf = NULL;
    struct cg_tls *tls = NULL;
    struct cg_engine *client = NULL;

    CHECK_OK(cg_tls_conf_client(&options, &conf));
    CHECK_OK(cg_tls_connect(conf, &dial, &tls));
    CHECK_OK(cg_stack_connect(NULL, tls, CG_SPEAKS_ALPN, (struct cg_mono){1}, &client));
    cg_tls_conf_unref(conf);
    return client;
}

static void meet(const struct setup *s, struct cg_duplex *d)
{
    *d = (struct cg_duplex){.now = {1}};
    cg_duplex_join(d, client_of(s), server_of(s));
    cg_duplex_run(d);
}

static bool is_up(const struct cg_duplex *d)
{
    return cg_tls_is_up(cg_stack_tls(d->client)) && cg_tls_is_up(cg_stack_tls(d->server));
}

static bool meets(const struct setup *s)
{
    struct cg_duplex d;

    meet(s, &d);
    bool up = is_up(&d);
    cg_duplex_done(&d);
    return up;
}

/* A client of OpenSSL's own making, for what ours never does. */
static int plain_client(const struct setup *s, SSL_CTX *ctx, const char *name)
{
    struct cg_engine *server = server_of(s);
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    struct cg_buf buf;
    int done = 0;

    cg_buf_init(&buf, 128 * 1024);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    if (name)
        SSL_set_tlsext_host_name(ssl, name);
    SSL_set_connect_state(ssl);
    for (int round = 0; round < 10 && done != 1; round++) {
        uint8_t bytes[8192];
        done = SSL_do_handshake(ssl);
        int n = BIO_read(out, bytes, sizeof bytes);
        if (n > 0)
            cg_give(server, cg_span_of(bytes, (size_t)n), (struct cg_mono){1});
        cg_take_out(server, &buf);
        if (buf.len)
            BIO_write(in, buf.at, (int)buf.len);
        cg_buf_clear(&buf);
    }
    bool up = done == 1 && cg_engine_state(server) == CG_ENGINE_OPEN;
    int alert = cg_tls_alert(cg_stack_tls(server));
    SSL_free(ssl);
    cg_buf_done(&buf);
    cg_engine_free(server);
    return up ? 0 : alert;
}

static SSL_CTX *plain_ctx(const char *groups, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    CHECK(SSL_CTX_set1_groups_list(ctx, groups) == 1);
    CHECK(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2", 3) == 0);
    return ctx;
}

TEST(negotiates_what_the_protocol_demands)
{
    struct setup s = native();
    struct cg_duplex d;

    meet(&s, &d);
    CHECK(is_up(&d));
    struct cg_tls *client = cg_stack_tls(d.client), *server = cg_stack_tls(d.server);
    CHECK(strcmp(cg_tls_group(client), "X25519MLKEM768") == 0);
    CHECK(strcmp(cg_tls_group(server), "X25519MLKEM768") == 0);
    CHECK(strcmp(cg_tls_version(server), "TLSv1.3") == 0);
    CHECK(strcmp(cg_tls_cipher(server), "TLS_AES_256_GCM_SHA384") == 0);
    CHECK_SPAN(cg_tls_alpn(client), CG_LIT("h2"));
    CHECK_SPAN(cg_tls_alpn(server), CG_LIT("h2"));
    CHECK_SPAN(cg_tls_name(server), CG_LIT(NAME));
    CHECK(!cg_tls_is_resumed(client));
    CHECK(cg_tls_offers_reference(server));
    CHECK_SPAN(cg_tls_reference(client), CG_LIT("the reference"));
    CHECK_SPAN(cg_tls_reference(server), CG_LIT("the reference"));
    CHECK_INT(cg_stack_speaks(d.client), CG_SPEAKS_H2);
    CHECK_ERR(cg_tls_webpki(client), CG_UNKNOWN);

    struct cg_hash seen;
    CHECK_OK(cg_tls_peer_spki(client, &seen));
    CHECK(cg_hash_eq(&seen, cg_tls_site_spki(cg_tls_site_of(server))));
    CHECK(cg_hash_eq(&fpr_one, cg_tls_site_fingerprint(cg_tls_site_of(server))));
    CHECK_ERR(cg_tls_peer_spki(server, &seen), CG_NOT_FOUND);
    cg_duplex_done(&d);
}

TEST(shakes_hands_byte_by_byte_too)
{
    struct setup s = native();
    struct cg_duplex d = {.now = {1}, .piece = 1};

    cg_duplex_join(&d, client_of(&s), server_of(&s));
    cg_duplex_run(&d);
    CHECK(is_up(&d));
    cg_duplex_done(&d);
}

TEST(exports_the_same_bytes_on_both_sides_and_only_after_the_handshake)
{
    struct setup s = native();
    struct cg_duplex d = {.now = {1}};
    struct cg_secret a, b, c;

    cg_duplex_join(&d, client_of(&s), server_of(&s));
    CHECK_ERR(cg_tls_export(cg_stack_tls(d.client), LABEL, &a), CG_BUSY);
    CHECK_ERR(cg_tls_export(cg_stack_tls(d.server), LABEL, &a), CG_BUSY);
    cg_duplex_run(&d);
    CHECK_OK(cg_tls_export(cg_stack_tls(d.client), LABEL, &a));
    CHECK_OK(cg_tls_export(cg_stack_tls(d.server), LABEL, &b));
    CHECK(cg_secret_eq(&a, &b));
    CHECK_OK(cg_tls_export(cg_stack_tls(d.server), "EXPORTER-Channel-Binding", &c));
    CHECK(!cg_secret_eq(&a, &c));
    cg_duplex_done(&d);
}

TEST(resumes_once_with_other_secrets_the_same_leaf_and_no_reference)
{
    struct setup s = native();
    struct cg_duplex d;
    struct cg_buf session;
    struct cg_secret first, second, third;
    struct cg_hash leaf, leaf_again;

    cg_buf_init(&session, CG_TLS_SESSION_MAX_BYTES);
    meet(&s, &d);
    CHECK_OK(cg_tls_export(cg_stack_tls(d.client), LABEL, &first));
    CHECK_OK(cg_tls_peer_spki(cg_stack_tls(d.client), &leaf));
    CHECK_OK(cg_tls_session(cg_stack_tls(d.client), &session));
    CHECK_ERR(cg_tls_session(cg_stack_tls(d.client), &session), CG_NOT_FOUND);
    cg_duplex_done(&d);

    s.session = cg_buf_span(&session);
    meet(&s, &d);
    CHECK(is_up(&d));
    CHECK(cg_tls_is_resumed(cg_stack_tls(d.client)));
    CHECK(cg_tls_is_resumed(cg_stack_tls(d.server)));
    CHECK_OK(cg_tls_export(cg_stack_tls(d.client), LABEL, &second));
    CHECK_OK(cg_tls_peer_spki(cg_stack_tls(d.client), &leaf_again));
    CHECK(!cg_secret_eq(&first, &second));
    CHECK(cg_hash_eq(&leaf, &leaf_again));
    CHECK_INT(cg_tls_reference(cg_stack_tls(d.client)).len, 0);
    CHECK_INT(cg_tls_reference(cg_stack_tls(d.server)).len, 0);
    CHECK(strcmp(cg_tls_group(cg_stack_tls(d.server)), "X25519MLKEM768") == 0);
    cg_duplex_done(&d);

    meet(&s, &d); /* the same ticket again */
    CHECK_OK(cg_tls_export(cg_stack_tls(d.client), LABEL, &third));
    CHECK(!cg_secret_eq(&first, &third) && !cg_secret_eq(&second, &third));
    cg_duplex_done(&d);
    cg_buf_wipe(&session);
}

/* Gets a session under one set-up and tells whether another resumes it. */
static bool resumes(const struct setup *before, struct setup after)
{
    struct cg_duplex d;
    struct cg_buf session;

    cg_buf_init(&session, CG_TLS_SESSION_MAX_BYTES);
    meet(before, &d);
    CHECK_OK(cg_tls_session(cg_stack_tls(d.client), &session));
    cg_duplex_done(&d);
    after.session = cg_buf_span(&session);
    meet(&after, &d);
    CHECK(is_up(&d));
    bool yes = cg_tls_is_resumed(cg_stack_tls(d.server));
    CHECK_INT(cg_tls_is_resumed(cg_stack_tls(d.client)), yes);
    cg_duplex_done(&d);
    cg_buf_wipe(&session);
    return yes;
}

/* What a server remembers of the client of a connection. */
static bool remembers(const struct cg_duplex *d, uint8_t what)
{
    struct cg_hash got = {.bytes = {0}};

    return cg_tls_remembered(cg_stack_tls(d->server), &got) && got.bytes[0] == what;
}

TEST(a_ticket_brings_back_what_the_server_put_into_it)
{
    struct setup s = native();
    struct cg_duplex d;
    struct cg_buf first, second;
    struct cg_hash none, mine = {.bytes = {7}}, newer = {.bytes = {8}};

    cg_buf_init(&first, CG_TLS_SESSION_MAX_BYTES);
    cg_buf_init(&second, CG_TLS_SESSION_MAX_BYTES);
    meet(&s, &d);
    CHECK(!cg_tls_remembered(cg_stack_tls(d.server), &none));
    CHECK_OK(cg_tls_session(cg_stack_tls(d.client), &first));
    CHECK_OK(cg_tls_remember(cg_stack_tls(d.server), &mine));
    CHECK(!cg_tls_remembered(cg_stack_tls(d.server), &none)); /* not by resumption */
    cg_duplex_run(&d);
    CHECK_OK(cg_tls_session(cg_stack_tls(d.client), &second));
    CHECK(is_up(&d));
    cg_duplex_done(&d);

    s.session = cg_buf_span(&first); /* issued before */
    meet(&s, &d);
    CHECK(cg_tls_is_resumed(cg_stack_tls(d.server)));
    CHECK(!cg_tls_remembered(cg_stack_tls(d.server), &none));
    cg_duplex_done(&d);

    s.session = cg_buf_span(&second);
    meet(&s, &d);
    CHECK(cg_tls_is_resumed(cg_stack_tls(d.server)) && remembers(&d, 7));
    CHECK_OK(cg_tls_remember(cg_stack_tls(d.server), &newer));
    CHECK(remembers(&d, 7));
    cg_duplex_run(&d);
    cg_buf_clear(&first);
    CHECK_OK(cg_tls_session(cg_stack_tls(d.client), &first));
    cg_duplex_done(&d);
    s.session = cg_buf_span(&first);
    meet(&s, &d);
    CHECK(remembers(&d, 8));
    cg_duplex_done(&d);

    /* Under another certificate it is no ticket, and nothing is remembered. */
    s.fingerprint.bytes[0] ^= 1;
    meet(&s, &d);
    CHECK(is_up(&d) && !cg_tls_is_resumed(cg_stack_tls(d.server)));
    CHECK(!cg_tls_remembered(cg_stack_tls(d.server), &none));
    cg_duplex_done(&d);
    cg_buf_wipe(&first);
    cg_buf_wipe(&second);
}

TEST(without_tickets_nothing_is_remembered_and_nothing_fails)
{
    struct setup s = native();
    struct cg_hash what = {.bytes = {7}};
    struct cg_duplex d;

    s.key = NULL;
    d = (struct cg_duplex){.now = {1}};
    cg_duplex_join(&d, client_of(&s), server_of(&s));
    CHECK_ERR(cg_tls_remember(cg_stack_tls(d.server), &what), CG_BUSY);
    cg_duplex_run(&d);
    CHECK_OK(cg_tls_remember(cg_stack_tls(d.server), &what));
    cg_duplex_run(&d);
    CHECK(is_up(&d));
    cg_duplex_done(&d);
}

TEST(resumes_only_under_the_same_key_fingerprint_leaf_and_name)
{
    struct setup s = native(), t;

    CHECK(resumes(&s, s));
    t = s, t.key = &next_key, t.key_before = &ticket_key;
    CHECK(resumes(&s, t));
    t = s, t.key = &next_key;
    CHECK(!resumes(&s, t));
    t = s, t.fingerprint = fpr_two;
    CHECK(!resumes(&s, t));
    t = s, t.cert = cg_testcert_self(NAME);
    CHECK(!resumes(&s, t));
    t = s, t.name = CG_LIT("other.example.com");
    CHECK(!resumes(&s, t));
    t = s, t.key = NULL;
    CHECK(!resumes(&s, t));
}

TEST(issues_no_ticket_without_a_key)
{
    struct setup s = native();
    struct cg_duplex d;
    struct cg_buf session;

    s.key = NULL;
    cg_buf_init(&session, CG_TLS_SESSION_MAX_BYTES);
    meet(&s, &d);
    CHECK(is_up(&d));
    CHECK_ERR(cg_tls_session(cg_stack_tls(d.client), &session), CG_NOT_FOUND);
    cg_duplex_done(&d);
    cg_buf_done(&session);
}

TEST(ignores_a_session_that_cannot_be_read)
{
    struct setup s = native();
    struct cg_duplex d;

    s.session = CG_LIT("0\x82no session");
    meet(&s, &d);
    CHECK(is_up(&d));
    CHECK(!cg_tls_is_resumed(cg_stack_tls(d.client)));
    cg_duplex_done(&d);
}

TEST(announces_no_reference_to_whom_did_not_offer_or_has_none)
{
    struct setup s = native();
    struct cg_duplex d;

    s.reference = (struct cg_span){0};
    meet(&s, &d);
    CHECK(is_up(&d));
    CHECK(cg_tls_offers_reference(cg_stack_tls(d.server)));
    CHECK_INT(cg_tls_reference(cg_stack_tls(d.client)).len, 0);
    cg_duplex_done(&d);

    /* A services client to a native listener: same groups first, so it gets through. */
    s = native();
    s.client_kind = CG_TLS_SERVICES;
    meet(&s, &d);
    CHECK(is_up(&d));
    CHECK(!cg_tls_offers_reference(cg_stack_tls(d.server)));
    CHECK_INT(cg_tls_reference(cg_stack_tls(d.server)).len, 0);
    cg_duplex_done(&d);
}

TEST(keeps_what_a_connection_announced_when_the_listener_changes)
{
    struct setup one = native(), two = native();
    struct cg_duplex d, e;

    two.reference = CG_LIT("another reference");
    two.fingerprint = fpr_two;
    meet(&one, &d);
    meet(&two, &e);
    CHECK_SPAN(cg_tls_reference(cg_stack_tls(d.server)), CG_LIT("the reference"));
    CHECK_SPAN(cg_tls_reference(cg_stack_tls(e.client)), CG_LIT("another reference"));
    CHECK(cg_hash_eq(&fpr_one, cg_tls_site_fingerprint(cg_tls_site_of(cg_stack_tls(d.server)))));
    cg_duplex_done(&d);
    cg_duplex_done(&e);
}

TEST(refuses_older_versions_other_groups_and_missing_protocols)
{
    struct setup s = native();
    SSL_CTX *ctx = plain_ctx("X25519MLKEM768", TLS1_3_VERSION);

    CHECK_INT(plain_client(&s, ctx, NAME), 0); /* the control */
    CHECK_INT(plain_client(&s, ctx, NULL), SSL_AD_UNRECOGNIZED_NAME);
    CHECK_INT(plain_client(&s, ctx, "unknown.example.com"), SSL_AD_UNRECOGNIZED_NAME);
    CHECK_INT(plain_client(&s, ctx, "GW1.example.COM"), 0);
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h3", 3);
    CHECK_INT(plain_client(&s, ctx, NAME), SSL_AD_NO_APPLICATION_PROTOCOL);
    SSL_CTX_set_alpn_protos(ctx, NULL, 0);
    CHECK_INT(plain_client(&s, ctx, NAME), SSL_AD_NO_APPLICATION_PROTOCOL);
    SSL_CTX_free(ctx);

    ctx = plain_ctx("X25519", TLS1_3_VERSION);
    CHECK_INT(plain_client(&s, ctx, NAME), SSL_AD_HANDSHAKE_FAILURE);
    SSL_CTX_free(ctx);
    ctx = plain_ctx("X25519", TLS1_2_VERSION);
    CHECK_INT(plain_client(&s, ctx, NAME), SSL_AD_PROTOCOL_VERSION);
    SSL_CTX_free(ctx);
}

TEST(lets_the_services_listener_speak_to_ordinary_clients)
{
    struct setup s = native();
    SSL_CTX *ctx = plain_ctx("X25519", TLS1_3_VERSION);

    s.server_kind = CG_TLS_SERVICES;
    CHECK_INT(plain_client(&s, ctx, NAME), 0);
    CHECK_INT(plain_client(&s, ctx, NULL), 0);
    CHECK_INT(plain_client(&s, ctx, "unknown.example.com"), SSL_AD_UNRECOGNIZED_NAME);
    SSL_CTX_free(ctx);
    ctx = plain_ctx("X25519", TLS1_2_VERSION);
    CHECK_INT(plain_client(&s, ctx, NAME), SSL_AD_PROTOCOL_VERSION);
    SSL_CTX_free(ctx);
}

TEST(serves_without_a_name_only_where_told_to)
{
    struct setup s = native();

    s.name = (struct cg_span){0};
    CHECK(!meets(&s));
    s.allow_no_name = true;
    CHECK(meets(&s));
}

static int add_wrong(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                     size_t *len, X509 *cert, size_t index, int *alert, void *arg)
{
    const struct cg_span *body = arg;

    (void)ssl, (void)type, (void)context, (void)cert, (void)index, (void)alert;
    *out = body->at;
    *len = body->len;
    return 1;
}

TEST(refuses_an_offer_that_is_not_the_one_byte)
{
    struct setup s = native();
    unsigned contexts = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE;
    struct cg_span bodies[] = {CG_LIT(""), CG_LIT("\x02"), CG_LIT("\x01\x01"), CG_LIT("\x01")};

    for (size_t i = 0; i < 4; i++) {
        SSL_CTX *ctx = plain_ctx("X25519MLKEM768", TLS1_3_VERSION);
        SSL_CTX_add_custom_ext(ctx, CG_TLSEXT_TLSLS, contexts, add_wrong, NULL, &bodies[i], NULL,
                               NULL);
        CHECK_INT(plain_client(&s, ctx, NAME), i == 3 ? 0 : SSL_AD_ILLEGAL_PARAMETER);
        SSL_CTX_free(ctx);
    }
}

/* A server of OpenSSL's own making, as old or as odd as a backend may be. */
static bool backend_meets(int version, const char *ciphers, struct cg_span *alpn,
                          const char **version_name)
{
    struct cg_testcert cert = shared_cert();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    BIO *chain = BIO_new_mem_buf(cert.chain.at, (int)cert.chain.len);
    BIO *key = BIO_new_mem_buf(cert.key.at, (int)cert.key.len);
    X509 *leaf = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    struct setup s = native();
    struct cg_buf buf;

    s.client_kind = CG_TLS_BACKEND;
    SSL_CTX_set_security_level(ctx, 0);
    CHECK(SSL_CTX_set_max_proto_version(ctx, version) == 1);
    CHECK(SSL_CTX_set_min_proto_version(ctx, 0) == 1);
    if (ciphers)
        CHECK(SSL_CTX_set_cipher_list(ctx, ciphers) == 1);
    CHECK(SSL_CTX_use_certificate(ctx, leaf) == 1 && SSL_CTX_use_PrivateKey(ctx, pkey) == 1);
    SSL *ssl = SSL_new(ctx);
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    struct cg_engine *client = client_of(&s);
    cg_buf_init(&buf, 128 * 1024);
    for (int round = 0; round < 6; round++) {
        uint8_t bytes[16384];
        cg_take_out(client, &buf);
        if (buf.len)
            BIO_write(in, buf.at, (int)buf.len);
        cg_buf_clear(&buf);
        (void)SSL_do_handshake(ssl);
        int n = BIO_read(out, bytes, sizeof bytes);
        if (n > 0)
            cg_give(client, cg_span_of(bytes, (size_t)n), (struct cg_mono){1});
    }
    bool up = cg_tls_is_up(cg_stack_tls(client)) && SSL_is_init_finished(ssl);
    *version_name = cg_tls_version(cg_stack_tls(client));
    *alpn = cg_tls_alpn(cg_stack_tls(client));
    CHECK(!up || cg_stack_speaks(client) == CG_SPEAKS_H1);
    cg_engine_free(client);
    cg_buf_done(&buf);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    X509_free(leaf);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
    return up;
}

TEST(speaks_to_backends_of_tls_1_2_with_good_ciphers_and_no_older_ones)
{
    struct cg_span alpn;
    const char *version;

    CHECK(backend_meets(TLS1_3_VERSION, NULL, &alpn, &version));
    CHECK(strcmp(version, "TLSv1.3") == 0);
    CHECK_INT(alpn.len, 0); /* a server that knows nothing of ALPN: HTTP/1.1 */
    CHECK(backend_meets(TLS1_2_VERSION, NULL, &alpn, &version));
    CHECK(strcmp(version, "TLSv1.2") == 0);
    CHECK(!backend_meets(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", &alpn, &version));
    CHECK(!backend_meets(TLS1_1_VERSION, NULL, &alpn, &version));
}

TEST(never_offers_early_data)
{
    struct setup s = native();
    struct cg_duplex d;

    meet(&s, &d);
    const SSL_SESSION *session = cg_stack_tls(d.client)->session;
    CHECK(session != NULL);
    CHECK_INT(SSL_SESSION_get_max_early_data(session), 0);
    cg_duplex_done(&d);
}

TEST(believes_a_chain_only_with_its_name_and_in_its_time)
{
    struct cg_testcert ca = cg_testcert_ca(), other = cg_testcert_ca();
    struct setup s = native();

    s.trust = CG_TRUST_WEBPKI;
    s.ca = ca.chain;
    s.cert = cg_testcert_by(&ca, NAME);
    CHECK(meets(&s));
    s.now_s += 2 * 365 * 86400;
    CHECK(!meets(&s));
    s.now_s -= 4 * 365 * 86400;
    CHECK(!meets(&s));
    s.now_s += 2 * 365 * 86400;
    s.name = CG_LIT("other.example.com");
    CHECK(!meets(&s));
    s.name = CG_LIT(NAME);
    s.ca = other.chain;
    CHECK(!meets(&s));
}

TEST(tells_the_chains_worth_where_it_is_judged_later)
{
    struct cg_testcert ca = cg_testcert_ca();
    struct setup s = native();
    struct cg_duplex d;

    s.ca = ca.chain;
    s.cert = cg_testcert_by(&ca, NAME);
    meet(&s, &d);
    CHECK_OK(cg_tls_webpki(cg_stack_tls(d.client)));
    cg_duplex_done(&d);
    s.cert = shared_cert();
    meet(&s, &d);
    CHECK(is_up(&d));
    CHECK_ERR(cg_tls_webpki(cg_stack_tls(d.client)), CG_TLS);
    cg_duplex_done(&d);
}

TEST(believes_pins_and_nothing_else)
{
    struct setup s = native();
    struct cg_duplex d;
    struct cg_hash pins[2] = {{{9}}};

    meet(&s, &d);
    CHECK_OK(cg_tls_peer_spki(cg_stack_tls(d.client), &pins[1]));
    cg_duplex_done(&d);
    s.trust = CG_TRUST_PINS;
    s.pins = pins;
    s.n_pins = 2;
    CHECK(meets(&s));
    s.n_pins = 1;
    CHECK(!meets(&s));
    meet(&s, &d);
    CHECK_ERR(cg_engine_why(d.client), CG_TLS);
    CHECK_ERR(cg_engine_why(d.server), CG_TLS);
    CHECK_INT(cg_engine_state(d.client), CG_ENGINE_CLOSED);
    CHECK_INT(cg_tls_alert(cg_stack_tls(d.server)), SSL_AD_BAD_CERTIFICATE);
    CHECK(cg_tls_reason(cg_stack_tls(d.server))[0] != 0);
    cg_duplex_done(&d);
}

TEST(checks_pins_on_resumption_as_well)
{
    struct setup s = native();
    struct cg_duplex d;
    struct cg_buf session;
    struct cg_hash wrong = {{9}};

    cg_buf_init(&session, CG_TLS_SESSION_MAX_BYTES);
    meet(&s, &d);
    CHECK_OK(cg_tls_session(cg_stack_tls(d.client), &session));
    cg_duplex_done(&d);
    s.session = cg_buf_span(&session);
    CHECK(meets(&s));
    s.trust = CG_TRUST_PINS;
    s.pins = &wrong;
    s.n_pins = 1;
    meet(&s, &d);
    CHECK(!cg_tls_is_up(cg_stack_tls(d.client)));
    CHECK_INT(cg_engine_state(d.client), CG_ENGINE_CLOSED);
    cg_duplex_done(&d);
    cg_buf_wipe(&session);
}

TEST(refuses_pieces_that_do_not_belong_together)
{
    struct cg_testcert a = shared_cert(), b = cg_testcert_self(NAME);
    struct cg_span good = CG_LIT(NAME), bad = CG_LIT("UPPER.example"), space = CG_LIT("a b");
    uint8_t large[CG_TLS_REFERENCE_MAX_BYTES + 1] = {0};
    struct cg_tls_site_options o = {.chain = a.chain, .key = a.key, .names = &good, .n_names = 1};
    struct cg_tls_site *site = NULL, *pair[2];
    struct cg_tls_sites *sites = NULL;
    struct cg_tls_site_options wrong;

    CHECK_OK(cg_tls_site_new(&o, &site));
    pair[0] = pair[1] = site;
    CHECK_ERR(cg_tls_sites_new(pair, 2, NULL, NULL, &sites), CG_CONFIG); /* one name twice */
    CHECK_ERR(cg_tls_sites_new(pair, 0, NULL, NULL, &sites), CG_CONFIG);
    cg_tls_site_unref(site);

    site = NULL;
    wrong = o, wrong.key = b.key;
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong = o, wrong.key = CG_LIT("no key");
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong = o, wrong.chain = CG_LIT("");
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong = o, wrong.chain = CG_LIT("0\x82\x01");
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong = o, wrong.names = &bad;
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong = o, wrong.names = &space;
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong = o, wrong.reference = CG_BYTES(large);
    CHECK_ERR(cg_tls_site_new(&wrong, &site), CG_CONFIG);
    wrong.reference.len--;
    CHECK_OK(cg_tls_site_new(&wrong, &site));
    cg_tls_site_unref(site);
}

TEST(refuses_confs_that_would_trust_nothing_or_everything)
{
    struct cg_tls_client_options c = {.kind = CG_TLS_NATIVE, .trust = CG_TRUST_WEBPKI};
    struct cg_tls_server_options s = {.kind = CG_TLS_BACKEND};
    struct cg_tls_conf *conf = NULL;
    struct cg_tls *tls = NULL;
    struct cg_tls_dial dial = {.name = CG_LIT("a b")};

    CHECK_ERR(cg_tls_conf_client(&c, &conf), CG_CONFIG);
    c.ca_pem = CG_LIT("no certificate");
    CHECK_ERR(cg_tls_conf_client(&c, &conf), CG_CONFIG);
    c.trust = CG_TRUST_PINS, c.ca_pem = (struct cg_span){0};
    CHECK_ERR(cg_tls_conf_client(&c, &conf), CG_CONFIG);
    CHECK_ERR(cg_tls_conf_server(&s, &conf), CG_CONFIG);

    c.trust = CG_TRUST_WEBPKI, c.ca_pem = cg_testcert_ca().chain;
    CHECK_OK(cg_tls_conf_client(&c, &conf));
    CHECK_ERR(cg_tls_connect(conf, &dial, &tls), CG_SYNTAX);
    dial.name = (struct cg_span){0}; /* a chain without a name */
    CHECK_ERR(cg_tls_connect(conf, &dial, &tls), CG_SYNTAX);
    cg_tls_conf_unref(conf);
}

/* The sizes of the records in a piece of the wire. */
static size_t odd_records(struct cg_span wire, size_t multiple)
{
    size_t odd = 0;

    while (wire.len >= 5) {
        size_t len = (size_t)wire.at[3] << 8 | wire.at[4];
        odd += (len - 16) % multiple != 0; /* without the tag */
        wire = cg_span_from(wire, 5 + len);
    }
    return odd;
}

TEST(pads_records_to_multiples)
{
    struct setup s = native();
    struct cg_duplex d;

    for (uint32_t pad_to = 0; pad_to <= 4096; pad_to += 2048) {
        s.pad_to = pad_to;
        meet(&s, &d);
        CHECK(is_up(&d));
        cg_engine_shutdown(d.server);
        cg_take_out(d.server, &d.to_client);
        CHECK(d.to_client.len > 0);
        CHECK_INT(odd_records(cg_buf_span(&d.to_client), pad_to ? pad_to : 512), pad_to ? 0 : 1);
        cg_duplex_done(&d);
    }
}

TEST(fails_on_any_byte_changed_on_its_way)
{
    struct setup s = native();

    for (size_t at = 0; at < 4000; at += 97) {
        struct cg_duplex d = {.now = {1}};
        cg_duplex_join(&d, client_of(&s), server_of(&s));
        cg_take_out(d.client, &d.to_server);
        cg_give(d.server, cg_buf_span(&d.to_server), d.now);
        cg_buf_clear(&d.to_server);
        cg_take_out(d.server, &d.to_client);
        if (at < d.to_client.len) {
            d.to_client.at[at] ^= 0x20;
            cg_duplex_run(&d);
            CHECK(!is_up(&d));
        }
        cg_duplex_done(&d);
    }
}

TEST(gives_up_on_a_handshake_that_does_not_end)
{
    struct setup s = native();
    struct cg_engine *server = server_of(&s);

    CHECK_INT(cg_engine_deadline(server).us, 1 + 10 * 1000 * 1000);
    CHECK_OK(cg_engine_tick(server, (struct cg_mono){10 * 1000 * 1000}));
    CHECK_ERR(cg_engine_tick(server, (struct cg_mono){1 + 10 * 1000 * 1000}), CG_TIMEOUT);
    CHECK_INT(cg_engine_state(server), CG_ENGINE_CLOSED);
    cg_engine_free(server);
}

SUITE(tls, T(negotiates_what_the_protocol_demands), T(shakes_hands_byte_by_byte_too),
      T(exports_the_same_bytes_on_both_sides_and_only_after_the_handshake),
      T(resumes_once_with_other_secrets_the_same_leaf_and_no_reference),
      T(a_ticket_brings_back_what_the_server_put_into_it),
      T(without_tickets_nothing_is_remembered_and_nothing_fails),
      T(resumes_only_under_the_same_key_fingerprint_leaf_and_name),
      T(issues_no_ticket_without_a_key), T(ignores_a_session_that_cannot_be_read),
      T(announces_no_reference_to_whom_did_not_offer_or_has_none),
      T(keeps_what_a_connection_announced_when_the_listener_changes),
      T(refuses_older_versions_other_groups_and_missing_protocols),
      T(lets_the_services_listener_speak_to_ordinary_clients),
      T(serves_without_a_name_only_where_told_to), T(refuses_an_offer_that_is_not_the_one_byte),
      T(speaks_to_backends_of_tls_1_2_with_good_ciphers_and_no_older_ones),
      T(never_offers_early_data), T(believes_a_chain_only_with_its_name_and_in_its_time),
      T(tells_the_chains_worth_where_it_is_judged_later), T(believes_pins_and_nothing_else),
      T(checks_pins_on_resumption_as_well), T(refuses_pieces_that_do_not_belong_together),
      T(refuses_confs_that_would_trust_nothing_or_everything), T(pads_records_to_multiples),
      T(fails_on_any_byte_changed_on_its_way), T(gives_up_on_a_handshake_that_does_not_end))
