#include "lib/identity/cose.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hybrid.h"
#include "lib/wire/cbor.h"
#include "lib/wire/tup.h"

#include <assert.h>

/* RFC 9052's registered numbers: the tag, and the header labels "crit" and "typ" (RFC 9596). */
#define TAG_SIGN 98
#define HEADER_CRIT 2
#define HEADER_TYP 16
#define BODY_MAX_BYTES 64

static const struct {
    const char *label;
    const char *media_type;
} types[CG_DOC_COUNT] = {
    [CG_DOC_TLSLS] = {"httpcg-tlsls/v1", "application/tlsls+cose"},
    [CG_DOC_DIDOP] = {"httpcg-didop/v1", "application/didop+cose"},
    [CG_DOC_POLICY] = {"httpcg-policy/v1", "application/policy+cose"},
    [CG_DOC_RELAY] = {"httpcg-relay/v1", "application/relay+cose"},
    [CG_DOC_RELAYLIST] = {"httpcg-relaylist/v1", "application/relaylist+cose"},
    [CG_DOC_SERVICE] = {"httpcg-service/v1", "application/service+cose"},
    [CG_DOC_REVOKE] = {"httpcg-revoke/v1", "application/revoke+cose"},
    [CG_DOC_ROLE] = {"httpcg-role/v1", "application/role+cose"},
    [CG_DOC_KEM] = {"httpcg-kem/v1", "application/kem+cose"},
    [CG_DOC_MANIFEST] = {"httpcg-manifest/v1", "application/manifest+cose"},
};

/* The two signers in their one order, with the header each protects: {1: -19} and {1: -50}. */
static const struct signer {
    enum cg_alg alg;
    uint8_t protected_bytes[4];
    size_t protected_len;
} signers[2] = {
    {CG_ALG_ED25519, {0xa1, 0x01, 0x32}, 3},
    {CG_ALG_MLDSA87, {0xa1, 0x01, 0x38, 0x31}, 4},
};

const char *cg_doc_label(enum cg_doc_type type)
{
    assert((size_t)type < CG_DOC_COUNT);
    return types[type].label;
}

const char *cg_doc_media_type(enum cg_doc_type type)
{
    assert((size_t)type < CG_DOC_COUNT);
    return types[type].media_type;
}

static struct cg_span signer_protected(const struct signer *signer)
{
    return cg_span_of(signer->protected_bytes, signer->protected_len);
}

/* There is exactly one body header a type can have, so it is compared and never interpreted. */
static struct cg_span body_header(enum cg_doc_type type, uint8_t room[static BODY_MAX_BYTES])
{
    struct cg_writer w = cg_writer_fixed(room, BODY_MAX_BYTES);

    cg_cbor_put_map(&w, 3);
    cg_cbor_put_uint(&w, HEADER_CRIT);
    cg_cbor_put_array(&w, 1);
    cg_cbor_put_text(&w, CG_LIT("hsig"));
    cg_cbor_put_uint(&w, HEADER_TYP);
    cg_cbor_put_text(&w, cg_span_str(cg_doc_media_type(type)));
    cg_cbor_put_key(&w, "hsig");
    cg_cbor_put_array(&w, 2);
    for (size_t i = 0; i < 2; i++)
        cg_cbor_put_int(&w, cg_alg_info_of(signers[i].alg)->cose);
    assert(cg_writer_end(&w) == CG_OK);
    return cg_writer_span(&w);
}

/* RFC 9052, 4.4: what one signer signs. */
static cg_err sig_structure(enum cg_doc_type type, struct cg_span body_protected,
                            struct cg_span payload, const struct signer *signer, struct cg_buf *out)
{
    cg_buf_clear(out);
    struct cg_writer w = cg_writer_into(out);

    cg_cbor_put_array(&w, 5);
    cg_cbor_put_text(&w, CG_LIT("Signature"));
    cg_cbor_put_bytes(&w, body_protected);
    cg_cbor_put_bytes(&w, signer_protected(signer));
    cg_cbor_put_bytes(&w, cg_span_str(cg_doc_label(type)));
    cg_cbor_put_bytes(&w, payload);
    return cg_writer_end(&w);
}

cg_err cg_cose_issue(const struct cg_signer *signer, enum cg_doc_type type, struct cg_span payload,
                     struct cg_span wallet_doc, struct cg_span staple, struct cg_buf *out)
{
    uint8_t body[BODY_MAX_BYTES];
    uint8_t sig_ed25519[CG_ED25519_SIG_BYTES], sig_mldsa87[CG_MLDSA87_SIG_BYTES];
    uint8_t *sigs[2] = {sig_ed25519, sig_mldsa87};
    struct cg_cose cose = {
        .type = type,
        .body_protected = body_header(type, body),
        .payload = payload,
        .sig_ed25519 = CG_BYTES(sig_ed25519),
        .sig_mldsa87 = CG_BYTES(sig_mldsa87),
        .wallet_doc = wallet_doc,
        .staple = staple,
    };
    CG_AUTO(buf) struct cg_buf tbs = {0};

    cg_buf_init(&tbs, CG_DOCUMENT_MAX_BYTES);
    for (size_t i = 0; i < 2; i++) {
        CG_TRY(sig_structure(type, cose.body_protected, payload, &signers[i], &tbs));
        /* The ML-DSA context is empty, as RFC 9964 demands; HSIG's never is. */
        CG_TRY(cg_sign(cg_signer_half(signer, signers[i].alg), (struct cg_span){NULL, 0},
                       cg_buf_span(&tbs), sigs[i]));
    }
    return cg_cose_write(&cose, out);
}

