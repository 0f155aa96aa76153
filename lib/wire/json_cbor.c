/* The same data in the other notation: JSON is how people write a policy, deterministic CBOR is
 * what is hashed and signed. */
#include "lib/wire/json.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/cbor.h"

/* Members of one object; a policy's largest object has about a dozen. */
#define MEMBERS_MAX 64
#define ELEMENTS_MAX 4096

struct member {
    struct cg_span key;
    struct cg_span value;
};

static void skip_space(struct cg_span *left)
{
    while (left->len > 0 && (left->at[0] == ' ' || left->at[0] == '\t' || left->at[0] == '\n' ||
                             left->at[0] == '\r'))
        *left = cg_span_from(*left, 1);
}

/* Where a value ends that is known to be well-formed. */
static struct cg_span take_raw(struct cg_span *left)
{
    size_t open = 0, i = 0;
    bool in_text = false;

    skip_space(left);
    for (; i < left->len; i++) {
        uint8_t c = left->at[i];

        if (c == '"')
            in_text = !in_text;
        else if (in_text)
            continue;
        else if (c == '{' || c == '[')
            open++;
        else if (open == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        else if (c == '}' || c == ']')
            open--;
    }
    struct cg_span raw = cg_span_first(*left, i);
    *left = cg_span_from(*left, i);
    while (raw.len > 0 && raw.at[raw.len - 1] <= ' ')
        raw.len--;
    return raw;
}

static cg_err put(struct cg_span value, struct cg_writer *out);

/* RFC 8949, 4.2.1: keys in the bytewise order of their encodings; for text that is the shorter
 * first, then bytewise. */
static int order(const struct member *a, const struct member *b)
{
    if (a->key.len != b->key.len)
        return a->key.len < b->key.len ? -1 : 1;
    return cg_span_cmp(a->key, b->key);
}

static cg_err put_object(struct cg_span inside, struct cg_writer *out)
{
    struct member members[MEMBERS_MAX];
    size_t n = 0;

    for (skip_space(&inside); inside.len > 0 && inside.at[0] != '}'; skip_space(&inside)) {
        struct member m;

        if (n == MEMBERS_MAX)
            return CG_TOO_LARGE;
        if (inside.at[0] == ',')
            inside = cg_span_from(inside, 1);
        skip_space(&inside);
        inside = cg_span_from(inside, 1); /* the opening quote */
        m.key = cg_span_first(inside, cg_span_find(inside, '"'));
        inside = cg_span_from(inside, m.key.len + 1);
        skip_space(&inside);
        inside = cg_span_from(inside, 1); /* the colon */
        m.value = take_raw(&inside);

        size_t at = n++;
        for (; at > 0 && order(&m, &members[at - 1]) < 0; at--)
            members[at] = members[at - 1];
        if (at > 0 && order(&m, &members[at - 1]) == 0)
            return CG_SCHEMA;
        members[at] = m;
    }
    cg_cbor_put_map(out, n);
    for (size_t i = 0; i < n; i++) {
        cg_cbor_put_text(out, members[i].key);
        CG_TRY(put(members[i].value, out));
    }
    return CG_OK;
}

static cg_err put_array(struct cg_span inside, struct cg_writer *out)
{
    struct cg_span count = inside;
    size_t n = 0;

    for (skip_space(&count); count.len > 0 && count.at[0] != ']'; skip_space(&count)) {
        if (count.at[0] == ',')
            count = cg_span_from(count, 1);
        take_raw(&count);
        if (++n > ELEMENTS_MAX)
            return CG_TOO_LARGE;
    }
    cg_cbor_put_array(out, n);
    for (size_t i = 0; i < n; i++) {
        skip_space(&inside);
        if (i > 0)
            inside = cg_span_from(inside, 1);
        CG_TRY(put(take_raw(&inside), out));
    }
    return CG_OK;
}

static cg_err put(struct cg_span value, struct cg_writer *out)
{
    uint64_t v = 0;

    switch (value.at[0]) {
    case '{':
        return put_object(cg_span_from(value, 1), out);
    case '[':
        return put_array(cg_span_from(value, 1), out);
    case '"':
        cg_cbor_put_text(out, cg_span_of(value.at + 1, value.len - 2));
        return CG_OK;
    case 't':
    case 'f':
        cg_cbor_put_bool(out, value.at[0] == 't');
        return CG_OK;
    default:
        for (size_t i = 0; i < value.len; i++)
            v = v * 10 + (uint64_t)(value.at[i] - '0');
        cg_cbor_put_uint(out, v);
        return CG_OK;
    }
}

cg_err cg_json_to_cbor(struct cg_span text, struct cg_writer *out)
{
    CG_TRY(cg_json_check(text, CG_JSON_DOCUMENT));
    skip_space(&text);
    CG_TRY(put(take_raw(&text), out));
    return cg_writer_end(out);
}
