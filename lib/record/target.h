/* target.h: where a gateway may connect to because a record says so: public places only.
 *
 * A record is a stranger's text.  So its target is a DNS name, a usual port, and every address that
 * the name has must be public; one private address refuses the name.  The connection then goes to
 * exactly the addresses judged here.  Private backends exist only in the operator's own
 * configuration, never by a record. */
#ifndef CG_LIB_RECORD_TARGET_H
#define CG_LIB_RECORD_TARGET_H
#include <httpcg/err.h>

struct cg_ip {
    uint8_t bytes[16];
    bool is_v6; /* false: the first 4 bytes */
};

/* cg_target_is_public classifies one address. IPv6 that wraps an IPv4 address (::ffff:0:0/96,
 * 64:ff9b::/96, 2002::/16, 2001::/32) is as public as what it wraps.
 * Source  docs/protocol/record.md, "Targets"; IANA special-purpose address registries */
bool cg_target_is_public(const struct cg_ip *address);
/* cg_target_check_host: a DNS name, no IP literal in any spelling. Errors CG_TARGET. */
CG_MUST_USE cg_err cg_target_check_host(struct cg_span host);
/* cg_target_check_port: 443, 8443, or one of ports. Errors CG_TARGET. */
CG_MUST_USE cg_err cg_target_check_port(uint16_t port, const uint16_t *ports, size_t n_ports);
/* cg_target_check_addresses refuses the name unless all its addresses are public and none is one of
 * own (the gateway's). Errors  CG_TARGET (also for no address at all). */
CG_MUST_USE cg_err cg_target_check_addresses(const struct cg_ip *addresses, size_t n_addresses,
                                             const struct cg_ip *own, size_t n_own);

#endif
