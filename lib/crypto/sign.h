/* sign.h: one algorithm's keys and signatures, below HSIG and COSE documents.
 *
 * Used alone only for what the protocol signs with one algorithm: session keys (Ed25519), note
 * lines and cosignatures.  Everything else goes through hsig.h or the COSE documents, which need
 * both halves. */
#ifndef CG_LIB_CRYPTO_SIGN_H
#define CG_LIB_CRYPTO_SIGN_H
#include "lib/crypto/suite.h"

struct cg_sign_key;
struct cg_verify_key;

#define CG_SIG_MAX_BYTES CG_MLDSA87_SIG_BYTES

/* cg_ed25519_key_check refuses public keys under which signatures prove nothing: y at or above the
 * field's prime, and the points of small order in every encoding.  OpenSSL imports all of them.
 * Errors  CG_KEY.
 * Source  RFC 8032, 5.1.3; docs/protocol/hsig.md, "Public keys" */
CG_MUST_USE cg_err cg_ed25519_key_check(const uint8_t key[static CG_ED25519_KEY_BYTES]);

/* cg_sign_key_new expands a 32-byte seed.
 * Owns    borrows crypto, copies the seed. */
CG_MUST_USE cg_err cg_sign_key_new(const struct cg_crypto *crypto, enum cg_alg alg,
                                   const struct cg_secret *seed, struct cg_sign_key **out);
void cg_sign_key_free(struct cg_sign_key *key);
/* cg_sign_key_public writes the suite's key_len bytes. */
CG_MUST_USE cg_err cg_sign_key_public(const struct cg_sign_key *key, uint8_t *out);
/* cg_sign writes the suite's sig_len bytes; context must be empty for Ed25519.
 * Source  RFC 8032, 5.1.6; FIPS 204, Algorithm 2 */
CG_MUST_USE cg_err cg_sign(const struct cg_sign_key *key, struct cg_span context,
                           struct cg_span message, uint8_t *out);

/* cg_verify_key_new takes a public key; Ed25519 keys go through cg_ed25519_key_check.
 * Errors  CG_KEY (also a wrong length), CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_verify_key_new(const struct cg_crypto *crypto, enum cg_alg alg,
                                     struct cg_span key, struct cg_verify_key **out);
void cg_verify_key_free(struct cg_verify_key *key);
/* cg_verify accepts only the one outcome that means valid.
 * Errors  CG_SIGNATURE, also for a wrong length and whenever the library is unsure.
 * Source  RFC 8032, 5.1.7; FIPS 204, Algorithm 3 */
CG_MUST_USE cg_err cg_verify(const struct cg_verify_key *key, struct cg_span context,
                             struct cg_span message, struct cg_span sig);

#endif
