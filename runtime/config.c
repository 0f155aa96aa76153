#include "runtime/config.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/bind.h"
#include "runtime/config_file.h"
#include "runtime/option_text.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLES_MAX 16
#define ARENA_MAX_BYTES (64 * 1024 * 1024)
#define NAME_MAX_BYTES 128

struct cg_config {
    atomic_uint refs;
    struct cg_arena arena;
    size_t n_tables;
    const struct cg_option_table *tables[TABLES_MAX];
    void *values[TABLES_MAX];
    struct cg_origin *origins[TABLES_MAX];
};

/* One load: the snapshot that is being built, and a binder for each of its tables. */
struct load {
    const struct cg_config_source *src;
    struct cg_config *config;
    struct cg_bind binds[TABLES_MAX];
    struct cg_problems *problems;
    const char *folder; /* of the file */
    bool has_secret;    /* in what was read last */
};

static void destroy(struct cg_config *config)
{
    cg_arena_wipe(&config->arena); /* values and the text they were read from: both hold secrets */
    free(config);
}

struct cg_config *cg_config_ref(struct cg_config *config)
{
    atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
    return config;
}

void cg_config_unref(struct cg_config *config)
{
    if (config && atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) == 1)
        destroy(config);
}

const void *cg_config_values(const struct cg_config *config, const struct cg_option_table *table)
{
    for (size_t i = 0; i < config->n_tables; i++)
        if (config->tables[i] == table)
            return config->values[i];
    assert(false && "a table that was not among the source's");
    return NULL;
}

static size_t n_problems(const struct load *load)
{
    return load->problems->n + load->problems->n_more;
}

static struct cg_bind *bind_of(struct load *load, struct cg_span section)
{
    for (size_t i = 0; i < load->config->n_tables; i++)
        if (cg_span_is(section, load->config->tables[i]->section))
            return &load->binds[i];
    return NULL;
}

static cg_err start(struct load *load)
{
    struct cg_config *config = load->config;

    for (size_t i = 0; i < config->n_tables; i++) {
        struct cg_bind *bind = &load->binds[i];

        *bind = (struct cg_bind){.table = config->tables[i],
                                 .name = config->tables[i]->section,
                                 .where = load->src->file ? load->src->file : "",
                                 .folder = load->folder,
                                 .has_secret = &load->has_secret,
                                 .arena = &config->arena,
                                 .problems = load->problems};
        CG_TRY(cg_bind_new(bind));
        config->values[i] = bind->values;
        config->origins[i] = bind->origins;
        CG_TRY(cg_bind_defaults(bind));
    }
    return CG_OK;
}

/* Says which file it is about in every later sentence, so it lives as long as the snapshot. */
static cg_err keep(struct load *load, const char *text, const char **out)
{
    struct cg_span kept;

    CG_TRY(cg_arena_copy(&load->config->arena, cg_span_of(text, strlen(text) + 1), &kept));
    *out = (const char *)kept.at;
    return CG_OK;
}

static void check_mode(struct load *load, const char *path, bool is_open_to_others)
{
    if (load->has_secret && is_open_to_others)
        cg_problem_add(load->problems, path, 0, 0,
                       "holds a secret and can be read by others; chmod 600 it");
    load->has_secret = false;
}

static cg_err bind_sections(struct load *load, const struct cg_yaml *root)
{
    const char *words[TABLES_MAX];
    struct cg_bind *top = bind_of(load, (struct cg_span){0});
    size_t n_words = 0;

    for (size_t i = 0; i < load->config->n_tables; i++)
        if (&load->binds[i] != top)
            words[n_words++] = load->config->tables[i]->section;
    for (const struct cg_yaml *entry = root->first; entry; entry = entry->next) {
        struct cg_bind *bind = bind_of(load, entry->key);

        if (!bind && top) {
            CG_TRY(cg_bind_entry(top, entry, words, n_words));
        } else if (!bind) {
            cg_problem_add(load->problems, load->src->file, entry->key_line, entry->key_column,
                           "unknown section \"%.*s\"", (int)cg_span_first(entry->key, 64).len,
                           (const char *)entry->key.at);
        } else if (entry->kind == CG_YAML_MAP) {
            bind->line = entry->key_line;
            bind->column = entry->key_column;
            CG_TRY(cg_bind_map(bind, entry));
        } else if (!cg_yaml_is_nothing(entry)) {
            cg_problem_add(load->problems, load->src->file, entry->line, entry->column,
                           "%s: a mapping is expected here, not %s", bind->name,
                           cg_yaml_kind_name(entry));
        }
    }
    return CG_OK;
}

