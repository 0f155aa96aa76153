#include "session/native.h"

#include "lib/base/secret.h"
#include "lib/base/try.h"
#include "session/native_own.h"

struct cg_wall cg_native_clock(const struct cg_native *native, struct cg_wall now)
{
    /* offset_s is at most ten minutes, and no clock of ours is that near to the end of time. */
    int64_t s = now.s + native->offset_s;

    return (struct cg_wall){s < 0 ? 0 : s};
}

cg_err cg_native_init(struct cg_native *native, struct cg_kit *kit,
                      const struct cg_secret *exporter, const struct cg_hash *spki,
                      const struct cg_hash *fingerprint)
{
    CG_AUTO(channel) struct cg_channel channel;

    CG_TRY(cg_channel_init(kit, exporter, spki, fingerprint, &channel));
    *native = (struct cg_native){.channel = channel};
    return CG_OK;
}

void cg_native_done(struct cg_native *native)
{
    cg_qlock_cache_done(&native->cache);
    cg_wipe(native, sizeof *native);
}

enum cg_native_state cg_native_state_at(struct cg_native *native, struct cg_wall now)
{
    const struct cg_native_grant *grant = &native->grant;
    struct cg_wall server_now = cg_native_clock(native, now);
    uint64_t ours = (uint64_t)server_now.s;

    /* Due at 80 % of the grant's minutes: 48 of each 60 seconds. Or its minutes have not begun: our
     * clock was set back. */
    if (native->state == CG_NATIVE_READY &&
        (ours >= grant->epoch_start * 60 + (uint64_t)grant->epochs * 48 ||
         cg_epoch_to_send(server_now) < grant->epoch_start))
        native->state = CG_NATIVE_RENEW;
    return native->state;
}

void cg_native_drain(struct cg_native *native)
{
    native->state = CG_NATIVE_DRAIN;
}

cg_err cg_native_learn_time(struct cg_native *native, uint64_t server_time, struct cg_wall now)
{
    uint64_t ours = now.s < 0 ? 0 : (uint64_t)now.s;
    uint64_t apart = server_time > ours ? server_time - ours : ours - server_time;

    if (apart > CG_NATIVE_OFFSET_MAX_S)
        return CG_SKEW;
    native->offset_s = server_time > ours ? (int64_t)apart : -(int64_t)apart;
    return CG_OK;
}
