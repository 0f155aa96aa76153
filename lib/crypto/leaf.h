/* leaf.h: the ordinary X.509 certificate that TLS presents, and the hash of its key. */
#ifndef CG_LIB_CRYPTO_LEAF_H
#define CG_LIB_CRYPTO_LEAF_H
#include "lib/base/buf.h"

#include <httpcg/crypto.h>

#define CG_LEAF_MAX_BYTES 8192
#define CG_LEAF_NAMES_MAX 16

/* What a self-signed certificate says. */
struct cg_leaf_ask {
    const struct cg_span *names; /* DNS names, or IP addresses written "127.0.0.1" or "::1" */
    size_t n_names;              /* 1..16 */
    struct cg_wall not_before;
    struct cg_wall not_after;
    struct cg_secret seed; /* fresh random bytes: the P-256 key comes from them */
    uint8_t serial[16];    /* fresh random bytes */
};

/* cg_leaf_issue makes a P-256 key and a self-signed certificate for it, and appends both as PEM.
 * Errors  CG_SCHEMA (no names, too many, or one that is no name; times that are none), CG_CRYPTO,
 * CG_NO_MEMORY, CG_TOO_LARGE. */
CG_MUST_USE cg_err cg_leaf_issue(const struct cg_leaf_ask *ask, struct cg_buf *out_cert_pem,
                                 struct cg_buf *out_key_pem);
/* cg_leaf_spki hashes the DER SubjectPublicKeyInfo of the first certificate of a PEM text.
 * Errors  CG_SYNTAX (no certificate there), CG_CRYPTO. */
CG_MUST_USE cg_err cg_leaf_spki(struct cg_span cert_pem, struct cg_hash *out);
/* cg_leaf_spki_der does the same for a DER certificate. */
CG_MUST_USE cg_err cg_leaf_spki_der(struct cg_span cert, struct cg_hash *out);
/* cg_leaf_key_spki does the same for a PEM private key (unencrypted: nobody is asked). */
CG_MUST_USE cg_err cg_leaf_key_spki(struct cg_span key_pem, struct cg_hash *out);

#endif
