/* h2_own.h: what the h2*.c files share. */
#ifndef CG_SESSION_H2_OWN_H
#define CG_SESSION_H2_OWN_H
#include <nghttp2/nghttp2.h>

#include "session/core.h"

/* A bucket that empties by use and fills with time. */
struct cg_h2_budget {
    int64_t left; /* in millionths */
    struct cg_mono at;
};

/* Resets by either side: a client that opens and cancels, and one that makes us cancel, cost the
 * same work for nothing (CVE-2023-44487, CVE-2025-8671). A busy browser stays far below. */
#define CG_H2_RESETS_MAX 500
#define CG_H2_RESETS_PER_S 100
/* Frames that carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown types
 * (CVE-2019-9512 to -9518). Requests and the bodies we send allow for more of them. */
#define CG_H2_NOISE_MAX 1000
#define CG_H2_NOISE_PER_S 100
#define CG_H2_NOISE_PER_REQUEST 8
#define CG_H2_NOISE_PER_DATA 2
/* A header block of 32 KiB needs two; slack for those who cut finer (CVE-2024-28182 and kin). */
#define CG_H2_CONTINUATIONS_MAX 8
/* Compressed bytes of one header block, and decoded ones: beyond, the connection ends. Between
 * head_max_bytes and these the request alone is refused. */
#define CG_H2_BLOCK_MAX_BYTES (64 * 1024)
#define CG_H2_LIST_MAX_BYTES (128 * 1024)
/* Frames waiting to be sent at which we stop reading. */
#define CG_H2_QUEUE_MAX 500
/* The preface's window, which a peer may fill before it has read our SETTINGS (RFC 9113, 6.9.2). */
#define CG_H2_FIRST_WINDOW 65535

struct cg_h2 {
    struct cg_engine base;
    nghttp2_session *session;
    struct cg_span leftover; /* of the frame that did not fit; the library's until the next one */
    struct cg_buf *out;      /* during a pull */
    struct cg_h2_budget resets, noise;
    bool is_flooded;
    bool is_broken;         /* the library ended the connection for the peer's error */
    int32_t head_id;        /* the stream whose header block is coming in; 0: none that counts */
    unsigned continuations; /* of the current header block */
    size_t block_bytes;
    size_t list_bytes;
    cg_err head_fault;         /* what is wrong with the head being read */
    struct cg_head interim;    /* client: one being read; whole ones are the exchange's */
    struct cg_mono goaway_due; /* server: the second GOAWAY, INT64_MAX: none */
};

static inline struct cg_h2 *cg_h2_of(struct cg_engine *e)
{
    return (struct cg_h2 *)e;
}

/* cg_h2_spend takes one from a bucket; false: it is empty. */
bool cg_h2_spend(struct cg_h2_budget *budget, struct cg_mono now, int64_t max, int64_t per_s);
void cg_h2_earn(struct cg_h2_budget *budget, int64_t n, int64_t max);

/* The receiving callbacks (h2_in.c) and the sending ones (h2_out.c). */
void cg_h2_in_install(nghttp2_session_callbacks *callbacks);
void cg_h2_out_install(nghttp2_session_callbacks *callbacks);

/* cg_h2_head_ends stops the clock of a stream's header block: it came, or is not waited for. */
void cg_h2_head_ends(struct cg_h2 *h2, int32_t id);
/* cg_h2_end closes the engine and makes GOAWAY wait. */
void cg_h2_end(struct cg_h2 *h2, uint32_t code, cg_err why);
/* cg_h2_drain sends the GOAWAY that names the last stream. */
void cg_h2_drain(struct cg_h2 *h2);

/* ops, in h2_out.c */
cg_err cg_h2_begin(struct cg_engine *e, const struct cg_head *head, bool is_end,
                   struct cg_exchange **out);
cg_err cg_h2_inform(struct cg_exchange *x, int status, const struct cg_head *head);
cg_err cg_h2_answer(struct cg_exchange *x, const struct cg_head *head, bool is_end);
void cg_h2_more(struct cg_exchange *x);
cg_err cg_h2_pull(struct cg_engine *e, struct cg_buf *out);

#endif
