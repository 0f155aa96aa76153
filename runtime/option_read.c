#include "runtime/option_read.h"

#include "lib/base/hex.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/nearest.h"
#include "runtime/unit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define STRING_MAX_BYTES 4096
#define QUOTED_MAX_BYTES 60

cg_err cg_reading_refuse(const struct cg_reading *r, const char *what, ...)
{
    va_list args;
    int n = 0;

    if (r->type != CG_OPTION_SECRET)
        n = snprintf(r->why, CG_PROBLEM_TEXT_BYTES, "\"%.*s%s\" ",
                     (int)(r->text.len < QUOTED_MAX_BYTES ? r->text.len : QUOTED_MAX_BYTES),
                     r->text.len ? (const char *)r->text.at : "",
                     r->text.len > QUOTED_MAX_BYTES ? "..." : "");
    va_start(args, what);
    vsnprintf(r->why + n, CG_PROBLEM_TEXT_BYTES - (size_t)n, what, args);
    va_end(args);
    return CG_CONFIG;
}

const char *cg_reading_copy(const struct cg_reading *r, struct cg_span text)
{
    char *at = cg_arena_take(r->arena, text.len + 1);

    if (!at)
        return NULL;
    if (text.len)
        memcpy(at, text.at, text.len);
    at[text.len] = '\0';
    return at;
}

cg_err cg_reading_digits(struct cg_span text, int64_t *out, size_t *len)
{
    int64_t n = 0;
    size_t i = 0;

    for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text.at[i] - '0', &n))
            return CG_TOO_LARGE;
    if (i == 0 || (i > 1 && text.at[0] == '0'))
        return CG_SYNTAX;
    *out = n;
    *len = i;
    return CG_OK;
}

static cg_err check_limits(const struct cg_reading *r, const struct cg_unit *units, int64_t n,
                           const char *what)
{
    char limit[CG_UNIT_TEXT_BYTES];

    if (r->option->min == 0 && r->option->max == 0)
        return CG_OK;
    if (n < r->option->min)
        return cg_reading_refuse(r, "is too little: %s at least %s", what,
                                 cg_unit_write(units, r->option->min, limit));
    if (n > r->option->max)
        return cg_reading_refuse(r, "is too much: %s at most %s", what,
                                 cg_unit_write(units, r->option->max, limit));
    return CG_OK;
}

static cg_err read_int(const struct cg_reading *r, int64_t *out)
{
    bool negative = r->text.len > 0 && r->text.at[0] == '-';
    int64_t n;
    size_t len;
    cg_err err = cg_reading_digits(cg_span_from(r->text, negative), &n, &len);

    if (err == CG_TOO_LARGE)
        return cg_reading_refuse(r, "is too long for a number");
    if (err != CG_OK || len + negative != r->text.len)
        return cg_reading_refuse(r, "is not a number; write decimal digits, such as 16");
    if (negative)
        n = -n;
    CG_TRY(check_limits(r, NULL, n, "it is"));
    *out = n;
    return CG_OK;
}

/* Both kinds of quantity want their unit said, because a number alone was meant in seconds by one
 * reader and in milliseconds by the next. */
static cg_err read_quantity(const struct cg_reading *r, const struct cg_unit *units,
                            const char *forms, int64_t *out)
{
    int64_t n;
    size_t len;
    cg_err err = cg_reading_digits(r->text, &n, &len);

    if (err == CG_TOO_LARGE)
        return cg_reading_refuse(r, "is too long for a number");
    if (err != CG_OK)
        return cg_reading_refuse(r, "is not a number with a unit; write %s", forms);
    struct cg_span suffix = cg_span_from(r->text, len);
    if (suffix.len == 0 && n != 0)
        return cg_reading_refuse(r, "lacks a unit; write %s", forms);

    const struct cg_unit *unit = cg_unit_find(units, suffix);
    if (suffix.len > 0 && !unit)
        return cg_reading_refuse(r, "has an unknown unit; write %s", forms);
    if (suffix.len > 0 && __builtin_mul_overflow(n, unit->factor, &n))
        return cg_reading_refuse(r, "is too long for a number");
    CG_TRY(check_limits(r, units, n, "it is"));
    *out = n;
    return CG_OK;
}

static cg_err read_string(const struct cg_reading *r, const char **out)
{
    int64_t least = r->option->min > 1 ? r->option->min : 1; /* "off" says nothing, not "" */
    int64_t most = r->option->max > 0 ? r->option->max : STRING_MAX_BYTES;

    if (r->text.len == 0)
        return cg_reading_refuse(r, "is empty");
    if ((int64_t)r->text.len < least)
        return cg_reading_refuse(r, "is too short: it has at least %" PRId64 " bytes", least);
    if ((int64_t)r->text.len > most)
        return cg_reading_refuse(r, "is too long: it has at most %" PRId64 " bytes", most);
    const char *at = cg_reading_copy(r, r->text);
    if (!at)
        return CG_NO_MEMORY;
    *out = at;
    return CG_OK;
}

