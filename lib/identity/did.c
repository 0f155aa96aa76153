#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/sign.h"
#include "lib/identity/didop.h"
#include "lib/wire/cbor.h"

/* A wallet_doc taken apart: the inception document, and its operations in order. */
struct chain {
    struct cg_span first;
    struct cg_span ops[CG_DIDOPS_MAX];
    size_t n_ops;
};

/* Alone the document is a map; with operations behind it, an array of byte strings. */
static cg_err read_chain(struct cg_span wire, struct chain *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct chain got = {.first = wire};

    if (wire.len > CG_DOCUMENT_MAX_BYTES)
        return CG_TOO_LARGE;
    if (cg_cbor_peek(&r) == CG_CBOR_ARRAY) {
        size_t n = cg_cbor_array(&r, 2, 1 + CG_DIDOPS_MAX);

        got.first = cg_cbor_bytes(&r, CG_WALLET_DOC_BYTES);
        for (size_t i = 1; i < n; i++)
            got.ops[got.n_ops++] = cg_cbor_bytes(&r, CG_DIDOP_MAX_BYTES);
        CG_TRY(cg_cbor_end(&r));
    }
    *out = got;
    return CG_OK;
}

cg_err cg_did_begin(struct cg_span wallet_doc, struct cg_did_state *out)
{
    struct cg_wallet_doc doc;
    struct cg_did_state got = {0};

    CG_TRY(cg_wallet_doc_read(wallet_doc, &doc));
    CG_TRY(cg_ed25519_key_check(doc.keys.ed25519));
    CG_TRY(cg_wallet_doc_address(&doc, &got.waddr));
    CG_TRY(cg_sha256(wallet_doc, &got.newest));
    got.keys = doc.keys;
    got.next = doc.next;
    *out = got;
    return CG_OK;
}

cg_err cg_did_check(const struct cg_crypto *crypto, struct cg_span wallet_doc,
                    const struct cg_waddr *expected, struct cg_did_state *out)
{
    struct chain chain;
    struct cg_did_state state;

    CG_TRY(read_chain(wallet_doc, &chain));
    CG_TRY(cg_did_begin(chain.first, &state));
    /* Compared before any signature is verified: a stranger's chain costs one hash. */
    if (!cg_waddr_eq(&state.waddr, expected))
        return CG_MISMATCH;
    for (size_t i = 0; i < chain.n_ops; i++)
        CG_TRY(cg_did_apply(crypto, &state, chain.ops[i], &state));
    *out = state;
    return CG_OK;
}

cg_err cg_did_append(struct cg_span wallet_doc, struct cg_span didop, struct cg_buf *out)
{
    struct chain chain;
    size_t before = out->len;

    CG_TRY(read_chain(wallet_doc, &chain));
    if (chain.n_ops == CG_DIDOPS_MAX)
        return CG_TOO_LARGE;
    struct cg_writer w = cg_writer_into(out);
    cg_cbor_put_array(&w, 2 + chain.n_ops);
    cg_cbor_put_bytes(&w, chain.first);
    for (size_t i = 0; i < chain.n_ops; i++)
        cg_cbor_put_bytes(&w, chain.ops[i]);
    cg_cbor_put_bytes(&w, didop);
    cg_err err = cg_writer_end(&w);
    if (err != CG_OK)
        out->len = before;
    return err;
}
