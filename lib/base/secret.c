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
    const volatile uint8_t *x = a, *y = b;
    uint8_t differ = 0;

    for (size_t i = 0; i < len; i++)
        differ |= x[i] ^ y[i];
    return differ == 0;
}

bool cg_secret_eq(const struct cg_secret *a, const struct cg_secret *b)
{
    return cg_ct_eq(a->bytes, b->bytes, sizeof a->bytes);
}
