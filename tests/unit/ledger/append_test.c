/* What the database's thread does, against a store in memory. */
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "ledger/append.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/map.h"

#include <httpcg/receipt.h>

#include <stdio.h>
#include <stdlib.h>

#define NOW ((struct cg_wall){1795366003})

struct log {
    struct lg_book book;
    struct lg_batch batch;
};

static void open_log(struct log *log)
{
    bool has_head = true;
    uint64_t published = 7;

    *log = (struct log){0};
    CHECK_OK(cg_store_open_memory(&log->book.store));
    lg_batch_init(&log->batch);
    CHECK_OK(lg_resume(&log->book, &log->batch, &has_head, &published));
    CHECK(!has_head && published == 0);
}

static void close_log(struct log *log)
{
    lg_batch_done(&log->batch);
    cg_store_free(log->book.store);
}

/* A policy of a given name: one entry, one key of the map. */
static struct lg_item *policy(unsigned n)
{
    struct lg_item *item = lg_item_new();
    char name[16];

    snprintf(name, sizeof name, "policy-%u", n);
    item->kind = CG_ENTRY_POLICY;
    item->commitment = (struct cg_hash){{(uint8_t)n, (uint8_t)(n >> 8), 1}};
    item->subject = cg_span_str(cg_vector("v1:gateway.did"));
    item->has_object = true;
    item->object_digest = (struct cg_hash){{(uint8_t)n, (uint8_t)(n >> 8), 2}};
    item->object = CG_LIT("object");
    CHECK_OK(cg_arena_copy(&item->arena, cg_span_str(name), &item->extra));
    return item;
}

static void expect(struct lg_item *item, unsigned n, bool is_present)
{
    struct lg_expect *e = &item->expects[item->n_expects++];
    char id[128];

    snprintf(id, sizeof id, "%s/policy-%u", cg_vector("v1:gateway.did"), n);
    CHECK_OK(cg_map_key("policy", cg_span_str(id), &e->key));
    e->is_present = is_present;
    e->value = (struct cg_hash){{(uint8_t)n, (uint8_t)(n >> 8), 1}};
}

static bool append(struct log *log, struct lg_item *items, struct cg_wall now)
{
    bool has_head = false;

    lg_batch_done(&log->batch);
    lg_batch_init(&log->batch);
    CHECK_OK(lg_append(&log->book, items, true, now, &log->batch, &has_head));
    return has_head;
}

static void publish(struct log *log)
{
    CHECK_OK(lg_publish(&log->book, &log->batch, CG_LIT("note")));
}

static struct cg_entry entry_at(struct log *log, uint64_t index, struct cg_arena *arena)
{
    struct cg_stored_entry row;
    struct cg_entry entry = {0};

    CHECK_OK(cg_store_log_entries(log->book.store, index, 1, arena, &row));
    CHECK_OK(cg_entry_read(row.data, &entry));
    return entry;
}

