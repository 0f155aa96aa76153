/* key_heap.h: where OpenSSL keeps private keys: pages that are locked, never dumped, and fenced.
 *
 * What this thread has OpenSSL allocate between begin and end is put there, and wiped when it is
 * freed. OpenSSL's own heap of this kind cannot do it: version 3.5 keeps what it makes of an ML-DSA
 * seed elsewhere, takes Argon2's hundreds of MiB from there, and fails where it is full. Where
 * there is no room here it is the ordinary heap again: keys work, wherever they are. */
#ifndef CG_RUNTIME_KEY_HEAP_H
#define CG_RUNTIME_KEY_HEAP_H
#include <httpcg/crypto.h>
#include <httpcg/identity.h>

/* cg_key_heap_open is for the beginning of a program, before anything of OpenSSL's was used.
 * Units   bytes is rounded up to whole pages.
 * Errors  CG_BUSY (OpenSSL is in use already), CG_NO_MEMORY; keys are then where they always were.
 */
CG_MUST_USE cg_err cg_key_heap_open(size_t bytes);
/* cg_key_heap_is_locked tells whether its pages are kept from the swap: RLIMIT_MEMLOCK may be too
 * small. False also where there is no heap. */
bool cg_key_heap_is_locked(void);
/* cg_key_heap_used tells how many bytes of it are in use. */
size_t cg_key_heap_used(void);

/* They nest. */
void cg_key_heap_begin(void);
void cg_key_heap_end(void);

/* cg_key_heap_signer is cg_wallet_signer, with its keys there. */
CG_MUST_USE cg_err cg_key_heap_signer(const struct cg_crypto *crypto, const struct cg_secret *seed,
                                      struct cg_signer **out);

#endif
