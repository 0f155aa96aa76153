/* h2_test.c: HTTP/2 frames made by hand: what is refused, what is cut, and after how much. */
#include "session/h2.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/span.h"
#include "session/stack.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"

#define DATA 0
#define HEADERS 1
#define PRIORITY 2
#define RST_STREAM 3
#define SETTINGS 4
#define PUSH_PROMISE 5
#define PING 6
#define GOAWAY 7
#define WINDOW_UPDATE 8
#define CONTINUATION 9

#define END_STREAM 1
#define END_HEADERS 4

static const struct cg_mono start = {1000};
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* --- bytes --- */

static uint8_t wire[1 << 20];
static size_t wire_len;

static void put(const void *at, size_t len)
{
    memcpy(wire + wire_len, at, len);
    wire_len += len;
}

static void frame(uint8_t type, uint8_t flags, uint32_t stream, struct cg_span payload)
{
    uint8_t head[9] = {(uint8_t)(payload.len >> 16),
                       (uint8_t)(payload.len >> 8),
                       (uint8_t)payload.len,
                       type,
                       flags,
                       (uint8_t)(stream >> 24),
                       (uint8_t)(stream >> 16),
                       (uint8_t)(stream >> 8),
                       (uint8_t)stream};
    put(head, 9);
    if (payload.len)
        put(payload.at, payload.len);
}

static uint8_t block[1 << 18];
static size_t block_len;

static void put_string(struct cg_span s)
{
    size_t n = s.len;

    if (n < 127) {
        block[block_len++] = (uint8_t)n;
    } else { /* RFC 7541, 5.1 */
        block[block_len++] = 127;
        for (n -= 127; n >= 128; n /= 128)
            block[block_len++] = (uint8_t)(n % 128 + 128);
        block[block_len++] = (uint8_t)n;
    }
    memcpy(block + block_len, s.at, s.len);
    block_len += s.len;
}

/* A literal field without indexing (RFC 7541, 6.2.2). */
static void field(const char *name, const char *value)
{
    block[block_len++] = 0;
    put_string(cg_span_str(name));
    put_string(cg_span_str(value));
}

static void get(const char *path)
{
    block_len = 0;
    field(":method", "GET");
    field(":scheme", "httpcg");
    field(":authority", "app");
    field(":path", path);
}

static void headers(uint32_t stream, uint8_t flags)
{
    frame(HEADERS, flags, stream, cg_span_of(block, block_len));
}

/* --- an engine and what it says --- */

static struct cg_engine *engine;

static void open_conf(const struct cg_engine_conf *conf)
{
    cg_engine_free(engine);
    engine = NULL;
    CHECK_OK(cg_stack_accept(conf, NULL, CG_SPEAKS_H2, start, &engine));
    wire_len = 0;
    put(preface, sizeof preface - 1);
    frame(SETTINGS, 0, 0, (struct cg_span){0});
}

static void open(void)
{
    open_conf(NULL);
}

static cg_err flush_at(struct cg_mono now)
{
    size_t taken;
    cg_err err = cg_engine_feed(engine, cg_span_of(wire, wire_len), now, &taken);

    wire_len = 0;
    return err;
}

static cg_err flush(void)
{
    return flush_at(start);
}

/* What the engine sends: how many frames of a type, and the code of the last one (RST_STREAM,
 * GOAWAY). */
static size_t sent(uint8_t type, uint32_t *code)
{
    struct cg_buf out;
    size_t n = 0;

    cg_buf_init(&out, 1 << 20);
    for (int i = 0; i < 8 && (cg_engine_wants(engine) & CG_WANT_WRITE); i++)
        cg_take_out(engine, &out);
    for (struct cg_span rest = cg_buf_span(&out); rest.len >= 9;) {
        size_t len = (size_t)rest.at[0] << 16 | (size_t)rest.at[1] << 8 | rest.at[2];
        if (rest.at[3] == type) {
            size_t at = 9 + (type == GOAWAY ? 4 : 0);
            n++;
            if (code && (type == RST_STREAM || type == GOAWAY))
                *code = (uint32_t)rest.at[at] << 24 | (uint32_t)rest.at[at + 1] << 16 |
                        (uint32_t)rest.at[at + 2] << 8 | rest.at[at + 3];
        }
        rest = cg_span_from(rest, 9 + len);
    }
    cg_buf_done(&out);
    return n;
}

