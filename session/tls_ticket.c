/* tls_ticket.c: who may resume. A ticket is sealed under the process's current key, and holds what
 * it was issued under: the certificate's fingerprint, the leaf's key and the name. It resumes only
 * where all three are the same, because the two sides of a resumed connection derive secrets from
 * them without another handshake telling them (docs/protocol/qlock.md). Behind that may stand what
 * the server wants to know again of its client. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "session/tls_own.h"

#define NAME_BYTES 16

cg_err cg_tls_ticket_key_make(const struct cg_secret *secret, struct cg_tls_ticket_key *out)
{
    struct cg_span s = CG_BYTES(secret->bytes);
    struct cg_hash aes, mac;

    CG_TRY(cg_sha256_2(CG_LIT("httpcg ticket name"), s, &out->name));
    cg_err err = cg_sha256_2(CG_LIT("httpcg ticket aes"), s, &aes);
    if (err == CG_OK)
        err = cg_sha256_2(CG_LIT("httpcg ticket mac"), s, &mac);
    if (err == CG_OK) {
        memcpy(out->aes.bytes, aes.bytes, sizeof aes.bytes);
        memcpy(out->mac.bytes, mac.bytes, sizeof mac.bytes);
    }
    cg_wipe(&aes, sizeof aes);
    cg_wipe(&mac, sizeof mac);
    return err;
}

static bool start(const struct cg_tls_ticket_key *key, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                  const unsigned char *iv, int is_seal)
{
    char digest[] = "SHA256";
    /* OpenSSL copies a parameter's bytes; it takes a mutable pointer for its own reasons. */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac.bytes,
                                          sizeof key->mac.bytes),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes.bytes, iv, is_seal) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* -1 ends the handshake, 0 means no ticket, 1 use it, 2 use it and issue a new one. */
static int choose_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int is_seal)
{
    const struct cg_tls *tls = SSL_get_app_data(ssl);
    const struct cg_tls_sites *sites = tls->sites;

    if (!sites->has_key)
        return 0;
    if (is_seal) {
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
            return -1;
        memcpy(name, sites->key.name.bytes, NAME_BYTES);
        return start(&sites->key, cipher, mac, iv, 1) ? 1 : -1;
    }
    if (memcmp(name, sites->key.name.bytes, NAME_BYTES) == 0)
        return start(&sites->key, cipher, mac, iv, 0) ? 1 : -1;
    if (sites->has_key_before && memcmp(name, sites->key_before.name.bytes, NAME_BYTES) == 0)
        return start(&sites->key_before, cipher, mac, iv, 0) ? 2 : -1;
    return 0;
}

/* What a ticket is bound to. */
static cg_err bond(const struct cg_tls *tls, struct cg_hash *out)
{
    uint8_t both[2 * CG_HASH_BYTES];

    memcpy(both, tls->site->fingerprint.bytes, CG_HASH_BYTES);
    memcpy(both + CG_HASH_BYTES, tls->site->spki.bytes, CG_HASH_BYTES);
    return cg_sha256_2(CG_BYTES(both), cg_span_of(tls->name, tls->name_len), out);
}

/* A ticket travels in the clear: whoever shows one without resuming (because it is too old) has not
 * shown that it is his. */
static bool memory_of(const struct cg_tls *tls, struct cg_hash *out)
{
    if (tls->has_memory)
        *out = tls->memory;
    else if (tls->had_memory && SSL_session_reused(tls->ssl) == 1)
        *out = tls->had;
    else
        return false;
    return true;
}

static int write_bond(SSL *ssl, void *arg)
{
    const struct cg_tls *tls = SSL_get_app_data(ssl);
    struct cg_hash data[2];
    size_t len = memory_of(tls, &data[1]) ? sizeof data : sizeof data[0];

    (void)arg;
    if (!tls->site || bond(tls, &data[0]) != CG_OK)
        return 0;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, len) == 1;
}

static SSL_TICKET_RETURN check_bond(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                    size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    struct cg_tls *tls = SSL_get_app_data(ssl);
    void *data = NULL;
    size_t len = 0;
    struct cg_hash hash;

    (void)name, (void)name_len, (void)arg;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (!tls->site || SSL_SESSION_get0_ticket_appdata(session, &data, &len) != 1 ||
        (len != sizeof hash.bytes && len != 2 * sizeof hash.bytes) || bond(tls, &hash) != CG_OK ||
        memcmp(data, hash.bytes, sizeof hash.bytes) != 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    tls->had_memory = len == 2 * sizeof hash.bytes;
    if (tls->had_memory)
        memcpy(tls->had.bytes, (uint8_t *)data + sizeof hash.bytes, sizeof hash.bytes);
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void cg_tls_ticket_install(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, CG_TLS_TICKET_LIFE_S);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, choose_key);
    SSL_CTX_set_session_ticket_cb(ctx, write_bond, check_bond, NULL);
}
