#include "runtime/bind.h"
#include "runtime/option.h"

#include "lib/base/span.h"

#include <stdio.h>

#define KEY_MAX_BYTES 64

/* Lower-case words of letters, digits and underscores, joined by single dots. */
static bool is_key(const char *key)
{
    bool starts = true;

    for (const char *c = key; *c; c++) {
        bool is_letter = *c >= 'a' && *c <= 'z';

        if (*c == '.' ? starts
                      : !(is_letter || (!starts && (*c == '_' || (*c >= '0' && *c <= '9')))))
            return false;
        starts = *c == '.';
    }
    return !starts && strlen(key) < KEY_MAX_BYTES;
}

static bool holds_number(enum cg_option_type type)
{
    return type == CG_OPTION_BOOL || type == CG_OPTION_INT || type == CG_OPTION_DURATION ||
           type == CG_OPTION_SIZE || type == CG_OPTION_ENUM;
}

/* The environment writes dots and underscores alike, so keys that differ only there would clash. */
static bool same_variable(const char *a, const char *b)
{
    while (*a && (*a == *b || ((*a == '.' || *a == '_') && (*b == '.' || *b == '_')))) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

static size_t parts_shared(const char *a, const char *b)
{
    size_t n = 0;

    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        n = a[i] == '.' ? i + 1 : n;
    return n;
}

static const char *keys_fault(const struct cg_option_table *table, size_t i)
{
    const char *key = table->options[i].key;

    for (size_t k = 0; k < i; k++) {
        const char *other = table->options[k].key;

        if (same_variable(key, other))
            return "two keys are the same in the environment";
        /* Texts are written in the table's order, so a mapping has to be in one piece. */
        if (parts_shared(key, other) > parts_shared(key, table->options[i - 1].key))
            return "keys of one mapping are not beside each other";
        size_t len = strlen(other);
        if (strncmp(key, other, len) == 0 && key[len] == '.')
            return "a key is also a mapping";
    }
    return NULL;
}

static const char *option_fault(const struct cg_option_table *table, const struct cg_option *option)
{
    const struct cg_option *folder;
    enum cg_option_type scalar = option->type == CG_OPTION_LIST ? option->item : option->type;

    if (!is_key(option->key))
        return "a key is not lower-case words with dots";
    if (!option->help || !option->help[0])
        return "an option has no help";
    if (option->min > option->max)
        return "limits are the wrong way round";
    if (scalar == CG_OPTION_ENUM && (!option->values || !option->values[0]))
        return "an enum has no values";
    if (option->type == CG_OPTION_LIST && option->item >= CG_OPTION_LIST)
        return "a list of lists";
    if (holds_number(option->type) && !option->def == !option->required)
        return "a number, boolean or enum is required or has a default, not both or neither";
    if (option->required && option->def)
        return "what is required has a default";
    if (option->offset + cg_option_size(option->type) > table->size)
        return "a member is outside the struct";
    if (option->off && (holds_number(option->type) || option->type >= CG_OPTION_ROWS))
        return "off is for texts and lists";
    if ((option->type == CG_OPTION_ROWS) != (option->rows != NULL))
        return "rows without their table";
    if (option->folder) {
        folder = cg_option_find(table, cg_span_str(option->folder));
        if (option->type != CG_OPTION_ROWS || !folder || folder->type != CG_OPTION_PATH)
            return "a folder is no path of the same table";
    }
    for (size_t i = 0; option->rows && i < option->rows->n_options; i++)
        if (option->rows->options[i].type == CG_OPTION_ROWS)
            return "rows within rows";
        else if (strchr(option->rows->options[i].key, '.'))
            return "a dot in a row's key";
    return option->rows ? cg_option_table_fault(option->rows) : NULL;
}

const char *cg_option_table_fault(const struct cg_option_table *table)
{
    static _Thread_local struct cg_problems problems;
    const char *fault = NULL;
    struct cg_arena arena;

    for (size_t i = 0; i < table->n_options && !fault; i++) {
        fault = option_fault(table, &table->options[i]);
        if (!fault)
            fault = keys_fault(table, i);
    }
    if (fault)
        return fault;
    problems = (struct cg_problems){0};
    cg_arena_init(&arena, 1 << 20);
    struct cg_bind bind = {.table = table,
                           .name = table->section ? table->section : "",
                           .where = "default",
                           .arena = &arena,
                           .problems = &problems};
    if (cg_bind_new(&bind) != CG_OK || cg_bind_defaults(&bind) != CG_OK || problems.n > 0)
        fault = problems.n > 0 ? problems.at[0].text : "defaults could not be read";
    cg_arena_done(&arena);
    return fault;
}
