/* route.h: a name's way to its backend: a file in the gateway's routes folder, put there and taken
 * back through its admin socket.
 *
 * What goes wrong is said; returns are exit codes, 0 for success. */
#ifndef CG_CLIENT_ROUTE_H
#define CG_CLIENT_ROUTE_H
#include "client/command.h"

struct cl_route {
    const char *name; /* plane/authority */
    char path[320];   /* of the command */
    bool is_put;
    bool had;             /* there was one before */
    struct cg_buf before; /* as it was: holds a secret */
};

/* cl_route_init prepares; cl_route_done wipes. */
void cl_route_init(struct cl_route *route, const char *name);
void cl_route_done(struct cl_route *route);
/* cl_route_put puts the route, and keeps what was there before.
 * secret  64 hexadecimal digits; key_id NULL: the usual one. */
CG_MUST_USE int cl_route_put(struct cl_run *run, struct cl_route *route, const char *backend,
                             const char *secret, const char *key_id);
/* cl_route_undo makes it as it was before, and says so, or that it could not. */
void cl_route_undo(struct cl_run *run, struct cl_route *route);
/* cl_route_drop removes it; that there is none, or no gateway here, is no failure. */
CG_MUST_USE int cl_route_drop(struct cl_run *run, struct cl_route *route);

#endif
