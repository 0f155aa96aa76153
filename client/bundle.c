#include "client/bundle.h"

#include "client/interrupt.h"
#include "lib/base/span.h"

#include <sys/stat.h>
#include <unistd.h>

void cl_bundle_init(struct cl_bundle *bundle, struct cl_run *run)
{
    *bundle = (struct cl_bundle){.run = run};
}

int cl_bundle_plan(struct cl_bundle *bundle, const char *path)
{
    struct stat info;

    if (bundle->n_files == CL_BUNDLE_MAX)
        return cl_fail(bundle->run->show, CL_EXIT_WRITE, CG_INTERNAL, NULL, "%s", path);
    if (lstat(path, &info) == 0)
        return cl_fail(bundle->run->show, CL_EXIT_WRITE, CG_OK,
                       "nothing is ever written over a key; move it away first, or choose another "
                       "--folder",
                       "%s is there already", path);
    snprintf(bundle->files[bundle->n_files++].path, CL_PATH_MAX_BYTES, "%s", path);
    return 0;
}

/* How much of a path is there: "/a/b" of "/a/b/c/d"; nothing of a name in the working folder. */
static size_t length_there(const char *path)
{
    char above[CL_PATH_MAX_BYTES];
    struct stat info;

    snprintf(above, sizeof above, "%s", path);
    while (above[0] && stat(above, &info) != 0) {
        char *slash = strrchr(above, '/');

        *(slash ? slash : above) = '\0';
    }
    return strlen(above);
}

int cl_bundle_begin(struct cl_bundle *bundle, const char *folder)
{
    cl_interrupt_catch(&bundle->run->app);
    bundle->is_begun = true;
    if (!folder)
        return 0;
    int n = snprintf(bundle->folder, sizeof bundle->folder, "%s", folder);
    if (n < 0 || n >= (int)sizeof bundle->folder)
        return cl_fail(bundle->run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "--folder");
    while (n > 1 && bundle->folder[n - 1] == '/')
        bundle->folder[--n] = '\0';
    bundle->n_kept = length_there(bundle->folder);
    return cl_folder(bundle->run, bundle->folder);
}

int cl_bundle_write(struct cl_bundle *bundle, const char *path, struct cg_span bytes)
{
    if (cl_interrupt_pending())
        return cl_fail(bundle->run->show, CL_EXIT_WRITE, CG_CANCELLED, NULL,
                       "%s and what belongs to it are not made", path);
    int code = cl_write_new(bundle->run, path, bytes);

    for (size_t i = 0; code == 0 && i < bundle->n_files; i++)
        if (strcmp(bundle->files[i].path, path) == 0)
            bundle->files[i].is_written = true;
    return code;
}

int cl_bundle_write_key(struct cl_bundle *bundle, const char *path, const struct cl_key *key,
                        struct cg_span passphrase)
{
    struct cg_buf bytes;
    int code = cl_key_seal(bundle->run, path, key, passphrase, &bytes);

    if (code == 0)
        code = cl_bundle_write(bundle, path, cg_buf_span(&bytes));
    cg_buf_done(&bytes);
    return code;
}

/* From the deepest up, as far as they were made; one that is not empty is somebody's. */
static void remove_folders(struct cl_bundle *bundle)
{
    while (strlen(bundle->folder) > bundle->n_kept && rmdir(bundle->folder) == 0) {
        char *slash = strrchr(bundle->folder, '/');

        *(slash ? slash : bundle->folder) = '\0';
    }
}

void cl_bundle_end(struct cl_bundle *bundle, bool is_good)
{
    if (!bundle->is_begun)
        return;
    for (size_t i = 0; !is_good && i < bundle->n_files; i++)
        if (bundle->files[i].is_written && unlink(bundle->files[i].path) != 0)
            cl_fail_more(bundle->run->show, "a file that was made could not be removed again");
    if (!is_good)
        remove_folders(bundle);
    cl_interrupt_release();
    bundle->is_begun = false;
}
