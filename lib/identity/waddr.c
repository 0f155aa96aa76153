#include "lib/identity/waddr.h"

#include "lib/base/base32.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/tup.h"

#define DID_PREFIX "did:bpi:"
#define VERSION 1

/* 32 bytes of hash, 2 of checksum, 1 of version: 35 bytes, which base32 writes without rest. */
struct packed {
    uint8_t bytes[CG_HASH_BYTES + 3];
};

static cg_err pack(const struct cg_hash *h, struct packed *out)
{
    uint8_t text[96];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-waddr-chk/v1", 2);
    struct cg_hash sum;

    cg_tup_hash(&t, h);
    cg_tup_u8(&t, VERSION);
    CG_TRY(cg_tup_end(&t));
    CG_TRY(cg_sha256(cg_writer_span(&w), &sum));
    memcpy(out->bytes, h->bytes, CG_HASH_BYTES);
    memcpy(out->bytes + CG_HASH_BYTES, sum.bytes, 2);
    out->bytes[CG_HASH_BYTES + 2] = VERSION;
    return CG_OK;
}

cg_err cg_waddr_of_hash(const struct cg_hash *h, struct cg_waddr *out)
{
    struct packed packed;

    CG_TRY(pack(h, &packed));
    cg_base32_write(CG_BYTES(packed.bytes), out->text);
    out->text[CG_WADDR_CHARS] = '\0';
    return CG_OK;
}

cg_err cg_waddr_read(struct cg_span text, struct cg_waddr *out)
{
    struct packed got, want;
    struct cg_hash h;

    CG_TRY(cg_base32_read(text, got.bytes, sizeof got.bytes));
    if (got.bytes[CG_HASH_BYTES + 2] != VERSION)
        return CG_VERSION;
    memcpy(h.bytes, got.bytes, CG_HASH_BYTES);
    CG_TRY(pack(&h, &want));
    if (memcmp(got.bytes, want.bytes, sizeof got.bytes) != 0)
        return CG_MISMATCH;
    memcpy(out->text, text.at, CG_WADDR_CHARS);
    out->text[CG_WADDR_CHARS] = '\0';
    return CG_OK;
}

bool cg_waddr_eq(const struct cg_waddr *a, const struct cg_waddr *b)
{
    return memcmp(a->text, b->text, CG_WADDR_CHARS) == 0;
}

cg_err cg_did_read(struct cg_span text, struct cg_waddr *out)
{
    struct cg_span prefix = CG_LIT(DID_PREFIX);

    if (!cg_span_starts(text, prefix))
        return cg_span_starts(prefix, text) ? CG_SHORT : CG_SYNTAX;
    return cg_waddr_read(cg_span_from(text, prefix.len), out);
}

void cg_did_write(const struct cg_waddr *waddr, char out[CG_DID_CHARS + 1])
{
    memcpy(out, DID_PREFIX, sizeof DID_PREFIX - 1);
    memcpy(out + sizeof DID_PREFIX - 1, waddr->text, CG_WADDR_CHARS + 1);
}
