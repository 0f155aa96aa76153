/* tls.h: TLS 1.3 without a socket: what a connection may negotiate, and what it tells afterwards.
 *
 * Three kinds of immutable, reference-counted things, made from bytes in memory and shared by any
 * number of connections and threads: a conf (what may be negotiated), a site (a leaf certificate,
 * its key, its names and the reference it announces), and sites (all of a listener's sites with the
 * ticket keys: one snapshot, replaced whole).  A connection keeps the snapshot that it was accepted
 * with, so a new certificate or a new reference never changes a connection that exists.
 *
 * OpenSSL draws its own randomness, and reads a clock for the age of tickets; nothing else here
 * does (docs/soundness.md). */
#ifndef CG_SESSION_TLS_H
#define CG_SESSION_TLS_H
#include <httpcg/err.h>

#include "lib/base/buf.h"

/* The extension that carries a TLSLS reference. Outside TLS's private-use range, hence a constant
 * of this project (docs/protocol/cert.md, "Delivery"). */
#define CG_TLSEXT_TLSLS 65001
/* A reference is 307 bytes today. */
#define CG_TLS_REFERENCE_MAX_BYTES 1024
#define CG_TLS_SESSION_MAX_BYTES (16 * 1024)
#define CG_TLS_TICKET_LIFE_S 3600

struct cg_tls;       /* one connection's TLS */
struct cg_tls_conf;  /* what may be negotiated */
struct cg_tls_site;  /* one certificate and what belongs to it */
struct cg_tls_sites; /* a listener's certificates and ticket keys */

enum cg_tls_kind {
    CG_TLS_NATIVE,   /* 1.3, X25519MLKEM768 only, extension 65001, ALPN required */
    CG_TLS_SERVICES, /* 1.3, that group and the ordinary ones; no 65001; ALPN may be absent */
    CG_TLS_BACKEND,  /* client only: 1.3, or 1.2 with ECDHE and AEAD */
};

/* What a client believes of a server's certificate. */
enum cg_tls_trust {
    CG_TRUST_WEBPKI, /* chain to ca_pem and name (RFC 9525), or the handshake fails */
    CG_TRUST_PINS,   /* the leaf's SPKI hash is one of pins, or the handshake fails */
    CG_TRUST_LATER,  /* nothing here: the caller must compare cg_tls_peer_spki with a verified
                      * TLSLS before it believes anything. Chain and name are checked all the same
                      * where ca_pem is given; cg_tls_webpki tells the result */
};

struct cg_tls_client_options {
    enum cg_tls_kind kind;
    enum cg_tls_trust trust;
    struct cg_span ca_pem; /* certificates to trust; the system's bundle is runtime's to read */
    const struct cg_hash *pins;
    size_t n_pins;
    bool h1_only;    /* offer http/1.1 alone; otherwise h2, http/1.1 */
    uint32_t pad_to; /* records padded to multiples of so many bytes; 0 and 1: not */
};

struct cg_tls_server_options {
    enum cg_tls_kind kind; /* NATIVE or SERVICES */
    bool allow_no_name;    /* NATIVE inside a circuit: there SNI is absent, the first site serves */
    uint32_t pad_to;
};

/* cg_tls_conf_client and cg_tls_conf_server make a conf with one reference.
 * Owns    everything is copied.
 * Errors  CG_CONFIG (no certificate in ca_pem, no pins, a kind the side does not have), CG_CRYPTO,
 *         CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_tls_conf_client(const struct cg_tls_client_options *options,
                                      struct cg_tls_conf **out);
CG_MUST_USE cg_err cg_tls_conf_server(const struct cg_tls_server_options *options,
                                      struct cg_tls_conf **out);
struct cg_tls_conf *cg_tls_conf_ref(struct cg_tls_conf *conf);
void cg_tls_conf_unref(struct cg_tls_conf *conf);

struct cg_tls_site_options {
    struct cg_span chain;        /* PEM, leaf first; or one DER certificate */
    struct cg_span key;          /* PEM or DER, unencrypted, the leaf's */
    const struct cg_span *names; /* DNS names it is presented under: exact, lower case */
    size_t n_names;
    struct cg_span reference;   /* extension 65001's body for NATIVE; empty: none is sent */
    struct cg_hash fingerprint; /* of the certificate that reference names; goes into tickets */
};

/* cg_tls_site_new makes a site with one reference.
 * Errors  CG_CONFIG (unreadable, key not the leaf's, over CG_TLS_REFERENCE_MAX_BYTES, a malformed
 *         name), CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err cg_tls_site_new(const struct cg_tls_site_options *options,
                                   struct cg_tls_site **out);
struct cg_tls_site *cg_tls_site_ref(struct cg_tls_site *site);
void cg_tls_site_unref(struct cg_tls_site *site);
/* cg_tls_site_spki gives the hash of the leaf's SubjectPublicKeyInfo. */
const struct cg_hash *cg_tls_site_spki(const struct cg_tls_site *site);
const struct cg_hash *cg_tls_site_fingerprint(const struct cg_tls_site *site);

