#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/qlock/kit.h"
#include "lib/sapi/grant.h"
#include "lib/sapi/modes.h"
#include "lib/wire/tup.h"

#define VERSION 1

void cg_modes_read(struct cg_cbor *r, unsigned *out)
{
    size_t n = cg_cbor_array(r, 0, 2);
    unsigned modes = 0;

    for (size_t i = 0; i < n; i++) {
        enum cg_sapi_mode mode = CG_SAPI_NONE;

        if (cg_sapi_mode_read(cg_cbor_text(r, 16), &mode) != CG_OK)
            cg_cbor_fail(r, CG_UNKNOWN);
        if ((CG_MODE_BIT(mode) & CG_MODES_LISTED) == 0 || (modes & CG_MODE_BIT(mode)) != 0)
            cg_cbor_fail(r, CG_SCHEMA);
        modes |= CG_MODE_BIT(mode);
    }
    *out = modes;
}

void cg_modes_put(struct cg_writer *w, unsigned modes)
{
    const enum cg_sapi_mode listed[] = {CG_SAPI_GRANT, CG_SAPI_ED25519};
    size_t n = 0;

    if ((modes & ~CG_MODES_LISTED) != 0)
        cg_writer_fail(w, CG_SCHEMA);
    for (size_t i = 0; i < 2; i++)
        n += (modes & CG_MODE_BIT(listed[i])) != 0;
    cg_cbor_put_array(w, n);
    for (size_t i = 0; i < 2; i++)
        if ((modes & CG_MODE_BIT(listed[i])) != 0)
            cg_cbor_put_text(w, cg_span_str(cg_sapi_mode_name(listed[i])));
}

void cg_epochs_read(struct cg_cbor *r, uint32_t *out)
{
    uint64_t epochs = cg_cbor_uint(r);

    if (epochs < 1 || epochs > CG_GRANT_EPOCHS_MAX) {
        cg_cbor_fail(r, CG_SCHEMA);
        return;
    }
    *out = (uint32_t)epochs;
}

void cg_epochs_put(struct cg_writer *w, uint32_t epochs)
{
    if (epochs < 1 || epochs > CG_GRANT_EPOCHS_MAX)
        cg_writer_fail(w, CG_SCHEMA);
    cg_cbor_put_uint(w, epochs);
}

static void read_did(struct cg_cbor *r, struct cg_waddr *out)
{
    struct cg_span text = cg_cbor_text(r, CG_DID_CHARS);

    if (r->err == CG_OK)
        cg_cbor_fail(r, cg_did_read(text, out));
}

static void read_hex_hash(struct cg_cbor *r, struct cg_hash *out)
{
    struct cg_span text = cg_cbor_text(r, 2 * CG_HASH_BYTES);

    if (r->err == CG_OK)
        cg_cbor_fail(r, cg_hex_read(text, out->bytes, CG_HASH_BYTES));
}

cg_err cg_grant_answer_read(struct cg_span wire, struct cg_grant_answer *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_grant_answer got = {0};

    cg_cbor_map(&r, 8, 8);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != VERSION)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "modes");
    cg_modes_read(&r, &got.modes);
    cg_cbor_key(&r, "epochs");
    cg_epochs_read(&r, &got.epochs);
    cg_cbor_key(&r, "h2_ping");
    got.h2_ping = cg_cbor_bool(&r);
    cg_cbor_key(&r, "grant_hash");
    cg_cbor_hash(&r, &got.grant_hash);
    cg_cbor_key(&r, "server_did");
    read_did(&r, &got.server);
    cg_cbor_key(&r, "policy_hash");
    read_hex_hash(&r, &got.policy_hash);
    cg_cbor_key(&r, "server_time");
    got.server_time = cg_cbor_uint(&r);
    CG_TRY(cg_cbor_end(&r));
    *out = got;
    return CG_OK;
}

cg_err cg_grant_answer_write(const struct cg_grant_answer *answer, struct cg_buf *out)
{
    struct cg_writer w = cg_writer_into(out);
    size_t before = out->len;
    char did[CG_DID_CHARS + 1], policy[2 * CG_HASH_BYTES];

    cg_did_write(&answer->server, did);
    cg_hex_write(cg_hash_span(&answer->policy_hash), policy);
    cg_cbor_put_map(&w, 8);
    cg_cbor_put_key(&w, "v");
    cg_cbor_put_uint(&w, VERSION);
    cg_cbor_put_key(&w, "modes");
    cg_modes_put(&w, answer->modes);
    cg_cbor_put_key(&w, "epochs");
    cg_epochs_put(&w, answer->epochs);
    cg_cbor_put_key(&w, "h2_ping");
    cg_cbor_put_bool(&w, answer->h2_ping);
    cg_cbor_put_key(&w, "grant_hash");
    cg_cbor_put_hash(&w, &answer->grant_hash);
    cg_cbor_put_key(&w, "server_did");
    cg_cbor_put_text(&w, cg_span_of(did, CG_DID_CHARS));
    cg_cbor_put_key(&w, "policy_hash");
    cg_cbor_put_text(&w, cg_span_of(policy, sizeof policy));
    cg_cbor_put_key(&w, "server_time");
    cg_cbor_put_uint(&w, answer->server_time);
    if (w.err != CG_OK)
        out->len = before;
    return cg_writer_end(&w);
}

cg_err cg_grant_reply_read(struct cg_span wire, struct cg_grant_reply *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_grant_reply got;

    cg_cbor_array(&r, 3, 3);
    got.answer = cg_cbor_bytes(&r, CG_DOCUMENT_MAX_BYTES);
    got.confirm = cg_span_of(cg_cbor_bytes_n(&r, CG_HASH_BYTES), CG_HASH_BYTES);
    got.proof = cg_cbor_bytes(&r, CG_BATCH_MAX_BYTES);
    CG_TRY(cg_cbor_end(&r));
    *out = got;
    return CG_OK;
}

cg_err cg_grant_reply_write(const struct cg_grant_reply *reply, struct cg_buf *out)
{
    struct cg_writer w = cg_writer_into(out);
    size_t before = out->len;

    cg_cbor_put_array(&w, 3);
    cg_cbor_put_bytes(&w, reply->answer);
    cg_cbor_put_bytes(&w, reply->confirm);
    cg_cbor_put_bytes(&w, reply->proof);
    if (w.err != CG_OK)
        out->len = before;
    return cg_writer_end(&w);
}

cg_err cg_proof_tbs(struct cg_kit *kit, const struct cg_hash *cb, const struct cg_hash *grant_hash,
                    struct cg_span answer, uint8_t out[static CG_PROOF_TBS_BYTES])
{
    struct cg_writer w = cg_writer_fixed(out, CG_PROOF_TBS_BYTES);
    struct cg_hash answer_hash;

    CG_TRY(cg_hasher_whole(kit->hasher, answer, &answer_hash));
    struct cg_tup t = cg_tup_begin(&w, "httpcg-channel-proof/v1", 3);
    cg_tup_hash(&t, cb);
    cg_tup_hash(&t, grant_hash);
    cg_tup_hash(&t, &answer_hash);
    return cg_tup_end(&t);
}

cg_err cg_proof_verify(const struct cg_verifier *transport, struct cg_span tbs,
                       struct cg_span proof)
{
    return cg_batch_verify(transport, CG_HSIG_CHANNEL_PROOF, tbs, proof);
}
