#include "runtime/entropy.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

cg_err cg_entropy_fill(void *out, size_t len)
{
    uint8_t *at = out;
    size_t done = 0;

    while (done < len) {
        ssize_t n = getrandom(at + done, len - done, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            memset(out, 0, len); /* half of a key looks like a key */
            return CG_IO;
        }
        done += (size_t)n;
    }
    return CG_OK;
}
