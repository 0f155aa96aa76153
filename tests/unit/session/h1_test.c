/* h1_test.c: HTTP/1.1's framing, byte by byte: every input is fed whole, in single bytes and cut
 * at every place, and must mean the same. */
#include "session/h1.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/span.h"
#include "session/h1_own.h"
#include "session/stack.h"
#include "tests/support/check.h"
#include "tests/support/duplex.h"

#define LOG_BYTES 4096

static const struct cg_mono now = {1000};

struct log {
    char text[LOG_BYTES];
    size_t len;
};

static void note(struct log *log, const char *what, struct cg_span value)
{
    int n = snprintf(log->text + log->len, LOG_BYTES - log->len, "%s%.*s", what, (int)value.len,
                     value.len > 0 ? (const char *)value.at : "");

    log->len += (size_t)n < LOG_BYTES - log->len ? (size_t)n : 0;
}

static void note_int(struct log *log, const char *what, int64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", (long long)value);
    note(log, what, cg_span_str(digits));
}

static void note_fields(struct log *log, const struct cg_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        note(log, " ", head->fields[i].name);
        note(log, "=", head->fields[i].value);
    }
}

/* What an exchange came to, in one line. */
static void describe(struct log *log, struct cg_exchange *x, unsigned seen, struct cg_span body)
{
    if (seen & CG_X_HEAD) {
        if (x->in.status)
            note_int(log, "", x->in.status);
        note(log, "", x->in.method);
        note(log, " ", x->in.scheme);
        note(log, "|", x->in.authority);
        note(log, "|", x->in.path);
        note_fields(log, &x->in);
        note_int(log, " (", x->in.content_length);
        note(log, ")", (struct cg_span){0});
        if (x->expects_continue)
            note(log, " expects", (struct cg_span){0});
    }
    if (seen & CG_X_REFUSED) {
        note_int(log, " refused ", x->refusal);
        return; /* how much of a refused body came is nobody's business */
    }
    if (body.len)
        note(log, " body ", body);
    if (seen & CG_X_TRAILERS) {
        note(log, " trailers", (struct cg_span){0});
        note_fields(log, &x->in_trailers);
    }
    if (seen & CG_X_END)
        note(log, " end", (struct cg_span){0});
    if (seen & CG_X_RESET)
        note(log, " reset", (struct cg_span){0});
}

/* Feeds an engine in pieces and describes the one exchange that comes of it. */
static struct log run(struct cg_engine *e, struct cg_span in, size_t first, size_t piece, bool eof)
{
    static uint8_t body[LOG_BYTES];
    struct log log = {.len = 0};
    struct cg_exchange *x = NULL;
    unsigned seen = 0;
    size_t n_body = 0;

    for (bool done = false; !done;) {
        struct cg_span part = cg_span_first(in, first ? first : piece);
        first = 0;
        size_t taken = cg_give(e, part, now);
        CHECK_INT(taken, part.len);
        in = cg_span_from(in, part.len);
        if (in.len == 0) {
            done = true;
            if (eof)
                cg_engine_eof(e, now);
        }
        unsigned what;
        for (struct cg_exchange *y; (y = cg_engine_ready(e, &what));) {
            CHECK(!x || x == y);
            x = y;
            seen |= what;
            for (struct cg_span p; (p = cg_exchange_peek(x)).len && n_body < LOG_BYTES;) {
                memcpy(body + n_body, p.at, p.len);
                n_body += p.len;
                cg_exchange_take(x, p.len);
            }
        }
    }
    if (x) {
        describe(&log, x, seen, cg_span_of(body, n_body));
        cg_exchange_release(x);
    }
    cg_engine_free(e);
    return log;
}

static struct cg_engine *server(void)
{
    struct cg_engine *e = NULL;
    struct cg_engine_conf conf = {
        .in_max_bytes = 2048, .head_max_bytes = 1024, .uri_max_bytes = 300};

    CHECK_OK(cg_stack_accept(&conf, NULL, CG_SPEAKS_H1, now, &e));
    return e;
}

static struct cg_engine *client(bool lenient, const char *method)
{
    static struct cg_arena arena;
    struct cg_engine *e = NULL;
    struct cg_engine_conf conf = {.in_max_bytes = 2048,
                                  .head_max_bytes = 1024,
                                  .allow_until_close = lenient,
                                  .allow_http_1_0 = lenient};
    struct cg_head head;
    struct cg_exchange *x;
    struct cg_buf out;

    CHECK_OK(cg_stack_connect(&conf, NULL, CG_SPEAKS_H1, now, &e));
    cg_arena_done(&arena);
    cg_arena_init(&arena, 4096);
    cg_head_init(&head, &arena);
    head.method = cg_span_str(method);
    head.scheme = CG_LIT("http");
    head.authority = CG_LIT("h");
    head.path = CG_LIT("/");
    if (method[0]) {
        CHECK_OK(cg_engine_begin(e, &head, true, &x));
        cg_buf_init(&out, 65536);
        CHECK_OK(cg_engine_pull(e, &out));
        cg_buf_done(&out);
    }
    return e;
}

