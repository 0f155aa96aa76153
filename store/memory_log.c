#include "store/memory.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

/* entries: key index; bytes kind, subject, object digest, data, commitment, extra; number time;
 * hash leaf.  certs: key fingerprint; number index. */

/* commitments: key commitment || kind; number index. */
static cg_err commitment_key(const struct cg_hash *commitment, struct cg_span kind,
                             struct mem_key *out)
{
    if (kind.len > MEM_KEY_MAX - CG_HASH_BYTES)
        return CG_TOO_LARGE;
    memcpy(out->at, commitment->bytes, CG_HASH_BYTES);
    if (kind.len)
        memcpy(out->at + CG_HASH_BYTES, kind.at, kind.len);
    out->len = CG_HASH_BYTES + kind.len;
    return CG_OK;
}

static bool may_repeat(struct cg_span kind)
{
    return cg_span_is(kind, "map-head");
}

static cg_err check_new(struct cg_memory *m, const struct cg_log_append *append)
{
    if (m->is_broken)
        return CG_STORE;
    if (m->newest.has_unsigned || append->entries[0].index != m->n_entries)
        return CG_CONFLICT;
    for (size_t i = 0; i < append->n_entries; i++) {
        const struct cg_stored_entry *entry = &append->entries[i];
        struct mem_key key;

        CG_TRY(commitment_key(&entry->commitment, entry->kind, &key));
        if (!may_repeat(entry->kind) && mem_get(&m->commitments, mem_key_span(&key)))
            return CG_CONFLICT;
        for (size_t j = 0; j < i; j++)
            if (!may_repeat(entry->kind) && cg_span_eq(append->entries[j].kind, entry->kind) &&
                cg_hash_eq(&append->entries[j].commitment, &entry->commitment))
                return CG_CONFLICT;
    }
    for (size_t i = 0; i < append->n_nodes; i++) {
        struct mem_key key = mem_key_uint(append->nodes[i].index);

        key.at[key.len++] = (uint8_t)append->nodes[i].level;
        if (mem_get(&m->nodes, mem_key_span(&key)))
            return CG_CONFLICT;
    }
    return CG_OK;
}

static cg_err put_entry(struct cg_memory *m, const struct cg_stored_entry *entry)
{
    struct mem_key at = mem_key_uint(entry->index);
    struct mem_key by;

    CG_TRY(mem_put(m, &m->entries,
                   &(struct mem_row){
                       .key = mem_key_span(&at),
                       .bytes = {entry->kind, entry->subject, entry->object_digest, entry->data,
                                 cg_hash_span(&entry->commitment), entry->extra},
                       .number = {(uint64_t)entry->time.s},
                       .hash = entry->leaf,
                   }));
    if (cg_span_is(entry->kind, "tlsls"))
        CG_TRY(mem_put(m, &m->certs,
                       &(struct mem_row){.key = entry->extra, .number = {entry->index}}));
    if (may_repeat(entry->kind))
        return CG_OK;
    CG_TRY(commitment_key(&entry->commitment, entry->kind, &by));
    return mem_put(m, &m->commitments,
                   &(struct mem_row){.key = mem_key_span(&by), .number = {entry->index}});
}

cg_err cg_memory_log_append(struct cg_store *store, const struct cg_log_append *append)
{
    struct cg_memory *m = cg_memory_of(store);

    CG_TRY(check_new(m, append));
    for (size_t i = 0; i < append->n_entries; i++)
        CG_TRY(put_entry(m, &append->entries[i]));
    for (size_t i = 0; i < append->n_objects; i++) {
        struct cg_span digest = cg_hash_span(&append->objects[i].digest);

        if (!mem_get(&m->objects, digest))
            CG_TRY(mem_put(m, &m->objects,
                           &(struct mem_row){.key = digest, .bytes = {append->objects[i].data}}));
    }
    for (size_t i = 0; i < append->n_nodes; i++) {
        struct mem_key key = mem_key_uint(append->nodes[i].index);

        key.at[key.len++] = (uint8_t)append->nodes[i].level;
        CG_TRY(
            mem_put(m, &m->nodes,
                    &(struct mem_row){.key = mem_key_span(&key), .hash = append->nodes[i].hash}));
    }
    m->n_entries = append->head.size;
    m->newest.has_unsigned = true;
    m->newest.unsigned_ = append->head;
    m->newest.unsigned_.note = (struct cg_span){NULL, 0};
    return CG_OK;
}

