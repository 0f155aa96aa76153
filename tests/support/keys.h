/* keys.h: contexts and keys for tests: made once, freed when the program ends. */
#ifndef CG_TESTS_KEYS_H
#define CG_TESTS_KEYS_H
#include <httpcg/crypto.h>

/* cg_test_crypto gives a context whose signatures are reproducible. */
const struct cg_crypto *cg_test_crypto(void);
/* cg_test_seed gives the 32 bytes first, first + 1, ... that the vectors name "S = 00..1f". */
struct cg_secret cg_test_seed(uint8_t first);
/* cg_test_signer gives the hybrid key derived from cg_test_seed(first), always the same object. */
const struct cg_signer *cg_test_signer(uint8_t first);
/* cg_test_verifier gives its public side. */
const struct cg_verifier *cg_test_verifier(uint8_t first);

#endif
