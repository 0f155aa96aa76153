#include "ledger/form.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/cert/payload.h"
#include "lib/cert/revoke.h"
#include "lib/crypto/sign.h"

/* --- a certificate: every check but those of a connection --- */

static cg_err read_cert(const struct lg_rules *rules, struct lg_admission *a)
{
    struct cg_hash commitment;

    CG_TRY(lg_refuse_unless_ours(a, cg_cert_read(a->wire, &a->cert), CG_REFUSAL_BAD_REQUEST, NULL));
    CG_TRY(cg_cert_commitment(&a->cert, &commitment));
    if (!cg_hash_eq(&commitment, &a->cert.anchor) || !cg_log_id_eq(&a->cert.log_id, &rules->log_id))
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "bpi_anchor");
    a->did = a->cert.subject;
    a->item->commitment = a->cert.anchor;
    CG_TRY(cg_arena_copy(&a->item->arena, cg_hash_span(&a->cert.fingerprint), &a->item->extra));
    return lg_subject_did(a->item, &a->cert.subject);
}

static cg_err judge_cert(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    cg_err err = cg_cert_check_times(&a->cert, now);

    CG_TRY(lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE,
                                 err == CG_EARLY ? "issued_at" : "expires_at"));
    CG_TRY(lg_refuse_unless_ours(a, cg_ed25519_key_check(a->cert.transport.ed25519),
                                 CG_REFUSAL_UNPROCESSABLE, "public_key_ed25519"));
    return lg_check_cose(rules, a);
}

const struct lg_form lg_form_cert = {.kind = CG_ENTRY_TLSLS,
                                     .is_cose = true,
                                     .type = CG_DOC_TLSLS,
                                     .read = read_cert,
                                     .judge = judge_cert};

/* --- a revocation: of a logged certificate, by the keys of its subject --- */

static cg_err read_revoke(const struct lg_rules *rules, struct lg_admission *a)
{
    struct cg_revoke revoke;
    (void)rules;

    CG_TRY(
        lg_refuse_unless_ours(a, cg_revoke_read(a->wire, &revoke), CG_REFUSAL_BAD_REQUEST, NULL));
    a->did = revoke.did;
    a->item->commitment = revoke.fingerprint;
    return lg_subject_did(a->item, &revoke.did);
}

/* Without the certificate nobody could tell whose it is, and anybody could revoke anybody's. */
static cg_err gather_revoke(const struct lg_rules *rules, struct cg_store *store,
                            struct lg_admission *a)
{
    struct cg_stored_entry cert;
    struct cg_arena arena;
    char fingerprint[2 * CG_HASH_BYTES];
    bool is_present;
    uint64_t index;
    (void)rules;

    cg_arena_init(&arena, 4 * CG_ENTRY_MAX_BYTES);
    cg_err err = cg_store_log_find_cert(store, &a->item->commitment, &arena, &cert);
    bool is_its = err == CG_OK && cg_span_eq(cert.subject, a->item->subject);
    cg_arena_done(&arena);
    if (err == CG_NOT_FOUND || (err == CG_OK && !is_its))
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "fingerprint");
    CG_TRY(err);
    cg_hex_write(cg_hash_span(&a->item->commitment), fingerprint);
    return lg_expect_state(store, "tlsls-rev", cg_span_of(fingerprint, sizeof fingerprint), a,
                           &is_present, &index);
}

static cg_err judge_revoke(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    struct cg_revoke revoke;
    (void)now;

    cg_err err = cg_revoke_verify(rules->crypto, a->wire, &a->owner.state, &revoke);
    return lg_refuse_unless_ours(a, err, CG_REFUSAL_UNPROCESSABLE, "signature");
}

const struct lg_form lg_form_revoke = {.kind = CG_ENTRY_TLSLS_REV,
                                       .is_cose = true,
                                       .type = CG_DOC_REVOKE,
                                       .read = read_revoke,
                                       .gather = gather_revoke,
                                       .judge = judge_revoke};
