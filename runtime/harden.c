#include "runtime/daemon.h"
#include "runtime/locked.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

cg_err cg_daemon_harden(struct cg_problems *problems)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    umask(S_IRWXG | S_IRWXO);
    if (!hold_standard_files() || cg_memory_private() != CG_OK ||
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
