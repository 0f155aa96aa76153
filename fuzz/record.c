/* record: a registry record as JSON, and the object that the ledger keeps of it. Both say the same,
 * and each is made of the other. */
#include "lib/record/record.h"
#include "fuzz/fuzz.h"
#include "lib/record/target.h"

#include <httpcg/url.h>

static struct cg_span signed_bytes(struct cg_fuzz *in, const struct cg_record *record)
{
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);

    MUST_OK(cg_record_bytes(record, CG_RECORD_FOR_OPERATOR, &w));
    MUST(out->len <= CG_RECORD_SIGNED_MAX_BYTES);
    return cg_buf_span(out);
}

static void check(const struct cg_record *record)
{
    struct cg_buf name = {.max = 512};
    struct cg_writer w = cg_writer_into(&name);

    cg_put(&w, record->plane);
    cg_put_u8(&w, '/');
    cg_put(&w, record->host);
    MUST_OK(cg_writer_end(&w));
    MUST_OK(cg_url_check_name(cg_buf_span(&name)));
    cg_buf_done(&name);
    MUST(record->issued.s >= 0 && record->issued.s < record->expires.s &&
         record->expires.s - record->issued.s <= CG_RECORD_MAX_SPAN_S);
    MUST(record->ttl_s <= CG_RECORD_MAX_TTL_S);
    for (size_t i = 0; i < record->n_gateways; i++) { /* one spelling each */
        size_t colon = cg_span_find(record->gateways[i], ':');
        MUST(colon + 1 < record->gateways[i].len && record->gateways[i].at[colon + 1] != '0');
    }
    if (!cg_record_is_tombstone(record))
        MUST(record->target_port && record->n_gateways && record->n_gateway_dids);
    (void)!cg_record_check_anchor(record);
    (void)!cg_target_check_host(record->target_host);
}

/* JSON and object of one record. */
static void both_ways(struct cg_fuzz *in, const struct cg_record *record)
{
    struct cg_buf *json = cg_fuzz_buf(in), *object = cg_fuzz_buf(in), *second = cg_fuzz_buf(in);
    struct cg_writer j = cg_writer_into(json), o = cg_writer_into(object),
                     s = cg_writer_into(second);
    struct cg_record again;

    check(record);
    MUST_OK(cg_record_write(record, &j));
    MUST_OK(cg_record_read(cg_buf_span(json), !record->has_operator_signature, &again));
    MUST_SAME(signed_bytes(in, &again), signed_bytes(in, record));
    MUST_OK(cg_record_write(&again, &s));
    MUST_SAME(cg_buf_span(second), cg_buf_span(json));
    if (!record->has_operator_signature)
        return;
    MUST_OK(cg_record_object(record, &o));
    MUST_OK(cg_record_object_read(cg_buf_span(object), &again));
    MUST_SAME(signed_bytes(in, &again), signed_bytes(in, record));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_record record;

    for (int is_submission = 0; is_submission < 2; is_submission++) {
        MARK(record);
        if (cg_record_read(wire, is_submission, &record) != CG_OK) {
            UNTOUCHED(record);
            continue;
        }
        MUST(record.has_operator_signature != is_submission);
        both_ways(in, &record);
    }
    MARK(record);
    if (cg_record_object_read(wire, &record) != CG_OK) {
        UNTOUCHED(record);
        return;
    }
    MUST_OK(cg_record_object(&record, &w));
    MUST_SAME(cg_buf_span(out), wire);
    both_ways(in, &record);
}
