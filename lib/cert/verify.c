#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/cert/payload.h"
#include "lib/crypto/sign.h"
#include "lib/identity/cose.h"

#include <assert.h>

static const char *const texts[CG_CERT_STEP_COUNT] = {
    [CG_CERT_ROLE] = "has the role expected here",
    [CG_CERT_TIMES] = "is valid now, and for 90 days at most",
    [CG_CERT_LEAF] = "lists this connection's TLS key",
    [CG_CERT_NAME] = "lists the name asked for",
    [CG_CERT_SUBJECT] = "is of a DID that may speak here",
    [CG_CERT_DID] = "brings keys that prove its DID",
    [CG_CERT_SIGNATURES] = "is signed by both of the DID's keys",
    [CG_CERT_ANCHORED] = "is anchored in a known ledger",
};

const char *cg_cert_step_text(enum cg_cert_step step)
{
    assert((size_t)step < CG_CERT_STEP_COUNT);
    return texts[step];
}

cg_err cg_cert_check_times(const struct cg_cert *cert, struct cg_wall now)
{
    /* Both are at most INT64_MAX and not negative, so their difference does not overflow; a sum
     * with the caller's time might. */
    if (cert->expires.s <= cert->issued.s)
        return CG_SCHEMA;
    if (cert->expires.s - cert->issued.s > CG_CERT_MAX_SPAN_S)
        return CG_TOO_LARGE;
    if (cert->issued.s - CG_CERT_SKEW_S > now.s)
        return CG_EARLY;
    return now.s < cert->expires.s ? CG_OK : CG_EXPIRED;
}

cg_err cg_cert_check_leaf(const struct cg_cert *cert, const struct cg_hash *leaf_spki)
{
    for (size_t i = 0; i < cert->n_spki; i++)
        if (cg_hash_eq(&cert->spki[i], leaf_spki))
            return CG_OK;
    return CG_BINDING;
}

cg_err cg_cert_check_name(const struct cg_cert *cert, struct cg_span name)
{
    for (size_t i = 0; i < cert->n_names; i++)
        if (cg_span_eq(cert->names[i], name))
            return CG_OK;
    return CG_MISMATCH;
}

cg_err cg_cert_check_subject(const struct cg_cert *cert, const struct cg_waddr *subjects,
                             size_t n_subjects)
{
    for (size_t i = 0; i < n_subjects; i++)
        if (cg_waddr_eq(&cert->subject, &subjects[i]))
            return CG_OK;
    return CG_DENIED;
}

/* What the steps share. */
struct work {
    const struct cg_crypto *crypto;
    const struct cg_cert *cert;
    const struct cg_cert_expect *expect;
    struct cg_did_state state;
};

static cg_err check_role(struct work *w)
{
    return w->cert->role == w->expect->role ? CG_OK : CG_ROLE;
}

static cg_err check_times(struct work *w)
{
    return cg_cert_check_times(w->cert, w->expect->now);
}

static cg_err check_leaf(struct work *w)
{
    return cg_cert_check_leaf(w->cert, w->expect->leaf_spki);
}

static cg_err check_name(struct work *w)
{
    return cg_cert_check_name(w->cert, w->expect->name);
}

static cg_err check_subject(struct work *w)
{
    return cg_cert_check_subject(w->cert, w->expect->subjects, w->expect->n_subjects);
}

static cg_err check_did(struct work *w)
{
    struct cg_span wallet_doc =
        w->expect->wallet_doc.len ? w->expect->wallet_doc : w->cert->wallet_doc;

    CG_TRY(cg_did_check(w->crypto, wallet_doc, &w->cert->subject, &w->state));
    if (w->state.is_deactivated)
        return CG_REVOKED;
    return cg_ed25519_key_check(w->cert->transport.ed25519);
}

static cg_err check_signatures(struct work *w)
{
    struct cg_cose cose = {
        .type = CG_DOC_TLSLS,
        .body_protected = w->cert->body_protected,
        .payload = w->cert->payload,
        .sig_ed25519 = w->cert->sig_ed25519,
        .sig_mldsa87 = w->cert->sig_mldsa87,
    };
    struct cg_verifier *verifier;

    CG_TRY(cg_verifier_new(w->crypto, &w->state.keys, &verifier));
    cg_err err = cg_cose_check(&cose, verifier);
    cg_verifier_free(verifier);
    return err;
}

static cg_err check_anchored(struct work *w)
{
    struct cg_hash commitment;

    CG_TRY(cg_cert_commitment(w->cert, &commitment));
    if (!cg_hash_eq(&commitment, &w->cert->anchor))
        return CG_PROOF;
    if (!w->expect->logs)
        return CG_OK;
    for (size_t i = 0; i < w->expect->n_logs; i++)
        if (cg_log_id_eq(&w->cert->log_id, &w->expect->logs[i]))
            return CG_OK;
    return CG_UNKNOWN;
}

/* In the order of enum cg_cert_step. */
static cg_err (*const steps[CG_CERT_STEP_COUNT])(struct work *) = {
    [CG_CERT_ROLE] = check_role,
    [CG_CERT_TIMES] = check_times,
    [CG_CERT_LEAF] = check_leaf,
    [CG_CERT_NAME] = check_name,
    [CG_CERT_SUBJECT] = check_subject,
    [CG_CERT_DID] = check_did,
    [CG_CERT_SIGNATURES] = check_signatures,
    [CG_CERT_ANCHORED] = check_anchored,
};

static bool is_asked(const struct cg_cert_expect *expect, enum cg_cert_step step)
{
    switch (step) {
    case CG_CERT_ROLE:
        return !expect->any_role;
    case CG_CERT_LEAF:
        return expect->leaf_spki != NULL;
    case CG_CERT_NAME:
        return expect->name.at != NULL;
    case CG_CERT_SUBJECT:
        return expect->subjects != NULL;
    default:
        return true;
    }
}

cg_err cg_cert_verify(const struct cg_crypto *crypto, const struct cg_cert *cert,
                      const struct cg_cert_expect *expect, struct cg_cert_checks *checks,
                      struct cg_did_state *out_did)
{
    struct cg_cert_checks made = {{CG_NOT_REACHED}};
    struct work work = {.crypto = crypto, .cert = cert, .expect = expect};
    cg_err err = CG_OK;

    for (size_t i = 0; i < CG_CERT_STEP_COUNT && err == CG_OK; i++) {
        if (!is_asked(expect, (enum cg_cert_step)i)) {
            made.verdict[i] = CG_NOT_ASKED;
            continue;
        }
        err = steps[i](&work);
        made.verdict[i] = err == CG_OK ? CG_PASSED : CG_FAILED;
    }
    if (checks)
        *checks = made;
    if (err == CG_OK && out_did)
        *out_did = work.state;
    return err;
}
