#include "ledger/append.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/map.h"

#include <stdlib.h>

/* Entries of a head: the batch's items and the map-head. */
#define MAX_ENTRIES (LG_BATCH_MAX_ITEMS + 1)
/* A tree that grows by n leaves completes at most n inner nodes and one a level more. */
#define MAX_NODES (MAX_ENTRIES + CG_TREE_LEVELS)

void lg_batch_init(struct lg_batch *batch)
{
    *batch = (struct lg_batch){0};
    cg_arena_init(&batch->arena, LG_BATCH_MAX_BYTES);
}

void lg_batch_done(struct lg_batch *batch)
{
    cg_arena_done(&batch->arena);
    *batch = (struct lg_batch){0};
}

static cg_err get_node(void *ctx, unsigned level, uint64_t index, struct cg_hash *out)
{
    cg_err err = cg_store_log_nodes(ctx, level, index, 1, out);

    return err == CG_NOT_FOUND ? CG_UNKNOWN : err;
}

struct cg_nodes lg_nodes_of(struct cg_store *store)
{
    return (struct cg_nodes){get_node, store};
}

static cg_err load_page(void *ctx, struct cg_span prefix, struct cg_span *bytes)
{
    struct lg_pages *pages = ctx;

    cg_arena_done(&pages->lent);
    cg_arena_init(&pages->lent, 2 * CG_MAP_PAGE_MAX_BYTES);
    return cg_store_log_page(pages->store, prefix, &pages->lent, bytes);
}

static cg_err save_page(void *ctx, struct cg_span prefix, struct cg_span bytes)
{
    struct lg_pages *pages = ctx;
    struct lg_batch *batch = pages->batch;

    if (!batch)
        return CG_INTERNAL; /* a reader never changes the map */
    if (batch->n_pages == pages->cap) {
        size_t cap = pages->cap ? 2 * pages->cap : 64;
        struct cg_stored_page *more = cg_arena_take(&batch->arena, cap * sizeof *more);

        if (!more)
            return CG_NO_MEMORY;
        if (batch->n_pages)
            memcpy(more, batch->pages, batch->n_pages * sizeof *more);
        batch->pages = more;
        pages->cap = cap;
    }
    struct cg_stored_page *page = &batch->pages[batch->n_pages];
    CG_TRY(cg_arena_copy(&batch->arena, prefix, &page->prefix));
    CG_TRY(cg_arena_copy(&batch->arena, bytes, &page->bytes));
    batch->n_pages++;
    return CG_OK;
}

struct cg_map_pages lg_pages_of(struct lg_pages *pages)
{
    return (struct cg_map_pages){.load = load_page, .save = save_page, .ctx = pages};
}

/* What the entries of a head do to the map, into batch->states and the array of changes. */
static cg_err add_effect(struct lg_batch *batch, const struct cg_stored_entry *entry,
                         struct cg_map_change *changes)
{
    struct cg_entry_effect effect;
    bool is_policy = cg_span_is(entry->kind, cg_entry_kind_name(CG_ENTRY_POLICY));

    CG_TRY(cg_entry_effect(entry->data, is_policy ? entry->extra : (struct cg_span){NULL, 0},
                           &effect));
    if (!effect.has_change)
        return CG_OK;
    struct cg_stored_state *state = &batch->states[batch->n_states];
    *state = (struct cg_stored_state){
        .key = effect.change.key,
        .kind = cg_span_str(effect.map_kind),
        .value = effect.change.value,
        .index = entry->index,
    };
    CG_TRY(cg_arena_copy(&batch->arena, effect.map_id, &state->id));
    changes[batch->n_states++] = effect.change;
    return CG_OK;
}

/* Applies the changes to the stored pages; the new ones stay in the batch until it is published. */
static cg_err apply_map(struct cg_store *store, struct lg_batch *batch,
                        const struct cg_map_change *changes, struct cg_map_head *out)
{
    struct lg_pages pages = {.store = store, .batch = batch};
    struct cg_map_pages face = lg_pages_of(&pages);
    cg_err err = batch->n_states ? cg_map_apply(&face, changes, batch->n_states, out)
                                 : cg_map_head_of(&face, out);

    cg_arena_done(&pages.lent);
    return err;
}

/* --- resume --- */

static cg_err is_root(const struct cg_range *range, const struct cg_hash *root)
{
    struct cg_hash got;

    CG_TRY(cg_range_root(range, &got));
    return cg_hash_eq(&got, root) ? CG_OK : CG_STORE;
}

/* Rebuilds what the entries above the published head do to the map, and compares with what their
 * own map-head says. */
