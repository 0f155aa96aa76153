#include "lib/crypto/suite.h"

#include <assert.h>

/* clang-format off */
static const struct cg_alg_info suites[CG_ALG_COUNT] = {
    /*                    name        COSE  key   sig   context */
    [CG_ALG_ED25519] = {"ED25519",    -19,   32,   64,  false},
    [CG_ALG_MLDSA87] = {"ML-DSA-87",  -50, 2592, 4627,  true},
    [CG_ALG_MLDSA44] = {"ML-DSA-44",  -48, 1312, 2420,  true},
};
/* clang-format on */

const struct cg_alg_info *cg_alg_info_of(enum cg_alg alg)
{
    assert((size_t)alg < CG_ALG_COUNT);
    return &suites[alg];
}
