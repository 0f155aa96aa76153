#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

void cg_scratch_init(struct cg_scratch *scratch)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(scratch->path, sizeof scratch->path, "%s/httpcg-XXXXXX",
             tmp && snprintf(NULL, 0, "%s", tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(scratch->path)) {
        perror(scratch->path);
        exit(2);
    }
}

static int drop(const char *path, const struct stat *stat, int what, struct FTW *at)
{
    (void)stat, (void)what, (void)at;
    return remove(path);
}

void cg_scratch_done(struct cg_scratch *scratch)
{
    if (scratch->path[0])
        nftw(scratch->path, drop, 8, FTW_DEPTH | FTW_PHYS);
    scratch->path[0] = '\0';
}

const char *cg_scratch_file(const struct cg_scratch *scratch, const char *name)
{
    static char paths[4][256];
    static unsigned n;
    char *path = paths[n++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", scratch->path, name);
    return path;
}
