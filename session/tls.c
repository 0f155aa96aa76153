/* tls.c: one connection's TLS: the handshake, records in and out, and what it tells afterwards. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/reader.h"
#include "session/tls_own.h"

/* Empties OpenSSL's queue and keeps its first words, which are constants. */
static cg_err fail(struct cg_tls *tls, cg_err why)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    if (tls->why == CG_OK) {
        tls->why = why;
        tls->reason = reason ? reason : "";
    }
    ERR_clear_error();
    return why;
}

/* --- making --- */

static cg_err make(struct cg_tls_conf *conf, struct cg_tls **out)
{
    struct cg_tls *tls = calloc(1, sizeof *tls);

    if (!tls)
        return CG_NO_MEMORY;
    tls->alert = -1;
    tls->reason = "";
    cg_buf_init(&tls->pending, CG_TLS_PENDING_MAX_BYTES);
    cg_buf_init(&tls->received, CG_TLS_REFERENCE_MAX_BYTES);
    tls->conf = cg_tls_conf_ref(conf);
    tls->ssl = SSL_new(conf->ctx);
    BIO *bio = BIO_new(conf->bio);
    if (!tls->ssl || !bio || SSL_set_app_data(tls->ssl, tls) != 1) {
        ERR_clear_error();
        BIO_free(bio);
        cg_tls_free(tls);
        return CG_NO_MEMORY;
    }
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    *out = tls;
    return CG_OK;
}

cg_err cg_tls_accept(struct cg_tls_conf *conf, struct cg_tls_sites *sites, struct cg_tls **out)
{
    struct cg_tls *tls;

    CG_TRY(make(conf, &tls));
    tls->sites = cg_tls_sites_ref(sites);
    if (!sites->has_key) {
        SSL_set_options(tls->ssl, SSL_OP_NO_TICKET);
        SSL_set_num_tickets(tls->ssl, 0);
    }
    SSL_set_accept_state(tls->ssl);
    *out = tls;
    return CG_OK;
}

/* An IP address is checked as one and never sent as a name (RFC 6066, 3). */
static cg_err set_name(struct cg_tls *tls, struct cg_span name)
{
    char text[CG_TLS_NAME_MAX_BYTES + 1];
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);

    if (name.len == 0 || name.len > CG_TLS_NAME_MAX_BYTES || memchr(name.at, 0, name.len))
        return CG_SYNTAX;
    memcpy(text, name.at, name.len);
    text[name.len] = 0;
    if (X509_VERIFY_PARAM_set1_ip_asc(param, text) == 1)
        return CG_OK;
    ERR_clear_error();

    CG_TRY(cg_tls_name_fold(name, tls->name));
    tls->name_len = name.len;
    memcpy(text, tls->name, name.len);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_host(param, text, name.len) != 1 ||
        SSL_set_tlsext_host_name(tls->ssl, text) != 1)
        return CG_CRYPTO;
    return CG_OK;
}

/* A kept session is u8(name length), the name it was made under, and OpenSSL's own form. It resumes
 * only under that name; anything unreadable means a full handshake. */
static void set_session(struct cg_tls *tls, struct cg_span bytes)
{
    struct cg_reader r = cg_reader_of(bytes);
    struct cg_span name = cg_read_bytes(&r, cg_read_u8(&r));
    const unsigned char *at = r.left.at;

    if (r.err != CG_OK || r.left.len == 0 || r.left.len > CG_TLS_SESSION_MAX_BYTES ||
        !cg_span_eq(name, cg_tls_name(tls)))
        return;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, (long)r.left.len);
    if (session)
        (void)SSL_set_session(tls->ssl, session);
    SSL_SESSION_free(session);
    ERR_clear_error();
}

static cg_err set_dial(struct cg_tls *tls, const struct cg_tls_dial *dial)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);

    if (dial->name.len)
        CG_TRY(set_name(tls, dial->name));
    else if (tls->conf->trust == CG_TRUST_WEBPKI)
        return CG_SYNTAX; /* a chain that is checked against no name is worth nothing */
    if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
        return CG_CRYPTO;
    X509_VERIFY_PARAM_set_time(param, (time_t)dial->now.s);
    set_session(tls, dial->session);
    return CG_OK;
}

cg_err cg_tls_connect(struct cg_tls_conf *conf, const struct cg_tls_dial *dial, struct cg_tls **out)
{
    struct cg_tls *tls;

    CG_TRY(make(conf, &tls));
    cg_err err = set_dial(tls, dial);
    ERR_clear_error();
    if (err != CG_OK) {
        cg_tls_free(tls);
        return err;
    }
    SSL_set_connect_state(tls->ssl);
    *out = tls;
    return CG_OK;
}