static cg_err put_map(struct cg_memory *m, const struct cg_log_publish *publish)
{
    for (size_t i = 0; i < publish->n_states; i++) {
        const struct cg_stored_state *state = &publish->states[i];

        CG_TRY(mem_put(m, &m->states,
                       &(struct mem_row){
                           .key = cg_hash_span(&state->key),
                           .bytes = {state->kind, state->id, cg_hash_span(&state->key)},
                           .number = {state->index},
                           .hash = state->value,
                       }));
    }
    for (size_t i = 0; i < publish->n_pages; i++) {
        const struct cg_stored_page *page = &publish->pages[i];

        if (page->bytes.len == 0)
            (void)mem_drop(&m->pages, page->prefix);
        else
            CG_TRY(mem_put(m, &m->pages,
                           &(struct mem_row){.key = page->prefix, .bytes = {page->bytes}}));
    }
    return CG_OK;
}

cg_err cg_memory_log_publish(struct cg_store *store, const struct cg_log_publish *publish)
{
    struct cg_memory *m = cg_memory_of(store);
    struct cg_stored_head *head = &m->newest.unsigned_;

    if (m->is_broken)
        return CG_STORE;
    if (!m->newest.has_unsigned || head->size != publish->size)
        return CG_CONFLICT;
    uint8_t *note = malloc(publish->note.len);
    if (!note)
        return CG_NO_MEMORY;
    memcpy(note, publish->note.at, publish->note.len);

    struct mem_key key = mem_key_uint(head->size);
    cg_err err = mem_put(m, &m->heads,
                         &(struct mem_row){.key = mem_key_span(&key),
                                           .number = {head->size, (uint64_t)head->time.s},
                                           .hash = head->root});
    if (err == CG_OK)
        err = put_map(m, publish);
    if (err != CG_OK) {
        free(note);
        return err;
    }
    free((void *)m->newest.published.note.at);
    m->newest.published = *head;
    m->newest.published.note = cg_span_of(note, publish->note.len);
    m->newest.has_published = true;
    m->newest.has_unsigned = false;
    m->newest.unsigned_ = (struct cg_stored_head){0};
    return CG_OK;
}

cg_err cg_memory_log_heads(struct cg_store *store, struct cg_arena *arena, struct cg_log_heads *out)
{
    struct cg_memory *m = cg_memory_of(store);
    struct cg_log_heads got = m->newest;

    if (m->is_broken)
        return CG_STORE;
    CG_TRY(cg_arena_copy(arena, got.published.note, &got.published.note));
    *out = got;
    return CG_OK;
}

cg_err cg_memory_log_head(struct cg_store *store, uint64_t size, struct cg_arena *arena,
                          struct cg_stored_head *out)
{
    struct cg_memory *m = cg_memory_of(store);
    struct mem_key key = mem_key_uint(size);
    const struct mem_row *row = mem_get(&m->heads, mem_key_span(&key));
    struct cg_span note = {NULL, 0};

    if (!row)
        return CG_NOT_FOUND;
    if (size == m->newest.published.size)
        CG_TRY(cg_arena_copy(arena, m->newest.published.note, &note));
    *out = (struct cg_stored_head){
        .size = size, .root = row->hash, .time = {(int64_t)row->number[1]}, .note = note};
    return CG_OK;
}

static cg_err get_entry(struct cg_memory *m, uint64_t index, struct cg_arena *arena,
                        struct cg_stored_entry *out)
{
    struct mem_key key = mem_key_uint(index);
    const struct mem_row *row = mem_get(&m->entries, mem_key_span(&key));

