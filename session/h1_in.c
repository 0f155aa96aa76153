/* h1_in.c: what the peer sent. Bytes are cut where a message's parts end, lines are judged by
 * h1_line.c, bodies by h1_body.c, and only then llhttp sees them; where the two disagree about a
 * message's end, the message is refused. */
#include <string.h>

#include "lib/base/span.h"
#include "session/h1_line.h"
#include "session/h1_own.h"

/* What a head may leave allocated between two requests. */
#define HEAD_KEEP_BYTES 4096

/* --- ends, good and bad --- */

void cg_h1_collect_anew(struct cg_h1 *h1, enum cg_h1_phase phase)
{
    if (h1->head.cap > HEAD_KEEP_BYTES) {
        size_t max = h1->head.max;
        cg_buf_done(&h1->head);
        cg_buf_init(&h1->head, max);
    }
    cg_buf_clear(&h1->head);
    h1->line_from = 0;
    h1->fields_from = 0;
    h1->phase = phase;
}

void cg_h1_expect(struct cg_h1 *h1)
{
    cg_h1_collect_anew(h1, CG_H1_HEAD);
    h1->ext_total = 0;
}

void cg_h1_spoil(struct cg_h1 *h1, int status, cg_err fault)
{
    h1->base.head_since = CG_NEVER;
    if (h1->base.is_server && !h1->x)
        h1->x = cg_exchange_make(&h1->base, ++h1->last_id);
    if (!h1->base.is_server || !h1->x ||
        cg_exchange_is(h1->x, CG_S_OUT_HEAD) != cg_exchange_is(h1->x, CG_S_OUT_END)) {
        cg_h1_end(h1, fault);
        return;
    }
    h1->must_close = true;
    cg_h1_collect_anew(h1, CG_H1_DEAF);
    if (cg_exchange_is(h1->x, CG_S_OUT_END)) { /* the answer was given: it still goes out */
        h1->x->state |= CG_S_DISCARD;
        h1->x->fault = fault;
        cg_h1_settle(h1);
    } else {
        cg_exchange_refuse(h1->x, status, fault);
    }
}

void cg_h1_finish(struct cg_h1 *h1)
{
    h1->phase = CG_H1_WAIT;
    cg_exchange_in_end(h1->x);
    cg_h1_settle(h1);
}

/* --- heads --- */

static void start_body(struct cg_h1 *h1)
{
    cg_h1_collect_anew(h1, h1->phase);
    if (h1->phase == CG_H1_SIZE)
        cg_h1_start_size(h1);
    else if (h1->phase == CG_H1_WAIT)
        cg_h1_finish(h1);
}

static void finish_request(struct cg_h1 *h1)
{
    struct cg_exchange *x = cg_exchange_make(&h1->base, h1->last_id + 1);

    if (!x) {
        cg_h1_end(h1, CG_NO_MEMORY);
        return;
    }
    h1->x = x;
    h1->last_id++;
    h1->skips_body = false;
    cg_h1_start_parser(h1, &x->in);
    bool parsed = cg_h1_parse(h1, cg_buf_span(&h1->head));
    int status = !parsed && llhttp_get_errno(&h1->parser) == HPE_INVALID_METHOD
                     ? 501
                     : cg_h1_judge_request(h1, x);
    if (status == 0 && !parsed)
        status = 400;
    if (status == 0 && h1->is_complete != (h1->phase == CG_H1_WAIT))
        status = 400;
    if (status) {
        cg_h1_spoil(h1, status, status == 431 || status == 414 ? CG_TOO_LARGE : CG_PROTOCOL);
        return;
    }
    x->state |= CG_S_IN_HEAD;
    h1->base.head_since = CG_NEVER;
    cg_exchange_note(x, CG_X_HEAD);
    start_body(h1);
}

static void finish_interim(struct cg_h1 *h1, struct cg_exchange *x)
{
    if (h1->status == 101 || ++x->n_informs > CG_INFORMS_MAX) {
        cg_h1_end(h1, CG_PROTOCOL);
        return;
    }
    x->inform = h1->interim;
    x->inform.status = h1->status;
    cg_exchange_note(x, CG_X_INFORM);
    cg_h1_collect_anew(h1, CG_H1_HEAD);
}

