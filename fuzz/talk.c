#include "fuzz/talk.h"

#include "lib/wire/field.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MAX_BYTES (256 * 1024)
#define ROUNDS_MAX 10000

/* --- what must hold --- */

static void check_fields(const struct cg_talk *talk, const struct cg_head *head)
{
    size_t total = 0;

    MUST(head->n_fields <= CG_HEAD_MAX_FIELDS);
    for (size_t i = 0; i < head->n_fields; i++) {
        struct cg_span name = head->fields[i].name, value = head->fields[i].value;
        MUST(name.len > 0 && cg_field_is_value(value));
        for (size_t k = 0; k < name.len; k++)
            MUST(cg_field_char(name.at[k]) == CG_FIELD_TOKEN);
        MUST_SAME(cg_field_trim(value), value);
        MUST(head->fields[i].token == cg_token_of(name));
        total += name.len + value.len + 32;
    }
    MUST(total <= talk->conf.head_max_bytes);
}

static void check_printable(struct cg_span text, const char * not )
{
    for (size_t i = 0; i < text.len; i++)
        MUST(text.at[i] > ' ' && text.at[i] < 0x7f && !strchr(not, text.at[i]));
}

static void check_request(const struct cg_talk *talk, const struct cg_head *head)
{
    MUST(cg_field_is_token(head->method) && head->status == 0);
    MUST(!cg_span_is(head->method, "CONNECT") || head->protocol.len > 0);
    check_printable(head->authority, "@/#");
    MUST(head->path.len > 0 && head->path.at[0] == '/');
    check_printable(head->path, "#");
    MUST(head->path.len <= talk->conf.uri_max_bytes && head->scheme.len > 0);
    check_fields(talk, head);
}

static void check_report(struct cg_talk *talk, struct cg_talk_live *live, unsigned what)
{
    const struct cg_exchange *x = live->x;
    bool is_new = !(live->seen & CG_X_HEAD);

    MUST(what != 0 && !(live->seen & CG_X_RESET)); /* a reset is the last report */
    live->seen |= what;
    MUST((what & CG_X_REFUSED) == 0 || (talk->is_server && x->refusal >= 400 && x->refusal <= 505));
    if ((what & CG_X_HEAD) && is_new && talk->is_server)
        check_request(talk, &x->in);
    if ((what & CG_X_HEAD) && is_new && !talk->is_server) {
        MUST(x->in.status >= 200 && x->in.status <= 599);
        check_fields(talk, &x->in);
    }
    if (what & CG_X_INFORM)
        MUST(!talk->is_server && x->inform.status >= 100 && x->inform.status <= 199);
    if (what & CG_X_TRAILERS)
        check_fields(talk, &x->in_trailers);
    if (what & (CG_X_BODY | CG_X_TRAILERS | CG_X_END))
        MUST(live->seen & (CG_X_HEAD | CG_X_REFUSED));
    /* A body is as long as it was said to be. */
    if (!(what & CG_X_END) || (live->seen & (CG_X_REFUSED | CG_X_RESET)) ||
        x->in.content_length < 0)
        return;
    MUST(x->in_bytes == (uint64_t)x->in.content_length || (!talk->is_server && x->in_bytes == 0));
}

static void check_engine(struct cg_talk *talk)
{
    struct cg_engine *e = talk->engine;
    unsigned wants = cg_engine_wants(e);

    if (talk->conf.max_streams > 1) /* HTTP/1.1's user may keep what is over for itself */
        MUST(cg_engine_n_open(e) <= talk->conf.max_streams);
    if (cg_engine_state(e) == CG_ENGINE_CLOSED) {
        MUST(!(wants & CG_WANT_READ));
        MUST(cg_engine_deadline(e).us == INT64_MAX);
    }
    /* Its clock never stands: a tick at the deadline moves it, or ends it. */
    for (unsigned n = 0; cg_engine_deadline(e).us <= talk->now.us; n++) {
        MUST(n < 8);
        (void)!cg_engine_tick(e, talk->now);
    }
    for (size_t i = 0; i < talk->n_live; i++)
        MUST(cg_exchange_unread(talk->live[i].x) <= talk->conf.in_max_bytes);
}

/* --- its two sides --- */

void cg_talk_begin(struct cg_talk *talk, struct cg_fuzz *in, struct cg_engine *engine,
                   bool is_server, const struct cg_engine_conf *conf, struct cg_span wire)
{
    *talk = (struct cg_talk){.in = in,
                             .engine = engine,
                             .conf = *conf,
                             .now = {1000},
                             .wire = wire,
                             .is_server = is_server,
                             .out = cg_fuzz_buf(in)};
    talk->out->max = CG_PULL_MIN_BYTES + wire.len % 512;
    cg_arena_init(&talk->arena, ARENA_MAX_BYTES);
}

static struct cg_talk_live *find(struct cg_talk *talk, struct cg_exchange *x)
{
    for (size_t i = 0; i < talk->n_live; i++)
        if (talk->live[i].x == x)
            return &talk->live[i];
    MUST(talk->n_live < CG_TALK_LIVE_MAX); /* conf.max_streams is smaller */
    talk->live[talk->n_live] = (struct cg_talk_live){.x = x, .body = cg_fuzz_buf(talk->in)};
    return &talk->live[talk->n_live++];
}

