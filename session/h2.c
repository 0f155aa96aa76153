#include "session/h2.h"

#include <stdlib.h>

#include "lib/base/try.h"
#include "session/h2_own.h"

/* How long a client may take to read the first GOAWAY before the second one names the last
 * stream. */
#define GOAWAY_MS 1000
#define FIRST_UNKNOWN_FRAME 0x0a
#define FRAME_HEAD_BYTES 9

static struct cg_mono soon(const struct cg_h2 *h2)
{
    return (struct cg_mono){h2->base.now.us + GOAWAY_MS * 1000};
}

void cg_h2_end(struct cg_h2 *h2, uint32_t code, cg_err why)
{
    if (h2->base.state == CG_ENGINE_CLOSED)
        return;
    (void)nghttp2_session_terminate_session(h2->session, code);
    cg_engine_close(&h2->base, why);
}

void cg_h2_drain(struct cg_h2 *h2)
{
    h2->goaway_due = CG_NEVER;
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(h2->session),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

/* Nothing is left of a connection that takes no more. */
static void settle(struct cg_h2 *h2)
{
    if (h2->base.state == CG_ENGINE_DRAINING && h2->base.n_open == 0 &&
        h2->goaway_due.us == INT64_MAX)
        cg_h2_end(h2, NGHTTP2_NO_ERROR, CG_OK);
}

/* The library reads no more: after GOAWAY and the last stream, or because it found an error and has
 * its own GOAWAY waiting. */
static bool is_finished(const struct cg_h2 *h2)
{
    for (const struct cg_exchange *x = h2->base.open; x; x = x->open_next)
        if (!cg_exchange_is(x, CG_S_OVER))
            return false;
    return h2->base.state == CG_ENGINE_DRAINING;
}

static cg_err feed(struct cg_engine *e, struct cg_span in, size_t *taken)
{
    struct cg_h2 *h2 = cg_h2_of(e);

    *taken = in.len;
    if (e->state == CG_ENGINE_CLOSED)
        return e->why;
    ssize_t n = in.len ? nghttp2_session_mem_recv(h2->session, in.at, in.len) : 0;
    if (h2->is_flooded)
        cg_h2_end(h2, NGHTTP2_ENHANCE_YOUR_CALM, CG_RATE);
    else if (n == NGHTTP2_ERR_NOMEM)
        cg_h2_end(h2, NGHTTP2_INTERNAL_ERROR, CG_NO_MEMORY);
    else if (n < 0)
        cg_h2_end(h2, n == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR,
                  CG_PROTOCOL);
    else if (!nghttp2_session_want_read(h2->session))
        cg_engine_close(e, is_finished(h2) ? CG_OK : CG_PROTOCOL);
    else
        settle(h2);
    return e->why;
}

static void eof(struct cg_engine *e)
{
    cg_engine_close(e, e->n_open ? CG_CLOSED : CG_OK);
}

static void tick(struct cg_engine *e)
{
    struct cg_h2 *h2 = cg_h2_of(e);

    cg_engine_limits_tick(e);
    if (e->now.us >= h2->goaway_due.us)
        cg_h2_drain(h2);
    settle(h2);
}

static unsigned wants(const struct cg_engine *e)
{
    const struct cg_h2 *h2 = (const struct cg_h2 *)e;
    unsigned want = 0;

    if (e->state != CG_ENGINE_CLOSED &&
        nghttp2_session_get_outbound_queue_size(h2->session) < CG_H2_QUEUE_MAX)
        want |= CG_WANT_READ;
    if (h2->leftover.len || nghttp2_session_want_write(h2->session))
        want |= CG_WANT_WRITE;
    return want;
}

static size_t room(const struct cg_engine *e)
{
    return wants(e) & CG_WANT_READ ? SIZE_MAX : 0;
}

static struct cg_mono deadline(const struct cg_engine *e)
{
    const struct cg_h2 *h2 = (const struct cg_h2 *)e;
    struct cg_mono at = cg_engine_limits_deadline(e);

    return e->state != CG_ENGINE_CLOSED && h2->goaway_due.us < at.us ? h2->goaway_due : at;
}

static size_t n_can_begin(const struct cg_engine *e)
{
    const struct cg_h2 *h2 = (const struct cg_h2 *)e;
    uint32_t allowed =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    if (allowed > e->conf.max_streams)
        allowed = e->conf.max_streams;
    if (e->state != CG_ENGINE_OPEN || e->is_server || e->n_open >= allowed ||
        !nghttp2_session_check_request_allowed(h2->session))
        return 0;
    return allowed - e->n_open;
}

static cg_err begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                    struct cg_exchange **out)
{
    if (e->state == CG_ENGINE_CLOSED)
        return CG_CLOSED;
    return n_can_begin(e) > 0 ? cg_h2_begin(e, head, is_end, out) : CG_BUSY;
}

/* A server first asks for no more requests, lets those on their way arrive, and only then says
 * which was the last (RFC 9113, 6.8). */
