/* json: the strict reader beside another one (jansson). What ours takes, the other takes with the
 * same meaning; what the other takes, ours does too unless one of the narrowed rules says why not.
 */
#include "lib/wire/json.h"
#include "fuzz/fuzz.h"
#include "lib/base/limits.h"
#include "lib/wire/cbor.h"

#include <jansson.h>
#include <stdlib.h>

static int by_encoding(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    if (strlen(x) != strlen(y))
        return strlen(x) < strlen(y) ? -1 : 1;
    return strcmp(x, y);
}

/* The deterministic CBOR of a value, made by another hand; false: not one of the narrowed form. */
static bool put(json_t *value, unsigned depth, struct cg_writer *w)
{
    const char *keys[64], *key;
    json_t *item;
    size_t n = 0, i;
    bool good = depth <= CG_JSON_MAX_DEPTH;

    if (json_is_string(value)) {
        cg_cbor_put_text(w, cg_span_of(json_string_value(value), json_string_length(value)));
    } else if (json_is_boolean(value)) {
        cg_cbor_put_bool(w, json_is_true(value));
    } else if (json_is_integer(value)) {
        good = json_integer_value(value) >= 0 &&
               (uint64_t)json_integer_value(value) <= CG_JSON_MAX_INT;
        cg_cbor_put_uint(w, (uint64_t)json_integer_value(value));
        return good;
    } else if (json_is_array(value)) {
        cg_cbor_put_array(w, json_array_size(value));
        good &= json_array_size(value) <= 4096;
        json_array_foreach(value, i, item) good &= put(item, depth + 1, w);
        return good;
    } else if (json_is_object(value)) {
        json_object_foreach(value, key, item) if (n < 64) keys[n++] = key;
        qsort(keys, n, sizeof keys[0], by_encoding);
        cg_cbor_put_map(w, n);
        for (i = 0; i < n; i++) {
            cg_cbor_put_text(w, cg_span_str(keys[i]));
            good &= put(json_object_get(value, keys[i]), depth + 1, w);
        }
        return good && n == json_object_size(value);
    } else {
        return false;
    }
    return true;
}

/* Whether text has only bytes of the narrowed form. A minus, good in texts alone, is left out. */
static bool has_plain_bytes(struct cg_span text, bool *is_one_line)
{
    bool is_plain = true;

    *is_one_line = true;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        bool is_space = c == '\t' || c == '\r' || c == '\n';

        *is_one_line &= !is_space;
        is_plain &= is_space || (c >= ' ' && c <= '~' && c != '\\' && c != '-');
    }
    return is_plain;
}

static void check_schema(struct cg_span text, json_t *other)
{
    struct cg_span a, d, e;
    uint64_t b;
    bool c, has[5];
    const struct cg_json_member members[] = {
        {"a", CG_JSON_TEXT, .span = &a, .has = &has[0]},
        {"b", CG_JSON_UINT, .number = &b, .has = &has[1]},
        {"c", CG_JSON_BOOL, .flag = &c, .has = &has[2]},
        {"d", CG_JSON_OBJECT, .span = &d, .has = &has[3]},
        {"e", CG_JSON_ARRAY, .span = &e, .has = &has[4]},
    };

    if (cg_json_object(text, CG_JSON_DOCUMENT, members, 5) != CG_OK)
        return;
    MUST(json_object_size(other) == (size_t)(has[0] + has[1] + has[2] + has[3] + has[4]));
    MUST(!has[0] || cg_span_is(a, json_string_value(json_object_get(other, "a"))));
    MUST(!has[1] || b == (uint64_t)json_integer_value(json_object_get(other, "b")));
    MUST(!has[2] || c == json_is_true(json_object_get(other, "c")));
    MUST(!has[3] || cg_json_check(d, CG_JSON_DOCUMENT) == CG_OK);
    if (!has[4])
        return;
    struct cg_json_array array = cg_json_array_of(e);
    struct cg_json_value value;
    size_t n = 0;
    while (cg_json_array_next(&array, CG_JSON_TEXT, &value))
        MUST(cg_span_is(value.span,
                        json_string_value(json_array_get(json_object_get(other, "e"), n++))));
    MUST(array.err != CG_OK || n == json_array_size(json_object_get(other, "e")));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span text = cg_fuzz_rest(in);
    bool is_one_line, is_plain = has_plain_bytes(text, &is_one_line);
    bool is_good = cg_json_check(text, CG_JSON_DOCUMENT) == CG_OK;
    json_t *other = json_loadb((const char *)text.at, text.len, JSON_DECODE_ANY, NULL);
    json_t *unique =
        json_loadb((const char *)text.at, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    struct cg_buf *cbor = cg_fuzz_buf(in), *want = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(cbor), v = cg_writer_into(want);

    /* No byte may follow in a header, not even a space. */
    is_one_line = is_one_line && text.len > 0 && text.at[text.len - 1] != ' ';
    MUST((cg_json_check(text, CG_JSON_HEADER) == CG_OK) == (is_good && is_one_line));
    MUST(!is_good || other);
    bool is_read = cg_json_to_cbor(text, &w) == CG_OK;
    MUST(!is_read || (is_good && unique));
    if (unique) {
        bool fits = put(unique, 1, &v);
        MUST(!is_read || fits);
        MUST(!fits || !is_plain || is_read);
        check_schema(text, unique);
    }
    if (is_read) {
        struct cg_cbor r = cg_cbor_of(cg_buf_span(cbor));
        MUST_SAME(cg_buf_span(cbor), cg_buf_span(want));
        cg_cbor_item(&r);
        MUST_OK(cg_cbor_end(&r));
    }
    json_decref(other);
    json_decref(unique);
}
