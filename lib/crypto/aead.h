/* aead.h: AES-256-GCM. */
#ifndef CG_LIB_CRYPTO_AEAD_H
#define CG_LIB_CRYPTO_AEAD_H
#include <httpcg/crypto.h>

#define CG_AEAD_NONCE_BYTES 12
#define CG_AEAD_TAG_BYTES 16

/* cg_aead_seal encrypts; a nonce must never be used twice with one key.
 * Units   out holds plain.len + CG_AEAD_TAG_BYTES.
 * Source  NIST SP 800-38D */
CG_MUST_USE cg_err cg_aead_seal(const struct cg_crypto *crypto, const struct cg_secret *key,
                                const uint8_t nonce[static CG_AEAD_NONCE_BYTES], struct cg_span aad,
                                struct cg_span plain, uint8_t *out);
/* cg_aead_open decrypts and checks.
 * Units   out holds sealed.len - CG_AEAD_TAG_BYTES.
 * Errors  CG_SHORT (no room for a tag), CG_MISMATCH (another key, nonce, aad or text); out is then
 *         wiped. */
CG_MUST_USE cg_err cg_aead_open(const struct cg_crypto *crypto, const struct cg_secret *key,
                                const uint8_t nonce[static CG_AEAD_NONCE_BYTES], struct cg_span aad,
                                struct cg_span sealed, uint8_t *out);

#endif
