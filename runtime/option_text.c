#include "runtime/option_text.h"

#include "lib/base/hex.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/unit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define WIDTH 96
#define ROFF_WIDTH 76

__attribute__((format(printf, 2, 3))) static cg_err add(struct cg_buf *out, const char *format, ...)
{
    va_list args;
    char small[1024];
    int n;

    va_start(args, format);
    n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof small)
        return CG_TOO_LARGE;
    return cg_buf_add(out, cg_span_of(small, (size_t)n));
}

/* Text in lines of WIDTH, each behind prefix. */
static cg_err add_wrapped(struct cg_buf *out, unsigned indent, const char *prefix, const char *text)
{
    size_t room = WIDTH - indent - strlen(prefix);

    while (*text) {
        size_t len = strlen(text);

        if (len > room) {
            len = room;
            while (len > 0 && text[len] != ' ')
                len--;
            if (len == 0)
                len = strcspn(text, " ");
        }
        CG_TRY(add(out, "%*s%s%.*s\n", (int)indent, "", prefix, (int)len, text));
        text += len;
        text += strspn(text, " ");
    }
    return CG_OK;
}

static void describe_number(const struct cg_option *option, const struct cg_unit *units,
                            const char *what, char *out, size_t room)
{
    char least[CG_UNIT_TEXT_BYTES], most[CG_UNIT_TEXT_BYTES];

    if (option->min == 0 && option->max == 0)
        snprintf(out, room, "%s", what);
    else
        snprintf(out, room, "%s from %s to %s", what, cg_unit_write(units, option->min, least),
                 cg_unit_write(units, option->max, most));
}

static void describe_values(const struct cg_option *option, const char *separator, char *out,
                            size_t room)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; option->values[i] && len < room; i++)
        len +=
            (size_t)snprintf(out + len, room - len, "%s%s", i ? separator : "", option->values[i]);
}

/* What may be written, such as "a duration from 1s to 1h". */
static void describe(const struct cg_option *option, enum cg_option_type type, char *out,
                     size_t room)
{
    char inner[512];

    switch (type) {
    case CG_OPTION_STRING:
        snprintf(out, room, "text");
        break;
    case CG_OPTION_PATH:
        snprintf(out, room, "a path");
        break;
    case CG_OPTION_BOOL:
        snprintf(out, room, "true or false");
        break;
    case CG_OPTION_INT:
        describe_number(option, NULL, "a number", out, room);
        break;
    case CG_OPTION_DURATION:
        describe_number(option, cg_unit_durations, "a duration", out, room);
        break;
    case CG_OPTION_SIZE:
        describe_number(option, cg_unit_sizes, "a size", out, room);
        break;
    case CG_OPTION_ENUM:
        describe_values(option, ", ", inner, sizeof inner);
        snprintf(out, room, "one of %s", inner);
        break;
    case CG_OPTION_ADDRESS:
        snprintf(out, room, "host:port");
        break;
    case CG_OPTION_URL:
        snprintf(out, room, "http://host:port/, https://host/ or unix:/path");
        break;
    case CG_OPTION_SECRET:
        snprintf(out, room, "a secret of 64 hexadecimal digits");
        break;
    case CG_OPTION_LIST:
        describe(option, option->item, inner, sizeof inner);
        snprintf(out, room, "a list, each %s", inner);
        break;
    case CG_OPTION_ROWS:
        snprintf(out, room, "a list of mappings");
        break;
    }
    if (option->off && type == option->type)
        snprintf(out + strlen(out), room - strlen(out), ", or off");
}

/* The line below an option's help: form, default, and when it takes effect. */
static void describe_all(const struct cg_option *option, bool is_field, char *out, size_t room)
{
    size_t len;

    describe(option, option->type, out, room);
    if (out[0] >= 'a' && out[0] <= 'z' && strncmp(out, "http", 4) != 0 &&
        strncmp(out, "host", 4) != 0 && strncmp(out, "true", 4) != 0)
        out[0] = (char)(out[0] - 32);
    len = strlen(out);
    if (option->required)
        len += (size_t)snprintf(out + len, room - len, "; required");
    if (!is_field && !option->reload)
        snprintf(out + len, room - len, "; a change needs a restart");
    snprintf(out + strlen(out), room - strlen(out), ".");
}

/* How many of key's dotted parts, the last not counted, are those of the key before. */
static size_t shared_depth(const char *key, const char *before)
{
    size_t depth = 0;

    for (size_t i = 0; key[i] && key[i] == before[i]; i++)
        depth += key[i] == '.';
    return depth;
}

/* The mappings key stands in, as far as the key before did not open them. */
static cg_err open_mappings(struct cg_buf *out, unsigned indent, const char *key,
                            const char *before)
{
    size_t shared = shared_depth(key, before), depth = 0;

    for (const char *dot; (dot = strchr(key, '.')); key = dot + 1, depth++)
        if (depth >= shared)
            CG_TRY(add(out, "%*s%.*s:\n", (int)(indent + 2 * depth), "", (int)(dot - key), key));
    return CG_OK;
}

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');

    return dot ? dot + 1 : key;
}

