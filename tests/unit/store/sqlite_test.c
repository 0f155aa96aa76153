/* What only a file can do: last, be shared, be damaged, be somebody else's. */
#include "tests/support/check.h"
#include "tests/support/scratch.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cg_store *open_at(const char *path, cg_err want)
{
    char why[CG_STORE_WHY_BYTES] = "";
    struct cg_store *store = NULL;

    CHECK_ERR(cg_store_open_sqlite(path, why, &store), want);
    CHECK(want == CG_OK ? store != NULL : store == NULL && why[0] != '\0');
    return store;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static cg_err append(struct cg_store *store, uint64_t index)
{
    struct cg_stored_entry entry = {
        .index = index,
        .kind = CG_LIT("did"),
        .commitment = {{(uint8_t)index, (uint8_t)(index >> 8)}},
        .subject = CG_LIT("subject"),
        .data = CG_LIT("bytes"),
    };
    struct cg_log_append a = {.entries = &entry, .n_entries = 1, .head = {.size = index + 1}};

    return cg_store_log_append(store, &a);
}

static cg_err publish(struct cg_store *store, uint64_t size)
{
    return cg_store_log_publish(store,
                                &(struct cg_log_publish){.size = size, .note = CG_LIT("note")});
}

static void make(const char *path, unsigned n)
{
    struct cg_store *store = open_at(path, CG_OK);

    for (unsigned i = 0; i < n && store; i++) {
        CHECK_OK(append(store, i));
        CHECK_OK(publish(store, i + 1));
    }
    cg_store_free(store);
}

/* How many entries a store publishes, after checking that it has them. */
static uint64_t published(struct cg_store *store)
{
    CG_AUTO(arena) struct cg_arena arena;
    struct cg_log_heads heads = {0};

    cg_arena_init(&arena, 1 << 20);
    CHECK_OK(cg_store_log_heads(store, &arena, &heads));
    for (uint64_t i = 0; i < heads.published.size; i++) {
        struct cg_stored_entry entry;
        CHECK_OK(cg_store_log_entries(store, i, 1, &arena, &entry));
    }
    return heads.published.size;
}

TEST(what_is_written_is_there_after_opening_again)
{
    CG_AUTO(scratch) struct cg_scratch scratch;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    make(path, 3);
    struct cg_store *store = open_at(path, CG_OK);
    CHECK_OR_STOP(store != NULL);
    CHECK_INT(published(store), 3);
    CHECK_OK(append(store, 3));
    cg_store_free(store);
    store = open_at(path, CG_OK);
    CHECK_OR_STOP(store != NULL);
    CHECK_ERR(append(store, 4), CG_CONFLICT); /* the head still waits */
    CHECK_OK(publish(store, 4));
    CHECK_INT(published(store), 4);
    cg_store_free(store);
}

TEST(the_file_is_nobody_elses)
{
    CG_AUTO(scratch) struct cg_scratch scratch;
    struct stat st;
    mode_t old = umask(0);

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    struct cg_store *store = open_at(path, CG_OK);
    CHECK(store && append(store, 0) == CG_OK);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK_INT(stat(cg_scratch_file(&scratch, "db-wal"), &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    cg_store_free(store);
    umask(old);
}

TEST(another_handle_sees_what_was_committed_and_a_reading_one_does_not_change)
{
    CG_AUTO(scratch) struct cg_scratch scratch;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    make(path, 1);
    struct cg_store *writer = open_at(path, CG_OK), *reader = open_at(path, CG_OK);
    CHECK_OR_STOP(writer && reader);
    CHECK_OK(cg_store_read_begin(reader));
    CHECK_INT(published(reader), 1);
    CHECK_OK(append(writer, 1));
    CHECK_OK(publish(writer, 2));
    CHECK_INT(published(reader), 1);
    cg_store_read_end(reader);
    CHECK_INT(published(reader), 2);
    /* Two sequencers cannot both append. */
    CHECK_OK(append(reader, 2));
    CHECK_ERR(append(writer, 2), CG_CONFLICT);
    cg_store_free(reader);
    cg_store_free(writer);
}

TEST(other_files_are_refused_and_left_alone)
{
    CG_AUTO(scratch) struct cg_scratch scratch;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    open_at(cg_scratch_file(&scratch, "no/such/folder"), CG_STORE);
    run_sql(path, "CREATE TABLE mine (x)");
    open_at(path, CG_MISMATCH);
    run_sql(path, "INSERT INTO mine VALUES (1)");

    const char *text = cg_scratch_file(&scratch, "text");
    int fd = open(text, O_CREAT | O_WRONLY, 0600);
    CHECK_INT(write(fd, "this is not a database, whatever it is named\n", 45), 45);
    CHECK_INT(ftruncate(fd, 8192), 0);
    close(fd);
    open_at(text, CG_STORE);
}

TEST(a_file_of_a_newer_version_is_refused)
{
    CG_AUTO(scratch) struct cg_scratch scratch;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    make(path, 1);
    run_sql(path, "PRAGMA user_version = 9999");
    open_at(path, CG_VERSION);
    run_sql(path, "PRAGMA user_version = -1");
    open_at(path, CG_VERSION);
}

TEST(the_schema_forbids_what_must_never_happen)
{
    static const char *const forbidden[] = {
        "UPDATE entry SET data = x'00'",
        "DELETE FROM entry",
        "UPDATE checkpoint SET root = zeroblob(32)",
        "UPDATE checkpoint SET size = 9",
        "DELETE FROM checkpoint",
        "INSERT INTO checkpoint (size, root, time) VALUES (1, zeroblob(32), 0)",
        "INSERT INTO checkpoint (size, root, time) VALUES (8, zeroblob(31), 0)",
        "INSERT INTO node (level, idx, hash) VALUES (0, 0, zeroblob(32))",
    };
    CG_AUTO(scratch) struct cg_scratch scratch;
    sqlite3 *db = NULL;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    make(path, 2);
    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        int code = sqlite3_exec(db, forbidden[i], NULL, NULL, NULL);
        if (!CHECK_INT(code & 0xff, SQLITE_CONSTRAINT))
            printf("# %s\n", forbidden[i]);
    }
    sqlite3_close(db);
}

static void copy_file(const char *from, const char *to, long max)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    int c;

    for (long n = 0; in && out && n < max && (c = getc(in)) != EOF; n++)
        putc(c, out);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
}

/* A power cut may lose the end of the write-ahead file that was not yet synced.  Whatever is left
 * opens, as it was after one of the commits. */
TEST(a_file_cut_anywhere_in_its_last_commit_opens_as_it_was_before)
{
    CG_AUTO(scratch) struct cg_scratch scratch;
    struct stat before, after;
    long n_before = 0, n_after = 0;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    struct cg_store *store = open_at(path, CG_OK);
    CHECK_OR_STOP(store != NULL);
    char wal[256];
    snprintf(wal, sizeof wal, "%s-wal", path);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_OK(append(store, i));
        CHECK_INT(stat(wal, &before), 0);
        CHECK_OK(publish(store, i + 1));
    }
    CHECK_INT(stat(wal, &after), 0);
    CHECK_OR_STOP(after.st_size > before.st_size && before.st_size > 0);
    for (off_t cut = before.st_size; cut <= after.st_size; cut++) {
        /* All bytes of frame heads and ends, one in 61 of the pages between them. */
        off_t in_frame = (cut - 32) % (4096 + 24);
        if (in_frame > 26 && in_frame < 4110 && cut % 61 != 0)
            continue;
        char copy[256], copy_wal[256];
        snprintf(copy, sizeof copy, "%s/copy", scratch.path);
        snprintf(copy_wal, sizeof copy_wal, "%s/copy-wal", scratch.path);
        copy_file(path, copy, 1L << 30);
        copy_file(wal, copy_wal, cut);
        struct cg_store *cut_store = open_at(copy, CG_OK);
        CHECK_OR_STOP(cut_store != NULL);
        uint64_t n = published(cut_store);
        if (!CHECK(n == 3 || n == 4) || !CHECK(n == 4 || cut < after.st_size))
            printf("# cut at byte %ld: %lu published\n", (long)cut, (unsigned long)n);
        n_before += n == 3;
        n_after += n == 4;
        if (n == 3)
            CHECK_OK(publish(cut_store, 4)); /* and the work goes on where it was */
        cg_store_free(cut_store);
        unlink(copy);
        unlink(copy_wal);
        snprintf(copy_wal, sizeof copy_wal, "%s/copy-shm", scratch.path);
        unlink(copy_wal);
    }
    CHECK(n_before > 100 && n_after >= 1);
    cg_store_free(store);
}

