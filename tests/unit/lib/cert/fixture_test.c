#include "tests/unit/lib/cert/fixture.h"

#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/wire/json.h"

static struct {
    struct cg_waddr subject;
    struct cg_hash spki;
    struct cg_log_id log;
} kept;

static const struct cg_span name = {(const uint8_t *)"gw1.example.com", 15};

static void fill(void)
{
    CHECK_OK(cg_did_read(cg_span_str(cg_vector("v1:gateway.did")), &kept.subject));
    memcpy(kept.spki.bytes, cg_vector_hex("v1:qlock.spki").at, CG_HASH_BYTES);
    CHECK_OK(cg_log_id_of(CG_LIT("ledger.example/bpi1"),
                          cg_signer_public(cg_test_signer(FIXTURE_LOG)), &kept.log));
}

struct cg_cert_ask fixture_ask(void)
{
    struct cg_cert_ask ask;

    fill();
    ask = (struct cg_cert_ask){
        .role = CG_ROLE_GATEWAY,
        .subject = &kept.subject,
        .transport = cg_signer_public(cg_test_signer(FIXTURE_TRANSPORT)),
        .log_id = kept.log,
        .issued = {FIXTURE_NOW},
        .expires = {FIXTURE_NOW + 30 * 86400},
        .spki = &kept.spki,
        .n_spki = 1,
        .names = &name,
        .n_names = 1,
        .serial = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    };
    memcpy(ask.policy_hash.bytes, cg_vector_hex("v1:policy.policy_hash").at, CG_HASH_BYTES);
    return ask;
}

struct cg_cert_expect fixture_expect(void)
{
    fill();
    return (struct cg_cert_expect){
        .now = {FIXTURE_NOW},
        .role = CG_ROLE_GATEWAY,
        .leaf_spki = &kept.spki,
        .name = name,
        .subjects = &kept.subject,
        .n_subjects = 1,
        .logs = &kept.log,
        .n_logs = 1,
        .wallet_doc = fixture_wallet_doc(),
    };
}

struct cg_span fixture_wallet_doc(void)
{
    return cg_vector_hex("v1:gateway.walletdoc");
}

/* Whether a text is the hex of these bytes. */
static bool is_hex_of(struct cg_span text, struct cg_span a, struct cg_span b)
{
    struct cg_span bytes = text.len % 2 == 0 ? FIXTURE_NOTHING : text;
    char copy[16384];

    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    bytes = cg_unhex(copy);
    return bytes.len == a.len + b.len && cg_span_eq(cg_span_first(bytes, a.len), a) &&
           cg_span_eq(cg_span_from(bytes, a.len), b);
}

cg_err fixture_check_json(struct cg_span json)
{
    struct cg_span role, subject, issuer, ed, ml, policy, anchor, spki, names, serial, sig;
    uint64_t v, issued, expires;
    const struct cg_json_member members[] = {
        {"v", CG_JSON_UINT, .number = &v},
        {"role", CG_JSON_TEXT, .span = &role},
        {"subject_did", CG_JSON_TEXT, .span = &subject},
        {"issuer_did", CG_JSON_TEXT, .span = &issuer},
        {"public_key_ed25519", CG_JSON_TEXT, .span = &ed},
        {"public_key_dilithium", CG_JSON_TEXT, .span = &ml},
        {"policy_hash", CG_JSON_TEXT, .span = &policy},
        {"bpi_anchor", CG_JSON_TEXT, .span = &anchor},
        {"issued_at", CG_JSON_UINT, .number = &issued},
        {"expires_at", CG_JSON_UINT, .number = &expires},
        {"spki", CG_JSON_ARRAY, .span = &spki},
        {"names", CG_JSON_ARRAY, .span = &names},
        {"serial", CG_JSON_TEXT, .span = &serial},
        {"signature", CG_JSON_TEXT, .span = &sig},
    };

    CG_TRY(cg_json_object(json, CG_JSON_DOCUMENT, members, sizeof members / sizeof members[0]));
    CHECK_INT(v, 1);
    CHECK_SPAN(role, CG_LIT("gateway"));
    CHECK_SPAN(subject, cg_span_str(cg_vector("v1:gateway.did")));
    CHECK_SPAN(issuer, subject);
    CHECK(is_hex_of(ed, cg_vector_hex("v1:gateway.transport_ed25519"), FIXTURE_NOTHING));
    CHECK(is_hex_of(ml, cg_vector_hex("v1:gateway.transport_mldsa87"), FIXTURE_NOTHING));
    CHECK_SPAN(policy, cg_span_str(cg_vector("v1:policy.policy_hash")));
    CHECK_SPAN(anchor, cg_span_str(cg_vector("v1:tlsls.anchor")));
    CHECK_INT(issued, FIXTURE_NOW);
    CHECK_INT(expires, FIXTURE_NOW + 30 * 86400);
    CHECK_SPAN(names, CG_LIT("[\"gw1.example.com\"]"));
    CHECK(spki.len == 68 &&
          cg_span_eq(cg_span_of(spki.at + 2, 64), cg_span_str(cg_vector("v1:qlock.spki"))));
    CHECK_SPAN(serial, CG_LIT("000102030405060708090a0b0c0d0e0f"));
    CHECK(is_hex_of(sig, cg_vector_hex("v1:tlsls.sig_ed25519"),
                    cg_vector_hex("v1:tlsls.sig_mldsa87")));
    return CG_OK;
}