static cg_err rebuild(struct cg_store *store, uint64_t from, struct lg_batch *batch)
{
    uint64_t n = batch->head.size - from;
    struct cg_map_change *changes;
    struct cg_stored_entry *entries;
    struct cg_map_head map;
    struct cg_entry last;

    if (n == 0 || n > MAX_ENTRIES)
        return CG_STORE;
    entries = cg_arena_take(&batch->arena, n * sizeof *entries);
    changes = cg_arena_take(&batch->arena, n * sizeof *changes);
    batch->states = cg_arena_take(&batch->arena, n * sizeof *batch->states);
    if (!entries || !changes || !batch->states)
        return CG_NO_MEMORY;
    CG_TRY(cg_store_log_entries(store, from, n, &batch->arena, entries));
    for (size_t i = 0; i < n; i++)
        CG_TRY(add_effect(batch, &entries[i], changes));
    CG_TRY(apply_map(store, batch, changes, &map));
    CG_TRY(cg_entry_read(entries[n - 1].data, &last));
    if (last.kind != CG_ENTRY_MAP_HEAD || !cg_hash_eq(&last.commitment, &map.root) ||
        last.map_size != map.n_pairs)
        return CG_STORE;
    return CG_OK;
}

cg_err lg_resume(struct lg_book *book, struct lg_batch *batch, bool *out_has_head,
                 uint64_t *out_published)
{
    struct cg_nodes nodes = lg_nodes_of(book->store);
    struct cg_range range = {0};
    struct cg_wall newest = {0};
    struct cg_log_heads heads;

    CG_TRY(cg_store_log_heads(book->store, &batch->arena, &heads));
    if (heads.has_published) {
        CG_TRY(cg_range_load(&nodes, heads.published.size, &range));
        CG_TRY(is_root(&range, &heads.published.root));
        newest = heads.published.time;
    }
    if (heads.has_unsigned) {
        batch->head = heads.unsigned_;
        CG_TRY(cg_range_load(&nodes, batch->head.size, &range));
        CG_TRY(is_root(&range, &batch->head.root));
        CG_TRY(rebuild(book->store, heads.published.size, batch));
        newest = batch->head.time;
    }
    book->range = range;
    book->newest = newest;
    *out_has_head = heads.has_unsigned;
    *out_published = heads.published.size;
    return CG_OK;
}

/* --- append --- */

/* One head in the making. */
struct work {
    struct lg_book *book;
    struct lg_batch *batch;
    struct cg_range range;
    struct cg_wall now;
    struct cg_stored_entry *entries;
    size_t n_entries;
    struct cg_stored_object *objects;
    size_t n_objects;
    struct cg_stored_node *nodes;
    size_t n_nodes;
    struct cg_map_change *changes;
};

/* Is the map, with what this batch did so far, still as admission found it? */
static cg_err is_expected(const struct work *work, const struct lg_expect *expect)
{
    struct cg_stored_state state;
    struct cg_arena arena;
    cg_err err = CG_NOT_FOUND;

    for (size_t i = work->batch->n_states; i > 0 && err == CG_NOT_FOUND; i--)
        if (cg_hash_eq(&work->batch->states[i - 1].key, &expect->key)) {
            state = work->batch->states[i - 1];
            err = CG_OK;
        }
    if (err == CG_NOT_FOUND) {
        cg_arena_init(&arena, 8192);
        err = cg_store_log_state(work->book->store, &expect->key, &arena, &state);
        cg_arena_done(&arena);
    }
    if (err != CG_OK && err != CG_NOT_FOUND)
        return err;
    if (expect->is_present)
        return err == CG_OK && cg_hash_eq(&state.value, &expect->value) ? CG_OK : CG_CONFLICT;
    return err == CG_NOT_FOUND ? CG_OK : CG_CONFLICT;
}

static void settle(struct lg_item *item, cg_err err, uint64_t index)
{
    item->is_settled = true;
    item->err = err;
    item->index = index;
}

/* Tells, in the item, whether it shall not be appended. */
static cg_err judge(const struct work *work, struct lg_item *item)
{
    struct cg_span kind = cg_span_str(cg_entry_kind_name(item->kind));
    struct cg_stored_entry there;
    struct cg_arena arena;

    cg_arena_init(&arena, 4 * CG_ENTRY_MAX_BYTES);
    cg_err err = cg_store_log_find(work->book->store, kind, &item->commitment, &arena, &there);
    cg_arena_done(&arena);
    if (err == CG_OK) {
        settle(item, CG_OK, there.index);
        return CG_OK;
    }
    if (err != CG_NOT_FOUND)
        return err;
    for (size_t i = 0; i < item->n_expects && !item->is_settled; i++) {
        err = is_expected(work, &item->expects[i]);
        if (err == CG_CONFLICT)
            settle(item, CG_CONFLICT, 0);
        else if (err != CG_OK)
            return err;
    }
    return CG_OK;
}

