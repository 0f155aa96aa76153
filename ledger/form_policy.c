#include "ledger/form.h"

#include "lib/access/policy.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/cbor.h"

/* An object of ours, taken apart again. */
static cg_err load_cose(struct cg_store *store, uint64_t index, enum cg_doc_type type,
                        struct cg_arena *arena, struct cg_cose *out)
{
    struct cg_span object;

    CG_TRY(lg_object_at(store, index, arena, &object));
    return cg_cose_read(object, type, out) == CG_OK ? CG_OK : CG_STORE;
}

/* --- a policy: by its owner, of a higher version than the one in force --- */

static cg_err read_policy(const struct lg_rules *rules, struct lg_admission *a)
{
    (void)rules;
    CG_TRY(lg_refuse_unless_ours(a, cg_policy_read_cbor(a->cose.payload, &a->policy, NULL),
                                 CG_REFUSAL_BAD_REQUEST, NULL));
    a->did = *cg_policy_owner(a->policy);
    a->item->commitment = *cg_policy_hash(a->policy);
    CG_TRY(cg_arena_copy(&a->item->arena, cg_policy_name(a->policy), &a->item->extra));
    return lg_subject_did(a->item, &a->did);
}

static cg_err last_version(struct cg_store *store, uint64_t index, uint64_t *out)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_policy *last;
    struct cg_cose cose;

    cg_arena_init(&arena, 2 * CG_DOCUMENT_MAX_BYTES);
    CG_TRY(load_cose(store, index, CG_DOC_POLICY, &arena, &cose));
    if (cg_policy_read_cbor(cose.payload, &last, NULL) != CG_OK)
        return CG_STORE;
    *out = last->version;
    cg_policy_free(last);
    return CG_OK;
}

static cg_err gather_policy(const struct lg_rules *rules, struct cg_store *store,
                            struct lg_admission *a)
{
    char room[CG_DID_CHARS + 256];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    bool is_present;
    uint64_t index;
    (void)rules;

    cg_put(&w, a->item->subject);
    cg_put_str(&w, "/");
    cg_put(&w, a->item->extra);
    CG_TRY(cg_writer_end(&w));
    CG_TRY(lg_expect_state(store, "policy", cg_writer_span(&w), a, &is_present, &index));
    return is_present ? last_version(store, index, &a->last) : CG_OK;
}

/* Without the rule about versions whoever kept an old document that was never logged could put it
 * in force again. */
static cg_err judge_policy(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    (void)now;
    if (a->item->expects[a->item->n_expects - 1].is_present && a->policy->version <= a->last)
        return lg_refuse(a, CG_REFUSAL_CONFLICT, "version");
    return lg_check_cose(rules, a);
}

const struct lg_form lg_form_policy = {.kind = CG_ENTRY_POLICY,
                                       .is_cose = true,
                                       .type = CG_DOC_POLICY,
                                       .read = read_policy,
                                       .gather = gather_policy,
                                       .judge = judge_policy};

/* --- a key for sealed messages: by its DID, outliving the one before --- */

#define XWING_KEY_BYTES 1216 /* ML-KEM-768 and X25519 */

static cg_err read_kem_payload(struct cg_span payload, struct cg_waddr *out_did,
                               struct cg_wall *out_expires)
{
    struct cg_cbor r = cg_cbor_of(payload);

    cg_cbor_map(&r, 4, 4);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "did");
    struct cg_span did = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "expires");
    uint64_t expires = cg_cbor_uint(&r);
    if (expires > INT64_MAX)
        cg_cbor_fail(&r, CG_SCHEMA);
    cg_cbor_key(&r, "xwing_pk");
    (void)cg_cbor_bytes_n(&r, XWING_KEY_BYTES);
    CG_TRY(cg_cbor_end(&r));
    out_expires->s = (int64_t)expires;
    return cg_did_read(did, out_did);
}

static cg_err read_kem(const struct lg_rules *rules, struct lg_admission *a)
{
    (void)rules;
    CG_TRY(lg_refuse_unless_ours(a, read_kem_payload(a->cose.payload, &a->did, &a->expires),
                                 CG_REFUSAL_BAD_REQUEST, NULL));
    CG_TRY(cg_sha256(a->cose.payload, &a->item->commitment));
    return lg_subject_did(a->item, &a->did);
}

static cg_err gather_kem(const struct lg_rules *rules, struct cg_store *store,
                         struct lg_admission *a)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_wall expires;
    struct cg_waddr did;
    struct cg_cose cose;
    bool is_present;
    uint64_t index;
    (void)rules;

    cg_arena_init(&arena, 2 * CG_DOCUMENT_MAX_BYTES);
    CG_TRY(lg_expect_state(store, "kem", cg_span_str(a->did.text), a, &is_present, &index));
    if (!is_present)
        return CG_OK;
    CG_TRY(load_cose(store, index, CG_DOC_KEM, &arena, &cose));
    if (read_kem_payload(cose.payload, &did, &expires) != CG_OK)
        return CG_STORE;
    a->last = (uint64_t)expires.s;
    return CG_OK;
}

static cg_err judge_kem(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a)
{
    if (a->expires.s <= now.s)
        return lg_refuse(a, CG_REFUSAL_UNPROCESSABLE, "expires");
    if ((uint64_t)a->expires.s <= a->last)
        return lg_refuse(a, CG_REFUSAL_CONFLICT, "expires");
    return lg_check_cose(rules, a);
}

const struct lg_form lg_form_kem = {.kind = CG_ENTRY_KEM,
                                    .is_cose = true,
                                    .type = CG_DOC_KEM,
                                    .read = read_kem,
                                    .gather = gather_kem,
                                    .judge = judge_kem};
