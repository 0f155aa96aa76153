#include "lib/crypto/hsig.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hybrid.h"

#include <assert.h>

#define LABEL "HTTPCG-HSIG-v1:Ed25519+ML-DSA-87"
#define CONTEXT "HSIG1:"
#define DOM_MAX_BYTES 17

static const char *const doms[CG_HSIG_DOM_COUNT] = {
    [CG_HSIG_INBOX] = "inbox",
    [CG_HSIG_GRANT] = "grant",
    [CG_HSIG_SAPI_REQUEST] = "sapi-request",
    [CG_HSIG_SAPI_RESPONSE] = "sapi-response",
    [CG_HSIG_CHANNEL_PROOF] = "channel-proof",
    [CG_HSIG_REGISTRY_OWNER] = "registry-owner",
    [CG_HSIG_REGISTRY_OPERATOR] = "registry-operator",
    [CG_HSIG_NSIG] = "nsig",
};

const char *cg_hsig_dom_name(enum cg_hsig_dom dom)
{
    assert((size_t)dom < CG_HSIG_DOM_COUNT);
    return doms[dom];
}

/* What both halves sign, and the context of the ML-DSA half. */
struct framed {
    uint8_t bytes[sizeof LABEL - 1 + 1 + DOM_MAX_BYTES + CG_SHA512_BYTES];
    uint8_t context_bytes[sizeof CONTEXT - 1 + DOM_MAX_BYTES];
    struct cg_span text;
    struct cg_span context;
};

static cg_err frame(enum cg_hsig_dom dom, struct cg_span message, struct framed *out)
{
    struct cg_span name = cg_span_str(cg_hsig_dom_name(dom));
    uint8_t *at = out->bytes;

    assert(name.len <= DOM_MAX_BYTES);
    memcpy(at, LABEL, sizeof LABEL - 1);
    at += sizeof LABEL - 1;
    *at++ = (uint8_t)name.len;
    memcpy(at, name.at, name.len);
    at += name.len;
    CG_TRY(cg_sha512(message, at));
    at += CG_SHA512_BYTES;
    out->text = cg_span_of(out->bytes, (size_t)(at - out->bytes));

    memcpy(out->context_bytes, CONTEXT, sizeof CONTEXT - 1);
    memcpy(out->context_bytes + sizeof CONTEXT - 1, name.at, name.len);
    out->context = cg_span_of(out->context_bytes, sizeof CONTEXT - 1 + name.len);
    return CG_OK;
}

cg_err cg_hsig_sign(const struct cg_signer *signer, enum cg_hsig_dom dom, struct cg_span message,
                    uint8_t out[static CG_HSIG_BYTES])
{
    struct framed t;

    CG_TRY(frame(dom, message, &t));
    CG_TRY(cg_sign(cg_signer_half(signer, CG_ALG_ED25519), (struct cg_span){NULL, 0}, t.text, out));
    return cg_sign(cg_signer_half(signer, CG_ALG_MLDSA87), t.context, t.text,
                   out + CG_ED25519_SIG_BYTES);
}

cg_err cg_hsig_verify(const struct cg_verifier *verifier, enum cg_hsig_dom dom,
                      struct cg_span message, struct cg_span sig)
{
    struct framed t;

    if (sig.len != CG_HSIG_BYTES)
        return CG_SIGNATURE;
    CG_TRY(frame(dom, message, &t));
    CG_TRY(cg_verify(cg_verifier_half(verifier, CG_ALG_ED25519), (struct cg_span){NULL, 0}, t.text,
                     cg_span_first(sig, CG_ED25519_SIG_BYTES)));
    return cg_verify(cg_verifier_half(verifier, CG_ALG_MLDSA87), t.context, t.text,
                     cg_span_from(sig, CG_ED25519_SIG_BYTES));
}
