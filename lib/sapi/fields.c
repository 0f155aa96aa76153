#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/qlock/kit.h"
#include "lib/wire/tup.h"

#include <httpcg/sapi.h>

static const char *const request_names[CG_COVERED_COUNT] = {
    [CG_COVERED_CONTENT_TYPE] = "content-type",
    [CG_COVERED_CONTENT_ENCODING] = "content-encoding",
    [CG_COVERED_RANGE] = "range",
    [CG_COVERED_IF_MATCH] = "if-match",
    [CG_COVERED_IF_NONE_MATCH] = "if-none-match",
    [CG_COVERED_IDEMPOTENCY_KEY] = "idempotency-key",
    [CG_COVERED_AUTHORIZATION] = "authorization",
    [CG_COVERED_COOKIE] = "cookie",
    [CG_COVERED_IF_RANGE] = "if-range",
};

static const char *const response_names[CG_RESPONSE_COVERED_COUNT] = {
    [CG_RESPONSE_CONTENT_TYPE] = "content-type",
    [CG_RESPONSE_CONTENT_ENCODING] = "content-encoding",
    [CG_RESPONSE_CONTENT_RANGE] = "content-range",
    [CG_RESPONSE_LOCATION] = "location",
    [CG_RESPONSE_ETAG] = "etag",
    [CG_RESPONSE_CACHE_CONTROL] = "cache-control",
    [CG_RESPONSE_SET_COOKIE] = "set-cookie",
    [CG_RESPONSE_LAST_MODIFIED] = "last-modified",
    [CG_RESPONSE_CONTENT_DISPOSITION] = "content-disposition",
};

const char *cg_covered_name(enum cg_covered field)
{
    return request_names[field];
}

const char *cg_response_covered_name(enum cg_response_covered field)
{
    return response_names[field];
}

/* f(x): 0x00 where absent, 0x01 and the value where present. */
static void put_field(struct cg_tup *t, struct cg_span value)
{
    cg_tup_open(t, value.at ? 1 + value.len : 1);
    cg_put_u8(t->w, value.at ? 1 : 0);
    if (value.at)
        cg_put(t->w, value);
}

static void put_list(struct cg_tup *t, const struct cg_span *values, size_t n)
{
    size_t len = 1 + 2;

    if (n == 0) {
        put_field(t, (struct cg_span){NULL, 0});
        return;
    }
    if (n > UINT16_MAX)
        cg_writer_fail(t->w, CG_TOO_LARGE);
    for (size_t i = 0; i < n; i++)
        len += 4 + values[i].len;
    cg_tup_open(t, len);
    cg_put_u8(t->w, 1);
    cg_put_u16(t->w, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        cg_put_lp(t->w, values[i]);
}

cg_err cg_sapi_fields_digest(struct cg_kit *kit, const struct cg_span fields[CG_COVERED_COUNT],
                             struct cg_hash *out)
{
    cg_buf_clear(&kit->scratch);
    struct cg_writer w = cg_writer_into(&kit->scratch);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-fields/v1", CG_COVERED_COUNT);

    for (int i = 0; i < CG_COVERED_COUNT; i++)
        put_field(&t, fields[i]);
    CG_TRY(cg_tup_end(&t));
    return cg_hasher_whole(kit->hasher, cg_buf_span(&kit->scratch), out);
}

cg_err cg_response_fields_digest(struct cg_kit *kit, const struct cg_response_fields *fields,
                                 struct cg_hash *out)
{
    cg_buf_clear(&kit->scratch);
    struct cg_writer w = cg_writer_into(&kit->scratch);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-resp-fields/v1", CG_RESPONSE_COVERED_COUNT);

    for (int i = 0; i < CG_RESPONSE_COVERED_COUNT; i++) {
        if (i == CG_RESPONSE_SET_COOKIE)
            put_list(&t, fields->set_cookies, fields->n_set_cookies);
        else
            put_field(&t, fields->fields[i]);
    }
    CG_TRY(cg_tup_end(&t));
    return cg_hasher_whole(kit->hasher, cg_buf_span(&kit->scratch), out);
}

cg_err cg_response_trailers_digest(struct cg_kit *kit, const struct cg_span *names,
                                   const struct cg_span *values, size_t n, struct cg_hash *out)
{
    cg_buf_clear(&kit->scratch);
    struct cg_writer w = cg_writer_into(&kit->scratch);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-resp-trailers/v1", 2);

    cg_tup_list(&t, names, n);
    cg_tup_list(&t, values, n);
    CG_TRY(cg_tup_end(&t));
    return cg_hasher_whole(kit->hasher, cg_buf_span(&kit->scratch), out);
}
