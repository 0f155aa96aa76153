/* listen_at.h: from "host:port" of the configuration to the addresses to listen on. */
#ifndef CG_RUNTIME_LISTEN_AT_H
#define CG_RUNTIME_LISTEN_AT_H
#include "runtime/address.h"
#include "runtime/option.h"

#define CG_LISTEN_AT_MAX 2

/* cg_listen_at gives the addresses: an IP's own, "localhost" as 127.0.0.1, "*" as both families'
 * any-address. Other names are refused: a listener that moved with DNS would surprise.
 * Errors  CG_CONFIG. */
CG_MUST_USE cg_err cg_listen_at(const struct cg_host_port *at,
                                struct cg_address out[static CG_LISTEN_AT_MAX], size_t *out_n);

#endif
