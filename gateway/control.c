/* control: the gateway's own resources, under /.well-known/httpcg/; requests for anything else pass
 * on.
 *
 *   GET  time            {"server_time":N}, never cached
 *   GET  tlsls           the certificate pinned for this connection, with wallet_doc and staple
 *   GET  tlsls/<fpr>     the same, where the fingerprint is that one
 *   GET  policy/<hash>   the gateway policy that the certificate promises
 *   POST grant           see grant.c */
#include "gateway/request.h"

#include "gateway/identity.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

static enum gw_next reply(struct gw_request *req, const char *type, struct cg_span body)
{
    req->reply = (struct gw_reply){.status = 200, .type = type, .body = body, .no_store = true};
    return GW_REPLY;
}

static enum gw_next reply_copy(struct gw_request *req, const char *type, struct cg_span body)
{
    struct cg_span kept;

    if (cg_arena_copy(&req->x->arena, body, &kept) != CG_OK)
        return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, CG_NO_MEMORY, "memory");
    return reply(req, type, kept);
}

static enum gw_next get_time(struct gw_request *req)
{
    char text[64];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    cg_put_str(&w, "{\"server_time\":");
    cg_put_decimal(&w, (uint64_t)req->wall.s);
    cg_put_str(&w, "}\n");
    return reply_copy(req, "application/json", cg_writer_span(&w));
}

static bool is_hash(struct cg_span text, const struct cg_hash *hash)
{
    struct cg_hash named;

    return cg_hex_read(text, named.bytes, sizeof named.bytes) == CG_OK && cg_hash_eq(&named, hash);
}

static enum gw_next get_tlsls(struct gw_request *req)
{
    struct gw_identity *identity = req->conn->identity;
    CG_AUTO(buf) struct cg_buf whole = {0};

    cg_buf_init(&whole, CG_CERT_MAX_BYTES);
    cg_err err = gw_identity_write(identity, &whole);
    if (err != CG_OK)
        return gw_refuse(req, CG_REFUSAL_UNAVAILABLE, err, "staple");
    return reply_copy(req, "application/tlsls+cose", cg_buf_span(&whole));
}

static enum gw_next not_allowed(struct gw_request *req, const char *allow)
{
    struct cg_writer w = cg_writer_fixed(req->access.allow, sizeof req->access.allow - 1);

    cg_put_str(&w, allow);
    req->access.allow[w.len] = '\0';
    return gw_refuse(req, CG_REFUSAL_METHOD_NOT_ALLOWED, CG_METHOD, "method");
}

static enum gw_next get(struct gw_request *req)
{
    struct gw_identity *identity = req->conn->identity;
    struct cg_span path = req->target.control;
    struct cg_span tlsls = CG_LIT("tlsls/"), policy = CG_LIT("policy/");

    if (cg_span_is(path, "time"))
        return get_time(req);
    if (cg_span_is(path, "tlsls"))
        return get_tlsls(req);
    if (cg_span_starts(path, tlsls) &&
        is_hash(cg_span_from(path, tlsls.len), &identity->cert.fingerprint))
        return get_tlsls(req);
    if (cg_span_starts(path, policy) &&
        is_hash(cg_span_from(path, policy.len), &identity->cert.policy_hash))
        return reply(req, "application/policy+cose", cg_buf_span(&identity->policy));
    return gw_refuse(req, CG_REFUSAL_NOT_FOUND, CG_NOT_FOUND, "resource");
}

enum gw_next gw_control(struct gw_request *req)
{
    struct cg_span method = req->x->in.method;
    bool is_get = cg_span_is(method, "GET") || cg_span_is(method, "HEAD");

    if (req->target.kind != CG_URL_TARGET_CONTROL)
        return GW_ON;
    if (!req->has_counted) {
        req->has_counted = true;
        if (cg_gate_control(&req->conn->gate, &req->fault) != CG_OK)
            return GW_REFUSE;
    }
    if (cg_span_is(req->target.control, "grant"))
        return cg_span_is(method, "POST") ? gw_grant(req) : not_allowed(req, "POST");
    return is_get ? get(req) : not_allowed(req, "GET, HEAD");
}
