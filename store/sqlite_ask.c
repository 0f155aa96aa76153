#include "store/sqlite.h"

#include "lib/base/span.h"

#include <stdio.h>

static const char *const texts[SQL_COUNT] = {
#define X(name, text) [SQL_##name] = text,
    CG_SQL_LIST(X)
#undef X
};

cg_err cg_sqlite_err(struct cg_sqlite *s, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return CG_OK;
    case SQLITE_NOMEM:
        return CG_NO_MEMORY;
    case SQLITE_CONSTRAINT: /* what the schema forbids */
        return CG_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        snprintf(s->store.why, sizeof s->store.why, "another process holds the file");
        return CG_BUSY;
    default:
        snprintf(s->store.why, sizeof s->store.why, "%s",
                 s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
        return CG_STORE;
    }
}

struct ask ask_of(struct cg_sqlite *s, enum cg_sql which)
{
    sqlite3_stmt **statement = &s->statements[which];
    struct ask a = {.s = s};

    if (!*statement)
        a.err = cg_sqlite_err(s, sqlite3_prepare_v3(s->db, texts[which], -1,
                                                    SQLITE_PREPARE_PERSISTENT, statement, NULL));
    a.statement = *statement;
    return a;
}

static void note(struct ask *a, int code)
{
    if (a->err == CG_OK)
        a->err = cg_sqlite_err(a->s, code);
}

void ask_uint(struct ask *a, uint64_t v)
{
    if (a->err == CG_OK && v > INT64_MAX)
        a->err = CG_TOO_LARGE;
    if (a->err == CG_OK)
        note(a, sqlite3_bind_int64(a->statement, ++a->n_bound, (int64_t)v));
}

void ask_time(struct ask *a, struct cg_wall t)
{
    if (a->err == CG_OK)
        note(a, sqlite3_bind_int64(a->statement, ++a->n_bound, t.s));
}

/* A blob of no bytes is not NULL. */
void ask_bytes(struct ask *a, struct cg_span bytes)
{
    if (a->err == CG_OK)
        note(a, sqlite3_bind_blob64(a->statement, ++a->n_bound, bytes.len ? bytes.at : (void *)"",
                                    bytes.len, SQLITE_STATIC));
}

void ask_text(struct ask *a, struct cg_span text)
{
    if (a->err == CG_OK)
        note(a,
             sqlite3_bind_text64(a->statement, ++a->n_bound, text.len ? (const char *)text.at : "",
                                 text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void ask_hash(struct ask *a, const struct cg_hash *hash)
{
    ask_bytes(a, cg_hash_span(hash));
}

bool ask_row(struct ask *a)
{
    if (a->err != CG_OK)
        return false;
    int code = sqlite3_step(a->statement);
    note(a, code);
    return code == SQLITE_ROW;
}

uint64_t ask_get_uint(struct ask *a, int column)
{
    int64_t v = a->err == CG_OK ? sqlite3_column_int64(a->statement, column) : 0;

    if (v < 0) { /* we never write one */
        snprintf(a->s->store.why, sizeof a->s->store.why, "a number in the file is damaged");
        a->err = CG_STORE;
        return 0;
    }
    return (uint64_t)v;
}

struct cg_wall ask_get_time(struct ask *a, int column)
{
    return (struct cg_wall){a->err == CG_OK ? sqlite3_column_int64(a->statement, column) : 0};
}

bool ask_is_null(struct ask *a, int column)
{
    return a->err == CG_OK && sqlite3_column_type(a->statement, column) == SQLITE_NULL;
}

/* What a column holds, good until the next step. */
static struct cg_span peek(struct ask *a, int column)
{
    if (a->err != CG_OK)
        return (struct cg_span){NULL, 0};
    const void *at = sqlite3_column_blob(a->statement, column);
    size_t len = (size_t)sqlite3_column_bytes(a->statement, column);
    if (!at && sqlite3_errcode(a->s->db) == SQLITE_NOMEM)
        a->err = CG_NO_MEMORY;
    return (struct cg_span){at, at ? len : 0};
}

void ask_get_hash(struct ask *a, int column, struct cg_hash *out)
{
    struct cg_span got = peek(a, column);

    if (a->err == CG_OK && got.len != CG_HASH_BYTES) {
        snprintf(a->s->store.why, sizeof a->s->store.why, "a hash in the file is damaged");
        a->err = CG_STORE;
    }
    if (a->err == CG_OK)
        memcpy(out->bytes, got.at, CG_HASH_BYTES);
}

struct cg_span ask_get(struct ask *a, int column, struct cg_arena *arena)
{
    struct cg_span got = {NULL, 0};
    struct cg_span inside = peek(a, column);

    if (a->err == CG_OK)
        a->err = cg_arena_copy(arena, inside, &got);
    return got;
}

cg_err ask_end(struct ask *a)
{
    if (a->statement) {
        sqlite3_reset(a->statement);
        sqlite3_clear_bindings(a->statement); /* they are borrowed */
    }
    return a->err;
}

cg_err ask_run(struct ask *a)
{
    (void)ask_row(a);
    return ask_end(a);
}

cg_err ask_run_one(struct ask *a)
{
    cg_err err = ask_run(a);

    if (err != CG_OK)
        return err;
    return sqlite3_changes(a->s->db) == 1 ? CG_OK : CG_NOT_FOUND;
}

cg_err ask_found(struct ask *a, bool has_row)
{
    cg_err err = ask_end(a);

    if (err != CG_OK)
        return err;
    return has_row ? CG_OK : CG_NOT_FOUND;
}
