#include "client/key.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "runtime/file.h"
#include "runtime/terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------ */

int cl_path_in(struct cl_run *run, const char *folder, const char *name,
               char out[static CL_PATH_MAX_BYTES])
{
    const char *chosen = folder ? folder : cl_text(run->args, CL_FOLDER);
    int n = snprintf(out, CL_PATH_MAX_BYTES, "%s/%s", chosen ? chosen : run->app.folder, name);

    if (n < 0 || n >= CL_PATH_MAX_BYTES)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "a path");
    return 0;
}

/* Like mkdir -p, without the last one. */
static cg_err make_above(const char *path)
{
    char above[CL_PATH_MAX_BYTES];

    for (size_t i = 1; path[0] && path[i] && i < sizeof above - 1; i++) {
        if (path[i] != '/')
            continue;
        memcpy(above, path, i);
        above[i] = '\0';
        if (mkdir(above, 0777) != 0 && errno != EEXIST)
            return errno == EACCES || errno == EROFS ? CG_DENIED : CG_IO;
    }
    return CG_OK;
}

int cl_folder(struct cl_run *run, const char *path)
{
    cg_err err = make_above(path);

    if (err == CG_OK)
        err = cg_folder_make(path);
    if (err == CG_OK)
        return 0;
    return cl_fail(run->show, CL_EXIT_WRITE, err == CG_CONFIG ? CG_OK : err,
                   err == CG_CONFIG ? "it must belong to you, and nobody else may write to it"
                                    : "may this user write there?",
                   "cannot use the folder %s", path);
}

int cl_folders(struct cl_run *run, const char *path)
{
    cg_err err = make_above(path);

    if (err == CG_OK && mkdir(path, 0777) != 0 && errno != EEXIST)
        err = CG_IO;
    return err == CG_OK
               ? 0
               : cl_fail(run->show, CL_EXIT_WRITE, err, NULL, "cannot make the folder %s", path);
}

static int written(struct cl_run *run, const char *path, cg_err err)
{
    switch (err) {
    case CG_OK:
        return 0;
    case CG_CONFLICT:
        return cl_fail(run->show, CL_EXIT_WRITE, CG_OK,
                       "nothing is ever written over a key; move it away first, or choose another "
                       "--folder",
                       "%s is there already", path);
    default:
        return cl_fail(run->show, CL_EXIT_WRITE, err,
                       err == CG_DENIED ? "this user may not write there"
                                        : "is the folder there, and the disk not full?",
                       "cannot write %s", path);
    }
}

int cl_write_new(struct cl_run *run, const char *path, struct cg_span bytes)
{
    return written(run, path, cg_file_create(path, bytes));
}

/* A device or a pipe is written into; only a file can be replaced by another. */
static cg_err write_into(const char *path, struct cg_span bytes)
{
    FILE *file = fopen(path, "we");

    if (!file)
        return errno == EACCES ? CG_DENIED : CG_IO;
    bool is_written = fwrite(bytes.at, 1, bytes.len, file) == bytes.len;
    return fclose(file) == 0 && is_written ? CG_OK : CG_IO;
}

int cl_write(struct cl_run *run, const char *path, struct cg_span bytes)
{
    struct stat info;

    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return written(run, path, write_into(path, bytes));
    return written(run, path, cg_file_write(path, bytes));
}

static cg_err read_descriptor(int fd, size_t max, struct cg_buf *out)
{
    cg_buf_init(out, max + 1);
    for (;;) {
        uint8_t piece[4096];
        ssize_t n = read(fd, piece, sizeof piece);

        if (n < 0 && errno == EINTR)
            continue;
        cg_err err = n < 0 ? CG_IO : cg_buf_add(out, cg_span_of(piece, n > 0 ? (size_t)n : 0));
        cg_wipe(piece, sizeof piece);
        if (err == CG_OK && out->len > max)
            err = CG_TOO_LARGE;
        if (err != CG_OK) {
            cg_buf_wipe(out);
            return err;
        }
        if (n == 0)
            return CG_OK;
    }
}

int cl_read(struct cl_run *run, const char *path, size_t max, struct cg_buf *out)
{
    bool is_input = strcmp(path, "-") == 0;
    cg_err err = is_input ? read_descriptor(STDIN_FILENO, max, out) : cg_file_read(path, max, out);

    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_READ, err, NULL, "cannot read %s",
                       is_input ? "standard input" : path);
    return 0;
}

/* --- passphrases ------------------------------------------------------------------------------ */

/* A line feed at the end is the editor's. */
static void trim(struct cg_buf *text)
{
    if (text->len > 0 && text->at[text->len - 1] == '\n')
        text->len--;
}

