/* h2: HTTP/2 as its engine understands it.
 *
 * The input is a byte of switches, the length of a script, the script (talk.h), and the peer's
 * frames.  So that mutations stay frames, their heads are made here: each is type, flags, stream
 * and the length of its payload, a byte each, and the payload; type 255 is bytes as they are.
 * Without a script the same bytes are fed whole and cut: they must mean the same. */
#include "session/h2.h"
#include "fuzz/talk.h"

#define IS_CLIENT 1
#define HAS_CONNECT 2
#define IS_BARE 4 /* no preface, and frames as they are on the wire */
#define HAS_END 16

static const struct cg_engine_conf limits = {
    .max_streams = 4,
    .in_max_bytes = 65535,      /* HTTP/2 knows no less */
    .out_max_bytes = 64 * 1024, /* more than a pull takes */
    .window_max_bytes = 65535,
    .head_max_bytes = 2048,
    .uri_max_bytes = 512,
};

static struct cg_span frames(struct cg_fuzz *in, uint8_t how)
{
    struct cg_buf *wire = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(wire);

    if (how & IS_BARE)
        return cg_fuzz_rest(in);
    if (!(how & IS_CLIENT))
        cg_put_str(&w, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    cg_put(&w, CG_LIT("\0\0\0\4\0\0\0\0\0")); /* SETTINGS */
    while (in->left.len) {
        uint8_t type = cg_fuzz_byte(in), flags = cg_fuzz_byte(in), stream = cg_fuzz_byte(in);
        struct cg_span payload = cg_fuzz_bytes(in, cg_fuzz_byte(in));

        if (type != UINT8_MAX) {
            cg_put_u8(&w, 0);
            cg_put_u16(&w, (uint16_t)payload.len);
            cg_put_u8(&w, type);
            cg_put_u8(&w, flags);
            cg_put_u32(&w, stream);
        }
        cg_put(&w, payload);
    }
    MUST_OK(cg_writer_end(&w));
    return cg_buf_span(wire);
}

/* Whether some frame is a GOAWAY: then the connection ends with what is open, sooner or later as
 * the rest arrives. */
static bool says_goodbye(struct cg_span wire, uint8_t how)
{
    struct cg_span left = cg_span_from(wire, how & IS_CLIENT ? 0 : 24);

    while (left.len >= 9) {
        if (left.at[3] == 7)
            return true;
        left = cg_span_from(left,
                            9 + ((size_t)left.at[0] << 16 | (size_t)left.at[1] << 8 | left.at[2]));
    }
    return false;
}

static void begin(struct cg_talk *talk, struct cg_fuzz *in, uint8_t how, struct cg_span wire)
{
    struct cg_engine_conf conf = limits;
    struct cg_engine *engine;
    bool is_server = !(how & IS_CLIENT);

    conf.allow_connect_protocol = how & HAS_CONNECT;
    MUST_OK(cg_h2_new(is_server, &conf, (struct cg_mono){1000}, &engine));
    cg_talk_begin(talk, in, engine, is_server, &conf, wire);
    if (is_server)
        return;
    cg_talk_ask(talk, "GET", "httpcg", true);
    cg_talk_ask(talk, "POST", "https", false);
    cg_talk_pull(talk);
}

static struct cg_span tell(struct cg_fuzz *in, uint8_t how, struct cg_span wire, size_t piece)
{
    struct cg_talk talk;

    begin(&talk, in, how, wire);
    while (talk.wire.len) {
        cg_talk_feed(&talk, piece ? piece : SIZE_MAX);
        cg_talk_look(&talk, true);
    }
    cg_talk_pull(&talk); /* some of HTTP/2's resets are told when they are sent */
    if (how & HAS_END)
        cg_engine_eof(talk.engine, talk.now);
    cg_talk_look(&talk, true);
    struct cg_span story = cg_talk_story(&talk);
    cg_talk_end(&talk);
    return story;
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    uint8_t how = cg_fuzz_byte(in), n_script = cg_fuzz_byte(in);
    struct cg_span script = cg_fuzz_bytes(in, n_script), wire = frames(in, how);
    struct cg_talk talk;

    if (script.len == 0) {
        struct cg_span whole = tell(in, how, wire, 0);
        if (says_goodbye(wire, how))
            return;
        MUST_SAME(tell(in, how, wire, 1), whole);
        MUST_SAME(tell(in, how, wire, 1 + wire.len / 3), whole);
        return;
    }
    begin(&talk, in, how, wire);
    while (script.len)
        cg_talk_step(&talk, &script);
    cg_talk_end(&talk);
}
