/* tls_conf.c: what may be negotiated, as one SSL_CTX a conf. Certificates come later, by
 * connection: contexts that are switched by name lose extension 65001 silently when one of them
 * was not told of it. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/tls_own.h"

#define CA_MAX_BYTES (4 * 1024 * 1024)
#define PINS_MAX 64
#define PEER_CHAIN_MAX_BYTES (32 * 1024)
#define PAD_MAX_BYTES 16384

#define SUITES "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
#define GROUPS_NATIVE "X25519MLKEM768"
#define GROUPS_SERVICES "X25519MLKEM768:X25519:P-256"
/* A backend may be old: a share of each kind saves it a round trip. */
#define GROUPS_BACKEND "*X25519MLKEM768:*X25519:P-256:P-384"

static const unsigned char both_protocols[] = "\x02h2\x08http/1.1";
static const unsigned char only_h1[] = "\x08http/1.1";
static const unsigned char offer[] = {1};

/* --- extension 65001 --- */

static int add_reference(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                         size_t *out_len, X509 *cert, size_t chain_index, int *alert, void *arg)
{
    struct cg_tls *tls = SSL_get_app_data(ssl);

    (void)type, (void)cert, (void)alert, (void)arg;
    if (context == SSL_EXT_CLIENT_HELLO) {
        *out = offer;
        *out_len = sizeof offer;
        return 1;
    }
    /* Only in the leaf's entry; OpenSSL asks for each certificate of the chain, and only where the
     * client offered. */
    if (chain_index > 0 || !tls->site || tls->site->reference.len == 0)
        return 0;
    *out = tls->site->reference.at;
    *out_len = tls->site->reference.len;
    tls->announced = true;
    return 1;
}

static int parse_reference(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
                           size_t in_len, X509 *cert, size_t chain_index, int *alert, void *arg)
{
    struct cg_tls *tls = SSL_get_app_data(ssl);

    (void)type, (void)cert, (void)arg;
    *alert = SSL_AD_ILLEGAL_PARAMETER;
    if (context == SSL_EXT_CLIENT_HELLO) {
        tls->offered = in_len == sizeof offer && in[0] == offer[0];
        return tls->offered;
    }
    if (chain_index > 0 || in_len == 0)
        return 0;
    if (cg_buf_add(&tls->received, cg_span_of(in, in_len)) != CG_OK) {
        *alert = SSL_AD_DECODE_ERROR;
        return 0;
    }
    return 1;
}

/* --- a server's choices --- */

/* The one host_name of a server_name extension (RFC 6066, 3). */
static bool read_name(const unsigned char *ext, size_t len, struct cg_span *name)
{
    if (len < 5)
        return false;
    size_t list = (size_t)ext[0] << 8 | ext[1];
    size_t host = (size_t)ext[3] << 8 | ext[4];
    if (list != len - 2 || ext[2] != TLSEXT_NAMETYPE_host_name || host != len - 5)
        return false;
    *name = cg_span_of(ext + 5, host);
    return true;
}

