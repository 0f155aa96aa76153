/* key.h: key files: where their passphrase comes from, opening and writing them.
 *
 * What goes wrong is said here, with a remedy; the return is an exit code, 0 for success. */
#ifndef CG_CLIENT_KEY_H
#define CG_CLIENT_KEY_H
#include "client/command.h"
#include "lib/crypto/keyfile.h"
#include "runtime/key_heap.h"
#include "runtime/locked.h"

#define CL_PASS_MAX_BYTES 1024
#define CL_PATH_MAX_BYTES 1200

enum cl_pass_use {
    CL_PASS_OPEN, /* of a key file that is there */
    CL_PASS_NEW,  /* of one that is made: on a terminal it is asked for twice */
};

/* cl_pass_get gives the passphrase for a key file, from where the options say.
 * Owns    out is made; cg_buf_wipe undoes it. */
CG_MUST_USE int cl_pass_get(struct cl_run *run, enum cl_pass_use use, const char *path,
                            struct cg_buf *out);

/* A key file's inside: the seed stays in a locked page. */
struct cl_key {
    struct cg_locked *seed;
    char role[CG_KEYFILE_ROLE_MAX_BYTES + 1];
    char hint[CG_KEYFILE_HINT_MAX_BYTES + 1];
    struct cg_wall created;
};

/* cl_key_open reads and decrypts; role NULL takes any. */
CG_MUST_USE int cl_key_open(struct cl_run *run, const char *path, const char *role,
                            struct cl_key *out);
void cl_key_done(struct cl_key *key);
/* cl_key_seal gives a key file's bytes; path is for what is said. Owns  out is made. */
CG_MUST_USE int cl_key_seal(struct cl_run *run, const char *path, const struct cl_key *key,
                            struct cg_span passphrase, struct cg_buf *out);
/* cl_key_write makes a key file that is not there yet, or, with may_replace, another in its place.
 */
CG_MUST_USE int cl_key_write(struct cl_run *run, const char *path, const struct cl_key *key,
                             struct cg_span passphrase, bool may_replace);
/* cl_key_new makes a key of fresh random bytes. */
CG_MUST_USE int cl_key_new(struct cl_run *run, const char *role, struct cl_key *out);

/* cl_path_in makes "<folder>/<name>"; folder NULL is --folder, or the home folder. */
CG_MUST_USE int cl_path_in(struct cl_run *run, const char *folder, const char *name,
                           char out[static CL_PATH_MAX_BYTES]);
/* cl_folder makes a folder of this user's own, and those above it, unless it is there. */
CG_MUST_USE int cl_folder(struct cl_run *run, const char *path);
/* cl_folders makes a folder and those above it, whosever the last one is. */
CG_MUST_USE int cl_folders(struct cl_run *run, const char *path);
/* cl_write_new writes a file that is not there yet; what is wrong is said. */
CG_MUST_USE int cl_write_new(struct cl_run *run, const char *path, struct cg_span bytes);
/* cl_write writes a file, also in place of another. */
CG_MUST_USE int cl_write(struct cl_run *run, const char *path, struct cg_span bytes);
/* cl_read reads a whole file, or standard input where path is "-". Owns  out is the caller's. */
CG_MUST_USE int cl_read(struct cl_run *run, const char *path, size_t max, struct cg_buf *out);

#endif