static cg_err read_path(const struct cg_reading *r, const char **out)
{
    char whole[STRING_MAX_BYTES + 2];
    int len = (int)r->text.len;
    const char *text = (const char *)r->text.at;

    if (len == 0)
        return cg_reading_refuse(r, "is empty");
    if (text[0] == '~')
        return cg_reading_refuse(
            r, "starts with ~, which only shells understand; write the whole path");
    int n = text[0] == '/' || !r->folder
                ? snprintf(whole, sizeof whole, "%.*s", len, text)
                : snprintf(whole, sizeof whole, "%s/%.*s", r->folder, len, text);
    if (n < 0 || n >= STRING_MAX_BYTES)
        return cg_reading_refuse(r, "is too long for a path");
    const char *at = cg_reading_copy(r, cg_span_of(whole, (size_t)n));
    if (!at)
        return CG_NO_MEMORY;
    *out = at;
    return CG_OK;
}

static cg_err read_bool(const struct cg_reading *r, bool *out)
{
    if (!cg_span_is(r->text, "true") && !cg_span_is(r->text, "false"))
        return cg_reading_refuse(r, "is neither true nor false");
    *out = r->text.at[0] == 't';
    return CG_OK;
}

static cg_err read_enum(const struct cg_reading *r, int *out)
{
    const char *const *values = r->option->values;
    char all[256] = "";
    size_t n = 0, len = 0;

    for (; values[n]; n++) {
        if (cg_span_is(r->text, values[n])) {
            *out = (int)n;
            return CG_OK;
        }
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", n ? ", " : "", values[n]);
        if (len >= sizeof all)
            len = sizeof all - 1;
    }
    const char *meant = cg_nearest(r->text, values, n);
    if (meant)
        return cg_reading_refuse(r, "is not known here; did you mean %s? (%s)", meant, all);
    return cg_reading_refuse(r, "is not known here; it is one of %s", all);
}

static cg_err read_secret(const struct cg_reading *r, struct cg_secret_option *out)
{
    struct cg_secret_option got = {.is_set = true};
    cg_err err = cg_hex_read(r->text, got.value.bytes, sizeof got.value.bytes);

    if (err == CG_OK)
        *out = got;
    cg_secret_done(&got.value);
    if (err != CG_OK)
        return cg_reading_refuse(
            r, "a secret is 64 lower-case hexadecimal digits; openssl rand -hex 32 "
               "makes one");
    return CG_OK;
}

/* Whatever else a text holds: a control byte in a path or a name only serves to deceive. */
static cg_err check_text(const struct cg_reading *r)
{
    for (size_t i = 0; i < r->text.len; i++)
        if (r->text.at[i] < 0x20 || r->text.at[i] == 0x7f)
            return cg_reading_refuse(r, "holds a control character");
    const char *wrong = r->option->check ? r->option->check(r->text) : NULL;
    return wrong ? cg_reading_refuse(r, "%s", wrong) : CG_OK;
}

static void unset(enum cg_option_type type, void *member)
{
    memset(member, 0, cg_option_size(type));
}

cg_err cg_option_read(const struct cg_option *option, enum cg_option_type type, struct cg_span text,
                      const char *folder, struct cg_arena *arena, void *member,
                      char why[static CG_PROBLEM_TEXT_BYTES])
{
    struct cg_reading r = {option, type, text, folder, arena, why};

    if (option->off && type == option->type && cg_span_is(text, "off")) {
        unset(type, member);
        return CG_OK;
    }
    CG_TRY(check_text(&r));
    switch (type) {
    case CG_OPTION_STRING:
        return read_string(&r, member);
    case CG_OPTION_PATH:
        return read_path(&r, member);
    case CG_OPTION_BOOL:
        return read_bool(&r, member);
    case CG_OPTION_INT:
        return read_int(&r, member);
    case CG_OPTION_DURATION:
        return read_quantity(&r, cg_unit_durations, "500ms, 10s, 5min, 1h or 7d", member);
    case CG_OPTION_SIZE:
        return read_quantity(&r, cg_unit_sizes, "512B, 64KiB, 1MiB, 2GiB or 1TiB", member);
    case CG_OPTION_ENUM:
        return read_enum(&r, member);
    case CG_OPTION_ADDRESS:
        return cg_reading_address(&r, member);
    case CG_OPTION_URL:
        return cg_reading_url(&r, member);
    case CG_OPTION_SECRET:
        return read_secret(&r, member);
    case CG_OPTION_LIST:
    case CG_OPTION_ROWS:
        break;
    }
    return CG_INTERNAL;
}
