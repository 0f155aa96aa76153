/* cose.h: signed documents: COSE_Sign with exactly two signatures, Ed25519 then ML-DSA-87.
 *
 *   98([ body_protected, unprotected, payload, [[h'a10132', {}, sig], [h'a1013831', {}, sig]] ])
 *   body_protected = {2: ["hsig"], 16: "application/<type>+cose", "hsig": [-19, -50]}
 *   signed, by each: ["Signature", body_protected, signer_protected, label, payload]
 *
 * "hsig" is critical and signed by both, so leaving a signature out is visible and a verifier that
 * does not know it must refuse.  The unprotected header may carry wallet_doc and staple, which
 * prove themselves (RFC 9052, 4.4; RFC 9864; RFC 9964; docs/protocol/cose.md). */
#ifndef CG_LIB_IDENTITY_COSE_H
#define CG_LIB_IDENTITY_COSE_H
#include "lib/base/buf.h"

#include <httpcg/crypto.h>

enum cg_doc_type {
    CG_DOC_TLSLS,
    CG_DOC_DIDOP,
    CG_DOC_POLICY,
    CG_DOC_RELAY,
    CG_DOC_RELAYLIST,
    CG_DOC_SERVICE,
    CG_DOC_REVOKE,
    CG_DOC_ROLE,
    CG_DOC_KEM,
    CG_DOC_MANIFEST,
    CG_DOC_COUNT
};

/* cg_doc_label gives what is signed as external_aad, such as "httpcg-tlsls/v1". */
const char *cg_doc_label(enum cg_doc_type type);
/* cg_doc_media_type gives the content type, such as "application/tlsls+cose". */
const char *cg_doc_media_type(enum cg_doc_type type);

/* A document taken apart; spans point into its bytes. */
struct cg_cose {
    enum cg_doc_type type;
    struct cg_span body_protected;
    struct cg_span payload;
    struct cg_span sig_ed25519;
    struct cg_span sig_mldsa87;
    struct cg_span wallet_doc; /* unprotected; empty where absent */
    struct cg_span staple;
};

/* cg_cose_issue signs a payload (one CBOR item, canonical: the caller's business) and appends the
 * document. The unprotected header gets wallet_doc and staple where they are not empty.
 * Errors  CG_CRYPTO, CG_TOO_LARGE, CG_NO_MEMORY; out is then as it was. */
CG_MUST_USE cg_err cg_cose_issue(const struct cg_signer *signer, enum cg_doc_type type,
                                 struct cg_span payload, struct cg_span wallet_doc,
                                 struct cg_span staple, struct cg_buf *out);
/* cg_cose_read takes a document of one type apart: form, header, algorithms, their order, lengths.
 * The payload's canonical form is checked here, its schema by whoever reads it.
 * Errors  CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_CANONICAL, CG_TOO_LARGE (over 96 KiB), CG_SYNTAX. */
CG_MUST_USE cg_err cg_cose_read(struct cg_span wire, enum cg_doc_type type, struct cg_cose *out);
/* cg_cose_write appends the document again, as it is in cose: whoever wants another wallet_doc or
 * staple, or none, changes those members first. */
CG_MUST_USE cg_err cg_cose_write(const struct cg_cose *cose, struct cg_buf *out);
/* cg_cose_check verifies both signatures.
 * Errors  CG_SIGNATURE, CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_cose_check(const struct cg_cose *cose, const struct cg_verifier *verifier);
/* cg_cose_digest names a document in the ledger: H(TUP("httpcg-object/v1"; body_protected,
 * payload)), without signatures, so that a re-signed copy is the same object. */
CG_MUST_USE cg_err cg_cose_digest(const struct cg_cose *cose, struct cg_hash *out);

#endif
