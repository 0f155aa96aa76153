/* locked.h: memory that is this process's alone.
 *
 * A secret in a page of its own: never swapped out, never in a core dump, not inherited by a child
 * process. What OpenSSL makes of it is key_heap.h's. */
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

/* cg_memory_private keeps the process's memory to itself: no core file when it crashes, and no
 * other process of the same user may look into it. Sanitized builds allow the latter, for their
 * leak checker. Errors  CG_IO (seccomp, container). */
CG_MUST_USE cg_err cg_memory_private(void);
/* cg_memory_lock keeps some pages from the swap. Errors  CG_DENIED (RLIMIT_MEMLOCK). */
CG_MUST_USE cg_err cg_memory_lock(void *at, size_t len);
/* cg_memory_lock_all keeps all of it from the swap, what is allocated later included.
 * Errors  CG_DENIED: RLIMIT_MEMLOCK is a limit, and would become one of all memory. */
CG_MUST_USE cg_err cg_memory_lock_all(void);

#endif