/* The same in every cut. */
static bool means(struct cg_span in, const char *want)
{
    struct log whole = run(server(), in, 0, in.len, false);
    bool same = true;

    if (strcmp(whole.text, want) != 0) {
        fprintf(stderr, "# \"%.*s\"\n#   is   \"%s\"\n#   not  \"%s\"\n",
                (int)(in.len < 200 ? in.len : 200), (const char *)in.at, whole.text, want);
        return false;
    }
    for (size_t piece = 1; piece <= 3; piece++)
        same &= strcmp(run(server(), in, 0, piece, false).text, want) == 0;
    for (size_t cut = 1; cut<in.len; cut += in.len> 600 ? 37 : 1)
        same &= strcmp(run(server(), in, cut, in.len, false).text, want) == 0;
    return same;
}

static bool is_refused(struct cg_span in, int status)
{
    char want[32];

    snprintf(want, sizeof want, " refused %d", status);
    return means(in, want);
}

/* A response to a request of that method, and what becomes of it; then the connection ends. */
static bool answers_with(const char *method, bool lenient, struct cg_span in, const char *want)
{
    struct log whole = run(client(lenient, method), in, 0, in.len, true);
    bool same = true;

    if (strcmp(whole.text, want) != 0) {
        fprintf(stderr, "# \"%.*s\"\n#   is   \"%s\"\n#   not  \"%s\"\n", (int)in.len,
                (const char *)in.at, whole.text, want);
        return false;
    }
    same &= strcmp(run(client(lenient, method), in, 0, 1, true).text, want) == 0;
    for (size_t cut = 1; cut < in.len; cut++)
        same &= strcmp(run(client(lenient, method), in, cut, in.len, true).text, want) == 0;
    return same;
}

#define H "Host: h\r\n"

TEST(reads_requests)
{
    CHECK(means(CG_LIT("GET / HTTP/1.1\r\n" H "\r\n"), "GET http|h|/ host=h (-1) end"));
    CHECK(means(CG_LIT("GET /a?b=%20c HTTP/1.1\r\nHOST:h:80\r\nX-Y: \t a b \t\r\nE:\r\n\r\n"),
                "GET http|h:80|/a?b=%20c host=h:80 x-y=a b e= (-1) end"));
    CHECK(means(CG_LIT("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"),
                "POST http|h|/ host=h content-length=5 (5) body hello end"));
    CHECK(means(CG_LIT("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"),
                "POST http|h|/ host=h content-length=0 (0) end"));
    CHECK(means(CG_LIT("POST / HTTP/1.1\r\n" H "Content-Length: 6\r\n\r\nhello"),
                "POST http|h|/ host=h content-length=6 (6) body hello"));
    CHECK(means(CG_LIT("PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
                "PUT http|h|/ host=h expect=100-Continue content-length=1 (1) expects"));
    CHECK(means(CG_LIT("GET httpcg://app/app.example.com/x?y HTTP/1.1\r\nHost: app\r\n\r\n"),
                "GET httpcg|app|/app.example.com/x?y host=app (-1) end"));
    CHECK(means(CG_LIT("GET HTTPCG://APP HTTP/1.1\r\nHost: app\r\n\r\n"),
                "GET httpcg|APP|/ host=app (-1) end"));
}

TEST(reads_chunks_and_announced_trailers)
{
    CHECK(means(CG_LIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
                       "5\r\nhello\r\n006;a=b\r\n world\r\n0\r\n\r\n"),
                "POST http|h|/ host=h transfer-encoding=Chunked (-1) body hello world end"));
    CHECK(means(CG_LIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
                       "Trailer: a, SAPI-Trailer\r\n\r\n"
                       "A\r\n0123456789\r\n0;x\r\nsapi-trailer: {}\r\nA: 1\r\n\r\n"),
                "POST http|h|/ host=h transfer-encoding=chunked trailer=a, SAPI-Trailer (-1)"
                " body 0123456789 trailers sapi-trailer={} a=1 end"));
}

