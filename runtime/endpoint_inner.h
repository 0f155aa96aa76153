/* endpoint_inner.h: questions, for the two ways of asking them: ask_http.c and ask_local.c. */
#ifndef CG_RUNTIME_ENDPOINT_INNER_H
#define CG_RUNTIME_ENDPOINT_INNER_H
#include "lib/base/buf.h"
#include "runtime/endpoint.h"
#include "runtime/reply_inner.h"

/* A role of this process. */
struct cg_local {
    struct cg_local *next;
    struct cg_loop *loop;
    const struct cg_route_table *table;
};

struct cg_endpoint {
    struct cg_loop *loop;
    size_t n_refs; /* its maker and the questions under way */
    size_t n_under_way;
    struct cg_endpoint_options options;
    const struct cg_local *local; /* NULL: over a socket */
    bool is_tls;
    char *bytes; /* what the spans below point into */
    struct cg_span scheme, authority, host, prefix, key;
    uint16_t port;
};

/* Both kinds of question begin with this. The request is complete at begin; the answer belongs to
 * whoever works on the question until its call is ended. */
struct cg_question {
    struct cg_call call; /* first */
    struct cg_endpoint *endpoint;
    struct cg_arena arena;
    struct cg_head head; /* the request's */
    struct cg_buf body;
    struct cg_head answer_head;
    struct cg_buf answer_body;
    struct cg_answer answer;
    bool has_answer;
};

/* cg_ask_http and cg_ask_local make an empty question of their kind and, once it is filled, begin
 * its work. begin must not fail but by ending the call. */
struct cg_asking {
    size_t size;
    const struct cg_call_kind *kind;
    void (*begin)(struct cg_question *question);
};
extern const struct cg_asking cg_ask_http, cg_ask_local;

/* cg_question_answer puts the answer together from its head and body, which are there already. */
void cg_question_answer(struct cg_question *question);
/* cg_question_done frees what both kinds have; the question's memory itself stays. */
void cg_question_done(struct cg_question *question);

#endif
