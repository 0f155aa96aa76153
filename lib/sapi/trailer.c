#include "lib/base/base64.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/sapi/hexsig.h"
#include "lib/wire/json.h"
#include "lib/wire/tup.h"

#include <httpcg/sapi.h>

cg_err cg_sapi_trailer_read(struct cg_span value, enum cg_sapi_mode mode,
                            struct cg_sapi_trailer *out)
{
    struct cg_sapi_trailer got;
    struct cg_span digest;
    size_t len;
    const struct cg_json_member members[] = {
        {"digest", CG_JSON_TEXT, .span = &digest},
        {"signature", CG_JSON_TEXT, .span = &got.signature},
    };

    if (value.len > CG_SAPI_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_json_object(value, CG_JSON_HEADER, members, 2));
    CG_TRY(cg_base64_read(CG_BASE64, digest, got.digest.bytes, CG_HASH_BYTES, &len));
    if (len != CG_HASH_BYTES)
        return CG_SHORT;
    CG_TRY(cg_hexsig_check(got.signature, cg_sapi_signature_bytes(mode)));
    *out = got;
    return CG_OK;
}

#define BEFORE_DIGEST "{\"digest\":\""
#define BEFORE_SIGNATURE "\",\"signature\":\""
#define END "\"}"

size_t cg_sapi_trailer_chars(enum cg_sapi_mode mode)
{
    return sizeof BEFORE_DIGEST BEFORE_SIGNATURE END - 1 +
           cg_base64_chars(CG_BASE64, CG_HASH_BYTES) + 2 * cg_sapi_signature_bytes(mode);
}

void cg_sapi_trailer_write(const struct cg_hash *digest, struct cg_span signature, char *out)
{
    size_t n = cg_base64_chars(CG_BASE64, CG_HASH_BYTES);
    struct cg_writer w =
        cg_writer_fixed(out, sizeof BEFORE_DIGEST BEFORE_SIGNATURE END - 1 + n + 2 * signature.len);

    cg_put_str(&w, BEFORE_DIGEST);
    cg_base64_write(CG_BASE64, cg_hash_span(digest), (char *)cg_put_room(&w, n));
    cg_put_str(&w, BEFORE_SIGNATURE);
    cg_put_hex(&w, signature);
    cg_put_str(&w, END);
}

cg_err cg_sapi_trailer_tbs(const struct cg_hash *tbs_hash, const struct cg_hash *digest,
                           uint8_t out[CG_SAPI_TRAILER_TBS_BYTES])
{
    struct cg_writer w = cg_writer_fixed(out, CG_SAPI_TRAILER_TBS_BYTES);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-sapi-trailer/v1", 2);

    cg_tup_hash(&t, tbs_hash);
    cg_tup_hash(&t, digest);
    return cg_tup_end(&t);
}