/* Before anything else is looked at, so that the site is known when tickets are. */
static int read_hello(SSL *ssl, int *alert, void *arg)
{
    struct cg_tls *tls = SSL_get_app_data(ssl);
    const struct cg_tls_conf *conf = arg;
    const unsigned char *ext;
    size_t len;
    struct cg_span name;

    tls->name_len = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) == 1) {
        *alert = SSL_AD_DECODE_ERROR;
        if (!read_name(ext, len, &name) || cg_tls_name_fold(name, tls->name) != CG_OK)
            return SSL_CLIENT_HELLO_ERROR;
        tls->name_len = name.len;
    }
    if (tls->name_len)
        tls->site = cg_tls_sites_find(tls->sites, cg_span_of(tls->name, tls->name_len));
    else if (conf->kind != CG_TLS_NATIVE || conf->allow_no_name)
        tls->site = tls->sites->sites[0];
    if (!tls->site) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (conf->kind == CG_TLS_NATIVE &&
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext,
                                  &len) != 1) {
        *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int give_certificate(SSL *ssl, void *arg)
{
    const struct cg_tls *tls = SSL_get_app_data(ssl);

    (void)arg;
    return tls->site &&
           SSL_use_cert_and_key(ssl, tls->site->leaf, tls->site->key, tls->site->chain, 1) == 1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    unsigned char *chosen;

    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, both_protocols, sizeof both_protocols - 1, in,
                              in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* --- a client's judgement --- */

static bool is_pinned(const struct cg_tls_conf *conf, X509 *leaf)
{
    struct cg_hash spki;

    if (!leaf || cg_tls_spki_of(leaf, &spki) != CG_OK)
        return false;
    for (size_t i = 0; i < conf->n_pins; i++)
        if (cg_hash_eq(&conf->pins[i], &spki))
            return true;
    return false;
}

static int judge(X509_STORE_CTX *chain, void *arg)
{
    const struct cg_tls_conf *conf = arg;

    switch (conf->trust) {
    case CG_TRUST_PINS:
        if (is_pinned(conf, X509_STORE_CTX_get0_cert(chain))) {
            X509_STORE_CTX_set_error(chain, X509_V_OK);
            return 1;
        }
        X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED);
        return 0;
    case CG_TRUST_LATER:
        /* The error stays in the context as the verdict; the handshake goes on. */
        if (!conf->has_ca)
            X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
        else if (X509_verify_cert(chain) != 1 && X509_STORE_CTX_get_error(chain) == X509_V_OK)
            X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
        ERR_clear_error();
        return 1;
    case CG_TRUST_WEBPKI:
    default:
        return X509_verify_cert(chain) == 1;
    }
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct cg_tls *tls = SSL_get_app_data(ssl);

    SSL_SESSION_free(tls->session);
    tls->session = session;
    return 1;
}

static void note_alert(const SSL *ssl, int where, int value)
{
    struct cg_tls *tls = SSL_get_app_data(ssl);

    if ((where & SSL_CB_ALERT) && value >> 8 == SSL3_AL_FATAL)
        tls->alert = value & 0xff;
}

static cg_err add_ca(struct cg_tls_conf *conf, struct cg_span pem)
{
    int n = 0;

    if (pem.len > CA_MAX_BYTES)
        return CG_CONFIG;
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    if (!bio)
        return CG_NO_MEMORY;
    X509_STORE *store = SSL_CTX_get_cert_store(conf->ctx);
    for (X509 *cert; (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)); X509_free(cert))
        n += X509_STORE_add_cert(store, cert) == 1;
    BIO_free(bio);
    ERR_clear_error();
    conf->has_ca = n > 0;
    return n > 0 ? CG_OK : CG_CONFIG;
}

/* --- making --- */

static cg_err set_common(struct cg_tls_conf *conf, uint32_t pad_to)
{
    SSL_CTX *ctx = conf->ctx;
    const char *groups = conf->kind == CG_TLS_NATIVE     ? GROUPS_NATIVE
                         : conf->kind == CG_TLS_SERVICES ? GROUPS_SERVICES
                                                         : GROUPS_BACKEND;
    int oldest = conf->kind == CG_TLS_BACKEND ? TLS1_2_VERSION : TLS1_3_VERSION;

    if (SSL_CTX_set_min_proto_version(ctx, oldest) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, SUITES) != 1 || SSL_CTX_set1_groups_list(ctx, groups) != 1)
        return CG_CRYPTO;
    if (conf->kind == CG_TLS_BACKEND &&
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
        return CG_CRYPTO;
    if (pad_to > PAD_MAX_BYTES)
        return CG_CONFIG;
    if (pad_to > 1 && SSL_CTX_set_block_padding(ctx, pad_to) != 1)
        return CG_CRYPTO;
    if (conf->kind == CG_TLS_NATIVE &&
        SSL_CTX_add_custom_ext(ctx, CG_TLSEXT_TLSLS,
                               SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE, add_reference,
                               NULL, NULL, parse_reference, NULL) != 1)
        return CG_CRYPTO;

    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_max_cert_list(ctx, PEER_CHAIN_MAX_BYTES);
    SSL_CTX_set_info_callback(ctx, note_alert);
    return CG_OK;
}