TEST(refuses_lines_that_could_be_read_in_two_ways)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\n" H "\r\n", /* bare LF */
        "GET / HTTP/1.1\r\nHost: h\n\r\n",
        "GET / HTTP/1.1\r\n" H "A: b\n\n",
        "GET / HTTP/1.1\r\n" H "A: b\rc: d\r\n\r\n", /* bare CR */
        "GET / HTTP/1.1\r\n" H "A: b\r\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "\rA: b\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", /* folded */
        "GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", /* space before the colon */
        "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "Transfer-Encoding\t: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "no colon\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "nocolon\r\n\r\n",
        "GET / HTTP/1.1\r\n" H ": empty\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "a(b: c\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "a\x80: c\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n",
        "GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\n" H "\r\n",
        "\nGET / HTTP/1.1\r\n" H "\r\n",
        " GET / HTTP/1.1\r\n" H "\r\n",
        "GET  / HTTP/1.1\r\n" H "\r\n",
        "GET /  HTTP/1.1\r\n" H "\r\n",
        "GET / HTTP/1.1 \r\n" H "\r\n",
        "GET\t/ HTTP/1.1\r\n" H "\r\n",
        "GET /\tHTTP/1.1\r\n" H "\r\n",
        "GET / x HTTP/1.1\r\n" H "\r\n",
        "GET / http/1.1\r\n" H "\r\n",
        "GET / HTTP/1.0\r\n" H "\r\n",
        "GET / HTTP/1.2\r\n" H "\r\n",
        "GET / HTTP/2.0\r\n" H "\r\n",
        "GET / HTTP/1.1x\r\n" H "\r\n",
        "GET / HTTP/11\r\n" H "\r\n",
        "GET /\r\n" H "\r\n",
        "GET\r\n",
        "G@T / HTTP/1.1\r\n" H "\r\n",
        " / HTTP/1.1\r\n" H "\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /\x80 HTTP/1.1\r\n" H "\r\n",
        "GET /\x7f HTTP/1.1\r\n" H "\r\n",
        "GET /#f HTTP/1.1\r\n" H "\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(is_refused(cg_span_str(bad[i]), 400));
    CHECK(is_refused(CG_LIT("GET /a\0b HTTP/1.1\r\n" H "\r\n"), 400));
    CHECK(is_refused(CG_LIT("GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n"), 400));
    CHECK(is_refused(CG_LIT("GET / HTTP/1.1\r\n" H "A\0: b\r\n\r\n"), 400));
}

TEST(refuses_targets_that_are_not_one_name)
{
    static const char *const bad[] = {
        "GET * HTTP/1.1\r\n" H "\r\n",
        "GET h:80 HTTP/1.1\r\n" H "\r\n",
        "GET x HTTP/1.1\r\n" H "\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" H H "\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
        "GET httpcg://app/x HTTP/1.1\r\n" H "\r\n",
        "GET httpcg://u@h/x HTTP/1.1\r\n" H "\r\n",
        "GET httpcg:///x HTTP/1.1\r\n" H "\r\n",
        "GET httpcg:/x HTTP/1.1\r\n" H "\r\n",
        "GET ://h/x HTTP/1.1\r\n" H "\r\n",
        "GET http1://h/x HTTP/1.1\r\n" H "\r\n",
        "GET http://h?x HTTP/1.1\r\n" H "\r\n",
        "GET http://h\\x HTTP/1.1\r\n" H "\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(is_refused(cg_span_str(bad[i]), 400));
    CHECK(is_refused(CG_LIT("CONNECT h:443 HTTP/1.1\r\n" H "\r\n"), 405));
    CHECK(is_refused(CG_LIT("FROB / HTTP/1.1\r\n" H "\r\n"), 501));
}

TEST(refuses_quarrels_about_the_bodys_length)
{
    static const char *const bad[] = {
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        ("Transfer-Encoding: \x0b"
         "chunked\r\n"),
        "Transfer-Encoding:\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5,\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 1_0\r\n",
        "Content-Length: 5.\r\n",
        "Content-Length:\r\n",
        "Content-Length: x\r\n",
        "Content-Length: 1000000000000000000\r\n", /* 19 digits */
        "Content-Length: 18446744073709551621\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[256];
        int n = snprintf(text, sizeof text, "POST / HTTP/1.1\r\n" H "%s\r\n", bad[i]);
        CHECK(is_refused(cg_span_of(text, (size_t)n), 400));
    }
}

/* Our own judgement of a head whose lines and fields are given, as if llhttp had let it pass. */
static int judged_alone(const char *name, const char *value, const char *name_too,
                        const char *value_too)
{
    struct cg_engine *e = NULL;

    CHECK_OK(cg_h1_new(true, false, NULL, now, &e));
    struct cg_h1 *h1 = cg_h1_of(e);
    struct cg_exchange *x = cg_exchange_make(e, 1);
    CHECK_OK(cg_buf_add(&h1->head, CG_LIT("POST / HTTP/1.1\r\n")));
    h1->fields_from = h1->head.len;
    CHECK_OK(cg_head_add(&x->in, CG_TOKEN_HOST, CG_LIT("h")));
    if (name)
        CHECK_OK(cg_head_add_named(&x->in, cg_span_str(name), cg_span_str(value)));
    if (name_too)
        CHECK_OK(cg_head_add_named(&x->in, cg_span_str(name_too), cg_span_str(value_too)));
    int status = cg_h1_judge_request(h1, x);
    cg_engine_free(e);
    return status;
}

TEST(judges_lengths_and_codings_without_the_parsers_help)
{
    static const char te[] = "transfer-encoding", cl[] = "content-length";

    CHECK_INT(judged_alone(NULL, NULL, NULL, NULL), 0);
    CHECK_INT(judged_alone(te, "chunked", NULL, NULL), 0);
    CHECK_INT(judged_alone(cl, "5", NULL, NULL), 0);
    CHECK_INT(judged_alone(te, "chunked", cl, "5"), 400);
    CHECK_INT(judged_alone(cl, "5", te, "chunked"), 400);
    CHECK_INT(judged_alone(cl, "5", cl, "5"), 400);
    CHECK_INT(judged_alone(te, "chunked", te, "chunked"), 400);
    CHECK_INT(judged_alone(te, "gzip, chunked", NULL, NULL), 400);
    CHECK_INT(judged_alone(te, "", NULL, NULL), 400);
    CHECK_INT(judged_alone(cl, "", NULL, NULL), 400);
    CHECK_INT(judged_alone(cl, "0x5", NULL, NULL), 400);
    CHECK_INT(judged_alone("host", "h", NULL, NULL), 400);
}

/* A chunked body after a good head; the head has been reported when it goes wrong. */
static bool chunks_are_refused(struct cg_span body)
{
    static const char head[] = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTrailer: "
                               "a, content-length, host, te\r\n\r\n";
    static uint8_t text[4096];

    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, body.at, body.len);
    return means(cg_span_of(text, sizeof head - 1 + body.len),
                 "POST http|h|/ host=h transfer-encoding=chunked trailer=a, content-length, host, "
                 "te (-1) refused 400");
}

