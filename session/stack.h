/* stack.h: TLS and HTTP as one engine.
 *
 * Which HTTP a connection speaks, ALPN tells; where there is no TLS, or ALPN may be absent, the
 * caller says.  Everything of engine.h works on the result. */
#ifndef CG_SESSION_STACK_H
#define CG_SESSION_STACK_H
#include "session/engine.h"
#include "session/tls.h"

enum cg_speaks {
    CG_SPEAKS_ALPN, /* whatever ALPN chose; nothing chosen: HTTP/1.1 */
    CG_SPEAKS_H1,
    CG_SPEAKS_H2, /* without TLS: prior knowledge (RFC 9113, 3.3) */
};

/* cg_stack_accept makes a server's engine, cg_stack_connect a client's.
 * Owns    tls becomes the engine's, also when the call fails; NULL: none, and speaks says which.
 *         conf is copied; NULL: all defaults. What conf->scratch points at is borrowed.
 * Errors  CG_CONFIG (no TLS and CG_SPEAKS_ALPN), CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_stack_accept(const struct cg_engine_conf *conf, struct cg_tls *tls,
                                   enum cg_speaks speaks, struct cg_mono now,
                                   struct cg_engine **out);
CG_MUST_USE cg_err cg_stack_connect(const struct cg_engine_conf *conf, struct cg_tls *tls,
                                    enum cg_speaks speaks, struct cg_mono now,
                                    struct cg_engine **out);
/* cg_stack_tls gives the engine's TLS, borrowed; NULL where there is none. */
struct cg_tls *cg_stack_tls(struct cg_engine *e);
/* cg_stack_speaks tells which HTTP it is; CG_SPEAKS_ALPN until the handshake told. */
enum cg_speaks cg_stack_speaks(const struct cg_engine *e);

#endif
