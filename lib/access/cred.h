/* cred.h: role credentials: an owner's signed statement that a wallet has a role, which travels in
 * the wallet's grant.
 *
 * Three questions, kept apart: what a document says (cg_cred_open), whether its owner signed it
 * (cg_cred_verify, half a millisecond), and whether it counts for a request (cg_cred_counts, which
 * is asked anew each time: credentials end). */
#ifndef CG_LIB_ACCESS_CRED_H
#define CG_LIB_ACCESS_CRED_H
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/wire/writer.h"

#include <httpcg/policy.h>

#define CG_CRED_NONCE_BYTES 16

/* cg_cred_read and cg_cred_write: the payload of a credential's COSE document.
 * Owns    spans of out borrow from wire. */
CG_MUST_USE cg_err cg_cred_read(struct cg_span wire, struct cg_cred *out);
CG_MUST_USE cg_err cg_cred_write(const struct cg_cred *cred,
                                 const uint8_t nonce[static CG_CRED_NONCE_BYTES],
                                 struct cg_writer *out);

/* cg_cred_issue signs one with its owner's keys and appends the document.
 * Errors  CG_SCHEMA (aud or role is no word, a time before 1970), CG_CRYPTO, CG_NO_MEMORY,
 *         CG_TOO_LARGE; out is then as it was. */
CG_MUST_USE cg_err cg_cred_issue(const struct cg_signer *owner, const struct cg_cred *cred,
                                 const uint8_t nonce[static CG_CRED_NONCE_BYTES],
                                 struct cg_buf *out);
/* cg_cred_open tells what a document says; nothing is verified.
 * Owns    spans of out borrow from wire.
 * Errors  CG_TOO_LARGE (over CG_CRED_MAX_BYTES), those of cg_cose_read and of the payload's schema.
 */
CG_MUST_USE cg_err cg_cred_open(struct cg_span wire, struct cg_cred *out);
/* cg_cred_verify opens one and checks both signatures under the keys that its owner has now.
 * Errors  as cg_cred_open; CG_MISMATCH (another owner's), CG_REVOKED (the owner's DID is
 *         deactivated), CG_SIGNATURE, CG_CRYPTO, CG_NO_MEMORY.
 * Source  docs/protocol/policy.md, "Role credentials" */
CG_MUST_USE cg_err cg_cred_verify(const struct cg_crypto *crypto, struct cg_span wire,
                                  const struct cg_did_state *owner, struct cg_cred *out);
/* cg_cred_counts tells whether a credential is for this profile and wallet, and not over. */
bool cg_cred_counts(const struct cg_cred *cred, const struct cg_waddr *owner, struct cg_span aud,
                    const struct cg_waddr *wallet, struct cg_wall now);

#endif
