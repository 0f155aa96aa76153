#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/sapi/hexsig.h"
#include "lib/wire/json.h"
#include "lib/wire/tup.h"

#include <httpcg/sapi.h>

size_t cg_sapi_signature_bytes(enum cg_sapi_mode mode)
{
    switch (mode) {
    case CG_SAPI_GRANT:
        return CG_HASH_BYTES;
    case CG_SAPI_ED25519:
        return CG_ED25519_SIG_BYTES;
    case CG_SAPI_HYBRID:
        return CG_HSIG_BYTES;
    default:
        return 0;
    }
}

cg_err cg_hexsig_check(struct cg_span text, size_t len)
{
    if (text.len != 2 * len)
        return text.len < 2 * len ? CG_SHORT : CG_EXTRA;
    return cg_hex_check(text) ? CG_OK : CG_SYNTAX;
}

static cg_err read_wallet(struct cg_span text, const struct cg_waddr *known, struct cg_waddr *out)
{
    if (!known || !cg_span_eq(text, cg_span_of(known->text, CG_WADDR_CHARS)))
        return cg_waddr_read(text, out);
    *out = *known;
    return CG_OK;
}

cg_err cg_sapi_read(struct cg_span value, const struct cg_waddr *known, struct cg_sapi *out)
{
    struct cg_span wallet, nonce, alg;
    struct cg_sapi got;
    const struct cg_json_member members[] = {
        {"wallet_address", CG_JSON_TEXT, .span = &wallet},
        {"timestamp", CG_JSON_UINT, .number = &got.timestamp},
        {"nonce", CG_JSON_TEXT, .span = &nonce},
        {"signature", CG_JSON_TEXT, .span = &got.signature},
        {"alg", CG_JSON_TEXT, .span = &alg},
    };

    if (value.len > CG_SAPI_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_json_object(value, CG_JSON_HEADER, members, 5));
    CG_TRY(cg_sapi_mode_read(alg, &got.mode));
    if (got.mode == CG_SAPI_NONE)
        return CG_UNKNOWN;
    CG_TRY(cg_hex_read(nonce, got.nonce.bytes, CG_NONCE_BYTES));
    CG_TRY(cg_hexsig_check(got.signature, cg_sapi_signature_bytes(got.mode)));
    CG_TRY(read_wallet(wallet, known, &got.wallet));
    *out = got;
    return CG_OK;
}

static void put(const struct cg_sapi *sapi, struct cg_span signature, struct cg_writer *w)
{
    cg_put_str(w, "{\"wallet_address\":\"");
    cg_put(w, cg_span_of(sapi->wallet.text, CG_WADDR_CHARS));
    cg_put_str(w, "\",\"timestamp\":");
    cg_put_decimal(w, sapi->timestamp);
    cg_put_str(w, ",\"nonce\":\"");
    cg_put_hex(w, CG_BYTES(sapi->nonce.bytes));
    cg_put_str(w, "\",\"signature\":\"");
    cg_put_hex(w, signature);
    cg_put_str(w, "\",\"alg\":\"");
    cg_put_str(w, cg_sapi_mode_name(sapi->mode));
    cg_put_str(w, "\"}");
}

/* Enough for all but the signature. */
#define REST_MAX_CHARS 256

size_t cg_sapi_chars(const struct cg_sapi *sapi)
{
    char without_signature[REST_MAX_CHARS];
    struct cg_writer w = cg_writer_fixed(without_signature, sizeof without_signature);

    put(sapi, (struct cg_span){NULL, 0}, &w);
    return w.len + 2 * cg_sapi_signature_bytes(sapi->mode);
}

void cg_sapi_write(const struct cg_sapi *sapi, struct cg_span signature, char *out)
{
    struct cg_writer w = cg_writer_fixed(out, REST_MAX_CHARS + 2 * signature.len);

    put(sapi, signature, &w);
}

static struct cg_span digest_of(const struct cg_sapi_parts *parts)
{
    return cg_span_first(cg_hash_span(&parts->content_digest),
                         parts->body_mode == CG_BODY_DIGEST ? CG_HASH_BYTES : 0);
}

#define LABEL "httpcg-sapi/v1"
#define N_FIELDS 16

size_t cg_sapi_tbs_bytes(const struct cg_sapi_parts *parts)
{
    const struct cg_url *url = parts->url;
    size_t fixed = 1 + CG_WADDR_CHARS + 8 + CG_NONCE_BYTES + CG_SESSION_ID_CHARS + 8 +
                   CG_HASH_BYTES + CG_HASH_BYTES + 1 + CG_HASH_BYTES;

    return 4 + sizeof LABEL - 1 + 1 + N_FIELDS * 4 + fixed + parts->method.len +
           strlen(cg_plane_name(url->plane)) + url->authority.len + url->path.len + url->query.len +
           digest_of(parts).len;
}

cg_err cg_sapi_tbs(const struct cg_sapi_parts *parts, uint8_t *out)
{
    struct cg_writer w = cg_writer_fixed(out, cg_sapi_tbs_bytes(parts));
    struct cg_tup t = cg_tup_begin(&w, LABEL, N_FIELDS);

    cg_tup_u8(&t, (uint8_t)parts->sapi->mode);
    cg_tup_bytes(&t, cg_span_of(parts->sapi->wallet.text, CG_WADDR_CHARS));
    cg_tup_u64(&t, parts->sapi->timestamp);
    cg_tup_bytes(&t, CG_BYTES(parts->sapi->nonce.bytes));
    cg_tup_bytes(&t, cg_span_of(parts->qlock->session_id, CG_SESSION_ID_CHARS));
    cg_tup_u64(&t, parts->qlock->minute_epoch);
    cg_tup_hash(&t, &parts->qlock->hash);
    cg_tup_hash(&t, parts->fingerprint);
    cg_tup_bytes(&t, parts->method);
    cg_tup_text(&t, cg_plane_name(parts->url->plane));
    cg_tup_bytes(&t, parts->url->authority);
    cg_tup_bytes(&t, parts->url->path);
    cg_tup_bytes(&t, parts->url->query);
    cg_tup_u8(&t, (uint8_t)parts->body_mode);
    cg_tup_bytes(&t, digest_of(parts));
    cg_tup_hash(&t, &parts->fields_digest);
    return cg_tup_end(&t);
}
