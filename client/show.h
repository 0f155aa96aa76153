/* show.h: what the client tells people: on standard error, never where the body goes.
 *
 * With -v each check is a line with its verdict; with --json the same is kept as data. Text that
 * came from a peer is cut and escaped before it reaches a terminal. */
#ifndef CG_CLIENT_SHOW_H
#define CG_CLIENT_SHOW_H
#include <httpcg/err.h>

#include <stdio.h>

struct cg_head;
struct cg_tls;

struct cl_check {
    const char *name;
    cg_err err;
    const char *detail; /* a constant, or NULL */
};

#define CL_CHECKS_MAX 96

struct cl_show {
    FILE *err;
    bool is_verbose, is_silent;
    const char *program; /* "httpcg" */
    struct cl_check checks[CL_CHECKS_MAX];
    size_t n_checks;
    char problem[256]; /* the newest refusal's code, or what failed */
};

/* cl_show_check notes a check's verdict, and gives err back so that a failing check is one line. */
cg_err cl_show_check(struct cl_show *show, const char *name, cg_err err, const char *detail);
/* cl_show_note says something that is no check and no failure. */
void cl_show_note(struct cl_show *show, const char *text);
/* cl_show_failure says what failed and what to do; unless silent. */
void cl_show_failure(struct cl_show *show, const char *what, cg_err err, const char *remedy);
/* cl_show_refusal says why a server refused, from its problem document; the error is for exit
 * codes. */
cg_err cl_show_refusal(struct cl_show *show, const char *what, int status, struct cg_span body);
void cl_show_tls(struct cl_show *show, const struct cg_tls *tls);
/* cl_show_head prints a request's (out) or response's head as -v does. */
void cl_show_head(struct cl_show *show, const struct cg_head *head, bool out);
/* cl_show_text prints a peer's text with control bytes escaped. */
void cl_show_text(FILE *to, struct cg_span text);

#endif
