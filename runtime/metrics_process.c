#include "runtime/metrics_inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static cg_err add(struct cg_buf *out, const char *name, const char *kind, const char *help,
                  double value)
{
    char text[512];
    int n = snprintf(text, sizeof text, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name,
                     kind, name, value);

    return cg_buf_add(out, cg_span_of(text, (size_t)n));
}

/* Resident pages are the second number of statm(5). */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long whole = 0, resident = 0;

    if (file) {
        if (fscanf(file, "%lu %lu", &whole, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* The process's start is the 22nd field of stat(5), in ticks since boot; the name in the second may
 * hold spaces and brackets, so fields are counted from the last closing one. */
static double start_time(void)
{
    char line[1024] = "";
    FILE *file = fopen("/proc/self/stat", "re");
    unsigned long long ticks = 0;
    struct timespec wall, boot;

    if (file) {
        if (!fgets(line, sizeof line, file))
            line[0] = '\0';
        fclose(file);
    }
    const char *at = strrchr(line, ')');
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    if (!at || sscanf(at, " %llu", &ticks) != 1)
        return 0;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (double)(wall.tv_sec - boot.tv_sec) + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = -3; /* "." and "..", and the folder itself */

    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

cg_err cg_metrics_process(struct cg_buf *out)
{
    struct timespec cpu;
    struct rlimit files;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    CG_TRY(add(out, "process_cpu_seconds_total", "counter", "CPU time of all threads, in seconds.",
               (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9));
    CG_TRY(add(out, "process_resident_memory_bytes", "gauge", "Memory in use.", resident_bytes()));
    CG_TRY(add(out, "process_start_time_seconds", "gauge", "When the process started (Unix time).",
               start_time()));
    CG_TRY(add(out, "process_open_fds", "gauge", "Open files and sockets.", open_files()));
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return CG_OK;
    return add(out, "process_max_fds", "gauge", "How many there may be.", (double)files.rlim_cur);
}