/* The limit of a file's size stands for a disk that is full: what does not fit is not there, is
 * said in words, and nothing else is lost. */
TEST(a_full_disk_loses_nothing_and_the_work_goes_on_when_there_is_room_again)
{
    CG_AUTO(scratch) struct cg_scratch scratch;
    struct rlimit before, small;
    struct stat wal;
    uint64_t n = 0;
    cg_err err = CG_OK;

    cg_scratch_init(&scratch);
    const char *path = cg_scratch_file(&scratch, "db");
    struct cg_store *store = open_at(path, CG_OK);
    CHECK_OR_STOP(store && append(store, n) == CG_OK && publish(store, ++n) == CG_OK);
    CHECK_INT(stat(cg_scratch_file(&scratch, "db-wal"), &wal), 0);
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)wal.st_size + 65536;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (err == CG_OK && n < 1000) {
        err = append(store, n);
        if (err == CG_OK)
            err = publish(store, ++n);
    }
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, old);
    CHECK_ERR(err, CG_STORE);
    CHECK(cg_store_why(store)[0] != '\0');
    /* An entry that is there without its note, or not at all. */
    uint64_t seen = published(store);
    CHECK(n > 1 && (seen == n || seen + 1 == n));
    err = publish(store, seen + 1);
    CHECK(err == CG_OK || err == CG_CONFLICT);
    n = published(store);
    CHECK_OK(append(store, n));
    CHECK_OK(publish(store, n + 1));
    CHECK_INT(published(store), n + 1);
    cg_store_free(store);
}

SUITE(sqlite, T(what_is_written_is_there_after_opening_again), T(the_file_is_nobody_elses),
      T(another_handle_sees_what_was_committed_and_a_reading_one_does_not_change),
      T(other_files_are_refused_and_left_alone), T(a_file_of_a_newer_version_is_refused),
      T(the_schema_forbids_what_must_never_happen),
      T(a_file_cut_anywhere_in_its_last_commit_opens_as_it_was_before),
      T(a_full_disk_loses_nothing_and_the_work_goes_on_when_there_is_room_again))