/* Recomputes tree and map from the entries alone and compares; proves every leaf. */
static void audit(struct log *log, struct cg_arena *arena)
{
    struct cg_nodes nodes = lg_nodes_of(log->book.store);
    struct cg_map_change *changes = calloc(1024, sizeof *changes);
    struct cg_range range = {0};
    struct cg_log_heads heads;
    size_t n_changes = 0;
    struct cg_hash root;

    CHECK_OK(cg_store_log_heads(log->book.store, arena, &heads));
    for (uint64_t i = 0; i < heads.published.size; i++) {
        struct cg_node out[CG_TREE_LEVELS + 1];
        struct cg_entry_effect effect;
        struct cg_stored_entry row;
        struct cg_entry entry;
        struct cg_hash leaf;
        struct cg_path path;
        size_t n_out;

        CHECK_OK(cg_store_log_entries(log->book.store, i, 1, arena, &row));
        CHECK_OK(cg_leaf_hash(row.data, &leaf));
        CHECK(cg_hash_eq(&leaf, &row.leaf));
        CHECK_OK(cg_range_add(&range, &leaf, out, &n_out));
        CHECK_OK(cg_inclusion_make(&nodes, i, heads.published.size, &path));
        CHECK_OK(cg_inclusion_check(&leaf, i, heads.published.size, &path, &heads.published.root));
        CHECK_OK(cg_entry_read(row.data, &entry));
        CHECK_OK(cg_entry_effect(row.data, row.extra, &effect));
        if (effect.has_change)
            changes[n_changes++] = effect.change;
        if (entry.kind == CG_ENTRY_MAP_HEAD) {
            struct cg_map_head map;

            CHECK_INT(entry.log_size, i);
            CHECK_OK(cg_map_rebuild(changes, n_changes, &map));
            CHECK(cg_hash_eq(&map.root, &entry.commitment));
            CHECK_INT(map.n_pairs, entry.map_size);
        }
        if (i + 1 == heads.published.size)
            CHECK(entry.kind == CG_ENTRY_MAP_HEAD);
    }
    CHECK_OK(cg_range_root(&range, &root));
    CHECK(cg_hash_eq(&root, &heads.published.root));
    free(changes);
}

TEST(a_log_begins_with_the_head_of_an_empty_map)
{
    CG_AUTO(arena) struct cg_arena arena;
    static const struct cg_hash zero;
    struct log log;

    cg_arena_init(&arena, 1 << 20);
    open_log(&log);
    CHECK(append(&log, NULL, NOW));
    publish(&log);
    struct cg_entry entry = entry_at(&log, 0, &arena);
    CHECK_INT(entry.kind, CG_ENTRY_MAP_HEAD);
    CHECK(cg_hash_eq(&entry.commitment, &zero));
    CHECK_INT(entry.map_size, 0);
    CHECK_INT(entry.time.s, NOW.s);
    audit(&log, &arena);
    close_log(&log);
}

TEST(any_auditor_finds_the_same_tree_and_map)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct log log;
    unsigned n = 0;

    cg_arena_init(&arena, 64 << 20);
    open_log(&log);
    for (unsigned head = 0; head < 12; head++) {
        struct lg_item *items = NULL;

        for (unsigned i = 0; i < head; i++) {
            struct lg_item *item = policy(n % 50); /* names repeat: some change, some are new */
            item->commitment.bytes[3] = (uint8_t)n++;
            item->next = items;
            items = item;
        }
        CHECK(append(&log, items, NOW));
        publish(&log);
        lg_items_free(items);
    }
    audit(&log, &arena);
    close_log(&log);
}

TEST(the_largest_batch_fits)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct lg_item *items = NULL;
    struct log log;

    cg_arena_init(&arena, 64 << 20);
    open_log(&log);
    for (unsigned i = 0; i < LG_BATCH_MAX_ITEMS; i++) {
        struct lg_item *item = policy(i);
        item->next = items;
        items = item;
    }
    CHECK(append(&log, items, NOW));
    publish(&log);
    CHECK_INT(log.batch.head.size, LG_BATCH_MAX_ITEMS + 1);
    CHECK_INT(items->index, 0);
    audit(&log, &arena);
    lg_items_free(items);
    close_log(&log);
}

TEST(times_never_decrease_whatever_the_clock_does)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct log log;

    cg_arena_init(&arena, 1 << 20);
    open_log(&log);
    CHECK(append(&log, NULL, NOW));
    publish(&log);
    CHECK(append(&log, NULL, (struct cg_wall){NOW.s - 5000}));
    publish(&log);
    CHECK_INT(entry_at(&log, 1, &arena).time.s, NOW.s);
    CHECK(append(&log, NULL, (struct cg_wall){NOW.s + 1}));
    publish(&log);
    CHECK_INT(entry_at(&log, 2, &arena).time.s, NOW.s + 1);
    close_log(&log);
}

