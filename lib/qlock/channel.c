#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/qlock/kit.h"
#include "lib/wire/refusal.h"
#include "lib/wire/tup.h"

/* A TUP of a label and up to three hashes, as everything here is derived with. */
#define INFO_MAX_BYTES 160

static cg_err derive_session_id(struct cg_kit *kit, const struct cg_secret *prk, char *out)
{
    uint8_t info[INFO_MAX_BYTES], id[16];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-session-id/v1", 0);

    CG_TRY(cg_tup_end(&t));
    CG_TRY(cg_hkdf_expand_to(kit->mac, prk, cg_writer_span(&w), id, sizeof id));
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x80); /* version 8 (RFC 9562, 5.8) */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80); /* variant (RFC 9562, 4.1) */
    w = cg_writer_fixed(out, CG_SESSION_ID_CHARS);
    cg_put_uuid(&w, id);
    out[CG_SESSION_ID_CHARS] = '\0';
    return cg_writer_end(&w);
}

static cg_err derive_cb(struct cg_kit *kit, const struct cg_secret *prk, const struct cg_hash *spki,
                        const struct cg_hash *fingerprint, struct cg_hash *out)
{
    uint8_t info[INFO_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-cb/v1", 2);

    cg_tup_hash(&t, spki);
    cg_tup_hash(&t, fingerprint);
    CG_TRY(cg_tup_end(&t));
    return cg_hkdf_expand_to(kit->mac, prk, cg_writer_span(&w), out->bytes, CG_HASH_BYTES);
}

cg_err cg_channel_init(struct cg_kit *kit, const struct cg_secret *exporter,
                       const struct cg_hash *spki, const struct cg_hash *fingerprint,
                       struct cg_channel *out)
{
    CG_AUTO(channel) struct cg_channel got = {.spki = *spki, .fingerprint = *fingerprint};

    CG_TRY(
        cg_hkdf_extract(kit->mac, CG_LIT("httpcg-qlock/v1"), CG_BYTES(exporter->bytes), &got.prk));
    CG_TRY(derive_cb(kit, &got.prk, spki, fingerprint, &got.cb));
    CG_TRY(derive_session_id(kit, &got.prk, got.session_id));
    *out = got;
    return CG_OK;
}

void cg_channel_done(struct cg_channel *channel)
{
    cg_wipe(channel, sizeof *channel);
}