static void release_all(void)
{
    unsigned what;

    for (struct cg_exchange *x; (x = cg_engine_ready(engine, &what));)
        cg_exchange_release(x);
}

static void done(void)
{
    cg_engine_free(engine);
    engine = NULL;
}

/* --- heads --- */

/* The status a request with the block at hand is refused with; 0: served; -1: reset; -2: the
 * connection is gone. */
static int judged(void)
{
    unsigned what = 0;

    headers(1, END_STREAM | END_HEADERS);
    cg_err err = flush();
    struct cg_exchange *x = cg_engine_ready(engine, &what);
    if (err != CG_OK)
        return -2;
    if (!x || (what & CG_X_RESET))
        return -1;
    return what & CG_X_REFUSED ? x->refusal : what & CG_X_HEAD ? 0 : -1;
}

TEST(takes_the_scheme_httpcg_and_checks_its_path_itself)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/app.example.com/x?limit=10", 0},
        {"/", 0},
        {"x", 400},
        {"*", 400},
        {"/a#b", 400},
        {"/a b", 400},
        {"http://h/", 400},
        {"/\x80", 400},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open();
        get(cases[i].path);
        int status = judged();
        CHECK_INT(status == -1 ? 400 : status, cases[i].status); /* or the library was first */
    }
    open();
    get("");
    CHECK(judged() != 0);
    done();
}

