/* options.h: what an operator can say about the gateway role. */
#ifndef CG_GATEWAY_OPTIONS_H
#define CG_GATEWAY_OPTIONS_H
#include "runtime/option.h"

/* One backend that the gateway's own operator vouches for; it may be private, plain http or a Unix
 * socket. Names without a route go to the target of their record, under the SSRF rules. */
struct gw_route {
    const char *name;                /* plane/authority */
    struct cg_target_option backend; /* where it is */
    struct cg_secret_option secret;  /* shared with the backend: signs the X-HttpCG-* fields */
    const char *key_id;              /* the secret's name in the signature */
    const char *host;                /* Host to send; NULL: the backend URL's */
    const char *pin;                 /* https: SHA-256 of the key it must have, in hex; NULL: an
                                        ordinary certificate for its name */
};

struct gw_options {
    struct cg_list names;    /* of const char *: DNS names this gateway is reached under */
    const char *certificate; /* the TLSLS certificate */
    const char *transport_key, *transport_passphrase;
    const char *tls_certificate, *tls_key;
    const char *policy;      /* the gateway policy document */
    struct cg_list registry; /* of const char *: endpoints, in order */
    const char *ledger;      /* endpoint */
    const char *routes_folder;
    struct cg_list routes; /* of struct gw_route */
    struct cg_list ports;  /* of int64_t: allowed in records, beside 443 and 8443 */
    struct {
        int64_t connections;
        int64_t body_bytes;          /* largest request body */
        int64_t answer_bytes;        /* largest response body; 0: any */
        int64_t held_conn_bytes;     /* bodies held whole, of one connection */
        int64_t held_bytes;          /* and of the whole process */
        int64_t strangers_per_s;     /* look-ups for strangers, of one address prefix */
        int64_t grants_per_s;        /* grants of one address prefix */
        int64_t backend_connections; /* to one backend, of one loop */
        int64_t evidence_bytes;      /* kept for backends to fetch */
    } limits;
    struct {
        int64_t connect_ms;
        int64_t answer_ms; /* from the request's end to the response's head */
        int64_t stall_ms;
        int64_t idle_ms;
        int64_t lookup_ms; /* all of a name's look-ups */
    } timeouts;
};

extern const struct cg_option_table gw_option_table;

#endif
