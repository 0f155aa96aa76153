/* h2_in.c: what the peer sent. The callbacks only fill the exchange they belong to, set its bits
 * and count; nothing here calls a user. */
#include <string.h>

#include "lib/base/span.h"
#include "session/h2_own.h"

static struct cg_exchange *of_stream(struct cg_h2 *h2, int32_t id)
{
    return id > 0 ? nghttp2_session_get_stream_user_data(h2->session, id) : NULL;
}

static int flooded(struct cg_h2 *h2)
{
    h2->is_flooded = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE; /* stops the library here; feed tells the peer */
}

static bool spend_noise(struct cg_h2 *h2)
{
    return cg_h2_spend(&h2->noise, h2->base.now, CG_H2_NOISE_MAX, CG_H2_NOISE_PER_S);
}

/* Each frame's nine bytes, before its payload. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    struct cg_h2 *h2 = user;

    (void)session;
    switch (hd->type) {
    case NGHTTP2_HEADERS:
        h2->continuations = 0;
        h2->block_bytes = hd->length;
        h2->list_bytes = 0;
        h2->head_fault = CG_OK;
        return 0;
    case NGHTTP2_CONTINUATION:
        h2->block_bytes += hd->length;
        if (++h2->continuations > CG_H2_CONTINUATIONS_MAX ||
            h2->block_bytes > CG_H2_BLOCK_MAX_BYTES)
            return flooded(h2);
        return 0;
    case NGHTTP2_DATA:
        if (hd->length > 0 || (hd->flags & NGHTTP2_FLAG_END_STREAM))
            return 0;
        break;
    case NGHTTP2_RST_STREAM:
        return 0; /* counted when it has been understood */
    default:
        break;
    }
    return spend_noise(h2) ? 0 : flooded(h2);
}

/* Asked only so that on_begin_frame is called for frames of unknown types. */
static int unpack_unknown(nghttp2_session *session, void **payload, const nghttp2_frame_hd *hd,
                          void *user)
{
    (void)session, (void)payload, (void)hd, (void)user;
    return NGHTTP2_ERR_CANCEL;
}

void cg_h2_head_ends(struct cg_h2 *h2, int32_t id)
{
    if (h2->head_id == id) {
        h2->head_id = 0;
        h2->base.head_since = CG_NEVER;
    }
}

/* The clock runs only for blocks whose end will be told: those of streams that somebody follows. */
static void start_clock(struct cg_h2 *h2, const struct cg_exchange *x)
{
    bool is_followed = x && !cg_exchange_is(x, CG_S_OVER);

    h2->head_id = is_followed ? (int32_t)x->id : 0;
    h2->base.head_since = is_followed ? h2->base.now : CG_NEVER;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct cg_h2 *h2 = user;
    int32_t id = frame->hd.stream_id;

    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        struct cg_exchange *asked = of_stream(h2, id);
        if (asked) {
            asked->has_answered = true;
            cg_head_init(&h2->interim, &asked->arena);
        }
        start_clock(h2, asked);
        return 0;
    }
    /* What the wire has forgotten and the user has not still counts: cancelled work is work. */
    struct cg_exchange *x = NULL;
    if (h2->base.n_open < h2->base.conf.max_streams)
        x = cg_exchange_make(&h2->base, (uint32_t)id);
    if (!x)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    x->state |= CG_S_WIRE;
    start_clock(h2, x);
    return nghttp2_session_set_stream_user_data(session, id, x);
}

/* --- fields --- */

static void keep(struct cg_h2 *h2, cg_err err)
{
    if (err != CG_OK && h2->head_fault == CG_OK)
        h2->head_fault = err;
}

static void add_pseudo(struct cg_h2 *h2, struct cg_head *head, struct cg_span name,
                       struct cg_span value)
{
    struct cg_span *to = NULL;

    if (cg_span_is(name, ":method"))
        to = &head->method;
    else if (cg_span_is(name, ":scheme"))
        to = &head->scheme;
    else if (cg_span_is(name, ":authority"))
        to = &head->authority;
    else if (cg_span_is(name, ":path"))
        to = &head->path;
    else if (cg_span_is(name, ":protocol"))
        to = &head->protocol;
    if (to)
        keep(h2, cg_arena_copy(head->arena, value, to));
    head->list_bytes += name.len + value.len + 32;
}

/* A response's head and its interim ones begin with the status, which tells them apart. */
static cg_err begin_response(struct cg_h2 *h2, struct cg_exchange *x, struct cg_span value)
{
    int status = value.len == 3
                     ? (value.at[0] - '0') * 100 + (value.at[1] - '0') * 10 + (value.at[2] - '0')
                     : 0;

    if (status < 100 || status > 599)
        return CG_SYNTAX;
    if (status < 200)
        h2->interim.status = status;
    else
        x->in.status = status;
    return CG_OK;
}

