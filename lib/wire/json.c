#include "lib/wire/json.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

static bool is_space(uint8_t c, enum cg_json_form form)
{
    return c == ' ' || (form == CG_JSON_DOCUMENT && (c == '\t' || c == '\n' || c == '\r'));
}

static void skip_space(struct cg_span *left, enum cg_json_form form)
{
    while (left->len > 0 && is_space(left->at[0], form))
        *left = cg_span_from(*left, 1);
}

/* Takes one given character, white space before it passed over. */
static cg_err take(struct cg_span *left, enum cg_json_form form, uint8_t c)
{
    skip_space(left, form);
    if (left->len == 0)
        return CG_SHORT;
    if (left->at[0] != c)
        return CG_SYNTAX;
    *left = cg_span_from(*left, 1);
    return CG_OK;
}

static bool next_is(struct cg_span *left, enum cg_json_form form, uint8_t c)
{
    skip_space(left, form);
    return left->len > 0 && left->at[0] == c;
}

/* How many characters from the start are plain text: neither a quote nor a backslash, printable
 * ASCII. Eight at a time; a word that has anything else, or seems to, is looked at closely. */
static size_t plain_chars(struct cg_span text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t n = 0;

    for (; text.len - n >= 8; n += 8) {
        uint64_t word, quote, backslash;

        memcpy(&word, text.at + n, 8);
        quote = word ^ ones * '"';
        backslash = word ^ ones * '\\';
        /* Below a space; DEL and above; zero where it was one of the two. */
        if (((word - ones * 0x20) | (word + ones) | (quote - ones) | (backslash - ones)) & highs)
            break;
    }
    while (n < text.len && text.at[n] >= 0x20 && text.at[n] <= 0x7e && text.at[n] != '"' &&
           text.at[n] != '\\')
        n++;
    return n;
}

static cg_err take_text(struct cg_span *left, enum cg_json_form form, struct cg_span *out)
{
    CG_TRY(take(left, form, '"'));
    size_t n = plain_chars(*left);
    if (n == left->len)
        return CG_SHORT;
    if (left->at[n] != '"')
        return CG_SYNTAX;
    *out = cg_span_first(*left, n);
    *left = cg_span_from(*left, n + 1);
    return CG_OK;
}

static cg_err take_uint(struct cg_span *left, uint64_t *out)
{
    uint64_t v = 0;
    size_t n = 0;

    for (; n < left->len && left->at[n] >= '0' && left->at[n] <= '9'; n++) {
        if (n == 16)
            return CG_TOO_LARGE; /* 2^53-1 has 16 digits */
        v = v * 10 + (uint64_t)(left->at[n] - '0');
    }
    if (n == 0)
        return CG_SYNTAX;
    if (n > 1 && left->at[0] == '0')
        return CG_CANONICAL;
    if (v > CG_JSON_MAX_INT)
        return CG_TOO_LARGE;
    /* A fraction or an exponent would follow right here, and is no separator: refused there. */
    *left = cg_span_from(*left, n);
    *out = v;
    return CG_OK;
}

static cg_err take_word(struct cg_span *left, const char *word)
{
    struct cg_span w = cg_span_str(word);

    if (!cg_span_starts(*left, w))
        return CG_SYNTAX;
    *left = cg_span_from(*left, w.len);
    return CG_OK;
}

static cg_err take_bool(struct cg_span *left, bool *out)
{
    bool yes = left->len > 0 && left->at[0] == 't';

    CG_TRY(take_word(left, yes ? "true" : "false"));
    *out = yes;
    return CG_OK;
}

/* Passes over one value of any type. depth counts objects and arrays: the outermost is 1. */
static cg_err skip(struct cg_span *left, enum cg_json_form form, unsigned depth)
{
    struct cg_span text;
    uint64_t number;
    bool flag;

    skip_space(left, form);
    if (left->len == 0)
        return CG_SHORT;
    uint8_t c = left->at[0];
    if (c == '"')
        return take_text(left, form, &text);
    if (c == 't' || c == 'f')
        return take_bool(left, &flag);
    if (c != '{' && c != '[')
        return take_uint(left, &number);

    if (depth > CG_JSON_MAX_DEPTH)
        return CG_TOO_LARGE;
    uint8_t end = c == '{' ? '}' : ']';
    *left = cg_span_from(*left, 1);
    if (next_is(left, form, end))
        return take(left, form, end);
    for (;;) {
        if (c == '{') {
            CG_TRY(take_text(left, form, &text));
            CG_TRY(take(left, form, ':'));
        }
        CG_TRY(skip(left, form, depth + 1));
        if (next_is(left, form, end))
            return take(left, form, end);
        CG_TRY(take(left, form, ','));
    }
}

