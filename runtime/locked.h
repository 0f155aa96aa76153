/* locked.h: a secret in a page of its own: never swapped out, never in a core dump, not inherited
 * by a child process. */
#ifndef CG_RUNTIME_LOCKED_H
#define CG_RUNTIME_LOCKED_H
#include <httpcg/err.h>

struct cg_locked;

/* cg_locked_new copies a secret into a locked page.
 * Errors  CG_NO_MEMORY, also where the system allows no more locked memory (RLIMIT_MEMLOCK). */
CG_MUST_USE cg_err cg_locked_new(const struct cg_secret *secret, struct cg_locked **out);
/* cg_locked_free wipes and unlocks it; NULL is nothing. */
void cg_locked_free(struct cg_locked *locked);
/* cg_locked_get borrows it. */
const struct cg_secret *cg_locked_get(const struct cg_locked *locked);

#endif
