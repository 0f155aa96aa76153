/* tls_own.h: what the tls_*.c files share, and what stack.c drives a connection with. */
#ifndef CG_SESSION_TLS_OWN_H
#define CG_SESSION_TLS_OWN_H
#include <openssl/ssl.h>
#include <stdatomic.h>

#include "session/tls.h"

#define CG_TLS_NAME_MAX_BYTES 253
/* What the handshake and later TLS messages may have waiting for the next pull. */
#define CG_TLS_PENDING_MAX_BYTES (64 * 1024)

struct cg_tls_conf {
    atomic_uint refs;
    SSL_CTX *ctx;
    BIO_METHOD *bio; /* the one method of all its connections */
    enum cg_tls_kind kind;
    enum cg_tls_trust trust;
    bool is_server;
    bool allow_no_name;
    bool has_ca;
    struct cg_hash *pins;
    size_t n_pins;
};

struct cg_tls_site {
    atomic_uint refs;
    X509 *leaf;
    STACK_OF(X509) * chain; /* without the leaf; NULL: none */
    EVP_PKEY *key;
    struct cg_span *names; /* none: any */
    size_t n_names;
    uint8_t *bytes; /* of names and reference */
    struct cg_span reference;
    struct cg_hash fingerprint;
    struct cg_hash spki;
};

/* One generation of keys for tickets (RFC 5077, 4). */
struct cg_tls_ticket_key {
    struct cg_hash name; /* the first 16 bytes of it */
    struct cg_secret aes;
    struct cg_secret mac;
};

struct cg_tls_sites {
    atomic_uint refs;
    size_t n_sites;
    bool has_key, has_key_before;
    struct cg_tls_ticket_key key, key_before;
    struct cg_tls_site *sites[];
};

struct cg_tls {
    SSL *ssl;
    struct cg_tls_conf *conf;
    struct cg_tls_sites *sites;
    const struct cg_tls_site *site;
    bool is_up;
    bool peer_closed; /* close_notify came */
    bool offered;     /* server: the client offered 65001 */
    bool announced;   /* server: we sent it */
    bool has_memory;  /* server: our tickets hold memory */
    bool had_memory;  /* server: the client's held had; it counts where that was resumed with */
    struct cg_hash memory, had;
    cg_err why;
    int alert;
    const char *reason;
    struct cg_span in;      /* what is left of the bytes being fed */
    struct cg_buf *out;     /* during a pull: where records go */
    struct cg_buf pending;  /* records made outside of a pull */
    struct cg_buf received; /* client: the reference */
    SSL_SESSION *session;   /* client: the newest */
    size_t name_len;
    uint8_t name[CG_TLS_NAME_MAX_BYTES];
};

/* --- between the files --- */

BIO_METHOD *cg_tls_bio_new(void);
/* cg_tls_ticket_key_make spreads a secret. */
CG_MUST_USE cg_err cg_tls_ticket_key_make(const struct cg_secret *secret,
                                          struct cg_tls_ticket_key *out);
void cg_tls_ticket_install(SSL_CTX *ctx);
/* cg_tls_sites_find gives the site for a name in lower case; NULL: none. */
const struct cg_tls_site *cg_tls_sites_find(const struct cg_tls_sites *sites, struct cg_span name);
CG_MUST_USE cg_err cg_tls_spki_of(X509 *cert, struct cg_hash *out);
/* cg_tls_name_fold copies a DNS name in lower case.
 * Errors  CG_SYNTAX: it cannot be one. */
CG_MUST_USE cg_err cg_tls_name_fold(struct cg_span name, uint8_t out[static CG_TLS_NAME_MAX_BYTES]);

/* --- for the stack --- */

/* cg_tls_step goes on with the handshake on tls->in. Errors  CG_BUSY: it needs more bytes. */
CG_MUST_USE cg_err cg_tls_step(struct cg_tls *tls);
/* cg_tls_open gives up to room plaintext bytes from tls->in; *n = 0: it needs more bytes, or the
 * peer closed. */
CG_MUST_USE cg_err cg_tls_open(struct cg_tls *tls, uint8_t *out, size_t room, size_t *n);
/* cg_tls_has_plain tells whether cg_tls_open would give bytes without being fed. */
bool cg_tls_has_plain(const struct cg_tls *tls);
/* cg_tls_seal appends plain, at most 16 KiB, as one record. */
CG_MUST_USE cg_err cg_tls_seal(struct cg_tls *tls, struct cg_span plain, struct cg_buf *out);
/* cg_tls_flush moves what waits to out, as far as there is room. */
CG_MUST_USE cg_err cg_tls_flush(struct cg_tls *tls, struct cg_buf *out);
/* cg_tls_close makes a close_notify wait; once. */
void cg_tls_close(struct cg_tls *tls);

#endif
