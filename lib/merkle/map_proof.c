/* Checking what a state map's proof claims; making proofs is map.c. */
#include "lib/merkle/map_node.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/cbor.h"

#include <httpcg/receipt.h>

const struct cg_hash cg_map_nothing = {{0}};

cg_err cg_map_leaf_hash(const struct cg_hash *key, const struct cg_hash *value, struct cg_hash *out)
{
    static const uint8_t prefix[] = {0x02};

    return cg_sha256_3(CG_BYTES(prefix), cg_hash_span(key), cg_hash_span(value), out);
}

cg_err cg_map_node_hash(const struct cg_hash *zero, const struct cg_hash *one, struct cg_hash *out)
{
    static const uint8_t prefix[] = {0x03};

    return cg_sha256_3(CG_BYTES(prefix), cg_hash_span(zero), cg_hash_span(one), out);
}

static bool is_nothing(struct cg_span sibling)
{
    return sibling.len == CG_HASH_BYTES &&
           memcmp(sibling.at, cg_map_nothing.bytes, CG_HASH_BYTES) == 0;
}

/* A sibling: a hash, or nothing for an empty subtree, which has no other spelling. */
static struct cg_span take_sibling(struct cg_cbor *r)
{
    struct cg_span sibling = cg_cbor_bytes(r, CG_HASH_BYTES);

    if (r->err == CG_OK && sibling.len != 0 && sibling.len != CG_HASH_BYTES)
        cg_cbor_fail(r, CG_SCHEMA);
    if (is_nothing(sibling))
        cg_cbor_fail(r, CG_CANONICAL);
    return sibling;
}

cg_err cg_map_proof_read(struct cg_span wire, struct cg_map_proof *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_map_proof proof = {0};

    cg_cbor_array(&r, 3, 3);
    uint64_t is_present = cg_cbor_uint(&r);
    if (is_present > 1)
        cg_cbor_fail(&r, CG_SCHEMA);
    if (is_present == 1) {
        proof.kind = CG_MAP_PRESENT;
        cg_cbor_hash(&r, &proof.value);
    } else if (!cg_cbor_null(&r)) {
        proof.kind = CG_MAP_OTHER;
        cg_cbor_array(&r, 2, 2);
        cg_cbor_hash(&r, &proof.other_key);
        cg_cbor_hash(&r, &proof.other_value);
    }
    proof.n_siblings = cg_cbor_array(&r, 0, CG_MAP_DEPTH);
    proof.siblings = r.left;
    for (size_t i = 0; i < proof.n_siblings; i++)
        take_sibling(&r);
    CG_TRY(cg_cbor_end(&r));
    *out = proof;
    return CG_OK;
}

/* Whether another pair can stand alone where key belongs: it shares the way there, and is not key
 * itself. */
static bool is_beside(const struct cg_hash *key, const struct cg_hash *other, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        if (cg_map_bit(key, i) != cg_map_bit(other, i))
            return false;
    return !cg_hash_eq(key, other);
}

static cg_err begin(const struct cg_map_proof *proof, const struct cg_hash *key,
                    struct cg_hash *out)
{
    switch (proof->kind) {
    case CG_MAP_PRESENT:
        return cg_map_leaf_hash(key, &proof->value, out);
    case CG_MAP_OTHER:
        if (!is_beside(key, &proof->other_key, proof->n_siblings))
            return CG_PROOF;
        return cg_map_leaf_hash(&proof->other_key, &proof->other_value, out);
    case CG_MAP_EMPTY:
        break;
    }
    *out = cg_map_nothing;
    return CG_OK;
}

cg_err cg_map_proof_check(const struct cg_map_proof *proof, const struct cg_hash *key,
                          const struct cg_hash *root)
{
    struct cg_cbor r = cg_cbor_of(proof->siblings);
    struct cg_hash siblings[CG_MAP_DEPTH], at;

    if (proof->n_siblings > CG_MAP_DEPTH)
        return CG_PROOF;
    for (size_t i = 0; i < proof->n_siblings; i++) {
        struct cg_span sibling = take_sibling(&r);

        siblings[i] = cg_map_nothing;
        if (sibling.len != 0)
            memcpy(siblings[i].bytes, sibling.at, CG_HASH_BYTES);
    }
    if (cg_cbor_end(&r) != CG_OK)
        return CG_PROOF;

    CG_TRY(begin(proof, key, &at));
    for (size_t i = proof->n_siblings; i-- > 0;) {
        if (cg_map_bit(key, i))
            CG_TRY(cg_map_node_hash(&siblings[i], &at, &at));
        else
            CG_TRY(cg_map_node_hash(&at, &siblings[i], &at));
    }
    return cg_hash_eq(&at, root) ? CG_OK : CG_PROOF;
}
