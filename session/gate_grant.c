#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/gate_own.h"

#include <stdlib.h>

void cg_grant_job_free(struct cg_grant_job *job)
{
    if (!job)
        return;
    cg_buf_done(&job->wire);
    free(job);
}

static cg_err fail_form(struct cg_fault *fault, cg_err err)
{
    bool is_ours = cg_err_fault(err) == CG_FAULT_OURS;

    return cg_gate_fail(fault, is_ours ? CG_REFUSAL_INTERNAL : CG_REFUSAL_BAD_REQUEST, err,
                        CG_GATE_CHECK_GRANT_FORM);
}

static cg_err read_job(struct cg_grant_job *job, struct cg_kit *kit, struct cg_span body,
                       struct cg_fault *fault)
{
    cg_buf_init(&job->wire, CG_DOCUMENT_MAX_BYTES);
    cg_err err = cg_buf_add(&job->wire, body);
    if (err == CG_OK)
        err = cg_grant_body_read(cg_buf_span(&job->wire), &job->body);
    if (err == CG_OK)
        err = cg_grant_read(job->body.grant, &job->grant);
    if (err == CG_OK)
        err = cg_grant_hash(kit, job->body.grant, &job->hash);
    return err == CG_OK ? CG_OK : fail_form(fault, err);
}

/* A re-posted grant would give its holder an empty nonce window; one whose nonces begin like those
 * of a live grant could not be told from it. */
static cg_err check_new(const struct cg_gate *gate, const struct cg_hash *hash,
                        struct cg_fault *fault)
{
    for (uint32_t i = 0; i < gate->n_seen; i++)
        if (cg_hash_eq(&gate->seen[i], hash))
            return cg_gate_fail_auth(fault, CG_REPLAY, CG_GATE_CHECK_GRANT_SEEN);
    for (size_t i = 0; i < 2; i++)
        if (gate->grants[i].is_live &&
            memcmp(gate->grants[i].hash.bytes, hash->bytes, CG_NONCE_PREFIX_BYTES) == 0)
            return cg_gate_fail_auth(fault, CG_CONFLICT, CG_GATE_CHECK_GRANT_SEEN);
    return CG_OK;
}

static cg_err check_wallet(const struct cg_gate *gate, const struct cg_grant *grant,
                           struct cg_fault *fault)
{
    if (gate->has_wallet && !cg_waddr_eq(&gate->wallet, &grant->wallet))
        return cg_gate_fail_auth(fault, CG_MISMATCH, CG_GATE_CHECK_GRANT_WALLET);
    return CG_OK;
}

static cg_err check_binding(const struct cg_channel *channel, const struct cg_grant *grant,
                            struct cg_fault *fault)
{
    bool id = cg_ct_eq(grant->session_id, channel->session_id, CG_SESSION_ID_CHARS);
    bool cb = cg_ct_eq(grant->cb.bytes, channel->cb.bytes, CG_HASH_BYTES);
    bool fpr = cg_hash_eq(&grant->fingerprint, &channel->fingerprint);
    bool spki = cg_hash_eq(&grant->spki, &channel->spki);

    if (!id || !cb || !fpr || !spki)
        return cg_gate_fail_auth(fault, CG_BINDING, CG_GATE_CHECK_GRANT_BINDING);
    return CG_OK;
}

static cg_err check_clock(const struct cg_grant *grant, struct cg_wall now, struct cg_fault *fault)
{
    if (!cg_epoch_accepts(grant->epoch_start, now) || !cg_timestamp_accepts(grant->timestamp, now))
        return cg_gate_fail(fault, CG_REFUSAL_CLOCK_SKEW, CG_SKEW, CG_GATE_CHECK_GRANT_CLOCK);
    return CG_OK;
}

static cg_err check_limits(const struct cg_gate *gate, struct cg_span media_type,
                           struct cg_span body, struct cg_fault *fault)
{
    if (gate->state == CG_GATE_CLOSING)
        return cg_gate_fail(fault, CG_REFUSAL_UNAVAILABLE, CG_CLOSED, CG_GATE_CHECK_GRANT_LIMIT);
    if (body.len > CG_DOCUMENT_MAX_BYTES)
        return cg_gate_fail(fault, CG_REFUSAL_TOO_LARGE, CG_TOO_LARGE, CG_GATE_CHECK_GRANT_LIMIT);
    if (!cg_span_eq_nocase(media_type, CG_LIT(CG_GRANT_MEDIA_TYPE)))
        return fail_form(fault, CG_SCHEMA);
    return CG_OK;
}

