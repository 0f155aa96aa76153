/* sqlite.h: the pieces of the SQLite back-end: a connection, its statements, and asking one.
 *
 * A statement is asked like a reader reads: bind its values, run it, take its columns, and learn at
 * the end whether all went well. Errors are sticky. */
#ifndef CG_STORE_SQLITE_H
#define CG_STORE_SQLITE_H
#include "store/backend.h"
#include "store/sqlite_texts.h"

#include <sqlite3.h>

struct cg_sqlite {
    struct cg_store store;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT]; /* prepared when first asked */
};

struct ask {
    struct cg_sqlite *s;
    sqlite3_stmt *statement;
    int n_bound;
    cg_err err;
};

struct cg_sqlite *cg_sqlite_of(struct cg_store *store);
/* cg_sqlite_err turns SQLite's code into ours and keeps its words. */
cg_err cg_sqlite_err(struct cg_sqlite *s, int code);

/* ask_of begins with a statement; ask_end must follow. */
struct ask ask_of(struct cg_sqlite *s, enum cg_sql which);
/* The values, in the order of the statement's question marks; they are borrowed until ask_end. */
void ask_uint(struct ask *a, uint64_t v);
void ask_time(struct ask *a, struct cg_wall t);
void ask_bytes(struct ask *a, struct cg_span bytes);
void ask_text(struct ask *a, struct cg_span text);
void ask_hash(struct ask *a, const struct cg_hash *hash);
/* ask_row goes to the next row; false at the end or after a failure. */
bool ask_row(struct ask *a);
/* The columns of the row gone to. */
uint64_t ask_get_uint(struct ask *a, int column);
struct cg_wall ask_get_time(struct ask *a, int column);
bool ask_is_null(struct ask *a, int column);
void ask_get_hash(struct ask *a, int column, struct cg_hash *out);
/* ask_get copies a blob or text into the arena; NULL gives nothing. */
struct cg_span ask_get(struct ask *a, int column, struct cg_arena *arena);
/* ask_end lets the statement go and gives the first failure. */
CG_MUST_USE cg_err ask_end(struct ask *a);
/* ask_run is ask_row and ask_end for a statement without rows. */
CG_MUST_USE cg_err ask_run(struct ask *a);
/* ask_run_one is ask_run; CG_NOT_FOUND unless exactly one row was changed. */
CG_MUST_USE cg_err ask_run_one(struct ask *a);
/* ask_found ends a question for one row: CG_NOT_FOUND where there was none. */
CG_MUST_USE cg_err ask_found(struct ask *a, bool has_row);

/* cg_sqlite_begin and cg_sqlite_end are a write transaction: committed where err is CG_OK, undone
 * otherwise; cg_sqlite_end hands err on. */
CG_MUST_USE cg_err cg_sqlite_begin(struct cg_sqlite *s);
CG_MUST_USE cg_err cg_sqlite_end(struct cg_sqlite *s, cg_err err);

/* The calls, by noun. */
extern const struct cg_store_backend cg_sqlite_backend;
cg_err cg_sqlite_log_append(struct cg_store *, const struct cg_log_append *);
cg_err cg_sqlite_log_publish(struct cg_store *, const struct cg_log_publish *);
cg_err cg_sqlite_log_heads(struct cg_store *, struct cg_arena *, struct cg_log_heads *);
cg_err cg_sqlite_log_head(struct cg_store *, uint64_t, struct cg_arena *, struct cg_stored_head *);
cg_err cg_sqlite_log_entries(struct cg_store *, uint64_t, size_t, struct cg_arena *,
                             struct cg_stored_entry *);
cg_err cg_sqlite_log_find(struct cg_store *, struct cg_span, const struct cg_hash *,
                          struct cg_arena *, struct cg_stored_entry *);
cg_err cg_sqlite_log_find_cert(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                               struct cg_stored_entry *);
cg_err cg_sqlite_log_object(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                            struct cg_span *);
cg_err cg_sqlite_log_nodes(struct cg_store *, unsigned, uint64_t, size_t, struct cg_hash *);
cg_err cg_sqlite_log_state(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                           struct cg_stored_state *);
cg_err cg_sqlite_log_page(struct cg_store *, struct cg_span, struct cg_arena *, struct cg_span *);
cg_err cg_sqlite_name_propose(struct cg_store *, const struct cg_stored_name *);
cg_err cg_sqlite_name_settle(struct cg_store *, struct cg_span, uint64_t, uint64_t);
cg_err cg_sqlite_name_withdraw(struct cg_store *, struct cg_span, uint64_t);
cg_err cg_sqlite_name_current(struct cg_store *, struct cg_span, struct cg_arena *,
                              struct cg_stored_name *);
cg_err cg_sqlite_name_at(struct cg_store *, struct cg_span, uint64_t, struct cg_arena *,
                         struct cg_stored_name *);
cg_err cg_sqlite_name_proposed(struct cg_store *, struct cg_span, struct cg_span, struct cg_arena *,
                               struct cg_stored_name *);
cg_err cg_sqlite_wallet_put(struct cg_store *, struct cg_span, struct cg_span);
cg_err cg_sqlite_wallet(struct cg_store *, struct cg_span, struct cg_arena *, struct cg_span *);
cg_err cg_sqlite_challenge_put(struct cg_store *, const struct cg_stored_challenge *,
                               struct cg_wall, size_t);
cg_err cg_sqlite_challenge_take(struct cg_store *, const struct cg_stored_challenge *,
                                struct cg_wall);
cg_err cg_sqlite_allow_put(struct cg_store *, struct cg_span, struct cg_span);
cg_err cg_sqlite_allow_drop(struct cg_store *, struct cg_span);
cg_err cg_sqlite_allow(struct cg_store *, struct cg_span, struct cg_arena *, struct cg_span *);
cg_err cg_sqlite_seen_name(struct cg_store *, struct cg_span, uint64_t, const struct cg_hash *);
cg_err cg_sqlite_seen_log(struct cg_store *, struct cg_span, const struct cg_seen_log *);
cg_err cg_sqlite_seen_log_newest(struct cg_store *, struct cg_span, struct cg_seen_log *);

#endif
