#include "gateway/fields.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/writer.h"

/* What happens to a field by its token; the rest passes. */
enum fate {
    PASS,
    DROP,   /* ours to set, or the connection's */
    SINGLE, /* covered, with one value: twice is an error */
    JOINED, /* covered, a list: its lines become one */
};

static enum fate fate_up(enum cg_token token)
{
    switch (token) {
    case CG_TOKEN_CONTENT_TYPE:
    case CG_TOKEN_CONTENT_ENCODING:
    case CG_TOKEN_RANGE:
    case CG_TOKEN_IF_MATCH:
    case CG_TOKEN_IF_NONE_MATCH:
    case CG_TOKEN_IDEMPOTENCY_KEY:
    case CG_TOKEN_AUTHORIZATION:
    case CG_TOKEN_IF_RANGE:
        return SINGLE;
    case CG_TOKEN_COOKIE:
        return JOINED;
    case CG_TOKEN_QLOCK:
    case CG_TOKEN_SAPI:
    case CG_TOKEN_SAPI_RESPONSE:
    case CG_TOKEN_SAPI_TRAILER:
    case CG_TOKEN_SAPI_ANY:
    case CG_TOKEN_X_HTTPCG_ANY:
    case CG_TOKEN_FORWARDED:
    case CG_TOKEN_X_FORWARDED_ANY:
    case CG_TOKEN_X_REAL_IP:
    case CG_TOKEN_HOST:
    case CG_TOKEN_CONTENT_LENGTH:
    case CG_TOKEN_EXPECT:
    case CG_TOKEN_TRAILER:
    case CG_TOKEN_SIGNATURE:
    case CG_TOKEN_SIGNATURE_INPUT:
    case CG_TOKEN_MAX_FORWARDS:
        return DROP;
    default:
        return PASS;
    }
}

static enum fate fate_down(enum cg_token token)
{
    switch (token) {
    case CG_TOKEN_CONTENT_TYPE:
    case CG_TOKEN_CONTENT_RANGE:
    case CG_TOKEN_LOCATION:
    case CG_TOKEN_ETAG:
    case CG_TOKEN_LAST_MODIFIED:
    case CG_TOKEN_CONTENT_DISPOSITION:
        return SINGLE;
    case CG_TOKEN_CONTENT_ENCODING:
    case CG_TOKEN_CACHE_CONTROL:
        return JOINED;
    case CG_TOKEN_QLOCK:
    case CG_TOKEN_SAPI:
    case CG_TOKEN_SAPI_RESPONSE:
    case CG_TOKEN_SAPI_TRAILER:
    case CG_TOKEN_SAPI_ANY:
    case CG_TOKEN_X_HTTPCG_ANY:
    case CG_TOKEN_ALT_SVC:
    case CG_TOKEN_STRICT_TRANSPORT_SECURITY:
    case CG_TOKEN_CONTENT_LENGTH:
    case CG_TOKEN_CONTENT_DIGEST:
    case CG_TOKEN_TRAILER:
        return DROP;
    default:
        return PASS;
    }
}

/* All lines of one token as one. */
static cg_err add_joined(const struct cg_head *in, enum cg_token token, const char *between,
                         struct cg_head *out)
{
    size_t room = 0, n = 0;

    for (size_t i = 0; i < in->n_fields; i++)
        if (in->fields[i].token == token) {
            room += in->fields[i].value.len + 2;
            n++;
        }
    if (n == 1)
        return cg_head_add_copy(out, cg_head_find(in, token));
    uint8_t *memory = cg_arena_take(out->arena, room);
    if (!memory)
        return CG_NO_MEMORY;
    struct cg_writer w = cg_writer_fixed(memory, room);
    for (size_t i = 0; i < in->n_fields; i++)
        if (in->fields[i].token == token) {
            if (w.len > 0)
                cg_put_str(&w, between);
            cg_put(&w, in->fields[i].value);
        }
    CG_TRY(cg_writer_end(&w));
    return cg_head_add(out, token, cg_writer_span(&w));
}

static bool is_first(const struct cg_head *in, size_t i)
{
    return cg_head_find(in, in->fields[i].token) == &in->fields[i];
}

static cg_err copy(const struct cg_head *in, enum fate (*fate_of)(enum cg_token), cg_err twice,
                   const char *between, struct cg_head *out)
{
    bool has_options = cg_head_find(in, CG_TOKEN_CONNECTION) != NULL;

    for (size_t i = 0; i < in->n_fields; i++) {
        const struct cg_field *f = &in->fields[i];
        enum fate fate = fate_of(f->token);

        if (fate == DROP)
            continue;
        if ((cg_token_flags(f->token) & CG_NAME_HOP) != 0 &&
            !(has_options && f->token == CG_TOKEN_CONNECTION))
            continue;
        if (fate == SINGLE && !is_first(in, i))
            return twice;
        if (fate == JOINED) {
            if (is_first(in, i))
                CG_TRY(add_joined(in, f->token, between, out));
            continue;
        }
        CG_TRY(cg_head_add_copy(out, f));
    }
    /* What Connection names goes with it (RFC 9110, 7.6.1); nothing of ours is in there yet. */
    if (has_options)
        CG_TRY(cg_head_drop_hops(out));
    return CG_OK;
}

cg_err gw_fields_up(const struct cg_head *in, bool keep_digest, struct cg_head *out)
{
    CG_TRY(copy(in, fate_up, CG_SYNTAX, "; ", out));
    if (!keep_digest)
        cg_head_drop(out, CG_TOKEN_CONTENT_DIGEST);
    return CG_OK;
}

cg_err gw_fields_down(const struct cg_head *in, struct cg_head *out)
{
    return copy(in, fate_down, CG_PROTOCOL, ", ", out);
}
