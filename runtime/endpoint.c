#include "runtime/endpoint.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/endpoint_inner.h"
#include "runtime/loop_inner.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX_BYTES (8 * 1024 * 1024)
#define CONNECT_MS 2000
#define N_MAX 1024
/* Two heads. */
#define ARENA_MAX_BYTES (128 * 1024)
#define BODY_MAX_BYTES (64 * 1024 * 1024) /* of a request of our own: a bug if it is larger */

/* --- the roles of this process --- */

struct cg_locals {
    struct cg_local *first;
};

cg_err cg_locals_new(struct cg_locals **out)
{
    struct cg_locals *locals = calloc(1, sizeof *locals);

    if (!locals)
        return CG_NO_MEMORY;
    *out = locals;
    return CG_OK;
}

void cg_locals_free(struct cg_locals *locals)
{
    while (locals && locals->first) {
        struct cg_local *local = locals->first;

        locals->first = local->next;
        free(local);
    }
    free(locals);
}

static const struct cg_local *find_local(const struct cg_locals *locals, struct cg_span name)
{
    const struct cg_local *local = locals ? locals->first : NULL;

    while (local && !cg_span_is(name, local->table->name))
        local = local->next;
    return local;
}

cg_err cg_locals_add(struct cg_locals *locals, struct cg_loop *loop,
                     const struct cg_route_table *table)
{
    struct cg_local *local;

    if (find_local(locals, cg_span_str(table->name)))
        return CG_CONFLICT;
    local = calloc(1, sizeof *local);
    if (!local)
        return CG_NO_MEMORY;
    local->loop = loop;
    local->table = table;
    local->next = locals->first;
    locals->first = local;
    return CG_OK;
}

/* --- urls --- */

static cg_err read_port(struct cg_span text, uint16_t *out)
{
    uint32_t port = 0;

    if (text.len == 0 || text.len > 5)
        return CG_CONFIG;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return CG_CONFIG;
        port = port * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return CG_CONFIG;
    *out = (uint16_t)port;
    return CG_OK;
}

/* Plain http only to ourselves: whatever leaves the machine is TLS. */
static bool is_loopback(struct cg_span host, uint16_t port)
{
    struct cg_address at;

    if (host.len > 2 && host.at[0] == '[')
        host = cg_span_of(host.at + 1, host.len - 2);
    return cg_address_read_ip(host, port, &at) == CG_OK && cg_address_is_loopback(&at);
}

static bool is_host(struct cg_span host)
{
    bool is_literal = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';

    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';

        if (!is_plain && !(is_literal && (c == ':' || c == '[' || c == ']')))
            return false;
    }
    return host.len > 0;
}

static cg_err read_url(struct cg_endpoint *ep, struct cg_span url)
{
    struct cg_span rest;
    size_t colon;

    ep->is_tls = cg_span_starts(url, CG_LIT("https://"));
    if (!ep->is_tls && !cg_span_starts(url, CG_LIT("http://")))
        return CG_CONFIG;
    ep->scheme = cg_span_first(url, ep->is_tls ? 5 : 4);
    rest = cg_span_from(url, ep->scheme.len + 3);
    ep->authority = cg_span_first(rest, cg_span_find(rest, '/'));
    ep->prefix = cg_span_from(rest, ep->authority.len);
    while (ep->prefix.len > 0 && ep->prefix.at[ep->prefix.len - 1] == '/')
        ep->prefix.len--;
    if (cg_span_find(ep->prefix, '?') < ep->prefix.len ||
        cg_span_find(ep->prefix, '#') < ep->prefix.len)
        return CG_CONFIG;

    /* The colon before a port stands behind the brackets of an IPv6 literal. */
    colon = ep->authority.len;
    for (size_t i = ep->authority.len; i > 0 && ep->authority.at[i - 1] != ']'; i--)
        if (ep->authority.at[i - 1] == ':')
            colon = i - 1;
    ep->host = cg_span_first(ep->authority, colon);
    ep->port = ep->is_tls ? 443 : 80;
    if (colon < ep->authority.len)
        CG_TRY(read_port(cg_span_from(ep->authority, colon + 1), &ep->port));
    if (!is_host(ep->host) || (!ep->is_tls && !is_loopback(ep->host, ep->port)))
        return CG_CONFIG;
    return CG_OK;
}

/* --- life --- */

static void unref(struct cg_endpoint *ep)
{
    if (--ep->n_refs > 0)
        return;
    free(ep->bytes);
    free(ep);
}

static cg_err fill(struct cg_endpoint *ep, const struct cg_endpoint_options *options)
{
    struct cg_span url = cg_span_str(options->url);
    int len;

    ep->options = *options;
    if (ep->options.answer_max == 0)
        ep->options.answer_max = ANSWER_MAX_BYTES;
    if (ep->options.connect_ms == 0)
        ep->options.connect_ms = CONNECT_MS;
    if (ep->options.n_max == 0)
        ep->options.n_max = N_MAX;
    if (cg_span_starts(url, CG_LIT("local:"))) {
        ep->local = find_local(options->locals, cg_span_from(url, 6));
        return ep->local ? CG_OK : CG_CONFIG;
    }
    /* Connections made with other trust must not be shared: the key names it, too. */
    len = asprintf(&ep->bytes, "%s endpoint %p", options->url, options->engine_ctx);
    if (len < 0) {
        ep->bytes = NULL;
        return CG_NO_MEMORY;
    }
    ep->key = cg_span_of(ep->bytes, (size_t)len);
    if (!options->pool || !options->engine)
        return CG_CONFIG;
    return read_url(ep, cg_span_of(ep->bytes, url.len));
}