/* What cannot be parsed is not looked into any further: all else would be consequences. */
static cg_err read_main_file(struct load *load)
{
    size_t before = n_problems(load);
    const char *file = load->src->file;
    bool is_open_to_others = false;
    struct cg_yaml *root;

    CG_TRY(
        cg_config_file_read(file, &load->config->arena, load->problems, &root, &is_open_to_others));
    if (!root)
        return n_problems(load) == before ? CG_OK : CG_CONFIG;
    if (root->kind != CG_YAML_MAP) {
        cg_problem_add(load->problems, file, root->line, root->column,
                       "sections such as \"log:\" are expected here, not %s",
                       cg_yaml_kind_name(root));
        return CG_CONFIG;
    }
    CG_TRY(bind_sections(load, root));
    check_mode(load, file, is_open_to_others);
    return CG_OK;
}

/* A text from outside the file, for one option. */
static cg_err override(struct load *load, struct cg_bind *bind, const struct cg_option *option,
                       const char *where, struct cg_span text)
{
    struct cg_yaml scalar = {.kind = CG_YAML_TEXT, .text = text}, *node = &scalar;
    bool is_list = option->type == CG_OPTION_LIST || option->type == CG_OPTION_ROWS;
    struct cg_bind from = *bind;

    CG_TRY(keep(load, where, &from.where));
    from.folder = NULL;
    from.no_secrets = true;
    /* [::1]:443 is one address, [a, b] a list. */
    if (is_list && cg_span_starts(text, CG_LIT("[")) && cg_span_ends(text, CG_LIT("]"))) {
        cg_err err = cg_yaml_read(text, from.where, &load->config->arena, load->problems, &node);
        if (err != CG_OK)
            return err == CG_CONFIG ? CG_OK : err;
    }
    return cg_bind_option(&from, option, node);
}

/* HTTPCG_LOG_LEVEL for log.level. */
static void variable_of(const char *section, const char *key, char out[static NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "HTTPCG_%s%s%s", section, section[0] && key[0] ? "_" : "", key);
    for (; *out; out++) {
        if (*out >= 'a' && *out <= 'z')
            *out = (char)(*out - 32);
        else if (*out == '.')
            *out = '_';
    }
}

/* Variables that begin like a section of ours and name nothing in it were meant for us. */
static bool is_ours(const struct load *load, struct cg_span variable)
{
    char prefix[NAME_MAX_BYTES];

    for (size_t i = 0; i < load->config->n_tables; i++) {
        const struct cg_option_table *table = load->config->tables[i];

        variable_of(table->section, "", prefix);
        if (table->section[0] && cg_span_starts(variable, cg_span_str(prefix)) &&
            variable.len > strlen(prefix) && variable.at[strlen(prefix)] == '_')
            return true;
    }
    return false;
}

static cg_err apply_variable(struct load *load, const char *variable)
{
    size_t len = strcspn(variable, "=");
    struct cg_span name = cg_span_of(variable, len), value;
    char candidate[NAME_MAX_BYTES];

    if (variable[len] != '=')
        return CG_OK;
    value = cg_span_str(variable + len + 1);
    for (size_t i = 0; i < load->config->n_tables; i++) {
        const struct cg_option_table *table = load->config->tables[i];

        for (size_t k = 0; k < table->n_options; k++) {
            variable_of(table->section, table->options[k].key, candidate);
            if (cg_span_is(name, candidate))
                return override(load, &load->binds[i], &table->options[k], candidate, value);
        }
    }
    if (is_ours(load, name))
        cg_problem_add(load->problems, "", 0, 0,
                       "the environment variable %.*s names no option; unset it or correct it",
                       (int)cg_span_first(name, 100).len, variable);
    return CG_OK;
}

