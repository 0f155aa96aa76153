/* app.h: what every command of the client needs: loop, crypto, trust file, wallet, and where things
 * are kept.
 *
 * One thread, one loop. Commands begin something and run the loop until it is over (cl_app_wait).
 * Signatures are made in place: a client that waits a millisecond and a half holds up nobody. */
#ifndef CG_CLIENT_APP_H
#define CG_CLIENT_APP_H
#include "lib/qlock/kit.h"
#include "lib/sapi/grant.h"
#include "lib/trust/trust.h"
#include "runtime/client.h"
#include "runtime/key_heap.h"
#include "runtime/locked.h"
#include "session/tls.h"
#include "store/store.h"

#include <httpcg/identity.h>

struct cl_show;

/* A wallet that can sign. Its seed stays in a locked page; the keys made from it exist only while
 * something is signed. */
struct cl_wallet {
    struct cg_locked *seed; /* NULL: there is none */
    struct cg_waddr waddr;
    struct cg_buf doc; /* its wallet_doc */
};

/* One --connect-to: where to dial instead. */
struct cl_detour {
    char from_host[CG_HOST_MAX_BYTES + 1]; /* empty: any */
    uint16_t from_port;                    /* 0: any */
    char to_host[CG_HOST_MAX_BYTES + 1];
    uint16_t to_port; /* 0: the same */
};

#define CL_DETOURS_MAX 16

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
    int64_t connect_ms;
    struct cg_mono until; /* the end of --max-time; 0: none */
    bool said_unwitnessed;
    uint32_t epochs;                         /* of a grant; 0: the usual */
    struct cg_buf creds[CG_GRANT_CREDS_MAX]; /* credentials to show in grants */
    size_t n_creds;
    struct cl_detour detours[CL_DETOURS_MAX];
    size_t n_detours;
};

/* cl_app_init makes loop and crypto; the rest is opened by who needs it.
 * home    the folder of keys and configuration, or NULL for the usual one
 * ca_file certificates for https, or NULL for the system's
 * Errors  CG_CONFIG (no folder, no certificates in that file), CG_NO_MEMORY, CG_CRYPTO …;
 *         cl_app_done is needed all the same. */
CG_MUST_USE cg_err cl_app_init(struct cl_app *app, struct cl_show *show, const char *home,
                               const char *ca_file);
void cl_app_done(struct cl_app *app);
/* cl_app_home finds the folder of keys and configuration.
 * Errors  CG_CONFIG (neither $HTTPCG_HOME nor $HOME is set), CG_TOO_LARGE. */
CG_MUST_USE cg_err cl_app_home(const char *home, char *out, size_t room);
/* cl_app_trust reads the trust file (NULL: the usual one) and opens what was seen before. What is
 * wrong is said; the return is an exit code, 0 for success. */
CG_MUST_USE int cl_app_trust(struct cl_app *app, const char *file);
/* cl_app_wait runs the loop until *done, for timeout_ms at most (0: as long as it takes); whoever
 * sets *done calls cl_app_wake. All of it ends at app->until, too.
 * Errors  CG_TIMEOUT, CG_CANCELLED (a signal, where those are caught: interrupt.h). */
CG_MUST_USE cg_err cl_app_wait(struct cl_app *app, const bool *done, int64_t timeout_ms);
void cl_app_wake(struct cl_app *app);
/* cl_app_detour tells where to dial for a host and port.
 * Owns    *host is left alone, or points into app. */
void cl_app_detour(const struct cl_app *app, struct cg_span *host, uint16_t *port);
/* cl_app_say_unwitnessed says, once a run, that the trust file asks for no witness. */
void cl_app_say_unwitnessed(struct cl_app *app);
/* cl_wallet_signer makes the wallet's keys ready; to be freed at once after the signature.
 * Errors  CG_UNKNOWN (there is no wallet), CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cl_wallet_signer(const struct cl_app *app, struct cg_signer **out);
/* cl_app_remember keeps what a verified staple says of its log.
 * Errors  CG_CONFLICT: it contradicts what was seen, which proves that the log lies. */
CG_MUST_USE cg_err cl_app_remember(struct cl_app *app, size_t log, const struct cg_tlog_seen *head);

#endif
