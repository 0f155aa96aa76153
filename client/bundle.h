/* bundle.h: several new files that are all there in the end, or none of them.
 *
 * Nothing is ever written over another file: that one is there already is found before anybody is
 * asked for a passphrase. Ctrl-C counts as a failure (interrupt.h); only a kill or a lost power
 * line can leave some of the files.
 *
 * What goes wrong is said; returns are exit codes, 0 for success. */
#ifndef CG_CLIENT_BUNDLE_H
#define CG_CLIENT_BUNDLE_H
#include "client/key.h"

#define CL_BUNDLE_MAX 4

struct cl_bundle {
    struct cl_run *run;
    char folder[CL_PATH_MAX_BYTES]; /* that was asked for, or empty */
    size_t n_kept;                  /* bytes of it that name what was there before */
    struct {
        char path[CL_PATH_MAX_BYTES];
        bool is_written;
    } files[CL_BUNDLE_MAX];
    size_t n_files;
    bool is_begun;
};

void cl_bundle_init(struct cl_bundle *bundle, struct cl_run *run);
/* cl_bundle_plan names a file that is to be made; one that is there already is a failure. */
CG_MUST_USE int cl_bundle_plan(struct cl_bundle *bundle, const char *path);
/* cl_bundle_begin makes the folder (NULL: it is there), and those above it; from here on
 * cl_bundle_end must follow. */
CG_MUST_USE int cl_bundle_begin(struct cl_bundle *bundle, const char *folder);
/* cl_bundle_write makes a file that was planned: 0600, whole, on the disk. */
CG_MUST_USE int cl_bundle_write(struct cl_bundle *bundle, const char *path, struct cg_span bytes);
/* cl_bundle_write_key encrypts a key into one. */
CG_MUST_USE int cl_bundle_write_key(struct cl_bundle *bundle, const char *path,
                                    const struct cl_key *key, struct cg_span passphrase);
/* cl_bundle_end keeps the files, or removes what was made: files and folders. */
void cl_bundle_end(struct cl_bundle *bundle, bool is_good);

#endif
