#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/wire/cbor.h"

#include <assert.h>

void cg_cert_ref_of(const struct cg_cert *cert, struct cg_cert_ref *out)
{
    *out = (struct cg_cert_ref){
        .fingerprint = cert->fingerprint,
        .policy_hash = cert->policy_hash,
        .log_id = cert->log_id,
        .anchor = cert->anchor,
        .issuer = cert->subject,
    };
}

void cg_cert_ref_write(const struct cg_cert_ref *ref, uint8_t out[CG_CERT_REF_BYTES])
{
    struct cg_writer w = cg_writer_fixed(out, CG_CERT_REF_BYTES);
    struct cg_anchor anchor = {.log_id = ref->log_id, .commitment = ref->anchor};
    char text[CG_ANCHOR_CHARS + 1], did[CG_DID_CHARS + 1], policy_hash[2 * CG_HASH_BYTES];

    cg_anchor_write(&anchor, text);
    cg_did_write(&ref->issuer, did);
    cg_hex_write(cg_hash_span(&ref->policy_hash), policy_hash);
    cg_cbor_put_map(&w, 5);
    cg_cbor_put_key(&w, "v");
    cg_cbor_put_uint(&w, 1);
    cg_cbor_put_key(&w, "bpi_anchor");
    cg_cbor_put_text(&w, cg_span_str(text));
    cg_cbor_put_key(&w, "issuer_did");
    cg_cbor_put_text(&w, cg_span_str(did));
    cg_cbor_put_key(&w, "policy_hash");
    cg_cbor_put_text(&w, cg_span_of(policy_hash, sizeof policy_hash));
    cg_cbor_put_key(&w, "certificate_id");
    cg_cbor_put_hash(&w, &ref->fingerprint);
    assert(cg_writer_end(&w) == CG_OK && w.len == CG_CERT_REF_BYTES);
}

cg_err cg_cert_ref_read(struct cg_span wire, struct cg_cert_ref *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_cert_ref got;
    struct cg_anchor anchor;

    cg_cbor_map(&r, 5, 5);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "bpi_anchor");
    struct cg_span text = cg_cbor_text(&r, CG_ANCHOR_CHARS);
    cg_cbor_key(&r, "issuer_did");
    struct cg_span did = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "policy_hash");
    struct cg_span policy_hash = cg_cbor_text(&r, 2 * CG_HASH_BYTES);
    cg_cbor_key(&r, "certificate_id");
    cg_cbor_hash(&r, &got.fingerprint);
    CG_TRY(cg_cbor_end(&r));
    CG_TRY(cg_anchor_read(text, &anchor));
    CG_TRY(cg_did_read(did, &got.issuer));
    CG_TRY(cg_hex_read(policy_hash, got.policy_hash.bytes, CG_HASH_BYTES));
    got.log_id = anchor.log_id;
    got.anchor = anchor.commitment;
    *out = got;
    return CG_OK;
}

bool cg_cert_ref_eq(const struct cg_cert_ref *a, const struct cg_cert_ref *b)
{
    return cg_hash_eq(&a->fingerprint, &b->fingerprint) &&
           cg_hash_eq(&a->policy_hash, &b->policy_hash) && cg_log_id_eq(&a->log_id, &b->log_id) &&
           cg_hash_eq(&a->anchor, &b->anchor) && cg_waddr_eq(&a->issuer, &b->issuer);
}
