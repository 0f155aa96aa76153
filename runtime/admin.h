/* admin.h: what operators ask of the running process.
 *
 * Pages, for the admin listener (plain http, private by its address):
 *   GET /livez, /health   the process runs: 200
 *   GET /readyz, /ready   200 when it can serve, else 503; ?verbose says what each condition says
 *   GET /metrics          Prometheus text
 *
 * Commands, for the admin socket (HTTP/1.1 over a Unix socket, 0600; only this user and root):
 *   GET /status           version, uptime, readiness, what was dropped from the logs: JSON
 *   GET /config           the configuration in force, secrets hidden: YAML
 *   POST /reload          read the configuration anew; 422 and the problems if it is refused
 *   POST /drain           stop accepting and end, as SIGTERM does
 *   POST /log/reopen      open the log files anew
 *   GET /routes/{name}    routes.d/<name>.yaml as it is, its secret included: YAML
 *   PUT /routes/{name}    write routes.d/<name>.yaml from the body (YAML or JSON) and reload
 *   DELETE /routes/{name} remove it and reload
 *
 * A change to routes is checked with all the rest before a byte is written: what is refused leaves
 * no trace. */
#ifndef CG_RUNTIME_ADMIN_H
#define CG_RUNTIME_ADMIN_H
#include "runtime/daemon.h"
#include "runtime/metrics.h"
#include "runtime/reply.h"

#define CG_ADMIN_CONDITIONS_MAX 32
#define CG_ADMIN_BODY_MAX_BYTES (64 * 1024)

struct cg_admin;

struct cg_admin_setup {
    struct cg_daemon *daemon;
    struct cg_metrics *metrics;
    /* Whose rows the commands on routes change; NULL: there are none, and they are 404. */
    const struct cg_option_table *table;
    const char *key; /* of the ROWS option, such as "routes" */
};

/* cg_admin_new makes it; setup is copied, what it points to outlives it. */
CG_MUST_USE cg_err cg_admin_new(const struct cg_admin_setup *setup, struct cg_admin **out);
/* cg_admin_free, after the loop it listens on has stopped and before that is freed. */
void cg_admin_free(struct cg_admin *admin);

/* A condition says NULL while it holds, else what is missing ("the registry does not answer"). It
 * is asked on the admin's loop and must not wait. By convention none depends on a backend: one
 * that fails must not take the whole gateway out of service. */
typedef const char *(*cg_ready_fn)(void *ctx);
/* cg_admin_condition adds one, before cg_admin_listen.
 * Errors  CG_TOO_LARGE: over CG_ADMIN_CONDITIONS_MAX. */
CG_MUST_USE cg_err cg_admin_condition(struct cg_admin *admin, const char *name, cg_ready_fn ask,
                                      void *ctx);
/* cg_admin_note is cg_admin_condition for what an operator should know though all can be served: it
 * is shown with the conditions, and readiness does not depend on it. */
CG_MUST_USE cg_err cg_admin_note(struct cg_admin *admin, const char *name, cg_ready_fn ask,
                                 void *ctx);

/* cg_admin_listen opens the socket and the listeners of the configuration on loop, on its thread or
 * before it runs. more are tables of the roles' own commands, served on the socket too; may be
 * NULL.
 * Errors  CG_CONFLICT, CG_DENIED, CG_IO, CG_NO_MEMORY, with a problem added. */
CG_MUST_USE cg_err cg_admin_listen(struct cg_admin *admin, struct cg_loop *loop,
                                   const struct cg_config *config,
                                   const struct cg_route_table *const *more, size_t n_more,
                                   struct cg_problems *problems);
/* cg_admin_close closes them, on the loop's thread or after it has stopped. */
void cg_admin_close(struct cg_admin *admin);

/* cg_admin_allows tells whether a command may be done for whoever asks, refuses it if not, and logs
 * both. The first line of every command's handler. */
bool cg_admin_allows(struct cg_admin *admin, const struct cg_message *in, struct cg_reply *out);
/* cg_admin_missing gives the first condition's answer that is not NULL, "draining" while the
 * process is, or NULL when it is ready. */
const char *cg_admin_missing(struct cg_admin *admin);

/* The tables, for tests and for whoever listens by himself. */
const struct cg_route_table *cg_admin_pages(struct cg_admin *admin);
const struct cg_route_table *cg_admin_commands(struct cg_admin *admin);

#endif