cg_err cg_gate_grant_check(const struct cg_gate *gate, struct cg_kit *kit,
                           struct cg_span media_type, struct cg_span body, struct cg_wall now,
                           struct cg_grant_job **out, struct cg_fault *fault)
{
    CG_TRY(check_limits(gate, media_type, body, fault));
    struct cg_grant_job *job = calloc(1, sizeof *job);
    if (!job)
        return cg_gate_fail_own(fault, CG_NO_MEMORY, CG_GATE_CHECK_GRANT_FORM);
    job->result = CG_SIGNATURE; /* until it was run */
    cg_err err = read_job(job, kit, body, fault);
    if (err == CG_OK)
        err = check_new(gate, &job->hash, fault);
    if (err == CG_OK)
        err = check_wallet(gate, &job->grant, fault);
    if (err == CG_OK)
        err = check_binding(&gate->channel, &job->grant, fault);
    if (err == CG_OK)
        err = check_clock(&job->grant, now, fault);
    if (err != CG_OK) {
        cg_grant_job_free(job);
        return err;
    }
    *out = job;
    return CG_OK;
}

void cg_grant_job_run(struct cg_grant_job *job, const struct cg_crypto *crypto)
{
    job->result = cg_grant_verify(crypto, &job->body, &job->grant, &job->did);
}

cg_err cg_gate_grant_verdict(const struct cg_grant_job *job, struct cg_fault *fault)
{
    switch (job->result) {
    case CG_OK:
        return CG_OK;
    case CG_SHORT:
    case CG_EXTRA:
    case CG_SYNTAX:
    case CG_CANONICAL:
    case CG_SCHEMA:
    case CG_TOO_LARGE:
    case CG_VERSION:
        return cg_gate_fail(fault, CG_REFUSAL_BAD_REQUEST, job->result, CG_GATE_CHECK_GRANT_PROOF);
    default:
        return cg_gate_fail_auth(fault, job->result, CG_GATE_CHECK_GRANT_PROOF);
    }
}

void cg_gate_granted_done(struct cg_gate_granted *granted)
{
    cg_buf_done(&granted->answer);
}

cg_err cg_gate_granted_write(const struct cg_gate_granted *granted, struct cg_span proof,
                             struct cg_buf *out)
{
    const struct cg_grant_reply reply = {
        .answer = cg_buf_span(&granted->answer),
        .confirm = cg_hash_span(&granted->confirm),
        .proof = proof,
    };

    return cg_grant_reply_write(&reply, out);
}

static cg_err make_answer(const struct cg_gate *gate, struct cg_kit *kit,
                          const struct cg_gate_grant *grant, const struct cg_gate_terms *terms,
                          struct cg_wall now, struct cg_gate_granted *out)
{
    const struct cg_grant_answer answer = {
        .grant_hash = grant->hash,
        .server = terms->server,
        .server_time = now.s < 0 ? 0 : (uint64_t)now.s,
        .epochs = grant->epochs,
        .modes = grant->modes,
        .policy_hash = terms->policy_hash,
        .h2_ping = terms->h2_ping,
    };
    CG_AUTO(secret) struct cg_secret key;

    CG_TRY(cg_grant_answer_write(&answer, &out->answer));
    CG_TRY(cg_confirm_key(kit, &grant->key, &key));
    CG_TRY(cg_sapi_mac(kit, &key, cg_buf_span(&out->answer), &out->confirm));
    return cg_proof_tbs(kit, &gate->channel.cb, &grant->hash, cg_buf_span(&out->answer),
                        out->proof_tbs);
}

static cg_err copy_scope(const struct cg_grant *grant, struct cg_gate_scope **out)
{
    size_t len = 0;

    if (grant->is_anywhere)
        return CG_OK;
    for (size_t i = 0; i < grant->n_scope; i++)
        len += grant->scope[i].len;
    struct cg_gate_scope *scope =
        malloc(sizeof *scope + grant->n_scope * sizeof scope->names[0] + len);
    if (!scope)
        return CG_NO_MEMORY;
    uint8_t *text = (uint8_t *)&scope->names[grant->n_scope];
    scope->n = grant->n_scope;
    for (size_t i = 0; i < grant->n_scope; i++) {
        memcpy(text, grant->scope[i].at, grant->scope[i].len);
        scope->names[i] = cg_span_of(text, grant->scope[i].len);
        text += grant->scope[i].len;
    }
    *out = scope;
    return CG_OK;
}

/* The spans of the copy point into its own bytes. */
static cg_err copy_posted(const struct cg_grant_job *job, struct cg_gate_posted **out)
{
    struct cg_span grant = job->body.grant, signature = job->body.signature;
    struct cg_gate_posted *posted = malloc(sizeof *posted + grant.len + signature.len);

    if (!posted)
        return CG_NO_MEMORY;
    memcpy(posted->bytes, grant.at, grant.len);
    memcpy(posted->bytes + grant.len, signature.at, signature.len);
    posted->refs = 1;
    posted->grant = cg_span_of(posted->bytes, grant.len);
    posted->signature = cg_span_of(posted->bytes + grant.len, signature.len);
    posted->n_creds = job->grant.n_creds;
    for (size_t i = 0; i < posted->n_creds; i++) {
        struct cg_span cred = job->grant.creds[i];

        posted->creds[i] = cg_span_of(posted->bytes + (cred.at - grant.at), cred.len);
    }
    *out = posted;
    return CG_OK;
}

