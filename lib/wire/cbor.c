#include "lib/wire/cbor.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

struct cg_cbor cg_cbor_of(struct cg_span wire)
{
    return (struct cg_cbor){.left = wire};
}

void cg_cbor_fail(struct cg_cbor *r, cg_err err)
{
    if (r->err == CG_OK)
        r->err = err;
}

enum cg_cbor_type cg_cbor_peek(const struct cg_cbor *r)
{
    if (r->err != CG_OK || r->left.len == 0)
        return CG_CBOR_END;
    return (enum cg_cbor_type)(r->left.at[0] >> 5);
}

/* The argument that follows a head byte, in its shortest form only (RFC 8949, 4.2.1). */
static cg_err take_argument(struct cg_span *left, uint64_t *out)
{
    uint8_t info = left->at[0] & 31;
    size_t n = info < 24 ? 0 : (size_t)1 << (info - 24);
    uint64_t v = 0;

    if (info > 27)
        return CG_CANONICAL; /* reserved, or an indefinite length */
    if (left->len < 1 + n)
        return CG_SHORT;
    if (info < 24)
        v = info;
    for (size_t i = 1; i <= n; i++)
        v = v << 8 | left->at[i];
    if ((n == 1 && v < 24) || (n > 1 && v >> (4 * n) == 0))
        return CG_CANONICAL;
    *left = cg_span_from(*left, 1 + n);
    *out = v;
    return CG_OK;
}

/* Reads a head of one type; the argument is 0 after a failure. */
static uint64_t take_head(struct cg_cbor *r, enum cg_cbor_type type)
{
    uint64_t v = 0;

    if (r->err != CG_OK)
        return 0;
    if (r->left.len == 0)
        r->err = CG_SHORT;
    else if (cg_cbor_peek(r) != type)
        r->err = CG_SCHEMA;
    else
        r->err = take_argument(&r->left, &v);
    return r->err == CG_OK ? v : 0;
}

static struct cg_span take_string(struct cg_cbor *r, enum cg_cbor_type type, size_t max)
{
    uint64_t len = take_head(r, type);

    if (r->err == CG_OK && len > max)
        r->err = CG_TOO_LARGE;
    else if (r->err == CG_OK && len > r->left.len)
        r->err = CG_SHORT;
    if (r->err != CG_OK)
        return (struct cg_span){NULL, 0};
    struct cg_span got = cg_span_first(r->left, (size_t)len);
    r->left = cg_span_from(r->left, (size_t)len);
    return got;
}

uint64_t cg_cbor_uint(struct cg_cbor *r)
{
    return take_head(r, CG_CBOR_UINT);
}

int64_t cg_cbor_int(struct cg_cbor *r)
{
    bool negative = cg_cbor_peek(r) == CG_CBOR_NINT;
    uint64_t v = take_head(r, negative ? CG_CBOR_NINT : CG_CBOR_UINT);

    if (v > INT64_MAX) {
        cg_cbor_fail(r, CG_TOO_LARGE);
        return 0;
    }
    return negative && r->err == CG_OK ? -1 - (int64_t)v : (int64_t)v;
}

struct cg_span cg_cbor_bytes(struct cg_cbor *r, size_t max)
{
    return take_string(r, CG_CBOR_BYTES, max);
}

const uint8_t *cg_cbor_bytes_n(struct cg_cbor *r, size_t n)
{
    struct cg_span got = take_string(r, CG_CBOR_BYTES, n);

    if (r->err == CG_OK && got.len != n)
        r->err = CG_SCHEMA;
    return r->err == CG_OK ? got.at : NULL;
}

void cg_cbor_hash(struct cg_cbor *r, struct cg_hash *out)
{
    const uint8_t *at = cg_cbor_bytes_n(r, CG_HASH_BYTES);

    if (at)
        memcpy(out->bytes, at, CG_HASH_BYTES);
}

static bool is_plain_text(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < 0x20 || text.at[i] > 0x7e)
            return false;
    return true;
}

struct cg_span cg_cbor_text(struct cg_cbor *r, size_t max)
{
    struct cg_span got = take_string(r, CG_CBOR_TEXT, max);

    if (!is_plain_text(got)) {
        cg_cbor_fail(r, CG_SYNTAX);
        return (struct cg_span){NULL, 0};
    }
    return got;
}

struct cg_span cg_cbor_text_any(struct cg_cbor *r, size_t max)
{
    return take_string(r, CG_CBOR_TEXT, max);
}

static bool is_simple(const struct cg_cbor *r, uint8_t head)
{
    return r->err == CG_OK && r->left.len > 0 && r->left.at[0] == head;
}