static struct cg_head *reading(struct cg_h2 *h2, struct cg_exchange *x)
{
    if (cg_exchange_is(x, CG_S_IN_HEAD))
        return &x->in_trailers;
    if (!x->engine->is_server && x->in.status == 0)
        return &h2->interim;
    return &x->in;
}

static int64_t parse_length(struct cg_span digits)
{
    int64_t n = 0;

    if (digits.len == 0 || digits.len > 18)
        return -1;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return -1;
        n = n * 10 + (digits.at[i] - '0');
    }
    return n;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_at,
                     size_t name_len, const uint8_t *value_at, size_t value_len, uint8_t flags,
                     void *user)
{
    struct cg_h2 *h2 = user;
    struct cg_exchange *x = of_stream(h2, frame->hd.stream_id);
    struct cg_span name = {name_at, name_len}, value = {value_at, value_len};

    (void)session, (void)flags;
    /* Decoded bytes are counted whether or not somebody keeps them: a few compressed ones can make
     * very many (CVE-2016-6581). */
    h2->list_bytes += name_len + value_len + 32;
    if (h2->list_bytes > CG_H2_LIST_MAX_BYTES)
        return flooded(h2);
    if (!x || frame->hd.type != NGHTTP2_HEADERS || h2->head_fault != CG_OK)
        return 0;
    if (h2->list_bytes > h2->base.conf.head_max_bytes) {
        keep(h2, CG_TOO_LARGE);
        return 0;
    }
    if (name_len && name_at[0] == ':') {
        if (!h2->base.is_server)
            keep(h2, begin_response(h2, x, value));
        else
            add_pseudo(h2, &x->in, name, value);
        return 0;
    }
    struct cg_head *head = reading(h2, x);
    keep(h2, cg_head_add_named(head, name, value));
    return 0;
}

/* Without this the library would leave a malformed field out and serve the rest. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *user)
{
    struct cg_h2 *h2 = user;

    (void)session, (void)frame, (void)name, (void)value, (void)flags;
    h2->list_bytes += name_len + value_len + 32;
    keep(h2, CG_SYNTAX);
    return h2->list_bytes > CG_H2_LIST_MAX_BYTES ? flooded(h2) : 0;
}

/* --- whole heads --- */

/* What nghttp2 leaves open: it looks at :path only for the schemes http and https. */
static int judge_request(const struct cg_h2 *h2, const struct cg_head *head)
{
    if (head->scheme.len + head->authority.len + head->path.len > h2->base.conf.uri_max_bytes)
        return 414;
    for (size_t i = 0; i < head->path.len; i++)
        if (head->path.at[i] <= 0x20 || head->path.at[i] >= 0x7f || head->path.at[i] == '#')
            return 400;
    for (size_t i = 0; i < head->authority.len; i++)
        if (head->authority.at[i] <= 0x20 || head->authority.at[i] >= 0x7f ||
            head->authority.at[i] == '@' || head->authority.at[i] == '/')
            return 400;
    if (cg_span_is(head->method, "CONNECT") && head->protocol.len == 0)
        return 405;
    if (head->path.len == 0 || head->path.at[0] != '/')
        return 400;
    return 0;
}

static void finish_request(struct cg_h2 *h2, struct cg_exchange *x)
{
    struct cg_head *head = &x->in;
    int status = 0;

    x->state |= CG_S_IN_HEAD;
    head->content_length = parse_length(cg_head_value(head, CG_TOKEN_CONTENT_LENGTH));
    if (cg_span_is(head->method, "HEAD"))
        x->state |= CG_S_IS_HEAD;
    if (h2->head_fault == CG_TOO_LARGE)
        status = 431;
    else if (h2->head_fault != CG_OK)
        status = 400;
    else
        status = judge_request(h2, head);
    if (status) {
        cg_exchange_refuse(x, status, h2->head_fault != CG_OK ? h2->head_fault : CG_PROTOCOL);
        return;
    }
    x->expects_continue =
        cg_span_eq_nocase(cg_head_value(head, CG_TOKEN_EXPECT), CG_LIT("100-continue"));
    cg_h2_earn(&h2->noise, CG_H2_NOISE_PER_REQUEST, CG_H2_NOISE_MAX);
    cg_exchange_note(x, CG_X_HEAD);
}

/* Over at once: a message that is no good has no end, whatever its last frame's flags say. */
static int spoil(struct cg_h2 *h2, struct cg_exchange *x, uint32_t code, cg_err fault)
{
    cg_exchange_over(x, code, false, fault);
    return nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, (int32_t)x->id, code);
}

