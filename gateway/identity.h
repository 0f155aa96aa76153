/* identity.h: who the gateway is: its certificate, transport keys, TLS leaf and policy.
 *
 * One immutable, reference-counted thing, replaced whole at renewal.  A connection keeps the one it
 * was accepted with (connection-pinned: the QLOCK binds to its fingerprint), so a renewal never
 * changes a connection that exists. */
#ifndef CG_GATEWAY_IDENTITY_H
#define CG_GATEWAY_IDENTITY_H
#include "lib/base/buf.h"
#include "runtime/problem.h"
#include "session/tls.h"

#include <httpcg/cert.h>
#include <httpcg/mode.h>

#include <pthread.h>
#include <stdatomic.h>

struct gw_options;

struct gw_identity {
    _Atomic unsigned refs;
    struct cg_buf document; /* the certificate as read from the file */
    struct cg_cert cert;    /* points into document */
    char did[CG_DID_CHARS + 1];
    struct cg_signer *transport;
    struct cg_buf policy;       /* the gateway policy document named by cert.policy_hash */
    enum cg_sapi_mode sapi_min; /* what it asks of signed rules */
    uint32_t max_epochs;        /* of a grant, as it promises */
    struct cg_tls_site *site;
    struct cg_hash leaf; /* H of the files that site was made from */
    /* What changes while it is in use: the ledger's newest word on it. */
    pthread_mutex_t lock;
    struct cg_buf staple; /* under lock; empty until the first came */
    _Atomic bool has_staple;
    _Atomic bool is_revoked;
};

/* gw_identity_load reads everything named in the options and checks that it fits together: the TLS
 * key is in the certificate, the transport keys are its own, the policy has its hash.
 * Errors  CG_CONFIG with a problem that says what to do; CG_NO_MEMORY. */
CG_MUST_USE cg_err gw_identity_load(const struct gw_options *options,
                                    const struct cg_crypto *crypto, struct cg_wall now,
                                    struct cg_problems *problems, struct gw_identity **out);
/* gw_identity_now gives a reference to the one that new connections get; any thread. */
struct gw_gateway;
struct gw_identity *gw_identity_now(struct gw_gateway *gw);
/* gw_identities gives that one and the one that waits to take its place, or NULL. */
void gw_identities(struct gw_gateway *gw, struct gw_identity **in_use,
                   struct gw_identity **waiting);
/* gw_identity_confirmed tells that the ledger confirmed this one: if it waited for that, new
 * connections get it from now on. */
void gw_identity_confirmed(struct gw_gateway *gw, struct gw_identity *identity);
struct gw_identity *gw_identity_ref(struct gw_identity *identity);
/* gw_identity_set_staple takes a verified staple into use.
 * Owns    staple's memory is given away. */
void gw_identity_set_staple(struct gw_identity *identity, struct cg_buf *staple);
/* gw_identity_inherit takes over what the ledger said to another copy of the same certificate. */
CG_MUST_USE cg_err gw_identity_inherit(struct gw_identity *identity, struct gw_identity *from);
/* gw_identity_write appends the certificate with its wallet document and the newest staple.
 * Errors  CG_BUSY (no staple came yet), CG_NO_MEMORY, CG_TOO_LARGE. */
CG_MUST_USE cg_err gw_identity_write(struct gw_identity *identity, struct cg_buf *out);
void gw_identity_unref(struct gw_identity *identity);

#endif
