#include "lib/crypto/leaf.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* 9999-12-31T23:59:59Z: what X.509 writes for "never" (RFC 5280, 4.1.2.5). */
#define LAST_SECOND INT64_C(253402300799)

static bool is_dns_name(struct cg_span name)
{
    size_t label = 0; /* where the present label begins */

    if (name.len == 0 || name.len > 253)
        return false;
    for (size_t i = 0; i <= name.len; i++) {
        if (i == name.len || name.at[i] == '.') {
            if (i == label || i - label > 63 || name.at[label] == '-' || name.at[i - 1] == '-')
                return false;
            label = i + 1;
        } else if (!((name.at[i] >= 'a' && name.at[i] <= 'z') ||
                     (name.at[i] >= '0' && name.at[i] <= '9') || name.at[i] == '-')) {
            return false;
        }
    }
    return true;
}

static bool is_ip_address(struct cg_span name)
{
    char text[64];

    if (name.len == 0 || name.len >= sizeof text)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    ASN1_OCTET_STRING *ip = strlen(text) == name.len ? a2i_IPADDRESS(text) : NULL;
    ASN1_OCTET_STRING_free(ip);
    return ip != NULL;
}

/* The key comes from the caller's random bytes by RFC 9180's DeriveKeyPair, the one way OpenSSL has
 * to make an EC key without drawing randomness itself. */
static EVP_PKEY *make_key(const struct cg_secret *seed)
{
    char group[] = "P-256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DHKEM_IKM, (void *)seed->bytes,
                                          sizeof seed->bytes),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_params(ctx, params) != 1 ||
        EVP_PKEY_generate(ctx, &key) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static GENERAL_NAME *make_name(struct cg_span name)
{
    char text[254];
    GENERAL_NAME *made = GENERAL_NAME_new();

    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(text);
    ASN1_IA5STRING *dns = ip ? NULL : ASN1_IA5STRING_new();
    if (!made || !(ip || (dns && ASN1_STRING_set(dns, text, (int)name.len) == 1))) {
        ASN1_OCTET_STRING_free(ip);
        ASN1_IA5STRING_free(dns);
        GENERAL_NAME_free(made);
        return NULL;
    }
    if (ip)
        GENERAL_NAME_set0_value(made, GEN_IPADD, ip);
    else
        GENERAL_NAME_set0_value(made, GEN_DNS, dns);
    return made;
}

static bool add_names(X509 *cert, const struct cg_leaf_ask *ask)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool ok = names != NULL;

    for (size_t i = 0; ok && i < ask->n_names; i++) {
        GENERAL_NAME *name = make_name(ask->names[i]);

        ok = name && sk_GENERAL_NAME_push(names, name) > 0;
        if (!ok)
            GENERAL_NAME_free(name);
    }
    ok = ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return ok;
}

/* An extension by its text form, which is the shortest way to say the constant ones. */
static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1) == 1;

    X509_EXTENSION_free(ext);
    return ok;
}

/* Writes a time as X.509 has it.  By hand, because OpenSSL's own conversion stands beside functions
 * that read the clock and could not be told apart from them by a linker's eye. */
static bool set_time(ASN1_TIME *out, struct cg_wall time)
{
    char text[16]; /* YYYYMMDDHHMMSSZ */

    if (time.s < 0 || time.s > LAST_SECOND)
        return false;
    int64_t day = time.s / 86400, second = time.s % 86400;
    /* Years that begin in March, so that the leap day is a year's last: a year's length and the
     * months' then follow from whole divisions. */
    int64_t n = day + 719468;
    int64_t era = n / 146097, of_era = n % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day_of_month = of_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    snprintf(text, sizeof text, "%04u%02u%02u%02u%02u%02uZ", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day_of_month % 100, (unsigned)(second / 3600) % 100,
             (unsigned)(second / 60 % 60), (unsigned)(second % 60));
    return ASN1_TIME_set_string_X509(out, text) == 1;
}

static bool fill_in(X509 *cert, EVP_PKEY *key, const struct cg_leaf_ask *ask)
{
    uint8_t serial[sizeof ask->serial];
    X509_NAME *subject = X509_get_subject_name(cert);

    /* RFC 5280, 4.1.2.2: positive, and not zero. */
    memcpy(serial, ask->serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);

    ok = ok && X509_set_version(cert, X509_VERSION_3) == 1 &&
         set_time(X509_getm_notBefore(cert), ask->not_before) &&
         set_time(X509_getm_notAfter(cert), ask->not_after) && X509_set_pubkey(cert, key) == 1;
    /* The common name is for people's eyes and holds 64 characters; verifiers read the other names.
     */
    size_t len = ask->names[0].len < 64 ? ask->names[0].len : 64;
    ok = ok &&
         X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, ask->names[0].at,
                                    (int)len, -1, 0) == 1 &&
         X509_set_issuer_name(cert, subject) == 1;
    return ok && add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") && add_names(cert, ask);
}

/* ECDSA with RFC 6979's nonce, so that the same input gives the same certificate. */
static bool sign(X509 *cert, EVP_PKEY *key)
{
    unsigned nonce_type = 1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &nonce_type),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit_ex(ctx, &pctx, "SHA2-256", NULL, NULL, key, NULL) == 1 &&
              EVP_PKEY_CTX_set_params(pctx, params) == 1 && X509_sign_ctx(cert, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

static cg_err take_bio(BIO *bio, struct cg_buf *out)
{
    char *at = NULL;
    long len = BIO_get_mem_data(bio, &at);

    return len > 0 ? cg_buf_add(out, cg_span_of(at, (size_t)len)) : CG_CRYPTO;
}

static cg_err write_pem(X509 *cert, EVP_PKEY *key, struct cg_buf *out_cert, struct cg_buf *out_key)
{
    size_t before = out_cert->len;
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_secmem());
    cg_err err = CG_CRYPTO;

    if (cert_bio && key_bio && PEM_write_bio_X509(cert_bio, cert) == 1 &&
        PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        err = take_bio(cert_bio, out_cert);
    if (err == CG_OK)
        err = take_bio(key_bio, out_key);
    if (err != CG_OK)
        out_cert->len = before;
    BIO_free(cert_bio);
    BIO_free(key_bio);
    return err;
}

cg_err cg_leaf_issue(const struct cg_leaf_ask *ask, struct cg_buf *out_cert_pem,
                     struct cg_buf *out_key_pem)
{
    if (ask->n_names == 0 || ask->n_names > CG_LEAF_NAMES_MAX)
        return CG_SCHEMA;
    if (ask->not_before.s < 0 || ask->not_after.s > LAST_SECOND ||
        ask->not_before.s > ask->not_after.s)
        return CG_SCHEMA;
    for (size_t i = 0; i < ask->n_names; i++)
        if (!is_dns_name(ask->names[i]) && !is_ip_address(ask->names[i]))
            return CG_SCHEMA;

    EVP_PKEY *key = make_key(&ask->seed);
    X509 *cert = X509_new();
    cg_err err = CG_CRYPTO;
    if (key && cert && fill_in(cert, key, ask) && sign(cert, key))
        err = write_pem(cert, key, out_cert_pem, out_key_pem);
    X509_free(cert);
    EVP_PKEY_free(key);
    return err == CG_OK ? CG_OK : cg_openssl_failed(err);
}
