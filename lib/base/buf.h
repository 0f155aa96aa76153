/* buf.h: bytes we own, that may grow up to a maximum stated at the start. */
#ifndef CG_LIB_BASE_BUF_H
#define CG_LIB_BASE_BUF_H
#include <httpcg/err.h>

struct cg_buf {
    uint8_t *at;
    size_t len;
    size_t cap;
    size_t max;
};

/* cg_buf_init makes an empty buffer that never holds more than max bytes; it allocates nothing yet.
 * A zeroed struct is a valid empty buffer of maximum 0. */
void cg_buf_init(struct cg_buf *buf, size_t max);
/* cg_buf_done frees; the buffer is then as zeroed. */
void cg_buf_done(struct cg_buf *buf);
/* cg_buf_wipe overwrites what was held, then frees: for anything that held secrets. */
void cg_buf_wipe(struct cg_buf *buf);
/* cg_buf_room makes sure that n more bytes fit behind len.
 * Errors  CG_TOO_LARGE, CG_NO_MEMORY; the contents stay as they were. */
CG_MUST_USE cg_err cg_buf_room(struct cg_buf *buf, size_t n);
/* cg_buf_add appends; errors as cg_buf_room, nothing is then added. */
CG_MUST_USE cg_err cg_buf_add(struct cg_buf *buf, struct cg_span bytes);
/* cg_buf_drop forgets the first n bytes and moves the rest to the front. */
void cg_buf_drop(struct cg_buf *buf, size_t n);
/* cg_buf_clear empties and keeps the memory. */
void cg_buf_clear(struct cg_buf *buf);

static inline struct cg_span cg_buf_span(const struct cg_buf *buf)
{
    return (struct cg_span){buf->at, buf->len};
}

#endif