TEST(refuses_malformed_chunks)
{
    static const char *const bad[] = {
        "\r\n",
        "g\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "+5\r\n",
        "-5\r\n",
        "0x5\r\n",
        "5_\r\n",
        ";x\r\n",
        "5\nhello\r\n",
        "5\rhello",
        "5\r\nhello\n",
        "5\r\nhello \r\n",
        "5\r\nhellox",
        "5\r\nhello\rx",
        "5\r\r\n",
        "5;a\x01\r\n",
        "5;a\nb\r\n",
        "5;a=\"b\"\r\n",
        "5;a b\r\n",
        "5;\r\n",
        "5;a;b\r\n",
        "0\r\n\n",
        "0\r\nb: 1\r\n\r\n",
        "0\r\na\r\n\r\n",
        "0\r\na : 1\r\n\r\n",
        "0\r\na: 1\r\n b\r\n\r\n",
        "0\r\ncontent-length: 1\r\n\r\n",
        "0\r\nhost: h\r\n\r\n",
        "0\r\nte: x\r\n\r\n",
        "0000000000000005\r\nhello\r\n", /* 16 digits */
        "fffffffffffffffff\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(chunks_are_refused(cg_span_str(bad[i])));
    CHECK(chunks_are_refused(CG_LIT("5;a\0\r\n")));
}

TEST(limits_chunk_extensions)
{
    static const char head[] = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n";
    char text[1024];

    for (int extra = 255; extra <= 257; extra++) { /* with the semicolon */
        int n = snprintf(text, sizeof text, "%s1;%0*d\r\nx\r\n0\r\n\r\n", head, extra - 1, 0);
        CHECK(means(cg_span_of(text, (size_t)n),
                    extra <= 256
                        ? "POST http|h|/ host=h transfer-encoding=chunked (-1) body x end"
                        : "POST http|h|/ host=h transfer-encoding=chunked (-1) refused 400"));
    }
    /* Many small ones are no way around. */
    struct cg_engine *e = server();
    struct cg_exchange *x = NULL;
    unsigned what, seen = 0;
    cg_give(e, cg_span_str(head), now);
    for (int i = 0; i < 200 && !(seen & CG_X_REFUSED); i++) {
        int n = snprintf(text, sizeof text, "1;%0*d\r\nx\r\n", 199, 0);
        cg_give(e, cg_span_of(text, (size_t)n), now);
        while ((x = cg_engine_ready(e, &what)) != NULL) {
            seen |= what;
            cg_exchange_take(x, cg_exchange_peek(x).len);
        }
    }
    CHECK(seen & CG_X_REFUSED);
    cg_engine_free(e);
}

TEST(limits_targets_heads_and_numbers_of_fields)
{
    static char text[20000];
    char want[20];

    for (int len = 299; len <= 301; len++) { /* uri_max_bytes is 300 */
        int n = snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n" H "\r\n", len - 1, 0);
        struct log log = run(server(), cg_span_of(text, (size_t)n), 0, (size_t)n, false);
        CHECK_INT(strcmp(log.text, " refused 414") == 0, len > 300);
        if (len > 300)
            CHECK(is_refused(cg_span_of(text, (size_t)n), 414));
    }
    /* A line that does not end. */
    memset(text, 'A', sizeof text);
    CHECK(is_refused(cg_span_of(text, 2000), 414));
    memcpy(text, "GET / HTTP/1.1\r\n" H, 25);
    CHECK(is_refused(cg_span_of(text, 2000), 431));
    /* The list as RFC 9113, 6.5.2 counts it: host is 37, ours 33 and the digits. */
    for (int len = 953; len <= 955; len++) {
        int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H "a:%0*d\r\n\r\n", len, 0);
        struct log log = run(server(), cg_span_of(text, (size_t)n), 0, (size_t)n, false);
        snprintf(want, sizeof want, "%s", " refused 431");
        CHECK_INT(strcmp(log.text, want) == 0, len > 954);
    }
    struct cg_engine *e = NULL;
    for (int fields = 255; fields <= 256; fields++) { /* and Host */
        unsigned what;
        size_t n = 0;
        CHECK_OK(cg_stack_accept(NULL, NULL, CG_SPEAKS_H1, now, &e));
        n += (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H);
        for (int i = 0; i < fields; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "a: b\r\n");
        n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
        cg_give(e, cg_span_of(text, n), now);
        struct cg_exchange *x = cg_engine_ready(e, &what);
        CHECK_INT(x->refusal, fields == 255 ? 0 : 431);
        cg_engine_free(e);
    }
}

