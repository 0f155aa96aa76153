#include "runtime/log_sink.h"

#include "lib/base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640
#define WAIT_MS 1000

static bool is_regular(int fd)
{
    struct stat is;

    return fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
}

static int open_file(const char *file)
{
    return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
}

cg_err cg_log_sink_open(struct cg_log_sink *sink, const char *file, const char *setting,
                        size_t max_bytes, struct cg_problems *problems)
{
    char *name = file ? strdup(file) : NULL;
    int fd = file ? open_file(file) : STDERR_FILENO;

    if (fd < 0 || (file && !name)) {
        cg_problem_attempt(problems, CG_ATTEMPT_WRITE, file, setting, fd < 0 ? errno : ENOMEM);
        if (fd >= 0)
            close(fd);
        free(name);
        return fd < 0 ? CG_IO : CG_NO_MEMORY;
    }
    *sink = (struct cg_log_sink){
        .file = name, .fd = fd, .may_block = !is_regular(fd), .is_open = true, .is_direct = true};
    pthread_mutex_init(&sink->lock, NULL);
    cg_buf_init(&sink->filling, max_bytes);
    cg_buf_init(&sink->writing, max_bytes);
    return CG_OK;
}

bool cg_log_sink_is_open(const struct cg_log_sink *sink)
{
    return sink->is_open;
}

void cg_log_sink_done(struct cg_log_sink *sink)
{
    if (!cg_log_sink_is_open(sink))
        return;
    if (sink->file)
        close(sink->fd);
    free((char *)(uintptr_t)sink->file);
    cg_buf_done(&sink->filling);
    cg_buf_done(&sink->writing);
    pthread_mutex_destroy(&sink->lock);
    *sink = (struct cg_log_sink){0};
}

static uint64_t count_lines(struct cg_span text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == '\n';
    return n;
}

/* A pipe or terminal may be read by nobody. It is asked first, a second at most, and given no more
 * than it takes in one piece, so that the process can always end. */
static bool await_reader(const struct cg_log_sink *sink)
{
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};

    return !sink->may_block || poll(&ready, 1, WAIT_MS) > 0;
}

/* Writes all of it and returns how much went out; less than all means sink->error. */
static size_t write_all(struct cg_log_sink *sink, struct cg_span text)
{
    size_t done = 0;

    sink->error = 0;
    while (done < text.len) {
        size_t most = sink->may_block ? PIPE_BUF : text.len;
        struct cg_span piece = cg_span_first(cg_span_from(text, done), most);
        ssize_t n = -1;

        errno = EAGAIN;
        if (await_reader(sink))
            n = write(sink->fd, piece.at, piece.len);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            sink->error = n == 0 ? EIO : errno;
            return done;
        }
    }
    return done;
}

/* Returns how many lines did not go out. */
static uint64_t write_lines(struct cg_log_sink *sink, struct cg_span text)
{
    size_t done;

    if (text.len == 0)
        return 0;
    /* What a full disk tore off would make one unreadable line of two. */
    if (sink->is_torn && write_all(sink, CG_LIT("\n")) == 0)
        return count_lines(text);
    done = write_all(sink, text);
    sink->is_torn = done > 0 ? text.at[done - 1] != '\n' : false;
    return count_lines(cg_span_from(text, done));
}

bool cg_log_sink_add(struct cg_log_sink *sink, const char *line, size_t len)
{
    struct cg_span text = cg_span_of(line, len);
    bool is_late = false;

    pthread_mutex_lock(&sink->lock);
    if (sink->is_direct) {
        sink->n_dropped += write_lines(sink, text);
    } else if (cg_buf_add(&sink->filling, text) != CG_OK) {
        sink->n_dropped++;
    } else {
        size_t half = sink->filling.max / 2;
        is_late = sink->filling.len >= half && sink->filling.len - len < half;
    }
    pthread_mutex_unlock(&sink->lock);
    return is_late;
}

void cg_log_sink_flush(struct cg_log_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    struct cg_buf full = sink->filling;
    sink->filling = sink->writing;
    sink->writing = full;
    pthread_mutex_unlock(&sink->lock);

    uint64_t n_lost = write_lines(sink, cg_buf_span(&sink->writing));
    cg_buf_clear(&sink->writing);
    if (n_lost > 0) {
        pthread_mutex_lock(&sink->lock);
        sink->n_dropped += n_lost;
        pthread_mutex_unlock(&sink->lock);
    }
}

void cg_log_sink_say(struct cg_log_sink *sink, const char *line, size_t len)
{
    (void)write_lines(sink, cg_span_of(line, len));
}

void cg_log_sink_direct(struct cg_log_sink *sink, bool is_direct)
{
    pthread_mutex_lock(&sink->lock);
    sink->is_direct = is_direct;
    pthread_mutex_unlock(&sink->lock);
}

int cg_log_sink_reopen(struct cg_log_sink *sink)
{
    int fd = sink->file ? open_file(sink->file) : sink->fd;

    if (fd < 0)
        return errno;
    if (sink->file) {
        close(sink->fd);
        sink->fd = fd;
        sink->may_block = !is_regular(fd);
        sink->is_torn = false;
    }
    return 0;
}

uint64_t cg_log_sink_dropped(struct cg_log_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    uint64_t n = sink->n_dropped;
    pthread_mutex_unlock(&sink->lock);
    return n;
}
