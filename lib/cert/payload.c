#include "lib/cert/payload.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/url/authority.h"
#include "lib/wire/cbor.h"

#include <assert.h>

static const char *const roles[CG_ROLE_COUNT] = {
    [CG_ROLE_GATEWAY] = "gateway",   [CG_ROLE_RP] = "rp",         [CG_ROLE_RELAY] = "relay",
    [CG_ROLE_REGISTRY] = "registry", [CG_ROLE_WALLET] = "wallet", [CG_ROLE_M2M] = "m2m",
};

const char *cg_role_name(enum cg_role role)
{
    assert((size_t)role < CG_ROLE_COUNT);
    return roles[role];
}

static enum cg_role take_role(struct cg_cbor *r)
{
    struct cg_span text = cg_cbor_text(r, 16);

    for (size_t i = 0; i < CG_ROLE_COUNT; i++)
        if (cg_span_is(text, roles[i]))
            return (enum cg_role)i;
    cg_cbor_fail(r, CG_SCHEMA);
    return CG_ROLE_GATEWAY;
}

static struct cg_wall take_time(struct cg_cbor *r)
{
    uint64_t s = cg_cbor_uint(r);

    if (s > INT64_MAX)
        cg_cbor_fail(r, CG_SCHEMA);
    return (struct cg_wall){s > INT64_MAX ? 0 : (int64_t)s};
}

static void take_spki(struct cg_cbor *r, struct cg_cert *out)
{
    out->n_spki = cg_cbor_array(r, 1, CG_CERT_SPKI_MAX);
    for (size_t i = 0; i < out->n_spki; i++)
        cg_cbor_hash(r, &out->spki[i]);
}

static void take_names(struct cg_cbor *r, struct cg_cert *out)
{
    out->n_names = cg_cbor_array(r, 0, CG_CERT_NAMES_MAX);
    for (size_t i = 0; i < out->n_names; i++) {
        out->names[i] = cg_cbor_text(r, CG_AUTHORITY_MAX_BYTES);
        if (r->err == CG_OK && cg_authority_check(CG_PLANE_APP, out->names[i]))
            cg_cbor_fail(r, CG_SYNTAX);
    }
}

/* The members that are texts with a form of their own, looked at when all were read. */
struct texts {
    struct cg_span anchor, issuer, policy_hash, subject;
};

static cg_err read_texts(const struct texts *texts, struct cg_cert *out)
{
    struct cg_anchor anchor;
    struct cg_waddr issuer;

    CG_TRY(cg_anchor_read(texts->anchor, &anchor));
    CG_TRY(cg_hex_read(texts->policy_hash, out->policy_hash.bytes, CG_HASH_BYTES));
    CG_TRY(cg_did_read(texts->subject, &out->subject));
    CG_TRY(cg_did_read(texts->issuer, &issuer));
    out->log_id = anchor.log_id;
    out->anchor = anchor.commitment;
    /* Version 1 knows only DIDs that vouch for themselves. */
    return cg_waddr_eq(&issuer, &out->subject) ? CG_OK : CG_MISMATCH;
}

