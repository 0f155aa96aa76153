/* socket.h: sockets as this folder makes them: non-blocking, closed on exec. */
#ifndef CG_RUNTIME_SOCKET_H
#define CG_RUNTIME_SOCKET_H
#include "runtime/address.h"

#include <sys/socket.h>

/* cg_address_of_sockaddr reads what the kernel or a resolver gave; kind NONE for anything else
 * than IP and Unix addresses. */
void cg_address_of_sockaddr(const struct sockaddr *from, socklen_t len, struct cg_address *out);
/* cg_address_to_sockaddr is the way back; returns the length. */
socklen_t cg_address_to_sockaddr(const struct cg_address *address, struct sockaddr_storage *out);

/* cg_socket_new makes a stream socket for this kind of address.
 * Errors  CG_BUSY (no descriptor left), CG_UNREACHABLE (this machine does not speak that), CG_IO.
 */
CG_MUST_USE cg_err cg_socket_new(enum cg_address_kind kind, int *out_fd);
/* cg_socket_tune sets what every connection wants: no waiting to fill segments. */
void cg_socket_tune(int fd, enum cg_address_kind kind);
/* cg_socket_peer tells who is at the other end of a Unix socket, by the kernel's word. */
void cg_socket_peer(int fd, struct cg_peer *peer);

#endif
