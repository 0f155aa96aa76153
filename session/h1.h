/* h1.h: HTTP/1.1 as an engine (RFC 9112), without pipelining and without leniency. */
#ifndef CG_SESSION_H1_H
#define CG_SESSION_H1_H
#include "session/engine.h"

/* cg_h1_new makes an engine. is_secure tells which scheme the origin form means.
 * Errors  CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_h1_new(bool is_server, bool is_secure, const struct cg_engine_conf *conf,
                             struct cg_mono now, struct cg_engine **out);

#endif
