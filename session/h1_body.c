/* h1_body.c: bodies of a stated length, in chunks, and until the connection's end. */
#include "lib/base/span.h"
#include "lib/wire/field.h"
#include "session/h1_line.h"
#include "session/h1_own.h"

void cg_h1_start_size(struct cg_h1 *h1)
{
    h1->phase = CG_H1_SIZE;
    h1->body_left = 0;
    h1->n_digits = 0;
    h1->ext_bytes = 0;
    h1->in_ext = h1->saw_cr = false;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of "size [;name[=value]] CRLF"; false: malformed. Quoted values and a second extension
 * are, too: parsers do not agree on them. */
static bool take_size_byte(struct cg_h1 *h1, uint8_t c)
{
    if (c == '\r') {
        h1->saw_cr = true;
        return h1->n_digits > 0 && h1->ext_bytes != 1;
    }
    if (h1->in_ext || c == ';') {
        bool is_good = h1->n_digits > 0 &&
                       (h1->in_ext ? c == '=' || cg_field_char(c) != CG_FIELD_OTHER : c == ';');
        h1->in_ext = true;
        h1->ext_total++;
        return is_good && ++h1->ext_bytes <= CG_H1_EXT_MAX_BYTES &&
               h1->ext_total <= CG_H1_EXT_TOTAL_MAX_BYTES;
    }
    int value = hex_value(c);
    if (value < 0 || ++h1->n_digits > CG_H1_SIZE_MAX_DIGITS)
        return false;
    h1->body_left = h1->body_left << 4 | (unsigned)value;
    return true;
}

size_t cg_h1_take_size(struct cg_h1 *h1, struct cg_span in)
{
    bool is_end = false, is_good = true;
    size_t n = 0;

    while (n < in.len && !is_end && is_good) {
        uint8_t c = in.at[n++];
        if (h1->saw_cr)
            is_end = is_good = c == '\n';
        else
            is_good = take_size_byte(h1, c);
    }
    if (!is_good || !cg_h1_parse(h1, cg_span_first(in, n))) {
        cg_h1_spoil(h1, 400, CG_PROTOCOL);
        return in.len;
    }
    if (is_end && h1->body_left == 0)
        cg_h1_collect_anew(h1, CG_H1_TRAILERS);
    else if (is_end)
        h1->phase = CG_H1_CHUNK;
    return n;
}

size_t cg_h1_take_chunk_end(struct cg_h1 *h1, struct cg_span in)
{
    bool is_cr = h1->phase == CG_H1_CHUNK_CR;

    if (in.at[0] != (is_cr ? '\r' : '\n') || !cg_h1_parse(h1, cg_span_first(in, 1))) {
        cg_h1_spoil(h1, 400, CG_PROTOCOL);
        return in.len;
    }
    if (is_cr)
        h1->phase = CG_H1_CHUNK_LF;
    else
        cg_h1_start_size(h1);
    return 1;
}

size_t cg_h1_body_room(const struct cg_h1 *h1)
{
    if (!h1->x || cg_exchange_is(h1->x, CG_S_DISCARD))
        return SIZE_MAX;
    return h1->x->in_ring.max - h1->x->in_ring.len;
}

size_t cg_h1_take_body(struct cg_h1 *h1, struct cg_span in)
{
    size_t n = in.len < cg_h1_body_room(h1) ? in.len : cg_h1_body_room(h1);

    if (h1->phase != CG_H1_TO_EOF && n > h1->body_left)
        n = (size_t)h1->body_left;
    if (n == 0)
        return 0;
    if (!cg_h1_parse(h1, cg_span_first(in, n))) {
        cg_h1_spoil(h1, 400, h1->field_fault != CG_OK ? h1->field_fault : CG_PROTOCOL);
        return in.len;
    }
    if (h1->phase == CG_H1_TO_EOF)
        return n;
    h1->body_left -= n;
    if (h1->body_left > 0)
        return n;
    if (h1->phase == CG_H1_CHUNK)
        h1->phase = CG_H1_CHUNK_CR;
    else if (h1->is_complete)
        cg_h1_finish(h1);
    else
        cg_h1_spoil(h1, 400, CG_PROTOCOL);
    return n;
}