TEST(refuses_fields_that_could_split_a_message)
{
    static const struct {
        const char *name, *value;
    } bad[] = {
        {"a", "b\r\nc: d"},
        {"a", "b\nc"},
        {"a", "b\rc"},
        {"a", "\x01"},
        {"a", "\x7f"},
        {"a b", "c"},
        {"a:", "c"},
        {"", "c"},
        {"A", "c"},
        {"a\r\nb", "c"},
        {"\x80", "c"},
        {"connection", "close"},
        {"transfer-encoding", "chunked"},
        {"upgrade", "h2c"},
        {"keep-alive", "1"},
        {"proxy-connection", "x"},
        {"te", "gzip"},
        {":path", "/b"},
        {":status", "200"},
        {":unknown", "x"},
        {"content-length", "x"},
        {"content-length", "-1"},
        {"content-length", "5"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open();
        get("/x");
        field(bad[i].name, bad[i].value);
        int status = judged();
        if (!CHECK(status == 400 || status == -1))
            fprintf(stderr, "# %s: %s gave %d\n", bad[i].name, bad[i].value, status);
    }
    open();
    get("/x");
    field("a", "b");
    field("te", "trailers");
    field("host", "app");
    CHECK_INT(judged(), 0);
    done();
}

TEST(records_host_beside_authority)
{
    unsigned what;

    open();
    get("/x");
    field("host", "other");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    struct cg_exchange *x = cg_engine_ready(engine, &what);
    CHECK_SPAN(cg_head_value(&x->in, CG_TOKEN_HOST), CG_LIT("other"));
    CHECK_SPAN(x->in.authority, CG_LIT("app"));
    done();
}

TEST(refuses_plain_connect_and_lets_extended_connect_through)
{
    struct cg_engine_conf conf = {.allow_connect_protocol = true};

    open();
    block_len = 0;
    field(":method", "CONNECT");
    field(":authority", "h:443");
    CHECK_INT(judged(), 405);

    for (int allowed = 0; allowed < 2; allowed++) {
        open_conf(allowed ? &conf : NULL);
        sent(SETTINGS, NULL);
        block_len = 0;
        field(":method", "CONNECT");
        field(":protocol", "websocket");
        field(":scheme", "httpcg");
        field(":authority", "app");
        field(":path", "/x");
        headers(1, END_HEADERS);
        cg_err err = flush();
        unsigned what = 0;
        struct cg_exchange *x = cg_engine_ready(engine, &what);
        CHECK_OK(err);
        CHECK_INT(x && (what & CG_X_HEAD), allowed);
        if (allowed)
            CHECK_SPAN(x->in.protocol, CG_LIT("websocket"));
    }
    done();
}

TEST(limits_uris_and_header_lists)
{
    static char text[40000];
    struct cg_engine_conf conf = {.uri_max_bytes = 300, .head_max_bytes = 1000};

    for (size_t len = 290; len <= 292; len++) { /* with "httpcg" and "app" */
        memset(text, 'a', len);
        text[0] = '/';
        text[len] = 0;
        open_conf(&conf);
        get(text);
        CHECK_INT(judged(), len > 291 ? 414 : 0);
    }
    size_t fixed = 7 + 3 + 32 + 7 + 6 + 32 + 10 + 3 + 32 + 5 + 2 + 32 + 1 + 32;
    for (size_t len = 1000 - fixed - 1; len <= 1000 - fixed + 1; len++) {
        memset(text, 'a', len);
        text[len] = 0;
        open_conf(&conf);
        get("/x");
        field("a", text);
        CHECK_INT(judged(), len > 1000 - fixed ? 431 : 0);
    }
    done();
}

TEST(answers_what_it_refused_and_goes_on)
{
    static uint8_t zeros[1000];
    struct cg_arena arena;
    struct cg_head head;
    unsigned what;
    uint32_t code = 99;

    open();
    get("/bad#");
    headers(1, END_HEADERS); /* a body follows */
    frame(DATA, 0, 1, CG_BYTES(zeros));
    CHECK_OK(flush());
    struct cg_exchange *x = cg_engine_ready(engine, &what);
    CHECK_INT(what, CG_X_REFUSED);
    CHECK_ERR(x->fault, CG_PROTOCOL);
    cg_arena_init(&arena, 65536);
    cg_head_init(&head, &arena);
    head.status = x->refusal;
    CHECK_OK(cg_exchange_answer(x, &head, true));
    CHECK_INT(sent(RST_STREAM, &code), 1);
    CHECK_INT(code, CG_RESET_NONE);
    CHECK(cg_engine_ready(engine, &what) == x);
    CHECK_INT(what, CG_X_SENT);
    cg_exchange_release(x);
    get("/good");
    headers(3, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    x = cg_engine_ready(engine, &what);
    CHECK(x && (what & CG_X_HEAD));
    cg_arena_done(&arena);
    done();
}

/* --- floods --- */

TEST(cuts_rapid_resets)
{
    uint8_t cancel[4] = {0, 0, 0, 8};
    uint32_t stream = 1, code = 0;
    cg_err err = CG_OK;

    open();
    for (; stream < 4000 && err == CG_OK; stream += 2) {
        get("/x");
        headers(stream, END_STREAM | END_HEADERS);
        frame(RST_STREAM, 0, stream, CG_BYTES(cancel));
        err = flush();
        release_all();
    }
    CHECK_ERR(err, CG_RATE);
    CHECK(stream / 2 * 2 <= 2000); /* frames */
    CHECK_INT(sent(GOAWAY, &code), 1);
    CHECK_INT(code, CG_RESET_CALM);
    done();
}

TEST(lets_the_same_number_of_resets_pass_when_spread_over_time)
{
    uint8_t cancel[4] = {0, 0, 0, 8};
    cg_err err = CG_OK;

    open();
    for (uint32_t i = 0; i < 2000 && err == CG_OK; i++) {
        get("/x");
        headers(2 * i + 1, END_STREAM | END_HEADERS);
        frame(RST_STREAM, 0, 2 * i + 1, CG_BYTES(cancel));
        err = flush_at((struct cg_mono){start.us + (int64_t)i * 20000});
        release_all();
    }
    CHECK_OK(err);
    done();
}

TEST(cuts_those_who_make_it_reset)
{
    uint8_t overflow[4] = {0x7f, 0xff, 0xff, 0xff};
    uint32_t stream = 1, code = 0;
    size_t n_goaway = 0;
    cg_err err = CG_OK;

    open();
    for (; stream < 4000 && err == CG_OK; stream += 2) {
        get("/x");
        headers(stream, END_STREAM | END_HEADERS);
        frame(WINDOW_UPDATE, 0, stream, CG_BYTES(overflow)); /* a stream error */
        err = flush();
        if (err == CG_OK) {
            n_goaway += sent(GOAWAY, &code);
            err = cg_engine_why(engine);
        }
        release_all();
    }
    CHECK_ERR(err, CG_RATE);
    CHECK(stream / 2 * 2 <= 2000);
    CHECK_INT(n_goaway, 1);
    CHECK_INT(code, CG_RESET_CALM);
    done();
}

TEST(does_not_count_resets_of_its_own_user)
{
    open();
    for (uint32_t i = 0; i < 2000; i++) {
        get("/x");
        headers(2 * i + 1, END_STREAM | END_HEADERS);
        if (!CHECK_ERR(flush(), CG_OK))
            break;
        release_all(); /* unanswered: reset */
        sent(RST_STREAM, NULL);
    }
    CHECK_INT(cg_engine_state(engine), CG_ENGINE_OPEN);
    done();
}

/* How many of a frame pass before the connection is cut; 0: never. */
static int cut_after(uint8_t type, uint8_t flags, uint32_t stream, struct cg_span payload)
{
    open();
    if (stream) {
        get("/x");
        headers(stream, END_HEADERS);
        CHECK_OK(flush());
    }
    for (int i = 1; i <= 3000; i++) {
        frame(type, flags, stream, payload);
        if (flush() != CG_OK)
            return i;
        sent(PING, NULL); /* takes what it answers, as an attacker would */
    }
    return 0;
}

TEST(cuts_floods_of_frames_that_carry_nothing)
{
    uint8_t eight[8] = {0}, setting[6] = {0, 4, 0, 0, 255, 255}, one[4] = {0, 0, 0, 1};
    uint8_t priority[5] = {0, 0, 0, 0, 16};

    CHECK(cut_after(PING, 0, 0, CG_BYTES(eight)) > 500);
    CHECK(cut_after(SETTINGS, 0, 0, CG_BYTES(setting)) > 500);
    CHECK(cut_after(PRIORITY, 0, 1, CG_BYTES(priority)) > 500);
    CHECK(cut_after(WINDOW_UPDATE, 0, 0, CG_BYTES(one)) > 500);
    CHECK(cut_after(WINDOW_UPDATE, 0, 1, CG_BYTES(one)) > 500);
    CHECK(cut_after(DATA, 0, 1, (struct cg_span){0}) > 500);
    CHECK(cut_after(0xe8, 0, 0, CG_BYTES(eight)) > 500); /* an unknown type: ignored, but counted */
    done();
}

TEST(ignores_unknown_frames)
{
    uint8_t any[100] = {0};
    unsigned what;

    open();
    for (int i = 0; i < 100; i++)
        frame(0xe8, 0xff, 0, CG_BYTES(any));
    get("/x");
    headers(1, END_STREAM | END_HEADERS);
    frame(0xe8, 0, 1, CG_BYTES(any));
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what) && (what & CG_X_HEAD));
    done();
}

