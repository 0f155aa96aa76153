/* window.h: which nonces of a grant were used, in 136 bytes.
 *
 * Counters above the highest accepted one are new; the 1024 up to it are known one by one; lower
 * ones are refused without knowing.  Checking and committing are two steps, because a counter may
 * be spent only after the signature over it verified (RFC 4303, 3.4.3). */
#ifndef CG_LIB_SAPI_WINDOW_H
#define CG_LIB_SAPI_WINDOW_H
#include <httpcg/err.h>

#define CG_WINDOW_BITS 1024

/* Zeroed: nothing used yet. */
struct cg_window {
    uint64_t highest;
    uint64_t used[CG_WINDOW_BITS / 64]; /* bit i of the ring: a counter that is i modulo 1024 */
};

/* cg_window_check tells whether a counter may be used.
 * Errors  CG_REPLAY (used), CG_STALE (below the window), CG_SCHEMA (0). */
CG_MUST_USE cg_err cg_window_check(const struct cg_window *window, uint64_t counter);
/* cg_window_commit checks again and marks it used: since the first check another request may have
 * used it. Errors as cg_window_check; the window is then as it was. */
CG_MUST_USE cg_err cg_window_commit(struct cg_window *window, uint64_t counter);

#endif