static int from_file(struct cl_run *run, const char *path, struct cl_pass *pass)
{
    cg_err err = cg_file_read_secret(path, CL_PASS_MAX_BYTES, &pass->text);

    if (err == CG_CONFIG)
        return cl_fail(run->show, CL_EXIT_KEY, CG_OK, "chmod 600 the file",
                       "others may read the passphrase in %s", path);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot read the passphrase in %s", path);
    pass->is_known = true;
    return 0;
}

static int from_descriptor(struct cl_run *run, const char *number, struct cl_pass *pass)
{
    uint64_t fd;

    if (cl_number(number, 0, 65535, &fd) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "%s is no file descriptor", number);
    cg_err err = read_descriptor((int)fd, CL_PASS_MAX_BYTES, &pass->text);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot read file descriptor %s", number);
    pass->is_known = true;
    return 0;
}

static int ask_terminal(struct cl_run *run, enum cl_pass_use use, const char *path,
                        struct cg_buf *out)
{
    char prompt[CL_PATH_MAX_BYTES + 64];
    struct cg_buf again;

    snprintf(prompt, sizeof prompt,
             "%s for %s: ", use == CL_PASS_NEW ? "New passphrase" : "Passphrase", path);
    cg_buf_init(out, CL_PASS_MAX_BYTES);
    cg_err err = cg_terminal_secret(prompt, out);
    if (err == CG_NOT_FOUND)
        return cl_fail(run->show, CL_EXIT_KEY, CG_OK,
                       "use --passphrase-file or --passphrase-fd; in a systemd unit "
                       "LoadCredential=httpcg.passphrase:FILE",
                       "there is no terminal to ask for the passphrase of %s", path);
    if (err == CG_OK && use == CL_PASS_NEW) {
        cg_buf_init(&again, CL_PASS_MAX_BYTES);
        err = cg_terminal_secret("The same again: ", &again);
        bool is_same = err == CG_OK && again.len == out->len &&
                       (out->len == 0 || cg_ct_eq(again.at, out->at, out->len));
        cg_buf_wipe(&again);
        if (err == CG_OK && !is_same) {
            cg_buf_wipe(out);
            return cl_fail(run->show, CL_EXIT_KEY, CG_OK, NULL, "the two passphrases differ");
        }
    }
    if (err == CG_OK)
        return 0;
    cg_buf_wipe(out);
    return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "no passphrase");
}

/* Reads what the options name, once a run. */
static int find_pass(struct cl_run *run, struct cl_pass *pass, enum cl_id file, enum cl_id fd)
{
    const char *path = cl_text(run->args, file), *number = cl_text(run->args, fd);
    int code = 0;

    if (pass->is_known)
        return 0;
    if (path)
        code = from_file(run, path, pass);
    else if (number)
        code = from_descriptor(run, number, pass);
    trim(&pass->text);
    return code;
}

static int find_credential(struct cl_run *run)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[CL_PATH_MAX_BYTES];

    if (run->pass.is_known || !folder)
        return 0;
    int n = snprintf(path, sizeof path, "%s/httpcg.passphrase", folder);
    if (n < 0 || n >= (int)sizeof path || access(path, F_OK) != 0)
        return 0;
    int code = from_file(run, path, &run->pass);
    trim(&run->pass.text);
    return code;
}

int cl_pass_get(struct cl_run *run, enum cl_pass_use use, const char *path, struct cg_buf *out)
{
    struct cl_pass *pass = &run->new_pass;
    int code = use == CL_PASS_NEW ? find_pass(run, pass, CL_NEW_PASS_FILE, CL_NEW_PASS_FD) : 0;

    if (code == 0 && !(use == CL_PASS_NEW && pass->is_known)) {
        pass = &run->pass;
        code = find_pass(run, pass, CL_PASS_FILE, CL_PASS_FD);
    }
    if (code == 0)
        code = find_credential(run);
    if (code != 0)
        return code;
    if (!pass->is_known)
        code = ask_terminal(run, use, path, out);
    else {
        cg_buf_init(out, CL_PASS_MAX_BYTES);
        if (cg_buf_add(out, cg_buf_span(&pass->text)) != CG_OK)
            code = cl_fail(run->show, CL_EXIT_MEMORY, CG_OK, NULL, "out of memory");
    }
    if (code == 0 && out->len == 0)
        return cl_fail(run->show, CL_EXIT_KEY, CG_OK, NULL, "the passphrase of %s is empty", path);
    return code;
}

/* --- key files -------------------------------------------------------------------------------- */

void cl_key_done(struct cl_key *key)
{
    cg_locked_free(key->seed);
    *key = (struct cl_key){0};
}

static cg_err fill(const struct cg_keyfile *file, struct cg_keyfile_content *content,
                   struct cl_key *out)
{
    cg_err err = cg_locked_new(&content->seed, &out->seed);

    memcpy(out->role, file->role.at, file->role.len);
    memcpy(out->hint, file->hint.at, file->hint.len);
    out->created = content->created;
    return err;
}

