/* modes.h: the members that a grant and its answer have in common. */
#ifndef CG_LIB_SAPI_MODES_H
#define CG_LIB_SAPI_MODES_H
#include "lib/wire/cbor.h"

/* cg_modes_read reads a list of modes, "grant" and "ed25519" each at most once, into CG_MODE_BITs.
 */
void cg_modes_read(struct cg_cbor *r, unsigned *out);
/* cg_modes_put writes one, the weaker first; CG_SCHEMA where another bit is set. */
void cg_modes_put(struct cg_writer *w, unsigned modes);
/* cg_epochs_read and cg_epochs_put: 1..60. */
void cg_epochs_read(struct cg_cbor *r, uint32_t *out);
void cg_epochs_put(struct cg_writer *w, uint32_t epochs);

#endif
