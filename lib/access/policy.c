#include "lib/access/policy.h"

#include "lib/access/read.h"
#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/json.h"
#include "lib/wire/tup.h"

#include <stdlib.h>

/* A policy's own arena: its bytes, and what was read from them. */
#define ARENA_MAX_BYTES (4 * 1024 * 1024)

cg_err cg_policy_hash_of(struct cg_span cbor, struct cg_hash *out)
{
    uint8_t lead[64];
    struct cg_writer w = cg_writer_fixed(lead, sizeof lead);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-policy/v1", 1);

    /* The document is hashed where it is, behind its lead. */
    cg_tup_open(&t, cbor.len);
    CG_TRY(cg_tup_end(&t));
    return cg_sha256_2(cg_writer_span(&w), cbor, out);
}

cg_err cg_policy_read_cbor(struct cg_span cbor, struct cg_policy **out,
                           struct cg_policy_fault *fault)
{
    struct cg_policy_fault nowhere;
    struct cg_policy *policy;

    fault = fault ? fault : &nowhere;
    *fault = (struct cg_policy_fault){.text = ""};
    if (cbor.len > CG_POLICY_MAX_BYTES) {
        fault->text = "is larger than a policy may be";
        return CG_TOO_LARGE;
    }
    policy = calloc(1, sizeof *policy);
    if (!policy)
        return CG_NO_MEMORY;
    cg_arena_init(&policy->arena, ARENA_MAX_BYTES);
    cg_err err = cg_arena_copy(&policy->arena, cbor, &policy->cbor);
    if (err == CG_OK)
        err = cg_policy_parse(policy, fault);
    if (err == CG_OK)
        err = cg_policy_hash_of(policy->cbor, &policy->hash);
    if (err != CG_OK) {
        cg_policy_free(policy);
        return err;
    }
    *out = policy;
    return CG_OK;
}

cg_err cg_policy_read_json(struct cg_span json, struct cg_policy **out,
                           struct cg_policy_fault *fault)
{
    CG_AUTO(buf) struct cg_buf cbor = {0};

    cg_buf_init(&cbor, CG_POLICY_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&cbor);
    cg_err err = cg_json_to_cbor(json, &w);
    if (err != CG_OK) {
        if (fault)
            *fault = (struct cg_policy_fault){.text = "is not JSON as policies are written: plain "
                                                      "ASCII without escapes, whole numbers, no "
                                                      "doubled keys"};
        return err;
    }
    return cg_policy_read_cbor(cg_buf_span(&cbor), out, fault);
}

void cg_policy_free(struct cg_policy *policy)
{
    if (!policy)
        return;
    cg_arena_done(&policy->arena);
    free(policy);
}

enum cg_policy_kind cg_policy_kind(const struct cg_policy *policy)
{
    return policy->kind;
}

struct cg_span cg_policy_name(const struct cg_policy *policy)
{
    return policy->name;
}

const struct cg_waddr *cg_policy_owner(const struct cg_policy *policy)
{
    return &policy->owner;
}

struct cg_span cg_policy_cbor(const struct cg_policy *policy)
{
    return policy->cbor;
}

const struct cg_hash *cg_policy_hash(const struct cg_policy *policy)
{
    return &policy->hash;
}
