/* exchange.h: one request and its answer, on either side of a connection, in either HTTP version.
 *
 * The engine makes exchanges (a server's) or cg_engine_begin does (a client's); it fills their
 * incoming half and sets bits; cg_engine_ready hands them out.  Their user reads, answers, and
 * gives each back with cg_exchange_release exactly once, at any moment.  Nothing here calls out,
 * so a user's code never runs inside the engine.
 *
 * Bodies go through two rings of bounded size.  Credit for more is returned to the peer only as
 * cg_exchange_take says that bytes were used, so a slow reader stops the sender; and
 * cg_exchange_send takes only what fits, so a slow peer stops the writer: wait for CG_X_ROOM. */
#ifndef CG_SESSION_EXCHANGE_H
#define CG_SESSION_EXCHANGE_H
#include "session/message.h"

struct cg_engine;

/* An exchange's memory beside the two rings: heads, trailers, and what its user takes from it. A
 * gateway's has a client's head of 32 KiB, which may take twice that where its fields are as large
 * as half a block, its target of 12 KiB twice, and another head of that size for the answer. */
#define CG_EXCHANGE_ARENA_MAX_BYTES (192 * 1024)

/* What cg_engine_ready reports: everything that happened since it last handed the exchange out. */
#define CG_X_HEAD 1u     /* in is complete: a request's, or a final response's */
#define CG_X_BODY 2u     /* bytes to peek at */
#define CG_X_TRAILERS 4u /* in_trailers is complete */
#define CG_X_END 8u      /* the peer's message is complete (its last bytes may still be unread) */
#define CG_X_RESET                                                                                 \
    16u               /* over before both messages were complete: see reset_code. The last report */
#define CG_X_ROOM 32u /* cg_exchange_send, having taken less than all, would take more now */
#define CG_X_INFORM 64u /* client: an interim response; the newest is in inform */
#define CG_X_SENT 128u  /* our message, its end included, has been pulled */
#define CG_X_REFUSED                                                                               \
    256u /* server: not to be served; answer with refusal and nothing else. Mostly                 \
          * the first report; behind a good head it means that the body is none, or                \
          * that more came than was asked for: drop what was begun */

/* Why an exchange was reset: HTTP/2's codes (RFC 9113, 7), used for both versions. */
enum cg_reset {
    CG_RESET_NONE = 0x0,
    CG_RESET_PROTOCOL = 0x1,
    CG_RESET_INTERNAL = 0x2,
    CG_RESET_FLOW = 0x3,
    CG_RESET_CLOSED = 0x5,
    CG_RESET_SIZE = 0x6,
    CG_RESET_REFUSED = 0x7, /* certainly not processed: may be tried again */
    CG_RESET_CANCEL = 0x8,
    CG_RESET_CALM = 0xb, /* ENHANCE_YOUR_CALM */
    CG_RESET_HTTP_1_1 = 0xd,
};

/* Bytes in order, in memory that grows by doubling up to a maximum and is kept until the end. */
struct cg_ring {
    uint8_t *at;
    size_t cap;
    size_t from; /* place of the first byte */
    size_t len;
    size_t max;
    struct cg_blocks *lender; /* of the first CG_BLOCK_BYTES */
};

struct cg_exchange {
    void *owner; /* the user's; the engine never looks at it */

    /* What came in. Complete once its bit was reported. */
    struct cg_head in;
    struct cg_head in_trailers;
    struct cg_head inform;
    uint64_t in_bytes;     /* of body received so far */
    uint64_t out_bytes;    /* of body accepted by cg_exchange_send so far */
    bool expects_continue; /* server: the client waits for 100 (RFC 9110, 10.1.1) */
    int refusal;           /* with CG_X_REFUSED: 400, 405, 414, 431, 501 or 505 */
    uint32_t id;           /* HTTP/2: the stream; HTTP/1.1: 1, 2, 3 … */

    /* How it ended, with CG_X_RESET. */
    uint32_t reset_code; /* enum cg_reset, or another that the peer sent */
    bool reset_by_peer;
    bool unprocessed;  /* client: the server certainly has not acted on it */
    bool has_answered; /* client: some of the response has come, be it less than a head */
    cg_err fault;      /* CG_OK, or why the engine itself ended or refused it */

