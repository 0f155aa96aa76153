/* h2_out.c: what we send: heads are handed to the library, which keeps a copy; body bytes go from
 * the exchange's ring straight into the buffer being pulled. */
#include <assert.h>
#include <string.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/h2_own.h"

#define FRAME_HEAD_BYTES 9
/* Below so much room a pull rather ends than cuts a frame to crumbs. */
#define LEAST_ROOM 512
#define PSEUDO_MAX 5
#define PAD_MAX 256 /* RFC 9113, 6.2 */

/* Ten kilobytes: n is set by hand, so that the rest is not cleared for every message. */
struct fields {
    size_t n;
    nghttp2_nv nv[CG_HEAD_MAX_FIELDS + PSEUDO_MAX + 1];
};

/* nghttp2 takes mutable pointers and does not write through them. */
static nghttp2_nv nv_of(struct cg_span name, struct cg_span value, bool never_index)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.at,
        .namelen = name.len,
        .value = (uint8_t *)(uintptr_t)value.at,
        .valuelen = value.len,
        .flags = never_index ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE,
    };
}

static void add(struct fields *fields, struct cg_span name, struct cg_span value)
{
    fields->nv[fields->n++] = nv_of(name, value, false);
}

/* RFC 9113, 8.2.2: fields of the connection do not exist here; Host is :authority; the length is
 * the head's own member. */
static bool is_sent(const struct cg_field *field)
{
    switch (field->token) {
    case CG_TOKEN_CONNECTION:
    case CG_TOKEN_KEEP_ALIVE:
    case CG_TOKEN_PROXY_CONNECTION:
    case CG_TOKEN_TRANSFER_ENCODING:
    case CG_TOKEN_UPGRADE:
    case CG_TOKEN_HTTP2_SETTINGS:
    case CG_TOKEN_HOST:
    case CG_TOKEN_CONTENT_LENGTH:
        return false;
    case CG_TOKEN_TE:
        return cg_span_eq_nocase(field->value, CG_LIT("trailers"));
    default:
        return true;
    }
}

static void add_fields(struct fields *fields, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct cg_field *field = &head->fields[i];
        if (is_sent(field))
            fields->nv[fields->n++] = nv_of(field->name, field->value, field->never_index);
    }
}

static struct cg_span decimal(uint64_t number, uint8_t digits[static 20])
{
    size_t at = 20;

    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number);
    return cg_span_of(digits + at, 20 - at);
}

static void add_length(struct fields *fields, int64_t length, uint8_t digits[static 20])
{
    if (length >= 0)
        add(fields, CG_LIT("content-length"), decimal((uint64_t)length, digits));
}

static cg_err of_library(int rv)
{
    if (rv >= 0)
        return CG_OK;
    return rv == NGHTTP2_ERR_NOMEM ? CG_NO_MEMORY : CG_INTERNAL;
}

/* --- body --- */

