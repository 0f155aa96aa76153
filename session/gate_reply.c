#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/gate_own.h"

cg_err cg_gate_reply_tbs_of(struct cg_kit *kit, const struct cg_gate_request *req,
                            const struct cg_gate_reply *reply, struct cg_wall now,
                            struct cg_gate_reply_tbs *out)
{
    bool is_hybrid = req->mode == CG_SAPI_HYBRID || reply->is_receipt;
    struct cg_response_parts parts = {
        .mode = is_hybrid ? CG_SAPI_HYBRID : CG_SAPI_GRANT,
        .tbs_hash = &req->tbs_hash,
        .timestamp = now.s < 0 ? 0 : (uint64_t)now.s,
        .status = (uint16_t)reply->head->status,
        .body_mode = reply->body_mode,
        .content_digest = reply->digest,
    };
    struct cg_covered_reply covered;
    struct cg_gate_reply_tbs got;

    CG_TRY(cg_covered_reply_of(reply->head, &covered));
    CG_TRY(cg_response_fields_digest(kit, &covered.fields, &parts.fields_digest));
    if (reply->body_mode == CG_BODY_TRAILER)
        CG_TRY(cg_covered_trailers(kit, reply->trailers, &parts.trailers_digest));
    CG_TRY(cg_response_tbs(&parts, got.bytes, &got.len));
    got.reply = (struct cg_response){
        .mode = parts.mode,
        .timestamp = parts.timestamp,
        .nonce = req->nonce,
    };
    *out = got;
    return CG_OK;
}

static cg_err append(const struct cg_response *reply, struct cg_span signature, struct cg_buf *out)
{
    size_t n = cg_response_chars(reply, signature.len);

    CG_TRY(cg_buf_room(out, n));
    cg_response_write(reply, signature, (char *)out->at + out->len);
    out->len += n;
    return CG_OK;
}

cg_err cg_gate_reply_mac(struct cg_kit *kit, const struct cg_gate_request *req,
                         const struct cg_gate_reply_tbs *tbs, struct cg_buf *out)
{
    struct cg_hash mac;

    CG_TRY(cg_sapi_mac(kit, &req->s2c, cg_span_of(tbs->bytes, tbs->len), &mac));
    return append(&tbs->reply, cg_hash_span(&mac), out);
}

cg_err cg_gate_reply_batch(const struct cg_gate_reply_tbs *tbs, struct cg_span wire,
                           struct cg_buf *out)
{
    return append(&tbs->reply, wire, out);
}