static void shutdown(struct cg_engine *e)
{
    struct cg_h2 *h2 = cg_h2_of(e);
    static const uint8_t drain[8] = "httpcg";

    if (e->state != CG_ENGINE_OPEN)
        return;
    e->state = CG_ENGINE_DRAINING;
    if (e->is_server) {
        h2->goaway_due = soon(h2);
        (void)nghttp2_submit_shutdown_notice(h2->session);
        (void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, drain);
    } else {
        (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
        settle(h2);
    }
}

static void abort_all(struct cg_engine *e, cg_err why)
{
    uint32_t code = cg_err_fault(why) == CG_FAULT_OURS ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_NO_ERROR;

    cg_h2_end(cg_h2_of(e), code, why);
}

static void free_all(struct cg_engine *e)
{
    struct cg_h2 *h2 = cg_h2_of(e);

    cg_engine_clear(e);
    nghttp2_session_del(h2->session);
    free(h2);
}

/* --- of exchanges --- */

static void took(struct cg_exchange *x, size_t n)
{
    struct cg_h2 *h2 = cg_h2_of(x->engine);

    /* For a stream that is gone this returns the connection's credit alone. */
    if (x->engine->state != CG_ENGINE_CLOSED)
        (void)nghttp2_session_consume(h2->session, (int32_t)x->id, n);
}

static void reset(struct cg_exchange *x, uint32_t code)
{
    struct cg_h2 *h2 = cg_h2_of(x->engine);

    cg_h2_head_ends(h2, (int32_t)x->id); /* the library says no more of it */
    (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, (int32_t)x->id, code);
    cg_exchange_over(x, code, false, CG_CANCELLED);
}

static void released(struct cg_exchange *x)
{
    struct cg_h2 *h2 = cg_h2_of(x->engine);

    if (!cg_exchange_is(x, CG_S_OUT_END) ||
        (!x->engine->is_server && !cg_exchange_is(x, CG_S_IN_END))) {
        x->state |= CG_S_RESET_OURS;
        reset(x, CG_RESET_CANCEL);
    } else if (cg_exchange_is(x, CG_S_OUT_SENT) && !cg_exchange_is(x, CG_S_IN_END)) {
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, (int32_t)x->id,
                                        NGHTTP2_NO_ERROR);
    }
}

static const struct cg_engine_ops ops = {
    .feed = feed,
    .eof = eof,
    .tick = tick,
    .ready = cg_engine_list_ready,
    .pull = cg_h2_pull,
    .wants = wants,
    .deadline = deadline,
    .begin = begin,
    .n_can_begin = n_can_begin,
    .shutdown = shutdown,
    .abort = abort_all,
    .free = free_all,
    .room = room,
    .took = took,
    .inform = cg_h2_inform,
    .answer = cg_h2_answer,
    .more = cg_h2_more,
    .reset = reset,
    .released = released,
};

/* --- making --- */

static cg_err make_session(struct cg_h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int rv = nghttp2_session_callbacks_new(&callbacks);

    if (rv == 0)
        rv = nghttp2_option_new(&option);
    if (rv == 0) {
        cg_h2_in_install(callbacks);
        cg_h2_out_install(callbacks);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_max_reserved_remote_streams(option, 0);
#ifdef CG_NGHTTP2_COUNTS
        /* It counts a frame again for each piece that its head comes in. Ours is the limit. */
        nghttp2_option_set_max_continuations(option, FRAME_HEAD_BYTES * CG_H2_CONTINUATIONS_MAX);
#endif
        /* Unknown frames are ignored, but they shall be seen, so that they are counted. */
        for (unsigned type = FIRST_UNKNOWN_FRAME; type <= UINT8_MAX; type++)
            nghttp2_option_set_user_recv_extension_type(option, (uint8_t)type);
        rv = h2->base.is_server ? nghttp2_session_server_new2(&h2->session, callbacks, h2, option)
                                : nghttp2_session_client_new2(&h2->session, callbacks, h2, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rv == 0 ? CG_OK : CG_NO_MEMORY;
}

static cg_err greet(struct cg_h2 *h2)
{
    const struct cg_engine_conf *conf = &h2->base.conf;
    nghttp2_settings_entry entries[6];
    size_t n = 0;

    entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                            (uint32_t)conf->in_max_bytes};
    entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                                            (uint32_t)conf->head_max_bytes};
    entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1};
    if (h2->base.is_server)
        entries[n++] =
            (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, conf->max_streams};
    else
        entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    if (h2->base.is_server && conf->allow_connect_protocol)
        entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries, n) != 0 ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                              (int32_t)conf->window_max_bytes) != 0)
        return CG_NO_MEMORY;
    return CG_OK;
}

cg_err cg_h2_new(bool is_server, const struct cg_engine_conf *conf, struct cg_mono now,
                 struct cg_engine **out)
{
    struct cg_h2 *h2 = calloc(1, sizeof *h2);

    if (!h2)
        return CG_NO_MEMORY;
    cg_engine_init(&h2->base, &ops, is_server, conf, now);
    h2->goaway_due = CG_NEVER;
    if (h2->base.conf.in_max_bytes < CG_H2_FIRST_WINDOW)
        h2->base.conf.in_max_bytes = CG_H2_FIRST_WINDOW;
    if (h2->base.conf.in_max_bytes > 16 * 1024 * 1024)
        h2->base.conf.in_max_bytes = 16 * 1024 * 1024;
    if (h2->base.conf.window_max_bytes < CG_H2_FIRST_WINDOW)
        h2->base.conf.window_max_bytes = CG_H2_FIRST_WINDOW;
    if (h2->base.conf.window_max_bytes > 256 * 1024 * 1024)
        h2->base.conf.window_max_bytes = 256 * 1024 * 1024;
    cg_err err = make_session(h2);
    if (err == CG_OK)
        err = greet(h2);
    if (err != CG_OK) {
        free_all(&h2->base);
        return err;
    }
    *out = &h2->base;
    return CG_OK;
}
