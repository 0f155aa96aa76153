/* option_read.h: what the readers of an option's text share; nobody else needs it. */
#ifndef CG_RUNTIME_OPTION_READ_H
#define CG_RUNTIME_OPTION_READ_H
#include "runtime/option.h"

struct cg_reading {
    const struct cg_option *option;
    enum cg_option_type type;
    struct cg_span text;
    const char *folder;
    struct cg_arena *arena;
    char *why; /* CG_PROBLEM_TEXT_BYTES */
};

/* cg_reading_refuse writes why: the text in quotes, then what is wrong. Returns CG_CONFIG. */
cg_err cg_reading_refuse(const struct cg_reading *r, const char *what, ...)
    __attribute__((format(printf, 2, 3)));
/* cg_reading_copy copies into the arena, with a NUL behind; NULL when out of memory. */
const char *cg_reading_copy(const struct cg_reading *r, struct cg_span text);
/* cg_reading_digits reads the digits text begins with.
 * Errors  CG_SYNTAX: none, or a leading zero; CG_TOO_LARGE. */
CG_MUST_USE cg_err cg_reading_digits(struct cg_span text, int64_t *out, size_t *len);

/* option_net.c */
CG_MUST_USE cg_err cg_reading_address(const struct cg_reading *r, struct cg_host_port *out);
CG_MUST_USE cg_err cg_reading_url(const struct cg_reading *r, struct cg_target_option *out);

#endif
