#include "store/sqlite.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In the file's header, so that another program's file is not taken for ours: "hcpg". */
#define APPLICATION_ID 0x68637067
/* How long a write waits for another handle's; a transaction takes milliseconds. */
#define BUSY_MS 5000

/* WAL: readers never wait for the writer.  FULL: a commit is on disk when it returns.  The rest
 * makes SQLite distrust the file. */
static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA wal_autocheckpoint = 1000;";

struct cg_sqlite *cg_sqlite_of(struct cg_store *store)
{
    return (struct cg_sqlite *)store;
}

cg_err cg_sqlite_begin(struct cg_sqlite *s)
{
    struct ask a = ask_of(s, SQL_BEGIN);

    return ask_run(&a);
}

cg_err cg_sqlite_end(struct cg_sqlite *s, cg_err err)
{
    if (err == CG_OK) {
        struct ask commit = ask_of(s, SQL_COMMIT);
        err = ask_run(&commit);
    }
    if (err != CG_OK && !sqlite3_get_autocommit(s->db)) {
        char why[CG_STORE_WHY_BYTES];

        memcpy(why, s->store.why, sizeof why); /* the first failure's words, not the undoing's */
        struct ask undo = ask_of(s, SQL_ROLLBACK);
        if (ask_run(&undo) != CG_OK)
            err = CG_STORE;
        memcpy(s->store.why, why, sizeof why);
    }
    return err;
}

static cg_err read_begin(struct cg_store *store)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_BEGIN_READ);

    return ask_run(&a);
}

/* Nothing was written, so undoing loses nothing, and it cannot fail. */
static void read_end(struct cg_store *store)
{
    struct ask a = ask_of(cg_sqlite_of(store), SQL_ROLLBACK);

    if (ask_run(&a) != CG_OK)
        store->why[0] = '\0';
}

static void close_store(struct cg_store *store)
{
    struct cg_sqlite *s = cg_sqlite_of(store);

    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    free(s);
}

static cg_err run_text(struct cg_sqlite *s, const char *text)
{
    return cg_sqlite_err(s, sqlite3_exec(s->db, text, NULL, NULL, NULL));
}

static cg_err get_pragma(struct cg_sqlite *s, const char *text, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->db, text, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return cg_sqlite_err(s, code);
}

/* Runs the steps behind the file's version and notes the new one, as part of a transaction. */
static cg_err bring_up_to_date(struct cg_sqlite *s)
{
    int64_t version = 0, id = 0, n_objects = 0;
    char set[96];

    CG_TRY(get_pragma(s, "PRAGMA user_version", &version));
    CG_TRY(get_pragma(s, "PRAGMA application_id", &id));
    CG_TRY(get_pragma(s, "SELECT count(*) FROM sqlite_schema", &n_objects));
    if (id != APPLICATION_ID && n_objects > 0) {
        snprintf(s->store.why, sizeof s->store.why, "the file belongs to another program");
        return CG_MISMATCH;
    }
    if (version < 0 || (uint64_t)version > cg_schema_n_steps) {
        snprintf(s->store.why, sizeof s->store.why, "a newer version of this program made it");
        return CG_VERSION;
    }
    for (size_t i = (size_t)version; i < cg_schema_n_steps; i++)
        CG_TRY(run_text(s, cg_schema_steps[i]));
    snprintf(set, sizeof set, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
             APPLICATION_ID, cg_schema_n_steps);
    return run_text(s, set);
}

/* Made by us, so that nobody else may read it from its first moment on; SQLite gives its side
 * files the same mode. */
static cg_err make_file(struct cg_sqlite *s, const char *path)
{
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        snprintf(s->store.why, sizeof s->store.why, "%s", strerror(errno));
        return CG_STORE;
    }
    close(fd);
    return CG_OK;
}

static cg_err open_file(struct cg_sqlite *s, const char *path)
{
    CG_TRY(make_file(s, path));
    CG_TRY(cg_sqlite_err(
        s, sqlite3_open_v2(path, &s->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                           NULL)));
    CG_TRY(cg_sqlite_err(s, sqlite3_busy_timeout(s->db, BUSY_MS)));
    CG_TRY(cg_sqlite_err(s, sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL)));
    CG_TRY(run_text(s, settings));
    CG_TRY(cg_sqlite_begin(s));
    return cg_sqlite_end(s, bring_up_to_date(s));
}

cg_err cg_store_open_sqlite(const char *path, char why[static CG_STORE_WHY_BYTES],
                            struct cg_store **out)
{
    struct cg_sqlite *s = calloc(1, sizeof *s);

    snprintf(why, CG_STORE_WHY_BYTES, "%s", cg_err_text(CG_NO_MEMORY));
    if (!s)
        return CG_NO_MEMORY;
    s->store.backend = &cg_sqlite_backend;
    cg_err err = open_file(s, path);
    if (err != CG_OK) {
        snprintf(why, CG_STORE_WHY_BYTES, "%s", s->store.why[0] ? s->store.why : cg_err_text(err));
        close_store(&s->store);
        return err;
    }
    *out = &s->store;
    return CG_OK;
}

const struct cg_store_backend cg_sqlite_backend = {
    .free = close_store,
    .read_begin = read_begin,
    .read_end = read_end,
    .log_append = cg_sqlite_log_append,
    .log_publish = cg_sqlite_log_publish,
    .log_heads = cg_sqlite_log_heads,
    .log_head = cg_sqlite_log_head,
    .log_entries = cg_sqlite_log_entries,
    .log_find = cg_sqlite_log_find,
    .log_find_cert = cg_sqlite_log_find_cert,
    .log_object = cg_sqlite_log_object,
    .log_nodes = cg_sqlite_log_nodes,
    .log_state = cg_sqlite_log_state,
    .log_page = cg_sqlite_log_page,
    .name_propose = cg_sqlite_name_propose,
    .name_settle = cg_sqlite_name_settle,
    .name_withdraw = cg_sqlite_name_withdraw,
    .name_current = cg_sqlite_name_current,
    .name_at = cg_sqlite_name_at,
    .name_proposed = cg_sqlite_name_proposed,
    .wallet_put = cg_sqlite_wallet_put,
    .wallet = cg_sqlite_wallet,
    .challenge_put = cg_sqlite_challenge_put,
    .challenge_take = cg_sqlite_challenge_take,
    .allow_put = cg_sqlite_allow_put,
    .allow_drop = cg_sqlite_allow_drop,
    .allow = cg_sqlite_allow,
    .seen_name = cg_sqlite_seen_name,
    .seen_log = cg_sqlite_seen_log,
    .seen_log_newest = cg_sqlite_seen_log_newest,
};
