#include "runtime/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif

/* A descriptor 0, 1 or 2 that is closed would become a socket, and a library's message would go to
 * a peer. */
static bool hold_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", O_RDWR | O_NOCTTY) != fd)
            return false;
    }
    return true;
}

/* Keys must not come out by a crash's core file or by another process of the same user. */
static bool keep_memory_private(void)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return false;
#ifndef IS_SANITIZED /* the leak checker attaches to its own process */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return false;
#endif
    return true;
}

cg_err cg_daemon_harden(struct cg_problems *problems)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    umask(S_IRWXG | S_IRWXO);
    if (!hold_standard_files() || !keep_memory_private() ||
        sigaction(SIGPIPE, &ignore, NULL) != 0) {
        cg_problem_add(problems, "", 0, 0,
                       "cannot make the process private: the system says %s; look at what runs it "
                       "(seccomp, container)",
                       strerrorname_np(errno));
        return CG_IO;
    }
    return CG_OK;
}

cg_err cg_daemon_raise_files(int64_t want, int64_t *now)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return CG_IO;
    rlim_t aim = want > 0 && (rlim_t)want < files.rlim_max ? (rlim_t)want : files.rlim_max;
    if (aim != files.rlim_cur) {
        files.rlim_cur = aim;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            return CG_IO;
    }
    *now = aim == RLIM_INFINITY ? INT64_MAX : (int64_t)aim;
    return CG_OK;
}
