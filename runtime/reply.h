/* reply.h: whole requests and replies, as handlers of the roles see them.
 *
 * A handler gets a message with its whole body and fills a reply.  It cannot tell whether the
 * asker came over a socket or is a role of this process. */
#ifndef CG_RUNTIME_REPLY_H
#define CG_RUNTIME_REPLY_H
#include "lib/wire/refusal.h"
#include "runtime/address.h"
#include "runtime/call.h"
#include "session/message.h"

#define CG_ROUTE_MAX_PARAMS 4

/* A request.  Lives as long as its reply is open. */
struct cg_message {
    const struct cg_head *head; /* method and fields; its path has the query */
    struct cg_span path;        /* as received, without the query */
    struct cg_span query;       /* without its '?' */
    bool has_query;
    struct cg_span body;
    struct cg_span param[CG_ROUTE_MAX_PARAMS]; /* what the pattern's {…} stand for, in order */
    const struct cg_peer *peer;
    void *role; /* of the route table */
};

/* cg_message_query finds a query parameter and undoes its percent-encoding into out.
 * Errors  CG_NOT_FOUND, CG_SYNTAX (twice, or wrongly encoded), CG_TOO_LARGE (longer than room). */
CG_MUST_USE cg_err cg_message_query(const struct cg_message *in, const char *name, char *out,
                                    size_t room, size_t *out_len);

/* The answer being made.  cg_reply_send or cg_reply_refuse ends it, exactly once.  A handler that
 * returns without having done so owes it: reply and message stay until then, also when the asker
 * is gone (the answer then goes into the void). */
struct cg_reply;

/* cg_reply_loop gives the loop it all happens on. */
struct cg_loop *cg_reply_loop(struct cg_reply *out);
/* cg_reply_message gives the request again, for a handler that answers later. */
const struct cg_message *cg_reply_message(struct cg_reply *out);
/* cg_reply_field adds a field; the value is copied, and one that cannot be sent turns the reply
 * into 500.  Content-Type and Content-Length are the reply's own business. */
void cg_reply_field(struct cg_reply *out, enum cg_token name, struct cg_span value);
void cg_reply_field_named(struct cg_reply *out, const char *name, struct cg_span value);
/* cg_reply_add appends to the body; a body over the limit turns the reply into 500. */
void cg_reply_add(struct cg_reply *out, struct cg_span bytes);
/* cg_reply_send ends it. type is the Content-Type, NULL for none. */
void cg_reply_send(struct cg_reply *out, int status, const char *type);
/* cg_reply_refuse ends it with the problem document of a refusal (lib/wire/refusal.h) under a new
 * random id, which is then at cg_reply_id, for the log.  What was added to the body is dropped,
 * fields stay; extra may be NULL. */
void cg_reply_refuse(struct cg_reply *out, enum cg_refusal refusal,
                     const struct cg_refusal_extra *extra);
/* cg_reply_id gives the request's 16 bytes, drawn when first asked for. */
const uint8_t *cg_reply_id(struct cg_reply *out);
/* cg_reply_ticket gives the ticket of calls that the handler begins for this reply; opened when
 * first asked for, ended with the reply.  The zeroed ticket when out of memory.
 * on_call's owner is out. */
struct cg_ticket cg_reply_ticket(struct cg_reply *out, cg_call_fn on_call);
/* cg_reply_arena gives memory that lives as long as the reply. */
struct cg_arena *cg_reply_arena(struct cg_reply *out);
/* cg_reply_keep leaves a pointer of the handler's with the reply. */
void cg_reply_keep(struct cg_reply *out, void *mine);
void *cg_reply_kept(const struct cg_reply *out);
/* cg_reply_is_void tells that nobody waits for it any more: a long job may be skipped. */
bool cg_reply_is_void(const struct cg_reply *out);

typedef void (*cg_handler)(const struct cg_message *in, struct cg_reply *out);

/* One row of a role's table.  In a pattern {name} stands for one segment, a last {name*} for one
 * or more; GET serves HEAD too. */
struct cg_route {
    const char *method;
    const char *pattern;
    cg_handler run;
};

struct cg_route_table {
    const char *name; /* of the role, as in local:<name> */
    const struct cg_route *routes;
    size_t n_routes;
    size_t body_max;  /* of a request: 413 above */
    size_t reply_max; /* of a reply's body: 500 above; 0 is 8 MiB */
    void *role;       /* becomes cg_message.role */
};

#endif
