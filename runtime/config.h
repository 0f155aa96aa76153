/* config.h: the configuration, read whole, checked whole, then swapped whole.
 *
 * A snapshot is immutable and reference-counted. A new one is built beside the old one from the
 * file, the environment and the command line; unless all of it is good, nothing changes. Later
 * sources win: default, file, HTTPCG_<SECTION>_<KEY> in the environment, --set section.key=value.
 */
#ifndef CG_RUNTIME_CONFIG_H
#define CG_RUNTIME_CONFIG_H
#include "runtime/option.h"

/* A file of a larger size is refused before it is parsed. */
#define CG_CONFIG_MAX_BYTES (1024 * 1024)
/* A folder of rows (routes.d) with more files is refused. */
#define CG_CONFIG_FOLDER_MAX 4096

struct cg_config;

/* A change to one file of a folder of rows, tried before it is made. */
struct cg_config_change {
    const struct cg_option_table *table;
    const char *key;      /* of the ROWS option */
    const char *name;     /* of the file, without .yaml */
    struct cg_span bytes; /* its new contents; at NULL: the file goes */
};

struct cg_config_source {
    const char *file; /* NULL: none */
    const struct cg_option_table *const *tables;
    size_t n_tables;
    char *const *environment; /* ends with NULL; NULL: none */
    const char *const *sets;  /* "section.key=value" */
    size_t n_sets;
    const struct cg_config_change *change; /* NULL: none */
};

/* cg_config_load reads, checks and builds.
 * Owns    *out is a reference of the caller's; nothing of src is kept but the tables.
 * Errors  CG_CONFIG with at least one problem added; CG_NO_MEMORY. *out is untouched. */
CG_MUST_USE cg_err cg_config_load(const struct cg_config_source *src, struct cg_problems *problems,
                                  struct cg_config **out);
struct cg_config *cg_config_ref(struct cg_config *config);
/* cg_config_unref wipes secrets and frees at the last reference; NULL is nothing. */
void cg_config_unref(struct cg_config *config);
/* cg_config_values gives the table's struct, valid as long as the reference. */
const void *cg_config_values(const struct cg_config *config, const struct cg_option_table *table);
/* cg_config_may_follow tells whether next may replace now while running: options that need a
 * restart must be the same.
 * Errors  CG_CONFIG, with a problem for each that differs. */
CG_MUST_USE cg_err cg_config_may_follow(const struct cg_config *now, const struct cg_config *next,
                                        struct cg_problems *problems);
/* cg_config_print appends everything in force as a file would say it, secrets hidden. */
CG_MUST_USE cg_err cg_config_print(const struct cg_config *config, struct cg_buf *out);

/* Where threads find the snapshot in force. Threads keep a reference and look again when the
 * generation differs, one relaxed load a pass. */
struct cg_config_live;
CG_MUST_USE cg_err cg_config_live_new(struct cg_config *first, struct cg_config_live **out);
void cg_config_live_free(struct cg_config_live *live);
uint64_t cg_config_live_generation(const struct cg_config_live *live);
/* cg_config_live_ref gives a reference of the caller's. */
struct cg_config *cg_config_live_ref(struct cg_config_live *live);
/* cg_config_live_swap takes over the caller's reference to next and lets go of the old one. */
void cg_config_live_swap(struct cg_config_live *live, struct cg_config *next);

/* cg_config_row_write makes the text of a one-row file out of any YAML or JSON mapping that the
 * rows' table accepts, so that a folder of rows holds only what was checked.
 * Errors  CG_CONFIG with problems at the lines of text. */
CG_MUST_USE cg_err cg_config_row_write(const struct cg_option_table *rows, struct cg_span text,
                                       const char *where, struct cg_problems *problems,
                                       struct cg_buf *out);

/* The options every role shares. */
enum cg_duty {
    CG_DUTY_GATEWAY,
    CG_DUTY_REGISTRY,
    CG_DUTY_LEDGER,
};

struct cg_options {
    struct cg_list roles; /* of int: enum cg_duty */
    const char *state;    /* folder of keys and databases */
    const char *trust;    /* trust.conf */
    struct {
        int64_t loops;  /* 0: one a core */
        int64_t crypto; /* workers; 0: one a core */
    } threads;
    int64_t files; /* descriptors to ask for; 0: the hard limit */
    struct {
        struct cg_list native;   /* of struct cg_host_port: the gateway's httpcg listener */
        struct cg_list services; /* of struct cg_host_port: registry and ledger */
        const char *services_certificate; /* NULL: plain http, loopback only */
        const char *services_key;
    } listen;
    struct {
        struct cg_list listen; /* of struct cg_host_port: /livez, /readyz, /metrics */
        const char *socket;    /* commands */
    } admin;
    struct {
        int level;          /* enum cg_log_level */
        int format;         /* enum cg_log_format */
        const char *file;   /* NULL: standard error */
        const char *access; /* NULL: none */
    } log;
    struct {
        int64_t stop_ms;
    } drain;
};

extern const struct cg_option_table
    cg_option_table_common; /* roles, state, trust, threads, listen, ... */

static inline const struct cg_options *cg_config_common(const struct cg_config *config)
{
    return (const struct cg_options *)cg_config_values(config, &cg_option_table_common);
}

#endif