static cg_err take_value(struct cg_span *left, enum cg_json_form form, enum cg_json_kind kind,
                         struct cg_json_value *out)
{
    static const char begins[] = {
        [CG_JSON_TEXT] = '"', [CG_JSON_OBJECT] = '{', [CG_JSON_ARRAY] = '['};

    skip_space(left, form);
    if (left->len == 0)
        return CG_SHORT;
    uint8_t c = left->at[0];
    switch (kind) {
    case CG_JSON_UINT:
        if (c < '0' || c > '9')
            return CG_SCHEMA;
        return take_uint(left, &out->number);
    case CG_JSON_BOOL:
        if (c != 't' && c != 'f')
            return CG_SCHEMA;
        return take_bool(left, &out->flag);
    case CG_JSON_TEXT:
    case CG_JSON_OBJECT:
    case CG_JSON_ARRAY:
        break;
    }
    if (c != (uint8_t)begins[kind])
        return CG_SCHEMA;
    if (kind == CG_JSON_TEXT)
        return take_text(left, form, &out->span);
    out->span = *left;
    CG_TRY(skip(left, form, 2));
    out->span.len -= left->len;
    return CG_OK;
}

static void put_value(const struct cg_json_member *m, const struct cg_json_value *v)
{
    switch (m->kind) {
    case CG_JSON_UINT:
        *m->number = v->number;
        break;
    case CG_JSON_BOOL:
        *m->flag = v->flag;
        break;
    default:
        *m->span = v->span;
        break;
    }
}

cg_err cg_json_object(struct cg_span text, enum cg_json_form form,
                      const struct cg_json_member *members, size_t n_members)
{
    struct cg_span left = text;
    uint32_t seen = 0;

    if (n_members > CG_JSON_MEMBERS_MAX)
        return CG_INTERNAL;
    if (form == CG_JSON_HEADER && left.len > 0 && left.at[0] != '{')
        return CG_SYNTAX;
    CG_TRY(take(&left, form, '{'));
    if (!next_is(&left, form, '}')) {
        do {
            struct cg_span key;
            struct cg_json_value value = {0};
            size_t i = 0;

            CG_TRY(take_text(&left, form, &key));
            while (i < n_members && !cg_span_is(key, members[i].name))
                i++;
            if (i == n_members || (seen >> i & 1) != 0)
                return CG_SCHEMA;
            seen |= UINT32_C(1) << i;
            CG_TRY(take(&left, form, ':'));
            CG_TRY(take_value(&left, form, members[i].kind, &value));
            put_value(&members[i], &value);
        } while (next_is(&left, form, ',') && take(&left, form, ',') == CG_OK);
    }
    CG_TRY(take(&left, form, '}'));
    if (form == CG_JSON_DOCUMENT)
        skip_space(&left, form);
    if (left.len > 0)
        return CG_EXTRA;
    for (size_t i = 0; i < n_members; i++) {
        bool has = (seen >> i & 1) != 0;

        if (members[i].has)
            *members[i].has = has;
        else if (!has)
            return CG_SCHEMA;
    }
    return CG_OK;
}

struct cg_json_array cg_json_array_of(struct cg_span text)
{
    return (struct cg_json_array){.left = text};
}

static cg_err next(struct cg_json_array *a, enum cg_json_kind kind, struct cg_json_value *out)
{
    const enum cg_json_form form = CG_JSON_DOCUMENT;

    if (!a->begun)
        CG_TRY(take(&a->left, form, '['));
    if (next_is(&a->left, form, ']')) {
        CG_TRY(take(&a->left, form, ']'));
        a->ended = true;
        skip_space(&a->left, form);
        return a->left.len == 0 ? CG_OK : CG_EXTRA;
    }
    if (a->begun)
        CG_TRY(take(&a->left, form, ','));
    a->begun = true;
    return take_value(&a->left, form, kind, out);
}

bool cg_json_array_next(struct cg_json_array *a, enum cg_json_kind kind, struct cg_json_value *out)
{
    if (a->err != CG_OK || a->ended)
        return false;
    a->err = next(a, kind, out);
    return a->err == CG_OK && !a->ended;
}

cg_err cg_json_check(struct cg_span text, enum cg_json_form form)
{
    CG_TRY(skip(&text, form, 1));
    if (form == CG_JSON_DOCUMENT)
        skip_space(&text, form);
    return text.len == 0 ? CG_OK : CG_EXTRA;
}