static unsigned indent_of(unsigned indent, const char *key)
{
    for (; *key; key++)
        indent += *key == '.' ? 2 : 0;
    return indent;
}

cg_err cg_option_text_values(const struct cg_option_table *table, const void *values,
                             struct cg_buf *out)
{
    unsigned indent = table->section[0] ? 2 : 0;
    const char *before = "";

    if (indent)
        CG_TRY(add(out, "%s:\n", table->section));
    for (size_t i = 0; i < table->n_options; i++) {
        const struct cg_option *option = &table->options[i];
        const char *member = (const char *)values + option->offset;

        CG_TRY(open_mappings(out, indent, option->key, before));
        before = option->key;
        if (!cg_option_is_set(option, member) && !option->off) {
            CG_TRY(add(out, "%*s# %s is not set\n", (int)indent_of(indent, option->key), "",
                       last_part(option->key)));
            continue;
        }
        CG_TRY(
            add(out, "%*s%s: ", (int)indent_of(indent, option->key), "", last_part(option->key)));
        CG_TRY(cg_option_print(option, option->type, member, out));
        CG_TRY(add(out, "\n"));
    }
    return CG_OK;
}

static cg_err add_secret(struct cg_buf *out, const struct cg_secret_option *secret)
{
    char text[2 * sizeof secret->value.bytes];

    cg_hex_write(CG_BYTES(secret->value.bytes), text);
    cg_err err = cg_buf_add(out, cg_span_of(text, sizeof text));
    cg_wipe(text, sizeof text);
    return err;
}

cg_err cg_option_text_row(const struct cg_option_table *rows, const void *values,
                          const bool *was_set, struct cg_buf *out)
{
    for (size_t i = 0; i < rows->n_options; i++) {
        const struct cg_option *field = &rows->options[i];
        const void *member = (const char *)values + field->offset;

        if (!was_set[i])
            continue;
        CG_TRY(add(out, "%s: ", field->key));
        if (field->type == CG_OPTION_SECRET)
            CG_TRY(add_secret(out, member));
        else
            CG_TRY(cg_option_print(field, field->type, member, out));
        CG_TRY(add(out, "\n"));
    }
    return CG_OK;
}

static cg_err help_option(const struct cg_option_table *table, const struct cg_option *option,
                          struct cg_buf *out)
{
    char form[600];

    CG_TRY(add(out, "  %s%s%s", table->section, table->section[0] ? "." : "", option->key));
    CG_TRY(option->def ? add(out, " (%s)\n", option->def) : add(out, "\n"));
    CG_TRY(add_wrapped(out, 6, "", option->help));
    describe_all(option, false, form, sizeof form);
    return add_wrapped(out, 6, "", form);
}

cg_err cg_option_help(const struct cg_option_table *const *tables, size_t n_tables,
                      struct cg_buf *out)
{
    for (size_t i = 0; i < n_tables; i++) {
        CG_TRY(add(out, "%s%s\n", i > 0 ? "\n" : "", tables[i]->help));
        for (size_t k = 0; k < tables[i]->n_options; k++)
            CG_TRY(help_option(tables[i], &tables[i]->options[k], out));
    }
    return CG_OK;
}

static cg_err sample_rows(const struct cg_option *option, unsigned indent, struct cg_buf *out)
{
    const char *dash = "- ";

    CG_TRY(add(out, "%*s# %s:\n", (int)indent, "", last_part(option->key)));
    for (size_t i = 0; i < option->rows->n_options; i++) {
        const struct cg_option *field = &option->rows->options[i];
        const char *shown = field->example ? field->example : field->def ? field->def : "...";
        char form[600];

        CG_TRY(add(out, "%*s#   %s%s: %s\n", (int)indent, "", dash, field->key, shown));
        CG_TRY(add_wrapped(out, indent, "#       # ", field->help));
        describe_all(field, true, form, sizeof form);
        CG_TRY(add_wrapped(out, indent, "#       # ", form));
        dash = "  ";
    }
    return CG_OK;
}

static cg_err sample_option(const struct cg_option *option, unsigned indent, struct cg_buf *out)
{
    char form[600];

    CG_TRY(add_wrapped(out, indent, "# ", option->help));
    describe_all(option, false, form, sizeof form);
    CG_TRY(add_wrapped(out, indent, "# ", form));
    if (option->type == CG_OPTION_ROWS)
        return sample_rows(option, indent, out);
    if (option->def)
        return add(out, "%*s#%s: %s\n", (int)indent, "", last_part(option->key), option->def);
    return add(out, "%*s# %s: %s\n", (int)indent, "", last_part(option->key),
               option->example ? option->example : "...");
}

