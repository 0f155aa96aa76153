#include "store/memory.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

/* names: key name, 0, serial; bytes name, owner, record; number serial, expires, tombstone, log
 * index; hash commitment.  proposed: the same by name alone. */
static cg_err take_name(const struct mem_row *row, bool is_settled, struct cg_arena *arena,
                        struct cg_stored_name *out)
{
    if (!row)
        return CG_NOT_FOUND;
    struct cg_stored_name got = {
        .serial = row->number[0],
        .expires_at = {(int64_t)row->number[1]},
        .is_tombstone = row->number[2] != 0,
        .is_settled = is_settled,
        .log_index = row->number[3],
        .commitment = row->hash,
    };
    CG_TRY(cg_arena_copy(arena, row->bytes[0], &got.name));
    CG_TRY(cg_arena_copy(arena, row->bytes[1], &got.owner));
    CG_TRY(cg_arena_copy(arena, row->bytes[2], &got.record));
    *out = got;
    return CG_OK;
}

/* The newest settled serial's row. */
static cg_err find_newest(struct cg_memory *m, struct cg_span name, const struct mem_row **out)
{
    struct mem_key key;

    CG_TRY(mem_key_pair(name, 0, &key));
    struct cg_span head = {key.at, name.len + 1};
    *out = NULL;
    for (const struct mem_row *row = mem_next(&m->names, mem_key_span(&key));
         row && cg_span_starts(row->key, head); row = mem_next(&m->names, row->key))
        *out = row;
    return CG_OK;
}

cg_err cg_memory_name_propose(struct cg_store *store, const struct cg_stored_name *name)
{
    struct cg_memory *m = cg_memory_of(store);
    const struct mem_row *there = mem_get(&m->proposed, name->name), *newest;

    CG_TRY(find_newest(m, name->name, &newest));
    if (there)
        return there->number[0] == name->serial && cg_hash_eq(&there->hash, &name->commitment)
                   ? CG_OK
                   : CG_CONFLICT;
    if (name->serial - 1 != (newest ? newest->number[0] : 0))
        return CG_CONFLICT;
    return mem_put(m, &m->proposed,
                   &(struct mem_row){
                       .key = name->name,
                       .bytes = {name->name, name->owner, name->record},
                       .number = {name->serial, (uint64_t)name->expires_at.s, name->is_tombstone},
                       .hash = name->commitment,
                   });
}

cg_err cg_memory_name_settle(struct cg_store *store, struct cg_span name, uint64_t serial,
                             uint64_t log_index)
{
    struct cg_memory *m = cg_memory_of(store);
    const struct mem_row *there = mem_get(&m->proposed, name);
    struct mem_key key;

    if (!there || there->number[0] != serial)
        return CG_NOT_FOUND;
    CG_TRY(mem_key_pair(name, serial, &key));
    struct mem_row row = *there;
    row.key = mem_key_span(&key);
    row.number[3] = log_index;
    CG_TRY(mem_put(m, &m->names, &row));
    (void)mem_drop(&m->proposed, name);
    return CG_OK;
}

cg_err cg_memory_name_withdraw(struct cg_store *store, struct cg_span name, uint64_t serial)
{
    struct cg_memory *m = cg_memory_of(store);
    const struct mem_row *there = mem_get(&m->proposed, name);

    if (!there || there->number[0] != serial)
        return CG_NOT_FOUND;
    (void)mem_drop(&m->proposed, name);
    return CG_OK;
}

cg_err cg_memory_name_current(struct cg_store *store, struct cg_span name, struct cg_arena *arena,
                              struct cg_stored_name *out)
{
    const struct mem_row *newest;

    CG_TRY(find_newest(cg_memory_of(store), name, &newest));
    return take_name(newest, true, arena, out);
}

cg_err cg_memory_name_at(struct cg_store *store, struct cg_span name, uint64_t serial,
                         struct cg_arena *arena, struct cg_stored_name *out)
{
    struct mem_key key;

    CG_TRY(mem_key_pair(name, serial, &key));
    return take_name(mem_get(&cg_memory_of(store)->names, mem_key_span(&key)), true, arena, out);
}

cg_err cg_memory_name_proposed(struct cg_store *store, struct cg_span name, struct cg_span after,
                               struct cg_arena *arena, struct cg_stored_name *out)
{
    struct mem_table *proposed = &cg_memory_of(store)->proposed;

    return take_name(name.len ? mem_get(proposed, name) : mem_next(proposed, after), false, arena,
                     out);
}

cg_err cg_memory_wallet_put(struct cg_store *store, struct cg_span did, struct cg_span doc)
{
    struct cg_memory *m = cg_memory_of(store);

    return mem_put(m, &m->wallets, &(struct mem_row){.key = did, .bytes = {doc}});
}

