#include "client/output.h"

#include "client/interrupt.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/entropy.h"
#include "runtime/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAFT_NAME_MAX_BYTES 200

static int cannot_write(struct cl_run *run, const char *path, int error)
{
    const char *remedy = NULL;

    if (error == ENOENT)
        remedy = "--create-dirs makes folders that are missing";
    else if (error == EACCES || error == EROFS)
        remedy = "its folder must be writable, too: a file is replaced by a verified one, not "
                 "written over";
    return cl_fail(run->show, CL_EXIT_WRITE, CG_OK, remedy, "cannot write %s: %s", path,
                   strerror(error));
}

static int find_path(struct cl_run *run, const char *path, struct cl_output *out)
{
    const char *folder = cl_text(run->args, CL_OUTPUT_DIR);
    int n = folder && path[0] != '/' ? snprintf(out->path, sizeof out->path, "%s/%s", folder, path)
                                     : snprintf(out->path, sizeof out->path, "%s", path);

    if (n < 0 || n >= (int)sizeof out->path)
        return cl_fail(run->show, CL_EXIT_WRITE, CG_TOO_LARGE, NULL, "the path of the output");
    if (cl_is_on(run->args, CL_CREATE_DIRS) && strrchr(out->path, '/')) {
        char above[CL_PATH_MAX_BYTES];

        snprintf(above, sizeof above, "%s", out->path);
        *strrchr(above, '/') = '\0';
        return above[0] ? cl_folders(run, above) : 0;
    }
    return 0;
}

/* A link stays one: what it leads to is what is written. */
static void follow_link(struct cl_output *out)
{
    char *real = realpath(out->path, NULL);

    if (real && strlen(real) < sizeof out->path)
        snprintf(out->path, sizeof out->path, "%s", real);
    free(real);
}

/* A device or a pipe is written into; only a file can be replaced by another. */
static bool is_special(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static int open_special(struct cl_run *run, struct cl_output *out)
{
    out->file = fopen(out->path, "we");
    if (!out->file)
        return cannot_write(run, out->path, errno);
    out->is_special = true;
    return 0;
}

/* Beside the file, under a name that is as long as may be and still tells whose it is. */
static void name_draft(struct cl_output *out, uint64_t chance)
{
    const char *slash = strrchr(out->path, '/');
    const char *name = slash ? slash + 1 : out->path;

    snprintf(out->draft, sizeof out->draft, "%.*s%.*s.%016llx.part", (int)(name - out->path),
             out->path, DRAFT_NAME_MAX_BYTES, name, (unsigned long long)chance);
}

/* Who may read the file that is there may read the new one, and nobody else. */
static void take_mode(const struct cl_output *out, int fd)
{
    struct stat info;

    if (stat(out->path, &info) == 0 && fchmod(fd, info.st_mode & 0777) != 0)
        (void)fchmod(fd, 0600);
}

static int open_draft(struct cl_run *run, struct cl_output *out)
{
    uint64_t chance;

    if (cg_entropy_fill(&chance, sizeof chance) != CG_OK)
        return cl_fail(run->show, CL_EXIT_WRITE, CG_IO, NULL, "no random bytes");
    name_draft(out, chance);
    /* From here on there is something that must not be left behind. */
    cl_interrupt_catch(&run->app);
    int fd = open(out->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0)
        take_mode(out, fd);
    out->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (out->file)
        return 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    cl_interrupt_release();
    return cannot_write(run, out->path, error);
}

static int open_file(struct cl_run *run, const char *path, struct cl_output *out)
{
    int code = find_path(run, path, out);

    if (code != 0)
        return code;
    follow_link(out);
    return is_special(out->path) ? open_special(run, out) : open_draft(run, out);
}

/* A plain number, or one with K, M or G behind it. */
static cg_err read_size(const char *text, uint64_t *out)
{
    static const char units[] = "kmg";
    char digits[24];
    size_t len = strlen(text);
    unsigned shift = 0;

    if (len == 0 || len >= sizeof digits)
        return CG_SYNTAX;
    memcpy(digits, text, len + 1);
    const char *unit = strchr(units, digits[len - 1] | 0x20);
    if (unit && digits[len - 1] > '9') {
        shift = 10 * (unsigned)(unit - units + 1);
        digits[len - 1] = '\0';
    }
    CG_TRY(cl_number(digits, 0, UINT64_MAX >> 31, out));
    *out <<= shift;
    return CG_OK;
}

int cl_output_open(struct cl_run *run, const char *path, struct cl_output *out)
{
    const char *max = cl_text(run->args, CL_MAX_FILESIZE);

    *out = (struct cl_output){0};
    if (max && read_size(max, &out->max) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--max-filesize %s: no size", max);
    if (path && strcmp(path, "-") != 0)
        return open_file(run, path, out);
    out->file = stdout;
    out->is_terminal = cg_terminal_is(STDOUT_FILENO);
    out->may_be_binary = path != NULL; /* -o - is somebody's will */
    return 0;
}

cg_err cl_output_put(struct cl_output *output, struct cg_span bytes)
{
    if (output->is_terminal && !output->may_be_binary && bytes.len > 0 &&
        memchr(bytes.at, 0, bytes.len)) {
        output->is_binary = true;
        return CG_CANCELLED;
    }
    if (output->max > 0 && bytes.len > output->max - output->n)
        return CG_TOO_LARGE;
    output->n += bytes.len;
    if (fwrite(bytes.at, 1, bytes.len, output->file) == bytes.len) {
        /* People watch terminals; pipes get what there is, too. */
        if (output->path[0] || fflush(output->file) == 0)
            return CG_OK;
    }
    output->error = errno;
    if (errno == EPIPE) {
        /* What is still in the buffer is for nobody. */
        __fpurge(output->file);
        clearerr(output->file);
        output->is_pipe_gone = true;
        return CG_CANCELLED;
    }
    return CG_IO;
}

cg_err cl_output_head(FILE *to, const struct cg_head *head, const char *http_version)
{
    fprintf(to, "HTTP/%s %d\r\n", http_version[0] ? http_version : "2", head->status);
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct cg_field *field = &head->fields[i];

        fprintf(to, "%.*s: %.*s\r\n", (int)field->name.len, (const char *)field->name.at,
                (int)field->value.len, (const char *)field->value.at);
    }
    fputs("\r\n", to);
    return ferror(to) ? CG_IO : CG_OK;
}

int cl_output_end(struct cl_run *run, struct cl_output *output, bool is_good)
{
    if (!output->file)
        return 0;
    if (!output->path[0]) {
        bool is_written = fflush(output->file) == 0 || output->is_pipe_gone;

        output->file = NULL;
        return is_written || !is_good ? 0 : CL_EXIT_WRITE;
    }
    bool is_written = fclose(output->file) == 0;
    output->file = NULL;
    if (output->is_special)
        return is_written || !is_good ? 0 : cannot_write(run, output->path, errno);
    bool is_kept = is_good && is_written && rename(output->draft, output->path) == 0;
    int error = errno;
    if (!is_kept)
        unlink(output->draft);
    cl_interrupt_release();
    if (is_kept || !is_good)
        return 0; /* why was said before */
    return cannot_write(run, output->path, error);
}