static cg_err apply_set(struct load *load, const char *set)
{
    size_t len = strcspn(set, "=");
    struct cg_span name = cg_span_of(set, len);
    char where[NAME_MAX_BYTES];

    snprintf(where, sizeof where, "--set %.*s", (int)cg_span_first(name, 100).len, set);
    if (set[len] != '=') {
        cg_problem_add(load->problems, where, 0, 0, "lacks a value; write --set section.key=value");
        return CG_OK;
    }
    for (size_t i = 0; i < load->config->n_tables; i++) {
        const struct cg_option_table *table = load->config->tables[i];
        size_t skip = table->section[0] ? strlen(table->section) + 1 : 0;
        const struct cg_option *option;

        if (skip > 0 &&
            (len < skip || strncmp(set, table->section, skip - 1) != 0 || set[skip - 1] != '.'))
            continue;
        option = cg_option_find(table, cg_span_from(name, skip));
        if (option)
            return override(load, &load->binds[i], option, where, cg_span_str(set + len + 1));
    }
    cg_problem_add(load->problems, where, 0, 0, "there is no such option; --help lists them");
    return CG_OK;
}

static cg_err apply_overrides(struct load *load)
{
    const struct cg_config_source *src = load->src;

    for (size_t i = 0; src->environment && src->environment[i]; i++)
        if (strncmp(src->environment[i], "HTTPCG_", 7) == 0)
            CG_TRY(apply_variable(load, src->environment[i]));
    for (size_t i = 0; i < src->n_sets; i++)
        CG_TRY(apply_set(load, src->sets[i]));
    return CG_OK;
}

static cg_err add_row_file(struct load *load, struct cg_bind *bind, const struct cg_option *option,
                           const struct cg_row_file *file)
{
    bool is_open_to_others = false;
    struct cg_yaml *root = NULL;
    cg_err err;

    if (file->bytes.at) {
        err = cg_yaml_read(file->bytes, file->path, &load->config->arena, load->problems, &root);
        if (err != CG_OK)
            return err == CG_CONFIG ? CG_OK : err;
    } else {
        CG_TRY(cg_config_file_read(file->path, &load->config->arena, load->problems, &root,
                                   &is_open_to_others));
    }
    if (root && root->kind != CG_YAML_MAP) {
        cg_problem_add(load->problems, file->path, root->line, root->column,
                       "a mapping is expected here, not %s", cg_yaml_kind_name(root));
        return CG_OK;
    }
    if (!root) {
        cg_problem_add(load->problems, file->path, 0, 0,
                       "is empty; it should hold one entry of %s%s%s", bind->name,
                       bind->name[0] ? "." : "", option->key);
        return CG_OK;
    }
    CG_TRY(cg_bind_row(bind, option, root, file->path));
    check_mode(load, file->path, is_open_to_others);
    return CG_OK;
}

static cg_err read_row_folder(struct load *load, struct cg_bind *bind,
                              const struct cg_option *option)
{
    const struct cg_option *folder = cg_option_find(bind->table, cg_span_str(option->folder));
    const struct cg_config_change *change = load->src->change;
    const char *path = *(const char *const *)(const void *)((char *)bind->values + folder->offset);
    bool is_changed =
        change && change->table == bind->table && strcmp(change->key, option->key) == 0;
    struct cg_row_file *files = NULL;
    size_t n = 0;

    if (!path) {
        if (is_changed)
            cg_problem_add(load->problems, bind->where, 0, 0,
                           "%s.%s is off, so nothing can be added", bind->name, folder->key);
        return CG_OK;
    }
    CG_TRY(cg_config_folder_list(path, is_changed ? change : NULL, &load->config->arena,
                                 load->problems, &files, &n));
    if (n == 0)
        return CG_OK;
    CG_TRY(cg_bind_rows_room(bind, option, n));
    for (size_t i = 0; i < n; i++)
        CG_TRY(add_row_file(load, bind, option, &files[i]));
    return CG_OK;
}

