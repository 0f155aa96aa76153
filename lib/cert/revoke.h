/* revoke.h: the statement that a certificate is revoked, as the ledger's "tlsls-rev" entries hold.
 *
 *   COSE httpcg-revoke/v1 over {"v":1,"did":tstr,"time":uint,"fingerprint":bstr32}, signed by the
 *   DID's present keys; or, where those were stolen, the same with "ed25519" and "mldsa87": the
 *   keys that the DID's next commitment proves, which then sign. */
#ifndef CG_LIB_CERT_REVOKE_H
#define CG_LIB_CERT_REVOKE_H
#include "lib/base/buf.h"

#include <httpcg/cert.h>

struct cg_revoke {
    struct cg_waddr did;
    struct cg_wall time;
    struct cg_hash fingerprint;
    bool by_next; /* signed by the next keys, which the statement brings along */
    struct cg_public_keys next_keys;
};

/* cg_revoke_issue appends a statement; by_next says whether signer holds the next keys.
 * Errors  CG_CRYPTO, CG_NO_MEMORY, CG_TOO_LARGE; out is then as it was. */
CG_MUST_USE cg_err cg_revoke_issue(const struct cg_signer *signer, const struct cg_waddr *did,
                                   struct cg_wall time, const struct cg_hash *fingerprint,
                                   bool by_next, struct cg_buf *out);
/* cg_revoke_read takes a statement apart; nothing is verified.
 * Errors  those of a malformed document. */
CG_MUST_USE cg_err cg_revoke_read(struct cg_span wire, struct cg_revoke *out);
/* cg_revoke_verify reads a statement and checks it against the DID's state.
 * Errors  CG_MISMATCH (another DID), CG_PROOF (not the next keys), CG_KEY, CG_SIGNATURE, CG_CRYPTO,
 *         and those of a malformed document. */
CG_MUST_USE cg_err cg_revoke_verify(const struct cg_crypto *crypto, struct cg_span wire,
                                    const struct cg_did_state *state, struct cg_revoke *out);

#endif
