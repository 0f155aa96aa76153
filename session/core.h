/* core.h: what an engine is made of, for the files that make one (h1.c, h2.c, stack.c). */
#ifndef CG_SESSION_CORE_H
#define CG_SESSION_CORE_H
#include "session/engine.h"
#include "session/ring.h"

/* struct cg_exchange.state: what has happened so far. */
#define CG_S_IN_HEAD 1u   /* the head is complete */
#define CG_S_IN_END 2u    /* the peer's message is */
#define CG_S_OUT_HEAD 4u  /* our head was given */
#define CG_S_OUT_END 8u   /* our message was ended by the user */
#define CG_S_OUT_SENT 16u /* … and pulled */
#define CG_S_OVER 32u     /* reset, or the wire knows it no more */
#define CG_S_RELEASED 64u /* the user knows it no more */
#define CG_S_LISTED 128u  /* in the ready list */
#define CG_S_WANTS_ROOM 256u
#define CG_S_REFUSED 512u
#define CG_S_IS_HEAD 1024u     /* the request's method is HEAD */
#define CG_S_DUE 2048u         /* was waiting for the peer when the last stall period began */
#define CG_S_PARKED 4096u      /* HTTP/2: the library waits to be told that there are bytes */
#define CG_S_DISCARD 8192u     /* body bytes that still come are dropped */
#define CG_S_WIRE 32768u       /* HTTP/2: the library still has pointers to it */
#define CG_S_GONE 65536u       /* over and released: not counted any more */
#define CG_S_RESET_OURS 16384u /* our user gave it up */

/* Interim responses to one request. */
#define CG_INFORMS_MAX 16

struct cg_engine_ops {
    cg_err (*feed)(struct cg_engine *e, struct cg_span in, size_t *taken);
    void (*eof)(struct cg_engine *e);
    /* Time passed; only what is the engine's own (h2: a head that does not end). */
    void (*tick)(struct cg_engine *e);
    struct cg_exchange *(*ready)(struct cg_engine *e, unsigned *what);
    cg_err (*pull)(struct cg_engine *e, struct cg_buf *out);
    unsigned (*wants)(const struct cg_engine *e);
    struct cg_mono (*deadline)(const struct cg_engine *e);
    cg_err (*begin)(struct cg_engine *e, const struct cg_head *head, bool is_end,
                    struct cg_exchange **out);
    size_t (*n_can_begin)(const struct cg_engine *e);
    void (*shutdown)(struct cg_engine *e);
    /* The connection is over: tell the peer if it still can be told. */
    void (*abort)(struct cg_engine *e, cg_err why);
    void (*free)(struct cg_engine *e);
    /* How many plaintext bytes feed surely takes. */
    size_t (*room)(const struct cg_engine *e);

    /* Calls on an exchange. None but took is made after CG_S_OVER. */
    void (*took)(struct cg_exchange *x, size_t n);
    cg_err (*inform)(struct cg_exchange *x, int status, const struct cg_head *head);
    cg_err (*answer)(struct cg_exchange *x, const struct cg_head *head, bool is_end);
    void (*more)(struct cg_exchange *x); /* the ring got bytes, or CG_S_OUT_END was set */
    void (*reset)(struct cg_exchange *x, uint32_t code);
    void (*released)(struct cg_exchange *x);
    /* x is about to be freed, whatever ended it; NULL where CG_S_WIRE guards every pointer to it.
     */
    void (*forget)(struct cg_exchange *x);
};

struct cg_engine {
    const struct cg_engine_ops *ops;
    struct cg_engine *inner;    /* a stack's: the one that has the exchanges */
    struct cg_engine_conf conf; /* defaults filled in */
    struct cg_mono now;         /* of the current call */
    enum cg_engine_state state;
    cg_err why;
    bool is_server;
    struct cg_exchange *ready_first, *ready_last;
    struct cg_exchange *open; /* all */
    size_t n_open;            /* of them not CG_S_GONE */
    struct cg_mono born;
    struct cg_mono idle_since;  /* while n_open is 0; INT64_MAX: from the next call on */
    struct cg_mono head_since;  /* INT64_MAX: no head is coming in */
    struct cg_mono stall_check; /* INT64_MAX: nothing is open */
};

#define CG_NEVER ((struct cg_mono){INT64_MAX})

/* cg_engine_init fills the common part; conf NULL: all defaults. */
void cg_engine_init(struct cg_engine *e, const struct cg_engine_ops *ops, bool is_server,
                    const struct cg_engine_conf *conf, struct cg_mono now);
/* cg_engine_clear frees all exchanges. */
void cg_engine_clear(struct cg_engine *e);
/* cg_engine_close makes it CLOSED and resets what is open; the first reason stays. */
void cg_engine_close(struct cg_engine *e, cg_err why);
/* The common answers of ops: ready from the list, deadline from the limits. */
struct cg_exchange *cg_engine_list_ready(struct cg_engine *e, unsigned *what);
struct cg_mono cg_engine_limits_deadline(const struct cg_engine *e);
/* cg_engine_limits_tick applies head, idle, stall and life limits. */
void cg_engine_limits_tick(struct cg_engine *e);

/* cg_exchange_make makes an exchange in the engine's list; NULL: out of memory. */
struct cg_exchange *cg_exchange_make(struct cg_engine *e, uint32_t id);
/* cg_exchange_note sets bits and puts it into the ready list; not after release. */
void cg_exchange_note(struct cg_exchange *x, unsigned bits);
/* cg_exchange_over says that nothing can be sent or received any more; frees it if the user does
 * not know it either (and CG_S_WIRE is off). With a
 * code or a fault the user is told of a reset, unless both messages had been completed. */
void cg_exchange_over(struct cg_exchange *x, uint32_t code, bool by_peer, cg_err fault);
/* cg_exchange_off_wire takes CG_S_WIRE away, and frees where that was the last to know it. */
void cg_exchange_off_wire(struct cg_exchange *x);
/* cg_exchange_refuse marks a request that is not to be served. */
void cg_exchange_refuse(struct cg_exchange *x, int status, cg_err fault);
/* cg_exchange_fill puts incoming body bytes into the ring, all or nothing, and notes BODY. */
CG_MUST_USE cg_err cg_exchange_fill(struct cg_exchange *x, struct cg_span bytes);
/* cg_exchange_moved_out notes that n body bytes left the out ring, and ROOM where due. */
void cg_exchange_moved_out(struct cg_exchange *x, size_t n);
/* cg_exchange_in_end notes the end of the peer's message. */
void cg_exchange_in_end(struct cg_exchange *x);
/* cg_exchange_sent notes that our message was pulled to its end. */
void cg_exchange_sent(struct cg_exchange *x);

static inline bool cg_exchange_is(const struct cg_exchange *x, unsigned state)
{
    return (x->state & state) == state;
}

#endif
