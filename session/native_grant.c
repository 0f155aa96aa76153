#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/sign.h"
#include "lib/qlock/kit.h"
#include "session/native_own.h"

void cg_native_pending_done(struct cg_native_pending *pending)
{
    cg_buf_done(&pending->grant);
    cg_wipe(pending, sizeof *pending);
}

static cg_err session_public(const struct cg_crypto *crypto, const struct cg_secret *seed,
                             uint8_t out[static CG_ED25519_KEY_BYTES])
{
    struct cg_sign_key *key;

    CG_TRY(cg_sign_key_new(crypto, CG_ALG_ED25519, seed, &key));
    cg_err err = cg_sign_key_public(key, out);
    cg_sign_key_free(key);
    return err;
}

static cg_err fill(const struct cg_native *native, const struct cg_native_grant_ask *ask,
                   struct cg_wall server_now, struct cg_grant *out)
{
    if (ask->n_scope > CG_GRANT_SCOPE_MAX || ask->n_creds > CG_GRANT_CREDS_MAX)
        return CG_SCHEMA;
    out->wallet = ask->wallet;
    memcpy(out->session_id, native->channel.session_id, sizeof out->session_id);
    out->cb = native->channel.cb;
    out->fingerprint = native->channel.fingerprint;
    out->spki = native->channel.spki;
    out->modes = ask->modes;
    out->epoch_start = cg_epoch_to_send(server_now);
    out->epochs = ask->epochs;
    out->timestamp = (uint64_t)server_now.s;
    memcpy(out->nonce, ask->nonce, sizeof out->nonce);
    out->client_tlsls = ask->client_tlsls;
    out->n_creds = ask->n_creds;
    for (size_t i = 0; i < ask->n_creds; i++)
        out->creds[i] = ask->creds[i];
    out->is_anywhere = ask->n_scope == 1 && cg_span_is(ask->scope[0], "*");
    out->n_scope = out->is_anywhere ? 0 : ask->n_scope;
    for (size_t i = 0; i < out->n_scope; i++)
        out->scope[i] = ask->scope[i];
    return CG_OK;
}

cg_err cg_native_grant_make(const struct cg_native *native, struct cg_kit *kit,
                            const struct cg_native_grant_ask *ask, struct cg_wall now,
                            struct cg_native_pending *out)
{
    struct cg_native_pending got = {
        .wallet = ask->wallet,
        .session_seed = ask->session_seed,
        .modes = ask->modes,
        .epochs = ask->epochs,
    };
    struct cg_grant grant = {0};

    if (native->state == CG_NATIVE_DRAIN)
        return CG_CLOSED;
    if (native->has_grant && !cg_waddr_eq(&native->wallet, &ask->wallet))
        return CG_MISMATCH;
    cg_buf_init(&got.grant, CG_DOCUMENT_MAX_BYTES);
    cg_err err = fill(native, ask, cg_native_clock(native, now), &grant);
    if (err == CG_OK)
        err = session_public(kit->crypto, &ask->session_seed, grant.session_key);
    if (err == CG_OK)
        err = cg_grant_write(&grant, &got.grant);
    if (err == CG_OK)
        err = cg_grant_hash(kit, cg_buf_span(&got.grant), &got.hash);
    if (err != CG_OK) {
        cg_native_pending_done(&got);
        return err;
    }
    got.epoch_start = grant.epoch_start;
    *out = got;
    cg_wipe(&got, sizeof got);
    return CG_OK;
}

static cg_err fail(struct cg_fault *fault, cg_err err, const char *check)
{
    return cg_fault_set(fault, CG_REFUSAL_NONE, err, check);
}

/* The answer is to this grant, and takes nothing but away. */
static cg_err check_answer(const struct cg_native_pending *pending, struct cg_span wire,
                           struct cg_grant_answer *out)
{
    CG_TRY(cg_grant_answer_read(wire, out));
    if (!cg_hash_eq(&out->grant_hash, &pending->hash))
        return CG_MISMATCH;
    if (out->epochs > pending->epochs || (out->modes & ~pending->modes) != 0)
        return CG_MISMATCH;
    return CG_OK;
}

static cg_err check_confirm(struct cg_kit *kit, const struct cg_secret *grant_key,
                            const struct cg_grant_reply *reply)
{
    CG_AUTO(secret) struct cg_secret key;

    CG_TRY(cg_confirm_key(kit, grant_key, &key));
    return cg_sapi_check_mac(kit, &key, reply->answer, reply->confirm);
}

static cg_err check_proof(const struct cg_native *native, struct cg_kit *kit,
                          const struct cg_native_pending *pending,
                          const struct cg_grant_reply *reply, const struct cg_verifier *transport)
{
    uint8_t tbs[CG_PROOF_TBS_BYTES];

    CG_TRY(cg_proof_tbs(kit, &native->channel.cb, &pending->hash, reply->answer, tbs));
    return cg_proof_verify(transport, CG_BYTES(tbs), reply->proof);
}

cg_err cg_native_grant_accept(struct cg_native *native, struct cg_kit *kit,
                              const struct cg_native_pending *pending, struct cg_span body,
                              const struct cg_verifier *transport, const struct cg_waddr *server,
                              struct cg_wall now, struct cg_grant_answer *out_answer,
                              struct cg_fault *fault)
{
    CG_AUTO(secret) struct cg_secret key;
    struct cg_grant_answer answer;
    struct cg_grant_reply reply;

    if (native->state == CG_NATIVE_DRAIN)
        return fail(fault, CG_CLOSED, "state");
    cg_err err = cg_grant_reply_read(body, &reply);
    if (err == CG_OK)
        err = check_answer(pending, reply.answer, &answer);
    if (err != CG_OK)
        return fail(fault, err, "answer");
    err = cg_grant_key(kit, &native->channel, &pending->hash, &key);
    if (err == CG_OK)
        err = check_confirm(kit, &key, &reply);
    if (err != CG_OK)
        return fail(fault, err, "confirm");
    err = check_proof(native, kit, pending, &reply, transport);
    if (err != CG_OK)
        return fail(fault, err, "proof");
    if (!cg_waddr_eq(&answer.server, server))
        return fail(fault, CG_MISMATCH, "server");
    err = cg_native_learn_time(native, answer.server_time, now);
    if (err != CG_OK)
        return fail(fault, err, "time");

    cg_wipe(&native->grant, sizeof native->grant);
    native->grant = (struct cg_native_grant){
        .hash = pending->hash,
        .key = key,
        .session_seed = pending->session_seed,
        .modes = answer.modes,
        .epoch_start = pending->epoch_start,
        .epochs = answer.epochs,
    };
    native->wallet = pending->wallet;
    native->has_grant = true;
    native->state = CG_NATIVE_READY;
    *out_answer = answer;
    return CG_OK;
}
