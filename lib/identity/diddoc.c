#include "lib/identity/diddoc.h"

#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/wire/json.h"

static void put_member(struct cg_writer *w, const char *name, const char *text, bool is_first)
{
    cg_json_put_key(w, name, is_first);
    cg_json_put_text(w, cg_span_str(text));
}

static void put_base64url(struct cg_writer *w, const char *name, struct cg_span bytes)
{
    cg_json_put_key(w, name, false);
    cg_put_u8(w, '"');
    uint8_t *room = cg_put_room(w, cg_base64_chars(CG_BASE64URL, bytes.len));
    if (room)
        cg_base64_write(CG_BASE64URL, bytes, (char *)room);
    cg_put_u8(w, '"');
}

/* "<did>#<fragment>" as one text. */
static void put_id(struct cg_writer *w, const char *did, const char *fragment)
{
    cg_put_u8(w, '"');
    cg_put_str(w, did);
    cg_put_u8(w, '#');
    cg_put_str(w, fragment);
    cg_put_u8(w, '"');
}

static void put_method(struct cg_writer *w, const char *did, const char *fragment)
{
    cg_put_u8(w, '{');
    cg_json_put_key(w, "id", true);
    put_id(w, did, fragment);
    put_member(w, "type", "JsonWebKey", false);
    put_member(w, "controller", did, false);
    cg_json_put_key(w, "publicKeyJwk", false);
}

static void put_keys(struct cg_writer *w, const char *did, const struct cg_public_keys *keys)
{
    cg_json_put_key(w, "verificationMethod", false);
    cg_put_u8(w, '[');
    put_method(w, did, "ed25519");
    cg_put_u8(w, '{');
    put_member(w, "kty", "OKP", true);
    put_member(w, "crv", "Ed25519", false);
    put_base64url(w, "x", CG_BYTES(keys->ed25519));
    cg_put_str(w, "}},");
    put_method(w, did, "mldsa87");
    cg_put_u8(w, '{');
    put_member(w, "kty", "AKP", true);
    put_member(w, "alg", "ML-DSA-87", false);
    put_base64url(w, "pub", CG_BYTES(keys->mldsa87));
    cg_put_str(w, "}}]");

    cg_json_put_key(w, "assertionMethod", false);
    cg_put_u8(w, '[');
    put_id(w, did, "ed25519");
    cg_put_u8(w, ',');
    put_id(w, did, "mldsa87");
    cg_put_u8(w, ']');
    /* The W3C's model has no word for it: a proof by one method alone is none. */
    put_member(w, "assertionRule", "both or nothing", false);
}

void cg_diddoc_write(const struct cg_did_state *state, struct cg_writer *w)
{
    char did[CG_DID_CHARS + 1];

    cg_did_write(&state->waddr, did);
    cg_put_u8(w, '{');
    cg_json_put_key(w, "@context", true);
    cg_put_u8(w, '[');
    cg_json_put_text(w, CG_LIT("https://www.w3.org/ns/did/v1"));
    cg_put_u8(w, ',');
    cg_json_put_text(w, CG_LIT("https://w3id.org/security/jwk/v1"));
    cg_put_u8(w, ']');
    put_member(w, "id", did, false);
    put_member(w, "controller", did, false);
    if (!state->is_deactivated)
        put_keys(w, did, &state->keys);
    cg_put_u8(w, '}');
}
