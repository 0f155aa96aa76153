/* ring.h: the two bounded byte queues of an exchange (struct cg_ring is in exchange.h). */
#ifndef CG_SESSION_RING_H
#define CG_SESSION_RING_H
#include "session/exchange.h"

/* cg_ring_init makes an empty ring, whose first memory comes from blocks; NULL: the heap. */
void cg_ring_init(struct cg_ring *ring, size_t max, struct cg_blocks *blocks);
void cg_ring_done(struct cg_ring *ring);
/* cg_ring_put appends as many bytes as fit below max.
 * Errors  CG_NO_MEMORY; nothing is then taken. */
CG_MUST_USE cg_err cg_ring_put(struct cg_ring *ring, struct cg_span bytes, size_t *taken);
/* cg_ring_peek gives the first bytes, as far as they stand together. */
struct cg_span cg_ring_peek(const struct cg_ring *ring);
/* cg_ring_get copies the first n bytes to out and drops them; n is at most ring->len. */
void cg_ring_get(struct cg_ring *ring, uint8_t *out, size_t n);
/* cg_ring_drop forgets the first n bytes; n is at most ring->len. */
void cg_ring_drop(struct cg_ring *ring, size_t n);

#endif