size_t cg_gate_creds(const struct cg_gate *gate, const struct cg_hash *grant_hash,
                     struct cg_span out[CG_GRANT_CREDS_MAX])
{
    for (size_t i = 0; i < 2; i++) {
        const struct cg_gate_grant *grant = &gate->grants[i];

        if (!grant->is_live || !cg_hash_eq(&grant->hash, grant_hash))
            continue;
        for (size_t k = 0; k < grant->posted->n_creds; k++)
            out[k] = grant->posted->creds[k];
        return grant->posted->n_creds;
    }
    return 0;
}

/* The connection's other grant has the same keys nearly always. */
static cg_err share_keys(const struct cg_gate *gate, const struct cg_did_state *did,
                         struct cg_gate_keys **out)
{
    for (size_t i = 0; i < 2; i++) {
        struct cg_gate_keys *have = gate->grants[i].keys;

        if (have && memcmp(&have->keys, &did->keys, sizeof did->keys) == 0) {
            *out = cg_gate_keys_ref(have);
            return CG_OK;
        }
    }
    struct cg_gate_keys *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return CG_NO_MEMORY;
    *fresh = (struct cg_gate_keys){1, did->keys, did->next, did->seq == 0};
    *out = fresh;
    return CG_OK;
}

static cg_err make_grant(const struct cg_gate *gate, struct cg_kit *kit,
                         const struct cg_grant_job *job, const struct cg_gate_terms *terms,
                         struct cg_gate_grant *out)
{
    const struct cg_grant *grant = &job->grant;

    out->is_live = true;
    out->hash = job->hash;
    memcpy(out->session_key, grant->session_key, sizeof out->session_key);
    out->modes = grant->modes & terms->modes;
    out->epoch_start = grant->epoch_start;
    out->epochs = grant->epochs < terms->epochs_max ? grant->epochs : terms->epochs_max;
    CG_TRY(copy_scope(grant, &out->scope));
    CG_TRY(copy_posted(job, &out->posted));
    CG_TRY(share_keys(gate, &job->did, &out->keys));
    return cg_grant_key(kit, &gate->channel, &job->hash, &out->key);
}

static cg_err make_room(struct cg_gate *gate)
{
    uint32_t cap = gate->cap_seen ? gate->cap_seen * 2 : 4;

    if (gate->n_seen < gate->cap_seen)
        return CG_OK;
    struct cg_hash *seen = realloc(gate->seen, cap * sizeof *seen);
    if (!seen)
        return CG_NO_MEMORY;
    gate->seen = seen;
    gate->cap_seen = cap;
    return CG_OK;
}

/* Nothing in here fails. */
static void install(struct cg_gate *gate, const struct cg_grant_job *job,
                    const struct cg_gate_grant *grant)
{
    unsigned place = gate->grants[gate->newest].is_live ? 1 - gate->newest : gate->newest;

    cg_gate_grant_done(&gate->grants[place]);
    gate->grants[place] = *grant;
    gate->newest = place;
    gate->seen[gate->n_seen++] = job->hash;
    gate->wallet = job->grant.wallet;
    gate->has_wallet = true;
    gate->has_spoken = true;
    gate->state = gate->n_seen < CG_GATE_GRANTS_MAX ? CG_GATE_GRANTED : CG_GATE_CLOSING;
}

cg_err cg_gate_grant_commit(struct cg_gate *gate, struct cg_kit *kit,
                            const struct cg_grant_job *job, const struct cg_gate_terms *terms,
                            struct cg_wall now, struct cg_gate_granted *out, struct cg_fault *fault)
{
    struct cg_gate_grant grant = {0};
    struct cg_gate_granted granted;

    if (gate->state == CG_GATE_CLOSING)
        return cg_gate_fail(fault, CG_REFUSAL_UNAVAILABLE, CG_CLOSED, CG_GATE_CHECK_GRANT_LIMIT);
    CG_TRY(cg_gate_grant_verdict(job, fault));
    /* Another grant may have been committed since the check. */
    CG_TRY(check_new(gate, &job->hash, fault));
    CG_TRY(check_wallet(gate, &job->grant, fault));

    cg_buf_init(&granted.answer, CG_DOCUMENT_MAX_BYTES);
    cg_err err = make_grant(gate, kit, job, terms, &grant);
    if (err == CG_OK)
        err = make_answer(gate, kit, &grant, terms, now, &granted);
    if (err == CG_OK)
        err = make_room(gate);
    if (err != CG_OK) {
        cg_gate_grant_done(&grant);
        cg_buf_done(&granted.answer);
        return cg_gate_fail_own(fault, err, CG_GATE_CHECK_GRANT_PROOF);
    }
    install(gate, job, &grant);
    cg_wipe(&grant, sizeof grant);
    *out = granted;
    return CG_OK;
}
