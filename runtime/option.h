/* option.h: one table describes a role's options; everything else is made from it.
 *
 * A role declares a struct for its values and a table with an entry for each option. The reader of
 * the file, of the environment and of flags, --help, --check-config, the commented sample file and
 * the manual page all come from the table, so they cannot drift apart.
 *
 *     struct gw_options {
 *         int64_t body_max_bytes;
 *         struct cg_list routes; // of struct gw_route
 *     };
 *     static const struct cg_option options[] = {
 *         {.key = "limits.body",
 *          .type = CG_OPTION_SIZE,
 *          CG_OPTION_AT(struct gw_options, body_max_bytes),
 *          .def = "1GiB",
 *          .max = INT64_C(1) << 40,
 *          .reload = true,
 *          .help = "Largest request body that is forwarded."},
 *         ...
 *     };
 *     const struct cg_option_table gw_option_table = {
 *         .section = "gateway", .role = "gateway", .help = "The gateway.", .options = options,
 *         .n_options = CG_COUNT(options), .size = sizeof(struct gw_options)};
 */
#ifndef CG_RUNTIME_OPTION_H
#define CG_RUNTIME_OPTION_H
#include "runtime/problem.h"

#include "lib/base/arena.h"

/* The member each type needs, and what the file says. */
enum cg_option_type {
    CG_OPTION_STRING,   /* const char *; limits count bytes, at least 1; max 0: 4096 */
    CG_OPTION_PATH,     /* const char *; a relative one starts at the file's folder */
    CG_OPTION_BOOL,     /* bool; true or false */
    CG_OPTION_INT,      /* int64_t; decimal */
    CG_OPTION_DURATION, /* int64_t, milliseconds; 500ms 10s 5min 1h 7d, or 0 */
    CG_OPTION_SIZE,     /* int64_t, bytes; 512B 64KiB 1MiB 2GiB 1TiB, or 0 */
    CG_OPTION_ENUM,     /* int, the place in values; one of values */
    CG_OPTION_ADDRESS,  /* struct cg_host_port; host:port [::1]:443 *:443; limits are the port's */
    CG_OPTION_URL,      /* struct cg_target_option; http://host:port/ https://host/ unix:/path */
    CG_OPTION_SECRET,   /* struct cg_secret_option; 64 hexadecimal digits; never printed */
    CG_OPTION_LIST,     /* struct cg_list of items; [a, b], or a alone; limits are the items' */
    CG_OPTION_ROWS,     /* struct cg_list of the row table's structs; a list of mappings */
};

struct cg_host_port {
    const char *host; /* a name, an address without brackets, or "*" for all; NULL: unset */
    uint16_t port;
};

enum cg_target_scheme {
    CG_TARGET_HTTP,
    CG_TARGET_HTTPS,
    CG_TARGET_UNIX,
};

/* Where a backend or service is. */
struct cg_target_option {
    const char *text; /* as written; NULL: unset */
    enum cg_target_scheme scheme;
    const char *host; /* without brackets; NULL for unix */
    uint16_t port;    /* 80 or 443 where none is written; 0 for unix */
    const char *path; /* the base path, at least "/"; for unix the socket's path */
};

struct cg_secret_option {
    bool is_set;
    struct cg_secret value; /* wiped with the configuration */
};

/* Values of one option. Items are of the type's member type, rows of the row table's struct. */
struct cg_list {
    const void *at;
    size_t n;
};
#define CG_LIST_AT(list, type, i) (&((type const *)(list).at)[i])

struct cg_option_table;

struct cg_option {
    const char *key;  /* within the section: lower case, dots where the file nests */
    const char *help; /* a sentence or two */
    enum cg_option_type type;
    enum cg_option_type item; /* of a list: a type above LIST */
    bool reload;              /* may change while running */
    bool required;
    bool unique;               /* in a row table: no two rows share its value */
    bool off;                  /* the word "off" unsets it: STRING, PATH, ADDRESS, URL */
    const char *def;           /* as the file would say it, read by the same reader; NULL: unset */
    const char *example;       /* shown in the sample where there is no default */
    int64_t min, max;          /* inclusive; both 0: only the type's own limits */
    size_t max_items;          /* of lists and rows; 0: 1024 */
    const char *const *values; /* of an enum; NULL ends it */
    const struct cg_option_table *rows; /* of ROWS; no rows and no dotted keys in there */
    /* Of ROWS: the key of the PATH option in this table that names a folder. Each *.yaml in it
     * holds one more row, so that programs can add rows without editing anybody's file. */
    const char *folder;
    /* Says what is wrong with a text ("is not a DID"), or NULL. */
    const char *(*check)(struct cg_span text);
    size_t offset;
};
#define CG_OPTION_AT(type, member) .offset = offsetof(type, member)
#define CG_COUNT(array) (sizeof(array) / sizeof(array)[0])

struct cg_option_check;

struct cg_option_table {
    const char *section; /* its mapping in the file; "": the top level; of rows: unused */
    const char *role;    /* what is required counts only where this role runs; NULL: always */
    const char *help;
    const struct cg_option *options;
    size_t n_options;
    size_t size; /* of the struct */
    /* Compares options with each other after all were read well; NULL: nothing to compare. */
    void (*check)(const void *values, struct cg_option_check *check);
};

/* cg_option_refuse reports, from within a table's check, at the place where key was set. */
void cg_option_refuse(struct cg_option_check *check, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* cg_option_read reads one scalar of type (the option's, or its items') and stores it in member.
 * Owns    strings are copied into arena; folder (or NULL) is what a relative path starts at.
 * Errors  CG_CONFIG: why then says what is wrong, quoting all but secrets; CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_option_read(const struct cg_option *option, enum cg_option_type type,
                                  struct cg_span text, const char *folder, struct cg_arena *arena,
                                  void *member, char why[static CG_PROBLEM_TEXT_BYTES]);
/* cg_option_print appends a value as the file would say it; a secret becomes (hidden). */
CG_MUST_USE cg_err cg_option_print(const struct cg_option *option, enum cg_option_type type,
                                   const void *member, struct cg_buf *out);
/* cg_option_is_set tells whether there is a value; numbers, booleans, enums and lists always have
 * one. */
bool cg_option_is_set(const struct cg_option *option, const void *member);
/* cg_option_same tells whether two members hold the same value. */
bool cg_option_same(const struct cg_option *option, const void *a, const void *b);
/* cg_option_find gives the option of that key, or NULL. */
const struct cg_option *cg_option_find(const struct cg_option_table *table, struct cg_span key);
/* cg_option_table_fault tells what is wrong with a table itself (for the role's unit test), or NULL
 * when keys are well formed and apart, defaults are within their limits, and so on. */
const char *cg_option_table_fault(const struct cg_option_table *table);
/* cg_option_size gives the size of a type's member. */
size_t cg_option_size(enum cg_option_type type);

/* The texts made from tables (option_text.c); each appends. */
CG_MUST_USE cg_err cg_option_help(const struct cg_option_table *const *tables, size_t n_tables,
                                  struct cg_buf *out);
CG_MUST_USE cg_err cg_option_sample(const struct cg_option_table *const *tables, size_t n_tables,
                                    struct cg_buf *out);
CG_MUST_USE cg_err cg_option_manual(const struct cg_option_table *const *tables, size_t n_tables,
                                    struct cg_buf *out);

#endif
