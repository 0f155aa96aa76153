#include "lib/wire/writer.h"

#include "lib/base/hex.h"

uint8_t *cg_writer_grow(struct cg_writer *w, size_t n)
{
    struct cg_buf *buf = w->grow;

    if (w->err != CG_OK)
        return NULL;
    w->err = buf ? cg_buf_room(buf, n) : CG_TOO_LARGE;
    if (w->err != CG_OK)
        return NULL;
    buf->len += n;
    w->len += n;
    return buf->at + buf->len - n;
}

void cg_put_decimal(struct cg_writer *w, uint64_t v)
{
    uint8_t digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - ++n] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    cg_put(w, cg_span_of(digits + sizeof digits - n, n));
}

void cg_put_hex(struct cg_writer *w, struct cg_span bytes)
{
    uint8_t *room = cg_put_room(w, bytes.len * 2);

    if (room)
        cg_hex_write(bytes, (char *)room);
}

void cg_put_lp(struct cg_writer *w, struct cg_span bytes)
{
    if (bytes.len > UINT32_MAX)
        cg_writer_fail(w, CG_TOO_LARGE);
    cg_put_u32(w, (uint32_t)bytes.len);
    cg_put(w, bytes);
}

void cg_writer_fail(struct cg_writer *w, cg_err err)
{
    if (w->err == CG_OK)
        w->err = err;
}

cg_err cg_writer_end(const struct cg_writer *w)
{
    return w->err;
}
