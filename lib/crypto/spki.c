#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/leaf.h"
#include "lib/crypto/openssl.h"

#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* Hashes what i2d gave, and frees it. */
static cg_err hash_der(uint8_t *der, int len, struct cg_hash *out)
{
    cg_err err = len > 0 ? cg_sha256(cg_span_of(der, (size_t)len), out) : CG_CRYPTO;

    OPENSSL_free(der);
    return err == CG_OK ? CG_OK : cg_openssl_failed(err);
}

static cg_err hash_cert(X509 *cert, struct cg_hash *out)
{
    uint8_t *der = NULL;

    if (!cert)
        return cg_openssl_failed(CG_SYNTAX);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    X509_free(cert);
    return hash_der(der, len, out);
}

/* Encrypted PEM is refused instead of asking a terminal, which is OpenSSL's default. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf, (void)size, (void)rwflag, (void)arg;
    return -1;
}

static BIO *bio_of(struct cg_span text)
{
    return text.len > 0 && text.len <= INT_MAX ? BIO_new_mem_buf(text.at, (int)text.len) : NULL;
}

cg_err cg_leaf_spki(struct cg_span cert_pem, struct cg_hash *out)
{
    BIO *bio = bio_of(cert_pem);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    return hash_cert(cert, out);
}

cg_err cg_leaf_spki_der(struct cg_span der, struct cg_hash *out)
{
    const uint8_t *at = der.at;
    X509 *cert = der.len <= LONG_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;

    if (cert && at != der.at + der.len) {
        X509_free(cert);
        return CG_EXTRA;
    }
    return hash_cert(cert, out);
}

cg_err cg_leaf_key_spki(struct cg_span key_pem, struct cg_hash *out)
{
    uint8_t *der = NULL;
    BIO *bio = bio_of(key_pem);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    if (!key)
        return cg_openssl_failed(CG_SYNTAX);
    int len = i2d_PUBKEY(key, &der);
    EVP_PKEY_free(key);
    return hash_der(der, len, out);
}
