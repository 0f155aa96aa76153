#include "lib/wire/tup.h"

#include <assert.h>

struct cg_tup cg_tup_begin(struct cg_writer *w, const char *label, uint8_t n_fields)
{
    cg_put_lp(w, cg_span_str(label));
    cg_put_u8(w, n_fields);
    return (struct cg_tup){w, n_fields};
}

void cg_tup_open(struct cg_tup *t, size_t len)
{
    assert(t->left > 0);
    t->left--;
    if (len > UINT32_MAX)
        cg_writer_fail(t->w, CG_TOO_LARGE);
    cg_put_u32(t->w, (uint32_t)len);
}

void cg_tup_bytes(struct cg_tup *t, struct cg_span bytes)
{
    cg_tup_open(t, bytes.len);
    cg_put(t->w, bytes);
}

void cg_tup_text(struct cg_tup *t, const char *text)
{
    cg_tup_bytes(t, cg_span_str(text));
}

void cg_tup_hash(struct cg_tup *t, const struct cg_hash *hash)
{
    cg_tup_bytes(t, cg_hash_span(hash));
}

void cg_tup_u8(struct cg_tup *t, uint8_t v)
{
    cg_tup_open(t, 1);
    cg_put_u8(t->w, v);
}

void cg_tup_u16(struct cg_tup *t, uint16_t v)
{
    cg_tup_open(t, 2);
    cg_put_u16(t->w, v);
}

void cg_tup_u32(struct cg_tup *t, uint32_t v)
{
    cg_tup_open(t, 4);
    cg_put_u32(t->w, v);
}

void cg_tup_u64(struct cg_tup *t, uint64_t v)
{
    cg_tup_open(t, 8);
    cg_put_u64(t->w, v);
}

void cg_tup_list(struct cg_tup *t, const struct cg_span *items, size_t n_items)
{
    size_t len = 2;

    if (n_items > UINT16_MAX) {
        cg_writer_fail(t->w, CG_TOO_LARGE);
        n_items = 0;
    }
    for (size_t i = 0; i < n_items; i++)
        len += 4 + items[i].len;
    cg_tup_open(t, len);
    cg_put_u16(t->w, (uint16_t)n_items);
    for (size_t i = 0; i < n_items; i++)
        cg_put_lp(t->w, items[i]);
}

cg_err cg_tup_end(const struct cg_tup *t)
{
    assert(t->left == 0);
    return cg_writer_end(t->w);
}