TEST(what_is_logged_already_gets_its_old_place)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct lg_item *item = policy(1), *again = policy(1);
    bool has_head = true;
    struct log log;

    cg_arena_init(&arena, 1 << 20);
    open_log(&log);
    CHECK(append(&log, item, NOW));
    publish(&log);
    CHECK(!item->is_settled);
    CHECK_INT(item->index, 0);
    lg_batch_done(&log.batch);
    lg_batch_init(&log.batch);
    CHECK_OK(lg_append(&log.book, again, false, NOW, &log.batch, &has_head));
    CHECK(!has_head);
    CHECK(again->is_settled && again->err == CG_OK);
    CHECK_INT(again->index, 0);
    CHECK_INT(log.book.range.size, 2);
    CHECK(append(&log, NULL, NOW)); /* and the log goes on */
    publish(&log);
    audit(&log, &arena);
    lg_item_free(item);
    lg_item_free(again);
    close_log(&log);
}

TEST(what_was_judged_by_an_older_map_is_refused)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct lg_item *first = policy(1), *second = policy(1), *third = policy(2), *fourth = policy(3);
    struct log log;

    cg_arena_init(&arena, 1 << 20);
    open_log(&log);
    expect(first, 1, false);
    second->commitment.bytes[5] = 9;
    expect(second, 1, false); /* as the first left it, this is no longer so */
    expect(third, 1, true);   /* and this is */
    expect(fourth, 1, true);
    fourth->expects[0].value.bytes[9] = 1;
    first->next = second;
    second->next = third;
    third->next = fourth;
    CHECK(append(&log, first, NOW));
    CHECK(!first->is_settled && !third->is_settled);
    CHECK(second->is_settled && second->err == CG_CONFLICT);
    CHECK(fourth->is_settled && fourth->err == CG_CONFLICT);
    CHECK_INT(third->index, 1);
    publish(&log);
    audit(&log, &arena);
    /* The same against the store instead of the batch. */
    struct lg_item *fifth = policy(4), *sixth = policy(5);
    expect(fifth, 2, true);
    expect(sixth, 1, false);
    fifth->next = sixth;
    CHECK(append(&log, fifth, NOW));
    CHECK(!fifth->is_settled);
    CHECK(sixth->is_settled && sixth->err == CG_CONFLICT);
    publish(&log);
    audit(&log, &arena);
    lg_items_free(first);
    lg_items_free(fifth);
    close_log(&log);
}

TEST(a_head_without_its_note_is_rebuilt_and_published)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct lg_item *items = policy(1);
    bool has_head = false;
    uint64_t published = 0;
    struct log log;
    struct lg_batch rebuilt;

    cg_arena_init(&arena, 4 << 20);
    open_log(&log);
    CHECK(append(&log, NULL, NOW));
    publish(&log);
    items->next = policy(2);
    CHECK(append(&log, items, NOW)); /* and then the process was killed */
    struct lg_book book = {.store = log.book.store};
    lg_batch_init(&rebuilt);
    CHECK_OK(lg_resume(&book, &rebuilt, &has_head, &published));
    CHECK(has_head);
    CHECK_INT(published, 1);
    CHECK_INT(rebuilt.head.size, 4);
    CHECK(cg_hash_eq(&rebuilt.head.root, &log.batch.head.root));
    CHECK_INT(rebuilt.n_states, log.batch.n_states);
    CHECK_INT(rebuilt.n_pages, log.batch.n_pages);
    for (size_t i = 0; i < rebuilt.n_pages; i++)
        CHECK_SPAN(rebuilt.pages[i].bytes, log.batch.pages[i].bytes);
    struct cg_hash root;
    CHECK_OK(cg_range_root(&book.range, &root));
    CHECK(cg_hash_eq(&root, &log.batch.head.root));
    CHECK_INT(book.range.size, 4);
    CHECK_INT(book.newest.s, NOW.s);
    CHECK_OK(lg_publish(&book, &rebuilt, CG_LIT("note")));
    audit(&log, &arena);
    lg_batch_done(&rebuilt);
    lg_batch_init(&rebuilt);
    CHECK_OK(lg_resume(&book, &rebuilt, &has_head, &published));
    CHECK(!has_head);
    CHECK_INT(published, 4);
    lg_batch_done(&rebuilt);
    lg_items_free(items);
    close_log(&log);
}

