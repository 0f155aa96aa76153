#include "runtime/bind.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/nearest.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define ITEMS_MAX 1024
#define KEY_MAX_BYTES 96
#define WORDS_MAX 128

static char *member(const struct cg_bind *bind, const struct cg_option *option)
{
    return (char *)bind->values + option->offset;
}

static struct cg_origin *origin(const struct cg_bind *bind, const struct cg_option *option)
{
    return &bind->origins[option - bind->table->options];
}

cg_err cg_bind_new(struct cg_bind *bind)
{
    bind->values = cg_arena_zero(bind->arena, bind->table->size);
    bind->origins = cg_arena_zero(bind->arena, bind->table->n_options * sizeof(struct cg_origin));
    bind->n_before = bind->problems->n + bind->problems->n_more;
    return bind->values && bind->origins ? CG_OK : CG_NO_MEMORY;
}

/* "gateway.limits.body", or the key alone at the top level. */
static const char *full_name(const struct cg_bind *bind, const char *key,
                             char out[static KEY_MAX_BYTES])
{
    /* It is for people: one that is too long is cut. */
    if (snprintf(out, KEY_MAX_BYTES, "%s%s%s", bind->name, bind->name[0] ? "." : "", key) < 0)
        out[0] = '\0';
    return out;
}

__attribute__((format(printf, 4, 5))) static void refuse(const struct cg_bind *bind,
                                                         const struct cg_option *option,
                                                         const struct cg_yaml *node,
                                                         const char *format, ...)
{
    char why[CG_PROBLEM_TEXT_BYTES], name[KEY_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    cg_problem_add(bind->problems, bind->where, node->line, node->column, "%s: %s",
                   full_name(bind, option->key, name), why);
}

/* Nothing (a key with only a comment behind it) is a mistake for a value: it would look like a
 * setting and be none. */
static bool is_nothing(const struct cg_bind *bind, const struct cg_option *option,
                       const struct cg_yaml *node)
{
    if (!cg_yaml_is_nothing(node) && !(node->is_plain && cg_span_is(node->text, "null")))
        return false;
    refuse(bind, option, node, "has no value; leave the line out to get the default");
    return true;
}

static cg_err read_scalar(struct cg_bind *bind, const struct cg_option *option,
                          enum cg_option_type type, const struct cg_yaml *node, void *at)
{
    char why[CG_PROBLEM_TEXT_BYTES];

    if (is_nothing(bind, option, node))
        return CG_OK;
    if (node->kind != CG_YAML_TEXT) {
        refuse(bind, option, node, "one value is expected here, not %s", cg_yaml_kind_name(node));
        return CG_OK;
    }
    if (type == CG_OPTION_SECRET && bind->no_secrets) {
        refuse(bind, option, node, "a secret given here can be seen by others; put it in a file");
        return CG_OK;
    }
    cg_err err = cg_option_read(option, type, node->text, bind->folder, bind->arena, at, why);
    if (err == CG_OK && type == CG_OPTION_SECRET && bind->has_secret)
        *bind->has_secret = true;
    if (err == CG_CONFIG)
        refuse(bind, option, node, "%s", why);
    return err == CG_CONFIG ? CG_OK : err;
}

static size_t count(const struct cg_yaml *list)
{
    size_t n = 0;

    for (const struct cg_yaml *item = list->first; item; item = item->next)
        n++;
    return n;
}

static bool has_room(const struct cg_bind *bind, const struct cg_option *option,
                     const struct cg_yaml *node, size_t n)
{
    size_t most = option->max_items ? option->max_items : ITEMS_MAX;

    if (n > most)
        refuse(bind, option, node, "has %zu entries, at most %zu are allowed", n, most);
    return n <= most;
}

static cg_err read_list(struct cg_bind *bind, const struct cg_option *option,
                        const struct cg_yaml *node, struct cg_list *out)
{
    /* One entry may stand alone. */
    bool is_one = node->kind == CG_YAML_TEXT;
    size_t size = cg_option_size(option->item), n = is_one ? 1 : count(node);

    if (is_nothing(bind, option, node))
        return CG_OK;
    if (node->kind == CG_YAML_MAP) {
        refuse(bind, option, node, "a list is expected here, not %s", cg_yaml_kind_name(node));
        return CG_OK;
    }
    if (is_one && option->off && cg_span_is(node->text, "off")) {
        *out = (struct cg_list){0};
        return CG_OK;
    }
    if (!has_room(bind, option, node, n))
        return CG_OK;
    char *at = cg_arena_zero(bind->arena, n * size);
    if (!at)
        return CG_NO_MEMORY;
    *out = (struct cg_list){at, n};
    for (const struct cg_yaml *item = is_one ? node : node->first; item; item = item->next) {
        CG_TRY(read_scalar(bind, option, option->item, item, at));
        at += size;
        if (is_one)
            break;
    }
    return CG_OK;
}

cg_err cg_bind_rows_room(struct cg_bind *bind, const struct cg_option *option, size_t n)
{
    struct cg_list *list = (struct cg_list *)(void *)member(bind, option);
    struct cg_origin *place = origin(bind, option);
    size_t size = option->rows->size;
    char *at = cg_arena_zero(bind->arena, (list->n + n) * size);
    struct cg_origin *rows = cg_arena_zero(bind->arena, (list->n + n) * sizeof *rows);

    if (!at || !rows)
        return CG_NO_MEMORY;
    if (list->n > 0) {
        memcpy(at, list->at, list->n * size);
        memcpy(rows, place->rows, list->n * sizeof *rows);
    }
    list->at = at;
    place->rows = rows;
    return CG_OK;
}

cg_err cg_bind_row(struct cg_bind *bind, const struct cg_option *option, const struct cg_yaml *map,
                   const char *where)
{
    struct cg_list *list = (struct cg_list *)(void *)member(bind, option);
    struct cg_bind row = *bind;
    char *name = cg_arena_take(bind->arena, KEY_MAX_BYTES);

    row.table = option->rows;
    row.where = where;
    row.line = map ? map->line : 0;
    row.column = map ? map->column : 0;
    row.name = name;
    if (!name)
        return CG_NO_MEMORY;
    full_name(bind, option->key, name);
    CG_TRY(cg_bind_new(&row));
    CG_TRY(cg_bind_defaults(&row));
    if (map)
        CG_TRY(cg_bind_map(&row, map));
    CG_TRY(cg_bind_check(&row));
    memcpy((char *)(uintptr_t)list->at + list->n * option->rows->size, row.values,
           option->rows->size);
    origin(bind, option)->rows[list->n] =
        (struct cg_origin){.where = where, .line = row.line, .column = row.column};
    list->n++;
    return CG_OK;
}

static cg_err read_rows(struct cg_bind *bind, const struct cg_option *option,
                        const struct cg_yaml *node)
{
    struct cg_list *list = (struct cg_list *)(void *)member(bind, option);
    size_t n = count(node);

    if (is_nothing(bind, option, node))
        return CG_OK;
    if (node->kind != CG_YAML_LIST) {
        refuse(bind, option, node, "a list of mappings is expected here, not %s",
               cg_yaml_kind_name(node));
        return CG_OK;
    }
    if (!has_room(bind, option, node, n))
        return CG_OK;
    *list = (struct cg_list){0};
    CG_TRY(cg_bind_rows_room(bind, option, n));
    for (const struct cg_yaml *item = node->first; item; item = item->next) {
        if (item->kind == CG_YAML_MAP)
            CG_TRY(cg_bind_row(bind, option, item, bind->where));
        else
            refuse(bind, option, item, "a mapping is expected here, not %s",
                   cg_yaml_kind_name(item));
    }
    return CG_OK;
}

cg_err cg_bind_option(struct cg_bind *bind, const struct cg_option *option,
                      const struct cg_yaml *node)
{
    struct cg_origin *place = origin(bind, option);

    place->where = bind->where;
    place->line = node->line;
    place->column = node->column;
    if (option->type == CG_OPTION_ROWS)
        return read_rows(bind, option, node);
    if (option->type == CG_OPTION_LIST)
        return read_list(bind, option, node, (struct cg_list *)(void *)member(bind, option));
    return read_scalar(bind, option, option->type, node, member(bind, option));
}

cg_err cg_bind_defaults(struct cg_bind *bind)
{
    struct cg_bind from = *bind;

    from.where = "default";
    for (size_t i = 0; i < bind->table->n_options; i++) {
        const struct cg_option *option = &bind->table->options[i];
        struct cg_yaml *node, scalar = {.kind = CG_YAML_TEXT, .text = cg_span_str(option->def)};

        if (!option->def)
            continue;
        node = &scalar;
        if (option->type == CG_OPTION_LIST || option->type == CG_OPTION_ROWS)
            CG_TRY(cg_yaml_read(scalar.text, from.where, bind->arena, bind->problems, &node));
        CG_TRY(cg_bind_option(&from, option, node));
        bind->origins[i].where = NULL; /* nobody set it */
    }
    return CG_OK;
}

/* The next part of key after path ("limits" of "limits.body" after ""), or an empty span. */
static struct cg_span part_after(const char *key, struct cg_span path)
{
    struct cg_span rest = cg_span_str(key);

    if (path.len > 0) {
        if (rest.len <= path.len || !cg_span_starts(rest, path) || rest.at[path.len] != '.')
            return (struct cg_span){0};
        rest = cg_span_from(rest, path.len + 1);
    }
    return cg_span_first(rest, cg_span_find(rest, '.'));
}

static bool has_below(const struct cg_option_table *table, struct cg_span path)
{
    for (size_t i = 0; i < table->n_options; i++)
        if (part_after(table->options[i].key, path).len > 0)
            return true;
    return false;
}

/* Names what is near the unknown key: a name of the same mapping, or the same name elsewhere. */
static void refuse_unknown(const struct cg_bind *bind, const struct cg_yaml *entry,
                           struct cg_span path, const char *const *words, size_t n_words)
{
    char parts[WORDS_MAX][CG_NEAREST_MAX_BYTES + 1];
    const char *candidates[WORDS_MAX], *meant;
    char place[KEY_MAX_BYTES];
    size_t n = 0;
    int len = (int)(entry->key.len < 64 ? entry->key.len : 64);
    const char *key = (const char *)entry->key.at;

    if (path.len == 0 && cg_option_find(bind->table, entry->key)) {
        int dot = (int)cg_span_find(entry->key, '.');

        cg_problem_add(bind->problems, bind->where, entry->key_line, entry->key_column,
                       "\"%.*s\" is written as \"%.*s:\" with the rest below it", len, key, dot,
                       key);
        return;
    }
    for (size_t i = 0; i < n_words && n < WORDS_MAX; i++)
        candidates[n++] = words[i];
    for (size_t i = 0; i < bind->table->n_options && n < WORDS_MAX; i++) {
        struct cg_span part = part_after(bind->table->options[i].key, path);

        if (part.len == 0 || part.len > CG_NEAREST_MAX_BYTES)
            continue;
        snprintf(parts[n], sizeof parts[n], "%.*s", (int)part.len, (const char *)part.at);
        candidates[n] = parts[n];
        n++;
    }
    meant = cg_nearest(entry->key, candidates, n);
    if (meant) {
        cg_problem_add(bind->problems, bind->where, entry->key_line, entry->key_column,
                       "unknown key \"%.*s\"; did you mean \"%s\"?", len, key, meant);
        return;
    }
    for (size_t i = 0; i < bind->table->n_options; i++) {
        const char *whole = bind->table->options[i].key, *last = strrchr(whole, '.');

        if (!cg_span_is(entry->key, last ? last + 1 : whole))
            continue;
        cg_problem_add(bind->problems, bind->where, entry->key_line, entry->key_column,
                       "unknown key \"%.*s\" here; did you mean %s?", len, key,
                       full_name(bind, whole, place));
        return;
    }
    cg_problem_add(bind->problems, bind->where, entry->key_line, entry->key_column,
                   "unknown key \"%.*s\"%s%s", len, key, bind->name[0] ? " in " : "", bind->name);
}

static cg_err bind_below(struct cg_bind *bind, const struct cg_yaml *entry, struct cg_span path,
                         const char *const *words, size_t n_words)
{
    char whole[KEY_MAX_BYTES], place[KEY_MAX_BYTES];
    int n = snprintf(whole, sizeof whole, "%.*s%s%.*s", (int)path.len,
                     path.len ? (const char *)path.at : "", path.len ? "." : "",
                     (int)(entry->key.len < KEY_MAX_BYTES ? entry->key.len : KEY_MAX_BYTES),
                     (const char *)entry->key.at);
    struct cg_span name = cg_span_of(whole, n < KEY_MAX_BYTES ? (size_t)n : KEY_MAX_BYTES - 1);
    /* A dot in the file's own key is not the dot of ours. */
    bool is_plain_name = cg_span_find(entry->key, '.') == entry->key.len && n < KEY_MAX_BYTES;
    const struct cg_option *option = is_plain_name ? cg_option_find(bind->table, name) : NULL;

    if (option)
        return cg_bind_option(bind, option, entry);
    if (!is_plain_name || !has_below(bind->table, name)) {
        refuse_unknown(bind, entry, path, words, n_words);
        return CG_OK;
    }
    if (cg_yaml_is_nothing(entry))
        return CG_OK;
    if (entry->kind != CG_YAML_MAP) {
        cg_problem_add(bind->problems, bind->where, entry->line, entry->column,
                       "%s: a mapping is expected here, not %s", full_name(bind, whole, place),
                       cg_yaml_kind_name(entry));
        return CG_OK;
    }
    for (const struct cg_yaml *below = entry->first; below; below = below->next)
        CG_TRY(bind_below(bind, below, name, NULL, 0));
    return CG_OK;
}

cg_err cg_bind_entry(struct cg_bind *bind, const struct cg_yaml *entry, const char *const *words,
                     size_t n_words)
{
    return bind_below(bind, entry, (struct cg_span){0}, words, n_words);
}

cg_err cg_bind_map(struct cg_bind *bind, const struct cg_yaml *map)
{
    assert(map->kind == CG_YAML_MAP);
    for (const struct cg_yaml *entry = map->first; entry; entry = entry->next)
        CG_TRY(bind_below(bind, entry, (struct cg_span){0}, NULL, 0));
    return CG_OK;
}

void cg_option_refuse(struct cg_option_check *check, const char *key, const char *format, ...)
{
    const struct cg_bind *bind = check->bind;
    const struct cg_option *option = cg_option_find(bind->table, cg_span_str(key));
    const struct cg_origin *place = option ? origin(bind, option) : NULL;
    char why[CG_PROBLEM_TEXT_BYTES], name[KEY_MAX_BYTES];
    bool is_set = place && place->where;
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    cg_problem_add(bind->problems, is_set ? place->where : bind->where,
                   is_set ? place->line : bind->line, is_set ? place->column : bind->column,
                   "%s: %s", full_name(bind, key, name), why);
}

static void check_unique(struct cg_bind *bind, const struct cg_option *option,
                         const struct cg_option *field)
{
    const struct cg_list *list = (const struct cg_list *)(const void *)member(bind, option);
    const struct cg_origin *rows = origin(bind, option)->rows;
    size_t size = option->rows->size;
    const char *at = list->at;
    char name[KEY_MAX_BYTES];

    for (size_t i = 1; i < list->n; i++) {
        const char *here = at + i * size + field->offset;

        for (size_t k = 0; k < i && cg_option_is_set(field, here); k++) {
            if (!cg_option_same(field, here, at + k * size + field->offset))
                continue;
            cg_problem_add(bind->problems, rows[i].where, rows[i].line, rows[i].column,
                           "%s: another entry has the same %s (%s:%u)",
                           full_name(bind, option->key, name), field->key, rows[k].where,
                           rows[k].line);
            break;
        }
    }
}

cg_err cg_bind_check(struct cg_bind *bind)
{
    struct cg_option_check check = {bind};
    char name[KEY_MAX_BYTES];

    for (size_t i = 0; i < bind->table->n_options; i++) {
        const struct cg_option *option = &bind->table->options[i];

        if (option->required && !bind->origins[i].where)
            cg_problem_add(bind->problems, bind->where, bind->line, bind->column,
                           "%s is missing: %s", full_name(bind, option->key, name), option->help);
        if (option->type != CG_OPTION_ROWS)
            continue;
        for (size_t k = 0; k < option->rows->n_options; k++)
            if (option->rows->options[k].unique)
                check_unique(bind, option, &option->rows->options[k]);
    }
    if (bind->table->check && bind->problems->n + bind->problems->n_more == bind->n_before)
        bind->table->check(bind->values, &check);
    return CG_OK;
}
