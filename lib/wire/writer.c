#include "lib/wire/writer.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"

struct cg_writer cg_writer_fixed(void *at, size_t cap)
{
    return (struct cg_writer){.at = at, .cap = cap};
}

struct cg_writer cg_writer_into(struct cg_buf *buf)
{
    return (struct cg_writer){.grow = buf};
}

uint8_t *cg_put_room(struct cg_writer *w, size_t n)
{
    if (w->err != CG_OK)
        return NULL;
    if (w->grow) {
        w->err = cg_buf_room(w->grow, n);
        if (w->err != CG_OK)
            return NULL;
        uint8_t *room = w->grow->at + w->grow->len;
        w->grow->len += n;
        w->len += n;
        return room;
    }
    if (n > w->cap - w->len) {
        w->err = CG_TOO_LARGE;
        return NULL;
    }
    w->len += n;
    return w->at + w->len - n;
}

void cg_put(struct cg_writer *w, struct cg_span bytes)
{
    if (bytes.len == 0)
        return;
    uint8_t *room = cg_put_room(w, bytes.len);
    if (room)
        memcpy(room, bytes.at, bytes.len);
}

void cg_put_str(struct cg_writer *w, const char *text)
{
    cg_put(w, cg_span_str(text));
}

static void put_be(struct cg_writer *w, uint64_t v, size_t n)
{
    uint8_t *room = cg_put_room(w, n);

    if (!room)
        return;
    for (size_t i = n; i-- > 0; v >>= 8)
        room[i] = (uint8_t)v;
}

void cg_put_u8(struct cg_writer *w, uint8_t v)
{
    put_be(w, v, 1);
}

void cg_put_u16(struct cg_writer *w, uint16_t v)
{
    put_be(w, v, 2);
}

void cg_put_u32(struct cg_writer *w, uint32_t v)
{
    put_be(w, v, 4);
}

void cg_put_u64(struct cg_writer *w, uint64_t v)
{
    put_be(w, v, 8);
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