static int open_file(struct cl_run *run, const char *path, const struct cg_buf *bytes,
                     const char *role, struct cl_key *out)
{
    struct cg_keyfile_content content;
    struct cg_keyfile file;
    struct cg_buf pass = {0};

    cg_err err = cg_keyfile_read(cg_buf_span(bytes), &file);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "%s is no key file", path);
    if (role && !cg_span_is(file.role, role))
        return cl_fail(run->show, CL_EXIT_KEY, CG_OK, NULL,
                       "%s holds a key for the role %.*s, not %s", path, (int)file.role.len,
                       (const char *)file.role.at, role);
    int code = cl_pass_get(run, CL_PASS_OPEN, path, &pass);
    if (code != 0)
        return code;
    err = cg_keyfile_open(run->app.crypto, &file, cg_buf_span(&pass), &content);
    cg_buf_wipe(&pass);
    if (err == CG_MISMATCH)
        return cl_fail(run->show, CL_EXIT_KEY, CG_OK, NULL,
                       "the passphrase does not open %s, or the file was altered", path);
    if (err == CG_OK) {
        err = fill(&file, &content, out);
        cg_keyfile_content_done(&content);
    }
    return err == CG_OK
               ? 0
               : cl_fail(run->show, CL_EXIT_KEY, err, err == CG_NO_MEMORY ? "see ulimit -l" : NULL,
                         "cannot open %s", path);
}

int cl_key_open(struct cl_run *run, const char *path, const char *role, struct cl_key *out)
{
    struct cl_key key = {0};
    struct cg_buf bytes = {0};
    cg_err err = cg_file_read_secret(path, CG_KEYFILE_MAX_BYTES, &bytes);

    if (err == CG_CONFIG)
        return cl_fail(run->show, CL_EXIT_KEY, CG_OK, "chmod 600 the file",
                       "others may read or write %s", path);
    if (err == CG_NOT_FOUND)
        return cl_fail(run->show, CL_EXIT_IDENTITY, CG_OK,
                       "httpcg wallet new makes one; --wallet names another", "there is no %s",
                       path);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot read %s", path);
    int code = open_file(run, path, &bytes, role, &key);
    cg_buf_done(&bytes);
    if (code != 0)
        cl_key_done(&key);
    else
        *out = key;
    return code;
}

static cg_err seal(struct cl_run *run, const struct cl_key *key, struct cg_span passphrase,
                   struct cg_buf *out)
{
    struct cg_argon2_cost cost = CG_ARGON2_DEFAULT;
    struct cg_keyfile_content content = {*cg_locked_get(key->seed), key->created};
    const char *memory = cl_text(run->args, CL_KDF_MEMORY);
    uint8_t salt[CG_KEYFILE_SALT_BYTES], nonce[12];
    uint64_t mib;
    cg_err err = cg_entropy_fill(salt, sizeof salt);

    if (err == CG_OK)
        err = cg_entropy_fill(nonce, sizeof nonce);
    if (err == CG_OK && memory) {
        err = cl_number(memory, 1, CG_ARGON2_MAX_KIB / 1024, &mib);
        cost.m_kib = err == CG_OK ? (uint32_t)mib * 1024 : 0;
    }
    if (err == CG_OK)
        err = cg_keyfile_write(run->app.crypto, &content, cg_span_str(key->role),
                               cg_span_str(key->hint), passphrase, cost, salt, nonce, out);
    cg_keyfile_content_done(&content);
    return err;
}

int cl_key_seal(struct cl_run *run, const char *path, const struct cl_key *key,
                struct cg_span passphrase, struct cg_buf *out)
{
    cg_buf_init(out, CG_KEYFILE_MAX_BYTES);
    cg_err err = seal(run, key, passphrase, out);
    return err == CG_OK ? 0
                        : cl_fail(run->show, CL_EXIT_KEY, err,
                                  "--kdf-memory says how much memory guessing shall take",
                                  "cannot encrypt %s", path);
}

int cl_key_write(struct cl_run *run, const char *path, const struct cl_key *key,
                 struct cg_span passphrase, bool may_replace)
{
    struct cg_buf bytes;
    int code = cl_key_seal(run, path, key, passphrase, &bytes);

    if (code == 0)
        code = may_replace ? cl_write(run, path, cg_buf_span(&bytes))
                           : cl_write_new(run, path, cg_buf_span(&bytes));
    cg_buf_done(&bytes);
    return code;
}

int cl_key_new(struct cl_run *run, const char *role, struct cl_key *out)
{
    struct cl_key key = {.created = cg_clock_wall()};
    struct cg_secret seed;
    cg_err err = cg_entropy_fill(seed.bytes, sizeof seed.bytes);

    snprintf(key.role, sizeof key.role, "%s", role);
    if (err == CG_OK)
        err = cg_locked_new(&seed, &key.seed);
    cg_secret_done(&seed);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, "see ulimit -l", "cannot make a key");
    *out = key;
    return 0;
}
