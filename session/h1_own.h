/* h1_own.h: what the h1*.c files share. */
#ifndef CG_SESSION_H1_OWN_H
#define CG_SESSION_H1_OWN_H
#include <llhttp.h>

#include "session/core.h"

/* A chunk's size line: so many hex digits (their value then fits 60 bits), and so many bytes of
 * extensions, which nobody uses and attackers do (CVE-2023-39326); all of a body's together. */
#define CG_H1_SIZE_MAX_DIGITS 15
#define CG_H1_EXT_MAX_BYTES 256
#define CG_H1_EXT_TOTAL_MAX_BYTES (16 * 1024)

enum cg_h1_phase {
    CG_H1_HEAD,     /* collecting a head's lines */
    CG_H1_LENGTH,   /* body_left bytes of body */
    CG_H1_SIZE,     /* collecting a chunk's size line */
    CG_H1_CHUNK,    /* body_left bytes of the chunk */
    CG_H1_CHUNK_CR, /* the two bytes behind it */
    CG_H1_CHUNK_LF,
    CG_H1_TRAILERS, /* collecting the trailer section */
    CG_H1_TO_EOF,   /* body until the connection's end */
    CG_H1_WAIT,     /* message complete: nothing may come */
    CG_H1_DEAF,     /* whatever comes is dropped */
};

struct cg_h1 {
    struct cg_engine base;
    llhttp_t parser;
    struct cg_exchange *x; /* the one there is; NULL: none */
    uint32_t last_id;
    enum cg_h1_phase phase;
    bool is_secure;
    bool must_close; /* after this exchange */
    bool is_aborted; /* send nothing more */
    bool has_sent;   /* some of our current message was pulled */

    /* Incoming. */
    struct cg_buf head; /* lines of the head, or of the trailer section */
    size_t line_from;   /* where the line being collected begins */
    size_t fields_from; /* where the first field line begins; 0: first line not complete */
    uint64_t body_left;
    unsigned n_digits; /* of a chunk's size */
    size_t ext_bytes, ext_total;
    bool in_ext, saw_cr;
    struct cg_head *to;         /* where llhttp's fields go */
    struct cg_head interim;     /* one being read; whole ones are the exchange's */
    struct cg_span name, value; /* of the field being read */
    cg_err field_fault;
    bool is_complete; /* llhttp says: the message is */
    bool skips_body;  /* what llhttp is told of this response's body */
    int status;       /* of the response head being read */
    int minor;

    /* Outgoing. */
    struct cg_buf out; /* heads, waiting to be pulled */
    bool is_chunked;
    bool is_last_sent;
};

static inline struct cg_h1 *cg_h1_of(struct cg_engine *e)
{
    return (struct cg_h1 *)e;
}

/* h1_in.c */
cg_err cg_h1_feed(struct cg_engine *e, struct cg_span in, size_t *taken);
void cg_h1_eof(struct cg_engine *e);
size_t cg_h1_room(const struct cg_engine *e);
/* cg_h1_expect makes it ready for the next message. */
void cg_h1_expect(struct cg_h1 *h1);

/* cg_h1_collect_anew drops the lines collected so far. */
void cg_h1_collect_anew(struct cg_h1 *h1, enum cg_h1_phase phase);
/* cg_h1_spoil: the peer broke the rules. A server says so where it still can, and nothing after it
 * is read; a client's connection is worth nothing any more. */
void cg_h1_spoil(struct cg_h1 *h1, int status, cg_err fault);
/* cg_h1_finish: the peer's message is complete. */
void cg_h1_finish(struct cg_h1 *h1);

/* h1_parse.c */
void cg_h1_start_parser(struct cg_h1 *h1, struct cg_head *to);
/* cg_h1_parse gives llhttp the next bytes; false: it does not like them. */
bool cg_h1_parse(struct cg_h1 *h1, struct cg_span bytes);

/* h1_body.c: each takes some of in, at least a byte, or all of it where it is malformed. */
void cg_h1_start_size(struct cg_h1 *h1);
size_t cg_h1_take_size(struct cg_h1 *h1, struct cg_span in);
size_t cg_h1_take_chunk_end(struct cg_h1 *h1, struct cg_span in);
size_t cg_h1_take_body(struct cg_h1 *h1, struct cg_span in); /* 0: no room */
size_t cg_h1_body_room(const struct cg_h1 *h1);

/* h1_head.c: what a complete head means. Each gives 0 or the status to refuse with; a client's
 * statuses only tell good from bad. */
int cg_h1_judge_request(struct cg_h1 *h1, struct cg_exchange *x);
int cg_h1_judge_response(struct cg_h1 *h1);
int cg_h1_judge_trailers(const struct cg_exchange *x);

/* h1_out.c */
cg_err cg_h1_begin(struct cg_h1 *h1, const struct cg_head *head, bool is_end,
                   struct cg_exchange *x);
cg_err cg_h1_inform(struct cg_exchange *x, int status, const struct cg_head *head);
cg_err cg_h1_answer(struct cg_exchange *x, const struct cg_head *head, bool is_end);
cg_err cg_h1_pull(struct cg_engine *e, struct cg_buf *out);
bool cg_h1_has_output(const struct cg_h1 *h1);

/* h1.c */
/* cg_h1_settle goes on to the next exchange, or to the connection's end, when both messages of this
 * one are complete. */
void cg_h1_settle(struct cg_h1 *h1);
/* cg_h1_end is the connection's immediate end. */
void cg_h1_end(struct cg_h1 *h1, cg_err why);

#endif
