#include "gateway/stamp.h"

#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/refusal.h"
#include "lib/wire/writer.h"

static const char *const auth_names[] = {"none", "grant", "ed25519", "hybrid"};
static const char *const body_names[] = {"", ";body=verified", ";body=trailer", ";body=stream"};

static cg_err add(struct cg_head *head, const char *name, struct cg_span value)
{
    if (value.len == 0)
        return CG_OK;
    return cg_head_add_named(head, cg_span_str(name), value);
}

static cg_err add_facts(struct cg_head *head, const struct gw_stamp *stamp)
{
    uint8_t text[64];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    CG_TRY(add(head, "x-httpcg-original-url", stamp->original_url));
    CG_TRY(add(head, "x-httpcg-wallet-address", stamp->wallet_address));
    CG_TRY(add(head, "x-httpcg-session-id", stamp->session_id));
    cg_put_str(&w, auth_names[stamp->auth]);
    cg_put_str(&w, body_names[stamp->body]);
    CG_TRY(cg_writer_end(&w));
    CG_TRY(add(head, "x-httpcg-auth", cg_writer_span(&w)));
    CG_TRY(add(head, "x-httpcg-roles", stamp->roles));
    CG_TRY(add(head, "x-httpcg-gateway-did", stamp->gateway_did));
    CG_TRY(add(head, "x-httpcg-evidence", stamp->evidence));
    CG_TRY(add(head, "x-httpcg-evidence-ref", stamp->evidence_ref));
    CG_TRY(add(head, "x-httpcg-wallet-doc-ref", stamp->wallet_doc_ref));
    w = cg_writer_fixed(text, sizeof text);
    cg_put_uuid(&w, stamp->request_id);
    CG_TRY(cg_writer_end(&w));
    return add(head, "x-httpcg-request-id", cg_writer_span(&w));
}

/* The list of covered components, as it stands in the signature's parameters. */
static void put_components(struct cg_writer *w, const struct cg_head *head)
{
    cg_put_str(w, "(\"@method\" \"@target-uri\"");
    if (cg_head_find(head, CG_TOKEN_CONTENT_DIGEST))
        cg_put_str(w, " \"content-digest\"");
    for (size_t i = 0; i < head->n_fields; i++) {
        if (head->fields[i].token != CG_TOKEN_X_HTTPCG_ANY)
            continue;
        cg_put_str(w, " \"");
        cg_put(w, head->fields[i].name);
        cg_put_str(w, "\"");
    }
    cg_put_str(w, ")");
}

static void put_params(struct cg_writer *w, const struct cg_head *head,
                       const struct gw_stamp *stamp, const struct gw_backend_key *key,
                       struct cg_wall now)
{
    put_components(w, head);
    cg_put_str(w, ";created=");
    cg_put_decimal(w, (uint64_t)now.s);
    cg_put_str(w, ";expires=");
    cg_put_decimal(w, (uint64_t)now.s + GW_STAMP_LIFE_S);
    cg_put_str(w, ";nonce=\"");
    cg_put_hex(w, CG_BYTES(stamp->request_id));
    cg_put_str(w, "\";keyid=\"");
    cg_put(w, key->id);
    cg_put_str(w, key->secret ? "\";alg=\"hmac-sha256\"" : "\";alg=\"ed25519\"");
    cg_put_str(w, ";tag=\"httpcg-gw\"");
}

static void put_line(struct cg_writer *w, struct cg_span name, struct cg_span value)
{
    cg_put_str(w, "\"");
    cg_put(w, name);
    cg_put_str(w, "\": ");
    cg_put(w, value);
    cg_put_str(w, "\n");
}

/* RFC 9421, 2.5: a line for each component, the parameters last and without a line feed. */
static void put_base(struct cg_writer *w, const struct cg_head *head, struct cg_span target,
                     struct cg_span params)
{
    put_line(w, CG_LIT("@method"), head->method);
    put_line(w, CG_LIT("@target-uri"), target);
    const struct cg_field *digest = cg_head_find(head, CG_TOKEN_CONTENT_DIGEST);
    if (digest)
        put_line(w, digest->name, digest->value);
    for (size_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].token == CG_TOKEN_X_HTTPCG_ANY)
            put_line(w, head->fields[i].name, head->fields[i].value);
    cg_put_str(w, "\"@signature-params\": ");
    cg_put(w, params);
}

static cg_err sign(const struct gw_backend_key *key, struct cg_mac *mac, struct cg_span base,
                   uint8_t out[64], size_t *out_len)
{
    struct cg_hash tag;

    if (key->secret) {
        CG_TRY(cg_mac_whole(mac, key->secret, base, &tag));
        memcpy(out, tag.bytes, sizeof tag.bytes);
        *out_len = sizeof tag.bytes;
        return CG_OK;
    }
    CG_TRY(cg_sign(key->signer, (struct cg_span){NULL, 0}, base, out));
    *out_len = 64;
    return CG_OK;
}

cg_err gw_stamp_head(struct cg_head *head, const struct gw_stamp *stamp, struct cg_span target,
                     const struct gw_backend_key *key, struct cg_mac *mac, struct cg_wall now)
{
    uint8_t sig[64], text[96];
    size_t sig_len;

    CG_TRY(add_facts(head, stamp));
    if (!key)
        return CG_OK;

    /* Only what is covered has a line: our own fields, and the digest, which the 1024 are for. */
    size_t names = 1024, values = target.len;
    for (size_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].token == CG_TOKEN_X_HTTPCG_ANY) {
            names += head->fields[i].name.len + 8;
            values += head->fields[i].value.len;
        }
    uint8_t *memory = cg_arena_take(head->arena, 3 * names + values);
    if (!memory)
        return CG_NO_MEMORY;
    struct cg_writer params = cg_writer_fixed(memory, names);
    cg_put_str(&params, "httpcg=");
    put_params(&params, head, stamp, key, now);
    CG_TRY(cg_writer_end(&params));
    struct cg_writer base = cg_writer_fixed(memory + names, 2 * names + values);
    put_base(&base, head, target, cg_span_from(cg_writer_span(&params), strlen("httpcg=")));
    CG_TRY(cg_writer_end(&base));
    CG_TRY(sign(key, mac, cg_writer_span(&base), sig, &sig_len));

    CG_TRY(cg_head_add(head, CG_TOKEN_SIGNATURE_INPUT, cg_writer_span(&params)));
    struct cg_writer w = cg_writer_fixed(text, sizeof text - 1);
    cg_put_str(&w, "httpcg=:");
    uint8_t *b64 = cg_put_room(&w, cg_base64_chars(CG_BASE64, sig_len));
    if (b64)
        cg_base64_write(CG_BASE64, cg_span_of(sig, sig_len), (char *)b64);
    cg_put_str(&w, ":");
    CG_TRY(cg_writer_end(&w));
    return cg_head_add(head, CG_TOKEN_SIGNATURE, cg_writer_span(&w));
}
