#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/qlock/header.h"
#include "lib/qlock/kit.h"
#include "lib/wire/field.h"
#include "session/gate_own.h"

/* A request's headers, taken apart. */
struct reading {
    const struct cg_gate_ask *ask;
    bool has_qlock, has_sapi;
    struct cg_qlock qlock;
    struct cg_sapi sapi;
    struct cg_body_plan body;
    struct cg_hash fields_digest;
};

static cg_err fail_syntax(struct cg_fault *fault, cg_err err)
{
    bool is_ours = cg_err_fault(err) == CG_FAULT_OURS;

    return cg_gate_fail(fault, is_ours ? CG_REFUSAL_INTERNAL : CG_REFUSAL_BAD_REQUEST, err,
                        CG_GATE_CHECK_SYNTAX);
}

static cg_err fail_length(struct cg_fault *fault)
{
    return cg_gate_fail(fault, CG_REFUSAL_HEADER_TOO_LARGE, CG_TOO_LARGE, CG_GATE_CHECK_SYNTAX);
}

static cg_err read_headers(const struct cg_gate *gate, struct reading *r, struct cg_fault *fault)
{
    const struct cg_head *head = r->ask->head;
    struct cg_span qlock, sapi;
    cg_err err = cg_gate_find_one(head, CG_TOKEN_QLOCK, &qlock, &r->has_qlock);

    if (err == CG_OK)
        err = cg_gate_find_one(head, CG_TOKEN_SAPI, &sapi, &r->has_sapi);
    if (err != CG_OK)
        return fail_syntax(fault, err);
    if ((r->has_qlock && qlock.len > CG_QLOCK_MAX_BYTES) ||
        (r->has_sapi && sapi.len > CG_SAPI_MAX_BYTES))
        return fail_length(fault);
    if (r->has_qlock)
        err = cg_qlock_read(qlock, &r->qlock);
    if (err == CG_OK && r->has_sapi)
        err = cg_sapi_read(sapi, gate->has_wallet ? &gate->wallet : NULL, &r->sapi);
    return err == CG_OK ? CG_OK : fail_syntax(fault, err);
}

static cg_err read_covered(struct cg_kit *kit, struct reading *r, struct cg_fault *fault)
{
    struct cg_span fields[CG_COVERED_COUNT];
    struct cg_buf cookies;

    cg_buf_init(&cookies, CG_HEADER_LIST_MAX_BYTES);
    cg_err err = cg_covered_request(r->ask->head, &cookies, fields);
    if (err == CG_OK && r->has_sapi)
        err = cg_sapi_fields_digest(kit, fields, &r->fields_digest);
    cg_buf_wipe(&cookies);
    return err == CG_OK ? CG_OK : fail_syntax(fault, err);
}

static cg_err check_syntax(const struct cg_gate *gate, struct cg_kit *kit, struct reading *r,
                           struct cg_fault *fault)
{
    if (!cg_field_is_token(r->ask->head->method))
        return fail_syntax(fault, CG_SYNTAX);
    CG_TRY(read_headers(gate, r, fault));
    cg_err err = cg_body_plan_of(r->ask->head, &r->body);
    if (err == CG_OK && r->body.mode == CG_BODY_TRAILER && !r->has_sapi)
        err = CG_SCHEMA; /* nobody could sign that trailer */
    if (err != CG_OK)
        return fail_syntax(fault, err);
    return read_covered(kit, r, fault);
}

static cg_err check_clock(const struct reading *r, struct cg_wall now, struct cg_fault *fault)
{
    if ((r->has_qlock && !cg_epoch_accepts(r->qlock.minute_epoch, now)) ||
        (r->has_sapi && !cg_timestamp_accepts(r->sapi.timestamp, now)))
        return cg_gate_fail(fault, CG_REFUSAL_CLOCK_SKEW, CG_SKEW, CG_GATE_CHECK_CLOCK);
    return CG_OK;
}

/* Finds the grant that the nonce names. *out stays NULL where there is none but others would be
 * valid: that is a wrong nonce, which is told later, at its place in the order. */
static cg_err check_grant(struct cg_gate *gate, const struct reading *r, struct cg_wall now,
                          struct cg_gate_grant **out, struct cg_fault *fault)
{
    uint64_t epoch = r->has_qlock ? r->qlock.minute_epoch : cg_epoch_of(now);
    bool has_valid = false;

