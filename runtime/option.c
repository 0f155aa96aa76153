#include "runtime/option.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/unit.h"

#include <stdio.h>

size_t cg_option_size(enum cg_option_type type)
{
    switch (type) {
    case CG_OPTION_STRING:
    case CG_OPTION_PATH:
        return sizeof(const char *);
    case CG_OPTION_BOOL:
        return sizeof(bool);
    case CG_OPTION_INT:
    case CG_OPTION_DURATION:
    case CG_OPTION_SIZE:
        return sizeof(int64_t);
    case CG_OPTION_ENUM:
        return sizeof(int);
    case CG_OPTION_ADDRESS:
        return sizeof(struct cg_host_port);
    case CG_OPTION_URL:
        return sizeof(struct cg_target_option);
    case CG_OPTION_SECRET:
        return sizeof(struct cg_secret_option);
    case CG_OPTION_LIST:
    case CG_OPTION_ROWS:
        return sizeof(struct cg_list);
    }
    return 0;
}

const struct cg_option *cg_option_find(const struct cg_option_table *table, struct cg_span key)
{
    for (size_t i = 0; i < table->n_options; i++)
        if (cg_span_is(key, table->options[i].key))
            return &table->options[i];
    return NULL;
}

static cg_err add(struct cg_buf *out, const char *text)
{
    return cg_buf_add(out, cg_span_str(text));
}

/* Always in double quotes, so that no text is ever taken for something else. */
static cg_err add_quoted(struct cg_buf *out, const char *text)
{
    CG_TRY(add(out, "\""));
    for (; *text; text++) {
        char escaped[8] = {*text, '\0'};

        if (*text == '"' || *text == '\\')
            snprintf(escaped, sizeof escaped, "\\%c", *text);
        CG_TRY(add(out, escaped));
    }
    return add(out, "\"");
}

static cg_err add_number(struct cg_buf *out, const struct cg_unit *units, int64_t n)
{
    char text[CG_UNIT_TEXT_BYTES];

    return add(out, cg_unit_write(units, n, text));
}

static cg_err add_address(struct cg_buf *out, const struct cg_host_port *address)
{
    bool is_six = strchr(address->host, ':') != NULL;
    char text[320];

    snprintf(text, sizeof text, "%s%s%s:%u", is_six ? "[" : "", address->host, is_six ? "]" : "",
             address->port);
    return add_quoted(out, text);
}

static cg_err add_items(const struct cg_option *option, const struct cg_list *list,
                        struct cg_buf *out)
{
    size_t size = cg_option_size(option->item);

    CG_TRY(add(out, "["));
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            CG_TRY(add(out, ", "));
        CG_TRY(cg_option_print(option, option->item, (const char *)list->at + i * size, out));
    }
    return add(out, "]");
}

/* A flow mapping: what fits on a line, such as {name: "a", weight: 3}. */
static cg_err add_row(const struct cg_option_table *rows, const char *row, struct cg_buf *out)
{
    bool is_first = true;

    CG_TRY(add(out, "{"));
    for (size_t i = 0; i < rows->n_options; i++) {
        const struct cg_option *field = &rows->options[i];

        if (!cg_option_is_set(field, row + field->offset))
            continue;
        CG_TRY(add(out, is_first ? "" : ", "));
        CG_TRY(add(out, field->key));
        CG_TRY(add(out, ": "));
        CG_TRY(cg_option_print(field, field->type, row + field->offset, out));
        is_first = false;
    }
    return add(out, "}");
}

static cg_err add_rows(const struct cg_option *option, const struct cg_list *list,
                       struct cg_buf *out)
{
    CG_TRY(add(out, "["));
    for (size_t i = 0; i < list->n; i++) {
        CG_TRY(add(out, i > 0 ? ", " : ""));
        CG_TRY(add_row(option->rows, (const char *)list->at + i * option->rows->size, out));
    }
    return add(out, "]");
}

