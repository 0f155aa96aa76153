/* fetch.h: one request over a link, its answer verified to the last byte. */
#ifndef CG_CLIENT_FETCH_H
#define CG_CLIENT_FETCH_H
#include "client/link.h"

#include <stdio.h>

struct cl_fetch;

struct cl_fetch_ask {
    const struct cg_url *url;
    const char *method;
    const struct cg_field *fields; /* by name, lower case */
    size_t n_fields;
    enum cg_sapi_mode mode; /* NONE: unsigned, for rules that allow it */
    bool has_body;
    /* Where the body comes from: all of it at once, or read in pieces (then behind a trailer). */
    struct cg_span body;
    /* NULL: body. Else fills at most room bytes; 0 is the end.
     * Errors  any: the request is called off. */
    cg_err (*read)(void *ctx, uint8_t *at, size_t room, size_t *out_len);
    /* Each piece of the answer, as it comes; it is verified only when on_done says so. */
    cg_err (*write)(void *ctx, struct cg_span bytes);
    void (*on_head)(void *ctx, const struct cg_head *head);
    void (*on_done)(void *ctx, struct cl_fetch *fetch, cg_err err);
    void *ctx;
};

struct cl_fetch {
    struct cl_asker asker; /* must be first */
    struct cl_link *link;
    struct cl_fetch_ask ask;
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
    bool is_hint;         /* an unsigned refusal */
    struct cg_buf hint;   /* its body, for people */
    struct cg_fault fault;
    bool is_done;
};

/* cl_fetch_begin sends it on a link that is ready.
 * Owns    what ask points to is used until on_done. */
CG_MUST_USE cg_err cl_fetch_begin(struct cl_link *link, const struct cl_fetch_ask *ask,
                                  struct cl_fetch **out);
void cl_fetch_free(struct cl_fetch *fetch);

#endif