void cg_tls_free(struct cg_tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    SSL_SESSION_free(tls->session);
    cg_buf_done(&tls->pending);
    cg_buf_done(&tls->received);
    cg_tls_sites_unref(tls->sites);
    cg_tls_conf_unref(tls->conf);
    free(tls);
}

/* --- records --- */

/* What the library does not insist on by itself. */
static cg_err check_result(struct cg_tls *tls)
{
    const struct cg_tls_conf *conf = tls->conf;
    struct cg_hash spki;

    if (conf->kind == CG_TLS_NATIVE) {
        const char *group = SSL_get0_group_name(tls->ssl);
        if (SSL_version(tls->ssl) != TLS1_3_VERSION || !group ||
            strcmp(group, "X25519MLKEM768") != 0 || cg_tls_alpn(tls).len == 0)
            return CG_TLS;
    }
    /* A resumed session was judged by whoever made it; pins may have changed since. */
    if (!conf->is_server && conf->trust == CG_TRUST_PINS) {
        bool found = false;
        CG_TRY(cg_tls_peer_spki(tls, &spki));
        for (size_t i = 0; i < conf->n_pins; i++)
            found |= cg_hash_eq(&conf->pins[i], &spki);
        if (!found)
            return CG_TLS;
    }
    return CG_OK;
}

cg_err cg_tls_step(struct cg_tls *tls)
{
    if (tls->why != CG_OK)
        return tls->why;
    ERR_clear_error();
    int done = SSL_do_handshake(tls->ssl);
    if (done != 1) {
        if (SSL_get_error(tls->ssl, done) == SSL_ERROR_WANT_READ)
            return CG_BUSY;
        return fail(tls, CG_TLS);
    }
    tls->is_up = true; /* the facts below may be asked for */
    cg_err err = check_result(tls);
    if (err != CG_OK) {
        tls->is_up = false;
        return fail(tls, err);
    }
    return CG_OK;
}

cg_err cg_tls_open(struct cg_tls *tls, uint8_t *out, size_t room, size_t *n)
{
    *n = 0;
    if (tls->why != CG_OK)
        return tls->why;
    if (tls->peer_closed)
        return CG_OK;
    ERR_clear_error();
    int got = SSL_read_ex(tls->ssl, out, room, n);
    if (got == 1)
        return CG_OK;
    *n = 0;
    switch (SSL_get_error(tls->ssl, got)) {
    case SSL_ERROR_WANT_READ:
        return CG_OK;
    case SSL_ERROR_ZERO_RETURN:
        tls->peer_closed = true;
        return CG_OK;
    default:
        return fail(tls, CG_TLS);
    }
}

bool cg_tls_has_plain(const struct cg_tls *tls)
{
    return tls->why == CG_OK && SSL_has_pending(tls->ssl) == 1;
}

cg_err cg_tls_seal(struct cg_tls *tls, struct cg_span plain, struct cg_buf *out)
{
    size_t n = 0;

    if (tls->why != CG_OK)
        return tls->why;
    ERR_clear_error();
    tls->out = out;
    int done = SSL_write_ex(tls->ssl, plain.at, plain.len, &n);
    tls->out = NULL;
    if (done != 1 || n != plain.len)
        return fail(tls, CG_TLS);
    return CG_OK;
}

cg_err cg_tls_flush(struct cg_tls *tls, struct cg_buf *out)
{
    struct cg_span waiting = cg_buf_span(&tls->pending);

    if (waiting.len == 0)
        return CG_OK;
    waiting = cg_span_first(waiting, out->max - out->len);
    CG_TRY(cg_buf_add(out, waiting));
    cg_buf_drop(&tls->pending, waiting.len);
    if (tls->pending.len == 0) {
        cg_buf_done(&tls->pending);
        cg_buf_init(&tls->pending, CG_TLS_PENDING_MAX_BYTES);
    }
    return CG_OK;
}

void cg_tls_close(struct cg_tls *tls)
{
    if (tls->why != CG_OK || !tls->is_up)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl); /* 0: ours is sent; the peer's is not waited for */
    ERR_clear_error();
}

/* --- what it tells --- */

bool cg_tls_is_up(const struct cg_tls *tls)
{
    return tls->is_up;
}

cg_err cg_tls_why(const struct cg_tls *tls)
{
    return tls->why;
}

int cg_tls_alert(const struct cg_tls *tls)
{
    return tls->alert;
}

const char *cg_tls_reason(const struct cg_tls *tls)
{
    return tls->reason;
}

