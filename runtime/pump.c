#include "runtime/pump.h"

#include "lib/base/span.h"
#include "runtime/loop_inner.h"
#include "runtime/pump_inner.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 1000
/* What may be on its way when the other end has not read our last word yet: both kernels' buffers.
 */
#define LINGER_MAX_BYTES (8 * 1024 * 1024)

/* Who takes less in all the time he has is none that reads slowly. */
#define MOVED_MIN_BYTES 4096

enum state {
    TALKING,
    LINGERING, /* the engine is gone, what still comes is dropped */
    GONE,      /* the socket is closed */
};

struct cg_conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    int fd;
    enum state state;
    bool is_reading, is_open_told;
    bool has_eof, eof_is_told;
    bool is_stuck; /* libuv holds rest until the socket takes it */
    bool is_dead;  /* the socket is good for nothing any more */
    bool is_hasty; /* close after one more try to write */
    bool is_late;  /* over, and its reader took nothing for too long */
    bool lingers;
    cg_err why; /* CG_OK: the engine knows */

    struct cg_loop *loop;
    struct cg_engine *engine;
    const struct cg_conn_events *events;
    void *owner;
    struct cg_conn_set *set;
    struct cg_conn *next, *prev;

    struct cg_task flush;
    struct cg_timer timer;
    struct cg_buf kept; /* read, but not yet taken by the engine */
    struct cg_buf rest; /* pulled, but not yet taken by the socket */
    uv_write_t write;
    size_t n_queued; /* outstanding when last looked at */
    int64_t stall_ms;
    struct cg_mono stalled; /* when the socket has to have taken something; CG_NEVER: not stuck */
    size_t n_dropped;       /* while it lingers */
    struct cg_peer peer;
};

static void flush(struct cg_task *task);
static void on_timer(struct cg_timer *timer);

/* --- what others may ask --- */

struct cg_loop *cg_conn_loop(struct cg_conn *conn)
{
    return conn->loop;
}

struct cg_engine *cg_conn_engine(struct cg_conn *conn)
{
    return conn->engine;
}

const struct cg_peer *cg_conn_peer(const struct cg_conn *conn)
{
    return &conn->peer;
}

void *cg_conn_owner(const struct cg_conn *conn)
{
    return conn->owner;
}

void cg_conn_set_owner(struct cg_conn *conn, void *owner)
{
    conn->owner = owner;
}

bool cg_conn_is_open(const struct cg_conn *conn)
{
    return conn->state == TALKING && conn->is_open_told && !conn->is_dead &&
           cg_engine_state(conn->engine) != CG_ENGINE_CLOSED;
}

struct cg_conn *cg_conn_next(const struct cg_conn *conn)
{
    return conn->next;
}

void cg_conn_set_stall(struct cg_conn *conn, int64_t ms)
{
    conn->stall_ms = ms;
}

void cg_conn_join(struct cg_conn *conn, struct cg_conn_set *set, bool lingers)
{
    conn->set = set;
    conn->lingers = lingers;
    conn->next = set->first;
    if (set->first)
        set->first->prev = conn;
    set->first = conn;
    set->n++;
}

