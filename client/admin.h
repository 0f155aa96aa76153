/* admin.h: the gateway's admin socket, asked once. */
#ifndef CG_CLIENT_ADMIN_H
#define CG_CLIENT_ADMIN_H
#include "client/resolve.h"

/* cl_admin_ask sends one request over a Unix socket and waits for the whole answer.
 * Owns    answer->body is the caller's.
 * Errors  CG_UNREACHABLE (nobody listens there), CG_TIMEOUT …; any status is an answer. */
CG_MUST_USE cg_err cl_admin_ask(struct cl_app *app, const char *socket, const char *method,
                                const char *path, struct cg_span body, struct cl_answer *answer);

#endif
