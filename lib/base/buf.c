#include "lib/base/buf.h"

#include "lib/base/secret.h"
#include "lib/base/try.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256

void cg_buf_init(struct cg_buf *buf, size_t max)
{
    *buf = (struct cg_buf){.max = max};
}

void cg_buf_done(struct cg_buf *buf)
{
    free(buf->at);
    *buf = (struct cg_buf){0};
}

void cg_buf_wipe(struct cg_buf *buf)
{
    if (buf->at)
        cg_wipe(buf->at, buf->cap);
    cg_buf_done(buf);
}

cg_err cg_buf_room(struct cg_buf *buf, size_t n)
{
    if (n > buf->max - buf->len)
        return CG_TOO_LARGE;

    size_t need = buf->len + n;
    if (need <= buf->cap)
        return CG_OK;

    size_t cap = buf->cap ? buf->cap : FIRST_BYTES;
    while (cap < need)
        cap = cap > buf->max / 2 ? buf->max : cap * 2;
    if (cap > buf->max)
        cap = buf->max;

    /* Not realloc: what it leaves behind could not be wiped. */
    uint8_t *at = malloc(cap);
    if (!at)
        return CG_NO_MEMORY;
    if (buf->len)
        memcpy(at, buf->at, buf->len);
    if (buf->at)
        cg_wipe(buf->at, buf->len);
    free(buf->at);
    buf->at = at;
    buf->cap = cap;
    return CG_OK;
}

cg_err cg_buf_add(struct cg_buf *buf, struct cg_span bytes)
{
    CG_TRY(cg_buf_room(buf, bytes.len));
    if (bytes.len)
        memcpy(buf->at + buf->len, bytes.at, bytes.len);
    buf->len += bytes.len;
    return CG_OK;
}

void cg_buf_drop(struct cg_buf *buf, size_t n)
{
    assert(n <= buf->len);
    buf->len -= n;
    if (buf->len && n)
        memmove(buf->at, buf->at + n, buf->len);
}

void cg_buf_clear(struct cg_buf *buf)
{
    buf->len = 0;
}
