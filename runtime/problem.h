/* problem.h: what went wrong, where, and what to do: one sentence for the operator.
 *
 * Codes (cg_err) are for programs. Whoever starts a server or edits a file needs the place and the
 * remedy; both travel in this fixed-size list, which nothing has to free. */
#ifndef CG_RUNTIME_PROBLEM_H
#define CG_RUNTIME_PROBLEM_H
#include "lib/base/buf.h"

#define CG_PROBLEMS_MAX 16
#define CG_PROBLEM_WHERE_BYTES 256
#define CG_PROBLEM_TEXT_BYTES 400

struct cg_problem {
    char where[CG_PROBLEM_WHERE_BYTES]; /* a file, "--set log.level" or "HTTPCG_LOG_LEVEL"; "": none
                                         */
    unsigned line;                      /* from 1; 0: no line */
    unsigned column;                    /* from 1, in characters; 0: the line as a whole */
    char text[CG_PROBLEM_TEXT_BYTES];
};

/* Zeroed is "no problem". */
struct cg_problems {
    struct cg_problem at[CG_PROBLEMS_MAX];
    size_t n;
    size_t n_more; /* found, but past the end of the list */
};

/* cg_problem_add appends a sentence without a full stop; too long is cut, control bytes become '?'.
 * Owns    nothing: everything is copied. */
void cg_problem_add(struct cg_problems *problems, const char *where, unsigned line, unsigned column,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* cg_problem_line appends "where:line:column: text", or as much of that as is known, without a line
 * feed. */
CG_MUST_USE cg_err cg_problem_line(const struct cg_problem *problem, struct cg_buf *out);
/* cg_problems_text appends all of them, a line each. */
CG_MUST_USE cg_err cg_problems_text(const struct cg_problems *problems, struct cg_buf *out);

enum cg_attempt {
    CG_ATTEMPT_LISTEN,  /* subject: the address */
    CG_ATTEMPT_READ,    /* subject: the file */
    CG_ATTEMPT_WRITE,   /* subject: the file */
    CG_ATTEMPT_FOLDER,  /* subject: the folder */
    CG_ATTEMPT_CONNECT, /* subject: the address */
    CG_ATTEMPT_THREAD,  /* subject: what the thread is for */
};

/* cg_problem_attempt appends what failed and what to do about it.
 * setting is the option to change, such as "listen.native", or NULL; error is an errno. */
void cg_problem_attempt(struct cg_problems *problems, enum cg_attempt attempt, const char *subject,
                        const char *setting, int error);

#endif