    struct cg_arena arena; /* free for the user too, until release */

    /* Below: the engines' own. */
    struct cg_engine *engine;
    struct cg_ring in_ring, out_ring;
    struct cg_exchange *ready_prev, *ready_next; /* list of those with something to look at */
    struct cg_exchange *open_prev, *open_next;   /* list of all */
    unsigned bits;                               /* not yet reported */
    unsigned state;                              /* CG_S_ in core.h */
    uint64_t in_left; /* body bytes that the stated length still promises */
    uint64_t out_left;
    unsigned n_informs;
    uint64_t moved_bytes;         /* since the stall period began */
    struct cg_head *trailers_out; /* wait until the ring ran empty */
    bool is_patient, is_trickling;
};

/* --- the incoming half --- */

/* cg_exchange_peek gives the body bytes at hand that stand together in memory; call it again after
 * cg_exchange_take for the rest. Valid until the next call on the exchange or its engine. */
struct cg_span cg_exchange_peek(const struct cg_exchange *x);
/* cg_exchange_take says that the first n bytes at hand were used: the peer may send as many more.
 * n is at most what is at hand. */
void cg_exchange_take(struct cg_exchange *x, size_t n);
/* cg_exchange_unread tells how many body bytes are at hand. */
size_t cg_exchange_unread(const struct cg_exchange *x);
/* cg_exchange_is_read tells whether the peer's message ended and all of its body was taken. */
bool cg_exchange_is_read(const struct cg_exchange *x);

/* --- the outgoing half ---
 * Heads and trailers are copied (or sent) during the call. After a reset all of these give
 * CG_CLOSED and do nothing, so a user need not ask first. */

/* cg_exchange_inform sends an interim response (server); 100 answers an Expect.
 * head may be NULL; its fields are sent with the status given, 100 to 199 but not 101.
 * Errors  CG_CLOSED, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_exchange_inform(struct cg_exchange *x, int status,
                                      const struct cg_head *head);
/* cg_exchange_answer sends the response head (server). Framing is the engine's: Connection,
 * Transfer-Encoding and the like in head are ignored, content_length states the body's length or
 * -1. is_end: no body follows; needed for 204 and 304 and answers to HEAD too.
 * Errors  CG_CLOSED, CG_INTERNAL (a second answer, a malformed head), CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_exchange_answer(struct cg_exchange *x, const struct cg_head *head,
                                      bool is_end);
/* cg_exchange_send takes as many body bytes as fit; where *taken < bytes.len, CG_X_ROOM follows.
 * Errors  CG_CLOSED, CG_INTERNAL (before the head, after the end, or over content_length). */
CG_MUST_USE cg_err cg_exchange_send(struct cg_exchange *x, struct cg_span bytes, size_t *taken);
/* cg_exchange_room tells how many bytes cg_exchange_send would take now. */
size_t cg_exchange_room(const struct cg_exchange *x);
/* cg_exchange_end ends our message, with trailers unless NULL or without fields. HTTP/1.1 can send
 * trailers only where no content_length was stated.
 * Errors  CG_CLOSED, CG_INTERNAL (ended before, or short of content_length: then it is reset),
 *         CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_exchange_end(struct cg_exchange *x, const struct cg_head *trailers);

/* --- both --- */

/* cg_exchange_reset gives the exchange up: RST_STREAM, or the connection's end in HTTP/1.1 (the
 * peer then sees a message that is visibly incomplete). No report follows for it. */
void cg_exchange_reset(struct cg_exchange *x, uint32_t code);
/* cg_exchange_set_patient lifts the engine's stall limit from an exchange whose silences are
 * normal (event streams, sockets); the idle time of the peer is then its user's business. */
void cg_exchange_set_patient(struct cg_exchange *x, bool is_patient);
/* cg_exchange_set_trickling lifts stall_min_bytes from it: a byte in each period is enough, since
 * what it carries is made as it goes. */
void cg_exchange_set_trickling(struct cg_exchange *x);
/* cg_exchange_release gives the exchange back; x must not be used again. What the user had not
 * finished is reset, body bytes not taken are dropped, an answer that was ended is still sent. */
void cg_exchange_release(struct cg_exchange *x);

#endif
