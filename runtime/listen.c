#include "runtime/listen.h"

#include "runtime/loop_inner.h"
#include "runtime/pump_inner.h"
#include "runtime/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define N_CONNS_DEFAULT 10000
#define BACKLOG 4096
/* So many in one go: a storm of connections must not keep those at work waiting. */
#define ACCEPT_BURST 64
/* Without descriptors: how long before the next try. */
#define REST_MS 100

struct cg_listener {
    uv_poll_t *poll; /* on its own: libuv needs it a little longer than we do */
    struct cg_loop *loop;
    struct cg_listen_options options;
    struct cg_address at;
    int fd;
    struct cg_conn_set conns;
    struct cg_timer timer; /* the end of a rest, or of a drain */
    bool is_polling, is_draining, is_ended;
    struct cg_task drained; /* tells, when nothing of ours is on the stack */
    void (*on_drained)(void *ctx);
    void *drained_ctx;
};

/* --- accepting --- */

static void on_pending(uv_poll_t *poll, int status, int events);

static void stop_polling(struct cg_listener *listener)
{
    if (listener->is_polling) {
        listener->is_polling = false;
        uv_poll_stop(listener->poll);
    }
}

static void start_polling(struct cg_listener *listener)
{
    if (!listener->is_polling && !listener->is_draining && !listener->is_ended) {
        listener->is_polling = true;
        uv_poll_start(listener->poll, UV_READABLE, on_pending);
    }
}

static void rest(struct cg_listener *listener)
{
    stop_polling(listener);
    cg_loop_set(listener->loop, &listener->timer,
                cg_mono_after(cg_loop_mono(listener->loop), REST_MS));
}

static void admit(struct cg_listener *listener, int fd, const struct sockaddr *from, socklen_t len)
{
    const struct cg_listen_options *options = &listener->options;
    struct cg_peer peer = {.has_uid = false};
    struct cg_engine *engine;
    void *owner = options->ctx;
    struct cg_conn *conn;

    cg_address_of_sockaddr(from, len, &peer.at);
    if (listener->at.kind == CG_ADDRESS_UNIX) {
        peer.at.kind = CG_ADDRESS_UNIX; /* the other end rarely has a name */
        cg_socket_peer(fd, &peer);
    }
    if (options->accept(options->ctx, &peer, listener->loop, &engine, &owner) != CG_OK) {
        close(fd);
        return;
    }
    cg_socket_tune(fd, listener->at.kind);
    if (cg_conn_new(listener->loop, fd, &peer, engine, options->events, owner, &conn) == CG_OK)
        cg_conn_join(conn, &listener->conns, true);
    else if (options->give_up)
        options->give_up(owner);
}

/* Returns false when there is nothing more to accept now. */
static bool accept_one(struct cg_listener *listener)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        admit(listener, fd, (const struct sockaddr *)&from, len);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        /* The connection stays in the kernel's queue and the socket readable: without a rest this
         * would spin until somebody closes something. */
        rest(listener);
        return false;
    default:
        return true; /* that one connection broke (ECONNABORTED and its like) */
    }
}

static void on_pending(uv_poll_t *poll, int status, int events)
{
    struct cg_listener *listener = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPT_BURST && listener->is_polling; i++) {
        if (listener->conns.n >= listener->options.n_conns_max) {
            stop_polling(listener); /* on_gone starts it again */
            return;
        }
        if (!accept_one(listener))
            return;
    }
}

/* --- draining --- */

/* The listener may be freed by whom it tells. */
static void say_drained(struct cg_task *task)
{
    struct cg_listener *listener =
        (struct cg_listener *)((char *)task - offsetof(struct cg_listener, drained));

    cg_loop_unset(listener->loop, &listener->timer);
    if (listener->on_drained)
        listener->on_drained(listener->drained_ctx);
}

static void on_gone(struct cg_conn_set *set)
{
    struct cg_listener *listener =
        (struct cg_listener *)((char *)set - offsetof(struct cg_listener, conns));

    if (listener->is_ended)
        return;
    if (listener->is_draining) {
        if (set->n == 0)
            cg_loop_at_end(listener->loop, &listener->drained);
    } else if (!listener->is_polling && listener->timer.due.us == INT64_MAX) {
        start_polling(listener);
    }
}

static void cut_all(struct cg_listener *listener)
{
    while (listener->conns.first)
        cg_conn_cut(listener->conns.first, CG_CANCELLED);
}

static void on_timer(struct cg_timer *timer)
{
    struct cg_listener *listener =
        (struct cg_listener *)((char *)timer - offsetof(struct cg_listener, timer));

    if (listener->is_draining)
        cut_all(listener);
    else
        start_polling(listener);
}

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

/* Closed, not only left alone: the kernel would go on completing handshakes for it. */
static void close_socket(struct cg_listener *listener)
{
    if (listener->fd < 0)
        return;
    listener->is_polling = false;
    if (listener->poll)
        uv_close((uv_handle_t *)listener->poll, free_poll); /* before its descriptor goes */
    listener->poll = NULL;
    close(listener->fd);
    listener->fd = -1;
    if (listener->at.kind == CG_ADDRESS_UNIX)
        unlink(listener->at.path);
}

