#include "registry/ask.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/staple.h"
#include "lib/wire/cbor.h"

/* Proofs are a matter of milliseconds. */
#define PROOF_MS 5000

static struct cg_mono after(struct rg_registry *registry, int64_t ms)
{
    return cg_mono_after(cg_loop_mono(registry->setup.loop), ms);
}

cg_err rg_ask_staple(struct rg_registry *registry, const char *by, struct cg_span value,
                     struct cg_ticket who, unsigned tag)
{
    char path[64 + RG_NAME_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    /* Names and DIDs need no percent-encoding. */
    cg_put_str(&w, "/staple?");
    cg_put_str(&w, by);
    cg_put_str(&w, "=");
    cg_put(&w, value);
    CG_TRY(cg_writer_end(&w));
    return cg_endpoint_begin(registry->setup.ledger, CG_LIT("GET"), cg_writer_span(&w), NULL, 0,
                             CG_LIT(""), who, tag, after(registry, PROOF_MS));
}

cg_err rg_ask_submit(struct rg_registry *registry, struct cg_span object, struct cg_ticket who,
                     unsigned tag)
{
    const struct cg_field type = {.token = CG_TOKEN_CONTENT_TYPE,
                                  .value = CG_LIT("application/cbor")};

    return cg_endpoint_begin(registry->setup.ledger, CG_LIT("POST"), CG_LIT("/submit"), &type, 1,
                             object, who, tag, after(registry, registry->setup.options->ledger_ms));
}

/* What came, if it is an answer of status 200. */
static cg_err take(struct cg_call *call, const struct cg_answer **out)
{
    const struct cg_answer *answer = cg_answer_of(call);

    if (!answer)
        return cg_err_fault(call->err) == CG_FAULT_OURS ? call->err : CG_BUSY;
    *out = answer;
    switch (answer->head->status) {
    case 200:
        return CG_OK;
    case 409:
        return CG_CONFLICT;
    case 422:
        return CG_DENIED;
    case 202:
    case 429:
        return CG_BUSY;
    default:
        return answer->head->status >= 500 ? CG_BUSY : CG_PROTOCOL;
    }
}

cg_err rg_told_staple(struct cg_call *call, struct cg_arena *arena, struct cg_span *out)
{
    const struct cg_answer *answer = NULL;
    cg_err err = take(call, &answer);

    if (err == CG_CONFLICT || err == CG_DENIED)
        return CG_PROTOCOL;
    CG_TRY(err);
    return cg_arena_copy(arena, answer->body, out);
}

cg_err rg_told_logged(struct cg_call *call, struct cg_arena *arena, uint64_t *out_index,
                      struct cg_span *out_staple)
{
    const struct cg_answer *answer = NULL;

    CG_TRY(take(call, &answer));
    struct cg_cbor r = cg_cbor_of(answer->body);
    cg_cbor_map(&r, 3, 3);
    cg_cbor_key(&r, "entry");
    (void)cg_cbor_bytes(&r, CG_ENTRY_MAX_BYTES);
    cg_cbor_key(&r, "index");
    uint64_t index = cg_cbor_uint(&r);
    cg_cbor_key(&r, "staple");
    struct cg_span staple = cg_cbor_bytes(&r, CG_STAPLE_MAX_BYTES);
    if (cg_cbor_end(&r) != CG_OK)
        return CG_PROTOCOL;
    CG_TRY(cg_arena_copy(arena, staple, out_staple));
    *out_index = index;
    return CG_OK;
}