cg_err cg_option_sample(const struct cg_option_table *const *tables, size_t n_tables,
                        struct cg_buf *out)
{
    CG_TRY(cg_buf_add(
        out,
        CG_LIT("# Configuration of httpcgd. Every option is here with its default: a line that "
               "starts with\n# \"#\" and no space is one, remove the \"#\" to change it.\n#\n"
               "# HTTPCG_LOG_LEVEL=debug in the environment and --set log.level=debug on the "
               "command line\n# win over this file. httpcgd --check-config FILE says what is "
               "wrong with a file.\n")));
    for (size_t i = 0; i < n_tables; i++) {
        const struct cg_option_table *table = tables[i];
        unsigned indent = table->section[0] ? 2 : 0;
        const char *before = "";

        if (indent) {
            CG_TRY(add(out, "\n"));
            CG_TRY(add_wrapped(out, 0, "# ", table->help));
            CG_TRY(add(out, "%s:\n", table->section));
        }
        for (size_t k = 0; k < table->n_options; k++) {
            const char *key = table->options[k].key;

            CG_TRY(add(out, "\n"));
            CG_TRY(open_mappings(out, indent, key, before));
            CG_TRY(sample_option(&table->options[k], indent_of(indent, key), out));
            before = key;
        }
    }
    return CG_OK;
}

/* A backslash and a hyphen mean something else in roff. */
static cg_err add_roff_word(struct cg_buf *out, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\\')
            CG_TRY(add(out, "\\e"));
        else
            CG_TRY(add(out, word[i] == '-' ? "\\%c" : "%c", word[i]));
    }
    return CG_OK;
}

/* Text for roff, in lines of its own: a sentence ends its line, and no word that starts a line may
 * look like a request. */
static cg_err add_roff(struct cg_buf *out, const char *text)
{
    size_t column = 0;

    while (*text) {
        size_t len = strcspn(text, " ");
        bool ends_sentence = len > 0 && text[len - 1] == '.' && text[len] == ' ';

        if (column > 0 && column + 1 + len > ROFF_WIDTH) {
            CG_TRY(add(out, "\n"));
            column = 0;
        }
        if (column == 0 && (*text == '.' || *text == '\''))
            CG_TRY(add(out, "\\&"));
        CG_TRY(add(out, column > 0 ? " " : ""));
        CG_TRY(add_roff_word(out, text, len));
        column += len + (column > 0);
        if (ends_sentence) {
            CG_TRY(add(out, "\n"));
            column = 0;
        }
        text += len;
        text += strspn(text, " ");
    }
    return column > 0 ? add(out, "\n") : CG_OK;
}

static cg_err manual_option(const struct cg_option *option, bool is_field, struct cg_buf *out)
{
    char form[600];

    CG_TRY(add(out, ".TP\n.B "));
    CG_TRY(add_roff(out, option->key));
    CG_TRY(add_roff(out, option->help));
    describe_all(option, is_field, form, sizeof form);
    CG_TRY(add_roff(out, form));
    if (option->def) {
        CG_TRY(add(out, "Default:\n"));
        CG_TRY(add_roff(out, option->def));
    }
    if (option->type != CG_OPTION_ROWS)
        return CG_OK;
    CG_TRY(add(out, ".RS\n"));
    for (size_t i = 0; i < option->rows->n_options; i++)
        CG_TRY(manual_option(&option->rows->options[i], true, out));
    return add(out, ".RE\n");
}

/* clang-format off */
static const char manual_head[] =
    ".TH HTTPCGD.YAML 5 \"httpcg " HTTPCG_VERSION "\" \"httpcg\" \"File formats\"\n"
    ".SH NAME\n"
    "httpcgd.yaml \\- configuration of httpcgd\n"
    ".SH DESCRIPTION\n"
    "The file is YAML without anchors, aliases, tags and merge keys.\n"
    "An unknown key is an error, and so is one that comes twice.\n"
    "Relative paths start at the file's folder.\n"
    "Quantities say their unit: 500ms, 10s, 5min, 1h, 7d; 512B, 64KiB, 1MiB, 2GiB.\n"
    "A variable such as\n"
    ".B HTTPCG_LOG_LEVEL\n"
    "in the environment wins over the file, and\n"
    ".B \\-\\-set log.level=debug\n"
    "on the command line over both.\n"
    ".PP\n"
    ".B httpcgd \\-\\-check\\-config\n"
    ".I FILE\n"
    "says what is wrong with a file, with line and column.\n";
/* clang-format on */

cg_err cg_option_manual(const struct cg_option_table *const *tables, size_t n_tables,
                        struct cg_buf *out)
{
    CG_TRY(cg_buf_add(out, cg_span_str(manual_head)));
    for (size_t i = 0; i < n_tables; i++) {
        CG_TRY(add(out, ".SH "));
        CG_TRY(add_roff(out, tables[i]->section[0] ? tables[i]->section : "TOP LEVEL"));
        CG_TRY(add_roff(out, tables[i]->help));
        for (size_t k = 0; k < tables[i]->n_options; k++)
            CG_TRY(manual_option(&tables[i]->options[k], false, out));
    }
    return CG_OK;
}
