#include "ledger/view.h"

#include "ledger/append.h"
#include "ledger/did.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/record.h"

/* Three objects, entries and proofs, the note. */
#define VIEW_MAX_BYTES (4u << 20)
/* 256 siblings of 34 bytes, and the pair that stands there instead. */
#define PROOF_MAX_BYTES (256 * 34 + 128)

cg_err lg_view_begin(struct cg_store *store, struct lg_view *out)
{
    struct cg_log_heads heads;

    *out = (struct lg_view){.store = store};
    cg_arena_init(&out->arena, VIEW_MAX_BYTES);
    CG_TRY(cg_store_read_begin(store));
    cg_err err = cg_store_log_heads(store, &out->arena, &heads);
    if (err == CG_OK && !heads.has_published)
        err = CG_BUSY;
    if (err != CG_OK) {
        cg_store_read_end(store);
        return err;
    }
    out->head = heads.published;
    return CG_OK;
}

void lg_view_end(struct lg_view *view)
{
    if (view->head.size > 0)
        cg_store_read_end(view->store);
    cg_arena_done(&view->arena);
    view->head.size = 0;
}

static struct cg_span waddr_of_did(struct cg_span did)
{
    return cg_span_from(did, CG_DID_CHARS - CG_WADDR_CHARS);
}

