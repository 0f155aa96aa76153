/* stamp.h: what the gateway tells a backend about a request, and its signature over that.
 *
 * X-HttpCG-* fields name the verified caller; an RFC 9421 signature by the gateway covers all of
 * them with method, target and body digest, so that a backend can refuse whatever did not come
 * through its gateway (docs/protocol/forward.md). */
#ifndef CG_GATEWAY_STAMP_H
#define CG_GATEWAY_STAMP_H
#include "lib/crypto/mac.h"
#include "lib/crypto/sign.h"
#include "session/message.h"

/* How long a backend may take a signature for. */
#define GW_STAMP_LIFE_S 60

/* How the request was authenticated, and how far its body is vouched for. */
enum gw_auth {
    GW_AUTH_NONE,
    GW_AUTH_GRANT,
    GW_AUTH_ED25519,
    GW_AUTH_HYBRID,
};

enum gw_body_proof {
    GW_BODY_NONE,     /* there is no body */
    GW_BODY_VERIFIED, /* its digest was signed with the head */
    GW_BODY_TRAILER,  /* its signature came behind it; the end is held back until it verified */
    GW_BODY_STREAM,   /* like that, but the backend has seen bytes before */
};

struct gw_stamp {
    struct cg_span original_url;   /* canonical, without fragment */
    struct cg_span wallet_address; /* the caller's; empty: anonymous */
    struct cg_span session_id;     /* empty: none */
    struct cg_span roles;          /* comma-separated; may be empty */
    struct cg_span gateway_did;
    struct cg_span evidence;       /* b64url; or, where it is too long for a field: */
    struct cg_span evidence_ref;   /* its SHA-256, hex */
    struct cg_span wallet_doc_ref; /* likewise, of what the evidence is verified with */
    enum gw_auth auth;
    enum gw_body_proof body;
    uint8_t request_id[16]; /* unique; also the signature's nonce */
};

/* The key a backend knows this gateway by: a secret of the two, or an Ed25519 key of the gateway's
 * that is used for nothing else. */
struct gw_backend_key {
    struct cg_span id;
    const struct cg_secret *secret;   /* hmac-sha256, or NULL: */
    const struct cg_sign_key *signer; /* ed25519 */
};

/* gw_stamp_head adds the X-HttpCG-* fields, Signature-Input and Signature to a head that has none
 * of them. Without a key (NULL) the fields stand unsigned.
 * Units   now is when the signature is made; target is the URL the backend will see.
 * Errors  those of cg_head_add, CG_CRYPTO.
 * Source  RFC 9421, 2.5 and 3.1 */
CG_MUST_USE cg_err gw_stamp_head(struct cg_head *head, const struct gw_stamp *stamp,
                                 struct cg_span target, const struct gw_backend_key *key,
                                 struct cg_mac *mac, struct cg_wall now);

#endif
