/* kit.h: the inside of struct cg_kit. */
#ifndef CG_LIB_QLOCK_KIT_H
#define CG_LIB_QLOCK_KIT_H
#include "lib/base/buf.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/mac.h"

#include <httpcg/qlock.h>

struct cg_kit {
    const struct cg_crypto *crypto;
    struct cg_mac *mac;
    struct cg_hasher *hasher;
    struct cg_buf scratch; /* for one call; whoever uses it clears it first */
};

#endif