static cg_err read_row_folders(struct load *load)
{
    for (size_t i = 0; i < load->config->n_tables; i++) {
        const struct cg_option_table *table = load->config->tables[i];

        for (size_t k = 0; k < table->n_options; k++)
            if (table->options[k].type == CG_OPTION_ROWS && table->options[k].folder)
                CG_TRY(read_row_folder(load, &load->binds[i], &table->options[k]));
    }
    return CG_OK;
}

/* Without an option "roles" every role runs. */
static bool role_runs(struct load *load, const char *role)
{
    const struct cg_bind *top = bind_of(load, (struct cg_span){0});
    const struct cg_option *roles = top ? cg_option_find(top->table, CG_LIT("roles")) : NULL;
    const struct cg_list *list;

    if (!role || !roles)
        return true;
    list = (const struct cg_list *)(const void *)((const char *)top->values + roles->offset);
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(roles->values[*CG_LIST_AT(*list, int, i)], role) == 0)
            return true;
    return false;
}

static cg_err check(struct load *load)
{
    for (size_t i = 0; i < load->config->n_tables; i++)
        if (role_runs(load, load->config->tables[i]->role))
            CG_TRY(cg_bind_check(&load->binds[i]));
    return CG_OK;
}

static cg_err build(struct load *load)
{
    size_t before = n_problems(load);

    CG_TRY(start(load));
    if (load->src->file)
        CG_TRY(read_main_file(load));
    CG_TRY(apply_overrides(load));
    CG_TRY(read_row_folders(load));
    CG_TRY(check(load));
    return n_problems(load) == before ? CG_OK : CG_CONFIG;
}

cg_err cg_config_load(const struct cg_config_source *src, struct cg_problems *problems,
                      struct cg_config **out)
{
    struct load *load = calloc(1, sizeof *load);
    struct cg_config *config = calloc(1, sizeof *config);
    cg_err err = load && config ? CG_OK : CG_NO_MEMORY;

    assert(src->n_tables <= TABLES_MAX);
    if (err == CG_OK) {
        atomic_init(&config->refs, 1);
        cg_arena_init(&config->arena, ARENA_MAX_BYTES);
        config->n_tables = src->n_tables;
        memcpy(config->tables, src->tables, src->n_tables * sizeof src->tables[0]);
        load->src = src;
        load->config = config;
        load->problems = problems;
        err = cg_config_folder_of(src->file, &config->arena, &load->folder);
        if (err == CG_OK)
            err = build(load);
        if (err == CG_NO_MEMORY)
            cg_problem_add(problems, src->file, 0, 0,
                           "needs more memory than a configuration may take");
        if (err != CG_OK)
            destroy(config);
    } else {
        free(config);
    }
    free(load);
    if (err == CG_OK)
        *out = config;
    return err;
}

cg_err cg_config_may_follow(const struct cg_config *now, const struct cg_config *next,
                            struct cg_problems *problems)
{
    bool may = true;

    assert(now->n_tables == next->n_tables);
    for (size_t i = 0; i < now->n_tables; i++) {
        const struct cg_option_table *table = now->tables[i];

        for (size_t k = 0; k < table->n_options; k++) {
            const struct cg_option *option = &table->options[k];
            const struct cg_origin *place = &next->origins[i][k];

            if (option->reload || cg_option_same(option, (char *)now->values[i] + option->offset,
                                                 (char *)next->values[i] + option->offset))
                continue;
            cg_problem_add(problems, place->where, place->where ? place->line : 0, place->column,
                           "%s%s%s cannot change while running; restart, or change it back",
                           table->section, table->section[0] ? "." : "", option->key);
            may = false;
        }
    }
    return may ? CG_OK : CG_CONFIG;
}

cg_err cg_config_print(const struct cg_config *config, struct cg_buf *out)
{
    for (size_t i = 0; i < config->n_tables; i++)
        CG_TRY(cg_option_text_values(config->tables[i], config->values[i], out));
    return CG_OK;
}
