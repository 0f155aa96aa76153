/* link.h: a native connection to a gateway, from the dial to a verified channel.
 *
 *   dial → TLS → GET tlsls, every check of docs/protocol/cert.md → GET policy, where the trust file
 *   has a floor → POST grant → confirm and proof
 *
 * Nothing but the gateway's own resources is asked before the last check has passed: a wallet never
 * shows itself to a server that nothing vouches for. */
#ifndef CG_CLIENT_LINK_H
#define CG_CLIENT_LINK_H
#include "client/app.h"
#include "runtime/client.h"
#include "runtime/pump.h"
#include "session/native.h"

#include <httpcg/cert.h>

struct cl_link;

/* Whoever has an exchange on a link: the exchange's owner. */
struct cl_asker {
    void (*on_event)(struct cl_asker *asker, unsigned what);
};

struct cl_link_ask {
    struct cg_span gateway;              /* "host:port", SNI is the host */
    const struct cg_waddr *gateway_dids; /* who may be there */
    size_t n_gateway_dids;
    const struct cg_span *scope; /* of the grant; "plane/authority" */
    size_t n_scope;
    bool is_anonymous; /* no wallet, no grant; the channel is then proved by nothing but TLS */
    void (*on_done)(struct cl_link *link, cg_err err); /* ready, or why not; once */
    void *owner;
};

struct cl_link {
    struct cl_app *app;
    struct cl_link_ask ask;
    void *owner;
    struct cg_ticket ticket;
    struct cg_client client;
    struct cg_conn *conn;
    bool is_closed;
    char host[CG_HOST_MAX_BYTES + 1];
    uint16_t port;
    struct cg_native native;
    bool has_native;
    struct cg_buf document; /* the certificate; cert points into it */
    struct cg_cert cert;
    struct cg_verifier *transport;
    struct cg_native_pending pending;
    bool has_pending;
    struct cg_exchange *x; /* of the bootstrap */
    struct cg_span unsent; /* of its body */
    enum cl_link_state {
        CL_DIALLING,
        CL_TLSLS,
        CL_FLOOR,
        CL_GRANT,
        CL_READY,
        CL_FAILED
    } state,
        failed_at;
    struct cg_buf grant; /* the newest one's request, as it was sent */
    struct cg_buf body;  /* of the newest answer */
    struct cg_grant_answer answer;
    bool did_correct; /* the clock, after a clock-skew */
    bool did_wait;    /* as it was told to */
    cg_err waits_for; /* while it does: why */
    struct cg_timer again;
    struct cg_peer peer;
    /* When it was begun, connected, secured and proved; 0: not yet. */
    struct cg_mono began, connected, secured, ready;
};

/* cl_link_open begins; on_done tells the end.
 * Owns    ask's spans are used until on_done; the link is the caller's to free. */
CG_MUST_USE cg_err cl_link_open(struct cl_app *app, const struct cl_link_ask *ask,
                                struct cl_link **out);
/* cl_link_renew gets a new grant on a ready link; on_done is called again. */
CG_MUST_USE cg_err cl_link_renew(struct cl_link *link);
void cl_link_free(struct cl_link *link);

#endif
