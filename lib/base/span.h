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
struct cg_span cg_span_of(const void *at, size_t len);
/* cg_span_str borrows a C string, without its NUL; NULL gives the empty span. */
struct cg_span cg_span_str(const char *s);
/* cg_span_eq compares public bytes; secrets have cg_secret_eq. */
bool cg_span_eq(struct cg_span a, struct cg_span b);
/* cg_span_is tells whether a span holds exactly the text of a C string. */
bool cg_span_is(struct cg_span a, const char *s);
/* cg_span_eq_nocase compares, taking ASCII letters alike in either case. */
bool cg_span_eq_nocase(struct cg_span a, struct cg_span b);
bool cg_span_starts(struct cg_span a, struct cg_span prefix);
bool cg_span_ends(struct cg_span a, struct cg_span suffix);
/* cg_span_cmp orders bytewise, the shorter first where one begins the other. */
int cg_span_cmp(struct cg_span a, struct cg_span b);
/* cg_span_from gives what is left after the first n bytes; n over the length gives nothing. */
struct cg_span cg_span_from(struct cg_span a, size_t n);
/* cg_span_first gives the first n bytes at most. */
struct cg_span cg_span_first(struct cg_span a, size_t n);
/* cg_span_find gives the place of the first c, or a.len. */
size_t cg_span_find(struct cg_span a, uint8_t c);

/* cg_span_end gives where a span ends; an empty one may have no address to count from. */
static inline const uint8_t *cg_span_end(struct cg_span a)
{
    return a.len > 0 ? a.at + a.len : a.at;
}

bool cg_hash_eq(const struct cg_hash *a, const struct cg_hash *b);

static inline struct cg_span cg_hash_span(const struct cg_hash *h)
{
    return (struct cg_span){h->bytes, CG_HASH_BYTES};
}

#endif