static bool submit_trailers(nghttp2_session *session, int32_t id, const struct cg_head *trailers)
{
    struct fields fields;

    fields.n = 0;
    add_fields(&fields, trailers);
    return nghttp2_submit_trailer(session, id, fields.nv, fields.n) == 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *unused, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct cg_exchange *x = source->ptr;
    size_t n = x->out_ring.len < length ? x->out_ring.len : length;

    (void)unused, (void)user;
    if (cg_exchange_is(x, CG_S_OVER) || (n == 0 && !cg_exchange_is(x, CG_S_OUT_END))) {
        x->state |= CG_S_PARKED;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n < x->out_ring.len || !cg_exchange_is(x, CG_S_OUT_END))
        return (ssize_t)n;

    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (x->trailers_out) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (!submit_trailers(session, id, x->trailers_out))
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

/* As large as everybody allows, and no larger than what still fits, so that a frame never waits
 * half written. */
static ssize_t limit_body(nghttp2_session *session, uint8_t type, int32_t id, int32_t connection,
                          int32_t stream, uint32_t frame_max, void *user)
{
    struct cg_h2 *h2 = user;
    size_t n = h2->out->max - h2->out->len - FRAME_HEAD_BYTES;

    (void)session, (void)type, (void)id;
    if (n > frame_max)
        n = frame_max;
    if (n > (size_t)connection)
        n = (size_t)connection;
    if (n > (size_t)stream)
        n = (size_t)stream;
    return (ssize_t)n;
}

static int send_body(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t length, nghttp2_data_source *source, void *user)
{
    struct cg_h2 *h2 = user;
    struct cg_exchange *x = source->ptr;
    struct cg_buf *out = h2->out;

    (void)session;
    assert(frame->data.padlen == 0);
    if (cg_buf_room(out, FRAME_HEAD_BYTES + length) != CG_OK)
        return NGHTTP2_ERR_WOULDBLOCK;
    memcpy(out->at + out->len, head, FRAME_HEAD_BYTES);
    cg_ring_get(&x->out_ring, out->at + out->len + FRAME_HEAD_BYTES, length);
    out->len += FRAME_HEAD_BYTES + length;
    cg_exchange_moved_out(x, length);
    /* The library goes on to the next frame by itself; it must not begin one that does not fit. */
    return out->max - out->len < LEAST_ROOM ? NGHTTP2_ERR_PAUSE : 0;
}

void cg_h2_more(struct cg_exchange *x)
{
    struct cg_h2 *h2 = cg_h2_of(x->engine);

    if (!cg_exchange_is(x, CG_S_PARKED))
        return;
    x->state &= ~CG_S_PARKED;
    /* Fails only for a stream that is gone, which has been or will be reported. */
    (void)nghttp2_session_resume_data(h2->session, (int32_t)x->id);
}

/* --- heads --- */

cg_err cg_h2_begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                   struct cg_exchange **out)
{
    struct cg_h2 *h2 = cg_h2_of(e);
    struct fields fields;
    uint8_t digits[20];
    bool is_plain_connect = cg_span_is(head->method, "CONNECT") && head->protocol.len == 0;

    if (head->method.len == 0 || head->authority.len == 0 ||
        (!is_plain_connect && (head->scheme.len == 0 || head->path.len == 0)))
        return CG_SYNTAX;
    struct cg_exchange *x = cg_exchange_make(e, 0);
    if (!x)
        return CG_NO_MEMORY;

    fields.n = 0;
    add(&fields, CG_LIT(":method"), head->method);
    if (!is_plain_connect) {
        add(&fields, CG_LIT(":scheme"), head->scheme);
        add(&fields, CG_LIT(":path"), head->path);
    }
    add(&fields, CG_LIT(":authority"), head->authority);
    if (head->protocol.len)
        add(&fields, CG_LIT(":protocol"), head->protocol);
    add_fields(&fields, head);
    add_length(&fields, head->content_length, digits);

    nghttp2_data_provider body = {.source.ptr = x, .read_callback = read_body};
    int32_t id =
        nghttp2_submit_request(h2->session, NULL, fields.nv, fields.n, is_end ? NULL : &body, x);
    if (id < 0) {
        x->state |= CG_S_OVER | CG_S_RELEASED;
        cg_exchange_off_wire(x);
        return of_library(id);
    }
    x->id = (uint32_t)id;
    x->state |= CG_S_WIRE | CG_S_OUT_HEAD | (is_end ? CG_S_OUT_END : 0);
    x->out_left = is_end                     ? 0
                  : head->content_length < 0 ? UINT64_MAX
                                             : (uint64_t)head->content_length;
    if (cg_span_is(head->method, "HEAD"))
        x->state |= CG_S_IS_HEAD;
    *out = x;
    return CG_OK;
}

static struct cg_span status_text(int status, uint8_t digits[static 3])
{
    digits[0] = (uint8_t)('0' + status / 100);
    digits[1] = (uint8_t)('0' + status / 10 % 10);
    digits[2] = (uint8_t)('0' + status % 10);
    return cg_span_of(digits, 3);
}

