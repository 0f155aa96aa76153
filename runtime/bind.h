/* bind.h: a mapping of a file becomes the values of a table.
 *
 * Goes on after a mistake, so that one run of --check-config shows them all: what is wrong is in
 * the problems, and the functions fail only for want of memory. */
#ifndef CG_RUNTIME_BIND_H
#define CG_RUNTIME_BIND_H
#include "runtime/option.h"
#include "runtime/yaml.h"

/* Where a value was set; where NULL: nowhere, the default counts. */
struct cg_origin {
    const char *where;
    unsigned line;
    unsigned column;
    struct cg_origin *rows; /* of ROWS: one for each row */
};

struct cg_bind {
    const struct cg_option_table *table;
    void *values;              /* the table's struct */
    struct cg_origin *origins; /* one for each option */
    const char *name;          /* of the section or row, for sentences; "" at the top level */
    const char *where;         /* the source being read, outlives the values */
    unsigned line;             /* where the mapping starts; 0: unknown */
    unsigned column;
    const char *folder; /* relative paths start here; NULL: the current one */
    bool no_secrets;    /* a command line shows them to everybody */
    bool *has_secret;   /* set when one was read; or NULL */
    struct cg_arena *arena;
    struct cg_problems *problems;
    size_t n_before; /* problems at the start (cg_bind_new) */
};

/* cg_bind_new makes room for values and origins, zeroed. */
CG_MUST_USE cg_err cg_bind_new(struct cg_bind *bind);
/* cg_bind_defaults gives every option its default. */
CG_MUST_USE cg_err cg_bind_defaults(struct cg_bind *bind);
/* cg_bind_map reads a mapping's entries into the options of their names. */
CG_MUST_USE cg_err cg_bind_map(struct cg_bind *bind, const struct cg_yaml *map);
/* cg_bind_entry reads one entry of a mapping at the table's top; the words are what else could
 * have been meant there. */
CG_MUST_USE cg_err cg_bind_entry(struct cg_bind *bind, const struct cg_yaml *entry,
                                 const char *const *words, size_t n_words);
/* cg_bind_option reads one option. */
CG_MUST_USE cg_err cg_bind_option(struct cg_bind *bind, const struct cg_option *option,
                                  const struct cg_yaml *node);
/* cg_bind_rows_room makes room for n more rows behind those there are. */
CG_MUST_USE cg_err cg_bind_rows_room(struct cg_bind *bind, const struct cg_option *option,
                                     size_t n);
/* cg_bind_row reads a mapping, or NULL for an empty one, into the next row of that room. */
CG_MUST_USE cg_err cg_bind_row(struct cg_bind *bind, const struct cg_option *option,
                               const struct cg_yaml *map, const char *where);
/* cg_bind_check asks for what is required, for what is unique, and the table's own check. */
CG_MUST_USE cg_err cg_bind_check(struct cg_bind *bind);

struct cg_option_check {
    const struct cg_bind *bind;
};

#endif
