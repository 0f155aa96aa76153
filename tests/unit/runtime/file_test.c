#include "runtime/file.h"

#include "lib/base/span.h"
#include "runtime/entropy.h"
#include "tests/support/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[128];

static void start(void)
{
    snprintf(folder, sizeof folder, "/tmp/httpcg-file-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/file", folder);
}

/* Removes the folder and tells how many files it held. */
static int stop(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int n = 0;

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0 ||
              unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0);
        n++;
    }
    if (dir)
        closedir(dir);
    CHECK(rmdir(folder) == 0);
    return n;
}

TEST(what_was_written_is_read_and_belongs_to_nobody_else)
{
    struct cg_buf buf;
    struct stat info;

    start();
    CHECK_OK(cg_file_write(path, CG_LIT("first")));
    CHECK_OK(cg_file_write(path, CG_LIT("second, and longer")));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK_OK(cg_file_read_secret(path, 100, &buf));
    CHECK_SPAN(cg_buf_span(&buf), CG_LIT("second, and longer"));
    cg_buf_wipe(&buf);
    CHECK_OK(cg_file_write(path, CG_LIT("")));
    CHECK_OK(cg_file_read(path, 0, &buf));
    CHECK_INT(buf.len, 0);
    cg_buf_done(&buf);
    CHECK_INT(stop(), 1); /* no left-overs beside it */
}

TEST(a_file_at_its_maximum_is_read_and_one_byte_more_is_refused)
{
    static uint8_t bytes[20001];
    struct cg_buf buf = {.len = 77};

    start();
    CHECK_OK(cg_entropy_fill(bytes, sizeof bytes));
    CHECK_OK(cg_file_write(path, CG_BYTES(bytes)));
    CHECK_ERR(cg_file_read(path, sizeof bytes - 1, &buf), CG_TOO_LARGE);
    CHECK_INT(buf.len, 77);
    CHECK_OK(cg_file_read(path, sizeof bytes, &buf));
    CHECK_SPAN(cg_buf_span(&buf), CG_BYTES(bytes));
    cg_buf_done(&buf);
    CHECK_OK(cg_file_read(path, sizeof bytes + 1, &buf));
    CHECK_INT(buf.len, sizeof bytes);
    cg_buf_done(&buf);
    stop();
}

/* Files of /proc say they have 0 bytes and hold more. */
TEST(a_file_that_lies_about_its_size_is_read_whole)
{
    struct cg_buf buf;

    CHECK_OK(cg_file_read("/proc/self/status", 1 << 16, &buf));
    CHECK(buf.len > 100);
    cg_buf_done(&buf);
    CHECK_ERR(cg_file_read("/proc/self/status", 50, &buf), CG_TOO_LARGE);
}

TEST(a_secret_others_could_read_is_refused)
{
    struct cg_buf buf;

    start();
    CHECK_OK(cg_file_write(path, CG_LIT("key")));
    static const mode_t loose[] = {0640, 0604, 0610, 0602, 0601, 0666};
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        CHECK(chmod(path, loose[i]) == 0);
        CHECK_ERR(cg_file_read_secret(path, 100, &buf), CG_CONFIG);
    }
    CHECK(chmod(path, 0400) == 0);
    CHECK_OK(cg_file_read_secret(path, 100, &buf));
    cg_buf_wipe(&buf);
    stop();
}

TEST(what_is_no_plain_file_is_not_read)
{
    struct cg_buf buf;

    start();
    CHECK_ERR(cg_file_read(path, 10, &buf), CG_NOT_FOUND);
    CHECK_ERR(cg_file_read(folder, 10, &buf), CG_IO);
    CHECK_ERR(cg_file_read("/dev/zero", 10, &buf), CG_IO);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK_ERR(cg_file_read(path, 10, &buf), CG_IO); /* and does not hang */
    stop();
}

TEST(creating_never_replaces)
{
    struct cg_buf buf;

    start();
    CHECK_OK(cg_file_create(path, CG_LIT("one")));
    CHECK_ERR(cg_file_create(path, CG_LIT("two")), CG_CONFLICT);
    CHECK_OK(cg_file_read(path, 10, &buf));
    CHECK_SPAN(cg_buf_span(&buf), CG_LIT("one"));
    cg_buf_done(&buf);
    CHECK_INT(stop(), 1);
}

