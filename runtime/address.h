/* address.h: where a socket is or leads to, and who is at its other end. */
#ifndef CG_RUNTIME_ADDRESS_H
#define CG_RUNTIME_ADDRESS_H
#include <httpcg/err.h>

#define CG_ADDRESS_TEXT_BYTES 64
#define CG_UNIX_PATH_BYTES 108 /* what sun_path holds, its NUL included */

enum cg_address_kind {
    CG_ADDRESS_NONE,
    CG_ADDRESS_IP4,
    CG_ADDRESS_IP6,
    CG_ADDRESS_UNIX,
};

struct cg_address {
    enum cg_address_kind kind;
    uint16_t port;
    uint32_t scope;                /* IPv6: the interface of a link-local address, else 0 */
    uint8_t ip[16];                /* IPv4: the first four, big-endian */
    char path[CG_UNIX_PATH_BYTES]; /* of a Unix socket */
};

/* Who is at the other end of a connection. */
struct cg_peer {
    struct cg_address at;
    bool is_local_role; /* asked over endpoint local:, without a socket */
    bool has_uid;       /* a Unix socket: the kernel told us who */
    uint32_t uid, gid, pid;
};

/* cg_address_read reads "203.0.113.5:443", "[2001:db8::1]:443" or "unix:/run/x.sock"; never a name.
 * Errors  CG_SYNTAX (a name too), CG_TOO_LARGE (path). */
CG_MUST_USE cg_err cg_address_read(struct cg_span text, struct cg_address *out);
/* cg_address_read_ip reads an IP literal alone, without port and brackets. Errors CG_SYNTAX. */
CG_MUST_USE cg_err cg_address_read_ip(struct cg_span text, uint16_t port, struct cg_address *out);
/* cg_address_write writes what cg_address_read reads and returns out, for log lines. */
const char *cg_address_write(const struct cg_address *address, char out[CG_ADDRESS_TEXT_BYTES]);
/* cg_address_ip borrows the 4 or 16 bytes of the IP; empty for a Unix socket. */
struct cg_span cg_address_ip(const struct cg_address *address);
bool cg_address_eq(const struct cg_address *a, const struct cg_address *b);
/* cg_address_is_loopback tells of 127/8 and ::1. */
bool cg_address_is_loopback(const struct cg_address *address);

#endif
