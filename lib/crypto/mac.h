/* mac.h: HMAC-SHA-256 and HKDF's two halves on it.
 *
 * A request costs several MACs, and making a context costs four times as much as the MAC itself:
 * so a loop makes one struct cg_mac and re-keys it for each use.  Not shared between threads. */
#ifndef CG_LIB_CRYPTO_MAC_H
#define CG_LIB_CRYPTO_MAC_H
#include <httpcg/err.h>

struct cg_mac;

/* cg_mac_new makes a context without key. Errors CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_mac_new(struct cg_mac **out);
/* cg_mac_free wipes the last key with the context. */
void cg_mac_free(struct cg_mac *mac);

/* cg_mac_whole computes HMAC(key, bytes).
 * Source  RFC 2104 */
CG_MUST_USE cg_err cg_mac_whole(struct cg_mac *mac, const struct cg_secret *key,
                                struct cg_span bytes, struct cg_hash *out);
/* cg_mac_begin, cg_mac_add and cg_mac_end do the same in pieces. */
CG_MUST_USE cg_err cg_mac_begin(struct cg_mac *mac, const struct cg_secret *key);
CG_MUST_USE cg_err cg_mac_add(struct cg_mac *mac, struct cg_span bytes);
CG_MUST_USE cg_err cg_mac_end(struct cg_mac *mac, struct cg_hash *out);
/* cg_mac_check compares in constant time. Errors CG_SIGNATURE (it is another one), CG_CRYPTO. */
CG_MUST_USE cg_err cg_mac_check(struct cg_mac *mac, const struct cg_secret *key,
                                struct cg_span bytes, struct cg_span tag);

/* cg_hkdf_extract makes a pseudorandom key; an empty salt stands for 32 zero bytes.
 * Source  RFC 5869, 2.2 */
CG_MUST_USE cg_err cg_hkdf_extract(struct cg_mac *mac, struct cg_span salt, struct cg_span ikm,
                                   struct cg_secret *prk);
/* cg_hkdf_expand gives the 32 bytes that the protocol always asks for.
 * Source  RFC 5869, 2.3 */
CG_MUST_USE cg_err cg_hkdf_expand(struct cg_mac *mac, const struct cg_secret *prk,
                                  struct cg_span info, struct cg_secret *out);
/* cg_hkdf_expand_to gives len bytes.
 * Errors  CG_TOO_LARGE (over 255 * 32), CG_CRYPTO; out is then undefined. */
CG_MUST_USE cg_err cg_hkdf_expand_to(struct cg_mac *mac, const struct cg_secret *prk,
                                     struct cg_span info, uint8_t *out, size_t len);

#endif
