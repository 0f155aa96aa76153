#include "runtime/locked.h"

#include "lib/base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

struct cg_locked {
    struct cg_secret secret;
    size_t len; /* of the mapping */
};

cg_err cg_locked_new(const struct cg_secret *secret, struct cg_locked **out)
{
    size_t len = (size_t)sysconf(_SC_PAGESIZE);
    struct cg_locked *locked =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (locked == MAP_FAILED)
        return CG_NO_MEMORY;
    if (mlock(locked, len) != 0 || madvise(locked, len, MADV_DONTDUMP) != 0 ||
        madvise(locked, len, MADV_WIPEONFORK) != 0) {
        munmap(locked, len);
        return CG_NO_MEMORY;
    }
    locked->len = len;
    locked->secret = *secret;
    *out = locked;
    return CG_OK;
}

void cg_locked_free(struct cg_locked *locked)
{
    if (!locked)
        return;
    size_t len = locked->len;

    cg_secret_done(&locked->secret);
    munlock(locked, len);
    munmap(locked, len);
}

const struct cg_secret *cg_locked_get(const struct cg_locked *locked)
{
    return &locked->secret;
}
