#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/cert/issue.h"
#include "lib/wire/json.h"

static void put_hex(struct cg_writer *w, const char *name, struct cg_span a, struct cg_span b)
{
    cg_json_put_key(w, name, false);
    cg_put_u8(w, '"');
    cg_put_hex(w, a);
    cg_put_hex(w, b);
    cg_put_u8(w, '"');
}

static void put_text(struct cg_writer *w, const char *name, const char *text)
{
    cg_json_put_key(w, name, false);
    cg_json_put_text(w, cg_span_str(text));
}

static void put_time(struct cg_writer *w, const char *name, struct cg_wall time)
{
    cg_json_put_key(w, name, false);
    cg_put_decimal(w, (uint64_t)time.s);
}

static void put_lists(struct cg_writer *w, const struct cg_cert *cert)
{
    cg_json_put_key(w, "spki", false);
    for (size_t i = 0; i < cert->n_spki; i++) {
        cg_put_str(w, i == 0 ? "[\"" : "\",\"");
        cg_put_hex(w, cg_hash_span(&cert->spki[i]));
    }
    cg_put_str(w, "\"]");
    cg_json_put_key(w, "names", false);
    cg_put_u8(w, '[');
    for (size_t i = 0; i < cert->n_names; i++) {
        if (i > 0)
            cg_put_u8(w, ',');
        cg_json_put_text(w, cert->names[i]);
    }
    cg_put_u8(w, ']');
}

cg_err cg_cert_write_json(const struct cg_cert *cert, struct cg_buf *out)
{
    const struct cg_span nothing = {NULL, 0};
    size_t before = out->len;
    struct cg_writer w = cg_writer_into(out);
    char did[CG_DID_CHARS + 1], anchor[CG_ANCHOR_CHARS + 1];

    cg_did_write(&cert->subject, did);
    cg_cert_anchor(cert, anchor);
    cg_put_str(&w, "{\"v\":1");
    put_text(&w, "role", cg_role_name(cert->role));
    put_text(&w, "subject_did", did);
    put_text(&w, "issuer_did", did);
    put_hex(&w, "public_key_ed25519", CG_BYTES(cert->transport.ed25519), nothing);
    put_hex(&w, "public_key_dilithium", CG_BYTES(cert->transport.mldsa87), nothing);
    put_hex(&w, "policy_hash", cg_hash_span(&cert->policy_hash), nothing);
    put_text(&w, "bpi_anchor", anchor);
    put_time(&w, "issued_at", cert->issued);
    put_time(&w, "expires_at", cert->expires);
    put_lists(&w, cert);
    put_hex(&w, "serial", CG_BYTES(cert->serial), nothing);
    put_hex(&w, "signature", cert->sig_ed25519, cert->sig_mldsa87);
    cg_put_u8(&w, '}');
    cg_err err = cg_writer_end(&w);
    if (err != CG_OK)
        out->len = before;
    return err;
}
