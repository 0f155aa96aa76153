/* h1: HTTP/1.1 as its engine understands it.
 *
 * The input is a byte of switches, the length of a script, the script (talk.h), and what the peer
 * sends.  Without a script the same bytes are fed whole, one by one and in between: they must mean
 * the same.  And whatever is understood must stand in the bytes, word for word: nothing malformed
 * is repaired. */
#include "session/h1.h"
#include "fuzz/talk.h"

#define IS_CLIENT 1
#define IS_SECURE 2
#define IS_LENIENT 4
#define IS_HEAD 8
#define HAS_END 16

static const struct cg_engine_conf limits = {
    .max_streams = 1,
    .in_max_bytes = 1024,
    .out_max_bytes = 64 * 1024, /* more than a pull takes */
    .head_max_bytes = 2048,
    .uri_max_bytes = 512,
};

static void begin(struct cg_talk *talk, struct cg_fuzz *in, uint8_t how, struct cg_span wire)
{
    struct cg_engine_conf conf = limits;
    struct cg_engine *engine;
    bool is_server = !(how & IS_CLIENT);

    conf.allow_http_1_0 = conf.allow_until_close = how & IS_LENIENT;
    MUST_OK(cg_h1_new(is_server, how & IS_SECURE, &conf, (struct cg_mono){1000}, &engine));
    cg_talk_begin(talk, in, engine, is_server, &conf, wire);
    if (is_server)
        return;
    cg_talk_ask(talk, how & IS_HEAD ? "HEAD" : "GET", "https", true);
    cg_talk_pull(talk);
}

/* --- the same bytes, read by another hand, to hold against what the engine understood --- */

static struct cg_span take_line(struct cg_span *left)
{
    size_t n = cg_span_find(*left, '\n');

    MUST(n < left->len && n > 0 && left->at[n - 1] == '\r');
    struct cg_span line = cg_span_first(*left, n - 1);
    *left = cg_span_from(*left, n + 1);
    MUST(cg_span_find(line, '\r') == line.len && cg_span_find(line, 0) == line.len);
    return line;
}

static void hold_fields(struct cg_span *left, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        struct cg_span line = take_line(left), name = cg_span_first(line, cg_span_find(line, ':'));
        struct cg_span value = cg_span_from(line, name.len + 1);

        MUST(name.len < line.len && cg_span_eq_nocase(name, head->fields[i].name));
        while (value.len && (value.at[0] == ' ' || value.at[0] == '\t'))
            value = cg_span_from(value, 1);
        while (value.len && (value.at[value.len - 1] == ' ' || value.at[value.len - 1] == '\t'))
            value.len--;
        MUST_SAME(head->fields[i].value, value);
    }
    MUST(take_line(left).len == 0); /* not one line more */
}

static void hold_request(struct cg_fuzz *in, struct cg_span *left, const struct cg_head *head)
{
    struct cg_buf *line = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(line);
    struct cg_span got = take_line(left);

    cg_put(&w, head->method);
    cg_put_u8(&w, ' ');
    if (head->form == CG_FORM_ABSOLUTE) {
        cg_put(&w, head->scheme);
        cg_put_str(&w, "://");
        cg_put(&w, head->authority);
    }
    /* An empty path is the one thing that is written out. */
    if (head->form == CG_FORM_ORIGIN || head->path.len > 1 || got.at[got.len - 10] == '/')
        cg_put(&w, head->path);
    cg_put_str(&w, " HTTP/1.1");
    MUST_OK(cg_writer_end(&w));
    MUST(line->len == got.len && cg_span_eq_nocase(cg_buf_span(line), got)); /* the scheme's case */
    MUST(cg_span_starts(got, head->method) && cg_span_ends(got, CG_LIT(" HTTP/1.1")));
    hold_fields(left, head);
    MUST(cg_head_count(head, CG_TOKEN_HOST) == 1);
    MUST(cg_head_count(head, CG_TOKEN_CONTENT_LENGTH) +
             cg_head_count(head, CG_TOKEN_TRANSFER_ENCODING) <=
         1);
    MUST(cg_span_eq_nocase(head->authority, cg_head_value(head, CG_TOKEN_HOST)));
}

static uint64_t hex_of(struct cg_span line)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < line.len && line.at[i] != ';'; i++) {
        const char *digit = strchr("0123456789abcdef", line.at[i] | 0x20);
        MUST(line.at[i] != 0 && line.at[i] >= '0' && digit);
        v = v * 16 + (uint64_t)(digit - "0123456789abcdef");
    }
    MUST(i > 0 && i <= 15);
    return v;
}

static void hold_body(struct cg_fuzz *in, struct cg_span left, const struct cg_talk_live *live)
{
    const struct cg_head *head = &live->x->in;
    struct cg_buf *body = cg_fuzz_buf(in);
    bool is_chunked = cg_head_count(head, CG_TOKEN_TRANSFER_ENCODING) > 0;
    uint64_t n = head->content_length > 0 ? (uint64_t)head->content_length : 0;

    do {
        if (is_chunked)
            n = hex_of(take_line(&left));
        MUST(n <= left.len);
        MUST_OK(cg_buf_add(body, cg_span_first(left, (size_t)n)));
        left = cg_span_from(left, (size_t)n);
        if (is_chunked && n > 0)
            MUST(take_line(&left).len == 0);
    } while (is_chunked && n > 0);
    MUST_SAME(cg_buf_span(live->body), cg_buf_span(body));
    if (!is_chunked)
        return;
    hold_fields(&left, &live->x->in_trailers);
    for (size_t i = 0; i < live->x->in_trailers.n_fields; i++) /* announced, every one */
        MUST(cg_head_lists_span(head, CG_TOKEN_TRAILER, live->x->in_trailers.fields[i].name));
}

/* --- without a script --- */

static struct cg_span tell(struct cg_fuzz *in, uint8_t how, struct cg_span wire, size_t piece)
{
    struct cg_talk talk;

    begin(&talk, in, how, wire);
    while (talk.wire.len) {
        size_t before = talk.wire.len;
        cg_talk_feed(&talk, piece ? piece : SIZE_MAX);
        cg_talk_look(&talk, true);
        MUST(talk.wire.len < before); /* whoever takes all of it is never kept waiting */
    }
    cg_talk_pull(&talk);
    if (how & HAS_END)
        cg_engine_eof(talk.engine, talk.now);
    cg_talk_look(&talk, true);
    struct cg_span story = cg_talk_story(&talk);
    struct cg_span left = wire;
    if (talk.n_live && talk.is_server && (talk.live[0].seen & CG_X_HEAD)) {
        hold_request(in, &left, &talk.live[0].x->in);
        if ((talk.live[0].seen & CG_X_END) && !(talk.live[0].seen & CG_X_REFUSED))
            hold_body(in, left, &talk.live[0]);
    }
    cg_talk_end(&talk);
    return story;
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    uint8_t how = cg_fuzz_byte(in), n_script = cg_fuzz_byte(in);
    struct cg_span script = cg_fuzz_bytes(in, n_script), wire = cg_fuzz_rest(in);
    struct cg_talk talk;

    if (script.len == 0) {
        struct cg_span whole = tell(in, how, wire, 0);
        MUST_SAME(tell(in, how, wire, 1), whole);
        MUST_SAME(tell(in, how, wire, 1 + wire.len / 3), whole);
        return;
    }
    begin(&talk, in, how, wire);
    while (script.len)
        cg_talk_step(&talk, &script);
    cg_talk_end(&talk);
}