static cg_err make(enum cg_tls_kind kind, bool is_server, struct cg_tls_conf **out)
{
    struct cg_tls_conf *conf = calloc(1, sizeof *conf);

    if (!conf)
        return CG_NO_MEMORY;
    atomic_init(&conf->refs, 1);
    conf->kind = kind;
    conf->is_server = is_server;
    conf->ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    conf->bio = cg_tls_bio_new();
    if (!conf->ctx || !conf->bio) {
        ERR_clear_error();
        cg_tls_conf_unref(conf);
        return CG_NO_MEMORY;
    }
    *out = conf;
    return CG_OK;
}

static cg_err set_client(struct cg_tls_conf *conf, const struct cg_tls_client_options *options)
{
    SSL_CTX *ctx = conf->ctx;

    conf->trust = options->trust;
    if (options->ca_pem.len)
        CG_TRY(add_ca(conf, options->ca_pem));
    if (conf->trust == CG_TRUST_WEBPKI && !conf->has_ca)
        return CG_CONFIG;
    if (conf->trust == CG_TRUST_PINS) {
        if (options->n_pins == 0 || options->n_pins > PINS_MAX)
            return CG_CONFIG;
        conf->pins = malloc(options->n_pins * sizeof *conf->pins);
        if (!conf->pins)
            return CG_NO_MEMORY;
        memcpy(conf->pins, options->pins, options->n_pins * sizeof *conf->pins);
        conf->n_pins = options->n_pins;
    }

    const unsigned char *protocols = options->h1_only ? only_h1 : both_protocols;
    unsigned protocols_len =
        (unsigned)(options->h1_only ? sizeof only_h1 - 1 : sizeof both_protocols - 1);
    /* The one call of OpenSSL's that says 0 when it succeeds. */
    if (SSL_CTX_set_alpn_protos(ctx, protocols, protocols_len) != 0)
        return CG_CRYPTO;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, judge, conf);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    return set_common(conf, options->pad_to);
}

cg_err cg_tls_conf_client(const struct cg_tls_client_options *options, struct cg_tls_conf **out)
{
    struct cg_tls_conf *conf;

    CG_TRY(make(options->kind, false, &conf));
    cg_err err = set_client(conf, options);
    ERR_clear_error();
    if (err != CG_OK) {
        cg_tls_conf_unref(conf);
        return err;
    }
    *out = conf;
    return CG_OK;
}

static cg_err set_server(struct cg_tls_conf *conf, const struct cg_tls_server_options *options)
{
    SSL_CTX *ctx = conf->ctx;
    static const unsigned char context[] = "httpcg";

    conf->allow_no_name = options->allow_no_name;
    SSL_CTX_set_client_hello_cb(ctx, read_hello, conf);
    SSL_CTX_set_cert_cb(ctx, give_certificate, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    cg_tls_ticket_install(ctx);
    if (SSL_CTX_set_session_id_context(ctx, context, sizeof context - 1) != 1 ||
        SSL_CTX_set_num_tickets(ctx, 1) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1 ||
        SSL_CTX_set_recv_max_early_data(ctx, 0) != 1)
        return CG_CRYPTO;
    return set_common(conf, options->pad_to);
}

cg_err cg_tls_conf_server(const struct cg_tls_server_options *options, struct cg_tls_conf **out)
{
    struct cg_tls_conf *conf;

    if (options->kind == CG_TLS_BACKEND)
        return CG_CONFIG;
    CG_TRY(make(options->kind, true, &conf));
    cg_err err = set_server(conf, options);
    ERR_clear_error();
    if (err != CG_OK) {
        cg_tls_conf_unref(conf);
        return err;
    }
    *out = conf;
    return CG_OK;
}

struct cg_tls_conf *cg_tls_conf_ref(struct cg_tls_conf *conf)
{
    atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
    return conf;
}

void cg_tls_conf_unref(struct cg_tls_conf *conf)
{
    if (!conf || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(conf->ctx);
    BIO_meth_free(conf->bio);
    free(conf->pins);
    free(conf);
}
