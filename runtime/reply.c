#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/writer.h"
#include "runtime/entropy.h"
#include "runtime/loop_inner.h"
#include "runtime/reply_inner.h"

#include <assert.h>
#include <stdlib.h>

/* A request's head, the answer's, and what the handler takes. */
#define ARENA_MAX_BYTES (256 * 1024)

/* --- the message --- */

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static cg_err decode(struct cg_span from, char *out, size_t room, size_t *out_len)
{
    size_t len = 0;

    for (size_t i = 0; i < from.len; i++) {
        int c = from.at[i];

        if (c == '%') {
            int hi = i + 2 < from.len ? hex_of(from.at[i + 1]) : -1;
            int lo = i + 2 < from.len ? hex_of(from.at[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return CG_SYNTAX;
            c = hi * 16 + lo;
            i += 2;
        }
        if (len == room)
            return CG_TOO_LARGE;
        out[len++] = (char)c;
    }
    *out_len = len;
    return CG_OK;
}

cg_err cg_message_query(const struct cg_message *in, const char *name, char *out, size_t room,
                        size_t *out_len)
{
    struct cg_span left = in->query, value = {NULL, 0};
    bool is_found = false;

    while (left.len > 0) {
        struct cg_span one = cg_span_first(left, cg_span_find(left, '&'));
        size_t eq = cg_span_find(one, '=');

        left = cg_span_from(left, one.len + 1);
        if (!cg_span_is(cg_span_first(one, eq), name))
            continue;
        if (is_found)
            return CG_SYNTAX; /* two values are two readings */
        is_found = true;
        value = cg_span_from(one, eq + 1);
    }
    return is_found ? decode(value, out, room, out_len) : CG_NOT_FOUND;
}

/* Length and date are of the message as it travelled, not of what it says. */
static bool is_of_connection(enum cg_token token)
{
    return (cg_token_flags(token) & CG_NAME_HOP) != 0 || token == CG_TOKEN_CONTENT_LENGTH ||
           token == CG_TOKEN_DATE;
}

cg_err cg_head_copy(const struct cg_head *from, bool leaves_hops, struct cg_arena *arena,
                    struct cg_head *out)
{
    cg_head_init(out, arena);
    out->form = from->form;
    out->status = from->status;
    out->content_length = from->content_length;
    out->has_underscore = from->has_underscore;
    CG_TRY(cg_arena_copy(arena, from->method, &out->method));
    CG_TRY(cg_arena_copy(arena, from->scheme, &out->scheme));
    CG_TRY(cg_arena_copy(arena, from->authority, &out->authority));
    CG_TRY(cg_arena_copy(arena, from->path, &out->path));
    for (size_t i = 0; i < from->n_fields; i++) {
        if (leaves_hops && is_of_connection(from->fields[i].token))
            continue;
        CG_TRY(cg_head_add_named(out, from->fields[i].name, from->fields[i].value));
    }
    return CG_OK;
}

/* --- life --- */

cg_err cg_reply_new(struct cg_loop *loop, const struct cg_peer *peer, const struct cg_head *head,
                    const struct cg_routed *routed, void (*deliver)(struct cg_reply *reply),
                    void *asker, struct cg_reply **out)
{
    const struct cg_route_table *table = routed->table;
    struct cg_reply *reply = calloc(1, sizeof *reply);
    size_t query;
    cg_err err;

    if (!reply)
        return CG_NO_MEMORY;
    cg_arena_init(&reply->arena, ARENA_MAX_BYTES);
    cg_buf_init(&reply->in_body, table ? table->body_max : 0);
    cg_buf_init(&reply->body, table && table->reply_max ? table->reply_max : CG_REPLY_MAX_BYTES);
    err = cg_head_copy(head, true, &reply->arena, &reply->in_head);
    if (err != CG_OK) {
        cg_arena_done(&reply->arena);
        free(reply);
        return err;
    }
    reply->loop = loop;
    reply->peer = *peer;
    reply->deliver = deliver;
    reply->asker = asker;
    cg_head_init(&reply->head, &reply->arena);

    query = cg_span_find(reply->in_head.path, '?');
    reply->in.head = &reply->in_head;
    reply->in.path = cg_span_first(reply->in_head.path, query);
    reply->in.has_query = query < reply->in_head.path.len;
    reply->in.query = cg_span_from(reply->in_head.path, query + 1);
    reply->in.peer = &reply->peer;
    reply->in.role = table ? table->role : NULL;

    reply->next = loop->replies;
    if (loop->replies)
        loop->replies->prev = reply;
    loop->replies = reply;
    *out = reply;
    return CG_OK;
}

void cg_reply_free(struct cg_reply *reply)
{
    if (!reply)
        return;
    cg_slot_end(reply->loop, reply->ticket);
    if (reply->prev)
        reply->prev->next = reply->next;
    else
        reply->loop->replies = reply->next;
    if (reply->next)
        reply->next->prev = reply->prev;
    cg_buf_wipe(&reply->in_body);
    cg_buf_done(&reply->body);
    cg_arena_done(&reply->arena);
    free(reply);
}

void cg_reply_abandon(struct cg_reply *reply)
{
    reply->is_void = true;
    if (reply->is_ended)
        cg_reply_free(reply);
}

void cg_replies_done(struct cg_loop *loop)
{
    while (loop->replies) {
        struct cg_reply *reply = loop->replies;

        if (reply->is_void || reply->is_ended)
            cg_reply_free(reply);
        else
            cg_reply_refuse(reply, CG_REFUSAL_UNAVAILABLE, NULL);
    }
}

/* --- what handlers do --- */

struct cg_loop *cg_reply_loop(struct cg_reply *out)
{
    return out->loop;
}

const struct cg_message *cg_reply_message(struct cg_reply *out)
{
    return &out->in;
}

struct cg_arena *cg_reply_arena(struct cg_reply *out)
{
    return &out->arena;
}

void cg_reply_keep(struct cg_reply *out, void *mine)
{
    out->kept = mine;
}

void *cg_reply_kept(const struct cg_reply *out)
{
    return out->kept;
}

bool cg_reply_is_void(const struct cg_reply *out)
{
    return out->is_void || (out->is_called_off && *out->is_called_off);
}

static void on_call(void *owner, struct cg_call *call)
{
    struct cg_reply *reply = owner;

    reply->on_call(reply, call);
}

struct cg_ticket cg_reply_ticket(struct cg_reply *out, cg_call_fn fn)
{
    out->on_call = fn;
    if (!cg_slot_is_open(out->loop, out->ticket) &&
        cg_slot_open(out->loop, on_call, out, &out->ticket) != CG_OK)
        out->ticket = (struct cg_ticket){0, 0};
    return out->ticket;
}

const uint8_t *cg_reply_id(struct cg_reply *out)
{
    /* An id of zeros is no worse than no id; the reply matters more. */
    if (!out->has_id)
        (void)!cg_entropy_fill(out->id, sizeof out->id);
    out->has_id = true;
    return out->id;
}

static void note(struct cg_reply *out, cg_err err)
{
    if (out->fault == CG_OK)
        out->fault = err;
}

void cg_reply_field(struct cg_reply *out, enum cg_token name, struct cg_span value)
{
    note(out, cg_head_add(&out->head, name, value));
}

void cg_reply_field_named(struct cg_reply *out, const char *name, struct cg_span value)
{
    note(out, cg_head_add_named(&out->head, cg_span_str(name), value));
}

void cg_reply_add(struct cg_reply *out, struct cg_span bytes)
{
    note(out, cg_buf_add(&out->body, bytes));
}

static void end(struct cg_reply *out, int status)
{
    assert(!out->is_ended);
    out->head.status = status;
    out->head.content_length = (int64_t)out->body.len;
    out->is_ended = true;
    cg_slot_end(out->loop, out->ticket);
    if (out->is_void)
        cg_reply_free(out);
    else
        out->deliver(out);
}

void cg_reply_refuse(struct cg_reply *out, enum cg_refusal refusal,
                     const struct cg_refusal_extra *extra)
{
    int status = cg_refusal_status(refusal);
    struct cg_writer w;

    cg_buf_clear(&out->body);
    w = cg_writer_into(&out->body);
    if (cg_refusal_write(refusal, cg_reply_id(out), extra, &w) != CG_OK ||
        cg_head_add(&out->head, CG_TOKEN_CONTENT_TYPE, cg_span_str(CG_REFUSAL_TYPE)) != CG_OK)
        cg_buf_clear(&out->body); /* the status still tells */
    if (refusal == CG_REFUSAL_RATE_LIMITED || refusal == CG_REFUSAL_UNAVAILABLE)
        note(out, cg_head_add(&out->head, CG_TOKEN_RETRY_AFTER, CG_LIT("1")));
    end(out, status);
}

void cg_reply_send(struct cg_reply *out, int status, const char *type)
{
    if (type)
        note(out, cg_head_add(&out->head, CG_TOKEN_CONTENT_TYPE, cg_span_str(type)));
    if (out->fault != CG_OK) {
        cg_head_init(&out->head, &out->arena);
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
        return;
    }
    end(out, status);
}