TEST(cuts_header_blocks_that_do_not_end)
{
    static uint8_t large[16384];
    uint32_t code = 0;

    /* By the number of CONTINUATION frames … */
    open();
    get("/x");
    headers(1, END_STREAM);
    for (int i = 0; i < 8; i++)
        frame(CONTINUATION, 0, 1, (struct cg_span){0});
    CHECK_OK(flush());
    frame(CONTINUATION, 0, 1, (struct cg_span){0});
    CHECK(flush() != CG_OK);
    CHECK_INT(sent(GOAWAY, &code), 1);

    /* … by their bytes … */
    open();
    get("/x");
    headers(1, END_STREAM);
    for (int i = 0; i < 5; i++)
        frame(CONTINUATION, 0, 1, CG_BYTES(large));
    CHECK(flush() != CG_OK);

    /* … and by time. */
    open();
    get("/x");
    headers(1, END_STREAM);
    CHECK_OK(flush());
    CHECK_INT(cg_engine_deadline(engine).us, start.us + 10 * 1000 * 1000);
    CHECK_ERR(cg_engine_tick(engine, (struct cg_mono){start.us + 10 * 1000 * 1000}), CG_TIMEOUT);
    done();
}

TEST(waits_for_no_header_block_that_it_has_given_up)
{
    unsigned what;

    /* Trailers that cross our reset are ignored by the library, which says nothing of their end. */
    open();
    get("/x");
    headers(1, END_HEADERS);
    get("/y");
    headers(3, END_HEADERS);
    CHECK_OK(flush());
    struct cg_exchange *x = cg_engine_ready(engine, &what);
    cg_exchange_release(x);
    sent(RST_STREAM, NULL);
    block_len = 0;
    field("a", "b");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    CHECK_OK(cg_engine_tick(engine, (struct cg_mono){start.us + 11 * 1000 * 1000}));

    /* And one that is given up while it comes in. */
    x = cg_engine_ready(engine, &what);
    block_len = 0;
    field("a", "b");
    headers(3, END_STREAM);
    CHECK_OK(flush_at((struct cg_mono){start.us + 12 * 1000 * 1000}));
    CHECK_INT(cg_engine_deadline(engine).us, start.us + 22 * 1000 * 1000);
    cg_exchange_release(x);
    sent(RST_STREAM, NULL);
    CHECK_OK(cg_engine_tick(engine, (struct cg_mono){start.us + 23 * 1000 * 1000}));
    done();
}

