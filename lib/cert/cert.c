#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/cert/issue.h"
#include "lib/cert/payload.h"
#include "lib/crypto/hash.h"
#include "lib/identity/cose.h"
#include "lib/url/authority.h"
#include "lib/wire/tup.h"

/* Of what is signed and nothing else: a refreshed staple or a second signing of the same content
 * does not change it, and revoking it revokes them all. */
static cg_err fingerprint(struct cg_span body_protected, struct cg_span payload,
                          struct cg_hash *out)
{
    uint8_t room[CG_CERT_PAYLOAD_MAX_BYTES + 256];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-tlsls-fpr/v1", 2);

    cg_tup_bytes(&t, body_protected);
    cg_tup_bytes(&t, payload);
    CG_TRY(cg_tup_end(&t));
    return cg_sha256(cg_writer_span(&w), out);
}

cg_err cg_cert_read(struct cg_span wire, struct cg_cert *out)
{
    struct cg_cose cose;
    struct cg_cert got = {0};

    CG_TRY(cg_cose_read(wire, CG_DOC_TLSLS, &cose));
    CG_TRY(cg_cert_payload_read(cose.payload, &got));
    CG_TRY(fingerprint(cose.body_protected, cose.payload, &got.fingerprint));
    got.body_protected = cose.body_protected;
    got.payload = cose.payload;
    got.sig_ed25519 = cose.sig_ed25519;
    got.sig_mldsa87 = cose.sig_mldsa87;
    got.wallet_doc = cose.wallet_doc;
    got.staple = cose.staple;
    *out = got;
    return CG_OK;
}

cg_err cg_cert_write(const struct cg_cert *cert, struct cg_span wallet_doc, struct cg_span staple,
                     struct cg_buf *out)
{
    struct cg_cose cose = {
        .type = CG_DOC_TLSLS,
        .body_protected = cert->body_protected,
        .payload = cert->payload,
        .sig_ed25519 = cert->sig_ed25519,
        .sig_mldsa87 = cert->sig_mldsa87,
        .wallet_doc = wallet_doc,
        .staple = staple,
    };

    return cg_cose_write(&cose, out);
}

void cg_cert_anchor(const struct cg_cert *cert, char out[CG_ANCHOR_CHARS + 1])
{
    struct cg_anchor anchor = {.log_id = cert->log_id, .commitment = cert->anchor};

    cg_anchor_write(&anchor, out);
}

static cg_err check_ask(const struct cg_cert_ask *ask)
{
    if (ask->n_spki == 0 || ask->n_spki > CG_CERT_SPKI_MAX || ask->n_names > CG_CERT_NAMES_MAX ||
        (size_t)ask->role >= CG_ROLE_COUNT)
        return CG_SCHEMA;
    for (size_t i = 0; i < ask->n_names; i++)
        if (cg_authority_check(CG_PLANE_APP, ask->names[i]))
            return CG_SYNTAX;
    if (ask->issued.s < 0 || ask->expires.s <= ask->issued.s)
        return CG_SCHEMA;
    return ask->expires.s - ask->issued.s <= CG_CERT_MAX_SPAN_S ? CG_OK : CG_TOO_LARGE;
}

cg_err cg_cert_issue(const struct cg_signer *identity, const struct cg_cert_ask *ask,
                     struct cg_span wallet_doc, struct cg_span staple, struct cg_buf *out)
{
    struct cg_cert cert = {
        .role = ask->role,
        .subject = *ask->subject,
        .transport = *ask->transport,
        .policy_hash = ask->policy_hash,
        .log_id = ask->log_id,
        .issued = ask->issued,
        .expires = ask->expires,
        .n_spki = ask->n_spki,
        .n_names = ask->n_names,
    };
    uint8_t room[CG_CERT_PAYLOAD_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    char anchor[CG_ANCHOR_CHARS + 1];

    CG_TRY(check_ask(ask));
    memcpy(cert.spki, ask->spki, ask->n_spki * sizeof ask->spki[0]);
    for (size_t i = 0; i < ask->n_names; i++)
        cert.names[i] = ask->names[i];
    memcpy(cert.serial, ask->serial, CG_CERT_SERIAL_BYTES);
    CG_TRY(cg_cert_commitment(&cert, &cert.anchor));
    cg_cert_anchor(&cert, anchor);
    cg_cert_payload_write(&cert, cg_span_str(anchor), &w);
    CG_TRY(cg_writer_end(&w));
    return cg_cose_issue(identity, CG_DOC_TLSLS, cg_writer_span(&w), wallet_doc, staple, out);
}
