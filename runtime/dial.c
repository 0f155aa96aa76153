#include "runtime/dial.h"

#include "lib/base/span.h"
#include "runtime/loop_inner.h"
#include "runtime/resolve.h"
#include "runtime/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long one address is tried before the next one joins in (RFC 8305, 5, says 250 ms). */
#define NEXT_MS 250

struct dial;

/* One address being connected to. */
struct attempt {
    struct attempt *next; /* of its dial */
    struct dial *dial;    /* NULL once it was given up */
    uv_poll_t poll;
    int fd; /* -1 once handed on or closed */
    struct cg_address at;
};

struct dial {
    struct cg_call call; /* first */
    struct cg_resolver *resolver;
    struct cg_name_wait wait;
    cg_address_filter allow;
    void *allow_ctx;
    uint16_t port;
    struct cg_timer timer; /* to the next address */
    struct attempt *attempts;
    struct cg_address *at; /* those that may be connected to */
    size_t n, n_tried;
    cg_err last; /* why the last address failed */
    int fd;      /* the result; -1: none, or taken */
    struct cg_peer peer;
};

static struct dial *dial_of(struct cg_call *call)
{
    return (struct dial *)call;
}

/* --- attempts --- */

static void free_attempt(uv_handle_t *handle)
{
    free(handle->data);
}

/* Takes the socket out of the attempt, which then goes by itself. */
static int end_attempt(struct attempt *attempt)
{
    struct attempt **at = &attempt->dial->attempts;
    int fd = attempt->fd;

    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
    attempt->dial = NULL;
    attempt->fd = -1;
    uv_close((uv_handle_t *)&attempt->poll, free_attempt);
    return fd;
}

static void end_attempts(struct dial *dial)
{
    while (dial->attempts)
        close(end_attempt(dial->attempts));
}

static void stop_trying(struct dial *dial)
{
    cg_name_wait_done(&dial->wait);
    cg_loop_unset(dial->call.loop, &dial->timer);
    end_attempts(dial);
}

static void succeed(struct dial *dial, int fd, const struct cg_address *at)
{
    stop_trying(dial);
    dial->fd = fd;
    dial->peer = (struct cg_peer){.at = *at};
    if (at->kind == CG_ADDRESS_UNIX)
        cg_socket_peer(fd, &dial->peer);
    cg_socket_tune(fd, at->kind);
    cg_call_end(&dial->call, CG_OK);
}

static void fail(struct dial *dial, cg_err err)
{
    stop_trying(dial);
    cg_call_end(&dial->call, err);
}

static cg_err err_of(int error)
{
    switch (error) {
    case ETIMEDOUT:
        return CG_TIMEOUT;
    case EAGAIN: /* a Unix socket's queue is full; no local port is left */
    case EADDRNOTAVAIL:
        return CG_BUSY;
    default:
        return CG_UNREACHABLE;
    }
}

static void try_next(struct dial *dial);

static void on_connected(uv_poll_t *poll, int status, int events)
{
    struct attempt *attempt = poll->data;
    struct dial *dial = attempt->dial;
    struct cg_address at = attempt->at;
    int error = 0;
    socklen_t len = sizeof error;

    (void)events;
    if (status != 0 || getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = EIO;
    if (error == 0) {
        succeed(dial, end_attempt(attempt), &at);
        return;
    }
    close(end_attempt(attempt));
    dial->last = err_of(error);
    try_next(dial);
}

static cg_err watch_attempt(struct dial *dial, int fd, const struct cg_address *at)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);

    if (!attempt)
        return CG_NO_MEMORY;
    if (uv_poll_init(&dial->call.loop->uv, &attempt->poll, fd) != 0) {
        free(attempt);
        return CG_IO;
    }
    attempt->dial = dial;
    attempt->fd = fd;
    attempt->at = *at;
    attempt->poll.data = attempt;
    attempt->next = dial->attempts;
    dial->attempts = attempt;
    uv_poll_start(&attempt->poll, UV_WRITABLE, on_connected);
    return CG_OK;
}

/* Returns true when the dial is over, one way or the other, or the address is being tried. */
static bool try_address(struct dial *dial, const struct cg_address *at)
{
    struct sockaddr_storage to;
    socklen_t len = cg_address_to_sockaddr(at, &to);
    int fd, rc;

    dial->last = cg_socket_new(at->kind, &fd);
    if (dial->last != CG_OK)
        return false;
    do
        rc = connect(fd, (const struct sockaddr *)&to, len);
    while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        succeed(dial, fd, at);
        return true;
    }
    dial->last = errno == EINPROGRESS ? watch_attempt(dial, fd, at) : err_of(errno);
    if (dial->last == CG_OK)
        return true;
    close(fd);
    return false;
}

