/* diddoc.h: a DID's state as the W3C's DID document, for tools that know only that. */
#ifndef CG_LIB_IDENTITY_DIDDOC_H
#define CG_LIB_IDENTITY_DIDDOC_H
#include "lib/wire/writer.h"

#include <httpcg/identity.h>

/* cg_diddoc_write writes the JSON. A deactivated DID has no verification methods.
 * Source  W3C DID Core 1.0, 5; RFC 8037 (OKP), RFC 9964 (AKP) */
void cg_diddoc_write(const struct cg_did_state *state, struct cg_writer *w);

#endif
