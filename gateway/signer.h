/* signer.h: the thread that signs with the transport keys, many messages at a time.
 *
 * A hybrid signature costs 1.6 ms, whatever it covers.  So whoever comes while one is being made
 * waits for the next, which then covers all that wait (HSIG-B): alone one waits for one signature,
 * in a crowd for two at most. */
#ifndef CG_GATEWAY_SIGNER_H
#define CG_GATEWAY_SIGNER_H
#include "lib/crypto/hsig.h"
#include "runtime/call.h"

struct gw_identity;
struct gw_signer;

/* At most so many may wait; more are refused with CG_BUSY. */
#define GW_SIGNER_QUEUE_MAX 1024

/* gw_signer_new starts the thread. Errors CG_NO_MEMORY, CG_IO. */
CG_MUST_USE cg_err gw_signer_new(struct gw_signer **out);
/* gw_signer_free ends it; what still waits ends with CG_CANCELLED. */
void gw_signer_free(struct gw_signer *signer);

/* gw_sign_begin asks for a signature of message by identity's transport keys.
 * Owns    message is copied, identity referenced until delivery.
 * Errors  now: CG_BUSY, CG_NO_MEMORY; delivered: CG_CRYPTO, CG_TIMEOUT. */
CG_MUST_USE cg_err gw_sign_begin(struct gw_signer *signer, struct gw_identity *identity,
                                 enum cg_hsig_dom dom, struct cg_span message, struct cg_loop *loop,
                                 struct cg_ticket who, unsigned tag, struct cg_mono deadline);
/* gw_signature_of borrows the HSIG-B wire form of a delivered call until on_call returns. */
struct cg_span gw_signature_of(struct cg_call *call);

#endif
