/* resolve.h: names to addresses, on a loop. Only dial.c asks.
 *
 * Questions for the same name are one question; answers are kept for as long as they say, up to a
 * maximum.  Search domains and host aliases are never used: a name means one thing. */
#ifndef CG_RUNTIME_RESOLVE_H
#define CG_RUNTIME_RESOLVE_H
#include "runtime/dial.h"

#define CG_NAME_MAX_BYTES 253

/* Who waits for a name: a member of the waiting thing. */
struct cg_name_wait {
    struct cg_name_wait *next, *prev; /* NULL: waits for nothing */
    /* addresses have port 0 and live until this returns; n is 0 on errors. */
    void (*on_addresses)(struct cg_name_wait *wait, cg_err err, const struct cg_address *addresses,
                         size_t n);
};

struct cg_loop *cg_resolver_loop(struct cg_resolver *resolver);

/* cg_resolver_ask calls wait->on_addresses once, perhaps before it returns.
 * Errors  of on_addresses: CG_UNREACHABLE (no such name), CG_TIMEOUT, CG_SYNTAX (no DNS name),
 *         CG_NO_MEMORY, CG_CANCELLED (the resolver goes). */
void cg_resolver_ask(struct cg_resolver *resolver, struct cg_span name, struct cg_name_wait *wait);
/* cg_name_wait_done takes it out; harmless when it waits for nothing. */
void cg_name_wait_done(struct cg_name_wait *wait);

#endif