TEST(names_its_last_stream_after_those_on_their_way_could_arrive)
{
    uint32_t code = 99;
    unsigned what;

    for (int answered = 0; answered < 2; answered++) {
        open();
        get("/x");
        headers(1, END_STREAM | END_HEADERS);
        CHECK_OK(flush());
        CHECK_INT(cg_engine_n_open(engine), 1);
        cg_engine_shutdown(engine);
        CHECK_INT(sent(GOAWAY, &code), 1);
        get("/y"); /* was on its way */
        headers(3, END_STREAM | END_HEADERS);
        CHECK_OK(flush());
        CHECK_INT(cg_engine_n_open(engine), 2);
        if (answered) {
            frame(PING, 1, 0, CG_LIT("httpcg\0\0"));
            CHECK_OK(flush());
        } else {
            CHECK_INT(cg_engine_deadline(engine).us, start.us + 1000 * 1000);
            CHECK_OK(cg_engine_tick(engine, (struct cg_mono){start.us + 1000 * 1000}));
        }
        CHECK_INT(sent(GOAWAY, &code), 1);
        CHECK_INT(code, 0);
        get("/z"); /* too late */
        headers(5, END_STREAM | END_HEADERS);
        CHECK_OK(flush());
        CHECK_INT(cg_engine_n_open(engine), 2);
        for (struct cg_exchange *x; (x = cg_engine_ready(engine, &what));)
            cg_exchange_release(x);
        CHECK_OK(cg_engine_tick(engine, (struct cg_mono){start.us + 2000 * 1000}));
        CHECK_INT(cg_engine_state(engine), CG_ENGINE_CLOSED);
        CHECK_OK(cg_engine_why(engine));
    }
    done();
}

TEST(cuts_header_blocks_that_swell)
{
    static char value[4000];
    uint32_t code = 0;

    /* One entry of 4 kB in the dynamic table (RFC 7541, 6.2.1), then named again and again by a
     * byte each. */
    memset(value, 'v', sizeof value - 1);
    open();
    get("/x");
    block[block_len++] = 0x40;
    put_string(CG_LIT("n"));
    put_string(cg_span_str(value));
    memset(block + block_len, 0x80 | 62, 1000);
    block_len += 1000;
    headers(1, END_STREAM | END_HEADERS);
    CHECK_ERR(flush(), CG_RATE);
    CHECK_INT(sent(GOAWAY, &code), 1);
    CHECK_INT(code, CG_RESET_CALM);
    done();
}

