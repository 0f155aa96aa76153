#include "store/sqlite.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

static cg_err add_entry(struct cg_sqlite *s, const struct cg_stored_entry *entry)
{
    struct ask a = ask_of(s, SQL_ENTRY_ADD);

    ask_uint(&a, entry->index);
    ask_text(&a, entry->kind);
    ask_hash(&a, &entry->commitment);
    ask_text(&a, entry->subject);
    ask_bytes(&a, entry->object_digest);
    ask_time(&a, entry->time);
    ask_bytes(&a, entry->data);
    ask_hash(&a, &entry->leaf);
    ask_bytes(&a, entry->extra);
    return ask_run(&a);
}

static void take_entry(struct ask *a, struct cg_arena *arena, struct cg_stored_entry *out)
{
    out->index = ask_get_uint(a, 0);
    out->kind = ask_get(a, 1, arena);
    ask_get_hash(a, 2, &out->commitment);
    out->subject = ask_get(a, 3, arena);
    out->object_digest = ask_get(a, 4, arena);
    out->time = ask_get_time(a, 5);
    out->data = ask_get(a, 6, arena);
    ask_get_hash(a, 7, &out->leaf);
    out->extra = ask_get(a, 8, arena);
}

static void take_head(struct ask *a, struct cg_arena *arena, struct cg_stored_head *out)
{
    out->size = ask_get_uint(a, 0);
    ask_get_hash(a, 1, &out->root);
    out->time = ask_get_time(a, 2);
    out->note = ask_get(a, 3, arena);
}

static cg_err add_rows(struct cg_sqlite *s, const struct cg_log_append *append)
{
    struct ask next = ask_of(s, SQL_ENTRY_NEXT);
    uint64_t first = ask_row(&next) ? ask_get_uint(&next, 0) : 0;

    CG_TRY(ask_end(&next));
    if (append->entries[0].index != first)
        return CG_CONFLICT;
    for (size_t i = 0; i < append->n_entries; i++)
        CG_TRY(add_entry(s, &append->entries[i]));
    for (size_t i = 0; i < append->n_objects; i++) {
        struct ask a = ask_of(s, SQL_OBJECT_ADD);
        ask_hash(&a, &append->objects[i].digest);
        ask_bytes(&a, append->objects[i].data);
        CG_TRY(ask_run(&a));
    }
    for (size_t i = 0; i < append->n_nodes; i++) {
        struct ask a = ask_of(s, SQL_NODE_ADD);
        ask_uint(&a, append->nodes[i].level);
        ask_uint(&a, append->nodes[i].index);
        ask_hash(&a, &append->nodes[i].hash);
        CG_TRY(ask_run(&a));
    }
    /* The schema lets one head at a time wait for its signature. */
    struct ask head = ask_of(s, SQL_HEAD_ADD);
    ask_uint(&head, append->head.size);
    ask_hash(&head, &append->head.root);
    ask_time(&head, append->head.time);
    return ask_run(&head);
}

cg_err cg_sqlite_log_append(struct cg_store *store, const struct cg_log_append *append)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, add_rows(s, append));
}

static cg_err publish_rows(struct cg_sqlite *s, const struct cg_log_publish *publish)
{
    struct ask clear = ask_of(s, SQL_HEAD_CLEAR);

    CG_TRY(ask_run(&clear));
    struct ask sign = ask_of(s, SQL_HEAD_SIGN);
    ask_bytes(&sign, publish->note);
    ask_uint(&sign, publish->size);
    cg_err err = ask_run_one(&sign);
    if (err != CG_OK)
        return err == CG_NOT_FOUND ? CG_CONFLICT : err;
    for (size_t i = 0; i < publish->n_states; i++) {
        const struct cg_stored_state *state = &publish->states[i];
        struct ask a = ask_of(s, SQL_STATE_PUT);

        ask_hash(&a, &state->key);
        ask_text(&a, state->kind);
        ask_text(&a, state->id);
        ask_hash(&a, &state->value);
        ask_uint(&a, state->index);
        CG_TRY(ask_run(&a));
    }
    for (size_t i = 0; i < publish->n_pages; i++) {
        const struct cg_stored_page *page = &publish->pages[i];
        struct ask a = ask_of(s, page->bytes.len ? SQL_PAGE_PUT : SQL_PAGE_DROP);

        ask_bytes(&a, page->prefix);
        if (page->bytes.len)
            ask_bytes(&a, page->bytes);
        CG_TRY(ask_run(&a));
    }
    return CG_OK;
}

cg_err cg_sqlite_log_publish(struct cg_store *store, const struct cg_log_publish *publish)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, publish_rows(s, publish));
}

