#include "tests/support/check.h"

#include "lib/base/span.h"
#include "tests/unit/runtime/demo_options.h"

static const char *not_a_name(struct cg_span text)
{
    return cg_span_starts(text, CG_LIT("app/")) ? NULL : "is not plane/authority";
}

static void check_route(const void *values, struct cg_option_check *check)
{
    const struct demo_route *route = values;

    if (route->backend.scheme == CG_TARGET_HTTP && !route->secret.is_set)
        cg_option_refuse(check, "backend", "plain http needs a secret");
}

static const struct cg_option route_options[] = {
    {.key = "name",
     .type = CG_OPTION_STRING,
     CG_OPTION_AT(struct demo_route, name),
     .required = true,
     .unique = true,
     .check = not_a_name,
     .help = "What it is published as."},
    {.key = "backend",
     .type = CG_OPTION_URL,
     CG_OPTION_AT(struct demo_route, backend),
     .required = true,
     .help = "Where it is."},
    {.key = "secret",
     .type = CG_OPTION_SECRET,
     CG_OPTION_AT(struct demo_route, secret),
     .help = "Shared with it."},
    {.key = "weight",
     .type = CG_OPTION_INT,
     CG_OPTION_AT(struct demo_route, weight),
     .min = 1,
     .max = 100,
     .def = "1",
     .help = "Its share."},
    {.key = "timeout",
     .type = CG_OPTION_DURATION,
     CG_OPTION_AT(struct demo_route, timeout_ms),
     .def = "30s",
     .help = "How long it may take."},
};

static const struct cg_option_table route_table = {
    .help = "One route.",
    .options = route_options,
    .n_options = CG_COUNT(route_options),
    .size = sizeof(struct demo_route),
    .check = check_route,
};

static const struct cg_option options[] = {
    {.key = "title",
     .type = CG_OPTION_STRING,
     CG_OPTION_AT(struct demo_options, title),
     .required = true,
     .reload = true,
     .example = "\"A shop\"",
     .help = "What it is called."},
    {.key = "strict",
     .type = CG_OPTION_BOOL,
     CG_OPTION_AT(struct demo_options, is_strict),
     .def = "true",
     .help = "Whether to be strict."},
    {.key = "limits.body",
     .type = CG_OPTION_SIZE,
     CG_OPTION_AT(struct demo_options, body_max_bytes),
     .max = 1 << 30,
     .def = "1MiB",
     .reload = true,
     .help = "Largest body."},
    {.key = "limits.idle",
     .type = CG_OPTION_DURATION,
     CG_OPTION_AT(struct demo_options, idle_ms),
     .min = 1000,
     .max = 3600000,
     .def = "1min",
     .reload = true,
     .help = "How long nothing may happen."},
    {.key = "ports",
     .type = CG_OPTION_LIST,
     .item = CG_OPTION_INT,
     CG_OPTION_AT(struct demo_options, ports),
     .min = 1,
     .max = 65535,
     .max_items = 3,
     .def = "[443, 8443]",
     .reload = true,
     .help = "Which ports."},
    {.key = "routes_folder",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct demo_options, folder),
     .off = true,
     .def = "routes.d",
     .help = "Folder of routes."},
    {.key = "routes",
     .type = CG_OPTION_ROWS,
     CG_OPTION_AT(struct demo_options, routes),
     .rows = &route_table,
     .folder = "routes_folder",
     .reload = true,
     .help = "Where to."},
};

static void check_demo(const void *values, struct cg_option_check *check)
{
    const struct demo_options *demo = values;

    if (demo->is_strict && demo->body_max_bytes > 100 << 20)
        cg_option_refuse(check, "limits.body", "is over 100MiB, which strict does not allow");
}

const struct cg_option_table demo_table = {
    .section = "demo",
    .role = "gateway",
    .help = "The demo role.",
    .options = options,
    .n_options = CG_COUNT(options),
    .size = sizeof(struct demo_options),
    .check = check_demo,
};

const struct cg_option_table *const demo_tables[2] = {&cg_option_table_common, &demo_table};

TEST(the_demo_table_is_well_formed)
{
    CHECK_SPAN(cg_span_str(cg_option_table_fault(&demo_table)), (struct cg_span){0});
}

SUITE(demo_options, T(the_demo_table_is_well_formed))