TEST(refuses_streams_over_its_limit_also_those_whose_work_goes_on)
{
    struct cg_engine_conf conf = {.max_streams = 3};
    uint8_t cancel[4] = {0, 0, 0, 8};
    unsigned what;
    uint32_t code = 0;
    int n = 0;

    open_conf(&conf);
    sent(SETTINGS, NULL);
    frame(SETTINGS, 1, 0, (struct cg_span){0}); /* acknowledged: the limit holds */
    for (uint32_t stream = 1; stream <= 5; stream += 2) {
        get("/x");
        headers(stream, END_STREAM | END_HEADERS);
        frame(RST_STREAM, 0, stream, CG_BYTES(cancel));
    }
    get("/x");
    headers(7, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    while (cg_engine_ready(engine, &what))
        n++;
    CHECK_INT(n, 3);
    CHECK_INT(cg_engine_n_open(engine), 3);
    CHECK_INT(sent(RST_STREAM, &code), 1);
    CHECK_INT(code, CG_RESET_REFUSED);
    done();
}

TEST(stops_reading_when_its_answers_are_not_taken)
{
    uint8_t eight[8] = {0};

    open();
    for (int i = 0; i < 600; i++)
        frame(PING, 0, 0, CG_BYTES(eight));
    CHECK_OK(flush());
    CHECK(!(cg_engine_wants(engine) & CG_WANT_READ));
    CHECK_INT(sent(PING, NULL), 600);
    CHECK(cg_engine_wants(engine) & CG_WANT_READ);
    done();
}

TEST(ends_on_what_is_no_http_2)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r",
    };
    size_t taken;

    for (size_t i = 0; i < 2; i++) {
        open();
        CHECK(cg_engine_feed(engine, cg_span_str(bad[i]), start, &taken) != CG_OK);
        CHECK_INT(cg_engine_state(engine), CG_ENGINE_CLOSED);
    }
    /* Wrong sizes and places, each a connection error (RFC 9113, 5.4.1). */
    static const struct {
        uint8_t type;
        uint32_t stream;
        size_t len;
    } frames[] = {
        {DATA, 0, 1},          {HEADERS, 0, 1},      {HEADERS, 2, 1},  {RST_STREAM, 0, 4},
        {RST_STREAM, 1, 3},    {SETTINGS, 1, 0},     {SETTINGS, 0, 5}, {PUSH_PROMISE, 1, 4},
        {PING, 0, 7},          {PING, 1, 8},         {GOAWAY, 1, 8},   {WINDOW_UPDATE, 0, 3},
        {WINDOW_UPDATE, 0, 4}, {CONTINUATION, 1, 1},
    };
    static uint8_t zeros[16];
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        open();
        frame(frames[i].type, 0, frames[i].stream, cg_span_of(zeros, frames[i].len));
        CHECK(flush() == CG_OK || cg_engine_why(engine) == CG_PROTOCOL);
        CHECK_INT(sent(GOAWAY, NULL), 1);
        CHECK_ERR(cg_engine_why(engine), CG_PROTOCOL);
        CHECK_INT(cg_engine_state(engine), CG_ENGINE_CLOSED);
    }
    done();
}

TEST(checks_a_bodys_length_against_the_stated_one)
{
    unsigned what;

    for (int len = 4; len <= 6; len++) {
        open();
        get("/x");
        field("content-length", "5");
        headers(1, END_HEADERS);
        frame(DATA, END_STREAM, 1, cg_span_of("123456", (size_t)len));
        CHECK_OK(flush());
        sent(RST_STREAM, NULL);
        struct cg_exchange *x = cg_engine_ready(engine, &what);
        CHECK_INT(x->in.content_length, 5);
        CHECK_INT((what & CG_X_RESET) != 0, len != 5);
        CHECK_INT((what & CG_X_END) != 0, len == 5);
    }
    done();
}

TEST(gives_the_connection_its_credit_back_for_bodies_nobody_reads)
{
    static uint8_t piece[16000];
    struct cg_engine_conf conf = {.window_max_bytes = 65535};

    open_conf(&conf);
    for (uint32_t stream = 1; stream < 2 * 40; stream += 2) { /* 640 kB through 64 kB */
        get("/x");
        headers(stream, END_HEADERS);
        frame(DATA, END_STREAM, stream, CG_BYTES(piece));
        CHECK_OK(flush());
        release_all(); /* with 16 kB unread */
        sent(WINDOW_UPDATE, NULL);
    }
    CHECK_INT(cg_engine_state(engine), CG_ENGINE_OPEN);
    done();
}

