/* hybrid.h: the halves of a hybrid key, for the two places that sign with both: HSIG and COSE. */
#ifndef CG_LIB_CRYPTO_HYBRID_H
#define CG_LIB_CRYPTO_HYBRID_H
#include "lib/crypto/sign.h"

/* cg_signer_half borrows one half; alg is CG_ALG_ED25519 or CG_ALG_MLDSA87. */
const struct cg_sign_key *cg_signer_half(const struct cg_signer *signer, enum cg_alg alg);
const struct cg_verify_key *cg_verifier_half(const struct cg_verifier *verifier, enum cg_alg alg);

#endif
