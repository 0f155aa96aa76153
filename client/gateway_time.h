/* gateway_time.h: what time it is at a gateway. */
#ifndef CG_CLIENT_GATEWAY_TIME_H
#define CG_CLIENT_GATEWAY_TIME_H
#include "client/link.h"

/* cl_gateway_time asks a link that is ready for /.well-known/httpcg/time, and waits. What vouches
 * for the answer is TLS and the certificate that was verified; it is for comparing, and for people.
 * Errors  CG_SCHEMA, CG_TIMEOUT, CG_CLOSED … */
CG_MUST_USE cg_err cl_gateway_time(struct cl_link *link, struct cg_wall *out);

#endif