    for (size_t i = 0; i < 2; i++) {
        struct cg_gate_grant *grant = &gate->grants[i];
        bool is_valid = cg_gate_grant_valid(grant, epoch);

        has_valid |= is_valid;
        if (!grant->is_live || !cg_nonce_is_of(&r->sapi.nonce, &grant->hash))
            continue;
        if (!is_valid)
            return cg_gate_fail(fault, CG_REFUSAL_AUTH_REQUIRED, CG_EXPIRED, CG_GATE_CHECK_GRANT);
        *out = grant;
    }
    if (!has_valid)
        return cg_gate_fail(fault, CG_REFUSAL_AUTH_REQUIRED, CG_NEEDS_AUTH, CG_GATE_CHECK_GRANT);
    return CG_OK;
}

static cg_err check_qlock(struct cg_gate *gate, struct cg_kit *kit, const struct reading *r,
                          struct cg_fault *fault)
{
    struct cg_hash route, want;

    if (!r->has_qlock)
        return cg_gate_fail_auth(fault, CG_BINDING, CG_GATE_CHECK_QLOCK);
    cg_err err = cg_route_of(kit, r->ask->url, &route);
    if (err == CG_OK)
        err = cg_qlock_cache_get(&gate->cache, kit, &gate->channel, &route, r->qlock.minute_epoch,
                                 &want);
    if (err == CG_OK)
        err = cg_qlock_compare(&gate->channel, &want, &r->qlock);
    return err == CG_OK ? CG_OK : cg_gate_fail_auth(fault, err, CG_GATE_CHECK_QLOCK);
}

static cg_err check_claims(const struct cg_gate *gate, const struct reading *r,
                           const struct cg_gate_grant *grant, struct cg_fault *fault)
{
    if (!cg_waddr_eq(&r->sapi.wallet, &gate->wallet))
        return cg_gate_fail_auth(fault, CG_MISMATCH, CG_GATE_CHECK_WALLET);
    if (grant && r->sapi.mode != CG_SAPI_HYBRID && (grant->modes & CG_MODE_BIT(r->sapi.mode)) == 0)
        return cg_gate_fail_auth(fault, CG_DENIED, CG_GATE_CHECK_MODE);
    if (!grant)
        return cg_gate_fail_auth(fault, CG_UNKNOWN, CG_GATE_CHECK_NONCE);
    cg_err err = cg_window_check(&grant->window, cg_nonce_counter(&r->sapi.nonce));
    return err == CG_OK ? CG_OK : cg_gate_fail_auth(fault, err, CG_GATE_CHECK_NONCE);
}

/* Two minutes are accepted at a time: one slot for even ones, one for odd ones. */
static cg_err take_keys(struct cg_kit *kit, struct cg_gate_grant *grant, uint64_t minute_epoch,
                        struct cg_gate_request *req)
{
    struct cg_gate_epoch *slot = &grant->epochs_used[minute_epoch & 1];

    if (!slot->is_set || slot->minute_epoch != minute_epoch) {
        CG_TRY(cg_epoch_keys(kit, &grant->key, minute_epoch, &slot->c2s, &slot->s2c));
        slot->minute_epoch = minute_epoch;
        slot->is_set = true;
    }
    req->c2s = slot->c2s;
    req->s2c = slot->s2c;
    return CG_OK;
}

static bool has_no_body(struct cg_span method)
{
    return cg_span_is(method, "GET") || cg_span_is(method, "HEAD");
}

static void describe(const struct cg_gate *gate, const struct reading *r,
                     const struct cg_gate_grant *grant, struct cg_gate_request *req)
{
    req->mode = r->sapi.mode;
    req->is_locked = true;
    req->is_in_scope =
        !grant->scope || cg_scope_covers(grant->scope->names, grant->scope->n, r->ask->url);
    req->must_be_empty = r->body.mode == CG_BODY_NONE || has_no_body(r->ask->head->method);
    req->wallet = gate->wallet;
    req->grant_hash = grant->hash;
    req->nonce = r->sapi.nonce;
    req->minute_epoch = r->qlock.minute_epoch;
    req->timestamp = r->sapi.timestamp;
    req->body = r->body;
    memcpy(req->session_key, grant->session_key, sizeof req->session_key);
    req->keys = cg_gate_keys_ref(grant->keys);
    req->posted = cg_gate_posted_ref(grant->posted);
}

