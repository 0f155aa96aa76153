#include "lib/sapi/evidence.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/cbor.h"

cg_err cg_evidence_write(const struct cg_evidence *evidence, struct cg_buf *out)
{
    struct cg_writer w = cg_writer_into(out);
    size_t before = out->len;

    cg_cbor_put_array(&w, 4);
    cg_cbor_put_bytes(&w, evidence->grant);
    cg_cbor_put_bytes(&w, evidence->grant_signature);
    cg_cbor_put_bytes(&w, evidence->tbs);
    cg_cbor_put_bytes(&w, evidence->signature);
    if (w.err != CG_OK)
        out->len = before;
    return cg_writer_end(&w);
}

cg_err cg_evidence_read(struct cg_span wire, struct cg_evidence *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_evidence got;

    cg_cbor_array(&r, 4, 4);
    got.grant = cg_cbor_bytes(&r, CG_DOCUMENT_MAX_BYTES);
    got.grant_signature = cg_span_of(cg_cbor_bytes_n(&r, CG_HSIG_BYTES), CG_HSIG_BYTES);
    got.tbs = cg_cbor_bytes(&r, CG_URI_MAX_BYTES + 4096);
    got.signature = cg_cbor_bytes(&r, CG_HSIG_BYTES);
    if (r.err == CG_OK && got.signature.len != CG_ED25519_SIG_BYTES &&
        got.signature.len != CG_HSIG_BYTES)
        cg_cbor_fail(&r, CG_SCHEMA);
    CG_TRY(cg_cbor_end(&r));
    *out = got;
    return CG_OK;
}