static void leave_set(struct cg_conn *conn)
{
    struct cg_conn_set *set = conn->set;

    if (!set)
        return;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        set->first = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->set = NULL;
    set->n--;
    if (set->on_gone)
        set->on_gone(set);
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_socket(struct cg_conn *conn)
{
    conn->state = GONE;
    cg_loop_forget(conn->loop, &conn->flush);
    cg_loop_unset(conn->loop, &conn->timer);
    cg_buf_done(&conn->kept);
    uv_close(&conn->io.handle, on_closed); /* rest is libuv's until then */
    leave_set(conn);
}

static void look(struct cg_conn *conn);
static bool start_reading(struct cg_conn *conn);

/* Our last byte is written, or never will be. */
static void finish(struct cg_conn *conn)
{
    struct cg_engine *engine = conn->engine;
    cg_err why = conn->why != CG_OK ? conn->why : cg_engine_why(engine);

    look(conn); /* what is open is told that it is over */
    conn->state = LINGERING;
    conn->events->on_close(conn, why);
    conn->engine = NULL;
    cg_engine_free(engine);
    if (!conn->lingers || conn->has_eof || conn->is_dead || conn->is_stuck ||
        shutdown(conn->fd, SHUT_WR) != 0 || !start_reading(conn)) {
        close_socket(conn);
        return;
    }
    cg_loop_set(conn->loop, &conn->timer, cg_mono_after(cg_loop_mono(conn->loop), LINGER_MS));
}

static void die(struct cg_conn *conn, cg_err why)
{
    if (conn->is_dead)
        return;
    conn->is_dead = true;
    if (conn->state == TALKING) {
        if (conn->why == CG_OK && cg_engine_state(conn->engine) != CG_ENGINE_CLOSED)
            conn->why = why;
        cg_engine_abort(conn->engine, why);
    }
    cg_loop_at_end(conn->loop, &conn->flush);
}

static cg_err err_of(int error)
{
    switch (error) {
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
        return CG_CLOSED;
    case ETIMEDOUT:
        return CG_TIMEOUT;
    default:
        return CG_IO;
    }
}

/* --- in --- */

static void feed(struct cg_conn *conn, struct cg_span in, size_t *taken)
{
    *taken = 0;
    /* An error makes the engine CLOSED: flush sees to the rest, what is left over is of no use. */
    if (cg_engine_feed(conn->engine, in, cg_loop_mono(conn->loop), taken) != CG_OK)
        *taken = in.len;
}

/* Tells the owner what the engine has to tell. */
static void look(struct cg_conn *conn)
{
    struct cg_exchange *exchange;
    unsigned what;

    if (!conn->is_open_told) {
        enum cg_engine_state state = cg_engine_state(conn->engine);

        if (state == CG_ENGINE_OPENING || state == CG_ENGINE_CLOSED)
            return;
        conn->is_open_told = true;
        conn->events->on_open(conn);
    }
    while ((exchange = cg_engine_ready(conn->engine, &what)))
        conn->events->on_exchange(conn, exchange, what);
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct cg_conn *conn = handle->data;

    (void)suggested;
    *out = uv_buf_init(conn->loop->in, sizeof conn->loop->in);
}

static void stop_reading(struct cg_conn *conn)
{
    if (conn->is_reading) {
        conn->is_reading = false;
        uv_read_stop(&conn->io.stream);
    }
}

static void drop_input(struct cg_conn *conn, ssize_t n)
{
    if (n > 0)
        conn->n_dropped += (size_t)n;
    if (n < 0 || conn->n_dropped > LINGER_MAX_BYTES)
        close_socket(conn);
}

/* libuv takes a hang-up behind the last bytes for an end, also where the other end broke off: only
 * the socket knows that it was reset, and a message that ends with its connection must not. */
static int error_at_end(const struct cg_conn *conn)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct cg_conn *conn = stream->data;
    struct cg_span in = cg_span_of(buf->base, n > 0 ? (size_t)n : 0);
    size_t taken;

    if (n == 0)
        return;
    if (conn->state == LINGERING) {
        drop_input(conn, n);
        return;
    }
    if (n == UV_EOF) {
        int error = error_at_end(conn);

        conn->has_eof = true;
        stop_reading(conn);
        if (error != 0)
            die(conn, err_of(error));
    } else if (n < 0) {
        stop_reading(conn);
        die(conn, err_of((int)-n));
    } else {
        feed(conn, in, &taken);
        if (taken < in.len) {
            stop_reading(conn);
            if (cg_buf_add(&conn->kept, cg_span_from(in, taken)) != CG_OK)
                die(conn, CG_NO_MEMORY);
        }
        look(conn);
    }
    cg_loop_at_end(conn->loop, &conn->flush);
}

static bool start_reading(struct cg_conn *conn)
{
    if (!conn->is_reading)
        conn->is_reading = uv_read_start(&conn->io.stream, lend_buffer, on_read) == 0;
    return conn->is_reading;
}

/* --- out --- */

/* Bytes on their way that the other end has not confirmed. The kernel's part counts: its queue
 * makes room only by the megabyte, and who takes that slowly still takes. */
static size_t outstanding(struct cg_conn *conn)
{
    int n = 0;

    if (ioctl(conn->fd, SIOCOUTQ, &n) != 0 || n < 0)
        n = 0;
    return uv_stream_get_write_queue_size(&conn->io.stream) + (size_t)n;
}

static void set_stalled(struct cg_conn *conn)
{
    conn->n_queued = outstanding(conn);
    conn->stalled = cg_mono_after(cg_loop_mono(conn->loop), conn->stall_ms);
}

