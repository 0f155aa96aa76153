/* show.h: what the client tells people: on standard error, never where an answer's body goes.
 *
 * With -v each check is a line with its verdict, under the name of the step it belongs to, which is
 * the gateway's own word for it; with --json the same is kept as data and written once, at the end.
 * Text that came from a peer is cut and escaped before it reaches a terminal. */
#ifndef CG_CLIENT_SHOW_H
#define CG_CLIENT_SHOW_H
#include "client/exit.h"

#include <jansson.h>
#include <stdio.h>

struct cg_head;
struct cg_tls;

struct cl_check {
    const char *step;
    char name[72];
    cg_err err;
    char detail[120]; /* or empty */
};

#define CL_CHECKS_MAX 128

struct cl_show {
    FILE *out, *err;
    bool is_verbose, is_silent, is_json;
    const char *step; /* where we are: resolve, connect, control, signed, answer */
    struct cl_check checks[CL_CHECKS_MAX];
    size_t n_checks;
    char problem[96]; /* the newest refusal's code */
    json_t *json;     /* the document of --json: what commands add, by name; NULL without */
};

/* cl_show_init begins; cl_show_done frees. */
void cl_show_init(struct cl_show *show);
void cl_show_done(struct cl_show *show);
/* cl_show_json begins the document. Errors  CG_NO_MEMORY. */
CG_MUST_USE cg_err cl_show_json(struct cl_show *show);
/* cl_show_end writes the document of --json; to tells where. */
void cl_show_end(struct cl_show *show, int code, FILE *to);

/* cl_show_check notes a check's verdict, and gives err back so that a failing check is one line.
 * detail may be NULL; both texts are copied. */
cg_err cl_show_check(struct cl_show *show, const char *name, cg_err err, const char *detail);
/* cl_show_failed gives the newest check that failed, or NULL. */
const struct cl_check *cl_show_failed(const struct cl_show *show);
/* cl_show_note says something that is no check and no failure. */
void cl_show_note(struct cl_show *show, const char *text);
/* cl_show_warn says something that people should see without -v, too. */
void cl_show_warn(struct cl_show *show, const char *text);
/* cl_say prints a line of a command's result on standard output, unless that is JSON. */
void cl_say(struct cl_show *show, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* cl_add adds a member to the document; the value is taken, also where there is none. */
void cl_add(struct cl_show *show, const char *name, json_t *value);
void cl_add_text(struct cl_show *show, const char *name, const char *text);

/* cl_fail says what failed, the check it failed at, and what to do (or NULL); returns code. */
int cl_fail(struct cl_show *show, enum cl_exit code, cg_err err, const char *remedy,
            const char *format, ...) __attribute__((format(printf, 5, 6)));
/* cl_show_refusal says why a server refused, from its problem document, of which nothing but the
 * code is believed; the error is what to hand on. */
cg_err cl_show_refusal(struct cl_show *show, const char *what, int status, struct cg_span body);
void cl_show_tls(struct cl_show *show, const struct cg_tls *tls);
/* cl_show_head prints a request's (out) or response's head as -v does. */
void cl_show_head(struct cl_show *show, const struct cg_head *head, bool out);
/* cl_show_text prints a peer's text with control bytes escaped. */
void cl_show_text(FILE *to, struct cg_span text);

#endif
