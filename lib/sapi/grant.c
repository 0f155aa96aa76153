#include "lib/sapi/grant.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hsig.h"
#include "lib/crypto/sign.h"
#include "lib/qlock/header.h"
#include "lib/qlock/kit.h"
#include "lib/sapi/modes.h"
#include "lib/wire/tup.h"

#define VERSION 1
#define NAME_MAX_BYTES (8 + CG_AUTHORITY_MAX_BYTES) /* "wallet/" and an authority */

static void read_scope(struct cg_cbor *r, struct cg_grant *out)
{
    size_t n = cg_cbor_array(r, 1, CG_GRANT_SCOPE_MAX);

    for (size_t i = 0; i < n; i++) {
        struct cg_span name = cg_cbor_text(r, NAME_MAX_BYTES);

        if (r->err != CG_OK)
            return;
        if (n == 1 && cg_span_is(name, "*")) {
            out->is_anywhere = true;
            return;
        }
        if (cg_url_check_name(name) != CG_OK)
            cg_cbor_fail(r, CG_SYNTAX);
        out->scope[i] = name;
    }
    out->n_scope = n;
}

static void read_creds(struct cg_cbor *r, struct cg_grant *out)
{
    out->n_creds = cg_cbor_array(r, 1, CG_GRANT_CREDS_MAX);
    for (size_t i = 0; i < out->n_creds; i++)
        out->creds[i] = cg_cbor_bytes(r, CG_CRED_MAX_BYTES);
}

static void copy_bytes(struct cg_cbor *r, uint8_t *out, size_t n)
{
    const uint8_t *at = cg_cbor_bytes_n(r, n);

    if (at)
        memcpy(out, at, n);
}

static void read_session_id(struct cg_cbor *r, struct cg_grant *out)
{
    struct cg_span text = cg_cbor_text(r, CG_SESSION_ID_CHARS);

    if (r->err == CG_OK)
        cg_cbor_fail(r, cg_session_id_read(text, out->session_id));
}

static void read_wallet(struct cg_cbor *r, struct cg_waddr *out)
{
    struct cg_span text = cg_cbor_text(r, CG_WADDR_CHARS);

    if (r->err == CG_OK)
        cg_cbor_fail(r, cg_waddr_read(text, out));
}

cg_err cg_grant_read(struct cg_span wire, struct cg_grant *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_grant got = {0};
    size_t n_pairs = cg_cbor_map(&r, 13, 15), n_optional = 0;

    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != VERSION)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "cb");
    cg_cbor_hash(&r, &got.cb);
    if (cg_cbor_key_maybe(&r, "creds")) {
        read_creds(&r, &got);
        n_optional++;
    }
    cg_cbor_key(&r, "modes");
    cg_modes_read(&r, &got.modes);
    cg_cbor_key(&r, "nonce");
    copy_bytes(&r, got.nonce, sizeof got.nonce);
    cg_cbor_key(&r, "scope");
    read_scope(&r, &got);
    cg_cbor_key(&r, "epochs");
    cg_epochs_read(&r, &got.epochs);
    cg_cbor_key(&r, "spki_hash");
    cg_cbor_hash(&r, &got.spki);
    cg_cbor_key(&r, "timestamp");
    got.timestamp = cg_cbor_uint(&r);
    cg_cbor_key(&r, "tlsls_fpr");
    cg_cbor_hash(&r, &got.fingerprint);
    cg_cbor_key(&r, "session_id");
    read_session_id(&r, &got);
    cg_cbor_key(&r, "epoch_start");
    got.epoch_start = cg_cbor_uint(&r);
    cg_cbor_key(&r, "session_key");
    copy_bytes(&r, got.session_key, sizeof got.session_key);
    if (cg_cbor_key_maybe(&r, "client_tlsls")) {
        got.client_tlsls = cg_cbor_bytes(&r, CG_DOCUMENT_MAX_BYTES);
        n_optional++;
    }
    cg_cbor_key(&r, "wallet_address");
    read_wallet(&r, &got.wallet);
    if (n_pairs != 13 + n_optional)
        cg_cbor_fail(&r, CG_SCHEMA);
    CG_TRY(cg_cbor_end(&r));
    *out = got;
    return CG_OK;
}

static void put_scope(struct cg_writer *w, const struct cg_grant *grant)
{
    size_t n = grant->is_anywhere ? 1 : grant->n_scope;

    if (n == 0 || n > CG_GRANT_SCOPE_MAX || (grant->is_anywhere && grant->n_scope > 0)) {
        cg_writer_fail(w, CG_SCHEMA);
        return;
    }
    cg_cbor_put_array(w, n);
    if (grant->is_anywhere)
        cg_cbor_put_text(w, CG_LIT("*"));
    for (size_t i = 0; i < grant->n_scope; i++) {
        if (cg_url_check_name(grant->scope[i]) != CG_OK)
            cg_writer_fail(w, CG_SCHEMA);
        cg_cbor_put_text(w, grant->scope[i]);
    }
}

static void put_creds(struct cg_writer *w, const struct cg_grant *grant)
{
    if (grant->n_creds > CG_GRANT_CREDS_MAX) {
        cg_writer_fail(w, CG_SCHEMA);
        return;
    }
    cg_cbor_put_key(w, "creds");
    cg_cbor_put_array(w, grant->n_creds);
    for (size_t i = 0; i < grant->n_creds; i++) {
        if (grant->creds[i].len > CG_CRED_MAX_BYTES)
            cg_writer_fail(w, CG_TOO_LARGE);
        cg_cbor_put_bytes(w, grant->creds[i]);
    }
}

