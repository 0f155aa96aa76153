/* resolve.h: asks registries for a name and believes only what proves itself. */
#ifndef CG_CLIENT_RESOLVE_H
#define CG_CLIENT_RESOLVE_H
#include "client/app.h"
#include "lib/record/resolve.h"

/* A verified answer; what it points at lives in json and room. */
struct cl_resolved {
    struct cg_buf json, room;
    struct cg_resolve_result result;
};

/* cl_resolve asks the registries of the trust file in order, and makes every check.
 * Owns    out is the caller's to end, whatever the return: a name that is gone may have a record.
 * Errors  CG_NOT_FOUND (proved: there is no such name), CG_UNREACHABLE (no registry could be
 *         asked), CG_ROLLBACK, CG_CONFLICT and what else a check finds. */
CG_MUST_USE cg_err cl_resolve(struct cl_app *app, struct cg_span plane, struct cg_span authority,
                              struct cl_resolved *out);
void cl_resolved_done(struct cl_resolved *resolved);

/* An answer of a role's interface, whole. */
struct cl_answer {
    int status;
    int64_t retry_after_s; /* cl_retry_after */
    struct cg_buf body;
};

/* cl_ask asks https://host/… or http://127.0.0.1:port/… once, and waits.
 * Owns    answer->body is the caller's.
 * Errors  CG_CONFIG (not such a URL), CG_UNREACHABLE, CG_TIMEOUT, CG_TLS …; any status is an
 *         answer. */
CG_MUST_USE cg_err cl_ask(struct cl_app *app, struct cg_span base, const char *method,
                          struct cg_span path, const char *type, struct cg_span body,
                          struct cl_answer *answer);
/* cl_answer_refused is cl_show_refusal for an answer. */
cg_err cl_answer_refused(struct cl_app *app, const char *what, const struct cl_answer *answer);

#endif
