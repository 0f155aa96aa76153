/* fetch.h: one request over a link, its answer verified to the last byte. */
#ifndef CG_CLIENT_FETCH_H
#define CG_CLIENT_FETCH_H
#include "client/link.h"

struct cl_fetch;

/* Where a request's body comes from. */
enum cl_body {
    CL_BODY_NONE,
    CL_BODY_WHOLE,  /* from memory */
    CL_BODY_SIZED,  /* read piece by piece; length and digest were found before */
    CL_BODY_STREAM, /* read piece by piece until it ends; signed at its end */
};

struct cl_fetch_ask {
    const struct cg_url *url;
    const char *method;
    const struct cg_field *fields; /* by name, lower case */
    size_t n_fields;
    struct cl_show *show;   /* where its checks are told; NULL: the app's */
    enum cg_sapi_mode mode; /* NONE: unsigned, for rules that allow it */
    enum cl_body body;
    struct cg_span whole;
    int64_t length;
    struct cg_hash digest;
    /* Fills at most room bytes; 0 is the end.
     * Errors  CG_BUSY: nothing now, cl_fetch_wake will be called; any other calls the request off.
     */
    cg_err (*read)(void *ctx, uint8_t *at, size_t room, size_t *out_len);
    /* Each piece of the answer, as it comes; it is verified only when on_done says so. Whoever
     * takes less than all calls cl_fetch_wake when there is room. */
    cg_err (*write)(void *ctx, struct cg_span bytes, size_t *out_taken);
    void (*on_sent)(void *ctx, const struct cg_head *head); /* may be NULL */
    cg_err (*on_head)(void *ctx, const struct cg_head *head);
    void (*on_done)(void *ctx, struct cl_fetch *fetch, cg_err err);
    void *ctx;
};

struct cl_fetch {
    struct cl_asker asker; /* must be first */
    struct cl_link *link;
    struct cl_fetch_ask ask;
    struct cl_show *show;
    struct cg_exchange *x;
    struct cg_native_sent sent;
    bool is_signed;
    struct cg_hasher *up, *down;
    uint64_t n_up, n_down;
    size_t body_sent;
    bool up_ended;
    uint8_t *piece; /* of read, not yet sent */
    size_t piece_at, piece_len;
    int status;
    uint64_t server_time; /* of a clock-skew answer, or 0 */
    int64_t retry_after_s;
    bool is_hint;       /* an unsigned refusal */
    struct cg_buf hint; /* its body, for people */
    struct cg_fault fault;
    bool is_done, is_verified;
    struct cg_mono began, head_at;
};

/* cl_fetch_begin sends it on a link that is ready.
 * Owns    what ask points to is used until on_done. */
CG_MUST_USE cg_err cl_fetch_begin(struct cl_link *link, const struct cl_fetch_ask *ask,
                                  struct cl_fetch **out);
/* cl_fetch_wake goes on where read or write could not. */
void cl_fetch_wake(struct cl_fetch *fetch);
void cl_fetch_free(struct cl_fetch *fetch);

#endif
