#include "lib/base/secret.h"

#include <string.h>

void cg_wipe(void *at, size_t len)
{
    if (len)
        memset(at, 0, len);
    /* The barrier makes the stores visible to code the compiler cannot see, so they must happen. */
    __asm__ __volatile__("" : : "r"(at) : "memory");
}

void cg_secret_done(struct cg_secret *secret)
{
    cg_wipe(secret->bytes, sizeof secret->bytes);
}

bool cg_ct_eq(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    uint64_t differ = 0;

    /* Eight bytes at a time. The barrier keeps the compiler from ending the loop early: it cannot
     * know what is in differ. */
    for (; len >= 8; x += 8, y += 8, len -= 8) {
        uint64_t p, q;

        memcpy(&p, x, 8);
        memcpy(&q, y, 8);
        differ |= p ^ q;
        __asm__ __volatile__("" : "+r"(differ));
    }
    for (size_t i = 0; i < len; i++) {
        differ |= (uint64_t)(x[i] ^ y[i]);
        __asm__ __volatile__("" : "+r"(differ));
    }
    return differ == 0;
}

bool cg_secret_eq(const struct cg_secret *a, const struct cg_secret *b)
{
    return cg_ct_eq(a->bytes, b->bytes, sizeof a->bytes);
}
