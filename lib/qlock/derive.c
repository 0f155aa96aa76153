#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/qlock/kit.h"
#include "lib/wire/tup.h"

/* The longest info: a label, three hashes and an epoch. */
#define INFO_MAX_BYTES 192

cg_err cg_route_of(struct cg_kit *kit, const struct cg_url *url, struct cg_hash *out)
{
    cg_buf_clear(&kit->scratch);
    struct cg_writer w = cg_writer_into(&kit->scratch);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-route/v1", 3);

    cg_tup_text(&t, cg_plane_name(url->plane));
    cg_tup_bytes(&t, url->authority);
    cg_tup_bytes(&t, url->path);
    CG_TRY(cg_tup_end(&t));
    return cg_hasher_whole(kit->hasher, cg_buf_span(&kit->scratch), out);
}

static cg_err derive_lock(struct cg_kit *kit, const struct cg_channel *channel,
                          const struct cg_hash *route, uint64_t minute_epoch, struct cg_secret *out)
{
    uint8_t info[INFO_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-qlock/v1", 4);

    cg_tup_hash(&t, &channel->spki);
    cg_tup_hash(&t, &channel->fingerprint);
    cg_tup_hash(&t, route);
    cg_tup_u64(&t, minute_epoch);
    CG_TRY(cg_tup_end(&t));
    return cg_hkdf_expand(kit->mac, &channel->prk, cg_writer_span(&w), out);
}

cg_err cg_qlock_hash(struct cg_kit *kit, const struct cg_channel *channel,
                     const struct cg_hash *route, uint64_t minute_epoch, struct cg_hash *out)
{
    CG_AUTO(secret) struct cg_secret lock, key;
    uint8_t info[INFO_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-qlock-session", 0);

    CG_TRY(cg_tup_end(&t));
    CG_TRY(derive_lock(kit, channel, route, minute_epoch, &lock));
    CG_TRY(cg_hkdf_expand(kit->mac, &lock, cg_writer_span(&w), &key));
    return cg_hasher_whole(kit->hasher, CG_BYTES(key.bytes), out);
}

cg_err cg_grant_key(struct cg_kit *kit, const struct cg_channel *channel,
                    const struct cg_hash *grant_hash, struct cg_secret *out)
{
    uint8_t info[INFO_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-grant/v1", 3);

    cg_tup_hash(&t, &channel->spki);
    cg_tup_hash(&t, &channel->fingerprint);
    cg_tup_hash(&t, grant_hash);
    CG_TRY(cg_tup_end(&t));
    return cg_hkdf_expand(kit->mac, &channel->prk, cg_writer_span(&w), out);
}

static cg_err derive_epoch_key(struct cg_kit *kit, const struct cg_secret *grant_key,
                               const char *label, uint64_t minute_epoch, struct cg_secret *out)
{
    uint8_t info[INFO_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, label, 1);

    cg_tup_u64(&t, minute_epoch);
    CG_TRY(cg_tup_end(&t));
    return cg_hkdf_expand(kit->mac, grant_key, cg_writer_span(&w), out);
}

cg_err cg_epoch_keys(struct cg_kit *kit, const struct cg_secret *grant_key, uint64_t minute_epoch,
                     struct cg_secret *out_c2s, struct cg_secret *out_s2c)
{
    CG_AUTO(secret) struct cg_secret c2s, s2c;

    CG_TRY(derive_epoch_key(kit, grant_key, "c2s mac", minute_epoch, &c2s));
    CG_TRY(derive_epoch_key(kit, grant_key, "s2c mac", minute_epoch, &s2c));
    *out_c2s = c2s;
    *out_s2c = s2c;
    return CG_OK;
}

cg_err cg_confirm_key(struct cg_kit *kit, const struct cg_secret *grant_key, struct cg_secret *out)
{
    uint8_t info[INFO_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(info, sizeof info);
    struct cg_tup t = cg_tup_begin(&w, "s2c confirm", 0);

    CG_TRY(cg_tup_end(&t));
    return cg_hkdf_expand(kit->mac, grant_key, cg_writer_span(&w), out);
}
