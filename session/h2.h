/* h2.h: HTTP/2 as an engine (RFC 9113), over bytes that somebody else protects. */
#ifndef CG_SESSION_H2_H
#define CG_SESSION_H2_H
#include "session/engine.h"

/* cg_h2_new makes an engine whose first bytes (preface, SETTINGS) wait to be pulled.
 * Errors  CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_h2_new(bool is_server, const struct cg_engine_conf *conf, struct cg_mono now,
                             struct cg_engine **out);

#endif