static void let_go(struct cg_talk *talk, size_t i)
{
    cg_exchange_release(talk->live[i].x);
    talk->live[i] = talk->live[--talk->n_live];
}

static struct cg_head new_head(struct cg_talk *talk)
{
    struct cg_head head;

    cg_arena_done(&talk->arena);
    cg_arena_init(&talk->arena, ARENA_MAX_BYTES);
    cg_head_init(&head, &talk->arena);
    return head;
}

void cg_talk_ask(struct cg_talk *talk, const char *method, const char *scheme, bool is_end)
{
    struct cg_head head = new_head(talk);
    struct cg_exchange *x;

    head.method = cg_span_str(method);
    head.scheme = cg_span_str(scheme);
    head.authority = CG_LIT("app");
    head.path = CG_LIT("/app.example.com/?a");
    if (talk->n_live < CG_TALK_LIVE_MAX &&
        cg_engine_begin(talk->engine, &head, is_end, &x) == CG_OK)
        find(talk, x);
}

void cg_talk_feed(struct cg_talk *talk, size_t n)
{
    struct cg_span part = cg_span_first(talk->wire, n);
    bool has_room = cg_engine_wants(talk->engine) & CG_WANT_READ;
    size_t taken = SIZE_MAX;
    cg_err err = cg_engine_feed(talk->engine, part, talk->now, &taken);

    MUST(taken <= part.len && err == cg_engine_why(talk->engine));
    MUST(taken > 0 || part.len == 0 || !has_room);
    talk->wire = cg_span_from(talk->wire, taken);
}

void cg_talk_look(struct cg_talk *talk, bool takes)
{
    struct cg_exchange *x;
    unsigned what = 0;

    for (unsigned n = 0; (x = cg_engine_ready(talk->engine, &what)); n++) {
        struct cg_talk_live *live = find(talk, x);

        MUST(n < 4 * CG_TALK_LIVE_MAX);
        check_report(talk, live, what);
        for (struct cg_span part; takes && (part = cg_exchange_peek(x)).len > 0;) {
            MUST_OK(cg_buf_add(live->body, part));
            cg_exchange_take(x, part.len);
        }
    }
}

void cg_talk_pull(struct cg_talk *talk)
{
    for (unsigned n = 0; cg_engine_wants(talk->engine) & CG_WANT_WRITE; n++) {
        enum cg_engine_state before = cg_engine_state(talk->engine);

        cg_buf_clear(talk->out);
        cg_err err = cg_engine_pull(talk->engine, talk->out);
        MUST(err == CG_OK || cg_engine_state(talk->engine) == CG_ENGINE_CLOSED);
        MUST(n < ROUNDS_MAX);
        if (talk->out->len == 0 && cg_engine_state(talk->engine) == before)
            break; /* waits for the peer's window */
    }
    check_engine(talk);
}

/* --- the script --- */

static unsigned draw(struct cg_span *script)
{
    unsigned byte = script->len ? script->at[0] : 0;

    *script = cg_span_from(*script, 1);
    return byte;
}

static struct cg_head any_head(struct cg_talk *talk, struct cg_span *script)
{
    static const uint8_t value[2000];
    struct cg_head head = new_head(talk);
    unsigned how = draw(script);
    cg_err err = CG_OK;

    for (unsigned i = how & 3; i > 0 && err == CG_OK; i--)
        err = cg_head_add_named(&head, CG_LIT("x-any"), cg_span_first(CG_LIT("some value"), how));
    MUST(cg_head_add_named(&head, CG_LIT("x-bad"), CG_BYTES(value)) == CG_SYNTAX);
    head.content_length = how & 4 ? (int64_t)draw(script) * 97 : -1;
    head.status = how & 8 ? 204 : how & 16 ? 304 : how & 32 ? 99 : 200;
    return head;
}

static void act(struct cg_talk *talk, struct cg_span *script)
{
    static const uint8_t bytes[60000];
    unsigned what = draw(script), which = draw(script);
    struct cg_talk_live *live;
    struct cg_head head;
    size_t taken = 0;
    cg_err err = CG_OK;

    if (talk->n_live == 0)
        return;
    live = &talk->live[which % talk->n_live];
    head = any_head(talk, script);
    switch (what % 12) {
    case 0:
    case 1:
        err = cg_exchange_answer(live->x, &head, which & 64);
        break;
    case 2:
    case 3:
        err =
            cg_exchange_send(live->x, cg_span_first(CG_BYTES(bytes), draw(script) * 230u), &taken);
        break;
    case 4:
        err = cg_exchange_end(live->x, which & 64 ? &head : NULL);
        break;
    case 5:
        err = cg_exchange_inform(live->x, 100 + (int)(which & 3), &head);
        break;
    case 6:
    case 7: {
        struct cg_span part = cg_exchange_peek(live->x);
        cg_exchange_take(live->x, part.len ? draw(script) % (part.len + 1) : 0);
        break;
    }
    case 8:
        cg_exchange_set_patient(live->x, which & 64);
        break;
    case 9:
        cg_exchange_reset(live->x, CG_RESET_CANCEL);
        break;
    default:
        let_go(talk, which % talk->n_live);
        break;
    }
    MUST(err == CG_OK || err == CG_CLOSED || err == CG_INTERNAL);
}

