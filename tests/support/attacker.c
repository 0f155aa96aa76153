/* attacker.c: one end of a TLS connection that believes everything and hides nothing, for tests
 * that build the bytes inside of TLS themselves.
 *
 *     attacker ADDRESS PORT [name=SNI] [alpn=h2|http/1.1|none] [groups=LIST] [version=1.2]
 *              [reference=no] [session=FILE] [keep=FILE] [early=HEX] [updates=N]
 *     attacker serve FD chain=FILE key=FILE [alpn=...] [groups=LIST] [version=1.2] [reference=HEX]
 *
 * It shares no code with session/.  One line of JSON tells how the handshake went and what it
 * gave: version, group, ALPN, name, the exporter's secret, the leaf's SPKI hash, the body of
 * extension 65001.  After a good one, standard input goes to the peer and what the peer sends to
 * standard output, until the peer ends.  The end of standard input is told by close_notify.
 *
 *   session  resumes with a session that `keep` wrote; early sends these bytes as 0-RTT data, be it
 *            allowed or not
 *   keep     writes each session that the server gives
 *   updates  asks for new keys so many times before anything else, and has the peer make new ones
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFERENCE_EXTENSION 65001
#define EXPORTER_LABEL "EXPERIMENTAL-httpcg-qlock/v1"
#define LIFE_S 120 /* no attacker outlives its test by much */
#define HANDSHAKE_MS 15000
#define PIECE_BYTES 65536

static const char *keep_in, *protocol = "h2";
static bool is_server;
static unsigned char reference[65536]; /* the server's, wherever it came from */
static size_t reference_len;

static _Noreturn void stop(const char *why)
{
    fprintf(stderr, "attacker: %s\n", why);
    exit(2);
}

/* --- what this client offers, and keeps --- */

static int add_reference(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                         size_t *out_len, X509 *leaf, size_t at, int *alert, void *arg)
{
    static const unsigned char offer[] = {1};

    (void)ssl, (void)type, (void)context, (void)leaf, (void)alert, (void)arg;
    *out = is_server ? reference : offer;
    *out_len = is_server ? reference_len : sizeof offer;
    return at == 0 ? 1 : 0; /* of a chain, the leaf alone has one */
}

static int take_reference(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
                          size_t len, X509 *leaf, size_t at, int *alert, void *arg)
{
    (void)ssl, (void)type, (void)context, (void)leaf, (void)alert, (void)arg;
    if (!is_server && at == 0 && len <= sizeof reference) {
        memcpy(reference, in, len);
        reference_len = len;
    }
    return 1;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    FILE *file = fopen(keep_in, "w");

    (void)ssl;
    if (!file || PEM_write_SSL_SESSION(file, session) != 1 || fclose(file) != 0)
        stop("the session cannot be written");
    return 0;
}

static SSL_SESSION *read_session(const char *path)
{
    FILE *file = fopen(path, "r");
    SSL_SESSION *session = file ? PEM_read_SSL_SESSION(file, NULL, NULL, NULL) : NULL;

    if (!session)
        stop("the session cannot be read");
    fclose(file);
    return session;
}

static void offer_protocol(SSL *ssl)
{
    unsigned char wire[64];
    size_t len = strlen(protocol);

    if (len == 0 || len > sizeof wire - 1)
        stop("no such protocol");
    wire[0] = (unsigned char)len;
    memcpy(wire + 1, protocol, len);
    if (SSL_set_alpn_protos(ssl, wire, (unsigned)len + 1) != 0)
        stop("ALPN");
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned len, void *arg)
{
    (void)ssl, (void)offered, (void)len, (void)arg;
    *out = (const unsigned char *)protocol;
    *out_len = (unsigned char)strlen(protocol);
    return SSL_TLSEXT_ERR_OK;
}

static void read_hex(const char *hex)
{
    if (OPENSSL_hexstr2buf_ex(reference, sizeof reference, &reference_len, hex, '\0') != 1)
        stop("reference is not hexadecimal");
}

static int take_socket(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static int dial(const char *address, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
        stop("not an IPv4 address");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        printf("{\"up\":false,\"why\":\"connect: %s\"}\n", strerror(errno));
        exit(0);
    }
    return take_socket(fd);
}