cg_err cg_cert_payload_read(struct cg_span payload, struct cg_cert *out)
{
    struct cg_cbor r = cg_cbor_of(payload);
    struct texts texts;

    cg_cbor_map(&r, 13, 13);
    cg_cbor_key(&r, "v");
    if (cg_cbor_uint(&r) != 1)
        cg_cbor_fail(&r, CG_VERSION);
    cg_cbor_key(&r, "role");
    out->role = take_role(&r);
    cg_cbor_key(&r, "spki");
    take_spki(&r, out);
    cg_cbor_key(&r, "names");
    take_names(&r, out);
    cg_cbor_key(&r, "serial");
    const uint8_t *serial = cg_cbor_bytes_n(&r, CG_CERT_SERIAL_BYTES);
    cg_cbor_key(&r, "issued_at");
    out->issued = take_time(&r);
    cg_cbor_key(&r, "bpi_anchor");
    texts.anchor = cg_cbor_text(&r, CG_ANCHOR_CHARS);
    cg_cbor_key(&r, "expires_at");
    out->expires = take_time(&r);
    cg_cbor_key(&r, "issuer_did");
    texts.issuer = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "policy_hash");
    texts.policy_hash = cg_cbor_text(&r, 2 * CG_HASH_BYTES);
    cg_cbor_key(&r, "subject_did");
    texts.subject = cg_cbor_text(&r, CG_DID_CHARS);
    cg_cbor_key(&r, "public_key_ed25519");
    const uint8_t *ed = cg_cbor_bytes_n(&r, CG_ED25519_KEY_BYTES);
    cg_cbor_key(&r, "public_key_dilithium");
    const uint8_t *ml = cg_cbor_bytes_n(&r, CG_MLDSA87_KEY_BYTES);
    CG_TRY(cg_cbor_end(&r));

    memcpy(out->serial, serial, CG_CERT_SERIAL_BYTES);
    memcpy(out->transport.ed25519, ed, CG_ED25519_KEY_BYTES);
    memcpy(out->transport.mldsa87, ml, CG_MLDSA87_KEY_BYTES);
    return read_texts(&texts, out);
}

void cg_cert_payload_write(const struct cg_cert *cert, struct cg_span anchor, struct cg_writer *w)
{
    char did[CG_DID_CHARS + 1], policy_hash[2 * CG_HASH_BYTES];

    cg_did_write(&cert->subject, did);
    cg_hex_write(cg_hash_span(&cert->policy_hash), policy_hash);
    cg_cbor_put_map(w, 13);
    cg_cbor_put_key(w, "v");
    cg_cbor_put_uint(w, 1);
    cg_cbor_put_key(w, "role");
    cg_cbor_put_text(w, cg_span_str(cg_role_name(cert->role)));
    cg_cbor_put_key(w, "spki");
    cg_cbor_put_array(w, cert->n_spki);
    for (size_t i = 0; i < cert->n_spki; i++)
        cg_cbor_put_hash(w, &cert->spki[i]);
    cg_cbor_put_key(w, "names");
    cg_cbor_put_array(w, cert->n_names);
    for (size_t i = 0; i < cert->n_names; i++)
        cg_cbor_put_text(w, cert->names[i]);
    cg_cbor_put_key(w, "serial");
    cg_cbor_put_bytes(w, CG_BYTES(cert->serial));
    cg_cbor_put_key(w, "issued_at");
    cg_cbor_put_uint(w, (uint64_t)cert->issued.s);
    cg_cbor_put_key(w, "bpi_anchor");
    cg_cbor_put_text(w, anchor);
    cg_cbor_put_key(w, "expires_at");
    cg_cbor_put_uint(w, (uint64_t)cert->expires.s);
    cg_cbor_put_key(w, "issuer_did");
    cg_cbor_put_text(w, cg_span_str(did));
    cg_cbor_put_key(w, "policy_hash");
    cg_cbor_put_text(w, cg_span_of(policy_hash, sizeof policy_hash));
    cg_cbor_put_key(w, "subject_did");
    cg_cbor_put_text(w, cg_span_str(did));
    cg_cbor_put_key(w, "public_key_ed25519");
    cg_cbor_put_bytes(w, CG_BYTES(cert->transport.ed25519));
    cg_cbor_put_key(w, "public_key_dilithium");
    cg_cbor_put_bytes(w, CG_BYTES(cert->transport.mldsa87));
}

cg_err cg_cert_commitment(const struct cg_cert *cert, struct cg_hash *out)
{
    uint8_t room[CG_CERT_PAYLOAD_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    cg_cert_payload_write(cert, CG_LIT(""), &w);
    CG_TRY(cg_writer_end(&w));
    return cg_anchor_commit("tlsls", cg_writer_span(&w), out);
}
