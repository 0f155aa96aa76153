#include "lib/wire/reader.h"

#include "lib/base/span.h"

struct cg_reader cg_reader_of(struct cg_span wire)
{
    return (struct cg_reader){.left = wire};
}

struct cg_span cg_read_bytes(struct cg_reader *r, size_t n)
{
    if (r->err != CG_OK)
        return (struct cg_span){NULL, 0};
    if (n > r->left.len) {
        r->err = CG_SHORT;
        return (struct cg_span){NULL, 0};
    }
    struct cg_span got = cg_span_first(r->left, n);
    r->left = cg_span_from(r->left, n);
    return got;
}

static uint64_t big_endian(struct cg_reader *r, size_t n)
{
    struct cg_span bytes = cg_read_bytes(r, n);
    uint64_t v = 0;

    for (size_t i = 0; i < bytes.len; i++)
        v = v << 8 | bytes.at[i];
    return v;
}

uint8_t cg_read_u8(struct cg_reader *r)
{
    return (uint8_t)big_endian(r, 1);
}

uint16_t cg_read_u16(struct cg_reader *r)
{
    return (uint16_t)big_endian(r, 2);
}

uint32_t cg_read_u32(struct cg_reader *r)
{
    return (uint32_t)big_endian(r, 4);
}

uint64_t cg_read_u64(struct cg_reader *r)
{
    return big_endian(r, 8);
}

struct cg_span cg_read_lp(struct cg_reader *r)
{
    return cg_read_bytes(r, cg_read_u32(r));
}

cg_err cg_reader_end(const struct cg_reader *r)
{
    if (r->err != CG_OK)
        return r->err;
    return r->left.len == 0 ? CG_OK : CG_EXTRA;
}
