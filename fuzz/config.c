/* config: what an operator writes, read as httpcgd reads it. What is in force, printed, is a file
 * that says the same; a row of a folder, written, is read as the same row. */
#include "runtime/config.h"
#include "fuzz/fuzz.h"
#include "gateway/options.h"
#include "ledger/options.h"
#include "registry/options.h"
#include "runtime/yaml.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cg_option_table *const tables[] = {
    &cg_option_table_common,
    &gw_option_table,
    &rg_option_table,
    &lg_option_table,
};

/* A file that nobody else can read, for as long as the program runs. */
static const char *file_of(struct cg_span text)
{
    static char path[32];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("config", MFD_CLOEXEC);
        MUST(fd >= 0 && fchmod(fd, 0600) == 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    MUST(ftruncate(fd, 0) == 0);
    MUST(text.len == 0 || pwrite(fd, text.at, text.len, 0) == (ssize_t)text.len);
    return path;
}

static struct cg_config *load(struct cg_span text, struct cg_problems *problems)
{
    struct cg_config_source source = {
        .file = file_of(text), .tables = tables, .n_tables = CG_COUNT(tables)};
    struct cg_config *config = NULL;
    cg_err err = cg_config_load(&source, problems, &config);

    MUST((err == CG_OK) == (config != NULL) && (err == CG_OK || err == CG_CONFIG));
    MUST((err == CG_OK) == (problems->n == 0) && problems->n <= CG_PROBLEMS_MAX);
    return config;
}

/* Problems are single lines without control characters, at places that there are. */
static void check(struct cg_fuzz *in, struct cg_span text, const struct cg_problems *problems)
{
    unsigned n_lines = 1;

    for (size_t i = 0; i < text.len; i++)
        n_lines += text.at[i] == '\n' || text.at[i] == '\r' || text.at[i] >= 0x80;
    for (size_t i = 0; i < problems->n; i++) {
        struct cg_buf *line = cg_fuzz_buf(in);
        MUST_OK(cg_problem_line(&problems->at[i], line));
        for (size_t k = 0; k < line->len; k++)
            MUST(line->at[k] >= ' ' && line->at[k] != 0x7f);
        MUST(problems->at[i].line <= n_lines + 1);
    }
}

/* Each key once, each node at a place. */
static void check_tree(const struct cg_yaml *node, unsigned depth)
{
    MUST(depth <= CG_YAML_MAX_DEPTH && node->line >= 1 && node->column >= 1);
    for (const struct cg_yaml *a = node->first; a; a = a->next) {
        for (const struct cg_yaml *b = a->next; node->kind == CG_YAML_MAP && b; b = b->next)
            MUST(!cg_span_eq(a->key, b->key));
        check_tree(a, depth + 1);
    }
}

static void tree(struct cg_span text)
{
    struct cg_problems problems = {0};
    struct cg_arena arena;
    struct cg_yaml *root = NULL;

    cg_arena_init(&arena, 16 * 1024 * 1024);
    cg_err err = cg_yaml_read(text, "text", &arena, &problems, &root);
    MUST(err == CG_OK || (err == CG_CONFIG && problems.n == 1 && !root));
    if (root)
        check_tree(root, 1);
    cg_arena_done(&arena);
}

static bool has_hidden(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (cg_span_starts(cg_span_from(text, i), CG_LIT("(hidden)")))
            return true;
    return false;
}

static void whole(struct cg_fuzz *in, struct cg_span text)
{
    struct cg_problems problems = {0};
    struct cg_buf *printed = cg_fuzz_buf(in), *again = cg_fuzz_buf(in);
    struct cg_config *config = load(text, &problems), *second;

    check(in, text, &problems);
    if (!config)
        return;
    MUST_OK(cg_config_print(config, printed));
    if (!has_hidden(cg_buf_span(printed))) {
        second = load(cg_buf_span(printed), &problems);
        MUST(second);
        MUST_OK(cg_config_print(second, again));
        MUST_SAME(cg_buf_span(again), cg_buf_span(printed));
        MUST_OK(cg_config_may_follow(config, second, &problems));
        cg_config_unref(second);
    }
    cg_config_unref(config);
}

static void row(struct cg_fuzz *in, const struct cg_option_table *rows, struct cg_span text)
{
    struct cg_problems problems = {0};
    struct cg_buf *written = cg_fuzz_buf(in), *again = cg_fuzz_buf(in);

    if (cg_config_row_write(rows, text, "row", &problems, written) != CG_OK) {
        MUST(written->len == 0 && problems.n > 0);
        check(in, text, &problems);
        return;
    }
    MUST(problems.n == 0);
    MUST_OK(cg_config_row_write(rows, cg_buf_span(written), "row", &problems, again));
    MUST_SAME(cg_buf_span(again), cg_buf_span(written));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span text = cg_fuzz_rest(in);

    tree(text);
    whole(in, text);
    row(in, cg_option_find(&gw_option_table, CG_LIT("routes"))->rows, text);
    row(in, cg_option_find(&rg_option_table, CG_LIT("allow"))->rows, text);
}
