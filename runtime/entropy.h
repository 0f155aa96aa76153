/* entropy.h: random bytes from the kernel. */
#ifndef CG_RUNTIME_ENTROPY_H
#define CG_RUNTIME_ENTROPY_H
#include <httpcg/err.h>

/* cg_entropy_fill fills len bytes by getrandom(2).  There is no way on without them: on an error
 * out holds zeros and the caller refuses what it was about to do.
 * Errors  CG_IO. */
CG_MUST_USE cg_err cg_entropy_fill(void *out, size_t len);

#endif
