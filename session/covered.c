#include "session/covered.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/field.h"

/* The place of a token among those covered, or n where it is none. */
static size_t place_of(enum cg_token token, const enum cg_token *covered, size_t n)
{
    size_t i = 0;

    while (i < n && covered[i] != token)
        i++;
    return i;
}

/* A value that is present but empty must not look absent. */
static struct cg_span present(struct cg_span value)
{
    struct cg_span trimmed = cg_field_trim(value);

    return trimmed.at ? trimmed : CG_LIT("");
}

static cg_err join_cookies(const struct cg_head *head, struct cg_buf *cookies, struct cg_span *out)
{
    struct cg_span lines[CG_HEAD_MAX_FIELDS];
    size_t n = 0;

    for (size_t i = 0; i < head->n_fields && n < CG_HEAD_MAX_FIELDS; i++)
        if (head->fields[i].token == CG_TOKEN_COOKIE)
            lines[n++] = head->fields[i].value;
    cg_buf_clear(cookies);
    struct cg_writer w = cg_writer_into(cookies);
    cg_field_cookies(lines, n, &w);
    CG_TRY(cg_writer_end(&w));
    *out = present(cg_buf_span(cookies));
    return CG_OK;
}

cg_err cg_covered_request(const struct cg_head *head, struct cg_buf *cookies,
                          struct cg_span out[static CG_COVERED_COUNT])
{
    static const enum cg_token covered[CG_COVERED_COUNT] = {
        [CG_COVERED_CONTENT_TYPE] = CG_TOKEN_CONTENT_TYPE,
        [CG_COVERED_CONTENT_ENCODING] = CG_TOKEN_CONTENT_ENCODING,
        [CG_COVERED_RANGE] = CG_TOKEN_RANGE,
        [CG_COVERED_IF_MATCH] = CG_TOKEN_IF_MATCH,
        [CG_COVERED_IF_NONE_MATCH] = CG_TOKEN_IF_NONE_MATCH,
        [CG_COVERED_IDEMPOTENCY_KEY] = CG_TOKEN_IDEMPOTENCY_KEY,
        [CG_COVERED_AUTHORIZATION] = CG_TOKEN_AUTHORIZATION,
        [CG_COVERED_COOKIE] = CG_TOKEN_COOKIE,
        [CG_COVERED_IF_RANGE] = CG_TOKEN_IF_RANGE,
    };
    struct cg_span got[CG_COVERED_COUNT] = {0};
    size_t n_cookies = 0;

    for (size_t i = 0; i < head->n_fields; i++) {
        size_t place = place_of(head->fields[i].token, covered, CG_COVERED_COUNT);

        if (place == CG_COVERED_COUNT)
            continue;
        if (place == CG_COVERED_COOKIE)
            n_cookies++;
        else if (got[place].at)
            return CG_SCHEMA;
        got[place] = present(head->fields[i].value);
    }
    if (n_cookies > 1)
        CG_TRY(join_cookies(head, cookies, &got[CG_COVERED_COOKIE]));
    memcpy(out, got, sizeof got);
    return CG_OK;
}

cg_err cg_covered_reply_of(const struct cg_head *head, struct cg_covered_reply *out)
{
    static const enum cg_token covered[CG_RESPONSE_COVERED_COUNT] = {
        [CG_RESPONSE_CONTENT_TYPE] = CG_TOKEN_CONTENT_TYPE,
        [CG_RESPONSE_CONTENT_ENCODING] = CG_TOKEN_CONTENT_ENCODING,
        [CG_RESPONSE_CONTENT_RANGE] = CG_TOKEN_CONTENT_RANGE,
        [CG_RESPONSE_LOCATION] = CG_TOKEN_LOCATION,
        [CG_RESPONSE_ETAG] = CG_TOKEN_ETAG,
        [CG_RESPONSE_CACHE_CONTROL] = CG_TOKEN_CACHE_CONTROL,
        [CG_RESPONSE_SET_COOKIE] = CG_TOKEN_SET_COOKIE,
        [CG_RESPONSE_LAST_MODIFIED] = CG_TOKEN_LAST_MODIFIED,
        [CG_RESPONSE_CONTENT_DISPOSITION] = CG_TOKEN_CONTENT_DISPOSITION,
    };
    struct cg_span got[CG_RESPONSE_COVERED_COUNT] = {0};
    size_t n_cookies = 0;

    for (size_t i = 0; i < head->n_fields; i++) {
        size_t place = place_of(head->fields[i].token, covered, CG_RESPONSE_COVERED_COUNT);
        struct cg_span value = present(head->fields[i].value);

        if (place == CG_RESPONSE_COVERED_COUNT)
            continue;
        if (place == CG_RESPONSE_SET_COOKIE) {
            if (n_cookies == CG_HEAD_MAX_FIELDS)
                return CG_TOO_LARGE;
            out->set_cookies[n_cookies++] = value;
        } else if (got[place].at) {
            return CG_SCHEMA;
        } else {
            got[place] = value;
        }
    }
    memcpy(out->fields.fields, got, sizeof got);
    out->fields.set_cookies = out->set_cookies;
    out->fields.n_set_cookies = n_cookies;
    return CG_OK;
}

cg_err cg_covered_trailers(struct cg_kit *kit, const struct cg_head *trailers, struct cg_hash *out)
{
    struct cg_span names[CG_HEAD_MAX_FIELDS], values[CG_HEAD_MAX_FIELDS];
    size_t n = 0;

    for (size_t i = 0; trailers && i < trailers->n_fields; i++) {
        const struct cg_field *field = &trailers->fields[i];

        if (field->token == CG_TOKEN_CONTENT_DIGEST || field->token == CG_TOKEN_SAPI_RESPONSE)
            continue; /* ours, beside the backend's */
        if (n == CG_HEAD_MAX_FIELDS)
            return CG_TOO_LARGE;
        names[n] = field->name;
        values[n++] = cg_field_trim(field->value);
    }
    return cg_response_trailers_digest(kit, names, values, n, out);
}

cg_err cg_body_plan_of(const struct cg_head *head, struct cg_body_plan *out)
{
    struct cg_body_plan plan = {.mode = CG_BODY_NONE};
    bool is_trailed = false;

    for (size_t i = 0; i < head->n_fields; i++) {
        const struct cg_field *field = &head->fields[i];

        if (field->token == CG_TOKEN_CONTENT_DIGEST) {
            if (plan.mode == CG_BODY_DIGEST)
                return CG_SCHEMA;
            CG_TRY(cg_digest_read(field->value, &plan.digest));
            plan.mode = CG_BODY_DIGEST;
        } else if (field->token == CG_TOKEN_TRAILER) {
            is_trailed |= cg_field_lists(field->value, "sapi-trailer");
        }
    }
    if (is_trailed && plan.mode == CG_BODY_DIGEST)
        return CG_SCHEMA;
    if (is_trailed)
        plan.mode = CG_BODY_TRAILER;
    *out = plan;
    return CG_OK;
}
