#include "lib/wire/field.h"

#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct cg_span cg_field_trim(struct cg_span value)
{
    while (value.len > 0 && is_space(value.at[0]))
        value = cg_span_from(value, 1);
    while (value.len > 0 && is_space(value.at[value.len - 1]))
        value.len--;
    return value;
}

static const uint8_t chars[256] = {
    ['!'] = CG_FIELD_TOKEN,         ['#' ... '\''] = CG_FIELD_TOKEN, ['*'] = CG_FIELD_TOKEN,
    ['+'] = CG_FIELD_TOKEN,         ['-'] = CG_FIELD_TOKEN,          ['.'] = CG_FIELD_TOKEN,
    ['0' ... '9'] = CG_FIELD_TOKEN, ['A' ... 'Z'] = CG_FIELD_UPPER,  ['^' ... 'z'] = CG_FIELD_TOKEN,
    ['|'] = CG_FIELD_TOKEN,         ['~'] = CG_FIELD_TOKEN,
};

enum cg_field_char cg_field_char(uint8_t c)
{
    return (enum cg_field_char)chars[c];
}

bool cg_field_is_token(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (chars[text.at[i]] == CG_FIELD_OTHER)
            return false;
    return text.len > 0;
}

static bool has_control(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((at[i] < 0x20 && at[i] != '\t') || at[i] == 0x7f)
            return true;
    return false;
}

/* Every header of every request comes through here. Eight characters at a time; a word with
 * anything below a space, DEL or above, is looked at closely, and one that has a tab in it or is
 * not ASCII loses nothing by that. */
bool cg_field_is_value(struct cg_span value)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;

    for (; value.len - i >= 8; i += 8) {
        uint64_t word;

        memcpy(&word, value.at + i, 8);
        if ((((word - ones * 0x20) | (word + ones)) & (ones << 7)) && has_control(value.at + i, 8))
            return false;
    }
    return i == value.len || !has_control(value.at + i, value.len - i);
}

bool cg_field_next(struct cg_span *left, struct cg_span *out)
{
    while (left->len > 0) {
        size_t n = cg_span_find(*left, ',');
        struct cg_span member = cg_field_trim(cg_span_first(*left, n));

        *left = cg_span_from(*left, n + 1);
        if (member.len > 0) {
            *out = member;
            return true;
        }
    }
    return false;
}

bool cg_field_lists(struct cg_span value, const char *word)
{
    struct cg_span member;

    while (cg_field_next(&value, &member))
        if (cg_span_eq_nocase(member, cg_span_str(word)))
            return true;
    return false;
}

void cg_field_cookies(const struct cg_span *lines, size_t n_lines, struct cg_writer *w)
{
    for (size_t i = 0; i < n_lines; i++) {
        if (i > 0)
            cg_put_str(w, "; ");
        cg_put(w, cg_field_trim(lines[i]));
    }
}

cg_err cg_field_expect(struct cg_span value, bool *out)
{
    if (!cg_span_eq_nocase(cg_field_trim(value), CG_LIT("100-continue")))
        return CG_SYNTAX;
    *out = true;
    return CG_OK;
}

/* A dictionary key begins with a lower-case letter or '*' (RFC 9651, 3.1.2). */
static bool is_key(struct cg_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        uint8_t c = key.at[i];
        bool is_first = (c >= 'a' && c <= 'z') || c == '*';

        if (!is_first && (i == 0 || ((c < '0' || c > '9') && c != '_' && c != '-' && c != '.')))
            return false;
    }
    return key.len > 0;
}

/* Between the colons of a byte sequence. */
static bool is_base64(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_alnum && c != '+' && c != '/' && c != '=')
            return false;
    }
    return true;
}

static cg_err take_member(struct cg_span member, struct cg_span *key, struct cg_span *bytes)
{
    size_t n = cg_span_find(member, '=');
    struct cg_span value = cg_span_from(member, n + 1);

    *key = cg_span_first(member, n);
    if (!is_key(*key) || value.len < 2 || value.at[0] != ':' || value.at[value.len - 1] != ':')
        return CG_SYNTAX;
    *bytes = cg_span_of(value.at + 1, value.len - 2);
    return is_base64(*bytes) ? CG_OK : CG_SYNTAX;
}

cg_err cg_digest_read(struct cg_span value, struct cg_hash *out)
{
    struct cg_span left = cg_field_trim(value), key, bytes;
    struct cg_hash got;
    bool has = false;

    do {
        size_t n = cg_span_find(left, ',');

        CG_TRY(take_member(cg_field_trim(cg_span_first(left, n)), &key, &bytes));
        if (cg_span_is(key, "sha-256")) {
            size_t len;

            if (has)
                return CG_SCHEMA;
            has = true;
            CG_TRY(cg_base64_read(CG_BASE64, bytes, got.bytes, sizeof got.bytes, &len));
            if (len != sizeof got.bytes)
                return CG_SHORT;
        }
        if (n == left.len)
            break;
        /* A comma at the end leaves an empty member, which is_key refuses. */
        left = cg_span_from(left, n + 1);
    } while (true);
    if (!has)
        return CG_SCHEMA;
    *out = got;
    return CG_OK;
}

void cg_digest_write(const struct cg_hash *digest, struct cg_writer *w)
{
    size_t n = cg_base64_chars(CG_BASE64, CG_HASH_BYTES);

    cg_put_str(w, "sha-256=:");
    uint8_t *room = cg_put_room(w, n);
    if (room)
        cg_base64_write(CG_BASE64, cg_hash_span(digest), (char *)room);
    cg_put_str(w, ":");
}
