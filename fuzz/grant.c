/* grant: the posted body, the grant in it, the gateway's answer and what it is wrapped in; and the
 * batch signature that proves it. */
#include "lib/sapi/grant.h"
#include "fuzz/fuzz.h"
#include "lib/crypto/hsig.h"
#include "lib/wire/cbor.h"
#include "tests/support/keys.h"

static void check_canonical(struct cg_span wire)
{
    struct cg_cbor r = cg_cbor_of(wire);

    cg_cbor_item(&r);
    MUST_OK(cg_cbor_end(&r));
}

static void grant(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_grant got;
    struct cg_buf *out = cg_fuzz_buf(in), *again = cg_fuzz_buf(in);

    MARK(got);
    if (cg_grant_read(wire, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    MUST(got.epochs >= 1 && got.epochs <= CG_GRANT_EPOCHS_MAX);
    MUST(got.is_anywhere == (got.n_scope == 0) && got.n_scope <= CG_GRANT_SCOPE_MAX);
    MUST((got.modes & ~CG_MODES_LISTED) == 0);
    for (size_t i = 0; i < got.n_scope; i++)
        MUST_OK(cg_url_check_name(got.scope[i]));
    check_canonical(wire);
    /* Modes may be listed in either order, and no certificate said as an empty one. */
    MUST_OK(cg_grant_write(&got, out));
    MUST(out->len <= wire.len);
    MUST_OK(cg_grant_read(cg_buf_span(out), &got));
    MUST_OK(cg_grant_write(&got, again));
    MUST_SAME(cg_buf_span(again), cg_buf_span(out));
}

static void answer(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_grant_answer got;
    struct cg_buf *out = cg_fuzz_buf(in), *again = cg_fuzz_buf(in);

    MARK(got);
    if (cg_grant_answer_read(wire, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    check_canonical(wire);
    MUST_OK(cg_grant_answer_write(&got, out));
    MUST(out->len == wire.len);
    MUST_OK(cg_grant_answer_read(cg_buf_span(out), &got));
    MUST_OK(cg_grant_answer_write(&got, again));
    MUST_SAME(cg_buf_span(again), cg_buf_span(out));
}

static void body(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_grant_body got;
    struct cg_grant inside;
    struct cg_did_state did;
    struct cg_buf *out = cg_fuzz_buf(in);

    MARK(got);
    if (cg_grant_body_read(wire, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    MUST_OK(cg_grant_body_write(&got, out));
    MUST_SAME(cg_buf_span(out), wire);
    grant(in, got.grant);
    MARK(did);
    if (cg_grant_read(got.grant, &inside) == CG_OK &&
        cg_grant_verify(cg_fuzz_crypto(), &got, &inside, &did) != CG_OK)
        UNTOUCHED(did);
}

/* A batch's wire form that verifies is the only spelling of what it says. */
static void batch(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_cbor r = cg_cbor_of(wire);

    if (cg_batch_verify(cg_test_verifier(0), CG_HSIG_SAPI_RESPONSE, CG_LIT("message 2"), wire) !=
        CG_OK)
        return;
    MUST(cg_batch_verify(cg_test_verifier(0), CG_HSIG_SAPI_RESPONSE, CG_LIT("message 3"), wire) !=
         CG_OK);
    MUST(cg_cbor_array(&r, 4, 4) == 4);
    cg_cbor_put_array(&w, 4);
    cg_cbor_put_bytes(&w, cg_cbor_bytes(&r, CG_HSIG_BYTES));
    cg_cbor_put_uint(&w, cg_cbor_uint(&r));
    cg_cbor_put_uint(&w, cg_cbor_uint(&r));
    size_t n = cg_cbor_array(&r, 0, 8);
    cg_cbor_put_array(&w, n);
    for (size_t i = 0; i < n; i++)
        cg_cbor_put_bytes(&w, cg_cbor_bytes(&r, CG_HASH_BYTES));
    MUST_OK(cg_cbor_end(&r));
    MUST_SAME(cg_buf_span(out), wire);
}

static void reply(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_grant_reply got;
    struct cg_buf *out = cg_fuzz_buf(in);

    MARK(got);
    if (cg_grant_reply_read(wire, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    MUST(got.confirm.len == CG_HASH_BYTES);
    MUST_OK(cg_grant_reply_write(&got, out));
    MUST_SAME(cg_buf_span(out), wire);
    answer(in, got.answer);
    batch(in, got.proof);
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);

    grant(in, wire);
    answer(in, wire);
    body(in, wire);
    reply(in, wire);
    batch(in, wire);
}
