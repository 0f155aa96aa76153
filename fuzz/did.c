/* did: wallet documents, the operations that change a DID's keys, and what else its keys sign:
 * revocations and role credentials. */
#include "fuzz/fuzz.h"
#include "lib/access/cred.h"
#include "lib/access/policy.h"
#include "lib/cert/revoke.h"
#include "lib/identity/cose.h"
#include "lib/identity/diddoc.h"
#include "lib/identity/didop.h"
#include "lib/wire/cbor.h"
#include "lib/wire/json.h"

static void inception(struct cg_span wire)
{
    struct cg_wallet_doc doc;
    uint8_t again[CG_WALLET_DOC_BYTES];

    MARK(doc);
    if (cg_wallet_doc_read(wire, &doc) != CG_OK) {
        UNTOUCHED(doc);
        return;
    }
    cg_wallet_doc_write(&doc, again);
    MUST_SAME(CG_BYTES(again), wire);
}

/* The address that a wallet_doc, a document or an array that begins with one, would prove. */
static bool address_of(struct cg_span wire, struct cg_waddr *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_wallet_doc doc;

    if (cg_cbor_peek(&r) == CG_CBOR_ARRAY)
        cg_cbor_array(&r, 1, 16);
    return cg_wallet_doc_read(cg_cbor_item(&r), &doc) == CG_OK &&
           cg_wallet_doc_address(&doc, out) == CG_OK;
}

static void chain(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_waddr waddr, other;
    struct cg_did_state state;
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);

    MARK(state);
    if (!address_of(wire, &waddr) ||
        cg_did_check(cg_fuzz_crypto(), wire, &waddr, &state) != CG_OK) {
        UNTOUCHED(state);
        return;
    }
    MUST(cg_waddr_eq(&state.waddr, &waddr) && state.seq <= 8);
    other = waddr;
    other.text[0] = other.text[0] == 'a' ? 'b' : 'a';
    MUST(cg_did_check(cg_fuzz_crypto(), wire, &other, &state) == CG_MISMATCH);
    cg_diddoc_write(&state, &w);
    MUST_OK(cg_writer_end(&w));
}

static void statements(struct cg_fuzz *in, struct cg_span wire)
{
    static const uint8_t nonce[16];
    struct cg_did_state state;
    struct cg_revoke revoke;
    struct cg_cred cred;
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);

    MARK(state);
    if (cg_didop_read(wire, &state) != CG_OK)
        UNTOUCHED(state);
    MARK(revoke);
    if (cg_revoke_read(wire, &revoke) != CG_OK)
        UNTOUCHED(revoke);
    MARK(cred);
    if (cg_cred_read(wire, &cred) != CG_OK) {
        UNTOUCHED(cred);
        return;
    }
    /* All but the nonce, which is not kept. */
    MUST_OK(cg_cred_write(&cred, nonce, &w));
    MUST(out->len == wire.len);
    MUST_OK(cg_cred_read(cg_buf_span(out), &cred));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);

    inception(wire);
    chain(in, wire);
    statements(in, wire);
}
