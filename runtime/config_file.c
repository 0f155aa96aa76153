#include "runtime/config_file.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* read_all reads at most CG_CONFIG_MAX_BYTES + 1 bytes, to tell a file that is too large. */
static cg_err read_all(int fd, struct cg_buf *out, int *error)
{
    while (out->len <= CG_CONFIG_MAX_BYTES) {
        CG_TRY(cg_buf_room(out, 4096));
        ssize_t n = read(fd, out->at + out->len, out->cap - out->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            *error = errno;
        if (n <= 0)
            return CG_OK;
        out->len += (size_t)n;
    }
    return CG_OK;
}

cg_err cg_config_file_read(const char *path, struct cg_arena *arena, struct cg_problems *problems,
                           struct cg_yaml **out, bool *is_open_to_others)
{
    struct cg_buf text;
    struct stat is;
    int error = 0;
    /* Not blocking: a pipe with nobody at its other end would hold the start for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *out = NULL;
    if (fd < 0 || fstat(fd, &is) != 0) {
        cg_problem_attempt(problems, CG_ATTEMPT_READ, path, NULL, errno);
        if (fd >= 0)
            close(fd);
        return CG_OK;
    }
    cg_buf_init(&text, CG_CONFIG_MAX_BYTES + 2 * 4096);
    cg_err err = S_ISREG(is.st_mode) ? read_all(fd, &text, &error) : CG_OK;
    close(fd);
    *is_open_to_others = (is.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    if (err != CG_OK)
        ;
    else if (!S_ISREG(is.st_mode))
        cg_problem_add(problems, path, 0, 0, "is no regular file");
    else if (error != 0)
        cg_problem_attempt(problems, CG_ATTEMPT_READ, path, NULL, error);
    else if (text.len > CG_CONFIG_MAX_BYTES)
        cg_problem_add(problems, path, 0, 0, "is over %d KiB, too large for a configuration",
                       CG_CONFIG_MAX_BYTES / 1024);
    else
        err = cg_yaml_read(cg_buf_span(&text), path, arena, problems, out);
    cg_buf_wipe(&text);
    return err == CG_CONFIG ? CG_OK : err;
}

cg_err cg_config_folder_of(const char *file, struct cg_arena *arena, const char **out)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    size_t len = slash ? (size_t)(slash - file) : 0;
    char *folder;

    if (!slash) {
        *out = NULL;
        return CG_OK;
    }
    folder = cg_arena_zero(arena, len + 2);
    if (!folder)
        return CG_NO_MEMORY;
    memcpy(folder, file, len ? len : 1);
    *out = folder;
    return CG_OK;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct cg_row_file *)a)->path, ((const struct cg_row_file *)b)->path);
}

/* Editors' leftovers (.name.yaml.swp, name.yaml~) are none of ours. */
static bool is_row_file(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static cg_err add_file(const char *folder, const char *name, const char *suffix,
                       struct cg_arena *arena, struct cg_row_file *out)
{
    size_t len = strlen(folder) + strlen(name) + strlen(suffix) + 2;
    char *path = cg_arena_take(arena, len);

    if (!path)
        return CG_NO_MEMORY;
    snprintf(path, len, "%s/%s%s", folder, name, suffix);
    *out = (struct cg_row_file){.path = path};
    return CG_OK;
}

static bool is_changed(const struct cg_config_change *change, const char *file)
{
    size_t len = change ? strlen(change->name) : 0;

    return change && strncmp(file, change->name, len) == 0 && strcmp(file + len, ".yaml") == 0;
}

cg_err cg_config_folder_list(const char *folder, const struct cg_config_change *change,
                             struct cg_arena *arena, struct cg_problems *problems,
                             struct cg_row_file **out, size_t *n_out)
{
    struct cg_row_file *files =
        cg_arena_zero(arena, (CG_CONFIG_FOLDER_MAX + 1) * sizeof(struct cg_row_file));
    DIR *dir = opendir(folder);
    size_t n = 0;
    cg_err err = files ? CG_OK : CG_NO_MEMORY;

    if (!dir && errno != ENOENT)
        cg_problem_attempt(problems, CG_ATTEMPT_FOLDER, folder, NULL, errno);
    for (struct dirent *entry; err == CG_OK && dir && (entry = readdir(dir));) {
        if (!is_row_file(entry->d_name) || is_changed(change, entry->d_name))
            continue;
        if (n == CG_CONFIG_FOLDER_MAX) {
            cg_problem_add(problems, folder, 0, 0, "holds more than %d files",
                           CG_CONFIG_FOLDER_MAX);
            break;
        }
        err = add_file(folder, entry->d_name, "", arena, &files[n++]);
    }
    if (dir)
        closedir(dir);
    if (err == CG_OK && change && change->bytes.at) {
        err = add_file(folder, change->name, ".yaml", arena, &files[n]);
        files[n++].bytes = change->bytes;
    }
    if (err != CG_OK)
        return err;
    qsort(files, n, sizeof files[0], by_path);
    *out = files;
    *n_out = n;
    return CG_OK;
}
