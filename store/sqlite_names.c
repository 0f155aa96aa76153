#include "store/sqlite.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

static void take_name(struct ask *a, struct cg_arena *arena, struct cg_stored_name *out)
{
    out->name = ask_get(a, 0, arena);
    out->serial = ask_get_uint(a, 1);
    out->owner = ask_get(a, 2, arena);
    ask_get_hash(a, 3, &out->commitment);
    out->record = ask_get(a, 4, arena);
    out->expires_at = ask_get_time(a, 5);
    out->is_tombstone = ask_get_uint(a, 6) != 0;
    out->is_settled = !ask_is_null(a, 7);
    out->log_index = out->is_settled ? ask_get_uint(a, 7) : 0;
}

/* Ends a question for one name. */
static cg_err get_name(struct ask *a, struct cg_arena *arena, struct cg_stored_name *out)
{
    struct cg_stored_name got = {0};
    bool has_row = ask_row(a);

    if (has_row)
        take_name(a, arena, &got);
    CG_TRY(ask_found(a, has_row));
    *out = got;
    return CG_OK;
}

/* Is the same serial with the same content proposed already? */
static cg_err is_proposed(struct cg_sqlite *s, const struct cg_stored_name *name, bool *out)
{
    struct ask a = ask_of(s, SQL_NAME_PROPOSED);

    ask_text(&a, name->name);
    *out = false;
    if (ask_row(&a)) {
        struct cg_hash commitment = {{0}};

        ask_get_hash(&a, 3, &commitment);
        *out = ask_get_uint(&a, 1) == name->serial && cg_hash_eq(&commitment, &name->commitment);
    }
    return ask_end(&a);
}

static cg_err propose(struct cg_sqlite *s, const struct cg_stored_name *name)
{
    bool is_there;

    CG_TRY(is_proposed(s, name, &is_there));
    if (is_there)
        return CG_OK;
    struct ask settled = ask_of(s, SQL_NAME_SETTLED);
    ask_text(&settled, name->name);
    uint64_t last = ask_row(&settled) ? ask_get_uint(&settled, 0) : 0;
    CG_TRY(ask_end(&settled));
    if (name->serial - 1 != last)
        return CG_CONFLICT;

    struct ask a = ask_of(s, SQL_NAME_PROPOSE);
    ask_text(&a, name->name);
    ask_uint(&a, name->serial);
    ask_text(&a, name->owner);
    ask_hash(&a, &name->commitment);
    ask_bytes(&a, name->record);
    ask_time(&a, name->expires_at);
    ask_uint(&a, name->is_tombstone);
    return ask_run(&a);
}

cg_err cg_sqlite_name_propose(struct cg_store *store, const struct cg_stored_name *name)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, propose(s, name));
}

cg_err cg_sqlite_name_settle(struct cg_store *store, struct cg_span name, uint64_t serial,
                             uint64_t log_index)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_NAME_SETTLE);

    ask_uint(&a, log_index);
    ask_text(&a, name);
    ask_uint(&a, serial);
    return ask_run_one(&a);
}

cg_err cg_sqlite_name_withdraw(struct cg_store *store, struct cg_span name, uint64_t serial)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_NAME_WITHDRAW);

    ask_text(&a, name);
    ask_uint(&a, serial);
    return ask_run_one(&a);
}

cg_err cg_sqlite_name_current(struct cg_store *store, struct cg_span name, struct cg_arena *arena,
                              struct cg_stored_name *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_NAME_CURRENT);

    ask_text(&a, name);
    return get_name(&a, arena, out);
}

cg_err cg_sqlite_name_at(struct cg_store *store, struct cg_span name, uint64_t serial,
                         struct cg_arena *arena, struct cg_stored_name *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_NAME_AT);

    ask_text(&a, name);
    ask_uint(&a, serial);
    return get_name(&a, arena, out);
}

cg_err cg_sqlite_name_proposed(struct cg_store *store, struct cg_span name, struct cg_span after,
                               struct cg_arena *arena, struct cg_stored_name *out)
{
    struct ask a =
        ask_of(cg_sqlite_of(store), name.len ? SQL_NAME_PROPOSED : SQL_NAME_PROPOSED_NEXT);

    ask_text(&a, name.len ? name : after);
    return get_name(&a, arena, out);
}

cg_err cg_sqlite_wallet_put(struct cg_store *store, struct cg_span did, struct cg_span doc)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_WALLET_PUT);

    ask_text(&a, did);
    ask_bytes(&a, doc);
    return ask_run(&a);
}

/* The one column of the one row of a statement with one text bound. */
static cg_err get_by_text(struct cg_store *store, enum cg_sql which, struct cg_span key,
                          struct cg_arena *arena, struct cg_span *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), which);
    struct cg_span got = {NULL, 0};

    ask_text(&a, key);
    bool has_row = ask_row(&a);
    if (has_row)
        got = ask_get(&a, 0, arena);
    CG_TRY(ask_found(&a, has_row));
    *out = got;
    return CG_OK;
}

cg_err cg_sqlite_wallet(struct cg_store *store, struct cg_span did, struct cg_arena *arena,
                        struct cg_span *out)
{
    return get_by_text(store, SQL_WALLET, did, arena, out);
}

static cg_err put_challenge(struct cg_sqlite *s, const struct cg_stored_challenge *challenge,
                            struct cg_wall now, size_t n_max)
{
    struct ask sweep = ask_of(s, SQL_CHALLENGE_SWEEP);

    ask_time(&sweep, now);
    CG_TRY(ask_run(&sweep));
    struct ask count = ask_of(s, SQL_CHALLENGE_COUNT);
    uint64_t n = ask_row(&count) ? ask_get_uint(&count, 0) : 0;
    CG_TRY(ask_end(&count));
    if (n >= n_max)
        return CG_RATE;

    struct ask a = ask_of(s, SQL_CHALLENGE_PUT);
    ask_hash(&a, &challenge->token);
    ask_text(&a, challenge->name);
    ask_text(&a, challenge->did);
    ask_time(&a, challenge->expires);
    return ask_run(&a);
}

cg_err cg_sqlite_challenge_put(struct cg_store *store, const struct cg_stored_challenge *challenge,
                               struct cg_wall now, size_t n_max)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, put_challenge(s, challenge, now, n_max));
}

cg_err cg_sqlite_challenge_take(struct cg_store *store, const struct cg_stored_challenge *challenge,
                                struct cg_wall now)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_CHALLENGE_TAKE);

    ask_hash(&a, &challenge->token);
    ask_text(&a, challenge->name);
    ask_text(&a, challenge->did);
    ask_time(&a, now);
    return ask_run_one(&a);
}

cg_err cg_sqlite_allow_put(struct cg_store *store, struct cg_span name, struct cg_span did)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_ALLOW_PUT);

    ask_text(&a, name);
    ask_text(&a, did);
    return ask_run(&a);
}

cg_err cg_sqlite_allow_drop(struct cg_store *store, struct cg_span name)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_ALLOW_DROP);

    ask_text(&a, name);
    return ask_run_one(&a);
}

cg_err cg_sqlite_allow(struct cg_store *store, struct cg_span name, struct cg_arena *arena,
                       struct cg_span *did)
{
    return get_by_text(store, SQL_ALLOW, name, arena, did);
}
