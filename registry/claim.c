#include "registry/claim.h"

#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/record/record.h"
#include "lib/wire/json.h"
#include "registry/inner.h"

#include <httpcg/url.h>

#include <stdio.h>

/* The members of the request. */
struct body {
    struct cg_span record, owner_signature, token, proof, wallet_doc, previous_signature;
    bool has_owner_signature, has_wallet_doc, has_previous_signature;
};

static cg_err read_members(struct cg_span text, struct body *out)
{
    const struct cg_json_member members[] = {
        {"record", CG_JSON_OBJECT, .span = &out->record},
        {"owner_signature", CG_JSON_TEXT, .span = &out->owner_signature,
         .has = &out->has_owner_signature},
        {"token", CG_JSON_TEXT, .span = &out->token},
        {"proof", CG_JSON_OBJECT, .span = &out->proof},
        {"wallet_doc", CG_JSON_TEXT, .span = &out->wallet_doc, .has = &out->has_wallet_doc},
        {"previous_signature", CG_JSON_TEXT, .span = &out->previous_signature,
         .has = &out->has_previous_signature},
    };

    return cg_json_object(text, CG_JSON_DOCUMENT, members, sizeof members / sizeof *members);
}

/* The record with its owner's signature inside, as it is kept, wherever the request had it. */
static cg_err join_record(struct rg_claim *claim, const struct body *body, struct cg_span *out)
{
    CG_AUTO(buf) struct cg_buf buf = {0};

    if (!body->has_owner_signature)
        return cg_arena_copy(&claim->arena, body->record, out);
    cg_buf_init(&buf, CG_DOCUMENT_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&buf);
    /* An object's bytes end with its brace. */
    cg_put(&w, cg_span_first(body->record, body->record.len - 1));
    cg_json_put_key(&w, "owner_signature", false);
    cg_json_put_text(&w, body->owner_signature);
    cg_put_str(&w, "}");
    CG_TRY(cg_writer_end(&w));
    return cg_arena_copy(&claim->arena, cg_buf_span(&buf), out);
}

static cg_err read_record(struct rg_claim *claim, const struct body *body)
{
    char name[RG_NAME_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(name, sizeof name);
    struct cg_span json;

    CG_TRY(join_record(claim, body, &json));
    CG_TRY(cg_record_read(json, true, &claim->record));
    cg_put(&w, claim->record.plane);
    cg_put_str(&w, "/");
    cg_put(&w, claim->record.host);
    CG_TRY(cg_writer_end(&w));
    CG_TRY(cg_url_check_name(cg_writer_span(&w)));
    return cg_arena_copy(&claim->arena, cg_writer_span(&w), &claim->name);
}

static cg_err read_doc(struct rg_claim *claim, struct cg_span text)
{
    uint8_t *room = cg_arena_take(&claim->arena, text.len + 1);
    size_t len;

    if (!room)
        return CG_NO_MEMORY;
    CG_TRY(cg_base64_read(CG_BASE64, text, room, text.len, &len));
    claim->wallet_doc = cg_span_of(room, len);
    return len > CG_DOCUMENT_MAX_BYTES ? CG_TOO_LARGE : CG_OK;
}

static cg_err read_token(struct rg_claim *claim, struct cg_span text)
{
    uint8_t token[RG_TOKEN_BYTES];
    size_t len;

    CG_TRY(cg_base64_read(CG_BASE64URL, text, token, sizeof token, &len));
    return len == sizeof token ? cg_sha256(CG_BYTES(token), &claim->token) : CG_SHORT;
}

static cg_err read_proof(struct rg_claim *claim, struct cg_span object)
{
    struct cg_span type;
    const struct cg_json_member member = {"type", CG_JSON_TEXT, .span = &type};

    CG_TRY(cg_json_object(object, CG_JSON_DOCUMENT, &member, 1));
    if (cg_span_is(type, "self"))
        claim->proof = RG_PROOF_SELF;
    else if (cg_span_is(type, "operator"))
        claim->proof = RG_PROOF_OPERATOR;
    else /* dns and https need somebody who asks the outside world, in this build nobody does */
        return cg_span_is(type, "dns") || cg_span_is(type, "https") ? CG_UNSUPPORTED : CG_SCHEMA;
    return CG_OK;
}

static cg_err read_parts(struct rg_claim *claim, struct cg_span text)
{
    struct body body = {0};

    CG_TRY(read_members(text, &body));
    CG_TRY(read_record(claim, &body));
    CG_TRY(read_token(claim, body.token));
    if (body.has_wallet_doc)
        CG_TRY(read_doc(claim, body.wallet_doc));
    claim->has_previous_signature = body.has_previous_signature;
    if (body.has_previous_signature)
        CG_TRY(cg_hex_read(body.previous_signature, claim->previous_signature, CG_HSIG_BYTES));
    return read_proof(claim, body.proof);
}

/* What the record says, as far as it can be judged without knowing anything. */
static cg_err check_record(struct rg_claim *claim, const struct cg_trust *trust)
{
    const struct cg_record *record = &claim->record;
    cg_err err = cg_record_check_times(record, claim->now);

    if (err != CG_OK)
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE,
                               err == CG_EARLY ? "issued_at" : "expires_at");
    err = cg_record_check_anchor(record);
    if (err != CG_OK && err != CG_PROOF)
        return err;
    if (err == CG_PROOF || !cg_trust_log(trust, &record->log_id))
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, "bpi_anchor");
    if (record->serial == 0)
        return rg_claim_refuse(claim, CG_REFUSAL_CONFLICT, NULL);
    if (claim->proof == RG_PROOF_SELF && !cg_span_is(record->host, record->owner.text))
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, "proof");
    /* That a target agrees can only be seen at the target, and in this build nobody asks there. */
    if (!cg_record_is_tombstone(record) && !cg_span_eq(record->target_host, record->host))
        return rg_claim_refuse(claim, CG_REFUSAL_NOT_IMPLEMENTED, NULL);
    return CG_OK;
}

