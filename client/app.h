/* app.h: what every command of the client needs: loop, crypto, trust file, wallet, and where things
 * are kept.
 *
 * One thread, one loop. Commands begin something and run the loop until it is over (cl_app_wait).
 * Signatures are made in place: a client that waits a millisecond and a half holds up nobody. */
#ifndef CG_CLIENT_APP_H
#define CG_CLIENT_APP_H
#include "lib/qlock/kit.h"
#include "lib/trust/trust.h"
#include "runtime/pool.h"
#include "session/tls.h"
#include "store/store.h"

#include <httpcg/identity.h>

struct cl_show;

/* A wallet that can sign. */
struct cl_wallet {
    struct cg_signer *signer;
    struct cg_waddr waddr;
    struct cg_buf doc; /* its wallet_doc */
};

struct cl_app {
    struct cg_crypto *crypto;
    struct cg_kit *kit;
    struct cg_loop *loop;
    struct cg_resolver *resolver;
    struct cg_pool *pool;
    struct cg_trust *trust;
    struct cg_buf ca_pem;
    struct cg_tls_conf *native_tls;  /* to gateways */
    struct cg_tls_conf *service_tls; /* to registries and ledgers */
    struct cg_store *seen;           /* serials and tree heads seen; NULL: nothing is remembered */
    struct cg_tlog_seen heads[CG_TRUST_LOGS_MAX];
    struct cl_wallet wallet;
    struct cl_show *show;
    char folder[1024]; /* of configuration and keys */
    int64_t timeout_ms, connect_ms;
    const char *connect_to; /* "host:port" to dial in place of every gateway's; NULL */
};

/* cl_app_init makes loop and crypto; the rest is opened by who needs it.
 * Errors  CG_NO_MEMORY, CG_CRYPTO …; cl_app_done is needed all the same. */
CG_MUST_USE cg_err cl_app_init(struct cl_app *app, struct cl_show *show);
void cl_app_done(struct cl_app *app);
/* cl_app_trust reads the trust file (NULL: the usual one) and opens what was seen before. What is
 * wrong is said. */
CG_MUST_USE cg_err cl_app_trust(struct cl_app *app, const char *file);
/* cl_app_wait runs the loop until *done, for timeout_ms at most (0: as long as it takes).
 * Errors  CG_TIMEOUT. */
CG_MUST_USE cg_err cl_app_wait(struct cl_app *app, const bool *done, int64_t timeout_ms);
/* cl_app_remember keeps what a verified staple says of its log.
 * Errors  CG_CONFLICT: it contradicts what was seen, which proves that the log lies. */
CG_MUST_USE cg_err cl_app_remember(struct cl_app *app, size_t log, const struct cg_tlog_seen *head);

#endif