/* Appends an entry to the arrays and the tree. */
static cg_err add_entry(struct work *work, const struct cg_entry *entry, struct cg_span extra)
{
    struct cg_stored_entry *row = &work->entries[work->n_entries];
    struct cg_node nodes[CG_TREE_LEVELS + 1];
    uint8_t room[CG_ENTRY_MAX_BYTES];
    size_t n_nodes;

    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    CG_TRY(cg_entry_write(entry, &w));
    *row = (struct cg_stored_entry){
        .index = work->range.size,
        .kind = cg_span_str(cg_entry_kind_name(entry->kind)),
        .commitment = entry->commitment,
        .subject = entry->subject,
        .time = entry->time,
        .extra = extra,
    };
    CG_TRY(cg_arena_copy(&work->batch->arena, cg_writer_span(&w), &row->data));
    if (entry->has_object)
        CG_TRY(cg_arena_copy(&work->batch->arena, cg_hash_span(&entry->object_digest),
                             &row->object_digest));
    CG_TRY(cg_leaf_hash(row->data, &row->leaf));
    CG_TRY(cg_range_add(&work->range, &row->leaf, nodes, &n_nodes));
    for (size_t i = 0; i < n_nodes; i++)
        if (nodes[i].level > 0)
            work->nodes[work->n_nodes++] =
                (struct cg_stored_node){nodes[i].level, nodes[i].index, nodes[i].hash};
    work->n_entries++;
    return CG_OK;
}

static cg_err add_item(struct work *work, struct lg_item *item)
{
    struct cg_entry entry = {
        .kind = item->kind,
        .commitment = item->commitment,
        .subject = item->subject,
        .has_object = item->has_object,
        .object_digest = item->object_digest,
        .time = work->now,
    };

    CG_TRY(judge(work, item));
    if (item->is_settled)
        return CG_OK;
    item->index = work->range.size;
    CG_TRY(add_entry(work, &entry, item->extra));
    if (item->has_object)
        work->objects[work->n_objects++] =
            (struct cg_stored_object){item->object_digest, item->object};
    return add_effect(work->batch, &work->entries[work->n_entries - 1], work->changes);
}

static cg_err add_map_head(struct work *work)
{
    struct cg_map_head map;

    CG_TRY(apply_map(work->book->store, work->batch, work->changes, &map));
    const struct cg_entry entry = {
        .kind = CG_ENTRY_MAP_HEAD,
        .commitment = map.root,
        .subject = CG_LIT(""),
        .time = work->now,
        .log_size = work->range.size,
        .map_size = map.n_pairs,
    };
    return add_entry(work, &entry, CG_LIT(""));
}

static cg_err make_room(struct work *work)
{
    struct cg_arena *arena = &work->batch->arena;

    work->entries = cg_arena_take(arena, MAX_ENTRIES * sizeof *work->entries);
    work->objects = cg_arena_take(arena, MAX_ENTRIES * sizeof *work->objects);
    work->nodes = cg_arena_take(arena, MAX_NODES * sizeof *work->nodes);
    work->changes = cg_arena_take(arena, MAX_ENTRIES * sizeof *work->changes);
    work->batch->states = cg_arena_take(arena, MAX_ENTRIES * sizeof *work->batch->states);
    return work->entries && work->objects && work->nodes && work->changes && work->batch->states
               ? CG_OK
               : CG_NO_MEMORY;
}

cg_err lg_append(struct lg_book *book, struct lg_item *items, bool needs_head, struct cg_wall now,
                 struct lg_batch *batch, bool *out_has_head)
{
    /* Times never decrease, whatever the clock does. */
    struct work work = {
        .book = book,
        .batch = batch,
        .range = book->range,
        .now = {now.s > book->newest.s ? now.s : book->newest.s},
    };

    CG_TRY(make_room(&work));
    for (struct lg_item *item = items; item; item = item->next)
        CG_TRY(add_item(&work, item));
    if (work.n_entries == 0 && !needs_head) {
        *out_has_head = false;
        return CG_OK;
    }
    CG_TRY(add_map_head(&work));
    batch->head.size = work.range.size;
    batch->head.time = work.now;
    CG_TRY(cg_range_root(&work.range, &batch->head.root));
    const struct cg_log_append append = {
        .entries = work.entries,
        .n_entries = work.n_entries,
        .objects = work.objects,
        .n_objects = work.n_objects,
        .nodes = work.nodes,
        .n_nodes = work.n_nodes,
        .head = batch->head,
    };
    CG_TRY(cg_store_log_append(book->store, &append));
    book->range = work.range;
    book->newest = work.now;
    *out_has_head = true;
    return CG_OK;
}

cg_err lg_publish(struct lg_book *book, const struct lg_batch *batch, struct cg_span note)
{
    const struct cg_log_publish publish = {
        .size = batch->head.size,
        .note = note,
        .states = batch->states,
        .n_states = batch->n_states,
        .pages = batch->pages,
        .n_pages = batch->n_pages,
    };

    return cg_store_log_publish(book->store, &publish);
}
