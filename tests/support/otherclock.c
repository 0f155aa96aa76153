/* otherclock.c: another time of day for one process, to be preloaded (LD_PRELOAD).
 *
 * OTHERCLOCK names a file with a number of seconds, which are added to the time of day; the file is
 * read at each call, so that a test can set the clock of a process that runs. Monotonic clocks
 * stay. It asks the kernel itself and so fits under the sanitizers, which preloaded libraries that
 * look their symbols up do not. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define OUT __attribute__((visibility("default")))

static long seconds(void)
{
    const char *path = getenv("OTHERCLOCK");
    char text[32] = "";
    int before = errno;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    errno = before;
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

OUT int clock_gettime(clockid_t id, struct timespec *out)
{
    long rc = syscall(SYS_clock_gettime, id, out);

    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        out->tv_sec += seconds();
    return (int)rc;
}

OUT time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

OUT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}
