#include "lib/base/secret.h"
#include "lib/base/try.h"
#include "session/gate_own.h"

#include <stdlib.h>
#include <string.h>

static const char *const check_names[] = {
#define X(name, text) text,
    CG_GATE_CHECK_LIST(X)
#undef X
};

const char *cg_gate_check_name(enum cg_gate_check check)
{
    return check_names[check];
}

cg_err cg_gate_fail(struct cg_fault *fault, enum cg_refusal refusal, cg_err err,
                    enum cg_gate_check check)
{
    return cg_fault_set(fault, refusal, err, check_names[check]);
}

cg_err cg_gate_fail_own(struct cg_fault *fault, cg_err err, enum cg_gate_check check)
{
    return cg_gate_fail(fault, CG_REFUSAL_INTERNAL, err, check);
}

cg_err cg_gate_fail_auth(struct cg_fault *fault, cg_err err, enum cg_gate_check check)
{
    bool is_ours = cg_err_fault(err) == CG_FAULT_OURS;

    return cg_gate_fail(fault, is_ours ? CG_REFUSAL_INTERNAL : CG_REFUSAL_AUTH_FAILED, err, check);
}

bool cg_timestamp_accepts(uint64_t timestamp, struct cg_wall now)
{
    uint64_t ours = now.s < 0 ? 0 : (uint64_t)now.s;
    uint64_t apart = timestamp > ours ? timestamp - ours : ours - timestamp;

    return apart <= CG_TIMESTAMP_WINDOW_S;
}

struct cg_gate_keys *cg_gate_keys_ref(struct cg_gate_keys *keys)
{
    keys->refs++;
    return keys;
}

void cg_gate_keys_unref(struct cg_gate_keys *keys)
{
    if (keys && --keys->refs == 0)
        free(keys);
}

struct cg_gate_posted *cg_gate_posted_ref(struct cg_gate_posted *posted)
{
    posted->refs++;
    return posted;
}

void cg_gate_posted_unref(struct cg_gate_posted *posted)
{
    if (posted && --posted->refs == 0)
        free(posted);
}

void cg_gate_grant_done(struct cg_gate_grant *grant)
{
    cg_gate_keys_unref(grant->keys);
    free(grant->scope);
    cg_gate_posted_unref(grant->posted);
    cg_wipe(grant, sizeof *grant);
}

bool cg_gate_grant_valid(const struct cg_gate_grant *grant, uint64_t minute_epoch)
{
    return grant->is_live && minute_epoch >= grant->epoch_start &&
           minute_epoch - grant->epoch_start < grant->epochs;
}

cg_err cg_gate_init(struct cg_gate *gate, struct cg_kit *kit, const struct cg_secret *exporter,
                    const struct cg_hash *spki, const struct cg_hash *fingerprint,
                    struct cg_mono now)
{
    CG_AUTO(channel) struct cg_channel channel;

    CG_TRY(cg_channel_init(kit, exporter, spki, fingerprint, &channel));
    *gate = (struct cg_gate){.channel = channel, .since = now};
    return CG_OK;
}

void cg_gate_done(struct cg_gate *gate)
{
    for (size_t i = 0; i < 2; i++)
        cg_gate_grant_done(&gate->grants[i]);
    cg_qlock_cache_done(&gate->cache);
    free(gate->seen);
    cg_wipe(gate, sizeof *gate);
}

struct cg_mono cg_gate_deadline(const struct cg_gate *gate)
{
    if (gate->state == CG_GATE_CLOSING)
        return (struct cg_mono){INT64_MAX};
    int64_t life = gate->has_spoken ? CG_GATE_LIFE_US : CG_GATE_OPEN_US;
    return (struct cg_mono){gate->since.us + life};
}

void cg_gate_tick(struct cg_gate *gate, struct cg_mono now)
{
    if (now.us >= cg_gate_deadline(gate).us)
        cg_gate_close(gate);
}

void cg_gate_close(struct cg_gate *gate)
{
    gate->state = CG_GATE_CLOSING;
}

cg_err cg_gate_control(struct cg_gate *gate, struct cg_fault *fault)
{
    if (gate->n_seen > 0)
        return CG_OK;
    if (gate->n_control == CG_GATE_CONTROL_MAX) {
        cg_gate_close(gate);
        return cg_gate_fail(fault, CG_REFUSAL_RATE_LIMITED, CG_RATE, CG_GATE_CHECK_CONTROL);
    }
    gate->n_control++;
    return CG_OK;
}

cg_err cg_gate_fields_check(const struct cg_head *head, struct cg_fault *fault)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        switch (head->fields[i].token) {
        case CG_TOKEN_X_HTTP_METHOD:
        case CG_TOKEN_X_HTTP_METHOD_OVERRIDE:
        case CG_TOKEN_X_METHOD_OVERRIDE:
        case CG_TOKEN_X_ORIGINAL_URL:
        case CG_TOKEN_X_REWRITE_URL:
            return cg_gate_fail(fault, CG_REFUSAL_BAD_REQUEST, CG_DENIED, CG_GATE_CHECK_SYNTAX);
        default:
            break;
        }
        if (memchr(head->fields[i].name.at, '_', head->fields[i].name.len))
            return cg_gate_fail(fault, CG_REFUSAL_BAD_REQUEST, CG_DENIED, CG_GATE_CHECK_SYNTAX);
    }
    return CG_OK;
}