static void finish_response(struct cg_h1 *h1)
{
    struct cg_exchange *x = h1->x;
    bool is_interim = h1->status < 200;

    cg_head_init(&h1->interim, &x->arena);
    h1->skips_body =
        is_interim || h1->status == 204 || h1->status == 304 || cg_exchange_is(x, CG_S_IS_HEAD);
    cg_h1_start_parser(h1, is_interim ? &h1->interim : &x->in);
    bool parsed = cg_h1_parse(h1, cg_buf_span(&h1->head));
    if (cg_h1_judge_response(h1) != 0 || !parsed || h1->is_complete != (h1->phase == CG_H1_WAIT)) {
        cg_h1_end(h1, CG_PROTOCOL);
        return;
    }
    h1->base.head_since = CG_NEVER;
    if (is_interim) {
        finish_interim(h1, x);
        return;
    }
    x->in.status = h1->status;
    x->state |= CG_S_IN_HEAD;
    cg_exchange_note(x, CG_X_HEAD);
    start_body(h1);
}

static void finish_trailers(struct cg_h1 *h1)
{
    struct cg_exchange *x = h1->x;

    h1->to = &x->in_trailers;
    h1->field_fault = CG_OK;
    bool parsed = cg_h1_parse(h1, cg_buf_span(&h1->head));
    if (!parsed || !h1->is_complete || h1->field_fault != CG_OK ||
        x->in_trailers.list_bytes > h1->base.conf.head_max_bytes || cg_h1_judge_trailers(x) != 0) {
        cg_h1_spoil(h1, 400, CG_PROTOCOL);
        return;
    }
    if (x->in_trailers.n_fields)
        cg_exchange_note(x, CG_X_TRAILERS);
    cg_h1_collect_anew(h1, CG_H1_WAIT);
    cg_h1_finish(h1);
}

/* --- lines --- */

/* What the lines collected so far may hold; over it is 414 in the first line, 431 behind it. */
static size_t line_limit(const struct cg_h1 *h1)
{
    const struct cg_engine_conf *conf = &h1->base.conf;

    if (h1->phase == CG_H1_HEAD && h1->fields_from == 0)
        return conf->uri_max_bytes + CG_H1_LINE_SLACK_BYTES;
    return h1->fields_from + conf->head_max_bytes + 2;
}

/* Gives 0, or the status to refuse with. */
static int judge_line(struct cg_h1 *h1)
{
    size_t len = h1->head.len - h1->line_from;
    uint8_t *line = h1->head.at + h1->line_from;

    if (len < 2 || line[len - 2] != '\r')
        return 400; /* a bare LF */
    if (h1->phase == CG_H1_TRAILERS || h1->fields_from)
        return cg_h1_fold_field(line, len - 2) ? 0 : 400;
    if (h1->base.is_server) {
        struct cg_h1_request_line unused;
        return cg_h1_read_request(cg_span_of(line, len - 2), h1->base.conf.uri_max_bytes, &unused);
    }
    return cg_h1_read_status(cg_span_of(line, len - 2), &h1->minor, &h1->status) ? 0 : 400;
}

static void finish_lines(struct cg_h1 *h1)
{
    if (h1->phase == CG_H1_TRAILERS)
        finish_trailers(h1);
    else if (h1->base.is_server)
        finish_request(h1);
    else
        finish_response(h1);
}

static void end_line(struct cg_h1 *h1)
{
    bool has_first = h1->phase == CG_H1_TRAILERS || h1->fields_from;

    if (has_first && h1->head.len - h1->line_from == 2 && h1->head.at[h1->line_from] == '\r') {
        finish_lines(h1);
        return;
    }
    int status = judge_line(h1);
    if (status) {
        cg_h1_spoil(h1, status, status == 414 ? CG_TOO_LARGE : CG_PROTOCOL);
        return;
    }
    h1->line_from = h1->head.len;
    if (!has_first)
        h1->fields_from = h1->head.len;
}

