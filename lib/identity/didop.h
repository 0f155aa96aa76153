/* didop.h: issuing the operations that change a DID's keys. Following them is in identity.h. */
#ifndef CG_LIB_IDENTITY_DIDOP_H
#define CG_LIB_IDENTITY_DIDOP_H
#include "lib/base/buf.h"

#include <httpcg/identity.h>

/* cg_didop_issue appends the operation after state `before`, signed by the new keys (those that
 * before->next commits to).
 * next is what the operation after this one must match; NULL writes 32 zero bytes: then only
 * deactivation, by the same keys, is left.
 * Errors  CG_PROOF (new_keys are not the ones committed to), CG_REVOKED, CG_CRYPTO, CG_TOO_LARGE,
 *         CG_NO_MEMORY; out is then as it was. */
CG_MUST_USE cg_err cg_didop_issue(const struct cg_signer *new_keys, enum cg_didop_kind kind,
                                  const struct cg_did_state *before, const struct cg_hash *next,
                                  struct cg_buf *out);
/* cg_didop_read tells the state after an operation by its own word: its form is checked, no link
 * and no signature.  For what was verified before (a ledger's own objects), and to learn which DID
 * an operation claims to be of. Errors  those of a document that is malformed. */
CG_MUST_USE cg_err cg_didop_read(struct cg_span didop, struct cg_did_state *out);
/* cg_did_append writes the wallet_doc that has one more operation.
 * Errors  CG_TOO_LARGE (more than eight), and those of a malformed wallet_doc. */
CG_MUST_USE cg_err cg_did_append(struct cg_span wallet_doc, struct cg_span didop,
                                 struct cg_buf *out);

#endif
