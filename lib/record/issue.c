/* Making records: the owner's half, the registry's half, and the JSON of both. */
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/crypto/hsig.h"
#include "lib/record/date.h"
#include "lib/record/record.h"
#include "lib/wire/json.h"

static void put_text(struct cg_writer *w, const char *name, struct cg_span text)
{
    cg_json_put_key(w, name, false);
    cg_json_put_text(w, text);
}

static void put_number(struct cg_writer *w, const char *name, uint64_t v)
{
    cg_json_put_key(w, name, false);
    cg_put_decimal(w, v);
}

static void put_date(struct cg_writer *w, const char *name, struct cg_wall time)
{
    char text[CG_DATE_CHARS + 1];

    if (cg_date_write(time, text) != CG_OK)
        cg_writer_fail(w, CG_SCHEMA);
    else
        put_text(w, name, cg_span_of(text, CG_DATE_CHARS));
}

static void put_list(struct cg_writer *w, const char *name, const struct cg_span *texts, size_t n)
{
    cg_json_put_key(w, name, false);
    cg_put_u8(w, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            cg_put_u8(w, ',');
        cg_json_put_text(w, texts[i]);
    }
    cg_put_u8(w, ']');
}

static void put_signature(struct cg_writer *w, const char *name, const uint8_t *sig)
{
    cg_json_put_key(w, name, false);
    cg_put_u8(w, '"');
    cg_put_hex(w, cg_span_of(sig, CG_HSIG_BYTES));
    cg_put_u8(w, '"');
}

cg_err cg_record_write(const struct cg_record *record, struct cg_writer *out)
{
    cg_put_u8(out, '{');
    cg_json_put_key(out, "httpcg_host", true);
    cg_json_put_text(out, record->host);
    put_text(out, "target_host", record->target_host);
    put_number(out, "target_port", record->target_port);
    put_text(out, "rp_did", record->owner_did);
    cg_json_put_key(out, "tlsls_required", false);
    cg_json_put_bool(out, record->tlsls_required);
    put_text(out, "rbac_profile", record->profile);
    put_text(out, "bpi_anchor", record->anchor_text);
    put_date(out, "expires_at", record->expires);
    if (record->has_operator_signature)
        put_signature(out, "signature", record->operator_signature);
    put_text(out, "plane", record->plane);
    put_number(out, "serial", record->serial);
    put_date(out, "issued_at", record->issued);
    put_number(out, "ttl", record->ttl_s);
    put_list(out, "gateway_dids", record->gateway_did_texts, record->n_gateway_dids);
    put_list(out, "gateways", record->gateways, record->n_gateways);
    put_text(out, "target_auth", record->target_auth_text);
    put_signature(out, "owner_signature", record->owner_signature);
    cg_put_u8(out, '}');
    return cg_writer_end(out);
}

/* The texts that a record made here points into. */
struct texts {
    char owner[CG_DID_CHARS + 1];
    char gateways[CG_RECORD_GATEWAYS_MAX][CG_DID_CHARS + 1];
    char anchor[CG_ANCHOR_CHARS + 1];
};

static cg_err fill(const struct cg_record_ask *ask, struct texts *texts, struct cg_record *out)
{
    if (ask->n_gateway_dids > CG_RECORD_GATEWAYS_MAX || ask->n_gateways > CG_RECORD_GATEWAYS_MAX)
        return CG_SCHEMA;
    out->plane = ask->plane;
    out->host = ask->host;
    out->target_host = ask->target_host;
    out->target_port = ask->target_port;
    cg_did_write(ask->owner, texts->owner);
    out->owner_did = cg_span_str(texts->owner);
    out->tlsls_required = ask->tlsls_required;
    out->profile = ask->profile;
    out->issued = ask->issued;
    out->expires = ask->expires;
    out->serial = ask->serial;
    out->ttl_s = ask->ttl_s;
    out->n_gateway_dids = ask->n_gateway_dids;
    for (size_t i = 0; i < ask->n_gateway_dids; i++) {
        cg_did_write(&ask->gateway_dids[i], texts->gateways[i]);
        out->gateway_did_texts[i] = cg_span_str(texts->gateways[i]);
    }
    out->n_gateways = ask->n_gateways;
    for (size_t i = 0; i < ask->n_gateways; i++)
        out->gateways[i] = ask->gateways[i];
    out->target_auth_text = ask->target_auth;

    struct cg_anchor anchor = {.log_id = ask->log_id};
    CG_TRY(cg_record_commit(out, &anchor.commitment));
    cg_anchor_write(&anchor, texts->anchor);
    out->anchor_text = cg_span_of(texts->anchor, CG_ANCHOR_CHARS);
    return CG_OK;
}

static cg_err sign(const struct cg_signer *signer, const struct cg_record *record,
                   enum cg_record_form form, enum cg_hsig_dom dom, uint8_t *out)
{
    uint8_t bytes[CG_RECORD_SIGNED_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(bytes, sizeof bytes);

    CG_TRY(cg_record_bytes(record, form, &w));
    return cg_hsig_sign(signer, dom, cg_writer_span(&w), out);
}

cg_err cg_record_issue(const struct cg_signer *owner, const struct cg_record_ask *ask,
                       struct cg_writer *out)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    struct texts texts;
    struct cg_record record = {0}, back;

    CG_TRY(fill(ask, &texts, &record));
    CG_TRY(
        sign(owner, &record, CG_RECORD_FOR_OWNER, CG_HSIG_REGISTRY_OWNER, record.owner_signature));
    cg_buf_init(&json, CG_DOCUMENT_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&json);
    CG_TRY(cg_record_write(&record, &w));
    /* Whatever readers would refuse is refused before anybody sees it signed. */
    CG_TRY(cg_record_read(cg_buf_span(&json), true, &back));
    cg_put(out, cg_buf_span(&json));
    return cg_writer_end(out);
}

cg_err cg_record_confirm(const struct cg_signer *operator_signer, struct cg_record *record)
{
    uint8_t sig[CG_HSIG_BYTES];

    CG_TRY(sign(operator_signer, record, CG_RECORD_FOR_OPERATOR, CG_HSIG_REGISTRY_OPERATOR, sig));
    memcpy(record->operator_signature, sig, sizeof sig);
    record->has_operator_signature = true;
    return CG_OK;
}
