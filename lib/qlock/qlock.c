#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/qlock/header.h"
#include "lib/qlock/kit.h"
#include "lib/wire/json.h"

cg_err cg_session_id_read(struct cg_span text, char out[static CG_SESSION_ID_CHARS + 1])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (text.len < CG_SESSION_ID_CHARS)
        return CG_SHORT;
    if (text.len > CG_SESSION_ID_CHARS)
        return CG_EXTRA;
    for (size_t i = 0; i < CG_SESSION_ID_CHARS; i++) {
        uint8_t c = text.at[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

        if (form[i] == 'x' ? !is_hex : c != '-')
            return CG_SYNTAX;
    }
    memcpy(out, text.at, CG_SESSION_ID_CHARS);
    out[CG_SESSION_ID_CHARS] = '\0';
    return CG_OK;
}

cg_err cg_qlock_read(struct cg_span value, struct cg_qlock *out)
{
    struct cg_span session_id, hash;
    struct cg_qlock got;
    const struct cg_json_member members[] = {
        {"session_id", CG_JSON_TEXT, .span = &session_id},
        {"minute_epoch", CG_JSON_UINT, .number = &got.minute_epoch},
        {"qlock_hash", CG_JSON_TEXT, .span = &hash},
    };

    if (value.len > CG_QLOCK_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_json_object(value, CG_JSON_HEADER, members, 3));
    CG_TRY(cg_session_id_read(session_id, got.session_id));
    CG_TRY(cg_hex_read(hash, got.hash.bytes, CG_HASH_BYTES));
    *out = got;
    return CG_OK;
}

size_t cg_qlock_write(const struct cg_qlock *qlock, char out[CG_QLOCK_MAX_CHARS])
{
    struct cg_writer w = cg_writer_fixed(out, CG_QLOCK_MAX_CHARS);

    cg_put_str(&w, "{\"session_id\":\"");
    cg_put(&w, cg_span_of(qlock->session_id, CG_SESSION_ID_CHARS));
    cg_put_str(&w, "\",\"minute_epoch\":");
    cg_put_decimal(&w, qlock->minute_epoch);
    cg_put_str(&w, ",\"qlock_hash\":\"");
    cg_put_hex(&w, cg_hash_span(&qlock->hash));
    cg_put_str(&w, "\"}");
    return w.len;
}

cg_err cg_qlock_compare(const struct cg_channel *channel, const struct cg_hash *want,
                        const struct cg_qlock *qlock)
{
    /* Both are compared whatever the first gives: the time tells nothing. */
    bool same_id = cg_ct_eq(qlock->session_id, channel->session_id, CG_SESSION_ID_CHARS);
    bool same_hash = cg_ct_eq(qlock->hash.bytes, want->bytes, CG_HASH_BYTES);

    return same_id && same_hash ? CG_OK : CG_BINDING;
}

cg_err cg_qlock_check(struct cg_kit *kit, const struct cg_channel *channel,
                      const struct cg_hash *route, const struct cg_qlock *qlock)
{
    struct cg_hash want;

    CG_TRY(cg_qlock_hash(kit, channel, route, qlock->minute_epoch, &want));
    return cg_qlock_compare(channel, &want, qlock);
}
