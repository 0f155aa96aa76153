/* h1_out.c: what we send. Heads are written as text when they are given; bodies go from the ring
 * into the buffer being pulled. Framing is always ours, made of the parsed message alone: nothing
 * a peer wrote about lengths or codings is passed on. */
#include <stdio.h>
#include <string.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/h1_line.h"
#include "session/h1_own.h"

/* Size line and line end around a chunk. */
#define CHUNK_OVERHEAD 16
#define LEAST_ROOM 64

static cg_err put(struct cg_h1 *h1, struct cg_span text)
{
    return cg_buf_add(&h1->out, text);
}

static cg_err put_number(struct cg_h1 *h1, struct cg_span before, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%llu\r\n", (unsigned long long)number);

    CG_TRY(put(h1, before));
    return put(h1, cg_span_of(text, (size_t)len));
}

static bool is_sent(enum cg_token token)
{
    switch (token) {
    case CG_TOKEN_CONNECTION:
    case CG_TOKEN_KEEP_ALIVE:
    case CG_TOKEN_PROXY_CONNECTION:
    case CG_TOKEN_TRANSFER_ENCODING:
    case CG_TOKEN_UPGRADE:
    case CG_TOKEN_HTTP2_SETTINGS:
    case CG_TOKEN_TE:
    case CG_TOKEN_HOST:
    case CG_TOKEN_CONTENT_LENGTH:
        return false;
    default:
        return true;
    }
}

/* The spans were checked by cg_head_add: none of them holds what could end a line. */
static cg_err put_fields(struct cg_h1 *h1, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct cg_field *field = &head->fields[i];
        if (!is_sent(field->token))
            continue;
        CG_TRY(put(h1, field->name));
        CG_TRY(put(h1, CG_LIT(": ")));
        CG_TRY(put(h1, field->value));
        CG_TRY(put(h1, CG_LIT("\r\n")));
    }
    return CG_OK;
}

/* Keeps what was there before, where not everything could be added. */
static cg_err keep_whole(struct cg_h1 *h1, size_t before, cg_err err)
{
    if (err != CG_OK)
        h1->out.len = before;
    return err;
}

/* --- requests --- */

static cg_err check_words(const struct cg_head *head)
{
    struct cg_span words[] = {head->method, head->scheme, head->path};

    for (size_t i = 0; i < 3; i++) {
        if (words[i].len == 0)
            return CG_SYNTAX;
        for (size_t k = 0; k < words[i].len; k++)
            if (words[i].at[k] <= 0x20 || words[i].at[k] >= 0x7f || words[i].at[k] == '#')
                return CG_SYNTAX;
    }
    if (!cg_h1_is_authority(head->authority) || head->path.at[0] != '/')
        return CG_SYNTAX;
    return cg_span_is(head->method, "CONNECT") ? CG_UNSUPPORTED : CG_OK;
}

static bool takes_body(struct cg_span method)
{
    return cg_span_is(method, "POST") || cg_span_is(method, "PUT") || cg_span_is(method, "PATCH");
}

static cg_err write_request(struct cg_h1 *h1, const struct cg_head *head, bool is_end)
{
    CG_TRY(put(h1, head->method));
    CG_TRY(put(h1, CG_LIT(" ")));
    if (head->form == CG_FORM_ABSOLUTE || cg_span_is(head->scheme, "httpcg")) {
        CG_TRY(put(h1, head->scheme));
        CG_TRY(put(h1, CG_LIT("://")));
        CG_TRY(put(h1, head->authority));
    }
    CG_TRY(put(h1, head->path));
    CG_TRY(put(h1, CG_LIT(" HTTP/1.1\r\nhost: ")));
    CG_TRY(put(h1, head->authority));
    CG_TRY(put(h1, CG_LIT("\r\n")));
    CG_TRY(put_fields(h1, head));
    if (!is_end && head->content_length < 0)
        CG_TRY(put(h1, CG_LIT("transfer-encoding: chunked\r\n")));
    else if (!is_end || takes_body(head->method))
        CG_TRY(put_number(h1, CG_LIT("content-length: "),
                          is_end ? 0 : (uint64_t)head->content_length));
    return put(h1, CG_LIT("\r\n"));
}

cg_err cg_h1_begin(struct cg_h1 *h1, const struct cg_head *head, bool is_end, struct cg_exchange *x)
{
    size_t before = h1->out.len;

    CG_TRY(check_words(head));
    CG_TRY(keep_whole(h1, before, write_request(h1, head, is_end)));
    h1->is_chunked = !is_end && head->content_length < 0;
    h1->is_last_sent = false;
    h1->has_sent = false;
    x->state |= CG_S_OUT_HEAD | (is_end ? CG_S_OUT_END : 0);
    x->out_left = is_end                     ? 0
                  : head->content_length < 0 ? UINT64_MAX
                                             : (uint64_t)head->content_length;
    if (cg_span_is(head->method, "HEAD"))
        x->state |= CG_S_IS_HEAD;
    return CG_OK;
}

/* --- responses --- */

/* For people who look at the wire; programs are told to ignore it (RFC 9112, 4). */
static const char *phrase(int status)
{
    switch (status) {
    case 100:
        return "Continue";
    case 103:
        return "Early Hints";
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 303:
        return "See Other";
    case 304:
        return "Not Modified";
    case 307:
        return "Temporary Redirect";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 421:
        return "Misdirected Request";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "";
    }
}

static cg_err put_status(struct cg_h1 *h1, int status)
{
    char line[80];
    int len = snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, phrase(status));

    return put(h1, cg_span_of(line, (size_t)len));
}

