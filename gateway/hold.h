/* hold.h: body bytes on their way to the backend, the last of them held back.
 *
 * Until a body's digest has proved right, the backend must not see its end: a backend that never
 * saw the end has an incomplete request, which it must treat as none.  Small bodies are held
 * whole, large ones but for their last 16 KiB. */
#ifndef CG_GATEWAY_HOLD_H
#define CG_GATEWAY_HOLD_H
#include "lib/base/buf.h"

#define GW_HOLD_TAIL_BYTES (16 * 1024)
/* Bodies up to here are held whole. */
#define GW_HOLD_WHOLE_MAX_BYTES (1024 * 1024)
/* What a body that is not held whole may occupy. */
#define GW_HOLD_WINDOW_BYTES (64 * 1024)

struct gw_hold {
    struct cg_buf buf;
    size_t from; /* bytes of buf that have left already */
    size_t keep; /* held back; SIZE_MAX: all */
};

/* gw_hold_init holds bodies of up to whole_max bytes whole; whole_max 0 lets all but the tail pass.
 */
void gw_hold_init(struct gw_hold *hold, size_t whole_max);
void gw_hold_done(struct gw_hold *hold);
/* gw_hold_room tells how many bytes gw_hold_add would take. */
size_t gw_hold_room(const struct gw_hold *hold);
/* gw_hold_add takes bytes, at most gw_hold_room.
 * Errors  CG_TOO_LARGE (more than there is room), CG_NO_MEMORY. */
CG_MUST_USE cg_err gw_hold_add(struct gw_hold *hold, struct cg_span bytes);
/* gw_hold_overflow is called when a body held whole is larger than that: from now on all but the
 * tail may leave. */
void gw_hold_overflow(struct gw_hold *hold);
bool gw_hold_is_whole(const struct gw_hold *hold);
/* gw_hold_release lets everything leave: the digest was right, or nothing shall be held back. */
void gw_hold_release(struct gw_hold *hold);
bool gw_hold_is_released(const struct gw_hold *hold);
/* gw_hold_ready gives the bytes that may leave now. */
struct cg_span gw_hold_ready(const struct gw_hold *hold);
/* gw_hold_took says that the first n of them left. */
void gw_hold_took(struct gw_hold *hold, size_t n);
bool gw_hold_is_empty(const struct gw_hold *hold);

#endif