static void on_written(uv_write_t *write, int status)
{
    struct cg_conn *conn = write->data;

    conn->is_stuck = false;
    conn->stalled = CG_NEVER;
    cg_buf_done(&conn->rest);
    if (conn->state == GONE)
        return;
    if (status < 0)
        die(conn, err_of(-status));
    cg_loop_at_end(conn->loop, &conn->flush);
}

static void wait_for_room(struct cg_conn *conn, struct cg_span left)
{
    uv_buf_t buf;

    cg_buf_init(&conn->rest, left.len);
    if (cg_buf_add(&conn->rest, left) != CG_OK) {
        die(conn, CG_NO_MEMORY);
        return;
    }
    buf = uv_buf_init((char *)conn->rest.at, (unsigned)conn->rest.len);
    conn->write.data = conn;
    int rc = uv_write(&conn->write, &conn->io.stream, &buf, 1, on_written);
    if (rc != 0) {
        cg_buf_done(&conn->rest);
        die(conn, err_of(-rc));
        return;
    }
    conn->is_stuck = true;
    set_stalled(conn);
}

/* The one write of a pass: what the engine has for the other end, from the loop's buffer. */
static void write_once(struct cg_conn *conn)
{
    struct cg_buf *out = &conn->loop->out;
    struct cg_span left;
    ssize_t n;

    cg_buf_clear(out);
    /* An error makes the engine CLOSED, with its last words in out. */
    (void)!cg_engine_pull(conn->engine, out);
    left = cg_buf_span(out);
    if (left.len == 0)
        return;
    do
        n = send(conn->fd, left.at, left.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        die(conn, err_of(errno));
        return;
    }
    left = cg_span_from(left, n > 0 ? (size_t)n : 0);
    if (left.len > 0)
        wait_for_room(conn, left);
}

static bool can_write(const struct cg_conn *conn)
{
    return !conn->is_dead && !conn->is_stuck && (cg_engine_wants(conn->engine) & CG_WANT_WRITE);
}

static void feed_kept(struct cg_conn *conn)
{
    size_t taken;

    if (conn->kept.len > 0 && (cg_engine_wants(conn->engine) & CG_WANT_READ)) {
        feed(conn, cg_buf_span(&conn->kept), &taken);
        cg_buf_drop(&conn->kept, taken);
        if (conn->kept.len == 0) {
            cg_buf_done(&conn->kept); /* a connection that waits shall be small */
            cg_buf_init(&conn->kept, CG_LOOP_READ_BYTES);
        }
    }
    if (conn->has_eof && !conn->eof_is_told && conn->kept.len == 0) {
        conn->eof_is_told = true;
        cg_engine_eof(conn->engine, cg_loop_mono(conn->loop));
    }
}

/* Reading and the deadline follow the engine's wishes; neither costs anything while they stay. */
static void settle(struct cg_conn *conn)
{
    bool wants = !conn->has_eof && !conn->is_dead && conn->kept.len == 0 &&
                 (cg_engine_wants(conn->engine) & CG_WANT_READ);

    if (!wants)
        stop_reading(conn);
    else if (!start_reading(conn))
        die(conn, CG_IO);
    cg_loop_set(conn->loop, &conn->timer,
                cg_mono_earlier(cg_engine_deadline(conn->engine), conn->stalled));
}

/* A peer that hangs up behind its whole answer has done nothing wrong, and the answer is ours: it
 * stays until its reader has taken it, or for as long as a reader may take to take nothing. */
static bool may_wait_for_reader(const struct cg_conn *conn)
{
    return !conn->is_hasty && !conn->is_late && cg_engine_is_unread(conn->engine);
}

static void wait_for_reader(struct cg_conn *conn)
{
    stop_reading(conn);
    cg_loop_set(conn->loop, &conn->timer, cg_mono_after(cg_loop_mono(conn->loop), conn->stall_ms));
}

/* At the end of the pass. */
static void flush(struct cg_task *task)
{
    struct cg_conn *conn = (struct cg_conn *)((char *)task - offsetof(struct cg_conn, flush));
    bool is_over;

    if (conn->state != TALKING) {
        if (conn->is_dead && conn->state == LINGERING)
            close_socket(conn);
        return;
    }
    feed_kept(conn);
    look(conn);
    if (can_write(conn)) {
        write_once(conn);
        look(conn); /* room for more, or an answer that is out */
    }

    is_over = cg_engine_state(conn->engine) == CG_ENGINE_CLOSED;
    if (conn->is_dead || (is_over && !can_write(conn) && (!conn->is_stuck || conn->is_hasty))) {
        if (may_wait_for_reader(conn))
            wait_for_reader(conn);
        else
            finish(conn);
        return;
    }
    settle(conn);
    if (can_write(conn) || (conn->kept.len > 0 && (cg_engine_wants(conn->engine) & CG_WANT_READ)))
        cg_loop_at_end(conn->loop, &conn->flush);
}