TEST(writing_where_it_cannot_be_leaves_nothing)
{
    char far[160];

    start();
    snprintf(far, sizeof far, "%s/none/file", folder);
    CHECK_ERR(cg_file_write(far, CG_LIT("x")), CG_IO);
    CHECK(mkdir(path, 0700) == 0);
    CHECK_ERR(cg_file_write(path, CG_LIT("x")), CG_IO); /* a folder is there */
    CHECK_INT(stop(), 1);
}

/* A limit on the size of files fails a write in its middle, as a full disk does. */
TEST(a_write_that_fails_halfway_leaves_the_old_file_and_nothing_beside_it)
{
    static uint8_t bytes[20000];
    struct rlimit before, small;
    struct cg_buf buf;

    start();
    CHECK_OK(cg_file_write(path, CG_LIT("old")));
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK_ERR(cg_file_write(path, CG_BYTES(bytes)), CG_IO);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    signal(SIGXFSZ, SIG_DFL);
    CHECK_OK(cg_file_read(path, 10, &buf));
    CHECK_SPAN(cg_buf_span(&buf), CG_LIT("old"));
    cg_buf_done(&buf);
    CHECK_INT(stop(), 1);
}

TEST(a_folder_is_made_private_and_an_open_one_refused)
{
    struct stat info;

    start();
    CHECK_OK(cg_folder_make(path));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0700);
    CHECK_OK(cg_folder_make(path));
    CHECK(chmod(path, 0770) == 0);
    CHECK_ERR(cg_folder_make(path), CG_CONFIG);
    CHECK(rmdir(path) == 0 && symlink("/tmp", path) == 0);
    CHECK_ERR(cg_folder_make(path), CG_IO);
    stop();
}

TEST(a_folder_belongs_to_one_process_until_that_ends)
{
    int mine, again = -1;

    start();
    CHECK_OK(cg_folder_make(path));
    CHECK_OK(cg_folder_lock(path, &mine));
    CHECK_ERR(cg_folder_lock(path, &again), CG_CONFLICT);
    CHECK_INT(again, -1);
    close(mine);
    CHECK_OK(cg_folder_lock(path, &mine));
    close(mine);
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/lock", path);
    CHECK(unlink(file) == 0 && rmdir(path) == 0);
    CHECK_ERR(cg_folder_lock(path, &mine), CG_NOT_FOUND);
    stop();
}

TEST(random_bytes_are_not_twice_the_same)
{
    uint8_t a[64] = {0}, b[64] = {0};

    CHECK_OK(cg_entropy_fill(a, sizeof a));
    CHECK_OK(cg_entropy_fill(b, sizeof b));
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK(memcmp(a, a + 32, 32) != 0);
    CHECK_OK(cg_entropy_fill(a, 0));
}

TEST(what_is_no_file_does_not_give_way_to_one)
{
    struct stat info;

    start();
    CHECK(mkfifo(path, 0600) == 0);
    CHECK_ERR(cg_file_write(path, CG_LIT("x")), CG_IO);
    CHECK_ERR(cg_file_create(path, CG_LIT("x")), CG_CONFLICT);
    CHECK(lstat(path, &info) == 0 && S_ISFIFO(info.st_mode));
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
    CHECK_ERR(cg_file_write(path, CG_LIT("x")), CG_IO);
    CHECK(lstat(path, &info) == 0 && S_ISDIR(info.st_mode));
    CHECK_INT(stop(), 1);
}

SUITE(file, T(what_was_written_is_read_and_belongs_to_nobody_else),
      T(a_file_at_its_maximum_is_read_and_one_byte_more_is_refused),
      T(a_file_that_lies_about_its_size_is_read_whole), T(a_secret_others_could_read_is_refused),
      T(what_is_no_plain_file_is_not_read), T(creating_never_replaces),
      T(writing_where_it_cannot_be_leaves_nothing),
      T(a_write_that_fails_halfway_leaves_the_old_file_and_nothing_beside_it),
      T(a_folder_is_made_private_and_an_open_one_refused),
      T(a_folder_belongs_to_one_process_until_that_ends), T(random_bytes_are_not_twice_the_same),
      T(what_is_no_file_does_not_give_way_to_one))
