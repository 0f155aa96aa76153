#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/wire/cbor.h"
#include "lib/wire/tup.h"

#include <assert.h>

/* One root over the tuple "httpcg-batch/v1": label 4+15, count 1, fields 4+32 and 4+2. */
#define SIGNED_BYTES 62

void cg_batch_init(struct cg_batch *batch)
{
    batch->n = 0;
}

/* RFC 9162, 2.1.1: a leaf's hash begins with 0x00, a node's with 0x01. */
static cg_err hash_leaf(struct cg_span message, struct cg_hash *out)
{
    static const uint8_t zero = 0;

    return cg_sha256_2(cg_span_of(&zero, 1), message, out);
}

static cg_err hash_node(const struct cg_hash *left, const struct cg_hash *right,
                        struct cg_hash *out)
{
    static const uint8_t one = 1;

    return cg_sha256_3(cg_span_of(&one, 1), cg_hash_span(left), cg_hash_span(right), out);
}

static cg_err signed_bytes(const struct cg_hash *root, uint16_t count, uint8_t out[SIGNED_BYTES])
{
    struct cg_writer w = cg_writer_fixed(out, SIGNED_BYTES);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-batch/v1", 2);

    cg_tup_hash(&t, root);
    cg_tup_u16(&t, count);
    return cg_tup_end(&t);
}

cg_err cg_batch_add(struct cg_batch *batch, struct cg_span message, size_t *out_index)
{
    if (batch->n == CG_BATCH_MAX)
        return CG_TOO_LARGE;
    CG_TRY(hash_leaf(message, &batch->nodes[batch->n]));
    *out_index = batch->n++;
    return CG_OK;
}

cg_err cg_batch_sign(struct cg_batch *batch, const struct cg_signer *signer, enum cg_hsig_dom dom)
{
    struct cg_hash *level = batch->nodes;
    size_t n = batch->n;
    uint8_t text[SIGNED_BYTES];

    assert(n > 0);
    /* Pairs make the next level; a last node without partner rises alone, which is the tree of
     * RFC 9162 (its left part is always the largest power of two). */
    while (n > 1) {
        struct cg_hash *above = level + n;

        for (size_t i = 0; i + 1 < n; i += 2)
            CG_TRY(hash_node(&level[i], &level[i + 1], &above[i / 2]));
        if (n % 2 == 1)
            above[n / 2] = level[n - 1];
        level = above;
        n = (n + 1) / 2;
    }
    CG_TRY(signed_bytes(level, (uint16_t)batch->n, text));
    return cg_hsig_sign(signer, dom, CG_BYTES(text), batch->sig);
}

cg_err cg_batch_write(const struct cg_batch *batch, size_t index, struct cg_buf *out)
{
    const struct cg_hash *path[8];
    size_t n_path = 0;
    const struct cg_hash *level = batch->nodes;

    assert(index < batch->n);
    for (size_t n = batch->n, at = index; n > 1; n = (n + 1) / 2, at /= 2) {
        if ((at ^ 1) < n)
            path[n_path++] = &level[at ^ 1];
        level += n;
    }

    size_t before = out->len;
    struct cg_writer w = cg_writer_into(out);
    cg_cbor_put_array(&w, 4);
    cg_cbor_put_bytes(&w, CG_BYTES(batch->sig));
    cg_cbor_put_uint(&w, index);
    cg_cbor_put_uint(&w, batch->n);
    cg_cbor_put_array(&w, n_path);
    for (size_t i = 0; i < n_path; i++)
        cg_cbor_put_hash(&w, path[i]);
    cg_err err = cg_writer_end(&w);
    if (err != CG_OK)
        out->len = before;
    return err;
}

/* The path as it came, its length bounded while it was read. */
struct wire_proof {
    struct cg_span sig;
    uint64_t index;
    uint64_t count;
    struct cg_hash path[8];
    size_t n_path;
};

static cg_err read_proof(struct cg_span wire, struct wire_proof *out)
{
    struct cg_cbor r = cg_cbor_of(wire);

    cg_cbor_array(&r, 4, 4);
    out->sig = cg_span_of(cg_cbor_bytes_n(&r, CG_HSIG_BYTES), CG_HSIG_BYTES);
    out->index = cg_cbor_uint(&r);
    out->count = cg_cbor_uint(&r);
    out->n_path = cg_cbor_array(&r, 0, 8);
    for (size_t i = 0; i < out->n_path; i++)
        cg_cbor_hash(&r, &out->path[i]);
    return cg_cbor_end(&r);
}

static cg_err climb(const struct wire_proof *proof, struct cg_hash *at)
{
    if (proof->count > CG_BATCH_MAX || proof->index >= proof->count)
        return CG_PROOF;

    uint64_t node = proof->index, last = proof->count - 1;
    for (size_t i = 0; i < proof->n_path; i++) {
        if (last == 0)
            return CG_PROOF; /* at the root, with hashes left over */
        while (node == last && node % 2 == 0) {
            node /= 2;
            last /= 2;
        }
        if (node % 2 == 1)
            CG_TRY(hash_node(&proof->path[i], at, at));
        else
            CG_TRY(hash_node(at, &proof->path[i], at));
        node /= 2;
        last /= 2;
    }
    return last == 0 ? CG_OK : CG_PROOF;
}

cg_err cg_batch_verify(const struct cg_verifier *verifier, enum cg_hsig_dom dom,
                       struct cg_span message, struct cg_span wire)
{
    struct wire_proof proof;
    struct cg_hash root;
    uint8_t text[SIGNED_BYTES];

    CG_TRY(read_proof(wire, &proof));
    CG_TRY(hash_leaf(message, &root));
    CG_TRY(climb(&proof, &root));
    CG_TRY(signed_bytes(&root, (uint16_t)proof.count, text));
    return cg_hsig_verify(verifier, dom, CG_BYTES(text), proof.sig);
}
