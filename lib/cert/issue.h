/* issue.h: making certificates, and writing those that were read. Reading is in cert.h. */
#ifndef CG_LIB_CERT_ISSUE_H
#define CG_LIB_CERT_ISSUE_H
#include "lib/base/buf.h"

#include <httpcg/cert.h>

/* What to issue. */
struct cg_cert_ask {
    enum cg_role role;
    const struct cg_waddr *subject;
    const struct cg_public_keys *transport;
    struct cg_hash policy_hash;
    struct cg_log_id log_id;
    struct cg_wall issued;
    struct cg_wall expires;
    const struct cg_hash *spki;
    size_t n_spki;
    const struct cg_span *names;
    size_t n_names;
    uint8_t serial[CG_CERT_SERIAL_BYTES]; /* fresh random bytes */
};

/* cg_cert_issue signs a certificate with the DID's identity keys and appends it, with wallet_doc
 * and staple beside it where they are not empty.
 * Errors  CG_SCHEMA (counts, or times in the wrong order), CG_SYNTAX (a name that is none),
 *         CG_TOO_LARGE (over 90 days, or out is full), CG_CRYPTO, CG_NO_MEMORY; out is then as it
 *         was. */
CG_MUST_USE cg_err cg_cert_issue(const struct cg_signer *identity, const struct cg_cert_ask *ask,
                                 struct cg_span wallet_doc, struct cg_span staple,
                                 struct cg_buf *out);
/* cg_cert_write appends a certificate again, with another wallet_doc and staple beside it. */
CG_MUST_USE cg_err cg_cert_write(const struct cg_cert *cert, struct cg_span wallet_doc,
                                 struct cg_span staple, struct cg_buf *out);
/* cg_cert_write_json appends the view for people; the signatures are hex under "signature". */
CG_MUST_USE cg_err cg_cert_write_json(const struct cg_cert *cert, struct cg_buf *out);

#endif
