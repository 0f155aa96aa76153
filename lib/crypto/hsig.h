/* hsig.h: the hybrid signature over online transcripts, and its batch form.
 *
 *   T    = "HTTPCG-HSIG-v1:Ed25519+ML-DSA-87" || u8(len(dom)) || dom || SHA-512(message)
 *   HSIG = Ed25519(T) || ML-DSA-87(T, context "HSIG1:" || dom)          64 + 4627 bytes
 *
 * Valid means: both halves are.  HSIG is not strongly unforgeable (two signatures of one message
 * can be mixed into a third), so a signature is never a replay key, a cache key or an identity. */
#ifndef CG_LIB_CRYPTO_HSIG_H
#define CG_LIB_CRYPTO_HSIG_H
#include "lib/base/buf.h"

#include <httpcg/crypto.h>

/* What a signature is for; the name goes into what is signed. */
enum cg_hsig_dom {
    CG_HSIG_INBOX,
    CG_HSIG_GRANT,
    CG_HSIG_SAPI_REQUEST,
    CG_HSIG_SAPI_RESPONSE,
    CG_HSIG_CHANNEL_PROOF,
    CG_HSIG_REGISTRY_OWNER,
    CG_HSIG_REGISTRY_OPERATOR,
    CG_HSIG_NSIG,
    CG_HSIG_DOM_COUNT
};

/* cg_hsig_dom_name gives the name as it is signed, such as "sapi-request". */
const char *cg_hsig_dom_name(enum cg_hsig_dom dom);

/* cg_hsig_sign signs; 1.6 ms, so servers leave it to a worker.
 * Errors  CG_CRYPTO; out is then undefined.
 * Source  docs/protocol/hsig.md */
CG_MUST_USE cg_err cg_hsig_sign(const struct cg_signer *signer, enum cg_hsig_dom dom,
                                struct cg_span message, uint8_t out[static CG_HSIG_BYTES]);
/* cg_hsig_verify accepts only where both halves verify; Ed25519, the cheap one, is asked first.
 * Errors  CG_SIGNATURE, also for a wrong length; CG_CRYPTO. */
CG_MUST_USE cg_err cg_hsig_verify(const struct cg_verifier *verifier, enum cg_hsig_dom dom,
                                  struct cg_span message, struct cg_span sig);

/* HSIG-B: one signature for up to 256 messages. Each message's leaf is H(0x00 || message), the root
 * is the tree head of RFC 9162, 2.1.1, and one HSIG signs TUP("httpcg-batch/v1"; root, u16 count).
 * On the wire: CBOR [sig, index, count, [path...]]; a message alone has count 1 and no path. */
#define CG_BATCH_MAX 256
/* 8 path hashes of 34 bytes behind the signature's 4694 and at most 7 bytes of heads. */
#define CG_BATCH_MAX_BYTES (CG_HSIG_BYTES + 3 + 7 + 8 * 34)

struct cg_batch {
    size_t n;                                   /* messages added */
    struct cg_hash nodes[2 * CG_BATCH_MAX + 8]; /* leaves first, then level by level */
    uint8_t sig[CG_HSIG_BYTES];
};

/* cg_batch_init makes an empty batch; it owns nothing, so there is no end to it. */
void cg_batch_init(struct cg_batch *batch);
/* cg_batch_add adds a message and tells its index. Errors CG_TOO_LARGE (it is full), CG_CRYPTO. */
CG_MUST_USE cg_err cg_batch_add(struct cg_batch *batch, struct cg_span message, size_t *out_index);
/* cg_batch_sign makes the tree and signs its root; the batch must not be empty. */
CG_MUST_USE cg_err cg_batch_sign(struct cg_batch *batch, const struct cg_signer *signer,
                                 enum cg_hsig_dom dom);
/* cg_batch_write appends the wire form for the message at index of a signed batch. */
CG_MUST_USE cg_err cg_batch_write(const struct cg_batch *batch, size_t index, struct cg_buf *out);
/* cg_batch_verify checks the wire form for one message.
 * Errors  CG_SYNTAX, CG_SCHEMA, CG_CANONICAL, CG_SHORT, CG_EXTRA (not the wire form), CG_PROOF
 *         (index, count or path), CG_SIGNATURE, CG_CRYPTO. */
CG_MUST_USE cg_err cg_batch_verify(const struct cg_verifier *verifier, enum cg_hsig_dom dom,
                                   struct cg_span message, struct cg_span wire);

#endif
