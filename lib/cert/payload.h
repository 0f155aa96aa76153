/* payload.h: what a certificate says, as deterministic CBOR. */
#ifndef CG_LIB_CERT_PAYLOAD_H
#define CG_LIB_CERT_PAYLOAD_H
#include "lib/wire/writer.h"

#include <httpcg/cert.h>

/* The longest payload: both keys, 16 names of 253 characters, and 700 bytes for the rest. */
#define CG_CERT_PAYLOAD_MAX_BYTES 8192

/* cg_cert_payload_read fills in everything of *out that the payload says.
 * Errors  CG_SHORT, CG_EXTRA, CG_SCHEMA, CG_CANONICAL, CG_SYNTAX, CG_VERSION, CG_MISMATCH;
 *         *out is then undefined. */
CG_MUST_USE cg_err cg_cert_payload_read(struct cg_span payload, struct cg_cert *out);
/* cg_cert_payload_write writes the payload with the given text as bpi_anchor: the anchor's own, or
 * the empty one that is committed to. */
void cg_cert_payload_write(const struct cg_cert *cert, struct cg_span anchor, struct cg_writer *w);
/* cg_cert_commitment computes what bpi_anchor must commit to. */
CG_MUST_USE cg_err cg_cert_commitment(const struct cg_cert *cert, struct cg_hash *out);

#endif