    if (!row)
        return CG_NOT_FOUND;
    struct cg_stored_entry got = {
        .index = index,
        .time = {(int64_t)row->number[0]},
        .leaf = row->hash,
    };
    memcpy(got.commitment.bytes, row->bytes[4].at, CG_HASH_BYTES);
    CG_TRY(cg_arena_copy(arena, row->bytes[0], &got.kind));
    CG_TRY(cg_arena_copy(arena, row->bytes[1], &got.subject));
    CG_TRY(cg_arena_copy(arena, row->bytes[2], &got.object_digest));
    CG_TRY(cg_arena_copy(arena, row->bytes[3], &got.data));
    CG_TRY(cg_arena_copy(arena, row->bytes[5], &got.extra));
    *out = got;
    return CG_OK;
}

cg_err cg_memory_log_entries(struct cg_store *store, uint64_t first, size_t n,
                             struct cg_arena *arena, struct cg_stored_entry *out)
{
    for (size_t i = 0; i < n; i++)
        CG_TRY(get_entry(cg_memory_of(store), first + i, arena, &out[i]));
    return CG_OK;
}

cg_err cg_memory_log_find(struct cg_store *store, struct cg_span kind,
                          const struct cg_hash *commitment, struct cg_arena *arena,
                          struct cg_stored_entry *out)
{
    struct cg_memory *m = cg_memory_of(store);
    struct mem_key key;

    CG_TRY(commitment_key(commitment, kind, &key));
    const struct mem_row *row = mem_get(&m->commitments, mem_key_span(&key)), *newest = NULL;
    if (kind.len)
        newest = row;
    else
        for (row = mem_next(&m->commitments, mem_key_span(&key));
             row && cg_span_starts(row->key, cg_hash_span(commitment));
             row = mem_next(&m->commitments, row->key))
            if (!newest || row->number[0] > newest->number[0])
                newest = row;
    return newest ? get_entry(m, newest->number[0], arena, out) : CG_NOT_FOUND;
}

cg_err cg_memory_log_find_cert(struct cg_store *store, const struct cg_hash *fingerprint,
                               struct cg_arena *arena, struct cg_stored_entry *out)
{
    struct cg_memory *m = cg_memory_of(store);
    const struct mem_row *row = mem_get(&m->certs, cg_hash_span(fingerprint));

    return row ? get_entry(m, row->number[0], arena, out) : CG_NOT_FOUND;
}

cg_err cg_memory_log_object(struct cg_store *store, const struct cg_hash *digest,
                            struct cg_arena *arena, struct cg_span *out)
{
    const struct mem_row *row = mem_get(&cg_memory_of(store)->objects, cg_hash_span(digest));

    return row ? cg_arena_copy(arena, row->bytes[0], out) : CG_NOT_FOUND;
}

cg_err cg_memory_log_nodes(struct cg_store *store, unsigned level, uint64_t first, size_t n,
                           struct cg_hash *out)
{
    struct cg_memory *m = cg_memory_of(store);

    for (size_t i = 0; i < n; i++) {
        struct mem_key key = mem_key_uint(first + i);

        if (level)
            key.at[key.len++] = (uint8_t)level;
        const struct mem_row *row = mem_get(level ? &m->nodes : &m->entries, mem_key_span(&key));
        if (!row)
            return CG_NOT_FOUND;
        out[i] = row->hash;
    }
    return CG_OK;
}

cg_err cg_memory_log_state(struct cg_store *store, const struct cg_hash *key,
                           struct cg_arena *arena, struct cg_stored_state *out)
{
    const struct mem_row *row = mem_get(&cg_memory_of(store)->states, cg_hash_span(key));
    struct cg_stored_state got = {.key = *key};

    if (!row)
        return CG_NOT_FOUND;
    CG_TRY(cg_arena_copy(arena, row->bytes[0], &got.kind));
    CG_TRY(cg_arena_copy(arena, row->bytes[1], &got.id));
    got.value = row->hash;
    got.index = row->number[0];
    *out = got;
    return CG_OK;
}

cg_err cg_memory_log_page(struct cg_store *store, struct cg_span prefix, struct cg_arena *arena,
                          struct cg_span *out)
{
    const struct mem_row *row = mem_get(&cg_memory_of(store)->pages, prefix);

    if (row)
        return cg_arena_copy(arena, row->bytes[0], out);
    *out = (struct cg_span){NULL, 0};
    return CG_OK;
}
