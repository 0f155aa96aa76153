#include "store/sqlite.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

static cg_err note_name(struct cg_sqlite *s, struct cg_span name, uint64_t serial,
                        const struct cg_hash *commitment)
{
    struct ask a = ask_of(s, SQL_SEEN_NAME);
    struct cg_hash was = {{0}};
    uint64_t highest = 0;

    ask_text(&a, name);
    bool is_known = ask_row(&a);
    if (is_known) {
        highest = ask_get_uint(&a, 0);
        ask_get_hash(&a, 1, &was);
    }
    CG_TRY(ask_end(&a));
    if (is_known && serial < highest)
        return CG_ROLLBACK;
    if (is_known && serial == highest)
        return cg_hash_eq(&was, commitment) ? CG_OK : CG_CONFLICT;

    struct ask put = ask_of(s, SQL_SEEN_NAME_PUT);
    ask_text(&put, name);
    ask_uint(&put, serial);
    ask_hash(&put, commitment);
    return ask_run(&put);
}

cg_err cg_sqlite_seen_name(struct cg_store *store, struct cg_span name, uint64_t serial,
                           const struct cg_hash *commitment)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, note_name(s, name, serial, commitment));
}

static cg_err note_log(struct cg_sqlite *s, struct cg_span log, const struct cg_seen_log *seen)
{
    struct cg_seen_log was;
    cg_err err = cg_sqlite_seen_log_newest(&s->store, log, &was);

    if (err != CG_OK && err != CG_NOT_FOUND)
        return err;
    if (err == CG_OK && seen->size == was.size && !cg_hash_eq(&seen->root, &was.root))
        return CG_CONFLICT;
    if (err == CG_OK && seen->size <= was.size)
        return CG_OK;

    struct ask put = ask_of(s, SQL_SEEN_LOG_PUT);
    ask_bytes(&put, log);
    ask_uint(&put, seen->size);
    ask_hash(&put, &seen->root);
    ask_time(&put, seen->time);
    return ask_run(&put);
}

cg_err cg_sqlite_seen_log(struct cg_store *store, struct cg_span log,
                          const struct cg_seen_log *seen)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, note_log(s, log, seen));
}

cg_err cg_sqlite_seen_log_newest(struct cg_store *store, struct cg_span log,
                                 struct cg_seen_log *out)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_SEEN_LOG);
    struct cg_seen_log got = {0};

    ask_bytes(&a, log);
    bool has_row = ask_row(&a);
    if (has_row) {
        got.size = ask_get_uint(&a, 0);
        ask_get_hash(&a, 1, &got.root);
        got.time = ask_get_time(&a, 2);
    }
    CG_TRY(ask_found(&a, has_row));
    *out = got;
    return CG_OK;
}
