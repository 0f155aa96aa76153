#include "lib/merkle/staple.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"

#define STAPLE_VERSION 1

void cg_path_put(struct cg_writer *w, const struct cg_path *path)
{
    cg_cbor_put_array(w, path->n);
    for (size_t i = 0; i < path->n; i++)
        cg_cbor_put_hash(w, &path->at[i]);
}

void cg_path_take(struct cg_cbor *r, struct cg_path *out)
{
    out->n = cg_cbor_array(r, 0, CG_PATH_MAX_HASHES);
    for (size_t i = 0; i < out->n; i++)
        cg_cbor_hash(r, &out->at[i]);
}

void cg_leaf_proof_put(struct cg_writer *w, const struct cg_leaf_proof *proof)
{
    cg_cbor_put_array(w, 3);
    cg_cbor_put_uint(w, proof->index);
    cg_cbor_put_bytes(w, proof->entry);
    cg_path_put(w, &proof->path);
}

void cg_leaf_proof_take(struct cg_cbor *r, struct cg_leaf_proof *out)
{
    cg_cbor_array(r, 3, 3);
    out->index = cg_cbor_uint(r);
    out->entry = cg_cbor_bytes(r, CG_ENTRY_MAX_BYTES);
    cg_path_take(r, &out->path);
}

cg_err cg_staple_read(struct cg_span wire, struct cg_staple *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_staple got = {0};

    if (wire.len > CG_STAPLE_MAX_BYTES)
        return CG_TOO_LARGE;
    cg_cbor_map(&r, 5, 5);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != STAPLE_VERSION)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "map");
    got.n_map = cg_cbor_array(&r, 0, CG_STAPLE_MAP_MAX);
    for (size_t i = 0; i < got.n_map; i++)
        got.map[i] = cg_cbor_item(&r);
    cg_cbor_key(&r, "incl");
    got.has_incl = !cg_cbor_null(&r);
    if (got.has_incl)
        cg_leaf_proof_take(&r, &got.incl);
    cg_cbor_key(&r, "map_head");
    cg_leaf_proof_take(&r, &got.map_head);
    cg_cbor_key(&r, "checkpoint");
    got.note = cg_cbor_text_any(&r, CG_NOTE_MAX_BYTES);
    CG_TRY(cg_cbor_end(&r));
    *out = got;
    return CG_OK;
}

cg_err cg_staple_write(const struct cg_staple *staple, struct cg_writer *out)
{
    cg_cbor_put_map(out, 5);
    cg_cbor_put_key(out, "v");
    cg_cbor_put_uint(out, STAPLE_VERSION);
    cg_cbor_put_key(out, "map");
    cg_cbor_put_array(out, staple->n_map);
    for (size_t i = 0; i < staple->n_map; i++)
        cg_put(out, staple->map[i]);
    cg_cbor_put_key(out, "incl");
    if (staple->has_incl)
        cg_leaf_proof_put(out, &staple->incl);
    else
        cg_cbor_put_null(out);
    cg_cbor_put_key(out, "map_head");
    cg_leaf_proof_put(out, &staple->map_head);
    cg_cbor_put_key(out, "checkpoint");
    cg_cbor_put_text(out, staple->note);
    return cg_writer_end(out);
}