cg_err cg_cose_write(const struct cg_cose *cose, struct cg_buf *out)
{
    const struct cg_span sigs[2] = {cose->sig_ed25519, cose->sig_mldsa87};
    size_t before = out->len;
    struct cg_writer w = cg_writer_into(out);

    cg_cbor_put_tag(&w, TAG_SIGN);
    cg_cbor_put_array(&w, 4);
    cg_cbor_put_bytes(&w, cose->body_protected);
    cg_cbor_put_map(&w, (size_t)(cose->staple.len > 0) + (cose->wallet_doc.len > 0));
    if (cose->staple.len > 0) {
        cg_cbor_put_key(&w, "staple");
        cg_cbor_put_bytes(&w, cose->staple);
    }
    if (cose->wallet_doc.len > 0) {
        cg_cbor_put_key(&w, "wallet_doc");
        cg_cbor_put_bytes(&w, cose->wallet_doc);
    }
    cg_cbor_put_bytes(&w, cose->payload);
    cg_cbor_put_array(&w, 2);
    for (size_t i = 0; i < 2; i++) {
        cg_cbor_put_array(&w, 3);
        cg_cbor_put_bytes(&w, signer_protected(&signers[i]));
        cg_cbor_put_map(&w, 0);
        cg_cbor_put_bytes(&w, sigs[i]);
    }
    cg_err err = cg_writer_end(&w);
    if (err == CG_OK && out->len - before > CG_DOCUMENT_MAX_BYTES)
        err = CG_TOO_LARGE;
    if (err != CG_OK)
        out->len = before;
    return err;
}

/* A byte string that must be exactly this one. */
static void take_equal(struct cg_cbor *r, struct cg_span want)
{
    if (!cg_span_eq(cg_cbor_bytes(r, BODY_MAX_BYTES), want))
        cg_cbor_fail(r, CG_SCHEMA);
}

static struct cg_span take_unsigned(struct cg_cbor *r)
{
    struct cg_span got = cg_cbor_bytes(r, CG_DOCUMENT_MAX_BYTES);

    if (got.len == 0)
        cg_cbor_fail(r, CG_SCHEMA); /* absent has one spelling */
    return got;
}

/* {"staple", "wallet_doc"}, each of them optional. */
static void take_unprotected(struct cg_cbor *r, struct cg_cose *out)
{
    /* An operation is a link that others carry; nothing belongs beside it. */
    size_t n = cg_cbor_map(r, 0, out->type == CG_DOC_DIDOP ? 0 : 2);

    for (size_t i = 0; i < n; i++) {
        struct cg_span key = cg_cbor_text(r, 16);

        if (i == 0 && cg_span_is(key, "staple"))
            out->staple = take_unsigned(r);
        else if (out->wallet_doc.len == 0 && cg_span_is(key, "wallet_doc"))
            out->wallet_doc = take_unsigned(r);
        else
            cg_cbor_fail(r, CG_SCHEMA);
    }
}

static struct cg_span take_signature(struct cg_cbor *r, const struct signer *signer)
{
    size_t len = cg_alg_info_of(signer->alg)->sig_len;

    cg_cbor_array(r, 3, 3);
    take_equal(r, signer_protected(signer));
    cg_cbor_map(r, 0, 0);
    return cg_span_of(cg_cbor_bytes_n(r, len), len);
}

static cg_err check_canonical(struct cg_span item)
{
    struct cg_cbor r = cg_cbor_of(item);

    cg_cbor_item(&r);
    return cg_cbor_end(&r);
}

cg_err cg_cose_read(struct cg_span wire, enum cg_doc_type type, struct cg_cose *out)
{
    uint8_t body[BODY_MAX_BYTES];
    struct cg_cose got = {.type = type};
    struct cg_cbor r = cg_cbor_of(wire);

    if (wire.len > CG_DOCUMENT_MAX_BYTES)
        return CG_TOO_LARGE;
    cg_cbor_tag(&r, TAG_SIGN);
    cg_cbor_array(&r, 4, 4);
    got.body_protected = cg_cbor_bytes(&r, BODY_MAX_BYTES);
    if (!cg_span_eq(got.body_protected, body_header(type, body)))
        cg_cbor_fail(&r, CG_SCHEMA);
    take_unprotected(&r, &got);
    got.payload = cg_cbor_bytes(&r, CG_DOCUMENT_MAX_BYTES);
    cg_cbor_array(&r, 2, 2);
    got.sig_ed25519 = take_signature(&r, &signers[0]);
    got.sig_mldsa87 = take_signature(&r, &signers[1]);
    CG_TRY(cg_cbor_end(&r));
    CG_TRY(check_canonical(got.payload));
    *out = got;
    return CG_OK;
}

cg_err cg_cose_check(const struct cg_cose *cose, const struct cg_verifier *verifier)
{
    const struct cg_span sigs[2] = {cose->sig_ed25519, cose->sig_mldsa87};
    CG_AUTO(buf) struct cg_buf tbs = {0};

    cg_buf_init(&tbs, CG_DOCUMENT_MAX_BYTES);
    for (size_t i = 0; i < 2; i++) {
        CG_TRY(sig_structure(cose->type, cose->body_protected, cose->payload, &signers[i], &tbs));
        CG_TRY(cg_verify(cg_verifier_half(verifier, signers[i].alg), (struct cg_span){NULL, 0},
                         cg_buf_span(&tbs), sigs[i]));
    }
    return CG_OK;
}

cg_err cg_cose_digest(const struct cg_cose *cose, struct cg_hash *out)
{
    uint8_t head[64 + BODY_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(head, sizeof head);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-object/v1", 2);

    cg_tup_bytes(&t, cose->body_protected);
    cg_tup_open(&t, cose->payload.len); /* may be large: hashed where it lies */
    CG_TRY(cg_tup_end(&t));
    return cg_sha256_2(cg_writer_span(&w), cose->payload, out);
}
