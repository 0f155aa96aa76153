/* creds.h: the roles that a grant's credentials give its wallet under a profile.
 *
 * Verifying one takes half a millisecond, so it is done once for each grant and profile, by a
 * worker, and kept with the connection: requests that come meanwhile wait for the same answer. */
#ifndef CG_GATEWAY_CREDS_H
#define CG_GATEWAY_CREDS_H
#include "lib/access/cred.h"
#include "runtime/call.h"

struct gw_conn;
struct gw_kept_creds;
struct gw_request;

/* So many profiles are remembered for a connection; the oldest goes. */
#define GW_CREDS_KEPT 16

/* What a connection keeps; zeroed: nothing. */
struct gw_creds {
    struct gw_kept_creds *kept; /* GW_CREDS_KEPT of them, once there is one */
    size_t next;                /* the place to be used next */
    struct cg_ticket ticket;    /* the connection's own: a request that ends takes nothing along */
};

/* gw_creds_get gives a signed request's credentials that are for its name's profile, verified.
 * Owns    *out points into what the connection keeps, until the request waits again.
 * Gives   GW_ON, GW_WAIT (the request is run again), GW_REFUSE. */
enum gw_next gw_creds_get(struct gw_request *req, struct cg_cred out[CG_CREDS_MAX], size_t *n);
void gw_creds_done(struct gw_conn *conn);

#endif
