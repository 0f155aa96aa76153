/* file.h: small files, whole. */
#ifndef CG_RUNTIME_FILE_H
#define CG_RUNTIME_FILE_H
#include "lib/base/buf.h"

/* cg_file_read reads a whole regular file of at most max bytes.
 * Owns    *out is made (cg_buf_init) and given to the caller; for a secret, undo it by cg_buf_wipe.
 * Errors  CG_NOT_FOUND, CG_TOO_LARGE, CG_DENIED (no permission), CG_IO (also: not a regular file),
 *         CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_file_read(const char *path, size_t max, struct cg_buf *out);

/* cg_file_read_secret is cg_file_read for keys: the file must belong to this user (or root) and
 * give nobody else any permission, or nothing is read.
 * Errors  as cg_file_read; CG_CONFIG when others could read or write it. */
CG_MUST_USE cg_err cg_file_read_secret(const char *path, size_t max, struct cg_buf *out);

/* cg_file_write replaces a file so that a crash at any moment leaves the old or the new one, whole:
 * a new file of mode 0600 beside it, fsync, rename, fsync of the folder.
 * Errors  CG_IO (full disk, no such folder, something there that is no file), CG_DENIED; what was
 *         there is then as it was. */
CG_MUST_USE cg_err cg_file_write(const char *path, struct cg_span bytes);

/* cg_file_create writes a new file of mode 0600 in the same way and never replaces one.
 * Errors  as cg_file_write; CG_CONFLICT when there is one already. */
CG_MUST_USE cg_err cg_file_create(const char *path, struct cg_span bytes);

/* cg_folder_make makes a folder of mode 0700; one that is there already is fine if it is ours and
 * nobody else may write to it.
 * Errors  CG_IO, CG_DENIED, CG_CONFIG (others may write). */
CG_MUST_USE cg_err cg_folder_make(const char *path);

/* cg_folder_lock claims a folder for this process, by a lock on the file "lock" in it that the
 * kernel gives back when the process ends, however it does. *out_fd is to be closed.
 * Errors  CG_CONFLICT (another process has it), CG_NOT_FOUND (no such folder),
 *         CG_DENIED, CG_IO. */
CG_MUST_USE cg_err cg_folder_lock(const char *path, int *out_fd);

#endif