/* Stores one map-head by hand, as nobody should. */
static cg_err forge(struct log *log, const struct cg_hash *map_root, uint64_t map_size,
                    bool bad_root)
{
    struct cg_range range = log->book.range;
    struct cg_node nodes[CG_TREE_LEVELS + 1];
    struct cg_stored_node stored[CG_TREE_LEVELS];
    uint8_t room[256];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_entry entry = {.kind = CG_ENTRY_MAP_HEAD,
                             .commitment = *map_root,
                             .subject = CG_LIT(""),
                             .time = NOW,
                             .log_size = range.size,
                             .map_size = map_size};
    size_t n, n_stored = 0;

    CG_TRY(cg_entry_write(&entry, &w));
    struct cg_stored_entry row = {.index = range.size,
                                  .kind = CG_LIT("map-head"),
                                  .commitment = *map_root,
                                  .time = NOW,
                                  .data = cg_writer_span(&w)};
    CG_TRY(cg_leaf_hash(row.data, &row.leaf));
    CG_TRY(cg_range_add(&range, &row.leaf, nodes, &n));
    for (size_t i = 0; i < n; i++)
        if (nodes[i].level > 0)
            stored[n_stored++] =
                (struct cg_stored_node){nodes[i].level, nodes[i].index, nodes[i].hash};
    struct cg_log_append append = {.entries = &row,
                                   .n_entries = 1,
                                   .nodes = stored,
                                   .n_nodes = n_stored,
                                   .head = {.size = range.size, .time = NOW}};
    CG_TRY(cg_range_root(&range, &append.head.root));
    append.head.root.bytes[0] ^= bad_root;
    return cg_store_log_append(log->book.store, &append);
}

TEST(a_store_that_contradicts_itself_is_not_signed)
{
    static const struct {
        uint8_t map_byte;
        uint64_t map_size;
        bool bad_root;
        cg_err want;
    } cases[] = {{0, 0, false, CG_OK},
                 {1, 0, false, CG_STORE},
                 {0, 1, false, CG_STORE},
                 {0, 0, true, CG_STORE}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cg_hash root = {{cases[i].map_byte}};
        struct lg_batch batch;
        bool has_head;
        uint64_t published;
        struct log log;

        open_log(&log);
        CHECK(append(&log, NULL, NOW));
        publish(&log);
        CHECK_OK(forge(&log, &root, cases[i].map_size, cases[i].bad_root));
        lg_batch_init(&batch);
        CHECK_ERR(lg_resume(&log.book, &batch, &has_head, &published), cases[i].want);
        lg_batch_done(&batch);
        close_log(&log);
    }
}

TEST(an_append_behind_another_writer_changes_nothing)
{
    struct log log;
    bool has_head;

    open_log(&log);
    CHECK(append(&log, NULL, NOW));
    publish(&log);
    struct lg_book late = {.store = log.book.store}; /* believes that the log is empty */
    lg_batch_done(&log.batch);
    lg_batch_init(&log.batch);
    CHECK_ERR(lg_append(&late, NULL, true, NOW, &log.batch, &has_head), CG_CONFLICT);
    CHECK_INT(late.range.size, 0);
    CHECK(append(&log, NULL, NOW));
    close_log(&log);
}

SUITE(append, T(a_log_begins_with_the_head_of_an_empty_map),
      T(any_auditor_finds_the_same_tree_and_map), T(the_largest_batch_fits),
      T(times_never_decrease_whatever_the_clock_does), T(what_is_logged_already_gets_its_old_place),
      T(what_was_judged_by_an_older_map_is_refused),
      T(a_head_without_its_note_is_rebuilt_and_published),
      T(a_store_that_contradicts_itself_is_not_signed),
      T(an_append_behind_another_writer_changes_nothing))