static cg_err write_interim(struct cg_h1 *h1, int status, const struct cg_head *head)
{
    CG_TRY(put_status(h1, status));
    if (head)
        CG_TRY(put_fields(h1, head));
    return put(h1, CG_LIT("\r\n"));
}

cg_err cg_h1_inform(struct cg_exchange *x, int status, const struct cg_head *head)
{
    struct cg_h1 *h1 = cg_h1_of(x->engine);
    size_t before = h1->out.len;

    return keep_whole(h1, before, write_interim(h1, status, head));
}

static cg_err write_framing(struct cg_h1 *h1, const struct cg_exchange *x,
                            const struct cg_head *head, bool is_end)
{
    bool has_no_body = cg_exchange_is(x, CG_S_IS_HEAD) || head->status == 304;

    if (head->status == 204)
        return CG_OK;
    if (head->content_length >= 0)
        return put_number(h1, CG_LIT("content-length: "), (uint64_t)head->content_length);
    if (has_no_body)
        return CG_OK;
    return is_end ? put(h1, CG_LIT("content-length: 0\r\n"))
                  : put(h1, CG_LIT("transfer-encoding: chunked\r\n"));
}

static cg_err write_answer(struct cg_h1 *h1, const struct cg_exchange *x,
                           const struct cg_head *head, bool is_end)
{
    CG_TRY(put_status(h1, head->status));
    CG_TRY(put_fields(h1, head));
    CG_TRY(write_framing(h1, x, head, is_end));
    if (h1->must_close)
        CG_TRY(put(h1, CG_LIT("connection: close\r\n")));
    return put(h1, CG_LIT("\r\n"));
}

cg_err cg_h1_answer(struct cg_exchange *x, const struct cg_head *head, bool is_end)
{
    struct cg_h1 *h1 = cg_h1_of(x->engine);
    size_t before = h1->out.len;

    /* An answer that comes before the request's end leaves a rest that nobody may want to read. */
    if (!cg_exchange_is(x, CG_S_IN_END) || h1->base.state == CG_ENGINE_DRAINING)
        h1->must_close = true;
    CG_TRY(keep_whole(h1, before, write_answer(h1, x, head, is_end)));
    h1->is_chunked = !is_end && head->content_length < 0;
    h1->is_last_sent = false;
    return CG_OK;
}

/* --- pull --- */

bool cg_h1_has_output(const struct cg_h1 *h1)
{
    const struct cg_exchange *x = h1->x;

    if (h1->is_aborted)
        return false;
    if (h1->out.len)
        return true;
    return x && cg_exchange_is(x, CG_S_OUT_HEAD) && !cg_exchange_is(x, CG_S_OUT_SENT) &&
           (x->out_ring.len || cg_exchange_is(x, CG_S_OUT_END));
}

static cg_err pull_text(struct cg_h1 *h1, struct cg_buf *out)
{
    struct cg_span part = cg_span_first(cg_buf_span(&h1->out), out->max - out->len);

    CG_TRY(cg_buf_add(out, part));
    cg_buf_drop(&h1->out, part.len);
    h1->has_sent |= part.len > 0;
    return CG_OK;
}

/* One run of body bytes, as a chunk where the body is chunked; false: there was nothing to send, or
 * no room for it. */
static bool pull_body(struct cg_h1 *h1, struct cg_exchange *x, struct cg_buf *out)
{
    size_t room = out->max - out->len, n = x->out_ring.len;
    size_t overhead = h1->is_chunked ? CHUNK_OVERHEAD : 0;

    if (n == 0 || room < LEAST_ROOM)
        return false;
    if (n > room - overhead)
        n = room - overhead;
    if (cg_buf_room(out, n + overhead) != CG_OK)
        return false;
    if (h1->is_chunked)
        out->len += (size_t)snprintf((char *)out->at + out->len, CHUNK_OVERHEAD, "%zx\r\n", n);
    cg_ring_get(&x->out_ring, out->at + out->len, n);
    out->len += n;
    if (h1->is_chunked) {
        memcpy(out->at + out->len, "\r\n", 2);
        out->len += 2;
    }
    h1->has_sent = true;
    cg_exchange_moved_out(x, n);
    return true;
}

static cg_err write_last(struct cg_h1 *h1, const struct cg_exchange *x)
{
    h1->is_last_sent = true;
    if (!h1->is_chunked)
        return CG_OK;
    CG_TRY(put(h1, CG_LIT("0\r\n")));
    if (x->trailers_out)
        CG_TRY(put_fields(h1, x->trailers_out));
    return put(h1, CG_LIT("\r\n"));
}

static cg_err pull(struct cg_h1 *h1, struct cg_buf *out)
{
    struct cg_exchange *x = h1->x;

    CG_TRY(pull_text(h1, out));
    if (h1->out.len || !x || !cg_exchange_is(x, CG_S_OUT_HEAD) || cg_exchange_is(x, CG_S_OUT_SENT))
        return CG_OK;
    while (pull_body(h1, x, out))
        ;
    if (x->out_ring.len || !cg_exchange_is(x, CG_S_OUT_END))
        return CG_OK;
    if (!h1->is_last_sent)
        CG_TRY(write_last(h1, x));
    CG_TRY(pull_text(h1, out));
    if (h1->out.len)
        return CG_OK;
    cg_exchange_sent(x);
    cg_h1_settle(h1);
    return CG_OK;
}

cg_err cg_h1_pull(struct cg_engine *e, struct cg_buf *out)
{
    struct cg_h1 *h1 = cg_h1_of(e);
    cg_err err = h1->is_aborted ? CG_OK : pull(h1, out);

    if (err != CG_OK)
        cg_h1_end(h1, err);
    return err;
}
