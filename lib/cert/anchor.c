#include "lib/cert/anchor.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/tup.h"

#define PREFIX "bpi1:"
#define LOG_ID_AT (sizeof PREFIX - 1)
#define COLON_AT (LOG_ID_AT + 2 * CG_LOG_ID_BYTES)
#define COMMITMENT_AT (COLON_AT + 1)

cg_err cg_log_id_of(struct cg_span origin, const struct cg_public_keys *keys, struct cg_log_id *out)
{
    uint8_t text[512];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-log-id/v1", 3);
    struct cg_hash ml, id;

    CG_TRY(cg_sha256(CG_BYTES(keys->mldsa87), &ml));
    cg_tup_bytes(&t, origin);
    cg_tup_bytes(&t, CG_BYTES(keys->ed25519));
    cg_tup_hash(&t, &ml);
    CG_TRY(cg_tup_end(&t));
    CG_TRY(cg_sha256(cg_writer_span(&w), &id));
    memcpy(out->bytes, id.bytes, CG_LOG_ID_BYTES);
    return CG_OK;
}

bool cg_log_id_eq(const struct cg_log_id *a, const struct cg_log_id *b)
{
    return memcmp(a->bytes, b->bytes, CG_LOG_ID_BYTES) == 0;
}

cg_err cg_anchor_commit(const char *kind, struct cg_span content, struct cg_hash *out)
{
    CG_AUTO(buf) struct cg_buf text = {0};

    cg_buf_init(&text, CG_DOCUMENT_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&text);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-anchor/v1", 2);
    cg_tup_text(&t, kind);
    cg_tup_bytes(&t, content);
    CG_TRY(cg_tup_end(&t));
    return cg_sha256(cg_buf_span(&text), out);
}

void cg_anchor_write(const struct cg_anchor *anchor, char out[CG_ANCHOR_CHARS + 1])
{
    memcpy(out, PREFIX, LOG_ID_AT);
    cg_hex_write(CG_BYTES(anchor->log_id.bytes), out + LOG_ID_AT);
    out[COLON_AT] = ':';
    cg_hex_write(cg_hash_span(&anchor->commitment), out + COMMITMENT_AT);
    out[CG_ANCHOR_CHARS] = '\0';
}

cg_err cg_anchor_read(struct cg_span text, struct cg_anchor *out)
{
    struct cg_anchor got;

    if (text.len != CG_ANCHOR_CHARS)
        return text.len < CG_ANCHOR_CHARS ? CG_SHORT : CG_EXTRA;
    if (!cg_span_starts(text, CG_LIT(PREFIX)) || text.at[COLON_AT] != ':')
        return CG_SYNTAX;
    CG_TRY(cg_hex_read(cg_span_of(text.at + LOG_ID_AT, 2 * CG_LOG_ID_BYTES), got.log_id.bytes,
                       CG_LOG_ID_BYTES));
    CG_TRY(cg_hex_read(cg_span_from(text, COMMITMENT_AT), got.commitment.bytes, CG_HASH_BYTES));
    *out = got;
    return CG_OK;
}