/* cg_tls_sites_new makes a snapshot with one reference of its own to each site.
 * tickets: the key for new tickets, made per process and replaced hourly; NULL: no tickets at all.
 * tickets_before: the previous one, still accepted; may be NULL.
 * Errors  CG_CONFIG (no site, a name twice), CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err cg_tls_sites_new(struct cg_tls_site *const *sites, size_t n_sites,
                                    const struct cg_secret *tickets,
                                    const struct cg_secret *tickets_before,
                                    struct cg_tls_sites **out);
struct cg_tls_sites *cg_tls_sites_ref(struct cg_tls_sites *sites);
void cg_tls_sites_unref(struct cg_tls_sites *sites);

/* --- one connection; usually given to a stack (stack.h), which then owns it --- */

/* cg_tls_accept makes a server's side. It keeps references to conf and sites. */
CG_MUST_USE cg_err cg_tls_accept(struct cg_tls_conf *conf, struct cg_tls_sites *sites,
                                 struct cg_tls **out);

struct cg_tls_dial {
    struct cg_span name;    /* SNI, and the name to check; empty: none (PINS and LATER only) */
    struct cg_span session; /* from cg_tls_session of an earlier connection; empty: a full one */
    struct cg_wall now;     /* for certificates' validity */
};

/* cg_tls_connect makes a client's side. A session that cannot be read is ignored.
 * Errors  CG_SYNTAX (a name no DNS name can be), CG_NO_MEMORY, CG_CRYPTO. */
CG_MUST_USE cg_err cg_tls_connect(struct cg_tls_conf *conf, const struct cg_tls_dial *dial,
                                  struct cg_tls **out);
void cg_tls_free(struct cg_tls *tls);

/* --- what it tells; before cg_tls_is_up only cg_tls_why, cg_tls_alert and cg_tls_name do --- */

/* cg_tls_is_up tells whether the handshake is complete, the other side's Finished verified. */
bool cg_tls_is_up(const struct cg_tls *tls);
cg_err cg_tls_why(const struct cg_tls *tls);
/* cg_tls_alert gives the fatal alert received or sent, for logs; -1: none. */
int cg_tls_alert(const struct cg_tls *tls);
/* cg_tls_reason gives OpenSSL's words for the failure, for logs; never NULL. */
const char *cg_tls_reason(const struct cg_tls *tls);

/* cg_tls_export gives 32 bytes of keying material, empty context.
 * Errors  CG_BUSY (handshake not complete), CG_CRYPTO.
 * Source  RFC 9846, 7.5. */
CG_MUST_USE cg_err cg_tls_export(struct cg_tls *tls, const char *label, struct cg_secret *out);
/* cg_tls_peer_spki gives the hash of the peer leaf's SubjectPublicKeyInfo, on resumption too.
 * Errors  CG_NOT_FOUND (a client without certificate). */
CG_MUST_USE cg_err cg_tls_peer_spki(const struct cg_tls *tls, struct cg_hash *out);
/* cg_tls_site_of gives the server's site of this connection; NULL on a client. Its spki, its
 * fingerprint and its reference are this connection's for good. */
const struct cg_tls_site *cg_tls_site_of(const struct cg_tls *tls);
/* cg_tls_reference gives the body of extension 65001: a client's, what the server sent; a server's,
 * what it announced. Empty where none was sent, as on resumption. */
struct cg_span cg_tls_reference(const struct cg_tls *tls);
/* cg_tls_offers_reference: server: the client offered 65001. */
bool cg_tls_offers_reference(const struct cg_tls *tls);
bool cg_tls_is_resumed(const struct cg_tls *tls);
/* cg_tls_remember puts 32 bytes of the server's choice into this connection's tickets from now on,
 * and issues one. They come back on the connection that it resumes, whose client is the one it was
 * given to: nobody else can read or make them.
 * Errors  CG_BUSY (not up), CG_CRYPTO. */
CG_MUST_USE cg_err cg_tls_remember(struct cg_tls *tls, const struct cg_hash *what);
/* cg_tls_remembered gives what the ticket held that a server's connection was resumed with; false:
 * nothing. */
bool cg_tls_remembered(const struct cg_tls *tls, struct cg_hash *out);
/* cg_tls_name gives SNI; empty where none. cg_tls_alpn gives "h2", "http/1.1" or "". */
struct cg_span cg_tls_name(const struct cg_tls *tls);
struct cg_span cg_tls_alpn(const struct cg_tls *tls);
/* Names for logs, such as "X25519MLKEM768", "TLSv1.3", "TLS_AES_256_GCM_SHA384". */
const char *cg_tls_group(const struct cg_tls *tls);
const char *cg_tls_version(const struct cg_tls *tls);
const char *cg_tls_cipher(const struct cg_tls *tls);
/* cg_tls_webpki tells what chain and name were worth (client): CG_OK, or CG_TLS; CG_UNKNOWN where
 * nothing was given to check with. */
cg_err cg_tls_webpki(const struct cg_tls *tls);
/* cg_tls_session appends the newest resumable session (client) and forgets it: tickets are used
 * once. Keep it beside (fingerprint, leaf SPKI), as a secret: it holds the resumption key.
 * Errors  CG_NOT_FOUND (the server sent none), CG_TOO_LARGE, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_tls_session(struct cg_tls *tls, struct cg_buf *out);

#endif