void cg_listener_drain(struct cg_listener *listener, struct cg_mono limit,
                       void (*on_drained)(void *ctx), void *ctx)
{
    struct cg_conn *conn, *next;

    if (listener->is_draining)
        return;
    listener->is_draining = true;
    listener->on_drained = on_drained;
    listener->drained_ctx = ctx;
    close_socket(listener);
    for (conn = listener->conns.first; conn; conn = next) {
        next = cg_conn_next(conn);
        cg_conn_drain(conn);
    }
    if (listener->conns.n == 0)
        cg_loop_at_end(listener->loop, &listener->drained);
    else
        cg_loop_set(listener->loop, &listener->timer, limit);
}

/* --- making --- */

static cg_err err_of(int error)
{
    switch (error) {
    case EADDRINUSE:
        return CG_CONFLICT;
    case EACCES:
    case EPERM:
        return CG_DENIED;
    default:
        return CG_IO;
    }
}

static cg_err set_options(int fd, const struct cg_address *at, bool shares)
{
    int on = 1;

    if (at->kind == CG_ADDRESS_UNIX) /* the file gets the socket's mode, never a wider one */
        return fchmod(fd, 0600) == 0 ? CG_OK : CG_IO;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (shares && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        (at->kind == CG_ADDRESS_IP6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0))
        return CG_IO;
    return CG_OK;
}

static cg_err bind_socket(const struct cg_address *at, bool shares, int *out_fd)
{
    struct sockaddr_storage to;
    socklen_t len = cg_address_to_sockaddr(at, &to);
    int fd;
    cg_err err = cg_socket_new(at->kind, &fd);

    if (err != CG_OK)
        return err;
    err = set_options(fd, at, shares);
    if (err == CG_OK && bind(fd, (const struct sockaddr *)&to, len) != 0)
        err = err_of(errno);
    if (err != CG_OK) {
        close(fd);
        return err;
    }
    *out_fd = fd;
    return CG_OK;
}

/* A socket's file stays behind when its process is killed. It is taken away only if it is a socket
 * and nobody answers. */
static void remove_abandoned(const struct cg_address *at)
{
    struct sockaddr_storage to;
    socklen_t len = cg_address_to_sockaddr(at, &to);
    struct stat info;
    int fd;

    if (lstat(at->path, &info) != 0 || !S_ISSOCK(info.st_mode) ||
        cg_socket_new(CG_ADDRESS_UNIX, &fd) != CG_OK)
        return;
    if (connect(fd, (const struct sockaddr *)&to, len) != 0 && errno == ECONNREFUSED)
        unlink(at->path);
    close(fd);
}

/* With SO_REUSEPORT a second server of the same user would quietly get half of the connections:
 * the first socket of an address therefore makes sure that it is alone. */
static cg_err check_alone(const struct cg_address *at)
{
    int fd;
    cg_err err;

    if (at->port == 0)
        return CG_OK;
    err = bind_socket(at, false, &fd);
    if (err == CG_OK)
        close(fd);
    return err;
}

static cg_err open_socket(struct cg_listener *listener)
{
    const struct cg_address *at = &listener->options.at;
    struct sockaddr_storage real;
    socklen_t len = sizeof real;
    cg_err err = CG_OK;

    if (at->kind == CG_ADDRESS_UNIX)
        remove_abandoned(at);
    else if (!listener->options.joins)
        err = check_alone(at);
    if (err == CG_OK)
        err = bind_socket(at, at->kind != CG_ADDRESS_UNIX, &listener->fd);
    if (err != CG_OK)
        return err;
    listener->at = *at;
    if (listen(listener->fd, BACKLOG) != 0)
        return err_of(errno);
    if (at->kind != CG_ADDRESS_UNIX &&
        getsockname(listener->fd, (struct sockaddr *)&real, &len) == 0)
        cg_address_of_sockaddr((struct sockaddr *)&real, len, &listener->at);
    return CG_OK;
}

static cg_err start_listener(struct cg_listener *listener)
{
    cg_err err = open_socket(listener);

    if (err != CG_OK)
        return err;
    listener->poll = calloc(1, sizeof *listener->poll);
    if (!listener->poll)
        return CG_NO_MEMORY;
    if (uv_poll_init(&listener->loop->uv, listener->poll, listener->fd) != 0) {
        free(listener->poll);
        listener->poll = NULL;
        return CG_IO;
    }
    listener->poll->data = listener;
    start_polling(listener);
    return CG_OK;
}

cg_err cg_listener_new(struct cg_loop *loop, const struct cg_listen_options *options,
                       struct cg_listener **out)
{
    struct cg_listener *listener = calloc(1, sizeof *listener);
    cg_err err;

    if (!listener)
        return CG_NO_MEMORY;
    listener->loop = loop;
    listener->options = *options;
    if (listener->options.n_conns_max == 0)
        listener->options.n_conns_max = N_CONNS_DEFAULT;
    listener->fd = -1;
    listener->conns.on_gone = on_gone;
    listener->drained.run = say_drained;
    cg_timer_init(&listener->timer, on_timer);
    err = start_listener(listener);
    if (err != CG_OK) {
        cg_listener_free(listener);
        return err;
    }
    *out = listener;
    return CG_OK;
}

const struct cg_address *cg_listener_at(const struct cg_listener *listener)
{
    return &listener->at;
}

size_t cg_listener_n_conns(const struct cg_listener *listener)
{
    return listener->conns.n;
}

void cg_listener_free(struct cg_listener *listener)
{
    if (!listener)
        return;
    listener->is_ended = true;
    close_socket(listener);
    cut_all(listener);
    cg_loop_forget(listener->loop, &listener->drained);
    cg_loop_unset(listener->loop, &listener->timer);
    free(listener);
}