/* --- the handshake, and what it gave --- */

static bool waits(SSL *ssl, int result, int timeout_ms)
{
    int error = SSL_get_error(ssl, result);
    struct pollfd at = {.fd = SSL_get_fd(ssl)};

    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return false;
    at.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return poll(&at, 1, timeout_ms) > 0;
}

static void send_early(SSL *ssl, const char *hex)
{
    long len;
    unsigned char *bytes = OPENSSL_hexstr2buf(hex, &len);
    size_t sent;
    int result;

    if (!bytes)
        stop("early is not hexadecimal");
    do
        result = SSL_write_early_data(ssl, bytes, (size_t)len, &sent);
    while (result != 1 && waits(ssl, result, HANDSHAKE_MS));
    OPENSSL_free(bytes);
    if (result != 1)
        stop("0-RTT data cannot be written");
}

static void print_hex(const char *name, const unsigned char *bytes, size_t len)
{
    printf(",\"%s\":\"", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    putchar('"');
}

static void print_failure(void)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    printf("{\"up\":false,\"why\":\"%s\"}\n", reason ? reason : "the connection ended");
}

static void print_leaf(SSL *ssl)
{
    unsigned char spki[32], *der = NULL;
    X509 *leaf = is_server ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
    int der_len = leaf ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der) : -1;

    if (der_len < 0 || EVP_Digest(der, (size_t)der_len, spki, NULL, EVP_sha256(), NULL) != 1)
        stop("no leaf certificate");
    OPENSSL_free(der);
    print_hex("spki", spki, sizeof spki);
}

static void print_facts(SSL *ssl)
{
    unsigned char exporter[32];
    const unsigned char *alpn;
    unsigned alpn_len;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    static const char *const early[] = {"none", "refused", "accepted"};

    if (SSL_export_keying_material(ssl, exporter, sizeof exporter, EXPORTER_LABEL,
                                   strlen(EXPORTER_LABEL), NULL, 0, 0) != 1)
        stop("no exporter");
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    printf("{\"up\":true,\"version\":\"%s\",\"group\":\"%s\",\"alpn\":\"%.*s\",\"name\":\"%s\","
           "\"resumed\":%s,\"early\":\"%s\"",
           SSL_get_version(ssl), SSL_get0_group_name(ssl), (int)alpn_len, (const char *)alpn,
           name ? name : "", SSL_session_reused(ssl) ? "true" : "false",
           early[SSL_get_early_data_status(ssl)]);
    print_leaf(ssl);
    print_hex("exporter", exporter, sizeof exporter);
    print_hex("reference", reference, reference_len);
    printf("}\n");
}

/* --- afterwards: bytes both ways --- */

static void write_out(const unsigned char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            exit(0); /* nobody listens any more */
        at += n;
        len -= (size_t)n;
    }
}

/* Gives what there is to read now; false: the server ended. */
static bool take(SSL *ssl)
{
    static unsigned char piece[PIECE_BYTES];

    for (;;) {
        int n = SSL_read(ssl, piece, sizeof piece);

        if (n <= 0)
            return SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ;
        write_out(piece, (size_t)n);
    }
}

static void relay(SSL *ssl)
{
    static unsigned char held[PIECE_BYTES];
    size_t n_held = 0, n_sent = 0;
    bool has_input = true;

    while (take(ssl)) {
        struct pollfd at[] = {
            {.fd = SSL_get_fd(ssl), .events = (short)(POLLIN | (n_sent < n_held ? POLLOUT : 0))},
            {.fd = has_input && n_sent == n_held ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(at, 2, -1) < 0 && errno != EINTR)
            stop("poll");
        if (at[1].revents != 0) {
            ssize_t n = read(STDIN_FILENO, held, sizeof held);
            has_input = n > 0;
            n_held = n > 0 ? (size_t)n : 0;
            n_sent = 0;
            if (!has_input)
                SSL_shutdown(ssl);
        }
        if (n_sent < n_held) {
            size_t n;
            int result = SSL_write_ex(ssl, held + n_sent, n_held - n_sent, &n);

            if (result == 1)
                n_sent += n;
            else if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_WRITE &&
                     SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
                return;
        }
    }
}

/* What the peer answers is left to the relay. */
static void update_keys(SSL *ssl, long n)
{
    for (long i = 0; i < n; i++) {
        int result = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);

        do
            result = result == 1 ? SSL_do_handshake(ssl) : result;
        while (result != 1 && waits(ssl, result, HANDSHAKE_MS));
        if (result != 1)
            return;
    }
}

