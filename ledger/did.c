#include "ledger/did.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/didop.h"

#include <httpcg/receipt.h>

#include <assert.h>

#define WALLET_DOC_FIRST_BYTE 0xa4 /* a map of four */

cg_err lg_object_at(struct cg_store *store, uint64_t index, struct cg_arena *arena,
                    struct cg_span *out)
{
    struct cg_stored_entry entry;
    struct cg_hash digest;

    CG_TRY(cg_store_log_entries(store, index, 1, arena, &entry));
    if (entry.object_digest.len != CG_HASH_BYTES)
        return CG_STORE;
    memcpy(digest.bytes, entry.object_digest.at, CG_HASH_BYTES);
    cg_err err = cg_store_log_object(store, &digest, arena, out);
    return err == CG_NOT_FOUND ? CG_STORE : err;
}

static cg_err load(struct cg_store *store, const struct cg_waddr *waddr, struct cg_arena *arena,
                   struct lg_did *out)
{
    struct cg_stored_state state;
    struct cg_span object;

    cg_err err = cg_store_log_state(store, &out->key, arena, &state);
    if (err == CG_NOT_FOUND)
        return CG_OK;
    CG_TRY(err);
    CG_TRY(lg_object_at(store, state.index, arena, &object));
    if (object.len > 0 && object.at[0] == WALLET_DOC_FIRST_BYTE)
        err = cg_did_begin(object, &out->state);
    else
        err = cg_didop_read(object, &out->state);
    if (err == CG_NO_MEMORY || err == CG_CRYPTO)
        return err;
    if (err != CG_OK || !cg_waddr_eq(&out->state.waddr, waddr) ||
        !cg_hash_eq(&out->state.newest, &state.value))
        return CG_STORE;
    out->is_logged = true;
    return CG_OK;
}

cg_err lg_did_load(struct cg_store *store, const struct cg_waddr *waddr, struct lg_did *out)
{
    struct cg_arena arena;
    struct lg_did got = {0};

    CG_TRY(cg_map_key("did", cg_span_str(waddr->text), &got.key));
    cg_arena_init(&arena, 2 * CG_DOCUMENT_MAX_BYTES);
    cg_err err = load(store, waddr, &arena, &got);
    cg_arena_done(&arena);
    CG_TRY(err);
    *out = got;
    return CG_OK;
}

void lg_did_expect(const struct lg_did *did, struct lg_item *item)
{
    assert(item->n_expects < LG_EXPECTS_MAX);
    item->expects[item->n_expects++] = (struct lg_expect){
        .key = did->key, .is_present = did->is_logged, .value = did->state.newest};
}
