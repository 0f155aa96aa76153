/* crypto.h: the crypto context, and the hybrid keys that everything else names.
 *
 * A hybrid key is an Ed25519 key and an ML-DSA-87 key that sign together: one half alone proves
 * nothing here.  Public halves are plain bytes (struct cg_public_keys); to verify with them they
 * are checked once and become a struct cg_verifier.  Private halves exist as two 32-byte seeds and,
 * ready for use, as a struct cg_signer.
 *
 * The context fetches every algorithm once.  It is immutable after it was made and may be shared by
 * threads; signers and verifiers borrow it, so it must outlive them.  They are immutable too. */
#ifndef CG_CRYPTO_H
#define CG_CRYPTO_H
#include <httpcg/err.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_ED25519_KEY_BYTES 32
#define CG_ED25519_SIG_BYTES 64
#define CG_MLDSA87_KEY_BYTES 2592
#define CG_MLDSA87_SIG_BYTES 4627
/* Both signatures, Ed25519 first. */
#define CG_HSIG_BYTES (CG_ED25519_SIG_BYTES + CG_MLDSA87_SIG_BYTES)

struct cg_crypto;
struct cg_signer;
struct cg_verifier;

/* The public halves of one hybrid key, as they travel. */
struct cg_public_keys {
    uint8_t ed25519[CG_ED25519_KEY_BYTES];
    uint8_t mldsa87[CG_MLDSA87_KEY_BYTES];
};

/* The private halves of one hybrid key: RFC 8032's seed and FIPS 204's xi. */
struct cg_seeds {
    struct cg_secret ed25519;
    struct cg_secret mldsa87;
};

/* cg_crypto_new fetches the algorithms.
 * Errors  CG_UNSUPPORTED (this OpenSSL lacks one), CG_NO_MEMORY. */
CG_API CG_MUST_USE cg_err cg_crypto_new(struct cg_crypto **out);
/* cg_crypto_new_deterministic makes a context whose ML-DSA signatures are reproducible: for test
 * vectors only, since hedging is what protects a signer from faults and side channels.
 * Source  FIPS 204, 3.4 */
CG_API CG_MUST_USE cg_err cg_crypto_new_deterministic(struct cg_crypto **out);
CG_API void cg_crypto_free(struct cg_crypto *crypto);
/* cg_crypto_library names the library inside, such as "OpenSSL 3.5.7 9 Jun 2026". */
CG_API const char *cg_crypto_library(void);

/* cg_seeds_done wipes. */
CG_API void cg_seeds_done(struct cg_seeds *seeds);

/* cg_signer_new expands both seeds.
 * Owns    copies the seeds, borrows crypto.
 * Errors  CG_CRYPTO, CG_NO_MEMORY. */
CG_API CG_MUST_USE cg_err cg_signer_new(const struct cg_crypto *crypto,
                                        const struct cg_seeds *seeds, struct cg_signer **out);
CG_API void cg_signer_free(struct cg_signer *signer);
/* cg_signer_public gives the public halves; they live as long as the signer. */
CG_API const struct cg_public_keys *cg_signer_public(const struct cg_signer *signer);

/* cg_verifier_new checks both public keys and makes them ready.
 * Owns    copies the keys, borrows crypto.
 * Errors  CG_KEY (an Ed25519 key that is not canonical or of small order), CG_CRYPTO, CG_NO_MEMORY.
 * Source  docs/protocol/hsig.md, "Public keys" */
CG_API CG_MUST_USE cg_err cg_verifier_new(const struct cg_crypto *crypto,
                                          const struct cg_public_keys *keys,
                                          struct cg_verifier **out);
CG_API void cg_verifier_free(struct cg_verifier *verifier);
CG_API const struct cg_public_keys *cg_verifier_public(const struct cg_verifier *verifier);

#ifdef __cplusplus
}
#endif
#endif