cg_err cg_h2_inform(struct cg_exchange *x, int status, const struct cg_head *head)
{
    struct cg_h2 *h2 = cg_h2_of(x->engine);
    struct fields fields;
    uint8_t digits[3];

    fields.n = 0;
    add(&fields, CG_LIT(":status"), status_text(status, digits));
    if (head)
        add_fields(&fields, head);
    return of_library(nghttp2_submit_headers(h2->session, NGHTTP2_FLAG_NONE, (int32_t)x->id, NULL,
                                             fields.nv, fields.n, NULL));
}

cg_err cg_h2_answer(struct cg_exchange *x, const struct cg_head *head, bool is_end)
{
    struct cg_h2 *h2 = cg_h2_of(x->engine);
    struct fields fields;
    uint8_t digits[3], length[20];

    fields.n = 0;
    add(&fields, CG_LIT(":status"), status_text(head->status, digits));
    add_fields(&fields, head);
    if (head->status != 204)
        add_length(&fields, head->content_length, length);
    nghttp2_data_provider body = {.source.ptr = x, .read_callback = read_body};
    return of_library(nghttp2_submit_response(h2->session, (int32_t)x->id, fields.nv, fields.n,
                                              is_end ? NULL : &body));
}

/* --- pull --- */

static cg_err take_leftover(struct cg_h2 *h2, struct cg_buf *out)
{
    struct cg_span part = cg_span_first(h2->leftover, out->max - out->len);

    CG_TRY(cg_buf_add(out, part));
    h2->leftover = cg_span_from(h2->leftover, part.len);
    return CG_OK;
}

static cg_err pull(struct cg_h2 *h2, struct cg_buf *out)
{
    for (;;) {
        const uint8_t *bytes;

        CG_TRY(take_leftover(h2, out));
        if (h2->leftover.len || out->max - out->len < LEAST_ROOM)
            return CG_OK;
        ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);
        if (n < 0)
            return n == NGHTTP2_ERR_NOMEM ? CG_NO_MEMORY : CG_INTERNAL;
        if (n == 0)
            return CG_OK;
        h2->leftover = cg_span_of(bytes, (size_t)n);
    }
}

cg_err cg_h2_pull(struct cg_engine *e, struct cg_buf *out)
{
    struct cg_h2 *h2 = cg_h2_of(e);

    h2->out = out;
    cg_err err = pull(h2, out);
    h2->out = NULL;
    if (h2->is_flooded && e->state != CG_ENGINE_CLOSED) {
        cg_h2_end(h2, NGHTTP2_ENHANCE_YOUR_CALM, CG_RATE);
        return CG_OK; /* the next pull says goodbye */
    }
    if (err != CG_OK)
        cg_engine_close(e, err);
    else if (h2->is_broken)
        cg_engine_close(e, CG_PROTOCOL); /* keeps an earlier reason of ours */
    else if (e->state != CG_ENGINE_CLOSED && !nghttp2_session_want_read(h2->session) &&
             !nghttp2_session_want_write(h2->session))
        cg_engine_close(e, CG_OK);
    return err;
}

static ssize_t pad_head(nghttp2_session *session, const nghttp2_frame *frame, size_t max,
                        void *user)
{
    const struct cg_h2 *h2 = user;
    size_t to = h2->base.conf.pad_heads_to, len = frame->hd.length;

    (void)session;
    if (to > PAD_MAX)
        to = PAD_MAX;
    if (to < 2 || frame->hd.type != NGHTTP2_HEADERS)
        return (ssize_t)len;
    size_t want = (len + to - 1) / to * to;
    return (ssize_t)(want < max ? want : max);
}

void cg_h2_out_install(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_body);
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, limit_body);
    nghttp2_session_callbacks_set_select_padding_callback(callbacks, pad_head);
}
