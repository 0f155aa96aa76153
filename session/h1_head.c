/* h1_head.c: what a complete head means for the message behind it. Where RFC 9112, 6.3 lets a
 * recipient choose between repairing and refusing, this refuses: two parties that repair
 * differently are how requests are smuggled. */
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/h1_line.h"
#include "session/h1_own.h"

/* A Trailer field is compared with every trailer; longer ones announce nothing useful. */
#define TRAILER_MAX_BYTES 512

/* --- requests --- */

static cg_err copy_lower(struct cg_arena *arena, struct cg_span text, struct cg_span *out)
{
    uint8_t *at = cg_arena_take(arena, text.len);

    if (!at)
        return CG_NO_MEMORY;
    for (size_t i = 0; i < text.len; i++)
        at[i] = text.at[i] >= 'A' && text.at[i] <= 'Z' ? (uint8_t)(text.at[i] + 32) : text.at[i];
    *out = cg_span_of(at, text.len);
    return CG_OK;
}

static int judge_target(const struct cg_h1 *h1, struct cg_exchange *x, struct cg_span line)
{
    struct cg_head *head = &x->in;
    struct cg_h1_request_line request;
    struct cg_h1_target target;
    struct cg_span host = cg_head_value(head, CG_TOKEN_HOST);
    int status = cg_h1_read_request(line, h1->base.conf.uri_max_bytes, &request);

    if (status)
        return status;
    if (!cg_h1_read_target(request.target, &target))
        return 400;
    if (cg_head_count(head, CG_TOKEN_HOST) != 1 || !cg_h1_is_authority(host))
        return 400;
    head->form = target.form;
    if (target.form == CG_FORM_ABSOLUTE) {
        if (!cg_span_eq_nocase(target.authority, host))
            return 400;
        if (copy_lower(head->arena, target.scheme, &head->scheme) != CG_OK ||
            cg_arena_copy(head->arena, target.authority, &head->authority) != CG_OK)
            return 431;
    } else {
        head->scheme = h1->is_secure ? CG_LIT("https") : CG_LIT("http");
        head->authority = host;
    }
    if (cg_arena_copy(head->arena, request.method, &head->method) != CG_OK ||
        cg_arena_copy(head->arena, target.path, &head->path) != CG_OK)
        return 431;
    if (cg_span_is(head->method, "HEAD"))
        x->state |= CG_S_IS_HEAD;
    return 0;
}

/* Transfer-Encoding and Content-Length, whose quarrels are what smuggling is made of. */
static bool judge_framing(struct cg_head *head, bool *is_chunked)
{
    size_t n_codings = cg_head_count(head, CG_TOKEN_TRANSFER_ENCODING);
    size_t n_lengths = cg_head_count(head, CG_TOKEN_CONTENT_LENGTH);

    *is_chunked = n_codings > 0;
    if (n_codings + n_lengths > 1)
        return false;
    if (n_codings)
        return cg_span_eq_nocase(cg_head_value(head, CG_TOKEN_TRANSFER_ENCODING),
                                 CG_LIT("chunked"));
    if (n_lengths) {
        head->content_length = cg_h1_read_length(cg_head_value(head, CG_TOKEN_CONTENT_LENGTH));
        return head->content_length >= 0;
    }
    return true;
}

static bool judge_announced(const struct cg_head *head)
{
    size_t total = 0;

    for (size_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].token == CG_TOKEN_TRAILER)
            total += head->fields[i].value.len + 1;
    return total <= TRAILER_MAX_BYTES;
}

static int of_fault(const struct cg_h1 *h1, const struct cg_head *head)
{
    if (h1->field_fault == CG_TOO_LARGE || head->list_bytes > h1->base.conf.head_max_bytes)
        return 431;
    return h1->field_fault == CG_OK ? 0 : 400;
}

int cg_h1_judge_request(struct cg_h1 *h1, struct cg_exchange *x)
{
    struct cg_head *head = &x->in;
    struct cg_span line = cg_span_first(cg_buf_span(&h1->head), h1->fields_from - 2);
    bool is_chunked;
    int status = of_fault(h1, head);

    if (status)
        return status;
    status = judge_target(h1, x, line);
    if (status)
        return status;
    if (!judge_framing(head, &is_chunked) || !judge_announced(head))
        return 400;
    if (cg_head_lists(head, CG_TOKEN_CONNECTION, "close"))
        h1->must_close = true;
    if (is_chunked) {
        h1->phase = CG_H1_SIZE;
    } else if (head->content_length > 0) {
        h1->phase = CG_H1_LENGTH;
        h1->body_left = (uint64_t)head->content_length;
    } else {
        h1->phase = CG_H1_WAIT;
    }
    x->expects_continue =
        h1->phase != CG_H1_WAIT &&
        cg_span_eq_nocase(cg_head_value(head, CG_TOKEN_EXPECT), CG_LIT("100-continue"));
    return 0;
}

/* --- responses --- */

int cg_h1_judge_response(struct cg_h1 *h1)
{
    bool is_interim = h1->status < 200;
    struct cg_head *head = h1->to;
    bool is_chunked;
    int status = of_fault(h1, head);

    if (status)
        return status;
    if (!judge_framing(head, &is_chunked) || !judge_announced(head))
        return 400;
    if ((is_interim || h1->status == 204) && (is_chunked || head->content_length > 0))
        return 400;
    if (h1->minor == 0 && (is_chunked || !h1->base.conf.allow_http_1_0))
        return 400;
    if (h1->minor == 0 || cg_head_lists(head, CG_TOKEN_CONNECTION, "close"))
        h1->must_close = true;

    if (h1->skips_body) {
        h1->phase = CG_H1_WAIT;
    } else if (is_chunked) {
        h1->phase = CG_H1_SIZE;
    } else if (head->content_length >= 0) {
        h1->phase = head->content_length ? CG_H1_LENGTH : CG_H1_WAIT;
        h1->body_left = (uint64_t)head->content_length;
    } else {
        h1->phase = CG_H1_TO_EOF;
        h1->must_close = true;
        if (!h1->base.conf.allow_until_close)
            return 400;
    }
    return 0;
}

/* --- trailers --- */

/* Only what was announced, and nothing that would change what was already understood
 * (RFC 9110, 6.5.1). */
int cg_h1_judge_trailers(const struct cg_exchange *x)
{
    const struct cg_head *trailers = &x->in_trailers;

    for (size_t i = 0; i < trailers->n_fields; i++) {
        const struct cg_field *field = &trailers->fields[i];
        if (cg_token_flags(field->token) & CG_NAME_HOP)
            return 400;
        if (field->token == CG_TOKEN_CONTENT_LENGTH || field->token == CG_TOKEN_HOST ||
            field->token == CG_TOKEN_TRAILER)
            return 400;
        if (!cg_head_lists_span(&x->in, CG_TOKEN_TRAILER, field->name))
            return 400;
    }
    return 0;
}
