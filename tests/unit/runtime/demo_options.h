/* demo_options.h: a small role's table, as the tests of options and configuration need one. */
#ifndef CG_TESTS_DEMO_OPTIONS_H
#define CG_TESTS_DEMO_OPTIONS_H
#include "runtime/config.h"

struct demo_route {
    const char *name;
    struct cg_target_option backend;
    struct cg_secret_option secret;
    int64_t weight;
    int64_t timeout_ms;
};

struct demo_options {
    const char *title;
    bool is_strict;
    int64_t body_max_bytes;
    int64_t idle_ms;
    struct cg_list ports; /* of int64_t */
    const char *folder;
    struct cg_list routes; /* of struct demo_route */
};

extern const struct cg_option_table demo_table;

/* The common table and the demo's. */
extern const struct cg_option_table *const demo_tables[2];

#endif
