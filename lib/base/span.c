#include "lib/base/span.h"

struct cg_span cg_span_of(const void *at, size_t len)
{
    return (struct cg_span){at, len};
}

struct cg_span cg_span_str(const char *s)
{
    return s ? (struct cg_span){(const uint8_t *)s, strlen(s)} : (struct cg_span){NULL, 0};
}

bool cg_span_eq(struct cg_span a, struct cg_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool cg_span_is(struct cg_span a, const char *s)
{
    return cg_span_eq(a, cg_span_str(s));
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool cg_span_eq_nocase(struct cg_span a, struct cg_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

bool cg_span_starts(struct cg_span a, struct cg_span prefix)
{
    return a.len >= prefix.len && cg_span_eq(cg_span_first(a, prefix.len), prefix);
}

bool cg_span_ends(struct cg_span a, struct cg_span suffix)
{
    return a.len >= suffix.len && cg_span_eq(cg_span_from(a, a.len - suffix.len), suffix);
}

int cg_span_cmp(struct cg_span a, struct cg_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.at, b.at, n);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

struct cg_span cg_span_from(struct cg_span a, size_t n)
{
    if (n >= a.len)
        return (struct cg_span){NULL, 0};
    return (struct cg_span){a.at + n, a.len - n};
}

struct cg_span cg_span_first(struct cg_span a, size_t n)
{
    return (struct cg_span){a.at, n < a.len ? n : a.len};
}

size_t cg_span_find(struct cg_span a, uint8_t c)
{
    const uint8_t *hit = a.len ? memchr(a.at, c, a.len) : NULL;

    return hit ? (size_t)(hit - a.at) : a.len;
}

bool cg_hash_eq(const struct cg_hash *a, const struct cg_hash *b)
{
    return memcmp(a->bytes, b->bytes, CG_HASH_BYTES) == 0;
}
