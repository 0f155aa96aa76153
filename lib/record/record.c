#include "lib/record/record.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/record/date.h"
#include "lib/record/fields.h"
#include "lib/wire/json.h"
#include "lib/wire/tup.h"

static cg_err read_list(struct cg_span array, struct cg_span out[static CG_RECORD_GATEWAYS_MAX],
                        size_t *out_n)
{
    struct cg_json_array a = cg_json_array_of(array);
    struct cg_json_value value = {0};
    size_t n = 0;

    while (cg_json_array_next(&a, CG_JSON_TEXT, &value)) {
        if (n == CG_RECORD_GATEWAYS_MAX)
            return CG_SCHEMA;
        out[n++] = value.span;
    }
    *out_n = n;
    return a.err;
}

static cg_err read_json(struct cg_span json, struct cg_record_fields *f, struct cg_span *owner_sig,
                        struct cg_span *operator_sig, bool *has_operator_sig)
{
    struct cg_span expires, issued, gateway_dids, gateways;
    const struct cg_json_member members[] = {
        {"httpcg_host", CG_JSON_TEXT, .span = &f->host},
        {"target_host", CG_JSON_TEXT, .span = &f->target_host},
        {"target_port", CG_JSON_UINT, .number = &f->target_port},
        {"rp_did", CG_JSON_TEXT, .span = &f->rp_did},
        {"tlsls_required", CG_JSON_BOOL, .flag = &f->tlsls_required},
        {"rbac_profile", CG_JSON_TEXT, .span = &f->profile},
        {"bpi_anchor", CG_JSON_TEXT, .span = &f->anchor},
        {"expires_at", CG_JSON_TEXT, .span = &expires},
        {"signature", CG_JSON_TEXT, .span = operator_sig, .has = has_operator_sig},
        {"plane", CG_JSON_TEXT, .span = &f->plane},
        {"serial", CG_JSON_UINT, .number = &f->serial},
        {"issued_at", CG_JSON_TEXT, .span = &issued},
        {"ttl", CG_JSON_UINT, .number = &f->ttl},
        {"gateway_dids", CG_JSON_ARRAY, .span = &gateway_dids},
        {"gateways", CG_JSON_ARRAY, .span = &gateways},
        {"target_auth", CG_JSON_TEXT, .span = &f->target_auth},
        {"owner_signature", CG_JSON_TEXT, .span = owner_sig},
    };

    CG_TRY(cg_json_object(json, CG_JSON_DOCUMENT, members, sizeof members / sizeof members[0]));
    CG_TRY(read_list(gateway_dids, f->gateway_dids, &f->n_gateway_dids));
    CG_TRY(read_list(gateways, f->gateways, &f->n_gateways));
    CG_TRY(cg_date_read(expires, &f->expires));
    return cg_date_read(issued, &f->issued);
}

cg_err cg_record_read(struct cg_span json, bool is_submission, struct cg_record *out)
{
    struct cg_record_fields fields = {0};
    struct cg_record record = {0};
    struct cg_span owner_sig, operator_sig = {NULL, 0};

    if (json.len > CG_DOCUMENT_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(read_json(json, &fields, &owner_sig, &operator_sig, &record.has_operator_signature));
    if (record.has_operator_signature == is_submission)
        return CG_SCHEMA;
    CG_TRY(cg_record_fields_check(&fields, &record));
    CG_TRY(cg_hex_read(owner_sig, record.owner_signature, CG_HSIG_BYTES));
    if (record.has_operator_signature)
        CG_TRY(cg_hex_read(operator_sig, record.operator_signature, CG_HSIG_BYTES));
    *out = record;
    return CG_OK;
}

cg_err cg_record_bytes(const struct cg_record *record, enum cg_record_form form,
                       struct cg_writer *out)
{
    struct cg_tup t = cg_tup_begin(out, "httpcg-registry-record/v1", 16);
    struct cg_hash osig;

    cg_tup_bytes(&t, record->host);
    cg_tup_bytes(&t, record->target_host);
    cg_tup_u16(&t, record->target_port);
    cg_tup_bytes(&t, record->owner_did);
    cg_tup_u8(&t, record->tlsls_required);
    cg_tup_bytes(&t, record->profile);
    cg_tup_bytes(&t, form == CG_RECORD_BARE ? CG_LIT("") : record->anchor_text);
    cg_tup_u64(&t, (uint64_t)record->expires.s);
    cg_tup_bytes(&t, record->plane);
    cg_tup_u64(&t, record->serial);
    cg_tup_u64(&t, (uint64_t)record->issued.s);
    cg_tup_u32(&t, record->ttl_s);
    cg_tup_list(&t, record->gateway_did_texts, record->n_gateway_dids);
    cg_tup_list(&t, record->gateways, record->n_gateways);
    cg_tup_bytes(&t, record->target_auth_text);
    if (form == CG_RECORD_FOR_OPERATOR) {
        CG_TRY(cg_sha256(CG_BYTES(record->owner_signature), &osig));
        cg_tup_hash(&t, &osig);
    } else {
        cg_tup_text(&t, "");
    }
    return cg_tup_end(&t);
}

cg_err cg_record_commit(const struct cg_record *record, struct cg_hash *out)
{
    uint8_t bytes[CG_RECORD_SIGNED_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(bytes, sizeof bytes);

    CG_TRY(cg_record_bytes(record, CG_RECORD_BARE, &w));
    return cg_anchor_commit("registry", cg_writer_span(&w), out);
}

static cg_err check_signature(const struct cg_record *record, enum cg_record_form form,
                              enum cg_hsig_dom dom, const uint8_t *sig,
                              const struct cg_verifier *verifier)
{
    uint8_t bytes[CG_RECORD_SIGNED_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(bytes, sizeof bytes);

    CG_TRY(cg_record_bytes(record, form, &w));
    return cg_hsig_verify(verifier, dom, cg_writer_span(&w), cg_span_of(sig, CG_HSIG_BYTES));
}

cg_err cg_record_check_owner(const struct cg_record *record, const struct cg_verifier *owner)
{
    return check_signature(record, CG_RECORD_FOR_OWNER, CG_HSIG_REGISTRY_OWNER,
                           record->owner_signature, owner);
}

cg_err cg_record_check_operator(const struct cg_record *record,
                                const struct cg_verifier *operator_verifier)
{
    if (!record->has_operator_signature)
        return CG_SIGNATURE;
    return check_signature(record, CG_RECORD_FOR_OPERATOR, CG_HSIG_REGISTRY_OPERATOR,
                           record->operator_signature, operator_verifier);
}

cg_err cg_record_check_anchor(const struct cg_record *record)
{
    struct cg_hash commitment;

    CG_TRY(cg_record_commit(record, &commitment));
    return cg_hash_eq(&commitment, &record->anchor) ? CG_OK : CG_PROOF;
}

cg_err cg_record_check_times(const struct cg_record *record, struct cg_wall now)
{
    if (record->issued.s - CG_RECORD_SKEW_S > now.s)
        return CG_EARLY;
    return record->expires.s <= now.s ? CG_EXPIRED : CG_OK;
}

cg_err cg_record_check_serial(const struct cg_record *record, const struct cg_record_seen *seen)
{
    if (record->serial < seen->serial)
        return CG_ROLLBACK;
    if (record->serial == seen->serial && !cg_hash_eq(&record->anchor, &seen->commitment))
        return CG_CONFLICT;
    return CG_OK;
}
