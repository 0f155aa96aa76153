/* tls_site.c: a leaf certificate with its key, names and reference; and a listener's set of them.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "session/tls_own.h"

/* Bounds before anything is parsed. */
#define CHAIN_MAX_BYTES (64 * 1024)
#define KEY_MAX_BYTES (16 * 1024)
#define CHAIN_MAX_CERTS 10
#define DER_SEQUENCE 0x30

cg_err cg_tls_spki_of(X509 *cert, struct cg_hash *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (len <= 0) {
        ERR_clear_error();
        return CG_CRYPTO;
    }
    cg_err err = cg_sha256(cg_span_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return err;
}

cg_err cg_tls_name_fold(struct cg_span name, uint8_t out[static CG_TLS_NAME_MAX_BYTES])
{
    if (name.len == 0 || name.len > CG_TLS_NAME_MAX_BYTES)
        return CG_SYNTAX;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + ('a' - 'A'));
        bool ok =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!ok)
            return CG_SYNTAX;
        out[i] = c;
    }
    return CG_OK;
}

/* --- reading --- */

static int refuse_password(char *out, int room, int is_write, void *arg)
{
    (void)out, (void)room, (void)is_write, (void)arg;
    return -1; /* an encrypted key is an error; nobody is asked */
}

static cg_err read_pem_chain(struct cg_tls_site *site, BIO *bio)
{
    site->leaf = PEM_read_bio_X509(bio, NULL, refuse_password, NULL);
    if (!site->leaf)
        return CG_CONFIG;
    for (int n = 1;; n++) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, refuse_password, NULL);
        if (!cert)
            return CG_OK; /* what is left is no certificate: the end, or the key */
        if (n == CHAIN_MAX_CERTS || (!site->chain && !(site->chain = sk_X509_new_null())) ||
            sk_X509_push(site->chain, cert) <= 0) {
            X509_free(cert);
            return CG_CONFIG;
        }
    }
}

static cg_err read_chain(struct cg_tls_site *site, struct cg_span chain)
{
    if (chain.len == 0 || chain.len > CHAIN_MAX_BYTES)
        return CG_CONFIG;
    if (chain.at[0] == DER_SEQUENCE) {
        const unsigned char *at = chain.at;
        site->leaf = d2i_X509(NULL, &at, (long)chain.len);
        return site->leaf && at == chain.at + chain.len ? CG_OK : CG_CONFIG;
    }
    BIO *bio = BIO_new_mem_buf(chain.at, (int)chain.len);
    if (!bio)
        return CG_NO_MEMORY;
    cg_err err = read_pem_chain(site, bio);
    BIO_free(bio);
    return err;
}

static cg_err read_key(struct cg_tls_site *site, struct cg_span key)
{
    if (key.len == 0 || key.len > KEY_MAX_BYTES)
        return CG_CONFIG;
    if (key.at[0] == DER_SEQUENCE) {
        const unsigned char *at = key.at;
        site->key = d2i_AutoPrivateKey(NULL, &at, (long)key.len);
    } else {
        BIO *bio = BIO_new_mem_buf(key.at, (int)key.len);
        if (!bio)
            return CG_NO_MEMORY;
        site->key = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, NULL);
        BIO_free(bio);
    }
    if (!site->key || X509_check_private_key(site->leaf, site->key) != 1)
        return CG_CONFIG;
    return CG_OK;
}

static cg_err copy_names(struct cg_tls_site *site, const struct cg_tls_site_options *options)
{
    size_t total = options->reference.len;
    uint8_t folded[CG_TLS_NAME_MAX_BYTES];

    if (options->reference.len > CG_TLS_REFERENCE_MAX_BYTES)
        return CG_CONFIG;
    for (size_t i = 0; i < options->n_names; i++) {
        struct cg_span name = options->names[i];
        if (cg_tls_name_fold(name, folded) != CG_OK || memcmp(folded, name.at, name.len) != 0)
            return CG_CONFIG;
        total += name.len;
    }
    site->names = calloc(options->n_names + 1, sizeof *site->names);
    site->bytes = malloc(total + 1);
    if (!site->names || !site->bytes)
        return CG_NO_MEMORY;

    uint8_t *at = site->bytes;
    for (size_t i = 0; i < options->n_names; i++) {
        memcpy(at, options->names[i].at, options->names[i].len);
        site->names[i] = cg_span_of(at, options->names[i].len);
        at += options->names[i].len;
    }
    site->n_names = options->n_names;
    if (options->reference.len)
        memcpy(at, options->reference.at, options->reference.len);
    site->reference = cg_span_of(at, options->reference.len);
    return CG_OK;
}

