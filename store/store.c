#include "store/backend.h"

#include "lib/base/try.h"

#include <assert.h>
#include <stdio.h>

/* Databases count in signed 64-bit numbers. */
static bool fits(uint64_t n)
{
    return n <= INT64_MAX;
}

void cg_store_free(struct cg_store *store)
{
    if (store)
        store->backend->free(store);
}

const char *cg_store_why(const struct cg_store *store)
{
    return store->why;
}

cg_err cg_store_read_begin(struct cg_store *store)
{
    assert(!store->is_reading);
    CG_TRY(store->backend->read_begin(store));
    store->is_reading = true;
    return CG_OK;
}

void cg_store_read_end(struct cg_store *store)
{
    assert(store->is_reading);
    store->is_reading = false;
    store->backend->read_end(store);
}

/* The entries must be one run that ends where the head's tree ends. */
static cg_err check_run(const struct cg_log_append *append)
{
    uint64_t first = append->n_entries ? append->entries[0].index : 0;

    if (append->n_entries == 0 || append->head.size < append->n_entries ||
        append->head.size - append->n_entries != first)
        return CG_CONFLICT;
    if (!fits(append->head.size))
        return CG_TOO_LARGE;
    for (size_t i = 0; i < append->n_entries; i++)
        if (append->entries[i].index != first + i)
            return CG_CONFLICT;
    return CG_OK;
}

cg_err cg_store_log_append(struct cg_store *store, const struct cg_log_append *append)
{
    assert(!store->is_reading);
    CG_TRY(check_run(append));
    for (size_t i = 0; i < append->n_nodes; i++)
        if (append->nodes[i].level == 0 || append->nodes[i].level > 63 ||
            !fits(append->nodes[i].index))
            return CG_TOO_LARGE;
    return store->backend->log_append(store, append);
}

cg_err cg_store_log_publish(struct cg_store *store, const struct cg_log_publish *publish)
{
    assert(!store->is_reading);
    if (publish->note.len == 0)
        return CG_CONFLICT; /* an empty note would read as one that was superseded */
    for (size_t i = 0; i < publish->n_states; i++)
        if (!fits(publish->states[i].index))
            return CG_TOO_LARGE;
    return store->backend->log_publish(store, publish);
}

cg_err cg_store_log_heads(struct cg_store *store, struct cg_arena *arena, struct cg_log_heads *out)
{
    return store->backend->log_heads(store, arena, out);
}

cg_err cg_store_log_head(struct cg_store *store, uint64_t size, struct cg_arena *arena,
                         struct cg_stored_head *out)
{
    return fits(size) ? store->backend->log_head(store, size, arena, out) : CG_NOT_FOUND;
}

cg_err cg_store_log_entries(struct cg_store *store, uint64_t first, size_t n,
                            struct cg_arena *arena, struct cg_stored_entry *out)
{
    if (!fits(first) || !fits(n))
        return CG_NOT_FOUND;
    return store->backend->log_entries(store, first, n, arena, out);
}

cg_err cg_store_log_find(struct cg_store *store, struct cg_span kind,
                         const struct cg_hash *commitment, struct cg_arena *arena,
                         struct cg_stored_entry *out)
{
    return store->backend->log_find(store, kind, commitment, arena, out);
}

cg_err cg_store_log_find_cert(struct cg_store *store, const struct cg_hash *fingerprint,
                              struct cg_arena *arena, struct cg_stored_entry *out)
{
    return store->backend->log_find_cert(store, fingerprint, arena, out);
}

cg_err cg_store_log_object(struct cg_store *store, const struct cg_hash *digest,
                           struct cg_arena *arena, struct cg_span *out)
{
    return store->backend->log_object(store, digest, arena, out);
}

cg_err cg_store_log_nodes(struct cg_store *store, unsigned level, uint64_t first, size_t n,
                          struct cg_hash *out)
{
    if (level > 63 || !fits(first) || !fits(n))
        return CG_NOT_FOUND;
    return store->backend->log_nodes(store, level, first, n, out);
}

cg_err cg_store_log_state(struct cg_store *store, const struct cg_hash *key, struct cg_arena *arena,
                          struct cg_stored_state *out)
{
    return store->backend->log_state(store, key, arena, out);
}