cg_err rg_claim_read(struct rg_claim *claim, struct cg_span body, const struct cg_trust *trust)
{
    cg_err err = read_parts(claim, body);

    if (err == CG_UNSUPPORTED) /* plane gw, too */
        return rg_claim_refuse(claim, CG_REFUSAL_NOT_IMPLEMENTED, NULL);
    if (err != CG_OK && cg_err_fault(err) != CG_FAULT_OURS)
        return rg_claim_refuse(claim, CG_REFUSAL_BAD_REQUEST, NULL);
    CG_TRY(err);
    return check_record(claim, trust);
}

/* --- the database's thread --- */

static bool has_suffix(struct cg_span host, const struct rg_options *options)
{
    for (size_t i = 0; i < options->suffixes.n; i++) {
        struct cg_span suffix = cg_span_str(*CG_LIST_AT(options->suffixes, const char *, i));

        if (host.len > suffix.len && cg_span_ends(host, suffix))
            return true;
    }
    return false;
}

/* Whom the operator has allotted the name: by the file, or over the admin socket, which counts
 * more. */
static cg_err find_allowed(struct rg_claim *claim, const struct rg_options *options,
                           struct cg_store *store, struct cg_span *out)
{
    cg_err err = cg_store_allow(store, claim->name, &claim->arena, out);

    if (err != CG_NOT_FOUND)
        return err;
    for (size_t i = 0; i < options->allow.n; i++) {
        const struct rg_allow *row = CG_LIST_AT(options->allow, struct rg_allow, i);

        if (cg_span_is(claim->name, row->name)) {
            *out = cg_span_str(row->did);
            return CG_OK;
        }
    }
    return CG_NOT_FOUND;
}

static cg_err check_allotted(struct rg_claim *claim, const struct rg_options *options,
                             struct cg_store *store)
{
    struct cg_span allowed;

    if (!has_suffix(claim->record.host, options))
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, "proof");
    cg_err err = find_allowed(claim, options, store, &allowed);
    if (err == CG_OK)
        return cg_span_eq(allowed, claim->record.owner_did)
                   ? CG_OK
                   : rg_claim_refuse(claim, CG_REFUSAL_FORBIDDEN, NULL);
    if (err != CG_NOT_FOUND)
        return err;
    return options->suffix_rule == RG_SUFFIX_FIRST
               ? CG_OK
               : rg_claim_refuse(claim, CG_REFUSAL_FORBIDDEN, NULL);
}

/* A document not brought along may be known from before. */
static cg_err find_doc(struct rg_claim *claim, struct cg_store *store, struct cg_span did,
                       const char *field, struct cg_span *out)
{
    cg_err err = cg_store_wallet(store, did, &claim->arena, out);

    return err == CG_NOT_FOUND ? rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, field) : err;
}

static cg_err look_at_name(struct rg_claim *claim, struct cg_store *store)
{
    cg_err err = cg_store_name_current(store, claim->name, &claim->arena, &claim->current);

    if (err != CG_OK && err != CG_NOT_FOUND)
        return err;
    claim->has_current = err == CG_OK;
    if (claim->record.serial - 1 != (claim->has_current ? claim->current.serial : 0))
        return rg_claim_refuse(claim, CG_REFUSAL_CONFLICT, NULL);
    /* A name that was given up is anybody's again who can show that it is his. */
    claim->changes_owner = claim->has_current && !claim->current.is_tombstone &&
                           !cg_span_eq(claim->current.owner, claim->record.owner_did);
    if (!claim->has_current && cg_record_is_tombstone(&claim->record))
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, "target_host");
    return CG_OK;
}

cg_err rg_claim_look(struct rg_claim *claim, const struct rg_options *options,
                     struct cg_store *store)
{
    const struct cg_stored_challenge challenge = {
        .token = claim->token, .name = claim->name, .did = claim->record.owner_did};
    cg_err err = cg_store_challenge_take(store, &challenge, claim->now);

    if (err == CG_NOT_FOUND)
        return rg_claim_refuse(claim, CG_REFUSAL_UNPROCESSABLE, "token");
    CG_TRY(err);
    CG_TRY(look_at_name(claim, store));
    if (claim->proof == RG_PROOF_OPERATOR)
        CG_TRY(check_allotted(claim, options, store));
    if (claim->wallet_doc.len == 0)
        CG_TRY(find_doc(claim, store, claim->record.owner_did, "wallet_doc", &claim->wallet_doc));
    if (claim->changes_owner)
        CG_TRY(find_doc(claim, store, claim->current.owner, "previous_signature",
                        &claim->previous_doc));
    return CG_OK;
}

cg_err rg_claim_propose(struct rg_claim *claim, struct cg_store *store)
{
    const struct cg_stored_name name = {
        .name = claim->name,
        .serial = claim->record.serial,
        .owner = claim->record.owner_did,
        .commitment = claim->record.anchor,
        .record = claim->json,
        .expires_at = claim->record.expires,
        .is_tombstone = cg_record_is_tombstone(&claim->record),
    };

    /* First what the answer about the name will need. */
    CG_TRY(cg_store_wallet_put(store, claim->record.owner_did, claim->wallet_doc));
    cg_err err = cg_store_name_propose(store, &name);
    return err == CG_CONFLICT ? rg_claim_refuse(claim, CG_REFUSAL_CONFLICT, NULL) : err;
}