static cg_err fill(struct cg_tls_site *site, const struct cg_tls_site_options *options)
{
    CG_TRY(copy_names(site, options));
    CG_TRY(read_chain(site, options->chain));
    CG_TRY(read_key(site, options->key));
    CG_TRY(cg_tls_spki_of(site->leaf, &site->spki));
    site->fingerprint = options->fingerprint;
    return CG_OK;
}

cg_err cg_tls_site_new(const struct cg_tls_site_options *options, struct cg_tls_site **out)
{
    struct cg_tls_site *site = calloc(1, sizeof *site);

    if (!site)
        return CG_NO_MEMORY;
    atomic_init(&site->refs, 1);
    cg_err err = fill(site, options);
    ERR_clear_error();
    if (err != CG_OK) {
        cg_tls_site_unref(site);
        return err;
    }
    *out = site;
    return CG_OK;
}

struct cg_tls_site *cg_tls_site_ref(struct cg_tls_site *site)
{
    atomic_fetch_add_explicit(&site->refs, 1, memory_order_relaxed);
    return site;
}

void cg_tls_site_unref(struct cg_tls_site *site)
{
    if (!site || atomic_fetch_sub_explicit(&site->refs, 1, memory_order_acq_rel) != 1)
        return;
    X509_free(site->leaf);
    sk_X509_pop_free(site->chain, X509_free);
    EVP_PKEY_free(site->key);
    free(site->names);
    free(site->bytes);
    free(site);
}

const struct cg_hash *cg_tls_site_spki(const struct cg_tls_site *site)
{
    return &site->spki;
}

const struct cg_hash *cg_tls_site_fingerprint(const struct cg_tls_site *site)
{
    return &site->fingerprint;
}

/* --- sets --- */

const struct cg_tls_site *cg_tls_sites_find(const struct cg_tls_sites *sites, struct cg_span name)
{
    const struct cg_tls_site *any = NULL;

    for (size_t i = 0; i < sites->n_sites; i++) {
        const struct cg_tls_site *site = sites->sites[i];
        if (site->n_names == 0 && !any)
            any = site;
        for (size_t k = 0; k < site->n_names; k++)
            if (cg_span_eq(site->names[k], name))
                return site;
    }
    return any;
}

static cg_err check_distinct(struct cg_tls_site *const *sites, size_t n_sites)
{
    for (size_t i = 0; i < n_sites; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t a = 0; a < sites[i]->n_names; a++)
                for (size_t b = 0; b < sites[j]->n_names; b++)
                    if (cg_span_eq(sites[i]->names[a], sites[j]->names[b]))
                        return CG_CONFIG;
    return CG_OK;
}

cg_err cg_tls_sites_new(struct cg_tls_site *const *sites, size_t n_sites,
                        const struct cg_secret *tickets, const struct cg_secret *tickets_before,
                        struct cg_tls_sites **out)
{
    if (n_sites == 0 || n_sites > 1024)
        return CG_CONFIG;
    CG_TRY(check_distinct(sites, n_sites));

    struct cg_tls_sites *set = calloc(1, sizeof *set + n_sites * sizeof set->sites[0]);
    if (!set)
        return CG_NO_MEMORY;
    atomic_init(&set->refs, 1);
    cg_err err = CG_OK;
    if (tickets) {
        err = cg_tls_ticket_key_make(tickets, &set->key);
        set->has_key = true;
    }
    if (err == CG_OK && tickets && tickets_before) {
        err = cg_tls_ticket_key_make(tickets_before, &set->key_before);
        set->has_key_before = true;
    }
    if (err != CG_OK) {
        cg_tls_sites_unref(set);
        return err;
    }
    for (size_t i = 0; i < n_sites; i++)
        set->sites[set->n_sites++] = cg_tls_site_ref(sites[i]);
    *out = set;
    return CG_OK;
}

struct cg_tls_sites *cg_tls_sites_ref(struct cg_tls_sites *sites)
{
    atomic_fetch_add_explicit(&sites->refs, 1, memory_order_relaxed);
    return sites;
}

void cg_tls_sites_unref(struct cg_tls_sites *sites)
{
    if (!sites || atomic_fetch_sub_explicit(&sites->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < sites->n_sites; i++)
        cg_tls_site_unref(sites->sites[i]);
    cg_wipe(&sites->key, sizeof sites->key);
    cg_wipe(&sites->key_before, sizeof sites->key_before);
    free(sites);
}