cg_err cg_store_log_page(struct cg_store *store, struct cg_span prefix, struct cg_arena *arena,
                         struct cg_span *out)
{
    return store->backend->log_page(store, prefix, arena, out);
}

cg_err cg_store_name_propose(struct cg_store *store, const struct cg_stored_name *name)
{
    assert(!store->is_reading);
    if (name->serial == 0)
        return CG_CONFLICT;
    if (!fits(name->serial))
        return CG_TOO_LARGE;
    return store->backend->name_propose(store, name);
}

cg_err cg_store_name_settle(struct cg_store *store, struct cg_span name, uint64_t serial,
                            uint64_t log_index)
{
    assert(!store->is_reading);
    if (!fits(serial) || !fits(log_index))
        return CG_TOO_LARGE;
    return store->backend->name_settle(store, name, serial, log_index);
}

cg_err cg_store_name_withdraw(struct cg_store *store, struct cg_span name, uint64_t serial)
{
    assert(!store->is_reading);
    return fits(serial) ? store->backend->name_withdraw(store, name, serial) : CG_NOT_FOUND;
}

cg_err cg_store_name_current(struct cg_store *store, struct cg_span name, struct cg_arena *arena,
                             struct cg_stored_name *out)
{
    return store->backend->name_current(store, name, arena, out);
}

cg_err cg_store_name_at(struct cg_store *store, struct cg_span name, uint64_t serial,
                        struct cg_arena *arena, struct cg_stored_name *out)
{
    return fits(serial) ? store->backend->name_at(store, name, serial, arena, out) : CG_NOT_FOUND;
}

cg_err cg_store_name_proposed(struct cg_store *store, struct cg_span name, struct cg_span after,
                              struct cg_arena *arena, struct cg_stored_name *out)
{
    return store->backend->name_proposed(store, name, after, arena, out);
}

cg_err cg_store_wallet_put(struct cg_store *store, struct cg_span did, struct cg_span doc)
{
    assert(!store->is_reading);
    return store->backend->wallet_put(store, did, doc);
}

cg_err cg_store_wallet(struct cg_store *store, struct cg_span did, struct cg_arena *arena,
                       struct cg_span *out)
{
    return store->backend->wallet(store, did, arena, out);
}

cg_err cg_store_challenge_put(struct cg_store *store, const struct cg_stored_challenge *challenge,
                              struct cg_wall now, size_t n_max)
{
    assert(!store->is_reading);
    return store->backend->challenge_put(store, challenge, now, n_max);
}

cg_err cg_store_challenge_take(struct cg_store *store, const struct cg_stored_challenge *challenge,
                               struct cg_wall now)
{
    assert(!store->is_reading);
    return store->backend->challenge_take(store, challenge, now);
}

cg_err cg_store_allow_put(struct cg_store *store, struct cg_span name, struct cg_span did)
{
    assert(!store->is_reading);
    return store->backend->allow_put(store, name, did);
}

cg_err cg_store_allow_drop(struct cg_store *store, struct cg_span name)
{
    assert(!store->is_reading);
    return store->backend->allow_drop(store, name);
}

cg_err cg_store_allow(struct cg_store *store, struct cg_span name, struct cg_arena *arena,
                      struct cg_span *did)
{
    return store->backend->allow(store, name, arena, did);
}

cg_err cg_store_seen_name(struct cg_store *store, struct cg_span name, uint64_t serial,
                          const struct cg_hash *commitment)
{
    assert(!store->is_reading);
    return fits(serial) ? store->backend->seen_name(store, name, serial, commitment) : CG_TOO_LARGE;
}

cg_err cg_store_seen_log(struct cg_store *store, struct cg_span log_id,
                         const struct cg_seen_log *seen)
{
    assert(!store->is_reading);
    return fits(seen->size) ? store->backend->seen_log(store, log_id, seen) : CG_TOO_LARGE;
}

cg_err cg_store_seen_log_newest(struct cg_store *store, struct cg_span log_id,
                                struct cg_seen_log *out)
{
    return store->backend->seen_log_newest(store, log_id, out);
}