/* Builds the signed bytes in the kit's scratch. */
static cg_err build_tbs(const struct cg_gate *gate, struct cg_kit *kit, const struct reading *r,
                        struct cg_span *out)
{
    const struct cg_sapi_parts parts = {
        .sapi = &r->sapi,
        .qlock = &r->qlock,
        .fingerprint = &gate->channel.fingerprint,
        .method = r->ask->head->method,
        .url = r->ask->url,
        .body_mode = r->body.mode,
        .content_digest = r->body.digest,
        .fields_digest = r->fields_digest,
    };
    size_t len = cg_sapi_tbs_bytes(&parts);

    cg_buf_clear(&kit->scratch);
    CG_TRY(cg_buf_room(&kit->scratch, len));
    CG_TRY(cg_sapi_tbs(&parts, kit->scratch.at));
    *out = cg_span_of(kit->scratch.at, len);
    return CG_OK;
}

static cg_err spend(struct cg_gate *gate, const struct cg_gate_request *req, struct cg_fault *fault)
{
    for (size_t i = 0; i < 2; i++) {
        struct cg_gate_grant *grant = &gate->grants[i];

        if (!grant->is_live || !cg_hash_eq(&grant->hash, &req->grant_hash))
            continue;
        cg_err err = cg_window_commit(&grant->window, cg_nonce_counter(&req->nonce));
        return err == CG_OK ? CG_OK : cg_gate_fail_auth(fault, err, CG_GATE_CHECK_SPENT);
    }
    /* Two newer grants came while the signature was verified, and its window went. */
    return cg_gate_fail(fault, CG_REFUSAL_AUTH_REQUIRED, CG_EXPIRED, CG_GATE_CHECK_SPENT);
}

static cg_err check_signed(struct cg_gate *gate, struct cg_kit *kit, const struct reading *r,
                           struct cg_gate_grant *grant, struct cg_gate_request *req,
                           struct cg_sig_job **job, struct cg_fault *fault)
{
    struct cg_sig_job *pending = NULL;
    struct cg_span tbs;

    describe(gate, r, grant, req);
    cg_err err = take_keys(kit, grant, r->qlock.minute_epoch, req);
    if (err == CG_OK)
        err = build_tbs(gate, kit, r, &tbs);
    if (err == CG_OK)
        err = cg_hasher_whole(kit->hasher, tbs, &req->tbs_hash);
    if (err == CG_OK)
        err = cg_gate_check_signature(req, kit, tbs, r->sapi.signature, &pending);
    if (err != CG_OK)
        return cg_gate_fail_auth(fault, err, CG_GATE_CHECK_SIGNATURE);
    if (!pending)
        CG_TRY(spend(gate, req, fault));
    *job = pending;
    return CG_OK;
}

cg_err cg_gate_request_check(struct cg_gate *gate, struct cg_kit *kit,
                             const struct cg_gate_ask *ask, struct cg_wall now,
                             struct cg_gate_request *req, struct cg_sig_job **job,
                             struct cg_fault *fault)
{
    struct reading r = {.ask = ask};
    struct cg_gate_grant *grant = NULL;

    CG_TRY(check_syntax(gate, kit, &r, fault));
    CG_TRY(check_clock(&r, now, fault));
    if (r.has_sapi)
        CG_TRY(check_grant(gate, &r, now, &grant, fault));
    if (r.has_sapi || r.has_qlock)
        CG_TRY(check_qlock(gate, kit, &r, fault));
    if (!r.has_sapi) {
        *req = (struct cg_gate_request){
            .mode = CG_SAPI_NONE,
            .is_locked = r.has_qlock,
            .is_in_scope = true,
            .must_be_empty = has_no_body(ask->head->method),
            .body = r.body,
        };
        *job = NULL;
        gate->has_spoken = true;
        return CG_OK;
    }
    CG_TRY(check_claims(gate, &r, grant, fault));

    struct cg_gate_request got = {0};
    cg_err err = check_signed(gate, kit, &r, grant, &got, job, fault);
    if (err == CG_OK)
        *req = got;
    else
        cg_gate_request_done(&got);
    cg_wipe(&got, sizeof got);
    return err;
}

cg_err cg_gate_request_commit(struct cg_gate *gate, const struct cg_gate_request *req,
                              const struct cg_sig_job *job, struct cg_fault *fault)
{
    if (job->result != CG_OK)
        return cg_gate_fail_auth(fault, job->result, CG_GATE_CHECK_SIGNATURE);
    return spend(gate, req, fault);
}

void cg_gate_request_done(struct cg_gate_request *req)
{
    cg_gate_keys_unref(req->keys);
    cg_gate_posted_unref(req->posted);
    cg_wipe(req, sizeof *req);
}
