/* dial.h: from a name to a connected socket.
 *
 * One resolution; every address it gave is shown to the caller's filter at once, and only addresses
 * of that list are connected to: there is no second look-up that could answer otherwise. */
#ifndef CG_RUNTIME_DIAL_H
#define CG_RUNTIME_DIAL_H
#include "runtime/address.h"
#include "runtime/call.h"

#define CG_DIAL_MAX_ADDRESSES 16

struct cg_resolver;

/* Classifies all addresses of a name; anything but CG_OK refuses the name.
 * Source  docs/protocol, SSRF defence: one private address refuses the name. */
typedef cg_err (*cg_address_filter)(void *ctx, const struct cg_address *addresses, size_t n);

struct cg_target {
    struct cg_span host;      /* a DNS name or an IP literal; empty for a Unix socket */
    uint16_t port;            /* 0 for a Unix socket */
    struct cg_span unix_path; /* empty for TCP */
    cg_address_filter allow;  /* NULL allows all: only for addresses out of the operator's config */
    void *allow_ctx;
};

struct cg_resolver_options {
    const char *servers; /* "127.0.0.1:5353,..."; NULL is what the system says */
    int64_t try_ms;      /* one question to one server; 0 is 2000 */
    unsigned n_tries;    /* 0 is 2 */
    uint32_t ttl_max_s;  /* how long an answer may be kept; 0 keeps none */
};

/* cg_resolver_new makes the loop's resolver. Errors CG_NO_MEMORY, CG_CONFIG (servers), CG_IO. */
CG_MUST_USE cg_err cg_resolver_new(struct cg_loop *loop, const struct cg_resolver_options *options,
                                   struct cg_resolver **out);
void cg_resolver_free(struct cg_resolver *resolver);

/* cg_dial_begin resolves, asks the filter and connects (several addresses one after the other, a
 * slow one does not hold up the next).  The target is copied.
 * Errors  now: CG_NO_MEMORY, CG_SYNTAX (no host, path too long).
 *         delivered: CG_TARGET (filter), CG_UNREACHABLE (no such name, nobody there), CG_TIMEOUT.
 */
CG_MUST_USE cg_err cg_dial_begin(struct cg_resolver *resolver, const struct cg_target *target,
                                 struct cg_ticket who, unsigned tag, struct cg_mono deadline);
/* cg_dial_take takes the connected socket of a delivered call, and tells where it leads. */
int cg_dial_take(struct cg_call *call, struct cg_peer *out_peer);

#endif
