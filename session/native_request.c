#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/qlock/kit.h"
#include "session/native_own.h"

void cg_native_sent_done(struct cg_native_sent *sent)
{
    cg_buf_done(&sent->tbs);
    cg_wipe(sent, sizeof *sent);
}

/* Whether a request may be made now, in that mode and minute. */
static cg_err check_state(const struct cg_native *native, enum cg_sapi_mode mode,
                          uint64_t minute_epoch)
{
    const struct cg_native_grant *grant = &native->grant;

    if (native->state == CG_NATIVE_DRAIN)
        return CG_CLOSED;
    if (!native->has_grant)
        return CG_NEEDS_AUTH;
    if (minute_epoch < grant->epoch_start || minute_epoch - grant->epoch_start >= grant->epochs ||
        grant->counter == UINT64_MAX)
        return CG_EXPIRED;
    if (mode != CG_SAPI_HYBRID && (grant->modes & CG_MODE_BIT(mode)) == 0)
        return CG_DENIED;
    return CG_OK;
}

static cg_err make_lock(struct cg_native *native, struct cg_kit *kit, const struct cg_url *url,
                        uint64_t minute_epoch, struct cg_qlock *out)
{
    struct cg_hash route;

    CG_TRY(cg_route_of(kit, url, &route));
    memcpy(out->session_id, native->channel.session_id, sizeof out->session_id);
    out->minute_epoch = minute_epoch;
    return cg_qlock_cache_get(&native->cache, kit, &native->channel, &route, minute_epoch,
                              &out->hash);
}

static cg_err build_tbs(const struct cg_native *native, struct cg_kit *kit,
                        const struct cg_native_ask *ask, struct cg_native_sent *sent)
{
    struct cg_span fields[CG_COVERED_COUNT];
    struct cg_sapi_parts parts = {
        .sapi = &sent->sapi,
        .qlock = &sent->qlock,
        .fingerprint = &native->channel.fingerprint,
        .method = ask->head->method,
        .url = ask->url,
        .body_mode = ask->body.mode,
        .content_digest = ask->body.digest,
    };
    struct cg_buf cookies;

    cg_buf_init(&cookies, CG_HEADER_LIST_MAX_BYTES);
    cg_err err = cg_covered_request(ask->head, &cookies, fields);
    if (err == CG_OK)
        err = cg_sapi_fields_digest(kit, fields, &parts.fields_digest);
    cg_buf_wipe(&cookies);
    CG_TRY(err);
    size_t len = cg_sapi_tbs_bytes(&parts);
    CG_TRY(cg_buf_room(&sent->tbs, len));
    CG_TRY(cg_sapi_tbs(&parts, sent->tbs.at));
    sent->tbs.len = len;
    return cg_hasher_whole(kit->hasher, cg_buf_span(&sent->tbs), &sent->tbs_hash);
}

static cg_err prepare(struct cg_native *native, struct cg_kit *kit, const struct cg_native_ask *ask,
                      struct cg_wall server_now, struct cg_native_sent *sent)
{
    const struct cg_native_grant *grant = &native->grant;
    uint64_t minute_epoch = cg_epoch_to_send(server_now);

    CG_TRY(check_state(native, ask->mode, minute_epoch));
    sent->sapi = (struct cg_sapi){
        .wallet = native->wallet,
        .timestamp = (uint64_t)server_now.s,
        .mode = ask->mode,
    };
    cg_nonce_make(&grant->hash, grant->counter + 1, &sent->sapi.nonce);
    sent->body_mode = ask->body.mode;
    sent->is_head = cg_span_is(ask->head->method, "HEAD");
    sent->session_seed = grant->session_seed;
    CG_TRY(cg_epoch_keys(kit, &grant->key, minute_epoch, &sent->c2s, &sent->s2c));
    CG_TRY(make_lock(native, kit, ask->url, minute_epoch, &sent->qlock));
    return build_tbs(native, kit, ask, sent);
}

