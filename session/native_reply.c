#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "lib/wire/field.h"
#include "session/native_own.h"

static cg_err fail(struct cg_fault *fault, cg_err err, const char *check)
{
    return cg_fault_set(fault, CG_REFUSAL_NONE, err, check);
}

/* What a gateway answers before it has verified a request's signature; all else it signs. */
static bool can_be_unsigned(int status)
{
    switch (status) {
    case 400: /* malformed */
    case 401: /* not authenticated */
    case 405: /* TRACE, CONNECT */
    case 413:
    case 414:
    case 421:
    case 429:
    case 431:
    case 500:
    case 503:
        return true;
    default:
        return false;
    }
}

/* Finds the one line of a token; *out has at == NULL where there is none. */
static cg_err find_one(const struct cg_head *head, enum cg_token token, struct cg_span *out)
{
    *out = (struct cg_span){NULL, 0};
    for (size_t i = 0; i < head->n_fields; i++) {
        if (head->fields[i].token != token)
            continue;
        if (out->at)
            return CG_SCHEMA;
        *out = head->fields[i].value;
    }
    return CG_OK;
}

/* Verifies a SAPI-Response over what the sender of sent got. */
static cg_err check_signature(struct cg_native_sent *sent, struct cg_kit *kit, struct cg_span value,
                              enum cg_body_mode body_mode, const struct cg_hash *trailers_digest,
                              const struct cg_verifier *transport)
{
    struct cg_response_parts parts = {
        .tbs_hash = &sent->tbs_hash,
        .status = sent->status,
        .body_mode = body_mode,
        .content_digest = sent->digest,
        .fields_digest = sent->fields_digest,
    };
    uint8_t tbs[CG_RESPONSE_TBS_MAX_BYTES], raw[CG_BATCH_MAX_BYTES];
    struct cg_response response;
    size_t len;

    CG_TRY(cg_response_read(value, &response));
    if (memcmp(response.nonce.bytes, sent->sapi.nonce.bytes, CG_NONCE_BYTES) != 0)
        return CG_MISMATCH;
    /* Whoever asked in hybrid mode gets a receipt that others can verify. */
    if (sent->sapi.mode == CG_SAPI_HYBRID && response.mode != CG_SAPI_HYBRID)
        return CG_STEP_UP;
    parts.mode = response.mode;
    parts.timestamp = response.timestamp;
    if (body_mode == CG_BODY_TRAILER)
        parts.trailers_digest = *trailers_digest;
    CG_TRY(cg_response_tbs(&parts, tbs, &len));
    struct cg_span signature = {raw, response.signature.len / 2};
    CG_TRY(cg_hex_read(response.signature, raw, signature.len));
    if (response.mode == CG_SAPI_GRANT)
        CG_TRY(cg_sapi_check_mac(kit, &sent->s2c, cg_span_of(tbs, len), signature));
    else
        CG_TRY(cg_response_check_batch(transport, cg_span_of(tbs, len), signature));
    sent->reply_mode = response.mode;
    sent->reply_timestamp = response.timestamp;
    return CG_OK;
}

static cg_err digest_fields(struct cg_native_sent *sent, struct cg_kit *kit,
                            const struct cg_head *head)
{
    struct cg_covered_reply covered;

    CG_TRY(cg_covered_reply_of(head, &covered));
    return cg_response_fields_digest(kit, &covered.fields, &sent->fields_digest);
}

/* An answer whose signature is in its head: its body's digest is there as well, unless there is no
 * body. */
static cg_err check_signed_head(struct cg_native_sent *sent, struct cg_kit *kit,
                                const struct cg_head *head, struct cg_span value,
                                const struct cg_verifier *transport)
{
    bool has_no_body = sent->is_head || head->status == 204 || head->status == 304;
    struct cg_span digest;

    CG_TRY(find_one(head, CG_TOKEN_CONTENT_DIGEST, &digest));
    sent->expects_body = digest.at && !has_no_body;
    if (sent->expects_body)
        CG_TRY(cg_digest_read(digest, &sent->digest));
    return check_signature(sent, kit, value, sent->expects_body ? CG_BODY_DIGEST : CG_BODY_NONE,
                           NULL, transport);
}

cg_err cg_native_reply_head(struct cg_native_sent *sent, struct cg_kit *kit,
                            const struct cg_head *head, const struct cg_verifier *transport,
                            struct cg_fault *fault)
{
    struct cg_span value;

    if (sent->form != CG_NATIVE_NO_REPLY || head->status < 200 || head->status > 599)
        return fail(fault, CG_PROTOCOL, "response");
    cg_err err = find_one(head, CG_TOKEN_SAPI_RESPONSE, &value);
    if (err != CG_OK)
        return fail(fault, err, "response-form");
    sent->status = (uint16_t)head->status;
    if (!value.at) {
        bool is_trailed = cg_head_lists(head, CG_TOKEN_TRAILER, "sapi-response");

        if (!is_trailed && !can_be_unsigned(head->status))
            return fail(fault, CG_SIGNATURE, "response-signature");
        err = is_trailed ? digest_fields(sent, kit, head) : CG_OK;
        if (err != CG_OK)
            return fail(fault, err, "response-form");
        sent->form = is_trailed ? CG_NATIVE_TRAILED : CG_NATIVE_HINT;
        return CG_OK;
    }
    err = digest_fields(sent, kit, head);
    if (err == CG_OK)
        err = check_signed_head(sent, kit, head, value, transport);
    if (err != CG_OK)
        return fail(fault, err, "response-signature");
    sent->form = CG_NATIVE_SIGNED;
    return CG_OK;
}

static cg_err check_trailers(struct cg_native_sent *sent, struct cg_kit *kit,
                             const struct cg_head *trailers, const struct cg_verifier *transport)
{
    struct cg_span value, digest;
    struct cg_hash trailers_digest;

    if (!trailers)
        return CG_SIGNATURE;
    CG_TRY(find_one(trailers, CG_TOKEN_SAPI_RESPONSE, &value));
    CG_TRY(find_one(trailers, CG_TOKEN_CONTENT_DIGEST, &digest));
    if (!value.at)
        return CG_SIGNATURE;
    if (!digest.at)
        return CG_SCHEMA;
    CG_TRY(cg_digest_read(digest, &sent->digest));
    CG_TRY(cg_covered_trailers(kit, trailers, &trailers_digest));
    sent->expects_body = true;
    return check_signature(sent, kit, value, CG_BODY_TRAILER, &trailers_digest, transport);
}

cg_err cg_native_reply_end(struct cg_native_sent *sent, struct cg_kit *kit,
                           const struct cg_hash *digest, uint64_t body_len,
                           const struct cg_head *trailers, const struct cg_verifier *transport,
                           struct cg_fault *fault)
{
    switch (sent->form) {
    case CG_NATIVE_HINT:
        return fail(fault, CG_UNKNOWN, "response-signature");
    case CG_NATIVE_TRAILED: {
        cg_err err = check_trailers(sent, kit, trailers, transport);

        if (err != CG_OK)
            return fail(fault, err, "response-signature");
        break;
    }
    case CG_NATIVE_SIGNED:
        break;
    default:
        return fail(fault, CG_PROTOCOL, "response");
    }
    if (sent->expects_body ? !cg_hash_eq(digest, &sent->digest) : body_len != 0)
        return fail(fault, CG_DIGEST, "response-body");
    sent->form = CG_NATIVE_DONE;
    return CG_OK;
}
