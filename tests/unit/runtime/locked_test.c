#include "tests/support/check.h"

#include "lib/base/secret.h"
#include "runtime/locked.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif

TEST(a_locked_secret_is_a_copy)
{
    struct cg_secret secret = {{1, 2, 3}};
    struct cg_locked *locked;

    CHECK_OK(cg_locked_new(&secret, &locked));
    CHECK(cg_locked_get(locked) != &secret && cg_secret_eq(cg_locked_get(locked), &secret));
    cg_locked_free(locked);
    cg_locked_free(NULL);
}

/* In a child: the rest of the tests may want a core file. */
TEST(a_private_process_leaves_no_core_and_shows_itself_to_nobody)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit core = {1, 1};
        int code = cg_memory_private() == CG_OK ? 0 : 1;

        code |=
            getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : 2;
#ifndef IS_SANITIZED
        code |= prctl(PR_GET_DUMPABLE) == 0 ? 0 : 4;
#endif
        _exit(code);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

/* All memory is locked only where that sets no limit to what can be allocated later. */
TEST(a_limit_of_locked_memory_never_becomes_one_of_all_memory)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit some = {65536, 65536};

        /* Whoever may go beyond limits is nobody here. */
        if (setrlimit(RLIMIT_MEMLOCK, &some) != 0 ||
            (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
            _exit(3);
        _exit(cg_memory_lock_all() == CG_DENIED ? 0 : 1);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(WEXITSTATUS(status), 0);
}

SUITE(locked, T(a_locked_secret_is_a_copy),
      T(a_private_process_leaves_no_core_and_shows_itself_to_nobody),
      T(a_limit_of_locked_memory_never_becomes_one_of_all_memory))