bool cg_option_is_set(const struct cg_option *option, const void *member)
{
    switch (option->type) {
    case CG_OPTION_STRING:
    case CG_OPTION_PATH:
        return *(const char *const *)member != NULL;
    case CG_OPTION_ADDRESS:
        return ((const struct cg_host_port *)member)->host != NULL;
    case CG_OPTION_URL:
        return ((const struct cg_target_option *)member)->text != NULL;
    case CG_OPTION_SECRET:
        return ((const struct cg_secret_option *)member)->is_set;
    default:
        return true;
    }
}

cg_err cg_option_print(const struct cg_option *option, enum cg_option_type type, const void *member,
                       struct cg_buf *out)
{
    if (type == option->type && !cg_option_is_set(option, member))
        return add(out, option->off ? "off" : "(unset)");
    switch (type) {
    case CG_OPTION_STRING:
    case CG_OPTION_PATH:
        return add_quoted(out, *(const char *const *)member);
    case CG_OPTION_BOOL:
        return add(out, *(const bool *)member ? "true" : "false");
    case CG_OPTION_INT:
        return add_number(out, NULL, *(const int64_t *)member);
    case CG_OPTION_DURATION:
        return add_number(out, cg_unit_durations, *(const int64_t *)member);
    case CG_OPTION_SIZE:
        return add_number(out, cg_unit_sizes, *(const int64_t *)member);
    case CG_OPTION_ENUM:
        return add(out, option->values[*(const int *)member]);
    case CG_OPTION_ADDRESS:
        return add_address(out, member);
    case CG_OPTION_URL:
        return add_quoted(out, ((const struct cg_target_option *)member)->text);
    case CG_OPTION_SECRET:
        return add(out, "(hidden)");
    case CG_OPTION_LIST:
        return add_items(option, member, out);
    case CG_OPTION_ROWS:
        return add_rows(option, member, out);
    }
    return CG_INTERNAL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_value(const struct cg_option *option, enum cg_option_type type, const void *a,
                       const void *b);

static bool same_row(const struct cg_option_table *rows, const char *a, const char *b)
{
    for (size_t i = 0; i < rows->n_options; i++)
        if (!cg_option_same(&rows->options[i], a + rows->options[i].offset,
                            b + rows->options[i].offset))
            return false;
    return true;
}

static bool same_list(const struct cg_option *option, const struct cg_list *a,
                      const struct cg_list *b)
{
    bool is_rows = option->type == CG_OPTION_ROWS;
    size_t size = is_rows ? option->rows->size : cg_option_size(option->item);

    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const char *x = (const char *)a->at + i * size, *y = (const char *)b->at + i * size;

        if (is_rows ? !same_row(option->rows, x, y) : !same_value(option, option->item, x, y))
            return false;
    }
    return true;
}

static bool same_value(const struct cg_option *option, enum cg_option_type type, const void *a,
                       const void *b)
{
    switch (type) {
    case CG_OPTION_STRING:
    case CG_OPTION_PATH:
        return same_text(*(const char *const *)a, *(const char *const *)b);
    case CG_OPTION_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case CG_OPTION_INT:
    case CG_OPTION_DURATION:
    case CG_OPTION_SIZE:
        return *(const int64_t *)a == *(const int64_t *)b;
    case CG_OPTION_ENUM:
        return *(const int *)a == *(const int *)b;
    case CG_OPTION_ADDRESS: {
        const struct cg_host_port *x = a, *y = b;
        return same_text(x->host, y->host) && x->port == y->port;
    }
    case CG_OPTION_URL:
        return same_text(((const struct cg_target_option *)a)->text,
                         ((const struct cg_target_option *)b)->text);
    case CG_OPTION_SECRET: {
        const struct cg_secret_option *x = a, *y = b;
        return x->is_set == y->is_set && cg_secret_eq(&x->value, &y->value);
    }
    case CG_OPTION_LIST:
    case CG_OPTION_ROWS:
        return same_list(option, a, b);
    }
    return false;
}

bool cg_option_same(const struct cg_option *option, const void *a, const void *b)
{
    return same_value(option, option->type, a, b);
}