static int finish_headers(struct cg_h2 *h2, struct cg_exchange *x)
{
    if (h2->base.is_server && !cg_exchange_is(x, CG_S_IN_HEAD)) {
        finish_request(h2, x);
        return 0;
    }
    if (h2->head_fault != CG_OK)
        return spoil(h2, x, NGHTTP2_INTERNAL_ERROR, h2->head_fault);
    if (cg_exchange_is(x, CG_S_IN_HEAD)) {
        cg_exchange_note(x, CG_X_TRAILERS);
    } else if (x->in.status == 0) {
        if (++x->n_informs > CG_INFORMS_MAX)
            return spoil(h2, x, NGHTTP2_PROTOCOL_ERROR, CG_PROTOCOL);
        x->inform = h2->interim;
        cg_exchange_note(x, CG_X_INFORM);
    } else {
        x->state |= CG_S_IN_HEAD;
        x->in.content_length = parse_length(cg_head_value(&x->in, CG_TOKEN_CONTENT_LENGTH));
        cg_exchange_note(x, CG_X_HEAD);
    }
    return 0;
}

/* --- frames --- */

/* A reset wastes what was begun, unless our message was complete: then it is housekeeping. */
static int count_reset(struct cg_h2 *h2, const struct cg_exchange *x)
{
    if (x && cg_exchange_is(x, CG_S_OUT_SENT))
        return 0;
    if (x && cg_exchange_is(x, CG_S_RESET_OURS))
        return 0;
    return cg_h2_spend(&h2->resets, h2->base.now, CG_H2_RESETS_MAX, CG_H2_RESETS_PER_S)
               ? 0
               : flooded(h2);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct cg_h2 *h2 = user;
    struct cg_exchange *x = of_stream(h2, frame->hd.stream_id);
    int rv = 0;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        cg_h2_head_ends(h2, frame->hd.stream_id);
        if (x)
            rv = finish_headers(h2, x);
        break;
    case NGHTTP2_DATA:
        break;
    case NGHTTP2_RST_STREAM:
        if (x)
            x->reset_by_peer = true;
        return h2->base.is_server ? count_reset(h2, x) : 0;
    case NGHTTP2_GOAWAY:
        if (h2->base.state == CG_ENGINE_OPEN)
            h2->base.state = CG_ENGINE_DRAINING;
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && h2->goaway_due.us != INT64_MAX)
            cg_h2_drain(h2);
        return 0;
    default:
        return 0;
    }
    if (rv == 0 && x && !cg_exchange_is(x, CG_S_OVER) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        cg_exchange_in_end(x);
    return rv;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t len, void *user)
{
    struct cg_h2 *h2 = user;
    struct cg_exchange *x = of_stream(h2, id);

    (void)flags;
    if (!x || cg_exchange_is(x, CG_S_DISCARD) || cg_exchange_is(x, CG_S_OVER))
        return nghttp2_session_consume(session, id, len);
    cg_err err = cg_exchange_fill(x, cg_span_of(data, len));
    if (err == CG_OK)
        return 0;
    /* More than the window allowed cannot come here; memory can be short. */
    int rv = nghttp2_session_consume(session, id, len);
    return rv ? rv : spoil(h2, x, NGHTTP2_INTERNAL_ERROR, err);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct cg_h2 *h2 = user;
    struct cg_exchange *x = of_stream(h2, id);

    (void)session;
    cg_h2_head_ends(h2, id);
    if (!x)
        return 0;
    /* REFUSED_STREAM is also what the library says of streams beyond GOAWAY's last one. */
    if (!h2->base.is_server && code == NGHTTP2_REFUSED_STREAM)
        x->unprocessed = true;
    bool by_peer = x->reset_by_peer;
    cg_exchange_over(x, code, by_peer, by_peer ? CG_CLOSED : CG_PROTOCOL);
    cg_exchange_off_wire(x);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct cg_h2 *h2 = user;
    struct cg_exchange *x = of_stream(h2, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_GOAWAY)
        h2->is_broken |= frame->goaway.error_code != NGHTTP2_NO_ERROR;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        return h2->base.is_server && frame->rst_stream.error_code != NGHTTP2_NO_ERROR
                   ? count_reset(h2, x)
                   : 0;
    if (frame->hd.type == NGHTTP2_DATA)
        cg_h2_earn(&h2->noise, CG_H2_NOISE_PER_DATA, CG_H2_NOISE_MAX);
    if (!x || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
        (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS))
        return 0;
    cg_exchange_sent(x);
    /* Our answer is whole and nobody will read the rest of the request (RFC 9113, 8.1). */
    if (!h2->base.is_server || cg_exchange_is(x, CG_S_IN_END) || !cg_exchange_is(x, CG_S_DISCARD))
        return 0;
    if (cg_exchange_is(x, CG_S_REFUSED))
        x->state |= CG_S_IN_END; /* it went as it was meant to: no reset is reported */
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                     NGHTTP2_NO_ERROR);
}

void cg_h2_in_install(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, unpack_unknown);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
}