TEST(pads_heads_to_multiples)
{
    struct cg_engine_conf conf = {.pad_heads_to = 256};
    struct cg_arena arena;
    struct cg_head head;
    struct cg_buf out;
    unsigned what;
    size_t n = 0;

    cg_arena_init(&arena, 65536);
    cg_head_init(&head, &arena);
    head.status = 200;
    CHECK_OK(cg_head_add(&head, CG_TOKEN_SAPI_RESPONSE, CG_LIT("{\"alg\":\"grant\"}")));
    open_conf(&conf);
    get("/x");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    struct cg_exchange *x = cg_engine_ready(engine, &what);
    CHECK_OK(cg_exchange_answer(x, &head, true));
    cg_buf_init(&out, 65536);
    CHECK_OK(cg_engine_pull(engine, &out));
    for (struct cg_span rest = cg_buf_span(&out); rest.len >= 9;) {
        size_t len = (size_t)rest.at[0] << 16 | (size_t)rest.at[1] << 8 | rest.at[2];
        if (rest.at[3] == HEADERS) {
            CHECK_INT(len, 256);
            CHECK(memmem(rest.at, 9 + len, "\x1f", 1) || memmem(rest.at, 9 + len, "\x10", 1));
            n++;
        }
        rest = cg_span_from(rest, 9 + len);
    }
    CHECK_INT(n, 1);
    cg_buf_done(&out);
    cg_arena_done(&arena);
    done();
}

TEST(means_the_same_when_fed_in_single_bytes)
{
    unsigned what = 0;
    size_t taken;

    open();
    get("/x");
    field("content-length", "3");
    headers(1, END_HEADERS);
    frame(DATA, END_STREAM, 1, CG_LIT("abc"));
    for (size_t i = 0; i < wire_len; i++)
        CHECK_OK(cg_engine_feed(engine, cg_span_of(wire + i, 1), start, &taken));
    struct cg_exchange *x = cg_engine_ready(engine, &what);
    CHECK_INT(what, CG_X_HEAD | CG_X_BODY | CG_X_END);
    CHECK_SPAN(cg_exchange_peek(x), CG_LIT("abc"));
    done();
}

TEST(tells_a_reset_and_no_end_where_trailers_are_malformed)
{
    unsigned what = 0;

    open();
    get("/x");
    headers(1, END_HEADERS);
    frame(DATA, 0, 1, CG_LIT("abc"));
    block_len = 0;
    field("x-bad", "a\nb");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what));
    CHECK_INT(what, CG_X_HEAD | CG_X_BODY | CG_X_RESET);
    done();
}

/* A client that has asked for something; what it says is thrown away. */
static struct cg_exchange *ask(void)
{
    struct cg_exchange *x = NULL;
    struct cg_arena arena;
    struct cg_head head;
    struct cg_buf out;

    cg_engine_free(engine);
    CHECK_OK(cg_h2_new(false, NULL, start, &engine));
    cg_arena_init(&arena, 4096);
    cg_head_init(&head, &arena);
    head.method = CG_LIT("GET");
    head.scheme = CG_LIT("https");
    head.authority = CG_LIT("a");
    head.path = CG_LIT("/");
    CHECK_OK(cg_engine_begin(engine, &head, true, &x));
    cg_buf_init(&out, 65536);
    CHECK_OK(cg_engine_pull(engine, &out));
    cg_buf_done(&out);
    cg_arena_done(&arena);
    wire_len = 0;
    frame(SETTINGS, 0, 0, (struct cg_span){0});
    return x;
}

TEST(tells_a_client_a_reset_and_no_end_where_a_response_is_malformed)
{
    unsigned what = 0;
    struct cg_exchange *x = ask();

    block_len = 0;
    field(":status", "200");
    field("x-bad", "a\nb");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what) == x);
    CHECK_INT(what, CG_X_SENT | CG_X_RESET);
    CHECK_ERR(x->fault, CG_SYNTAX);

    /* Its head was good, its trailers are not. */
    x = ask();
    block_len = 0;
    field(":status", "200");
    headers(1, END_HEADERS);
    frame(DATA, 0, 1, CG_LIT("abc"));
    block_len = 0;
    field("x-bad", "a\nb");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what) == x);
    CHECK_INT(what, CG_X_SENT | CG_X_HEAD | CG_X_BODY | CG_X_RESET);
    done();
}