cg_err cg_tls_export(struct cg_tls *tls, const char *label, struct cg_secret *out)
{
    struct cg_secret secret;
    static const unsigned char no_context[1];

    /* Before the other side's Finished was verified these bytes could be anybody's. */
    if (!tls->is_up || SSL_is_init_finished(tls->ssl) != 1)
        return CG_BUSY;
    int done = SSL_export_keying_material(tls->ssl, secret.bytes, sizeof secret.bytes, label,
                                          strlen(label), no_context, 0, 1);
    if (done != 1) {
        cg_secret_done(&secret);
        ERR_clear_error();
        return CG_CRYPTO;
    }
    *out = secret;
    cg_secret_done(&secret);
    return CG_OK;
}

cg_err cg_tls_peer_spki(const struct cg_tls *tls, struct cg_hash *out)
{
    X509 *leaf = tls->is_up ? SSL_get0_peer_certificate(tls->ssl) : NULL;

    return leaf ? cg_tls_spki_of(leaf, out) : CG_NOT_FOUND;
}

const struct cg_tls_site *cg_tls_site_of(const struct cg_tls *tls)
{
    return tls->is_up ? tls->site : NULL;
}

struct cg_span cg_tls_reference(const struct cg_tls *tls)
{
    if (!tls->is_up)
        return (struct cg_span){0};
    if (tls->conf->is_server)
        return tls->announced ? tls->site->reference : (struct cg_span){0};
    return cg_buf_span(&tls->received);
}

bool cg_tls_offers_reference(const struct cg_tls *tls)
{
    return tls->offered;
}

bool cg_tls_is_resumed(const struct cg_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

cg_err cg_tls_remember(struct cg_tls *tls, const struct cg_hash *what)
{
    if (!tls->is_up || tls->why != CG_OK)
        return CG_BUSY;
    tls->memory = *what;
    tls->has_memory = true;
    if (!tls->sites || !tls->sites->has_key)
        return CG_OK;
    ERR_clear_error();
    /* Outside of a pull: its record waits for the next one. */
    bool ok = SSL_new_session_ticket(tls->ssl) == 1 && SSL_do_handshake(tls->ssl) == 1;
    ERR_clear_error();
    return ok ? CG_OK : CG_CRYPTO;
}

bool cg_tls_remembered(const struct cg_tls *tls, struct cg_hash *out)
{
    if (!tls->is_up || !tls->had_memory || !cg_tls_is_resumed(tls))
        return false;
    *out = tls->had;
    return true;
}

struct cg_span cg_tls_name(const struct cg_tls *tls)
{
    return cg_span_of(tls->name, tls->name_len);
}

struct cg_span cg_tls_alpn(const struct cg_tls *tls)
{
    const unsigned char *at = NULL;
    unsigned len = 0;

    if (tls->is_up)
        SSL_get0_alpn_selected(tls->ssl, &at, &len);
    return cg_span_of(at, len);
}

const char *cg_tls_group(const struct cg_tls *tls)
{
    const char *name = tls->is_up ? SSL_get0_group_name(tls->ssl) : NULL;

    return name ? name : "";
}

const char *cg_tls_version(const struct cg_tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *cg_tls_cipher(const struct cg_tls *tls)
{
    const char *name = SSL_get_cipher_name(tls->ssl);

    return name ? name : "";
}

cg_err cg_tls_webpki(const struct cg_tls *tls)
{
    if (tls->conf->is_server || !tls->conf->has_ca)
        return CG_UNKNOWN;
    return tls->is_up && SSL_get_verify_result(tls->ssl) == X509_V_OK ? CG_OK : CG_TLS;
}

cg_err cg_tls_session(struct cg_tls *tls, struct cg_buf *out)
{
    if (!tls->session || SSL_SESSION_is_resumable(tls->session) != 1)
        return CG_NOT_FOUND;
    int len = i2d_SSL_SESSION(tls->session, NULL);
    if (len <= 0 || len > CG_TLS_SESSION_MAX_BYTES - 256)
        return CG_TOO_LARGE;
    CG_TRY(cg_buf_room(out, 1 + tls->name_len + (size_t)len));
    unsigned char *at = out->at + out->len;
    *at++ = (uint8_t)tls->name_len;
    memcpy(at, tls->name, tls->name_len);
    at += tls->name_len;
    if (i2d_SSL_SESSION(tls->session, &at) != len)
        return CG_CRYPTO;
    out->len += 1 + tls->name_len + (size_t)len;
    SSL_SESSION_free(tls->session);
    tls->session = NULL;
    return CG_OK;
}
