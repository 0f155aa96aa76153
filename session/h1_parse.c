/* h1_parse.c: llhttp, and what it finds. Its callbacks fill the exchange and nothing else; it is
 * told of one message at a time and never asked to be lenient. */
#include "lib/base/span.h"
#include "session/h1_own.h"

static struct cg_h1 *of(llhttp_t *parser)
{
    return parser->data;
}

/* A head is parsed in one piece, so a name or value comes in one piece too, or in ones that touch.
 */
static void extend(struct cg_h1 *h1, struct cg_span *span, const char *at, size_t len)
{
    if (span->at && span->at + span->len != (const uint8_t *)at)
        h1->field_fault = CG_SYNTAX;
    else if (span->at)
        span->len += len;
    else
        *span = cg_span_of(at, len);
}

static int on_name(llhttp_t *parser, const char *at, size_t len)
{
    extend(of(parser), &of(parser)->name, at, len);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    extend(of(parser), &of(parser)->value, at, len);
    return 0;
}

static int on_field_complete(llhttp_t *parser)
{
    struct cg_h1 *h1 = of(parser);
    cg_err err = h1->field_fault == CG_OK ? cg_head_add_named(h1->to, h1->name, h1->value) : CG_OK;

    if (err != CG_OK)
        h1->field_fault = err == CG_NO_MEMORY ? CG_TOO_LARGE : err;
    h1->name = h1->value = (struct cg_span){0};
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    /* Nothing is ever upgraded by the parser: what follows stays HTTP. */
    parser->upgrade = 0;
    return of(parser)->skips_body ? 1 : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct cg_h1 *h1 = of(parser);

    if (!h1->x || cg_exchange_is(h1->x, CG_S_DISCARD))
        return 0;
    cg_err err = cg_exchange_fill(h1->x, cg_span_of(at, len));
    if (err != CG_OK)
        h1->field_fault = err;
    return err == CG_OK ? 0 : -1;
}

static int on_message_complete(llhttp_t *parser)
{
    of(parser)->is_complete = true;
    return 0;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_field_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

bool cg_h1_parse(struct cg_h1 *h1, struct cg_span bytes)
{
    return llhttp_execute(&h1->parser, (const char *)bytes.at, bytes.len) == HPE_OK;
}

void cg_h1_start_parser(struct cg_h1 *h1, struct cg_head *to)
{
    /* llhttp reads its settings and takes them as mutable for its own reasons. */
    llhttp_init(&h1->parser, h1->base.is_server ? HTTP_REQUEST : HTTP_RESPONSE,
                (llhttp_settings_t *)(uintptr_t)&settings);
    h1->parser.data = h1;
    h1->to = to;
    h1->field_fault = CG_OK;
    h1->name = h1->value = (struct cg_span){0};
    h1->is_complete = false;
}
