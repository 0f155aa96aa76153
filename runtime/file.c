#include "runtime/file.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static cg_err err_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return CG_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return CG_DENIED;
    case EEXIST:
        return CG_CONFLICT;
    case ENOMEM:
        return CG_NO_MEMORY;
    default:
        return CG_IO;
    }
}

/* --- reading --- */

static cg_err read_all(int fd, struct cg_buf *buf)
{
    for (;;) {
        ssize_t n;

        if (buf->len == buf->cap) {
            /* At the maximum one more byte tells whether the file ends here. */
            uint8_t more;

            if (buf->len == buf->max) {
                n = read(fd, &more, 1);
                if (n < 0 && errno == EINTR)
                    continue;
                return n == 0 ? CG_OK : n > 0 ? CG_TOO_LARGE : CG_IO;
            }
            size_t left = buf->max - buf->len;

            CG_TRY(cg_buf_room(buf, left < 4096 ? left : 4096));
        }
        n = read(fd, buf->at + buf->len, buf->cap - buf->len);
        if (n == 0)
            return CG_OK;
        if (n > 0)
            buf->len += (size_t)n;
        else if (errno != EINTR)
            return CG_IO;
    }
}

static cg_err check_secret(const struct stat *info)
{
    if (info->st_uid != geteuid() && info->st_uid != 0)
        return CG_CONFIG;
    return (info->st_mode & (S_IRWXG | S_IRWXO)) == 0 ? CG_OK : CG_CONFIG;
}

static cg_err read_file(const char *path, size_t max, bool is_secret, struct cg_buf *out)
{
    struct cg_buf buf;
    struct stat info;
    cg_err err;
    /* Not to hang on a pipe or a device that somebody put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_of(errno);
    cg_buf_init(&buf, max);
    /* The descriptor is asked, not the path: what is checked is what is read. */
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        err = CG_IO;
    else
        err = is_secret ? check_secret(&info) : CG_OK;
    if (err == CG_OK && info.st_size > 0 && (uint64_t)info.st_size <= max)
        err = cg_buf_room(&buf, (size_t)info.st_size);
    if (err == CG_OK)
        err = read_all(fd, &buf);
    close(fd);
    if (err != CG_OK) {
        cg_buf_wipe(&buf);
        return err;
    }
    *out = buf;
    return CG_OK;
}

cg_err cg_file_read(const char *path, size_t max, struct cg_buf *out)
{
    return read_file(path, max, false, out);
}

cg_err cg_file_read_secret(const char *path, size_t max, struct cg_buf *out)
{
    return read_file(path, max, true, out);
}

/* --- writing --- */

static cg_err write_all(int fd, struct cg_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.at, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return CG_IO;
        bytes = cg_span_from(bytes, (size_t)n);
    }
    return CG_OK;
}

/* Without it the name may be lost in a crash although the bytes are there. */
static cg_err sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    char *folder = len > 0 ? strndup(path, len) : strdup(slash ? "/" : ".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    cg_err err = fd >= 0 && fsync(fd) == 0 ? CG_OK : CG_IO;

    if (fd >= 0)
        close(fd);
    free(folder);
    return err;
}

/* The neighbour's name is not to be guessed, and O_EXCL follows no link. */
static cg_err open_beside(const char *path, char **out_name, int *out_fd)
{
    uint64_t r;
    char *name;
    int fd;

    CG_TRY(cg_entropy_fill(&r, sizeof r));
    if (asprintf(&name, "%s.%016llx.new", path, (unsigned long long)r) < 0)
        return CG_NO_MEMORY;
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        cg_err err = err_of(errno);

        free(name);
        return err == CG_DENIED ? err : CG_IO;
    }
    *out_name = name;
    *out_fd = fd;
    return CG_OK;
}

/* Only a file gives way to another: a rename over a device would take it from the whole system. */
static bool may_give_way(const char *path)
{
    struct stat info;

    return lstat(path, &info) != 0 || S_ISREG(info.st_mode) || S_ISLNK(info.st_mode);
}

static cg_err write_file(const char *path, struct cg_span bytes, bool may_replace)
{
    char *name;
    int fd;
    cg_err err;

    if (may_replace && !may_give_way(path))
        return CG_IO;
    CG_TRY(open_beside(path, &name, &fd));
    err = write_all(fd, bytes);
    if (err == CG_OK && fsync(fd) != 0)
        err = CG_IO;
    if (close(fd) != 0 && err == CG_OK)
        err = CG_IO;
    /* link, unlike rename, fails where there is a file already. */
    if (err == CG_OK && (may_replace ? rename(name, path) : link(name, path)) != 0) {
        err = err_of(errno);
        if (err != CG_DENIED && err != CG_CONFLICT)
            err = CG_IO;
    }
    if (err != CG_OK || !may_replace)
        unlink(name);
    free(name);
    return err == CG_OK ? sync_folder_of(path) : err;
}

cg_err cg_file_write(const char *path, struct cg_span bytes)
{
    return write_file(path, bytes, true);
}

cg_err cg_file_create(const char *path, struct cg_span bytes)
{
    return write_file(path, bytes, false);
}

cg_err cg_folder_make(const char *path)
{
    struct stat info;

    if (mkdir(path, 0700) == 0)
        return sync_folder_of(path);
    if (errno != EEXIST)
        return errno == EACCES || errno == EPERM || errno == EROFS ? CG_DENIED : CG_IO;
    if (lstat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return CG_IO;
    if (info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return CG_CONFIG;
    return CG_OK;
}

cg_err cg_folder_lock(const char *path, int *out_fd)
{
    char file[PATH_MAX];
    int n = snprintf(file, sizeof file, "%s/lock", path);

    if (n < 0 || (size_t)n >= sizeof file)
        return CG_IO;
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_of(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        cg_err err = errno == EWOULDBLOCK ? CG_CONFLICT : CG_IO;

        close(fd);
        return err;
    }
    *out_fd = fd;
    return CG_OK;
}
