#include "tests/support/testcert.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_S (365 * 24 * 3600)

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "testcert: %s failed\n", what);
        abort();
    }
}

/* Never freed, but always reachable: tests keep what they were given to their end. */
static struct cg_span text_of(BIO *bio)
{
    static void *kept[256];
    static size_t n_kept;
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    uint8_t *copy = malloc((size_t)len);

    need(copy != NULL && n_kept < sizeof kept / sizeof kept[0], "memory");
    kept[n_kept++] = copy;
    memcpy(copy, at, (size_t)len);
    BIO_free(bio);
    return (struct cg_span){copy, (size_t)len};
}

static void extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    need(ext && X509_add_ext(cert, ext, -1) == 1, "extension");
    X509_EXTENSION_free(ext);
}

static X509 *read_cert(struct cg_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    need(cert != NULL, "reading a certificate");
    return cert;
}

static EVP_PKEY *read_key(struct cg_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    need(key != NULL, "reading a key");
    return key;
}

static struct cg_testcert make(const char *name, const struct cg_testcert *ca, bool is_ca)
{
    static long serial = 1;
    char names[300];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();

    need(key && cert && X509_set_version(cert, X509_VERSION_3) == 1, "making");
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(CG_TESTCERT_NOW.s - YEAR_S));
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(CG_TESTCERT_NOW.s + YEAR_S));
    X509_set_pubkey(cert, key);
    X509_NAME *subject = X509_get_subject_name(cert);
    need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                    -1, 0) == 1,
         "name");
    extend(cert, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!is_ca) {
        snprintf(names, sizeof names, "DNS:%s", name);
        extend(cert, NID_subject_alt_name, names);
    }

    X509 *issuer = ca ? read_cert(ca->chain) : NULL;
    EVP_PKEY *signer = ca ? read_key(ca->key) : NULL;
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
    need(X509_sign(cert, signer ? signer : key, EVP_sha256()) > 0, "signing");

    BIO *chain_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());
    need(PEM_write_bio_X509(chain_pem, cert) == 1, "writing");
    need(PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1, "writing");
    X509_free(cert);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
    return (struct cg_testcert){text_of(chain_pem), text_of(key_pem)};
}

struct cg_testcert cg_testcert_self(const char *name)
{
    return make(name, NULL, false);
}

struct cg_testcert cg_testcert_ca(void)
{
    return make("httpcg test CA", NULL, true);
}

struct cg_testcert cg_testcert_by(const struct cg_testcert *ca, const char *name)
{
    return make(name, ca, false);
}