TEST(refuses_to_be_pipelined)
{
    CHECK(means(CG_LIT("GET /a HTTP/1.1\r\n" H "\r\nGET /b HTTP/1.1\r\n" H "\r\n"),
                "GET http|h|/a host=h (-1) refused 400"));
    CHECK(means(CG_LIT("POST /a HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nxG"),
                "POST http|h|/a host=h content-length=1 (1) refused 400"));
    CHECK(means(CG_LIT("POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n"),
                "POST http|h|/a host=h transfer-encoding=chunked (-1) refused 400"));
}

/* Changes, inserts or removes a byte or two. */
static size_t mutate(uint8_t *text, size_t len, uint64_t *random)
{
    static const char likely[] = "\r\n\t :;,=0a/\0\x80\x7f";

    for (int i = 0; i < 2; i++) {
        *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t at = (size_t)(*random >> 33) % len;
        uint8_t c = (uint8_t)likely[(*random >> 20) % (sizeof likely - 1)];
        switch ((*random >> 13) % 4) {
        case 0:
            text[at] = c;
            break;
        case 1:
            memmove(text + at + 1, text + at, len - at);
            text[at] = c;
            len++;
            break;
        case 2:
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
            break;
        default:
            break;
        }
    }
    return len;
}

TEST(means_the_same_in_every_cut_whatever_it_is)
{
    static const char *const seeds[] = {
        "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: x\r\n\r\nhello",
        "GET httpcg://app/x HTTP/1.1\r\nHost: app\r\nCookie: a=b\r\nTE: x\r\n\r\n",
        ("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n"
         "5;a=b\r\nhello\r\n0\r\na: b\r\n\r\n"),
    };
    uint64_t random = 1;
    int n_served = 0, n_refused = 0;

    for (int i = 0; i < 6000; i++) {
        uint8_t text[300];
        size_t len = strlen(seeds[i % 3]);
        memcpy(text, seeds[i % 3], len);
        len = mutate(text, len, &random);
        struct cg_span in = cg_span_of(text, len);
        struct log whole = run(server(), in, 0, len, false);
        struct log bytes = run(server(), in, 0, 1, false);
        if (!CHECK(strcmp(whole.text, bytes.text) == 0))
            fprintf(stderr, "# \"%.*s\"\n# whole %s\n# bytes %s\n", (int)len, (char *)text,
                    whole.text, bytes.text);
        n_served += strstr(whole.text, " end") != NULL;
        n_refused += strstr(whole.text, "refused") != NULL;
    }
    CHECK(n_served > 500 && n_refused > 500); /* it does look at both */
}

/* --- what is written --- */

static struct cg_arena arena;

static struct cg_head answer_head(int status, int64_t length)
{
    struct cg_head head;

    cg_arena_done(&arena);
    cg_arena_init(&arena, 65536);
    cg_head_init(&head, &arena);
    head.status = status;
    head.content_length = length;
    return head;
}

static bool writes(struct cg_engine *e, const char *want)
{
    struct cg_buf out;

    cg_buf_init(&out, 256 * 1024);
    CHECK_OK(cg_engine_pull(e, &out));
    bool same = cg_span_is(cg_buf_span(&out), want);
    if (!same)
        fprintf(stderr, "# wrote \"%.*s\"\n", (int)out.len, (const char *)out.at);
    cg_buf_done(&out);
    return same;
}

static struct cg_exchange *ask(struct cg_engine *e, const char *text)
{
    unsigned what;

    cg_give(e, cg_span_str(text), now);
    return cg_engine_ready(e, &what);
}

