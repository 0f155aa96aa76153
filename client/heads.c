#include "client/heads.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_BYTES 160
#define FILE_MAX_BYTES (CL_HEADS_MAX * LINE_BYTES)

static cg_err find_path(const struct cl_app *app, char out[1100])
{
    int n = snprintf(out, 1100, "%s/seen.heads", app->folder);

    return n > 0 && n < 1100 ? CG_OK : CG_TOO_LARGE;
}

static size_t write_line(const struct cl_app *app, size_t log, const struct cg_tlog_seen *head,
                         char out[LINE_BYTES])
{
    char id[2 * CG_LOG_ID_BYTES + 1] = {0}, root[2 * CG_HASH_BYTES + 1] = {0};

    cg_hex_write(CG_BYTES(app->trust->log_ids[log].bytes), id);
    cg_hex_write(cg_hash_span(&head->root), root);
    return (size_t)snprintf(out, LINE_BYTES, "%s %" PRIu64 " %s %" PRId64 "\n", id, head->size,
                            root, head->time.s);
}

cg_err cl_heads_add(const struct cl_app *app, size_t log, const struct cg_tlog_seen *head)
{
    char path[1100], line[LINE_BYTES];
    size_t len = write_line(app, log, head, line);

    CG_TRY(find_path(app, path));
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EACCES ? CG_DENIED : CG_IO;
    /* One write of less than a page: two processes do not mix their lines. */
    off_t at = lseek(fd, 0, SEEK_END);
    bool is_written = at >= FILE_MAX_BYTES || write(fd, line, len) == (ssize_t)len;
    return close(fd) == 0 && is_written ? CG_OK : CG_IO;
}

/* The next word of a line. */
static struct cg_span next_word(struct cg_span *line)
{
    struct cg_span word = cg_span_first(*line, cg_span_find(*line, ' '));

    *line = cg_span_from(*line, word.len + 1);
    return word;
}

static cg_err read_number(struct cg_span text, uint64_t *out)
{
    uint64_t n = 0;

    if (text.len == 0 || text.len > 18)
        return CG_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return CG_SYNTAX;
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    *out = n;
    return CG_OK;
}

static cg_err read_line(struct cg_span line, struct cg_log_id *out_log, struct cg_tlog_seen *out)
{
    uint64_t time;

    CG_TRY(cg_hex_read(next_word(&line), out_log->bytes, sizeof out_log->bytes));
    CG_TRY(read_number(next_word(&line), &out->size));
    CG_TRY(cg_hex_read(next_word(&line), out->root.bytes, CG_HASH_BYTES));
    CG_TRY(read_number(line, &time));
    out->time.s = (int64_t)time;
    return CG_OK;
}

static bool is_known(const struct cg_tlog_seen *heads, size_t n, const struct cg_tlog_seen *head)
{
    for (size_t i = 0; i < n; i++)
        if (heads[i].size == head->size && cg_hash_eq(&heads[i].root, &head->root))
            return true;
    return false;
}

static cg_err read_all(struct cg_span text, const struct cg_log_id *log, struct cg_tlog_seen *out,
                       size_t *out_n)
{
    size_t n = 0;

    while (text.len > 0 && n < CL_HEADS_MAX) {
        struct cg_span line = cg_span_first(text, cg_span_find(text, '\n'));
        struct cg_tlog_seen head;
        struct cg_log_id id;

        text = cg_span_from(text, line.len + 1);
        CG_TRY(read_line(line, &id, &head));
        if (memcmp(id.bytes, log->bytes, sizeof id.bytes) == 0 && !is_known(out, n, &head))
            out[n++] = head;
    }
    *out_n = n;
    return CG_OK;
}

cg_err cl_heads_read(const struct cl_app *app, size_t log, struct cg_tlog_seen **out, size_t *out_n)
{
    char path[1100];
    struct cg_buf text = {0};

    CG_TRY(find_path(app, path));
    cg_err err = cg_file_read(path, FILE_MAX_BYTES + LINE_BYTES, &text);
    if (err == CG_NOT_FOUND) {
        *out = NULL;
        *out_n = 0;
        return CG_OK;
    }
    CG_TRY(err);
    struct cg_tlog_seen *heads = calloc(CL_HEADS_MAX, sizeof *heads);
    err = heads ? read_all(cg_buf_span(&text), &app->trust->log_ids[log], heads, out_n)
                : CG_NO_MEMORY;
    cg_buf_done(&text);
    if (err == CG_OK)
        *out = heads;
    else
        free(heads);
    return err;
}

cg_err cl_heads_keep(const struct cl_app *app, size_t log, const struct cg_tlog_seen *head)
{
    char path[1100], line[LINE_BYTES];
    CG_AUTO(buf) struct cg_buf text = {0};
    CG_AUTO(buf) struct cg_buf kept = {0};
    struct cg_span left;

    CG_TRY(find_path(app, path));
    cg_err err = cg_file_read(path, FILE_MAX_BYTES + LINE_BYTES, &text);
    if (err != CG_OK && err != CG_NOT_FOUND)
        return err;
    cg_buf_init(&kept, FILE_MAX_BYTES + 2 * LINE_BYTES);
    for (left = cg_buf_span(&text); left.len > 0;) {
        struct cg_span one = cg_span_first(left, cg_span_find(left, '\n') + 1);
        struct cg_tlog_seen other;
        struct cg_log_id id;

        left = cg_span_from(left, one.len);
        if (read_line(cg_span_first(one, cg_span_find(one, '\n')), &id, &other) == CG_OK &&
            memcmp(id.bytes, app->trust->log_ids[log].bytes, sizeof id.bytes) != 0)
            CG_TRY(cg_buf_add(&kept, one));
    }
    CG_TRY(cg_buf_add(&kept, cg_span_of(line, write_line(app, log, head, line))));
    return cg_file_write(path, cg_buf_span(&kept));
}
