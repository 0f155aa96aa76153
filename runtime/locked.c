#include "runtime/locked.h"

#include "lib/base/secret.h"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif

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
    if (cg_memory_lock(locked, len) != CG_OK || madvise(locked, len, MADV_DONTDUMP) != 0 ||
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

/* --- the process ------------------------------------------------------------------------------ */

cg_err cg_memory_private(void)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return CG_IO;
#ifndef IS_SANITIZED /* the leak checker attaches to its own process */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return CG_IO;
#endif
    return CG_OK;
}

static bool has_capability(unsigned number)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[number / 32].effective & (1u << number % 32)) != 0;
}

/* The kernel is asked directly: sanitizers make mlock a no-op, and what is not done there would not
 * be tested. */
cg_err cg_memory_lock(void *at, size_t len)
{
    return syscall(SYS_mlock, at, len) == 0 ? CG_OK : CG_DENIED;
}

cg_err cg_memory_lock_all(void)
{
    struct rlimit limit;

    /* With a limit that is not reached now the next allocations would fail. */
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        (limit.rlim_cur != RLIM_INFINITY && !has_capability(CAP_IPC_LOCK)))
        return CG_DENIED;
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0 ? CG_OK : CG_DENIED;
}