/* --- putting it together --- */

struct options {
    const char *name, *groups, *chain, *key, *session, *early;
    long n_updates;
    bool is_old, has_reference;
};

static void read_option(const char *text, struct options *out)
{
    const char *value = strchr(text, '=');
    size_t len = value ? (size_t)(value++ - text) : 0;

#define IS(key) (len == strlen(key) && strncmp(text, key, len) == 0)
    if (IS("name"))
        out->name = value;
    else if (IS("alpn"))
        protocol = value;
    else if (IS("groups"))
        out->groups = value;
    else if (IS("version"))
        out->is_old = strcmp(value, "1.2") == 0;
    else if (IS("chain"))
        out->chain = value;
    else if (IS("key"))
        out->key = value;
    else if (IS("session"))
        out->session = value;
    else if (IS("keep"))
        keep_in = value;
    else if (IS("updates"))
        out->n_updates = atol(value);
    else if (IS("early"))
        out->early = value;
    else if (!IS("reference"))
        stop("an unknown option");
    else if (strcmp(value, "no") == 0)
        out->has_reference = false;
    else if (is_server)
        read_hex(value);
#undef IS
}

static SSL_CTX *make_context(const struct options *options)
{
    SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    int version = options->is_old ? TLS1_2_VERSION : TLS1_3_VERSION;

    if (!ctx || SSL_CTX_set_min_proto_version(ctx, version) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, version) != 1 ||
        SSL_CTX_set1_groups_list(ctx, options->groups) != 1)
        stop("versions or groups");
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (options->has_reference &&
        SSL_CTX_add_custom_ext(ctx, REFERENCE_EXTENSION,
                               SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE, add_reference,
                               NULL, NULL, take_reference, NULL) != 1)
        stop("extension 65001");
    if (keep_in) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
    }
    if (is_server && (SSL_CTX_use_certificate_chain_file(ctx, options->chain) != 1 ||
                      SSL_CTX_use_PrivateKey_file(ctx, options->key, SSL_FILETYPE_PEM) != 1))
        stop("the certificate or its key cannot be read");
    if (is_server && strcmp(protocol, "none") != 0)
        SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    return ctx;
}

static void set_up_client(SSL *ssl, const struct options *options)
{
    if (options->name && SSL_set_tlsext_host_name(ssl, options->name) != 1)
        stop("a name");
    if (strcmp(protocol, "none") != 0)
        offer_protocol(ssl);
    if (options->session) {
        SSL_SESSION *session = read_session(options->session);
        if ((options->early && SSL_SESSION_set_max_early_data(session, 16384) != 1) ||
            SSL_set_session(ssl, session) != 1)
            stop("a session");
        SSL_SESSION_free(session);
    }
    if (options->early)
        send_early(ssl, options->early);
}

int main(int argc, char **argv)
{
    struct options options = {.groups = "X25519MLKEM768", .has_reference = true};
    int result;

    if (argc < 3)
        stop("attacker ADDRESS PORT [...], or attacker serve FD [...]");
    is_server = strcmp(argv[1], "serve") == 0;
    alarm(LIFE_S);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 3; i < argc; i++)
        read_option(argv[i], &options);

    SSL_CTX *ctx = make_context(&options);
    SSL *ssl = SSL_new(ctx);
    if (!ssl ||
        SSL_set_fd(ssl, is_server ? take_socket(atoi(argv[2])) : dial(argv[1], argv[2])) != 1)
        stop("no connection");
    if (!is_server)
        set_up_client(ssl, &options);
    do
        result = is_server ? SSL_accept(ssl) : SSL_connect(ssl);
    while (result != 1 && waits(ssl, result, HANDSHAKE_MS));
    if (result != 1)
        print_failure();
    else
        print_facts(ssl);
    fflush(stdout);
    if (result == 1)
        update_keys(ssl, options.n_updates);
    if (result == 1)
        relay(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