TEST(writes_answers)
{
    struct cg_engine *e = server();
    struct cg_exchange *x = ask(e, "GET / HTTP/1.1\r\n" H "\r\n");
    struct cg_head head = answer_head(200, 2);
    size_t taken;

    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_TYPE, CG_LIT("a/b")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONTENT_LENGTH, CG_LIT("99")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_TRANSFER_ENCODING, CG_LIT("chunked")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_CONNECTION, CG_LIT("close")));
    CHECK_OK(cg_exchange_answer(x, &head, false));
    CHECK_OK(cg_exchange_send(x, CG_LIT("ok"), &taken));
    CHECK_OK(cg_exchange_end(x, NULL));
    cg_exchange_release(x);
    CHECK(writes(e, "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 2\r\n\r\nok"));

    x = ask(e, "GET / HTTP/1.1\r\n" H "\r\n");
    head = answer_head(299, -1);
    CHECK_OK(cg_exchange_answer(x, &head, false));
    CHECK_OK(cg_exchange_send(x, CG_LIT("0123456789abcdef!"), &taken));
    CHECK(writes(e, "HTTP/1.1 299 \r\ntransfer-encoding: chunked\r\n\r\n"
                    "11\r\n0123456789abcdef!\r\n"));
    CHECK_OK(cg_exchange_send(x, CG_LIT("x"), &taken));
    struct cg_head trailers = answer_head(0, -1);
    CHECK_OK(cg_head_add_named(&trailers, CG_LIT("t"), CG_LIT("1")));
    CHECK_OK(cg_exchange_end(x, &trailers));
    CHECK(writes(e, "1\r\nx\r\n0\r\nt: 1\r\n\r\n"));
    cg_exchange_release(x);

    x = ask(e, "HEAD / HTTP/1.1\r\n" H "\r\n");
    head = answer_head(200, -1);
    CHECK_OK(cg_exchange_answer(x, &head, true));
    CHECK(writes(e, "HTTP/1.1 200 OK\r\n\r\n"));
    cg_exchange_release(x);
    x = ask(e, "GET / HTTP/1.1\r\n" H "\r\n");
    head = answer_head(204, 0);
    CHECK_OK(cg_exchange_answer(x, &head, true));
    CHECK(writes(e, "HTTP/1.1 204 No Content\r\n\r\n"));
    cg_exchange_release(x);
    x = ask(e, "GET / HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n");
    head = answer_head(404, -1);
    CHECK_OK(cg_exchange_answer(x, &head, true));
    CHECK(writes(e, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    cg_exchange_release(x);
    CHECK_INT(cg_engine_state(e), CG_ENGINE_CLOSED);
    CHECK_OK(cg_engine_why(e));
    cg_engine_free(e);
}

TEST(answers_what_it_refused_and_closes)
{
    struct cg_engine *e = server();
    struct cg_exchange *x = ask(e, "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n");
    struct cg_head head = answer_head(400, 0);
    unsigned what;

    CHECK_INT(x->refusal, 400);
    CHECK_OK(cg_exchange_answer(x, &head, true));
    CHECK(writes(e, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    CHECK(cg_engine_ready(e, &what) == x && what == CG_X_SENT);
    cg_exchange_release(x);
    CHECK(ask(e, "GET / HTTP/1.1\r\n" H "\r\n") == NULL);
    CHECK_INT(cg_engine_state(e), CG_ENGINE_CLOSED);
    cg_engine_free(e);
}

TEST(finishes_an_answer_that_was_begun_before_the_rest_went_wrong)
{
    struct cg_engine *e = server();
    struct cg_exchange *x = ask(e, "GET /a HTTP/1.1\r\n" H "\r\n");
    struct cg_head head = answer_head(200, 2);
    size_t taken;

    CHECK_OK(cg_exchange_answer(x, &head, false));
    cg_give(e, CG_LIT("GET /b HTTP/1.1\r\n"), now);
    CHECK_OK(cg_exchange_send(x, CG_LIT("ok"), &taken));
    CHECK_OK(cg_exchange_end(x, NULL));
    CHECK(writes(e, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
    cg_exchange_release(x);
    CHECK(ask(e, "GET /c HTTP/1.1\r\n" H "\r\n") == NULL);
    cg_engine_free(e);
}

TEST(cuts_an_answer_short_when_the_request_turns_out_malformed)
{
    struct cg_engine *e = server();
    struct cg_exchange *x = ask(e, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
    struct cg_head head = answer_head(200, -1);
    unsigned what;
    size_t taken;

    CHECK_OK(cg_exchange_answer(x, &head, false));
    CHECK(writes(e, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"));
    CHECK_ERR(cg_engine_feed(e, CG_LIT("x\r\n"), now, &taken), CG_PROTOCOL);
    CHECK(cg_engine_ready(e, &what) == x && (what & CG_X_RESET));
    CHECK_INT(x->reset_code, CG_RESET_PROTOCOL);
    CHECK(writes(e, ""));
    cg_exchange_release(x);
    cg_engine_free(e);
}

static struct cg_head ask_head(const char *method, const char *scheme, const char *path)
{
    struct cg_head head = answer_head(0, -1);

    head.method = cg_span_str(method);
    head.scheme = cg_span_str(scheme);
    head.authority = CG_LIT("h");
    head.path = cg_span_str(path);
    return head;
}

TEST(writes_requests)
{
    struct cg_engine *e = client(false, "");
    struct cg_head head = ask_head("GET", "https", "/x?y");
    struct cg_exchange *x;

    CHECK_OK(cg_head_add(&head, CG_TOKEN_TE, CG_LIT("trailers")));
    CHECK_OK(cg_head_add(&head, CG_TOKEN_HOST, CG_LIT("other")));
    CHECK_OK(cg_head_add_named(&head, CG_LIT("a"), CG_LIT("b")));
    CHECK_OK(cg_engine_begin(e, &head, true, &x));
    CHECK(writes(e, "GET /x?y HTTP/1.1\r\nhost: h\r\na: b\r\n\r\n"));
    cg_engine_free(e);

    e = client(false, "");
    head = ask_head("POST", "httpcg", "/a");
    CHECK_OK(cg_engine_begin(e, &head, true, &x));
    CHECK(writes(e, "POST httpcg://h/a HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"));
    cg_engine_free(e);

    e = client(false, "");
    head = ask_head("PUT", "http", "/a");
    head.form = CG_FORM_ABSOLUTE;
    head.content_length = 3;
    CHECK_OK(cg_engine_begin(e, &head, false, &x));
    CHECK(writes(e, "PUT http://h/a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n"));
    CHECK(!cg_engine_can_begin(e));
    CHECK_ERR(cg_engine_begin(e, &head, false, &x), CG_BUSY);
    cg_engine_free(e);
}

TEST(writes_no_request_that_is_none)
{
    struct cg_engine *e = client(false, "");
    struct cg_exchange *x;
    struct cg_head good = ask_head("GET", "http", "/"), bad;

    bad = good, bad.method = CG_LIT("GE T");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    bad = good, bad.method = CG_LIT("");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    bad = good, bad.path = CG_LIT("/a b");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    bad = good, bad.path = CG_LIT("/a\r\nx: y");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    bad = good, bad.path = CG_LIT("a");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    bad = good, bad.authority = CG_LIT("h\r\n");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    bad = good, bad.authority = CG_LIT("u@h");
    CHECK_ERR(cg_engine_begin(e, &bad, true, &x), CG_SYNTAX);
    CHECK_OK(cg_engine_begin(e, &good, true, &x));
    CHECK(writes(e, "GET / HTTP/1.1\r\nhost: h\r\n\r\n"));
    cg_engine_free(e);
}

/* --- responses --- */

TEST(reads_responses)
{
    CHECK(answers_with("GET", false, CG_LIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
                       "200 || content-length=2 (2) body ok end"));
    CHECK(answers_with("GET", false, CG_LIT("HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n"),
                       "599 || content-length=0 (0) end"));
    CHECK(answers_with("GET", false,
                       CG_LIT("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n"
                              "2\r\nok\r\n0\r\na: 1\r\n\r\n"),
                       "200 || transfer-encoding=chunked trailer=a (-1) body ok trailers a=1 end"));
    CHECK(answers_with("HEAD", false, CG_LIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
                       "200 || content-length=9 (9) end"));
    CHECK(answers_with("GET", false, CG_LIT("HTTP/1.1 304 NM\r\nContent-Length: 9\r\n\r\n"),
                       "304 || content-length=9 (9) end"));
    CHECK(answers_with("GET", false, CG_LIT("HTTP/1.1 204 NC\r\nContent-Length: 0\r\n\r\n"),
                       "204 || content-length=0 (0) end"));
    CHECK(answers_with("GET", false,
                       CG_LIT("HTTP/1.1 103 EH\r\nA: b\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
                              "HTTP/1.1 204 NC\r\n\r\n"),
                       "204 || (-1) end"));
    CHECK(answers_with("GET", true, CG_LIT("HTTP/1.0 200 OK\r\n\r\nall of it"),
                       "200 || (-1) body all of it end"));
    CHECK(answers_with("GET", true, CG_LIT("HTTP/1.1 200 OK\r\n\r\n"), "200 || (-1) end"));
}

TEST(trusts_no_malformed_response)
{
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200\tOK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n", /* until the end, which was not allowed */
        "HTTP/1.1 204 NC\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 204 NC\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 C\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 101 SP\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(answers_with("GET", false, cg_span_str(bad[i]), " reset"));
    CHECK(answers_with("GET", true,
                       CG_LIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                       " reset"));
}

TEST(knows_a_response_that_was_cut)
{
    CHECK(answers_with("GET", false, CG_LIT("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"),
                       "200 || content-length=3 (3) body ok reset"));
    CHECK(answers_with("GET", false,
                       CG_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
                       "200 || transfer-encoding=chunked (-1) body ok reset"));
    CHECK(answers_with("GET", false,
                       CG_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
                              "0\r\n"),
                       "200 || transfer-encoding=chunked (-1) body ok reset"));
    CHECK(answers_with("GET", false,
                       CG_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
                              "0\r\nnot-announced: 1\r\n\r\n"),
                       "200 || transfer-encoding=chunked (-1) body ok reset"));
}

TEST(ends_a_connection_that_speaks_unasked)
{
    struct cg_engine *e = client(false, "");
    size_t taken;

    CHECK_ERR(cg_engine_feed(e, CG_LIT("HTTP/1.1 200 OK\r\n"), now, &taken), CG_PROTOCOL);
    cg_engine_free(e);

    e = client(false, "GET");
    CHECK_ERR(cg_engine_feed(e, CG_LIT("HTTP/1.1 204 NC\r\n\r\nH"), now, &taken), CG_PROTOCOL);
    CHECK(!cg_engine_can_begin(e));
    cg_engine_free(e);

    struct cg_head head = ask_head("GET", "http", "/");
    struct cg_exchange *x;

    e = client(false, "");
    CHECK_OK(cg_engine_begin(e, &head, true, &x));
    CHECK_ERR(cg_engine_feed(e, CG_LIT("HTTP/1.1 204 NC\r\n\r\n"), now, &taken), CG_PROTOCOL);
    CHECK(x->unprocessed && x->in.status == 0);
    cg_engine_free(e);
}

TEST(bears_sixteen_interim_responses)
{
    for (int n = 16; n <= 17; n++) {
        struct cg_engine *e = client(false, "GET");
        size_t taken;
        cg_err err = CG_OK;
        for (int i = 0; i < n; i++)
            err = cg_engine_feed(e, CG_LIT("HTTP/1.1 103 x\r\n\r\n"), now, &taken);
        CHECK_ERR(err, n == 16 ? CG_OK : CG_PROTOCOL);
        cg_engine_free(e);
    }
}

TEST(shows_an_interim_response_only_when_it_is_whole)
{
    struct cg_engine *e = client(false, "GET");
    unsigned what = 0;

    cg_give(e,
            CG_LIT("HTTP/1.1 103 E\r\nLink: first\r\n\r\n"
                   "HTTP/1.1 103 E\r\nLink: second\r\nContent-Length: 1\r\n\r\n"),
            now);
    struct cg_exchange *x = cg_engine_ready(e, &what);
    CHECK_INT(what & (CG_X_INFORM | CG_X_RESET), CG_X_INFORM | CG_X_RESET);
    CHECK_INT(x->inform.status, 103);
    CHECK_SPAN(cg_head_find_named(&x->inform, CG_LIT("link"))->value, CG_LIT("first"));
    cg_exchange_release(x);
    cg_engine_free(e);
}

TEST(tells_what_was_certainly_not_processed)
{
    struct cg_engine *e = client(false, "");
    struct cg_head head = ask_head("GET", "http", "/");
    struct cg_exchange *x;

    CHECK_OK(cg_engine_begin(e, &head, true, &x));
    cg_engine_eof(e, now);
    CHECK(x->unprocessed);
    cg_engine_free(e);

    e = client(false, "");
    CHECK_OK(cg_engine_begin(e, &head, true, &x));
    CHECK(writes(e, "GET / HTTP/1.1\r\nhost: h\r\n\r\n"));
    cg_engine_eof(e, now);
    CHECK(!x->unprocessed);
    cg_engine_free(e);
}

TEST(reuses_a_connection_only_where_both_sides_mean_to)
{
    static const struct {
        const char *response;
        bool reusable;
    } cases[] = {
        {"HTTP/1.1 204 NC\r\n\r\n", true},
        {"HTTP/1.1 204 NC\r\nConnection: keep-alive\r\n\r\n", true},
        {"HTTP/1.1 204 NC\r\nConnection: Close\r\n\r\n", false},
        {"HTTP/1.0 204 NC\r\nConnection: keep-alive\r\n\r\n", false},
    };

    for (size_t i = 0; i < 4; i++) {
        struct cg_engine *e = client(true, "GET");
        unsigned what;
        cg_give(e, cg_span_str(cases[i].response), now);
        struct cg_exchange *x = cg_engine_ready(e, &what);
        CHECK(what & CG_X_END);
        CHECK_INT(cg_engine_can_begin(e), cases[i].reusable);
        CHECK_INT(cg_engine_state(e), cases[i].reusable ? CG_ENGINE_OPEN : CG_ENGINE_CLOSED);
        cg_exchange_release(x);
        cg_engine_free(e);
    }
}

SUITE(h1, T(reads_requests), T(reads_chunks_and_announced_trailers),
      T(refuses_lines_that_could_be_read_in_two_ways), T(refuses_targets_that_are_not_one_name),
      T(refuses_quarrels_about_the_bodys_length),
      T(judges_lengths_and_codings_without_the_parsers_help), T(refuses_malformed_chunks),
      T(limits_chunk_extensions), T(limits_targets_heads_and_numbers_of_fields),
      T(refuses_to_be_pipelined), T(means_the_same_in_every_cut_whatever_it_is), T(writes_answers),
      T(answers_what_it_refused_and_closes),
      T(finishes_an_answer_that_was_begun_before_the_rest_went_wrong),
      T(cuts_an_answer_short_when_the_request_turns_out_malformed), T(writes_requests),
      T(writes_no_request_that_is_none), T(reads_responses), T(trusts_no_malformed_response),
      T(knows_a_response_that_was_cut), T(ends_a_connection_that_speaks_unasked),
      T(bears_sixteen_interim_responses), T(shows_an_interim_response_only_when_it_is_whole),
      T(tells_what_was_certainly_not_processed),
      T(reuses_a_connection_only_where_both_sides_mean_to))
