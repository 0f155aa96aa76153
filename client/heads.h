/* heads.h: every head that a ledger has shown to this client, until its consistency was proved.
 *
 * Whoever only remembers the newest one can be led onto another history step by step; with all of
 * them kept, httpcg ledger verify finds out. A text file, a line a head:
 *
 *   <log id> <size> <root> <time>                                                              */
#ifndef CG_CLIENT_HEADS_H
#define CG_CLIENT_HEADS_H
#include "client/app.h"

#define CL_HEADS_MAX 8192

/* cl_heads_add appends one; a file that is full keeps the oldest, which tell most.
 * Errors  CG_IO, CG_DENIED, CG_TOO_LARGE (path). */
CG_MUST_USE cg_err cl_heads_add(const struct cl_app *app, size_t log,
                                const struct cg_tlog_seen *head);
/* cl_heads_read gives those of one log, in their order, without repetitions.
 * Owns    *out is the caller's to free; NULL where there are none.
 * Errors  CG_SYNTAX (a line that is none), CG_IO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cl_heads_read(const struct cl_app *app, size_t log, struct cg_tlog_seen **out,
                                 size_t *out_n);
/* cl_heads_keep replaces all of a log's heads by one, from which the next proof begins. */
CG_MUST_USE cg_err cl_heads_keep(const struct cl_app *app, size_t log,
                                 const struct cg_tlog_seen *head);

#endif