cg_err cg_sqlite_log_heads(struct cg_store *store, struct cg_arena *arena, struct cg_log_heads *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_HEAD_NEWEST);
    struct cg_log_heads got = {0};

    while (!got.has_published && ask_row(&a)) {
        if (ask_is_null(&a, 3)) {
            take_head(&a, arena, &got.unsigned_);
            got.has_unsigned = true;
        } else {
            take_head(&a, arena, &got.published);
            got.has_published = true;
        }
    }
    CG_TRY(ask_end(&a));
    *out = got;
    return CG_OK;
}

cg_err cg_sqlite_log_head(struct cg_store *store, uint64_t size, struct cg_arena *arena,
                          struct cg_stored_head *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_HEAD);
    struct cg_stored_head got = {0};

    ask_uint(&a, size);
    bool has_row = ask_row(&a);
    if (has_row)
        take_head(&a, arena, &got);
    CG_TRY(ask_found(&a, has_row));
    *out = got;
    return CG_OK;
}

cg_err cg_sqlite_log_entries(struct cg_store *store, uint64_t first, size_t n,
                             struct cg_arena *arena, struct cg_stored_entry *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_ENTRY_RANGE);
    size_t i = 0;

    ask_uint(&a, first);
    ask_uint(&a, n);
    for (; i < n && ask_row(&a); i++)
        take_entry(&a, arena, &out[i]);
    return ask_found(&a, i == n);
}

/* Ends a question for one entry. */
static cg_err get_entry(struct ask *a, struct cg_arena *arena, struct cg_stored_entry *out)
{
    struct cg_stored_entry got = {0};
    bool has_row = ask_row(a);

    if (has_row)
        take_entry(a, arena, &got);
    CG_TRY(ask_found(a, has_row));
    *out = got;
    return CG_OK;
}

cg_err cg_sqlite_log_find(struct cg_store *store, struct cg_span kind,
                          const struct cg_hash *commitment, struct cg_arena *arena,
                          struct cg_stored_entry *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_ENTRY_FIND);

    ask_hash(&a, commitment);
    ask_text(&a, kind);
    return get_entry(&a, arena, out);
}

cg_err cg_sqlite_log_find_cert(struct cg_store *store, const struct cg_hash *fingerprint,
                               struct cg_arena *arena, struct cg_stored_entry *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_ENTRY_FIND_CERT);

    ask_hash(&a, fingerprint);
    return get_entry(&a, arena, out);
}

/* The one column of the one row of a statement with one blob bound. */
static cg_err get_blob(struct cg_store *store, enum cg_sql which, struct cg_span key,
                       struct cg_arena *arena, struct cg_span *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), which);
    struct cg_span got = {NULL, 0};

    ask_bytes(&a, key);
    bool has_row = ask_row(&a);
    if (has_row)
        got = ask_get(&a, 0, arena);
    CG_TRY(ask_found(&a, has_row));
    *out = got;
    return CG_OK;
}

cg_err cg_sqlite_log_object(struct cg_store *store, const struct cg_hash *digest,
                            struct cg_arena *arena, struct cg_span *out)
{
    return get_blob(store, SQL_OBJECT, cg_hash_span(digest), arena, out);
}

cg_err cg_sqlite_log_page(struct cg_store *store, struct cg_span prefix, struct cg_arena *arena,
                          struct cg_span *out)
{
    cg_err err = get_blob(store, SQL_PAGE, prefix, arena, out);

    if (err != CG_NOT_FOUND)
        return err;
    *out = (struct cg_span){NULL, 0};
    return CG_OK;
}

cg_err cg_sqlite_log_nodes(struct cg_store *store, unsigned level, uint64_t first, size_t n,
                           struct cg_hash *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), level ? SQL_NODE_RANGE : SQL_LEAF_RANGE);
    size_t i = 0;

    if (level)
        ask_uint(&a, level);
    ask_uint(&a, first);
    ask_uint(&a, n);
    while (i < n && ask_row(&a) && ask_get_uint(&a, 0) == first + i)
        ask_get_hash(&a, 1, &out[i++]);
    return ask_found(&a, i == n);
}

cg_err cg_sqlite_log_state(struct cg_store *store, const struct cg_hash *key,
                           struct cg_arena *arena, struct cg_stored_state *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_STATE);
    struct cg_stored_state got = {0};

    ask_hash(&a, key);
    bool has_row = ask_row(&a);
    if (has_row) {
        ask_get_hash(&a, 0, &got.key);
        got.kind = ask_get(&a, 1, arena);
        got.id = ask_get(&a, 2, arena);
        ask_get_hash(&a, 3, &got.value);
        got.index = ask_get_uint(&a, 4);
    }
    CG_TRY(ask_found(&a, has_row));
    *out = got;
    return CG_OK;
}