cg_err cg_endpoint_new(struct cg_loop *loop, const struct cg_endpoint_options *options,
                       struct cg_endpoint **out)
{
    struct cg_endpoint *ep = calloc(1, sizeof *ep);
    cg_err err;

    if (!ep)
        return CG_NO_MEMORY;
    ep->loop = loop;
    ep->n_refs = 1;
    err = fill(ep, options);
    if (err != CG_OK) {
        unref(ep);
        return err;
    }
    ep->options.url = NULL; /* the caller's */
    *out = ep;
    return CG_OK;
}

void cg_endpoint_free(struct cg_endpoint *endpoint)
{
    if (endpoint)
        unref(endpoint);
}

/* --- questions --- */

void cg_question_answer(struct cg_question *question)
{
    question->answer.head = &question->answer_head;
    question->answer.body = cg_buf_span(&question->answer_body);
    question->has_answer = true;
}

void cg_question_done(struct cg_question *question)
{
    struct cg_endpoint *ep = question->endpoint;

    cg_buf_wipe(&question->body);
    cg_buf_wipe(&question->answer_body);
    cg_arena_done(&question->arena);
    if (ep) {
        ep->n_under_way--;
        unref(ep);
    }
}

static cg_err join(struct cg_arena *arena, struct cg_span a, struct cg_span b, struct cg_span *out)
{
    uint8_t *at = cg_arena_take(arena, a.len + b.len);

    if (!at)
        return CG_NO_MEMORY;
    if (a.len > 0)
        memcpy(at, a.at, a.len);
    if (b.len > 0)
        memcpy(at + a.len, b.at, b.len);
    *out = cg_span_of(at, a.len + b.len);
    return CG_OK;
}

static bool may_have_body(struct cg_span method)
{
    return !cg_span_is(method, "GET") && !cg_span_is(method, "HEAD") &&
           !cg_span_is(method, "DELETE");
}

static cg_err fill_question(struct cg_question *q, struct cg_span method, struct cg_span path,
                            const struct cg_field *fields, size_t n_fields, struct cg_span body)
{
    struct cg_endpoint *ep = q->endpoint;
    struct cg_head *head = &q->head;

    if (method.len == 0 || path.len == 0 || path.at[0] != '/')
        return CG_SYNTAX;
    cg_head_init(head, &q->arena);
    head->scheme = ep->local ? CG_LIT("https") : ep->scheme;
    head->authority = ep->local ? cg_span_str(ep->local->table->name) : ep->authority;
    CG_TRY(cg_arena_copy(&q->arena, method, &head->method));
    CG_TRY(join(&q->arena, ep->prefix, path, &head->path));
    for (size_t i = 0; i < n_fields; i++) {
        const struct cg_field *field = &fields[i];

        if (field->token != CG_TOKEN_OTHER)
            CG_TRY(cg_head_add(head, field->token, field->value));
        else
            CG_TRY(cg_head_add_named(head, field->name, field->value));
    }
    head->content_length = body.len > 0 || may_have_body(method) ? (int64_t)body.len : -1;
    return cg_buf_add(&q->body, body);
}

cg_err cg_endpoint_begin(struct cg_endpoint *ep, struct cg_span method, struct cg_span path,
                         const struct cg_field *fields, size_t n_fields, struct cg_span body,
                         struct cg_ticket who, unsigned tag, struct cg_mono deadline)
{
    const struct cg_asking *asking = ep->local ? &cg_ask_local : &cg_ask_http;
    struct cg_question *q;
    cg_err err;

    if (ep->n_under_way >= ep->options.n_max)
        return CG_BUSY;
    q = calloc(1, asking->size);
    if (!q)
        return CG_NO_MEMORY;
    cg_arena_init(&q->arena, ARENA_MAX_BYTES);
    cg_buf_init(&q->body, BODY_MAX_BYTES);
    cg_buf_init(&q->answer_body, ep->options.answer_max);
    q->endpoint = ep;
    ep->n_refs++;
    ep->n_under_way++;
    err = fill_question(q, method, path, fields, n_fields, body);
    if (err != CG_OK) {
        cg_question_done(q);
        free(q);
        return err;
    }
    cg_call_begin(&q->call, asking->kind, ep->loop, who, tag, deadline);
    asking->begin(q);
    return CG_OK;
}

const struct cg_answer *cg_answer_of(struct cg_call *call)
{
    struct cg_question *q = (struct cg_question *)call;

    assert(call->kind == cg_ask_http.kind || call->kind == cg_ask_local.kind);
    return call->err == CG_OK && q->has_answer ? &q->answer : NULL;
}
