#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "lib/sapi/hexsig.h"
#include "lib/wire/json.h"
#include "lib/wire/tup.h"

#include <httpcg/sapi.h>

cg_err cg_response_tbs(const struct cg_response_parts *parts,
                       uint8_t out[CG_RESPONSE_TBS_MAX_BYTES], size_t *out_len)
{
    bool has_trailers = parts->body_mode == CG_BODY_TRAILER;
    struct cg_span digest = cg_span_first(cg_hash_span(&parts->content_digest),
                                          parts->body_mode == CG_BODY_NONE ? 0 : CG_HASH_BYTES);
    struct cg_writer w = cg_writer_fixed(out, CG_RESPONSE_TBS_MAX_BYTES);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-sapi-resp/v1", has_trailers ? 8 : 7);

    cg_tup_u8(&t, (uint8_t)parts->mode);
    cg_tup_hash(&t, parts->tbs_hash);
    cg_tup_u64(&t, parts->timestamp);
    cg_tup_u16(&t, parts->status);
    cg_tup_u8(&t, (uint8_t)parts->body_mode);
    cg_tup_bytes(&t, digest);
    cg_tup_hash(&t, &parts->fields_digest);
    if (has_trailers)
        cg_tup_hash(&t, &parts->trailers_digest);
    CG_TRY(cg_tup_end(&t));
    *out_len = w.len;
    return CG_OK;
}

/* A MAC has one length; an HSIG-B is CBOR of several, whose form its verification checks. */
static cg_err check_signature(enum cg_sapi_mode mode, struct cg_span signature)
{
    if (mode == CG_SAPI_GRANT)
        return cg_hexsig_check(signature, CG_HASH_BYTES);
    if (signature.len == 0)
        return CG_SHORT;
    if (signature.len / 2 > CG_BATCH_MAX_BYTES)
        return CG_EXTRA;
    return cg_hexsig_check(signature, signature.len / 2);
}

cg_err cg_response_read(struct cg_span value, struct cg_response *out)
{
    struct cg_span alg, nonce;
    struct cg_response got;
    const struct cg_json_member members[] = {
        {"alg", CG_JSON_TEXT, .span = &alg},
        {"timestamp", CG_JSON_UINT, .number = &got.timestamp},
        {"nonce", CG_JSON_TEXT, .span = &nonce},
        {"signature", CG_JSON_TEXT, .span = &got.signature},
    };

    if (value.len > CG_SAPI_RESPONSE_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_json_object(value, CG_JSON_HEADER, members, 4));
    CG_TRY(cg_sapi_mode_read(alg, &got.mode));
    if (got.mode != CG_SAPI_GRANT && got.mode != CG_SAPI_HYBRID)
        return CG_UNKNOWN;
    CG_TRY(cg_hex_read(nonce, got.nonce.bytes, CG_NONCE_BYTES));
    CG_TRY(check_signature(got.mode, got.signature));
    *out = got;
    return CG_OK;
}

static void put(const struct cg_response *response, struct cg_span signature, struct cg_writer *w)
{
    cg_put_str(w, "{\"alg\":\"");
    cg_put_str(w, cg_sapi_mode_name(response->mode));
    cg_put_str(w, "\",\"timestamp\":");
    cg_put_decimal(w, response->timestamp);
    cg_put_str(w, ",\"nonce\":\"");
    cg_put_hex(w, CG_BYTES(response->nonce.bytes));
    cg_put_str(w, "\",\"signature\":\"");
    cg_put_hex(w, signature);
    cg_put_str(w, "\"}");
}

/* Enough for all but the signature. */
#define REST_MAX_CHARS 160

size_t cg_response_chars(const struct cg_response *response, size_t signature_len)
{
    char without_signature[REST_MAX_CHARS];
    struct cg_writer w = cg_writer_fixed(without_signature, sizeof without_signature);

    put(response, (struct cg_span){NULL, 0}, &w);
    return w.len + 2 * signature_len;
}

void cg_response_write(const struct cg_response *response, struct cg_span signature, char *out)
{
    struct cg_writer w = cg_writer_fixed(out, REST_MAX_CHARS + 2 * signature.len);

    put(response, signature, &w);
}

cg_err cg_response_check_batch(const struct cg_verifier *transport, struct cg_span tbs,
                               struct cg_span signature)
{
    return cg_batch_verify(transport, CG_HSIG_SAPI_RESPONSE, tbs, signature);
}