/* Signs in the modes whose keys this connection has. */
static cg_err sign(const struct cg_native_sent *sent, struct cg_kit *kit, struct cg_span tbs,
                   uint8_t room[static CG_ED25519_SIG_BYTES], struct cg_span *out)
{
    struct cg_hash mac;

    *out = cg_span_of(room, cg_sapi_signature_bytes(sent->sapi.mode));
    if (sent->sapi.mode == CG_SAPI_ED25519)
        return cg_sapi_sign_session(kit->crypto, &sent->session_seed, tbs, room);
    CG_TRY(cg_sapi_mac(kit, &sent->c2s, tbs, &mac));
    memcpy(room, mac.bytes, sizeof mac.bytes);
    return CG_OK;
}

cg_err cg_native_request_signed(const struct cg_native_sent *sent, struct cg_span signature,
                                struct cg_buf *out_sapi)
{
    size_t n = cg_sapi_chars(&sent->sapi);

    if (signature.len != cg_sapi_signature_bytes(sent->sapi.mode))
        return CG_SIGNATURE;
    CG_TRY(cg_buf_room(out_sapi, n));
    cg_sapi_write(&sent->sapi, signature, (char *)out_sapi->at + out_sapi->len);
    out_sapi->len += n;
    return CG_OK;
}

static cg_err finish(const struct cg_native_sent *sent, struct cg_kit *kit,
                     struct cg_buf *out_qlock, struct cg_buf *out_sapi)
{
    uint8_t room[CG_ED25519_SIG_BYTES];
    char qlock[CG_QLOCK_MAX_CHARS];
    struct cg_span signature;

    /* First make sure of the room, so that a failure leaves both as they were. */
    struct cg_span value = cg_span_of(qlock, cg_qlock_write(&sent->qlock, qlock));
    CG_TRY(cg_buf_room(out_qlock, value.len));
    if (sent->sapi.mode != CG_SAPI_HYBRID) {
        CG_TRY(sign(sent, kit, cg_buf_span(&sent->tbs), room, &signature));
        CG_TRY(cg_native_request_signed(sent, signature, out_sapi));
    }
    return cg_buf_add(out_qlock, value);
}

cg_err cg_native_request(struct cg_native *native, struct cg_kit *kit,
                         const struct cg_native_ask *ask, struct cg_wall now,
                         struct cg_native_sent *out, struct cg_buf *out_qlock,
                         struct cg_buf *out_sapi)
{
    struct cg_native_sent sent = {0};

    cg_buf_init(&sent.tbs, CG_URI_MAX_BYTES + 4096);
    cg_err err = prepare(native, kit, ask, cg_native_clock(native, now), &sent);
    if (err == CG_OK)
        err = finish(&sent, kit, out_qlock, out_sapi);
    if (err != CG_OK) {
        cg_native_sent_done(&sent);
        return err;
    }
    if (ask->mode != CG_SAPI_HYBRID)
        cg_buf_done(&sent.tbs); /* signed already */
    native->grant.counter++;
    *out = sent;
    cg_wipe(&sent, sizeof sent);
    return CG_OK;
}

cg_err cg_native_trailer_tbs(const struct cg_native_sent *sent, const struct cg_hash *digest,
                             uint8_t out[static CG_SAPI_TRAILER_TBS_BYTES])
{
    return cg_sapi_trailer_tbs(&sent->tbs_hash, digest, out);
}

cg_err cg_native_trailer(const struct cg_native_sent *sent, struct cg_kit *kit,
                         const struct cg_hash *digest, struct cg_span signature, struct cg_buf *out)
{
    uint8_t tbs[CG_SAPI_TRAILER_TBS_BYTES], room[CG_ED25519_SIG_BYTES];
    size_t n = cg_sapi_trailer_chars(sent->sapi.mode);

    if (sent->sapi.mode != CG_SAPI_HYBRID) {
        CG_TRY(cg_native_trailer_tbs(sent, digest, tbs));
        CG_TRY(sign(sent, kit, CG_BYTES(tbs), room, &signature));
    }
    if (signature.len != cg_sapi_signature_bytes(sent->sapi.mode))
        return CG_SIGNATURE;
    CG_TRY(cg_buf_room(out, n));
    cg_sapi_trailer_write(digest, signature, (char *)out->at + out->len);
    out->len += n;
    return CG_OK;
}