cg_err lg_view_prove(struct lg_view *view, const char *kind, struct cg_span id, struct lg_fact *out)
{
    struct lg_pages pages = {.store = view->store};
    struct cg_map_pages face = lg_pages_of(&pages);
    uint8_t room[PROOF_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    enum cg_map_kind found;
    struct cg_hash key;

    CG_TRY(cg_map_key(kind, id, &key));
    cg_err err = cg_map_prove(&face, &key, &w, &found, &out->value);
    cg_arena_done(&pages.lent);
    CG_TRY(err);
    out->is_present = found == CG_MAP_PRESENT;
    return cg_arena_copy(&view->arena, cg_writer_span(&w), &out->proof);
}

cg_err lg_view_entry(struct lg_view *view, uint64_t index, struct cg_stored_entry *out)
{
    if (index >= view->head.size)
        return CG_NOT_FOUND;
    return cg_store_log_entries(view->store, index, 1, &view->arena, out);
}

cg_err lg_view_find(struct lg_view *view, const struct cg_hash *commitment,
                    struct cg_stored_entry *out)
{
    CG_TRY(cg_store_log_find(view->store, CG_LIT(""), commitment, &view->arena, out));
    return out->index < view->head.size ? CG_OK : CG_NOT_FOUND;
}

cg_err lg_view_current(struct lg_view *view, const char *kind, struct cg_span id,
                       struct cg_stored_entry *out)
{
    struct cg_stored_state state;
    struct cg_hash key;

    CG_TRY(cg_map_key(kind, id, &key));
    CG_TRY(cg_store_log_state(view->store, &key, &view->arena, &state));
    return lg_view_entry(view, state.index, out);
}

/* A key that a staple speaks about. */
struct key {
    const char *kind;
    struct cg_span id;
};

static cg_err prove_leaf(struct lg_view *view, const struct cg_stored_entry *entry,
                         struct cg_leaf_proof *out)
{
    struct cg_nodes nodes = lg_nodes_of(view->store);

    out->index = entry->index;
    out->entry = entry->data;
    return cg_inclusion_make(&nodes, entry->index, view->head.size, &out->path);
}

static cg_err write_staple(struct lg_view *view, const struct cg_stored_entry *entry,
                           const struct key *keys, size_t n_keys, struct cg_buf *out)
{
    struct cg_stored_entry map_head;
    struct cg_staple *staple = cg_arena_zero(&view->arena, sizeof *staple);
    struct cg_writer w = cg_writer_into(out);

    if (!staple)
        return CG_NO_MEMORY;
    staple->note = view->head.note;
    CG_TRY(lg_view_entry(view, view->head.size - 1, &map_head));
    CG_TRY(prove_leaf(view, &map_head, &staple->map_head));
    staple->has_incl = entry != NULL;
    if (entry)
        CG_TRY(prove_leaf(view, entry, &staple->incl));
    for (size_t i = 0; i < n_keys; i++) {
        struct lg_fact fact;

        CG_TRY(lg_view_prove(view, keys[i].kind, keys[i].id, &fact));
        staple->map[staple->n_map++] = fact.proof;
    }
    return cg_staple_write(staple, &w);
}

static cg_err staple_cert_entry(struct lg_view *view, const struct cg_stored_entry *entry,
                                struct cg_buf *out)
{
    char fingerprint[2 * CG_HASH_BYTES];

    if (entry->extra.len != CG_HASH_BYTES)
        return CG_STORE;
    cg_hex_write(entry->extra, fingerprint);
    const struct key keys[] = {
        {"tlsls-rev", cg_span_of(fingerprint, sizeof fingerprint)},
        {"did", waddr_of_did(entry->subject)},
    };
    return write_staple(view, entry, keys, 2, out);
}

static cg_err staple_record_entry(struct lg_view *view, const struct cg_stored_entry *entry,
                                  struct cg_buf *out)
{
    struct cg_record *record = cg_arena_take(&view->arena, sizeof *record);
    struct cg_span object;

    if (!record)
        return CG_NO_MEMORY;
    CG_TRY(lg_object_at(view->store, entry->index, &view->arena, &object));
    if (cg_record_object_read(object, record) != CG_OK)
        return CG_STORE;
    const struct key keys[] = {
        {"reg", entry->subject},
        {"did", cg_span_str(record->owner.text)},
        {"did", waddr_of_did(entry->extra)},
    };
    return write_staple(view, entry, keys, 3, out);
}

cg_err lg_staple_entry(struct lg_view *view, const struct cg_stored_entry *entry,
                       struct cg_buf *out)
{
    struct cg_entry_effect effect;
    enum cg_entry_kind kind;

    if (cg_entry_kind_of(entry->kind, &kind) != CG_OK)
        return CG_STORE;
    if (kind == CG_ENTRY_TLSLS)
        return staple_cert_entry(view, entry, out);
    if (kind == CG_ENTRY_REGISTRY)
        return staple_record_entry(view, entry, out);
    CG_TRY(cg_entry_effect(
        entry->data, kind == CG_ENTRY_POLICY ? entry->extra : (struct cg_span){NULL, 0}, &effect));
    const struct key key = {effect.map_kind, effect.map_id};
    return write_staple(view, entry, &key, effect.has_change, out);
}

cg_err lg_staple_key(struct lg_view *view, const char *kind, struct cg_span id, struct cg_buf *out)
{
    const struct key key = {kind, id};
    struct cg_stored_entry entry;

    cg_err err = lg_view_current(view, kind, id, &entry);
    if (err != CG_OK && err != CG_NOT_FOUND)
        return err;
    return write_staple(view, err == CG_OK ? &entry : NULL, &key, 1, out);
}

cg_err lg_staple_cert(struct lg_view *view, const struct cg_hash *fingerprint, struct cg_buf *out)
{
    struct cg_stored_entry entry;

    CG_TRY(cg_store_log_find_cert(view->store, fingerprint, &view->arena, &entry));
    return entry.index < view->head.size ? staple_cert_entry(view, &entry, out) : CG_NOT_FOUND;
}

cg_err lg_staple_name(struct lg_view *view, struct cg_span name, struct cg_buf *out)
{
    const struct key key = {"reg", name};
    struct cg_stored_entry entry;

    cg_err err = lg_view_current(view, "reg", name, &entry);
    if (err == CG_NOT_FOUND)
        return write_staple(view, NULL, &key, 1, out);
    CG_TRY(err);
    return staple_record_entry(view, &entry, out);
}

cg_err lg_staple_did(struct lg_view *view, const struct cg_waddr *waddr, struct cg_buf *out)
{
    const struct key key = {"did", cg_span_str(waddr->text)};

    return write_staple(view, NULL, &key, 1, out);
}
