/* span.h: making, comparing and cutting borrowed bytes. */
#ifndef CG_LIB_BASE_SPAN_H
#define CG_LIB_BASE_SPAN_H
#include <httpcg/base.h>
#include <string.h>

/* CG_LIT makes a span of a string literal, without its NUL. */
#define CG_LIT(s) ((struct cg_span){(const uint8_t *)("" s), sizeof(s) - 1})
/* CG_BYTES makes a span of a byte array (not of a pointer). */
#define CG_BYTES(array) ((struct cg_span){(array), sizeof(array)})

/* cg_span_of borrows len bytes at at. */
static inline struct cg_span cg_span_of(const void *at, size_t len)
{
    return (struct cg_span){(const uint8_t *)at, len};
}

/* cg_span_str borrows a C string, without its NUL; NULL gives the empty span. */
static inline struct cg_span cg_span_str(const char *s)
{
    return s ? (struct cg_span){(const uint8_t *)s, strlen(s)} : (struct cg_span){NULL, 0};
}

/* cg_span_eq compares public bytes; secrets have cg_secret_eq. */
static inline bool cg_span_eq(struct cg_span a, struct cg_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* cg_span_is tells whether a span holds exactly the text of a C string. */
static inline bool cg_span_is(struct cg_span a, const char *s)
{
    return cg_span_eq(a, cg_span_str(s));
}

/* cg_span_from gives what is left after the first n bytes; n over the length gives nothing. */
static inline struct cg_span cg_span_from(struct cg_span a, size_t n)
{
    if (n >= a.len)
        return (struct cg_span){NULL, 0};
    return (struct cg_span){a.at + n, a.len - n};
}

/* cg_span_first gives the first n bytes at most. */
static inline struct cg_span cg_span_first(struct cg_span a, size_t n)
{
    return (struct cg_span){a.at, n < a.len ? n : a.len};
}

static inline bool cg_span_starts(struct cg_span a, struct cg_span prefix)
{
    return a.len >= prefix.len && cg_span_eq(cg_span_first(a, prefix.len), prefix);
}

/* cg_span_eq_nocase compares, taking ASCII letters alike in either case. */
bool cg_span_eq_nocase(struct cg_span a, struct cg_span b);
bool cg_span_ends(struct cg_span a, struct cg_span suffix);
/* cg_span_cmp orders bytewise, the shorter first where one begins the other. */
int cg_span_cmp(struct cg_span a, struct cg_span b);
/* cg_span_find gives the place of the first c, or a.len. */
size_t cg_span_find(struct cg_span a, uint8_t c);

/* cg_span_end gives where a span ends; an empty one may have no address to count from. */
static inline const uint8_t *cg_span_end(struct cg_span a)
{
    return a.len > 0 ? a.at + a.len : a.at;
}

static inline bool cg_hash_eq(const struct cg_hash *a, const struct cg_hash *b)
{
    return memcmp(a->bytes, b->bytes, CG_HASH_BYTES) == 0;
}

static inline struct cg_span cg_hash_span(const struct cg_hash *h)
{
    return (struct cg_span){h->bytes, CG_HASH_BYTES};
}

#endif
