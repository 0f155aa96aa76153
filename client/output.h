/* output.h: where an answer goes.
 *
 * A file gets its name only when the answer was verified to its end: until then it has another one
 * beside it. Standard output gets the bytes as they come; whoever reads them looks at the exit code
 * before he believes them. */
#ifndef CG_CLIENT_OUTPUT_H
#define CG_CLIENT_OUTPUT_H
#include "client/key.h"
#include "session/message.h"

struct cl_output {
    FILE *file;
    char path[CL_PATH_MAX_BYTES]; /* of a file; empty: standard output */
    char draft[CL_PATH_MAX_BYTES + 32];
    bool is_special;  /* a device or a pipe, which keeps its name */
    bool is_terminal; /* not to be filled with bytes that are no text */
    bool may_be_binary;
    bool is_pipe_gone; /* the reader has what he wanted */
    bool is_binary;    /* refused for that */
    int error;         /* why it could not be written */
    uint64_t n, max;   /* bytes of body; 0: any number */
};

/* cl_output_open: path NULL or "-" is standard output. What is wrong is said; the return is an exit
 * code. */
CG_MUST_USE int cl_output_open(struct cl_run *run, const char *path, struct cl_output *out);
/* cl_output_put writes.
 * Errors  CG_IO (full disk), CG_TOO_LARGE (over max), CG_CANCELLED (a terminal, and no text; or
 *         nobody reads any more). */
CG_MUST_USE cg_err cl_output_put(struct cl_output *output, struct cg_span bytes);
/* cl_output_head writes a response's head as -i shows it. */
CG_MUST_USE cg_err cl_output_head(FILE *to, const struct cg_head *head, const char *http_version);
/* cl_output_end gives the file its name, if it is good, or removes it. */
CG_MUST_USE int cl_output_end(struct cl_run *run, struct cl_output *output, bool is_good);

#endif
