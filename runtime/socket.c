#include "runtime/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>

void cg_address_of_sockaddr(const struct sockaddr *from, socklen_t len, struct cg_address *out)
{
    *out = (struct cg_address){.kind = CG_ADDRESS_NONE};
    if (from->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;

        memcpy(&in, from, sizeof in);
        out->kind = CG_ADDRESS_IP4;
        out->port = ntohs(in.sin_port);
        memcpy(out->ip, &in.sin_addr, 4);
    } else if (from->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in;

        memcpy(&in, from, sizeof in);
        out->kind = CG_ADDRESS_IP6;
        out->port = ntohs(in.sin6_port);
        out->scope = in.sin6_scope_id;
        memcpy(out->ip, &in.sin6_addr, 16);
    } else if (from->sa_family == AF_UNIX) {
        size_t n = len > offsetof(struct sockaddr_un, sun_path)
                       ? len - offsetof(struct sockaddr_un, sun_path)
                       : 0;

        out->kind = CG_ADDRESS_UNIX;
        if (n >= sizeof out->path)
            n = sizeof out->path - 1;
        memcpy(out->path, (const char *)from + offsetof(struct sockaddr_un, sun_path), n);
    }
}

socklen_t cg_address_to_sockaddr(const struct cg_address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->kind == CG_ADDRESS_IP4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};

        memcpy(&in.sin_addr, address->ip, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    if (address->kind == CG_ADDRESS_IP6) {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6,
                                  .sin6_port = htons(address->port),
                                  .sin6_scope_id = address->scope};

        memcpy(&in.sin6_addr, address->ip, 16);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    assert(address->kind == CG_ADDRESS_UNIX);
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    _Static_assert(sizeof un.sun_path >= CG_UNIX_PATH_BYTES, "a path would not fit");
    memcpy(un.sun_path, address->path, CG_UNIX_PATH_BYTES);
    memcpy(out, &un, sizeof un);
    return sizeof un;
}

cg_err cg_socket_new(enum cg_address_kind kind, int *out_fd)
{
    int family = kind == CG_ADDRESS_IP4 ? AF_INET : kind == CG_ADDRESS_IP6 ? AF_INET6 : AF_UNIX;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return CG_BUSY;
        return errno == EAFNOSUPPORT ? CG_UNREACHABLE : CG_IO;
    }
    *out_fd = fd;
    return CG_OK;
}

/* What the kernel takes beyond what the other end has room for. Left to itself it takes megabytes,
 * and makes room by thirds: a slow reader would look dead for minutes, and hold all of that. */
#define UNSENT_MAX_BYTES (64 * 1024)

void cg_socket_tune(int fd, enum cg_address_kind kind)
{
    int on = 1, unsent = UNSENT_MAX_BYTES;

    /* What is written is complete: one write a pass. It only costs time or memory if these fail. */
    if (kind == CG_ADDRESS_IP4 || kind == CG_ADDRESS_IP6) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    }
}

void cg_socket_peer(int fd, struct cg_peer *peer)
{
    struct ucred who;
    socklen_t len = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && len == sizeof who) {
        peer->has_uid = true;
        peer->uid = who.uid;
        peer->gid = who.gid;
        peer->pid = (uint32_t)who.pid;
    }
}
