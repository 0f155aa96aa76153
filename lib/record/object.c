/* What the ledger keeps of a record: the signed bytes and both signatures, and the way back. */
#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/fields.h"
#include "lib/record/record.h"
#include "lib/wire/cbor.h"
#include "lib/wire/reader.h"

cg_err cg_record_object(const struct cg_record *record, struct cg_writer *out)
{
    uint8_t bytes[CG_RECORD_SIGNED_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(bytes, sizeof bytes);

    if (!record->has_operator_signature)
        return CG_SCHEMA;
    CG_TRY(cg_record_bytes(record, CG_RECORD_FOR_OWNER, &w));
    cg_cbor_put_array(out, 3);
    cg_cbor_put_bytes(out, cg_writer_span(&w));
    cg_cbor_put_bytes(out, CG_BYTES(record->owner_signature));
    cg_cbor_put_bytes(out, CG_BYTES(record->operator_signature));
    return cg_writer_end(out);
}

/* A field of n bytes, as a number. */
static uint64_t take_number(struct cg_reader *r, size_t n)
{
    struct cg_span field = cg_read_lp(r);
    uint64_t v = 0;

    if (r->err == CG_OK && field.len != n)
        r->err = CG_SCHEMA;
    for (size_t i = 0; i < field.len && i < n; i++)
        v = v << 8 | field.at[i];
    return v;
}

static void take_list(struct cg_reader *r, struct cg_span out[static CG_RECORD_GATEWAYS_MAX],
                      size_t *out_n)
{
    struct cg_reader list = cg_reader_of(cg_read_lp(r));
    size_t n = cg_read_u16(&list);

    if (n > CG_RECORD_GATEWAYS_MAX)
        list.err = CG_SCHEMA;
    for (size_t i = 0; list.err == CG_OK && i < n; i++)
        out[i] = cg_read_lp(&list);
    cg_err err = cg_reader_end(&list);
    if (r->err == CG_OK)
        r->err = err;
    *out_n = r->err == CG_OK ? n : 0;
}

/* Signed texts are what JSON could hold: nothing that would need an escape there. */
static bool is_plain(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] > '~' || text.at[i] == '"' || text.at[i] == '\\')
            return false;
    return true;
}

static cg_err read_signed(struct cg_span bytes, struct cg_record_fields *f)
{
    struct cg_reader r = cg_reader_of(bytes);
    struct cg_span label = cg_read_lp(&r);
    uint8_t n_fields = cg_read_u8(&r);

    f->host = cg_read_lp(&r);
    f->target_host = cg_read_lp(&r);
    f->target_port = take_number(&r, 2);
    f->rp_did = cg_read_lp(&r);
    uint64_t tlsls_required = take_number(&r, 1);
    f->profile = cg_read_lp(&r);
    f->anchor = cg_read_lp(&r);
    uint64_t expires = take_number(&r, 8);
    f->plane = cg_read_lp(&r);
    f->serial = take_number(&r, 8);
    uint64_t issued = take_number(&r, 8);
    f->ttl = take_number(&r, 4);
    take_list(&r, f->gateway_dids, &f->n_gateway_dids);
    take_list(&r, f->gateways, &f->n_gateways);
    f->target_auth = cg_read_lp(&r);
    struct cg_span osig = cg_read_lp(&r);
    CG_TRY(cg_reader_end(&r));

    if (!cg_span_is(label, "httpcg-registry-record/v1") || n_fields != 16 || osig.len != 0 ||
        tlsls_required > 1 || expires > CG_RECORD_TIME_MAX_S || issued > CG_RECORD_TIME_MAX_S ||
        !is_plain(f->target_host))
        return CG_SCHEMA;
    f->tlsls_required = tlsls_required == 1;
    f->expires.s = (int64_t)expires;
    f->issued.s = (int64_t)issued;
    return CG_OK;
}

cg_err cg_record_object_read(struct cg_span wire, struct cg_record *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_record_fields fields = {0};
    struct cg_record record = {0};

    cg_cbor_array(&r, 3, 3);
    struct cg_span bytes = cg_cbor_bytes(&r, CG_RECORD_SIGNED_MAX_BYTES);
    const uint8_t *owner_sig = cg_cbor_bytes_n(&r, CG_HSIG_BYTES);
    const uint8_t *operator_sig = cg_cbor_bytes_n(&r, CG_HSIG_BYTES);
    CG_TRY(cg_cbor_end(&r));

    CG_TRY(read_signed(bytes, &fields));
    CG_TRY(cg_record_fields_check(&fields, &record));
    memcpy(record.owner_signature, owner_sig, CG_HSIG_BYTES);
    memcpy(record.operator_signature, operator_sig, CG_HSIG_BYTES);
    record.has_operator_signature = true;
    *out = record;
    return CG_OK;
}
