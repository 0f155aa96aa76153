#include "lib/base/span.h"

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

size_t cg_span_find(struct cg_span a, uint8_t c)
{
    const uint8_t *hit = a.len ? memchr(a.at, c, a.len) : NULL;

    return hit ? (size_t)(hit - a.at) : a.len;
}