void cg_talk_step(struct cg_talk *talk, struct cg_span *script)
{
    static const char *const methods[] = {"GET", "POST", "HEAD", "OPTIONS"};
    unsigned how = draw(script), more;

    switch (how % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        cg_talk_feed(talk, how / 16 + 1);
        break;
    case 4:
    case 5:
        cg_talk_feed(talk, 16 * draw(script) + how / 16);
        break;
    case 6: /* from a millisecond to half an hour */
        talk->now.us += INT64_C(1000) << (how / 16) << (draw(script) % 8);
        (void)!cg_engine_tick(talk->engine, talk->now);
        break;
    case 7:
        more = draw(script);
        if (more == 0)
            cg_engine_shutdown(talk->engine);
        else if (more == 1)
            cg_engine_abort(talk->engine, CG_CANCELLED);
        else if (more == 2)
            cg_engine_eof(talk->engine, talk->now);
        else if (!talk->is_server)
            cg_talk_ask(talk, methods[more % 4], more & 4 ? "https" : "httpcg", more & 8);
        break;
    default:
        act(talk, script);
        break;
    }
    cg_talk_look(talk, how & 128);
    cg_talk_pull(talk);
    cg_talk_look(talk, false);
}

void cg_talk_end(struct cg_talk *talk)
{
    cg_talk_feed(talk, SIZE_MAX);
    cg_talk_look(talk, true);
    cg_talk_pull(talk);
    /* Whoever is left alone comes to an end by the clock, in bounded time. */
    for (unsigned n = 0; cg_engine_state(talk->engine) != CG_ENGINE_CLOSED; n++) {
        struct cg_mono at = cg_engine_deadline(talk->engine);
        MUST(n < 200);
        if (at.us == INT64_MAX)
            break; /* all that is open is ours to finish */
        if (at.us > talk->now.us)
            talk->now = at;
        (void)!cg_engine_tick(talk->engine, talk->now);
        cg_talk_look(talk, true);
        cg_talk_pull(talk);
        if (n > 100)
            while (talk->n_live > 0)
                let_go(talk, 0);
    }
    cg_engine_eof(talk->engine, talk->now);
    MUST(cg_engine_state(talk->engine) == CG_ENGINE_CLOSED);
    cg_talk_look(talk, true);
    while (talk->n_live > 1)
        let_go(talk, 0);
    cg_engine_free(talk->engine); /* frees the one that was not released */
    cg_arena_done(&talk->arena);
}

/* --- the story --- */

static void tell(struct cg_writer *w, const char *what, struct cg_span value)
{
    cg_put_str(w, what);
    cg_put(w, value);
}

static void tell_fields(struct cg_writer *w, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        tell(w, "\n ", head->fields[i].name);
        tell(w, ": ", head->fields[i].value);
    }
}

static void tell_one(struct cg_writer *w, const struct cg_talk_live *live)
{
    const struct cg_exchange *x = live->x;

    cg_put_str(w, "\n#");
    cg_put_decimal(w, x->id);
    if (live->seen & CG_X_HEAD) {
        cg_put_str(w, " ");
        cg_put_decimal(w, (uint64_t)x->in.status);
        tell(w, " ", x->in.method);
        tell(w, " ", x->in.scheme);
        tell(w, "|", x->in.authority);
        tell(w, "|", x->in.path);
        tell_fields(w, &x->in);
    }
    if (live->seen & CG_X_REFUSED) { /* how much of its body came is nobody's business */
        cg_put_str(w, " refused ");
        cg_put_decimal(w, (uint64_t)x->refusal);
        return;
    }
    if (!(live->seen & CG_X_RESET)) /* nor of one that broke off */
        tell(w, " body ", cg_buf_span(live->body));
    if (live->seen & CG_X_TRAILERS) {
        cg_put_str(w, " trailers");
        tell_fields(w, &x->in_trailers);
    }
    cg_put_str(w, live->seen & CG_X_INFORM ? " informed" : "");
    cg_put_str(w, live->seen & CG_X_END ? " end" : "");
    cg_put_str(w, live->seen & CG_X_RESET ? " reset" : "");
}

struct cg_span cg_talk_story(struct cg_talk *talk)
{
    struct cg_buf *out = cg_fuzz_buf(talk->in);
    struct cg_writer w = cg_writer_into(out);

    for (size_t i = 0; i < talk->n_live; i++)
        tell_one(&w, &talk->live[i]);
    tell(&w, "\nwhy ", cg_span_str(cg_err_name(cg_engine_why(talk->engine))));
    MUST_OK(cg_writer_end(&w));
    return cg_buf_span(out);
}
