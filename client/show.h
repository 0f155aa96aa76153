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
    bool is_verbose, is_json;
    bool is_quiet, is_silent; /* no notes; no failures either */
    const char *step;         /* where we are: resolve, connect, control, signed, answer */
    struct cl_check checks[CL_CHECKS_MAX];
    size_t n_checks;
    char problem[96];               /* the newest refusal's code */
    int64_t retry_after_s;          /* and when it said to ask again; -1: it did not */
    uint64_t server_time;           /* of a clock-skew; 0: not told */
    char failure[768], remedy[256]; /* what cl_fail said last, also in silence */
    json_t *json; /* the document of --json: what commands add, by name; NULL without */
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
/* cl_fail_more says what else there is to a failure: where failures are told, it is. */
void cl_fail_more(struct cl_show *show, const char *text);
/* cl_say prints a line of a command's result on standard output, unless that is JSON. */
void cl_say(struct cl_show *show, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* cl_add adds a member to the document; the value is taken, also where there is none. */
void cl_add(struct cl_show *show, const char *name, json_t *value);
void cl_add_text(struct cl_show *show, const char *name, const char *text);

/* cl_fail says what failed, the check it failed at, and what to do (or NULL); returns code. */
int cl_fail(struct cl_show *show, enum cl_exit code, cg_err err, const char *remedy,
            const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What a server said in place of what it was asked for. */
struct cl_refused {
    int status;
    int64_t retry_after_s; /* cl_retry_after; -1: not said */
    struct cg_span body;
};
/* cl_show_learn keeps why a server refused: the problem document's code, a clock-skew's time, and
 * when to ask again; nothing else is believed of it. The error is what to hand on.
 * Errors  CG_RATE (asked too often), CG_BUSY (not now), CG_SKEW (of clocks), CG_DENIED. */
CG_MUST_USE cg_err cl_show_learn(struct cl_show *show, const struct cl_refused *refused);
/* cl_show_refusal learns it and says so, as a check that failed. Errors  as cl_show_learn. */
cg_err cl_show_refusal(struct cl_show *show, const char *what, const struct cl_refused *refused);
/* cl_retry_after reads a Retry-After: seconds, a day at most; -1 for what is none, or a date. */
int64_t cl_retry_after(const struct cg_head *head);
/* cl_fail_later is cl_fail for CG_RATE and CG_BUSY: says what happened, and when to try again;
 * cl_fail_clock for CG_SKEW: by how much the clocks differ. */
int cl_fail_later(struct cl_show *show, cg_err err, const char *what);
int cl_fail_clock(struct cl_show *show, const char *what, struct cg_wall now);
void cl_show_tls(struct cl_show *show, const struct cg_tls *tls);
/* cl_show_head prints a request's (out) or response's head as -v does. */
void cl_show_head(struct cl_show *show, const struct cg_head *head, bool out);
/* cl_show_text prints a peer's text with control bytes escaped. */
void cl_show_text(FILE *to, struct cg_span text);

#endif