TEST(takes_a_status_from_100_to_599_and_no_other)
{
    static const char *const bad[] = {"000", "099", "600", "999"};
    unsigned what = 0;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_exchange *x = ask();
        block_len = 0;
        field(":status", bad[i]);
        headers(1, END_STREAM | END_HEADERS);
        CHECK_OK(flush());
        CHECK(cg_engine_ready(engine, &what) == x);
        CHECK_INT(what, CG_X_SENT | CG_X_RESET);
    }
    ask();
    block_len = 0;
    field(":status", "100");
    headers(1, END_HEADERS);
    block_len = 0;
    field(":status", "599");
    headers(1, END_STREAM | END_HEADERS);
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what));
    CHECK_INT(what, CG_X_SENT | CG_X_INFORM | CG_X_HEAD | CG_X_END);
    done();
}

TEST(shows_an_interim_response_only_when_it_is_whole)
{
    unsigned what = 0;

    struct cg_exchange *x = ask();
    block_len = 0;
    field(":status", "103");
    field("link", "first");
    headers(1, END_HEADERS);
    block_len = 0;
    field(":status", "103");
    field("link", "second");
    headers(1, 0); /* to be continued */
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what) == x && (what & CG_X_INFORM));
    CHECK_INT(x->inform.n_fields, 1);
    CHECK_SPAN(x->inform.fields[0].value, CG_LIT("first"));
    frame(CONTINUATION, END_HEADERS, 1, (struct cg_span){0});
    CHECK_OK(flush());
    CHECK(cg_engine_ready(engine, &what) == x && what == CG_X_INFORM);
    CHECK_SPAN(x->inform.fields[0].value, CG_LIT("second"));
    done();
}

TEST(takes_a_header_block_in_many_frames_in_single_bytes)
{
    unsigned what = 0;
    size_t taken;

    open();
    get("/x");
    frame(HEADERS, END_STREAM, 1, cg_span_of(block, block_len));
    for (int i = 0; i < 7; i++)
        frame(CONTINUATION, 0, 1, (struct cg_span){0});
    frame(CONTINUATION, END_HEADERS, 1, (struct cg_span){0});
    for (size_t i = 0; i < wire_len; i++)
        CHECK_OK(cg_engine_feed(engine, cg_span_of(wire + i, 1), start, &taken));
    CHECK(cg_engine_ready(engine, &what) && what == (CG_X_HEAD | CG_X_END));
    done();
}

SUITE(h2, T(takes_the_scheme_httpcg_and_checks_its_path_itself),
      T(refuses_fields_that_could_split_a_message), T(records_host_beside_authority),
      T(refuses_plain_connect_and_lets_extended_connect_through), T(limits_uris_and_header_lists),
      T(answers_what_it_refused_and_goes_on), T(cuts_rapid_resets),
      T(lets_the_same_number_of_resets_pass_when_spread_over_time), T(cuts_those_who_make_it_reset),
      T(does_not_count_resets_of_its_own_user), T(cuts_floods_of_frames_that_carry_nothing),
      T(ignores_unknown_frames), T(cuts_header_blocks_that_do_not_end),
      T(waits_for_no_header_block_that_it_has_given_up),
      T(names_its_last_stream_after_those_on_their_way_could_arrive),
      T(cuts_header_blocks_that_swell),
      T(refuses_streams_over_its_limit_also_those_whose_work_goes_on),
      T(stops_reading_when_its_answers_are_not_taken), T(ends_on_what_is_no_http_2),
      T(checks_a_bodys_length_against_the_stated_one),
      T(gives_the_connection_its_credit_back_for_bodies_nobody_reads), T(pads_heads_to_multiples),
      T(means_the_same_when_fed_in_single_bytes),
      T(tells_a_reset_and_no_end_where_trailers_are_malformed),
      T(tells_a_client_a_reset_and_no_end_where_a_response_is_malformed),
      T(takes_a_status_from_100_to_599_and_no_other),
      T(shows_an_interim_response_only_when_it_is_whole),
      T(takes_a_header_block_in_many_frames_in_single_bytes))
