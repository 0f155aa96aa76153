/* scratch.h: a folder of a test's own, gone with everything in it when the test ends. */
#ifndef CG_TESTS_SCRATCH_H
#define CG_TESTS_SCRATCH_H

struct cg_scratch {
    char path[64];
};

/* cg_scratch_init makes the folder; the program stops where it cannot. */
void cg_scratch_init(struct cg_scratch *scratch);
/* cg_scratch_done removes it; for CG_AUTO(scratch). */
void cg_scratch_done(struct cg_scratch *scratch);
/* cg_scratch_file gives the path of a file in it, good until the next call but three. */
const char *cg_scratch_file(const struct cg_scratch *scratch, const char *name);

#endif