static void try_next(struct dial *dial)
{
    while (dial->n_tried < dial->n) {
        if (!try_address(dial, &dial->at[dial->n_tried++]))
            continue;
        if (dial->attempts && dial->n_tried < dial->n)
            cg_loop_set(dial->call.loop, &dial->timer,
                        cg_mono_after(cg_loop_mono(dial->call.loop), NEXT_MS));
        return;
    }
    if (!dial->attempts)
        fail(dial, dial->last);
}

static void on_timer(struct cg_timer *timer)
{
    try_next((struct dial *)((char *)timer - offsetof(struct dial, timer)));
}

/* --- addresses --- */

static void connect_to(struct dial *dial, const struct cg_address *addresses, size_t n)
{
    cg_err err;

    dial->at = malloc(n * sizeof *dial->at);
    if (!dial->at) {
        fail(dial, CG_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        dial->at[i] = addresses[i];
        dial->at[i].port = dial->port;
    }
    dial->n = n;
    /* All of them at once: one that may not be connected to refuses the name as a whole. */
    err = dial->allow ? dial->allow(dial->allow_ctx, dial->at, n) : CG_OK;
    if (err != CG_OK)
        fail(dial, err);
    else
        try_next(dial);
}

static void on_addresses(struct cg_name_wait *wait, cg_err err, const struct cg_address *addresses,
                         size_t n)
{
    struct dial *dial = (struct dial *)((char *)wait - offsetof(struct dial, wait));

    if (err != CG_OK)
        fail(dial, err);
    else
        connect_to(dial, addresses, n);
}

/* --- the call --- */

static bool stop_dial(struct cg_call *call)
{
    stop_trying(dial_of(call));
    return true;
}

static void free_dial(struct cg_call *call)
{
    struct dial *dial = dial_of(call);

    if (dial->fd >= 0)
        close(dial->fd);
    free(dial->at);
    free(dial);
}

static const struct cg_call_kind dial_call = {.name = "dial", .stop = stop_dial, .free = free_dial};

/* An address in place of a name. */
static cg_err read_address(const struct cg_target *target, struct cg_address *out)
{
    struct cg_span ip = target->host;

    *out = (struct cg_address){.kind = CG_ADDRESS_NONE};
    if (target->unix_path.len > 0) {
        if (target->unix_path.len >= sizeof out->path ||
            memchr(target->unix_path.at, 0, target->unix_path.len))
            return CG_SYNTAX;
        out->kind = CG_ADDRESS_UNIX;
        memcpy(out->path, target->unix_path.at, target->unix_path.len);
        return CG_OK;
    }
    if (ip.len == 0)
        return CG_SYNTAX;
    if (ip.len > 2 && ip.at[0] == '[' && ip.at[ip.len - 1] == ']')
        ip = cg_span_of(ip.at + 1, ip.len - 2);
    /* A name, unless it reads as an address. */
    return cg_address_read_ip(ip, target->port, out) == CG_OK || ip.at == target->host.at
               ? CG_OK
               : CG_SYNTAX;
}

cg_err cg_dial_begin(struct cg_resolver *resolver, const struct cg_target *target,
                     struct cg_ticket who, unsigned tag, struct cg_mono deadline)
{
    struct cg_address at;
    struct dial *dial;
    cg_err err = read_address(target, &at);

    if (err != CG_OK)
        return err;
    dial = calloc(1, sizeof *dial);
    if (!dial)
        return CG_NO_MEMORY;
    dial->resolver = resolver;
    dial->wait.on_addresses = on_addresses;
    dial->allow = target->allow;
    dial->allow_ctx = target->allow_ctx;
    dial->port = target->port;
    dial->fd = -1;
    dial->last = CG_UNREACHABLE;
    cg_timer_init(&dial->timer, on_timer);
    cg_call_begin(&dial->call, &dial_call, cg_resolver_loop(resolver), who, tag, deadline);
    if (at.kind != CG_ADDRESS_NONE)
        connect_to(dial, &at, 1);
    else
        cg_resolver_ask(resolver, target->host, &dial->wait);
    return CG_OK;
}

int cg_dial_take(struct cg_call *call, struct cg_peer *out_peer)
{
    struct dial *dial = dial_of(call);
    int fd = dial->fd;

    assert(call->kind == &dial_call);
    dial->fd = -1;
    if (fd >= 0)
        *out_peer = dial->peer;
    return fd;
}