bool cg_cbor_bool(struct cg_cbor *r)
{
    bool v = is_simple(r, 0xf5);

    if (r->err == CG_OK && r->left.len == 0)
        r->err = CG_SHORT;
    else if (r->err == CG_OK && !v && !is_simple(r, 0xf4))
        r->err = CG_SCHEMA;
    r->left = cg_span_from(r->left, 1);
    return v;
}

bool cg_cbor_null(struct cg_cbor *r)
{
    if (!is_simple(r, 0xf6))
        return false;
    r->left = cg_span_from(r->left, 1);
    return true;
}

static size_t take_count(struct cg_cbor *r, enum cg_cbor_type type, size_t min, size_t max)
{
    uint64_t n = take_head(r, type);

    if (r->err == CG_OK && (n < min || n > max))
        r->err = CG_SCHEMA;
    return r->err == CG_OK ? (size_t)n : 0;
}

size_t cg_cbor_array(struct cg_cbor *r, size_t min, size_t max)
{
    return take_count(r, CG_CBOR_ARRAY, min, max);
}

size_t cg_cbor_map(struct cg_cbor *r, size_t min, size_t max)
{
    return take_count(r, CG_CBOR_MAP, min, max);
}

void cg_cbor_tag(struct cg_cbor *r, uint64_t tag)
{
    if (take_head(r, CG_CBOR_TAG) != tag)
        cg_cbor_fail(r, CG_SCHEMA);
}

bool cg_cbor_key_maybe(struct cg_cbor *r, const char *name)
{
    struct cg_cbor ahead = *r;

    if (cg_cbor_peek(r) != CG_CBOR_TEXT || !cg_span_is(cg_cbor_text(&ahead, 64), name))
        return false;
    *r = ahead;
    return true;
}

void cg_cbor_key(struct cg_cbor *r, const char *name)
{
    if (r->err != CG_OK)
        return;
    struct cg_span got = cg_cbor_text(r, 64);
    if (r->err == CG_TOO_LARGE || (r->err == CG_OK && !cg_span_is(got, name)))
        r->err = CG_SCHEMA;
}

void cg_cbor_int_key(struct cg_cbor *r, int64_t key)
{
    if (cg_cbor_int(r) != key)
        cg_cbor_fail(r, CG_SCHEMA);
}

static cg_err skip(struct cg_span *left, unsigned depth);

/* Keys must rise strictly in the order of their encodings: that is both "sorted" and "no doubles".
 */
static cg_err skip_map(struct cg_span *left, uint64_t n, unsigned depth)
{
    struct cg_span before = {NULL, 0};

    for (uint64_t i = 0; i < n; i++) {
        struct cg_span key = *left;

        CG_TRY(skip(left, depth + 1));
        key.len -= left->len;
        if (i > 0 && cg_span_cmp(before, key) >= 0)
            return CG_CANONICAL;
        before = key;
        CG_TRY(skip(left, depth + 1));
    }
    return CG_OK;
}

/* depth: the outermost item is 1, a tag counts. */
static cg_err skip(struct cg_span *left, unsigned depth)
{
    uint64_t v;

    if (left->len == 0)
        return CG_SHORT;
    if (depth > CG_CBOR_MAX_DEPTH)
        return CG_TOO_LARGE;
    enum cg_cbor_type type = (enum cg_cbor_type)(left->at[0] >> 5);
    if (type == CG_CBOR_SIMPLE) {
        if (left->at[0] < 0xf4 || left->at[0] > 0xf6)
            return CG_SCHEMA;
        *left = cg_span_from(*left, 1);
        return CG_OK;
    }
    CG_TRY(take_argument(left, &v));
    switch (type) {
    case CG_CBOR_BYTES:
    case CG_CBOR_TEXT:
        if (v > left->len)
            return CG_SHORT;
        if (type == CG_CBOR_TEXT && !is_plain_text(cg_span_first(*left, (size_t)v)))
            return CG_SYNTAX;
        *left = cg_span_from(*left, (size_t)v);
        return CG_OK;
    case CG_CBOR_ARRAY:
        for (uint64_t i = 0; i < v; i++)
            CG_TRY(skip(left, depth + 1));
        return CG_OK;
    case CG_CBOR_MAP:
        return skip_map(left, v, depth);
    case CG_CBOR_TAG:
        return skip(left, depth + 1);
    default:
        return CG_OK;
    }
}

struct cg_span cg_cbor_item(struct cg_cbor *r)
{
    struct cg_span item = r->left;

    if (r->err == CG_OK)
        r->err = skip(&r->left, 1);
    if (r->err != CG_OK)
        return (struct cg_span){NULL, 0};
    item.len -= r->left.len;
    return item;
}

cg_err cg_cbor_end(const struct cg_cbor *r)
{
    if (r->err != CG_OK)
        return r->err;
    return r->left.len == 0 ? CG_OK : CG_EXTRA;
}