/* --- time --- */

static void check_stall(struct cg_conn *conn, struct cg_mono now)
{
    size_t least = conn->n_queued < MOVED_MIN_BYTES ? conn->n_queued : MOVED_MIN_BYTES;

    if (!cg_mono_is_due(conn->stalled, now))
        return;
    if (outstanding(conn) + least <= conn->n_queued)
        set_stalled(conn); /* slow, not dead */
    else
        die(conn, CG_TIMEOUT);
}

static void on_timer(struct cg_timer *timer)
{
    struct cg_conn *conn = (struct cg_conn *)((char *)timer - offsetof(struct cg_conn, timer));
    struct cg_mono now = cg_loop_mono(conn->loop);

    if (conn->state == LINGERING) {
        close_socket(conn);
        return;
    }
    if (conn->is_dead || cg_engine_state(conn->engine) == CG_ENGINE_CLOSED)
        conn->is_late = true; /* nobody took what is left */
    check_stall(conn, now);
    /* Out of time: the engine is CLOSED then, and knows why. */
    if (cg_mono_is_due(cg_engine_deadline(conn->engine), now))
        (void)!cg_engine_tick(conn->engine, now);
    cg_loop_at_end(conn->loop, &conn->flush);
}

/* --- the owner's wishes --- */

void cg_conn_wake(struct cg_conn *conn)
{
    if (conn->state == TALKING)
        cg_loop_at_end(conn->loop, &conn->flush);
}

void cg_conn_drain(struct cg_conn *conn)
{
    if (conn->state != TALKING)
        return;
    cg_engine_shutdown(conn->engine);
    cg_loop_at_end(conn->loop, &conn->flush);
}

void cg_conn_close(struct cg_conn *conn, cg_err why)
{
    if (conn->state != TALKING)
        return;
    if (conn->why == CG_OK)
        conn->why = why;
    conn->is_hasty = true;
    cg_engine_abort(conn->engine, why);
    cg_loop_at_end(conn->loop, &conn->flush);
}

void cg_conn_cut(struct cg_conn *conn, cg_err why)
{
    if (conn->state == TALKING) {
        cg_conn_close(conn, why);
        if (can_write(conn))
            write_once(conn);
        conn->is_dead = true;
        finish(conn);
    } else if (conn->state == LINGERING) {
        close_socket(conn);
    }
}

/* --- the beginning --- */

/* Whatever happens from here, the handle owns the descriptor. */
static int open_handle(struct cg_conn *conn, int fd, enum cg_address_kind kind)
{
    int rc;

    if (kind == CG_ADDRESS_UNIX) {
        uv_pipe_init(&conn->loop->uv, &conn->io.pipe, 0);
        conn->io.handle.data = conn;
        rc = uv_pipe_open(&conn->io.pipe, fd);
    } else {
        uv_tcp_init(&conn->loop->uv, &conn->io.tcp);
        conn->io.handle.data = conn;
        rc = uv_tcp_open(&conn->io.tcp, fd);
    }
    if (rc != 0)
        close(fd);
    return rc;
}

cg_err cg_conn_new(struct cg_loop *loop, int fd, const struct cg_peer *peer,
                   struct cg_engine *engine, const struct cg_conn_events *events, void *owner,
                   struct cg_conn **out)
{
    struct cg_conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        close(fd);
        cg_engine_free(engine);
        return CG_NO_MEMORY;
    }
    conn->loop = loop;
    conn->fd = fd;
    conn->peer = *peer;
    conn->events = events;
    conn->owner = owner;
    conn->flush = (struct cg_task){.run = flush};
    conn->stall_ms = CG_SEND_STALL_MS;
    conn->stalled = CG_NEVER;
    cg_timer_init(&conn->timer, on_timer);
    cg_buf_init(&conn->kept, CG_LOOP_READ_BYTES);
    if (open_handle(conn, fd, peer->at.kind) != 0) {
        uv_close(&conn->io.handle, on_closed);
        cg_engine_free(engine);
        return CG_IO;
    }
    conn->engine = engine;
    cg_loop_at_end(loop, &conn->flush); /* a client speaks first; all begin to read */
    *out = conn;
    return CG_OK;
}
