#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/sapi/evidence.h"
#include "session/gate_own.h"

#include <stdlib.h>

cg_err cg_gate_find_one(const struct cg_head *head, enum cg_token token, struct cg_span *out,
                        bool *has)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        if (head->fields[i].token != token)
            continue;
        if (*has)
            return CG_SCHEMA;
        *has = true;
        *out = head->fields[i].value;
    }
    return CG_OK;
}

void cg_sig_job_free(struct cg_sig_job *job)
{
    if (!job)
        return;
    cg_buf_done(&job->tbs);
    cg_buf_done(&job->signature);
    free(job);
}

/* A job with copies of all it needs; signature is hex that was checked. */
static cg_err make_job(const struct cg_gate_request *req, struct cg_span tbs, struct cg_span hex,
                       struct cg_sig_job **out)
{
    struct cg_sig_job *job = calloc(1, sizeof *job);

    if (!job)
        return CG_NO_MEMORY;
    job->mode = req->mode;
    job->keys = req->keys->keys;
    memcpy(job->session_key, req->session_key, sizeof job->session_key);
    job->result = CG_SIGNATURE; /* until it was run */
    cg_buf_init(&job->tbs, tbs.len);
    cg_buf_init(&job->signature, hex.len / 2);
    cg_err err = cg_buf_add(&job->tbs, tbs);
    if (err == CG_OK)
        err = cg_buf_room(&job->signature, hex.len / 2);
    if (err == CG_OK)
        err = cg_hex_read(hex, job->signature.at, hex.len / 2);
    if (err != CG_OK) {
        cg_sig_job_free(job);
        return err;
    }
    job->signature.len = hex.len / 2;
    *out = job;
    return CG_OK;
}

void cg_sig_job_run(struct cg_sig_job *job, const struct cg_crypto *crypto)
{
    struct cg_span tbs = cg_buf_span(&job->tbs), signature = cg_buf_span(&job->signature);
    struct cg_verifier *verifier;

    if (job->mode == CG_SAPI_ED25519) {
        job->result = cg_sapi_check_session(crypto, job->session_key, tbs, signature);
        return;
    }
    job->result = cg_verifier_new(crypto, &job->keys, &verifier);
    if (job->result != CG_OK)
        return;
    job->result = cg_sapi_check_hybrid(verifier, tbs, signature);
    cg_verifier_free(verifier);
}

cg_err cg_gate_check_signature(const struct cg_gate_request *req, struct cg_kit *kit,
                               struct cg_span tbs, struct cg_span hex, struct cg_sig_job **job)
{
    uint8_t mac[CG_HASH_BYTES];

    if (req->mode != CG_SAPI_GRANT)
        return make_job(req, tbs, hex, job);
    CG_TRY(cg_hex_read(hex, mac, sizeof mac));
    return cg_sapi_check_mac(kit, &req->c2s, tbs, CG_BYTES(mac));
}

cg_err cg_gate_evidence(const struct cg_gate_request *req, const struct cg_sig_job *job,
                        struct cg_buf *out)
{
    if (!job || !req->posted)
        return CG_UNSUPPORTED;
    const struct cg_evidence evidence = {
        .grant = req->posted->grant,
        .grant_signature = req->posted->signature,
        .tbs = cg_buf_span(&job->tbs),
        .signature = cg_buf_span(&job->signature),
    };
    return cg_evidence_write(&evidence, out);
}

bool cg_gate_wallet_doc(const struct cg_gate_request *req, uint8_t out[CG_WALLET_DOC_BYTES])
{
    if (!req->keys || !req->keys->is_first)
        return false;
    const struct cg_wallet_doc doc = {req->keys->keys, req->keys->next};
    cg_wallet_doc_write(&doc, out);
    return true;
}

cg_err cg_gate_body_check(const struct cg_gate_request *req, const struct cg_hash *digest,
                          struct cg_fault *fault)
{
    if (req->body.mode == CG_BODY_DIGEST && !cg_hash_eq(&req->body.digest, digest))
        return cg_gate_fail(fault, CG_REFUSAL_DIGEST_MISMATCH, CG_DIGEST, CG_GATE_CHECK_BODY);
    return CG_OK;
}

static cg_err fail_trailer(struct cg_fault *fault, cg_err err)
{
    return cg_gate_fail(fault, CG_REFUSAL_BAD_REQUEST, err, CG_GATE_CHECK_BODY);
}

static cg_err check_claimed(const struct cg_hash *claimed, const struct cg_hash *digest,
                            struct cg_fault *fault)
{
    if (!cg_hash_eq(claimed, digest))
        return cg_gate_fail(fault, CG_REFUSAL_DIGEST_MISMATCH, CG_DIGEST, CG_GATE_CHECK_BODY);
    return CG_OK;
}

cg_err cg_gate_trailer_check(const struct cg_gate_request *req, struct cg_kit *kit,
                             const struct cg_head *trailers, const struct cg_hash *digest,
                             struct cg_sig_job **job, struct cg_fault *fault)
{
    uint8_t tbs[CG_SAPI_TRAILER_TBS_BYTES];
    struct cg_sig_job *pending = NULL;
    struct cg_sapi_trailer trailer;
    struct cg_span value = {NULL, 0};
    bool has = false;
    cg_err err = trailers ? cg_gate_find_one(trailers, CG_TOKEN_SAPI_TRAILER, &value, &has) : CG_OK;

    if (err == CG_OK)
        err = has ? cg_sapi_trailer_read(value, req->mode, &trailer) : CG_SHORT;
    if (err != CG_OK)
        return fail_trailer(fault, err);
    err = cg_sapi_trailer_tbs(&req->tbs_hash, &trailer.digest, tbs);
    if (err == CG_OK)
        err = cg_gate_check_signature(req, kit, CG_BYTES(tbs), trailer.signature, &pending);
    if (err != CG_OK)
        return cg_gate_fail_auth(fault, err, CG_GATE_CHECK_BODY);
    if (pending)
        pending->claimed = trailer.digest;
    else
        CG_TRY(check_claimed(&trailer.digest, digest, fault));
    *job = pending;
    return CG_OK;
}

cg_err cg_gate_trailer_commit(const struct cg_sig_job *job, const struct cg_hash *digest,
                              struct cg_fault *fault)
{
    if (job->result != CG_OK)
        return cg_gate_fail_auth(fault, job->result, CG_GATE_CHECK_BODY);
    return check_claimed(&job->claimed, digest, fault);
}