static cg_err take_bytes(const struct mem_table *table, struct cg_span key, struct cg_arena *arena,
                         struct cg_span *out)
{
    const struct mem_row *row = mem_get(table, key);

    return row ? cg_arena_copy(arena, row->bytes[0], out) : CG_NOT_FOUND;
}

cg_err cg_memory_wallet(struct cg_store *store, struct cg_span did, struct cg_arena *arena,
                        struct cg_span *out)
{
    return take_bytes(&cg_memory_of(store)->wallets, did, arena, out);
}

/* challenges: key token; bytes name, DID; number expires. */
static void sweep(struct mem_table *challenges, struct cg_wall now)
{
    struct cg_span at = {NULL, 0};
    const struct mem_row *row;
    uint8_t last[CG_HASH_BYTES];

    while ((row = mem_next(challenges, at))) {
        memcpy(last, row->key.at, sizeof last);
        at = CG_BYTES(last);
        if ((int64_t)row->number[0] <= now.s)
            (void)mem_drop(challenges, at);
    }
}

cg_err cg_memory_challenge_put(struct cg_store *store, const struct cg_stored_challenge *challenge,
                               struct cg_wall now, size_t n_max)
{
    struct cg_memory *m = cg_memory_of(store);

    sweep(&m->challenges, now);
    if (mem_count(&m->challenges) >= n_max)
        return CG_RATE;
    if (mem_get(&m->challenges, cg_hash_span(&challenge->token)))
        return CG_CONFLICT;
    return mem_put(m, &m->challenges,
                   &(struct mem_row){
                       .key = cg_hash_span(&challenge->token),
                       .bytes = {challenge->name, challenge->did},
                       .number = {(uint64_t)challenge->expires.s},
                   });
}

cg_err cg_memory_challenge_take(struct cg_store *store, const struct cg_stored_challenge *challenge,
                                struct cg_wall now)
{
    struct mem_table *challenges = &cg_memory_of(store)->challenges;
    const struct mem_row *row = mem_get(challenges, cg_hash_span(&challenge->token));

    if (!row || (int64_t)row->number[0] <= now.s || !cg_span_eq(row->bytes[0], challenge->name) ||
        !cg_span_eq(row->bytes[1], challenge->did))
        return CG_NOT_FOUND;
    (void)mem_drop(challenges, cg_hash_span(&challenge->token));
    return CG_OK;
}

cg_err cg_memory_allow_put(struct cg_store *store, struct cg_span name, struct cg_span did)
{
    struct cg_memory *m = cg_memory_of(store);

    return mem_put(m, &m->allowed, &(struct mem_row){.key = name, .bytes = {did}});
}

cg_err cg_memory_allow_drop(struct cg_store *store, struct cg_span name)
{
    return mem_drop(&cg_memory_of(store)->allowed, name) ? CG_OK : CG_NOT_FOUND;
}

cg_err cg_memory_allow(struct cg_store *store, struct cg_span name, struct cg_arena *arena,
                       struct cg_span *did)
{
    return take_bytes(&cg_memory_of(store)->allowed, name, arena, did);
}

cg_err cg_memory_seen_name(struct cg_store *store, struct cg_span name, uint64_t serial,
                           const struct cg_hash *commitment)
{
    struct cg_memory *m = cg_memory_of(store);
    const struct mem_row *was = mem_get(&m->seen_names, name);

    if (was && serial < was->number[0])
        return CG_ROLLBACK;
    if (was && serial == was->number[0])
        return cg_hash_eq(&was->hash, commitment) ? CG_OK : CG_CONFLICT;
    return mem_put(m, &m->seen_names,
                   &(struct mem_row){.key = name, .number = {serial}, .hash = *commitment});
}

cg_err cg_memory_seen_log(struct cg_store *store, struct cg_span log,
                          const struct cg_seen_log *seen)
{
    struct cg_memory *m = cg_memory_of(store);
    const struct mem_row *was = mem_get(&m->seen_logs, log);

    if (was && seen->size == was->number[0] && !cg_hash_eq(&was->hash, &seen->root))
        return CG_CONFLICT;
    if (was && seen->size <= was->number[0])
        return CG_OK;
    return mem_put(m, &m->seen_logs,
                   &(struct mem_row){.key = log,
                                     .number = {seen->size, (uint64_t)seen->time.s},
                                     .hash = seen->root});
}

cg_err cg_memory_seen_log_newest(struct cg_store *store, struct cg_span log,
                                 struct cg_seen_log *out)
{
    const struct mem_row *row = mem_get(&cg_memory_of(store)->seen_logs, log);

    if (!row)
        return CG_NOT_FOUND;
    *out = (struct cg_seen_log){
        .size = row->number[0], .root = row->hash, .time = {(int64_t)row->number[1]}};
    return CG_OK;
}
