/* evidence.h: what convinces somebody who was not there that a wallet made a request.
 *
 *   [grant bstr, grant_signature bstr4691, tbs bstr, signature bstr]
 *
 * The grant says, under the wallet's identity keys, which session key and which connection speak
 * for it; tbs is what the request's signature covers.  Whoever has the wallet's document needs
 * nothing else, and in particular no word of the gateway's (docs/protocol/forward.md, "Evidence").
 */
#ifndef CG_LIB_SAPI_EVIDENCE_H
#define CG_LIB_SAPI_EVIDENCE_H
#include "lib/base/buf.h"

#include <httpcg/sapi.h>

struct cg_evidence {
    struct cg_span grant, grant_signature;
    struct cg_span tbs, signature; /* signature is raw: 64 bytes, or 4691 */
};

/* cg_evidence_write appends the CBOR. Errors CG_TOO_LARGE, CG_NO_MEMORY; out is then as it was. */
CG_MUST_USE cg_err cg_evidence_write(const struct cg_evidence *evidence, struct cg_buf *out);
/* cg_evidence_read takes it apart; nothing is verified.
 * Owns    spans of out borrow from wire.
 * Errors  CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_CANONICAL, CG_TOO_LARGE. */
CG_MUST_USE cg_err cg_evidence_read(struct cg_span wire, struct cg_evidence *out);

#endif