static size_t collect(struct cg_h1 *h1, struct cg_span in)
{
    const uint8_t *end = memchr(in.at, '\n', in.len);
    size_t n = end ? (size_t)(end - in.at) + 1 : in.len;
    size_t limit = line_limit(h1);

    if (h1->phase == CG_H1_HEAD && h1->base.head_since.us == INT64_MAX)
        h1->base.head_since = h1->base.now;
    if (h1->x && !h1->base.is_server)
        h1->x->has_answered = true;
    if (n > limit - h1->head.len) {
        bool is_first = h1->phase == CG_H1_HEAD && h1->fields_from == 0;
        cg_h1_spoil(h1, is_first ? 414 : 431, CG_TOO_LARGE);
        return in.len;
    }
    cg_err err = cg_buf_add(&h1->head, cg_span_first(in, n));
    if (err != CG_OK)
        cg_h1_end(h1, err);
    else if (end)
        end_line(h1);
    return n;
}

/* --- feeding --- */

/* Bytes where none may be: behind a request that is not answered yet, or from a server that was not
 * asked, or not yet: what it says before a byte of the request has left answers something else. */
static void take_unexpected(struct cg_h1 *h1)
{
    struct cg_exchange *x = h1->x;

    if (!h1->base.is_server) {
        cg_h1_end(h1, CG_PROTOCOL);
        return;
    }
    h1->must_close = true;
    h1->phase = CG_H1_DEAF;
    if (x && !cg_exchange_is(x, CG_S_OUT_HEAD) && !cg_exchange_is(x, CG_S_RELEASED))
        cg_exchange_refuse(x, 400, CG_PROTOCOL);
}

static size_t step(struct cg_h1 *h1, struct cg_span in)
{
    switch (h1->phase) {
    case CG_H1_HEAD:
        if (!h1->base.is_server && (!h1->x || !h1->has_sent)) {
            take_unexpected(h1);
            return in.len;
        }
        return collect(h1, in);
    case CG_H1_TRAILERS:
        return collect(h1, in);
    case CG_H1_SIZE:
        return cg_h1_take_size(h1, in);
    case CG_H1_CHUNK_CR:
    case CG_H1_CHUNK_LF:
        return cg_h1_take_chunk_end(h1, in);
    case CG_H1_LENGTH:
    case CG_H1_CHUNK:
    case CG_H1_TO_EOF:
        return cg_h1_take_body(h1, in);
    case CG_H1_WAIT:
        take_unexpected(h1);
        return in.len;
    case CG_H1_DEAF:
    default:
        return in.len;
    }
}

cg_err cg_h1_feed(struct cg_engine *e, struct cg_span in, size_t *taken)
{
    struct cg_h1 *h1 = cg_h1_of(e);
    struct cg_span rest = in;

    while (rest.len && e->state != CG_ENGINE_CLOSED) {
        size_t n = step(h1, rest);
        if (n == 0)
            break;
        rest = cg_span_from(rest, n);
    }
    *taken = e->state == CG_ENGINE_CLOSED ? in.len : in.len - rest.len;
    return e->why;
}

size_t cg_h1_room(const struct cg_engine *e)
{
    const struct cg_h1 *h1 = (const struct cg_h1 *)e;

    switch (h1->phase) {
    case CG_H1_LENGTH:
    case CG_H1_SIZE:
    case CG_H1_CHUNK:
    case CG_H1_CHUNK_CR:
    case CG_H1_CHUNK_LF:
    case CG_H1_TO_EOF:
        return cg_h1_body_room(h1);
    default:
        /* A body may begin behind the head; its ring is as large as this. */
        return e->conf.in_max_bytes;
    }
}

void cg_h1_eof(struct cg_engine *e)
{
    struct cg_h1 *h1 = cg_h1_of(e);

    if (h1->x && h1->phase == CG_H1_TO_EOF) {
        cg_h1_finish(h1);
    } else {
        if (h1->x && !h1->is_aborted)
            h1->x->reset_by_peer = true;
        cg_h1_end(h1, h1->x || h1->head.len ? CG_CLOSED : CG_OK);
    }
    cg_engine_close(e, CG_OK); /* also where our message was not complete yet */
}
