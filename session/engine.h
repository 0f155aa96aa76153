/* engine.h: one connection's talk, without the connection.
 *
 * Bytes and times go in at cg_engine_feed, _tick and _eof; exchanges with something to look at come
 * out of cg_engine_ready, bytes for the peer out of cg_engine_pull.  The caller owns the socket.
 * One pass is:
 *
 *     feed what was read  →  ready, and look, until NULL  →  pull, and write once
 *
 * The same pass, without feeding, follows whenever an exchange's user took or sent bytes outside of
 * one.  An engine never fails halfway: after an error it is CLOSED, every open exchange reports
 * CG_X_RESET, and pull still gives the bytes that tell the peer why. */
#ifndef CG_SESSION_ENGINE_H
#define CG_SESSION_ENGINE_H
#include "lib/base/blocks.h"
#include "lib/base/buf.h"
#include "session/exchange.h"

struct cg_engine;

/* cg_engine_pull wants so much room at least: one sealed record. */
#define CG_PULL_MIN_BYTES (24 * 1024)

#define CG_WANT_READ 1u  /* feed me: there is room for what the peer may send */
#define CG_WANT_WRITE 2u /* pull would give bytes */

enum cg_engine_state {
    CG_ENGINE_OPENING, /* TLS handshake */
    CG_ENGINE_OPEN,
    CG_ENGINE_DRAINING, /* no new exchanges: either side said so; open ones go on */
    CG_ENGINE_CLOSED,   /* write what pull still gives, then close the socket */
};

/* Limits of one connection. Zero means the default, which stands behind. Times are milliseconds. */
struct cg_engine_conf {
    uint32_t max_streams;     /* 128: open exchanges at a time that the peer may begin */
    size_t head_max_bytes;    /* 32 KiB: header list, counted as RFC 9113, 6.5.2; also trailers */
    size_t uri_max_bytes;     /* 12 KiB: the target as received */
    size_t in_max_bytes;      /* 64 KiB: body bytes held per exchange; HTTP/2's stream window */
    size_t out_max_bytes;     /* 64 KiB: body bytes held per exchange on their way out */
    size_t window_max_bytes;  /* 1 MiB: HTTP/2's connection window */
    uint32_t open_ms;         /* 10 s: TLS handshake */
    uint32_t head_ms;         /* 10 s: from a head's first byte to its last; the first: from OPEN */
    uint32_t idle_ms;         /* 60 s: no exchange open */
    uint32_t stall_ms;        /* 30 s: bytes due from or to the peer, and fewer than … moved */
    uint32_t stall_min_bytes; /* 1: … so many in that time */
    uint32_t life_ms;         /* 0, no limit: then DRAINING */
    uint32_t pad_heads_to;    /* 0, none: HTTP/2 HEADERS padded to multiples, at most 256 */
    bool allow_until_close;   /* client: accept a response that only the connection's end ends */
    bool allow_http_1_0;      /* client: accept an HTTP/1.0 response (never reused) */
    bool allow_connect_protocol; /* server: announce extended CONNECT (RFC 8441) */
    struct cg_buf *scratch;   /* lent by the loop, shared by its engines, used only inside calls, at
                               * least 16 KiB + 64 of max; NULL: each engine has its own */
    struct cg_blocks *blocks; /* lent likewise, for exchanges; NULL: the heap */
};

/* cg_engine_free frees the engine and with it every exchange not yet released; NULL is nothing. To
 * let their users know first: cg_engine_abort, then ready until NULL. */
void cg_engine_free(struct cg_engine *e);

/* cg_engine_feed takes bytes from the peer, as many as it may; the caller keeps the rest, stops
 * reading while wants() lacks CG_WANT_READ, and feeds what it kept when it is there again.
 * Errors  the connection is over (cg_engine_why tells the same later); *taken is set all the same.
 */
CG_MUST_USE cg_err cg_engine_feed(struct cg_engine *e, struct cg_span in, struct cg_mono now,
                                  size_t *taken);
/* cg_engine_eof says that the peer sent its last byte. An incomplete message or a TLS connection
 * without close_notify in the middle of one is an error for its exchange, never an end. */
void cg_engine_eof(struct cg_engine *e, struct cg_mono now);
/* cg_engine_tick lets time pass; to be called at cg_engine_deadline at the latest.
 * Errors  CG_TIMEOUT: the connection is over. */
CG_MUST_USE cg_err cg_engine_tick(struct cg_engine *e, struct cg_mono now);
/* cg_engine_ready gives the next exchange with something to look at and its CG_X_ bits, which are
 * thereby forgotten; NULL when there is none. */
struct cg_exchange *cg_engine_ready(struct cg_engine *e, unsigned *what);
/* cg_engine_pull appends bytes for the peer while out has CG_PULL_MIN_BYTES of room below its
 * maximum. CG_WANT_WRITE stays on while there is more.
 * Errors  CG_NO_MEMORY, CG_CRYPTO …: the connection is over. */
CG_MUST_USE cg_err cg_engine_pull(struct cg_engine *e, struct cg_buf *out);
/* cg_engine_wants gives CG_WANT_ bits. */
unsigned cg_engine_wants(const struct cg_engine *e);
/* cg_engine_deadline gives the moment of the next cg_engine_tick; INT64_MAX us: none. */
struct cg_mono cg_engine_deadline(const struct cg_engine *e);

enum cg_engine_state cg_engine_state(const struct cg_engine *e);
/* cg_engine_why tells why the engine is CLOSED: CG_OK for a regular end. */
cg_err cg_engine_why(const struct cg_engine *e);

/* cg_engine_begin makes a client's exchange and sends its head; is_end: no body follows. HTTP/1.1
 * frames the body by head->content_length, or chunked where that is -1 and is_end is not set.
 * head.scheme, authority and path are required; HTTP/1.1 sends scheme httpcg, and whatever has
 * form ABSOLUTE, in absolute form.
 * Owns    head is read during the call; *out is the engine's until cg_exchange_release.
 * Errors  CG_BUSY (not now: can_begin), CG_CLOSED, CG_SYNTAX, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_engine_begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                                   struct cg_exchange **out);
/* cg_engine_can_begin tells whether cg_engine_begin would find room: OPEN, and fewer exchanges open
 * than the peer allows. */
bool cg_engine_can_begin(const struct cg_engine *e);
/* cg_engine_n_can_begin tells for how many: whoever promises places counts what is promised. */
size_t cg_engine_n_can_begin(const struct cg_engine *e);
/* cg_engine_n_open counts exchanges not yet over or not yet released. */
size_t cg_engine_n_open(const struct cg_engine *e);
bool cg_engine_is_idle(const struct cg_engine *e);
/* cg_engine_is_unread tells whether some exchange's incoming message is whole and its user has not
 * taken all of it, though the connection may be over: the engine must live on until he has. */
bool cg_engine_is_unread(const struct cg_engine *e);

/* cg_engine_shutdown ends gracefully: GOAWAY or Connection: close, open exchanges go on, CLOSED
 * after the last. */
void cg_engine_shutdown(struct cg_engine *e);
/* cg_engine_abort ends at once: every open exchange reports CG_X_RESET with this fault. */
void cg_engine_abort(struct cg_engine *e, cg_err why);

#endif
