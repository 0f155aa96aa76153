/* cose: a signed document. The first byte says which type is expected; the rest is the document. */
#include "lib/identity/cose.h"
#include "fuzz/fuzz.h"
#include "lib/wire/cbor.h"

void cg_fuzz_one(struct cg_fuzz *in)
{
    enum cg_doc_type type = cg_fuzz_byte(in) % CG_DOC_COUNT;
    struct cg_span wire = cg_fuzz_rest(in);
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_cose cose, bare;
    struct cg_hash digest, bare_digest;

    MARK(cose);
    if (cg_cose_read(wire, type, &cose) != CG_OK) {
        UNTOUCHED(cose);
        return;
    }
    MUST(cose.type == type && cose.sig_ed25519.len == CG_ED25519_SIG_BYTES &&
         cose.sig_mldsa87.len == CG_MLDSA87_SIG_BYTES);
    MUST_OK(cg_cose_write(&cose, out));
    MUST_SAME(cg_buf_span(out), wire);

    struct cg_cbor payload = cg_cbor_of(cose.payload);
    cg_cbor_item(&payload);
    MUST_OK(cg_cbor_end(&payload));

    /* Without what is not signed it is the same object, and good on its own. */
    bare = cose;
    bare.wallet_doc = bare.staple = (struct cg_span){NULL, 0};
    cg_buf_clear(out);
    MUST_OK(cg_cose_write(&bare, out));
    MUST_OK(cg_cose_read(cg_buf_span(out), type, &bare));
    MUST_OK(cg_cose_digest(&cose, &digest));
    MUST_OK(cg_cose_digest(&bare, &bare_digest));
    MUST(cg_hash_eq(&digest, &bare_digest));
    for (enum cg_doc_type other = 0; other < CG_DOC_COUNT; other++)
        MUST(other == type || cg_cose_read(wire, other, &bare) != CG_OK);
}