cg_err cg_grant_write(const struct cg_grant *grant, struct cg_buf *out)
{
    struct cg_writer w = cg_writer_into(out);
    size_t before = out->len;
    bool has_creds = grant->n_creds > 0, has_tlsls = grant->client_tlsls.len > 0;

    cg_cbor_put_map(&w, 13 + (size_t)has_creds + (size_t)has_tlsls);
    cg_cbor_put_key(&w, "v");
    cg_cbor_put_uint(&w, VERSION);
    cg_cbor_put_key(&w, "cb");
    cg_cbor_put_hash(&w, &grant->cb);
    if (has_creds)
        put_creds(&w, grant);
    cg_cbor_put_key(&w, "modes");
    cg_modes_put(&w, grant->modes);
    cg_cbor_put_key(&w, "nonce");
    cg_cbor_put_bytes(&w, CG_BYTES(grant->nonce));
    cg_cbor_put_key(&w, "scope");
    put_scope(&w, grant);
    cg_cbor_put_key(&w, "epochs");
    cg_epochs_put(&w, grant->epochs);
    cg_cbor_put_key(&w, "spki_hash");
    cg_cbor_put_hash(&w, &grant->spki);
    cg_cbor_put_key(&w, "timestamp");
    cg_cbor_put_uint(&w, grant->timestamp);
    cg_cbor_put_key(&w, "tlsls_fpr");
    cg_cbor_put_hash(&w, &grant->fingerprint);
    cg_cbor_put_key(&w, "session_id");
    cg_cbor_put_text(&w, cg_span_of(grant->session_id, CG_SESSION_ID_CHARS));
    cg_cbor_put_key(&w, "epoch_start");
    cg_cbor_put_uint(&w, grant->epoch_start);
    cg_cbor_put_key(&w, "session_key");
    cg_cbor_put_bytes(&w, CG_BYTES(grant->session_key));
    if (has_tlsls) {
        cg_cbor_put_key(&w, "client_tlsls");
        cg_cbor_put_bytes(&w, grant->client_tlsls);
    }
    cg_cbor_put_key(&w, "wallet_address");
    cg_cbor_put_text(&w, cg_span_of(grant->wallet.text, CG_WADDR_CHARS));
    if (w.err != CG_OK)
        out->len = before;
    return cg_writer_end(&w);
}

cg_err cg_grant_hash(struct cg_kit *kit, struct cg_span grant, struct cg_hash *out)
{
    uint8_t head[64];
    struct cg_writer w = cg_writer_fixed(head, sizeof head);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-grant-hash/v1", 1);

    cg_tup_open(&t, grant.len);
    CG_TRY(cg_tup_end(&t));
    CG_TRY(cg_hasher_begin(kit->hasher));
    CG_TRY(cg_hasher_add(kit->hasher, cg_writer_span(&w)));
    CG_TRY(cg_hasher_add(kit->hasher, grant));
    return cg_hasher_end(kit->hasher, out);
}

bool cg_scope_covers(const struct cg_span *names, size_t n_names, const struct cg_url *url)
{
    struct cg_span plane = cg_span_str(cg_plane_name(url->plane));

    for (size_t i = 0; i < n_names; i++) {
        struct cg_span name = names[i];

        if (name.len == plane.len + 1 + url->authority.len && cg_span_starts(name, plane) &&
            name.at[plane.len] == '/' && cg_span_ends(name, url->authority))
            return true;
    }
    return false;
}

cg_err cg_grant_body_read(struct cg_span wire, struct cg_grant_body *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_grant_body got;

    cg_cbor_array(&r, 3, 3);
    got.grant = cg_cbor_bytes(&r, CG_DOCUMENT_MAX_BYTES);
    got.wallet_doc = cg_cbor_bytes(&r, CG_DOCUMENT_MAX_BYTES);
    got.signature = cg_span_of(cg_cbor_bytes_n(&r, CG_HSIG_BYTES), CG_HSIG_BYTES);
    CG_TRY(cg_cbor_end(&r));
    *out = got;
    return CG_OK;
}

cg_err cg_grant_body_write(const struct cg_grant_body *body, struct cg_buf *out)
{
    struct cg_writer w = cg_writer_into(out);
    size_t before = out->len;

    cg_cbor_put_array(&w, 3);
    cg_cbor_put_bytes(&w, body->grant);
    cg_cbor_put_bytes(&w, body->wallet_doc);
    cg_cbor_put_bytes(&w, body->signature);
    if (w.err != CG_OK)
        out->len = before;
    return cg_writer_end(&w);
}

cg_err cg_grant_sign(const struct cg_signer *identity, struct cg_span grant,
                     uint8_t out[static CG_HSIG_BYTES])
{
    return cg_hsig_sign(identity, CG_HSIG_GRANT, grant, out);
}

cg_err cg_grant_verify(const struct cg_crypto *crypto, const struct cg_grant_body *body,
                       const struct cg_grant *grant, struct cg_did_state *out_did)
{
    struct cg_verifier *verifier;
    struct cg_did_state did;

    CG_TRY(cg_did_check(crypto, body->wallet_doc, &grant->wallet, &did));
    if (did.is_deactivated)
        return CG_REVOKED;
    CG_TRY(cg_ed25519_key_check(grant->session_key));
    CG_TRY(cg_verifier_new(crypto, &did.keys, &verifier));
    cg_err err = cg_hsig_verify(verifier, CG_HSIG_GRANT, body->grant, body->signature);
    cg_verifier_free(verifier);
    CG_TRY(err);
    *out_did = did;
    return CG_OK;
}
