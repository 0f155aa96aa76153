/* cert: a TLSLS certificate, and the reference to it that TLS carries. */
#include "fuzz/fuzz.h"
#include "lib/cert/anchor.h"
#include "lib/cert/issue.h"
#include "lib/cert/payload.h"

#include <jansson.h>

static void reference(struct cg_span wire)
{
    struct cg_cert_ref ref;
    uint8_t again[CG_CERT_REF_BYTES];

    MARK(ref);
    if (cg_cert_ref_read(wire, &ref) != CG_OK) {
        UNTOUCHED(ref);
        return;
    }
    cg_cert_ref_write(&ref, again);
    MUST_SAME(CG_BYTES(again), wire);
}

static void check_json(struct cg_fuzz *in, const struct cg_cert *cert)
{
    struct cg_buf *json = cg_fuzz_buf(in);

    MUST_OK(cg_cert_write_json(cert, json));
    json_t *read = json_loadb((const char *)json->at, json->len, JSON_REJECT_DUPLICATES, NULL);
    MUST(read);
    json_decref(read);
}

/* As a client of just that gateway would; what fails can only be keys and signatures. */
static void verify(const struct cg_cert *cert)
{
    struct cg_cert_checks checks;
    struct cg_did_state did;
    struct cg_cert_expect expect = {
        .now = cert->issued,
        .role = cert->role,
        .leaf_spki = &cert->spki[0],
        .name = cert->names[0],
        .subjects = &cert->subject,
        .n_subjects = 1,
        .logs = &cert->log_id,
        .n_logs = 1,
    };

    MARK(did);
    cg_err err = cg_cert_verify(cg_fuzz_crypto(), cert, &expect, &checks, &did);
    if (err == CG_OK)
        MUST(cg_waddr_eq(&did.waddr, &cert->subject) && !did.is_deactivated);
    else
        UNTOUCHED(did);
    bool is_brief =
        cert->expires.s > cert->issued.s && cert->expires.s - cert->issued.s <= CG_CERT_MAX_SPAN_S;
    for (unsigned i = CG_CERT_ROLE; i < CG_CERT_DID; i++) {
        bool is_asked = i != CG_CERT_NAME || cert->n_names > 0;
        bool is_fine = checks.verdict[i] == (is_asked ? CG_PASSED : CG_NOT_ASKED);
        MUST(is_fine == (is_brief || i < CG_CERT_TIMES));
    }
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);
    struct cg_buf *out = cg_fuzz_buf(in), *payload = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(payload);
    struct cg_cert cert;
    struct cg_cert_ref ref, again;
    char anchor[CG_ANCHOR_CHARS + 1];
    uint8_t bytes[CG_CERT_REF_BYTES];

    reference(wire);
    MARK(cert);
    if (cg_cert_read(wire, &cert) != CG_OK) {
        UNTOUCHED(cert);
        return;
    }
    MUST(cert.n_spki >= 1 && cert.n_spki <= CG_CERT_SPKI_MAX && cert.n_names <= CG_CERT_NAMES_MAX);
    MUST_OK(cg_cert_write(&cert, cert.wallet_doc, cert.staple, out));
    MUST_SAME(cg_buf_span(out), wire);
    cg_cert_anchor(&cert, anchor);
    cg_cert_payload_write(&cert, cg_span_str(anchor), &w);
    MUST_OK(cg_writer_end(&w));
    MUST_SAME(cg_buf_span(payload), cert.payload);
    cg_cert_ref_of(&cert, &ref);
    cg_cert_ref_write(&ref, bytes);
    MUST_OK(cg_cert_ref_read(CG_BYTES(bytes), &again));
    MUST(cg_cert_ref_eq(&ref, &again));
    check_json(in, &cert);
    verify(&cert);
}
