/* writer.h: writes bytes into an array of the caller's or a growing buffer, and keeps its first
 * failure: whoever writes asks once, at the end. */
#ifndef CG_LIB_WIRE_WRITER_H
#define CG_LIB_WIRE_WRITER_H
#include "lib/base/buf.h"
#include "lib/base/span.h"

struct cg_writer {
    uint8_t *at; /* the array, where one is used */
    size_t len;  /* written so far, by this writer */
    size_t cap;
    struct cg_buf *grow; /* or the buffer written to */
    cg_err err;
};

/* cg_writer_fixed writes into cap bytes at at; CG_TOO_LARGE when they are used up. */
static inline struct cg_writer cg_writer_fixed(void *at, size_t cap)
{
    return (struct cg_writer){.at = (uint8_t *)at, .cap = cap};
}

/* cg_writer_into appends to a buffer, up to its maximum. */
static inline struct cg_writer cg_writer_into(struct cg_buf *buf)
{
    return (struct cg_writer){.grow = buf};
}

/* cg_writer_grow is cg_put_room's other half: a growing buffer, and failures. */
uint8_t *cg_writer_grow(struct cg_writer *w, size_t n);

/* cg_put_room gives n bytes to fill in later, or NULL after a failure. With a growing buffer the
 * pointer is good until the next write. */
static inline uint8_t *cg_put_room(struct cg_writer *w, size_t n)
{
    if (w->err != CG_OK || w->grow || n > w->cap - w->len)
        return cg_writer_grow(w, n);
    w->len += n;
    return w->at + w->len - n;
}

static inline void cg_put(struct cg_writer *w, struct cg_span bytes)
{
    uint8_t *room = bytes.len ? cg_put_room(w, bytes.len) : NULL;

    if (room)
        memcpy(room, bytes.at, bytes.len);
}

static inline void cg_put_str(struct cg_writer *w, const char *text)
{
    cg_put(w, cg_span_str(text));
}

static inline void cg_put_u8(struct cg_writer *w, uint8_t v)
{
    uint8_t *room = cg_put_room(w, 1);

    if (room)
        room[0] = v;
}

static inline void cg_put_u16(struct cg_writer *w, uint16_t v)
{
    uint8_t *room = cg_put_room(w, 2);

    if (room) {
        room[0] = (uint8_t)(v >> 8);
        room[1] = (uint8_t)v;
    }
}

static inline void cg_put_u32(struct cg_writer *w, uint32_t v)
{
    uint8_t *room = cg_put_room(w, 4);

    if (room) {
        room[0] = (uint8_t)(v >> 24);
        room[1] = (uint8_t)(v >> 16);
        room[2] = (uint8_t)(v >> 8);
        room[3] = (uint8_t)v;
    }
}

static inline void cg_put_u64(struct cg_writer *w, uint64_t v)
{
    cg_put_u32(w, (uint32_t)(v >> 32));
    cg_put_u32(w, (uint32_t)v);
}

/* cg_put_decimal writes a number in decimal digits. */
void cg_put_decimal(struct cg_writer *w, uint64_t v);
/* cg_put_hex writes lower-case hex. */
void cg_put_hex(struct cg_writer *w, struct cg_span bytes);
/* cg_put_lp writes u32(len) and the bytes. */
void cg_put_lp(struct cg_writer *w, struct cg_span bytes);
/* cg_writer_fail notes a failure found by the caller. */
void cg_writer_fail(struct cg_writer *w, cg_err err);
CG_MUST_USE cg_err cg_writer_end(const struct cg_writer *w);

/* cg_writer_span borrows what a fixed writer wrote. */
static inline struct cg_span cg_writer_span(const struct cg_writer *w)
{
    return (struct cg_span){w->at, w->len};
}

#endif
