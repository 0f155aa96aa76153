/* The whole role, asked over its endpoint; what it answers is checked as a client checks it. */
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/roles.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/cert/issue.h"
#include "lib/cert/revoke.h"
#include "lib/crypto/hash.h"
#include "lib/identity/cose.h"
#include "lib/identity/didop.h"
#include "lib/merkle/tile.h"
#include "lib/record/record.h"
#include "lib/wire/cbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER 0x00
#define NEXT 0x20
#define THIRD 0x30

static struct cg_roles roles;

static void begin(void)
{
    cg_roles_init(&roles, false);
    cg_roles_start(&roles);
}

static void end(void)
{
    cg_roles_done(&roles);
}

/* An accepted submission, taken apart; spans point into kept. */
static struct cg_buf kept;
static uint64_t last_index;
static struct cg_span last_entry, last_staple;

static int submit(struct cg_span object)
{
    int status = cg_roles_post(&roles, roles.to_ledger, "/submit", object);

    if (status != 200)
        return status;
    cg_buf_done(&kept);
    cg_buf_init(&kept, 1 << 20);
    CHECK_OK(cg_buf_add(&kept, cg_buf_span(&roles.body)));
    struct cg_cbor r = cg_cbor_of(cg_buf_span(&kept));
    cg_cbor_map(&r, 3, 3);
    cg_cbor_key(&r, "entry");
    last_entry = cg_cbor_bytes(&r, 1024);
    cg_cbor_key(&r, "index");
    last_index = cg_cbor_uint(&r);
    cg_cbor_key(&r, "staple");
    last_staple = cg_cbor_bytes(&r, CG_STAPLE_MAX_BYTES);
    CHECK_OK(cg_cbor_end(&r));
    return status;
}

__attribute__((destructor)) static void forget(void)
{
    cg_buf_done(&kept);
}

static struct cg_staple_facts facts;

static cg_err verify(struct cg_span staple, bool wants_entry, struct cg_staple_ask *asks, size_t n)
{
    struct cg_ledger_view view = cg_roles_view(&roles);

    return cg_staple_verify(staple, &view, wants_entry, asks, n, &facts);
}

static struct cg_did_state state_of(uint8_t first, uint8_t next)
{
    struct cg_did_state state;

    CHECK_OK(cg_did_begin(cg_test_wallet(first, next), &state));
    return state;
}

TEST(a_new_ledger_publishes_a_checkpoint_that_verifies)
{
    struct cg_checkpoint checkpoint;
    struct cg_checkpoint_facts found;

    begin();
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/checkpoint"), 200);
    CHECK_OK(cg_checkpoint_read(cg_buf_span(&roles.body), &checkpoint));
    CHECK_OK(
        cg_checkpoint_verify(&checkpoint, &roles.trust->logs[0], cg_roles_now(&roles), &found));
    CHECK_INT(checkpoint.size, 1);
    CHECK(cg_log_id_eq(lg_id(roles.ledger), &roles.trust->log_ids[0]));
    CHECK(strcmp(roles.cache_control, "no-store") == 0);
    end();
}

TEST(an_inception_is_logged_and_its_staple_proves_it)
{
    struct cg_staple_ask ask = {.kind = "did"};
    struct cg_waddr waddr = cg_test_waddr(OWNER, NEXT);
    struct cg_did_state state = state_of(OWNER, NEXT);
    char path[256];

    begin();
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    ask.id = cg_span_str(waddr.text);
    CHECK_OK(verify(last_staple, true, &ask, 1));
    CHECK_INT(facts.entry_index, last_index);
    CHECK_INT(facts.entry.kind, CG_ENTRY_DID);
    CHECK_SPAN(facts.entry.subject, cg_span_str(cg_test_did(OWNER, NEXT)));
    CHECK(cg_hash_eq(&facts.entry.commitment, &state.newest));
    CHECK(ask.is_present && cg_hash_eq(&ask.value, &state.newest));

    /* The same again is the same entry, at once. */
    uint64_t index = last_index;
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    CHECK_INT(last_index, index);

    snprintf(path, sizeof path, "/staple?did=%s", cg_test_did(OWNER, NEXT));
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    struct cg_ledger_view view = cg_roles_view(&roles);
    CHECK_OK(cg_staple_verify_did(cg_buf_span(&roles.body), &view, &state, &facts));
    end();
}

TEST(a_did_that_is_not_logged_is_proved_to_be_absent)
{
    struct cg_did_state state = state_of(OWNER, NEXT);
    char path[256];

    begin();
    snprintf(path, sizeof path, "/staple?did=%s", cg_test_did(OWNER, NEXT));
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    struct cg_ledger_view view = cg_roles_view(&roles);
    CHECK_OK(cg_staple_verify_did(cg_buf_span(&roles.body), &view, &state, &facts));
    CHECK_OK(cg_staple_verify_absent(cg_buf_span(&roles.body), &view, "did",
                                     cg_span_str(state.waddr.text), &facts));
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/staple?name=app/none.example"), 200);
    CHECK_OK(cg_staple_verify_absent(cg_buf_span(&roles.body), &view, "reg",
                                     CG_LIT("app/none.example"), &facts));
    end();
}

static void rotate(struct cg_did_state *state, uint8_t by, uint8_t next, struct cg_buf *op)
{
    struct cg_hash hash;

    cg_buf_clear(op);
    CHECK_OK(cg_next_hash(cg_signer_public(cg_test_signer(next)), &hash));
    CHECK_OK(cg_didop_issue(cg_test_signer(by), CG_DIDOP_ROTATE, state, &hash, op));
    CHECK_OK(cg_did_apply(cg_test_crypto(), state, cg_buf_span(op), state));
}

TEST(a_chain_of_operations_is_admitted_link_by_link)
{
    CG_AUTO(buf) struct cg_buf op = {0}, again = {0};
    struct cg_did_state state = state_of(OWNER, NEXT), before = state;
    struct cg_staple_ask ask = {.kind = "did"};

    begin();
    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&again, CG_DIDOP_MAX_BYTES);
    rotate(&state, NEXT, THIRD, &op);
    /* Before its inception is logged nobody could verify the chain. */
    CHECK_INT(submit(cg_buf_span(&op)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("did"));
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);

    /* The present keys cannot rotate. */
    struct cg_did_state lie = before;
    CHECK_OK(cg_next_hash(cg_signer_public(cg_test_signer(OWNER)), &lie.next));
    CHECK_OK(cg_didop_issue(cg_test_signer(OWNER), CG_DIDOP_ROTATE, &lie, &lie.next, &again));
    CHECK_INT(submit(cg_buf_span(&again)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("prev"));
    /* A signature that does not verify. */
    cg_buf_clear(&again);
    CHECK_OK(cg_buf_add(&again, cg_buf_span(&op)));
    again.at[again.len - 1] ^= 1;
    CHECK_INT(submit(cg_buf_span(&again)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));

    CHECK_INT(submit(cg_buf_span(&op)), 200);
    ask.id = cg_span_str(state.waddr.text);
    CHECK_OK(verify(last_staple, true, &ask, 1));
    CHECK(cg_hash_eq(&ask.value, &state.newest));
    CHECK_OK(cg_did_is_current(&state, &ask));
    CHECK_ERR(cg_did_is_current(&before, &ask), CG_STALE);

    /* A second operation with the same number comes too late; the next one follows. */
    struct cg_hash other = {{9}};
    cg_buf_clear(&again);
    CHECK_OK(cg_didop_issue(cg_test_signer(NEXT), CG_DIDOP_ROTATE, &before, &other, &again));
    CHECK_INT(submit(cg_buf_span(&again)), 409);
    rotate(&state, THIRD, OWNER, &op);
    CHECK_INT(submit(cg_buf_span(&op)), 200);
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200); /* its inception is still its inception */
    end();
}

/* A certificate of OWNER's, with what a test wants changed. */
static void issue_cert(struct cg_buf *out, uint8_t signer, int64_t issued, int64_t expires,
                       struct cg_span doc, const struct cg_log_id *log, uint8_t serial)
{
    struct cg_waddr waddr = cg_test_waddr(OWNER, NEXT);
    struct cg_hash spki = {{7}};
    struct cg_span name = CG_LIT("gw1.example.com");
    struct cg_cert_ask ask = {
        .role = CG_ROLE_GATEWAY,
        .subject = &waddr,
        .transport = cg_signer_public(cg_test_signer(0x80)),
        .log_id = log ? *log : *lg_id(roles.ledger),
        .issued = {cg_roles_now(&roles).s + issued},
        .expires = {cg_roles_now(&roles).s + expires},
        .spki = &spki,
        .n_spki = 1,
        .names = &name,
        .n_names = 1,
        .serial = {serial},
    };

    cg_buf_clear(out);
    CHECK_OK(cg_cert_issue(cg_test_signer(signer), &ask, doc, CG_LIT(""), out));
}

TEST(a_certificate_brings_its_dids_inception_along)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_ledger_view view;
    struct cg_did_state state = state_of(OWNER, NEXT);
    struct cg_cert cert;
    char path[256];

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    issue_cert(&wire, OWNER, 0, 86400, CG_LIT(""), NULL, 1);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("wallet_doc"));
    issue_cert(&wire, OWNER, 0, 86400, cg_test_wallet(NEXT, OWNER), NULL, 1);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("wallet_doc"));

    issue_cert(&wire, OWNER, 0, 86400, cg_test_wallet(OWNER, NEXT), NULL, 1);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    CHECK_INT(last_index, 2); /* behind the first map-head and the inception */
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
    view = cg_roles_view(&roles);
    CHECK_OK(cg_staple_verify_cert(last_staple, &view, &cert, &state, &facts));

    char fingerprint[65] = {0};
    cg_hex_write(cg_hash_span(&cert.fingerprint), fingerprint);
    snprintf(path, sizeof path, "/staple?fpr=%s", fingerprint);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    CHECK_OK(cg_staple_verify_cert(cg_buf_span(&roles.body), &view, &cert, &state, &facts));
    fingerprint[0] = fingerprint[0] == '0' ? '1' : '0';
    snprintf(path, sizeof path, "/staple?fpr=%s", fingerprint);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 404);

    /* What is kept is the document without what travelled beside it. */
    char digest[65] = {0};
    cg_hex_write(cg_hash_span(&facts.entry.object_digest), digest);
    snprintf(path, sizeof path, "/object/%s", digest);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    struct cg_cert stored;
    CHECK_OK(cg_cert_read(cg_buf_span(&roles.body), &stored));
    CHECK(cg_hash_eq(&stored.fingerprint, &cert.fingerprint));
    CHECK(stored.wallet_doc.len == 0 && stored.staple.len == 0);
    CHECK(strstr(roles.cache_control, "immutable") != NULL);

    /* A copy signed again is the same entry. */
    issue_cert(&wire, OWNER, 0, 86400, CG_LIT(""), NULL, 2);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    CHECK(last_index > 2);
    end();
}

TEST(certificates_that_fail_a_check_are_refused)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_log_id other = {{1, 2, 3}};
    struct cg_span doc = cg_test_wallet(OWNER, NEXT);
    const struct {
        uint8_t signer;
        int64_t issued, expires;
        const struct cg_log_id *log;
        const char *field;
    } cases[] = {
        {NEXT, 0, 86400, NULL, "signature"},
        {OWNER, 400, 86400, NULL, "issued_at"},
        {OWNER, -86400, -1, NULL, "expires_at"},
        {OWNER, 0, 86400, &other, "bpi_anchor"},
    };

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        issue_cert(&wire, cases[i].signer, cases[i].issued, cases[i].expires, doc, cases[i].log, 1);
        CHECK_INT(submit(cg_buf_span(&wire)), 422);
        CHECK_SPAN(cg_roles_field(&roles), cg_span_str(cases[i].field));
    }
    /* Each signature of the two. */
    struct cg_cert cert;
    issue_cert(&wire, OWNER, 0, 86400, doc, NULL, 1);
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
    for (unsigned half = 0; half < 2; half++) {
        struct cg_span sig = half ? cert.sig_mldsa87 : cert.sig_ed25519;
        size_t at = (size_t)(sig.at - wire.at) + 5;

        wire.at[at] ^= 1;
        CHECK_INT(submit(cg_buf_span(&wire)), 422);
        CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
        wire.at[at] ^= 1;
    }
    /* The content, so that the anchor no longer commits to it. */
    size_t at = (size_t)(cert.payload.at - wire.at) + cert.payload.len - 40;
    wire.at[at] ^= 1;
    int status = submit(cg_buf_span(&wire));
    CHECK(status == 422 || status == 400);
    wire.at[at] ^= 1;
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    CHECK_INT(last_index, 2); /* nothing of all that was logged */
    end();
}

TEST(a_deactivated_did_says_nothing_more)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_did_state state = state_of(OWNER, NEXT);

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    CHECK_OK(cg_didop_issue(cg_test_signer(NEXT), CG_DIDOP_DEACTIVATE, &state, NULL, &wire));
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    issue_cert(&wire, NEXT, 0, 86400, CG_LIT(""), NULL, 1);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("did"));
    end();
}

TEST(after_a_rotation_the_old_keys_certify_nothing)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_did_state state = state_of(OWNER, NEXT);

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    rotate(&state, NEXT, THIRD, &wire);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    /* Not even with the old document beside it. */
    issue_cert(&wire, OWNER, 0, 86400, cg_test_wallet(OWNER, NEXT), NULL, 1);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
    issue_cert(&wire, NEXT, 0, 86400, CG_LIT(""), NULL, 1);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    end();
}

TEST(a_certificate_is_revoked_by_its_own_did_alone)
{
    CG_AUTO(buf) struct cg_buf wire = {0}, statement = {0};
    struct cg_did_state state = state_of(OWNER, NEXT);
    struct cg_waddr mine = cg_test_waddr(OWNER, NEXT), other = cg_test_waddr(THIRD, NEXT);
    struct cg_wall now;
    struct cg_cert cert;

    begin();
    now = cg_roles_now(&roles);
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&statement, CG_DOCUMENT_MAX_BYTES);
    issue_cert(&wire, OWNER, 0, 86400, cg_test_wallet(OWNER, NEXT), NULL, 1);
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
    /* Before it is logged nobody knows whose it is. */
    CHECK_OK(
        cg_revoke_issue(cg_test_signer(OWNER), &mine, now, &cert.fingerprint, false, &statement));
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    CHECK_INT(submit(cg_buf_span(&statement)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("fingerprint"));
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    struct cg_buf first = kept; /* its staple, to be looked at again */
    kept = (struct cg_buf){0};
    struct cg_span staple_before = last_staple;

    /* Somebody else's statement about it. */
    CHECK_INT(submit(cg_test_wallet(THIRD, NEXT)), 200);
    cg_buf_clear(&statement);
    CHECK_OK(
        cg_revoke_issue(cg_test_signer(THIRD), &other, now, &cert.fingerprint, false, &statement));
    CHECK_INT(submit(cg_buf_span(&statement)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("fingerprint"));
    /* In its name, by other keys. */
    cg_buf_clear(&statement);
    CHECK_OK(
        cg_revoke_issue(cg_test_signer(THIRD), &mine, now, &cert.fingerprint, false, &statement));
    CHECK_INT(submit(cg_buf_span(&statement)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
    /* By the next keys, as after a theft. */
    cg_buf_clear(&statement);
    CHECK_OK(
        cg_revoke_issue(cg_test_signer(NEXT), &mine, now, &cert.fingerprint, true, &statement));
    CHECK_INT(submit(cg_buf_span(&statement)), 200);

    struct cg_ledger_view view = cg_roles_view(&roles);
    char path[256], fingerprint[65] = {0};
    CHECK_OK(cg_staple_verify_cert(staple_before, &view, &cert, &state, &facts));
    cg_hex_write(cg_hash_span(&cert.fingerprint), fingerprint);
    snprintf(path, sizeof path, "/staple?fpr=%s", fingerprint);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    CHECK_ERR(cg_staple_verify_cert(cg_buf_span(&roles.body), &view, &cert, &state, &facts),
              CG_REVOKED);
    cg_buf_done(&first);
    end();
}

static const char policy_form[] =
    "{\"v\":1,\"kind\":\"rbac\",\"name\":\"web-default\",\"owner\":\"%s\",\"version\":%u,"
    "\"tls\":{\"min\":\"1.3\",\"groups\":[\"X25519MLKEM768\"]},\"default\":\"deny\","
    "\"conceal\":false,\"roles\":[],\"rules\":[{\"methods\":[\"GET\"],\"path\":\"/"
    "**\",\"roles\":[\"anonymous\"],\"sapi\":\"none\",\"rate\":{\"per_min\":600,\"burst\":60}}],"
    "\"web2\":{\"allow\":false},\"padding\":0,"
    "\"max_checkpoint_age\":21600}";

static void issue_policy(struct cg_buf *out, uint8_t signer, unsigned version)
{
    char json[1024];
    struct cg_policy *policy = NULL;
    struct cg_policy_fault fault = {0};

    snprintf(json, sizeof json, policy_form, cg_test_did(OWNER, NEXT), version);
    if (!CHECK_OK(cg_policy_read_json(cg_span_str(json), &policy, &fault))) {
        printf("# %s: %s\n", fault.where, fault.text);
        return;
    }
    cg_buf_clear(out);
    CHECK_OK(cg_cose_issue(cg_test_signer(signer), CG_DOC_POLICY, cg_policy_cbor(policy),
                           cg_test_wallet(OWNER, NEXT), CG_LIT(""), out));
    cg_policy_free(policy);
}

TEST(a_policy_is_its_owners_and_never_goes_back)
{
    CG_AUTO(buf) struct cg_buf wire = {0}, second = {0};
    char path[256];

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&second, CG_DOCUMENT_MAX_BYTES);
    issue_policy(&wire, NEXT, 3);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
    issue_policy(&wire, OWNER, 3);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    uint64_t index = last_index;

    issue_policy(&second, OWNER, 2); /* signed once, but never logged */
    CHECK_INT(submit(cg_buf_span(&second)), 409);
    issue_policy(&second, OWNER, 4);
    CHECK_INT(submit(cg_buf_span(&second)), 200);
    CHECK_INT(submit(cg_buf_span(&wire)), 200); /* the old one is where it was */
    CHECK_INT(last_index, index);

    /* The name leads to the newest, with its proof and its document. */
    struct cg_staple_ask ask = {.kind = "policy"};
    char id[128];
    snprintf(id, sizeof id, "%s/web-default", cg_test_did(OWNER, NEXT));
    ask.id = cg_span_str(id);
    snprintf(path, sizeof path, "/staple?kind=policy&id=%s", id);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    CHECK_OK(verify(cg_buf_span(&roles.body), true, &ask, 1));
    CHECK(ask.is_present && cg_hash_eq(&ask.value, &facts.entry.commitment));
    struct cg_hash policy_hash = ask.value;
    snprintf(path, sizeof path, "/state?kind=policy&id=%s", id);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    struct cg_cbor r = cg_cbor_of(cg_buf_span(&roles.body));
    cg_cbor_map(&r, 4, 4);
    cg_cbor_key(&r, "entry");
    CHECK(cg_cbor_bytes(&r, 1024).len > 0);
    cg_cbor_key(&r, "proof");
    struct cg_span proof = cg_cbor_bytes(&r, 10000);
    cg_cbor_key(&r, "value");
    struct cg_hash value;
    cg_cbor_hash(&r, &value);
    cg_cbor_key(&r, "object_digest");
    struct cg_hash digest;
    cg_cbor_hash(&r, &digest);
    CHECK_OK(cg_cbor_end(&r));
    CHECK(cg_hash_eq(&value, &policy_hash));
    struct cg_map_proof map_proof;
    CHECK_OK(cg_map_proof_read(proof, &map_proof));
    CHECK(map_proof.kind == CG_MAP_PRESENT);
    char hex[65] = {0};
    cg_hex_write(cg_hash_span(&digest), hex);
    snprintf(path, sizeof path, "/object/%s", hex);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), 200);
    struct cg_cose cose;
    struct cg_hash hash;
    CHECK_OK(cg_cose_read(cg_buf_span(&roles.body), CG_DOC_POLICY, &cose));
    CHECK_OK(cg_policy_hash_of(cose.payload, &hash));
    CHECK(cg_hash_eq(&hash, &policy_hash));

    /* What is absent: an empty value and a proof of it. */
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/state?kind=kem&id=none"), 200);
    r = cg_cbor_of(cg_buf_span(&roles.body));
    cg_cbor_map(&r, 4, 4);
    cg_cbor_key(&r, "entry");
    CHECK_INT(cg_cbor_bytes(&r, 1024).len, 0);
    cg_cbor_key(&r, "proof");
    CHECK_OK(cg_map_proof_read(cg_cbor_bytes(&r, 10000), &map_proof));
    CHECK(map_proof.kind != CG_MAP_PRESENT);
    end();
}

static void issue_kem(struct cg_buf *out, uint8_t signer, int64_t expires, size_t key_len)
{
    uint8_t payload[2048];
    static const uint8_t key[1217];
    struct cg_writer w = cg_writer_fixed(payload, sizeof payload);

    cg_cbor_put_map(&w, 4);
    cg_cbor_put_key(&w, "v");
    cg_cbor_put_uint(&w, 1);
    cg_cbor_put_key(&w, "did");
    cg_cbor_put_text(&w, cg_span_str(cg_test_did(OWNER, NEXT)));
    cg_cbor_put_key(&w, "expires");
    cg_cbor_put_uint(&w, (uint64_t)(cg_roles_now(&roles).s + expires));
    cg_cbor_put_key(&w, "xwing_pk");
    cg_cbor_put_bytes(&w, cg_span_of(key, key_len));
    cg_buf_clear(out);
    CHECK_OK(cg_cose_issue(cg_test_signer(signer), CG_DOC_KEM, cg_writer_span(&w),
                           cg_test_wallet(OWNER, NEXT), CG_LIT(""), out));
}

TEST(a_sealing_key_is_its_dids_and_outlives_the_one_before)
{
    CG_AUTO(buf) struct cg_buf wire = {0};

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    issue_kem(&wire, OWNER, 1000, 1217);
    CHECK_INT(submit(cg_buf_span(&wire)), 400);
    issue_kem(&wire, NEXT, 1000, 1216);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
    issue_kem(&wire, OWNER, -10, 1216);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("expires"));
    issue_kem(&wire, OWNER, 1000, 1216);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    issue_kem(&wire, OWNER, 500, 1216);
    CHECK_INT(submit(cg_buf_span(&wire)), 409);
    issue_kem(&wire, OWNER, 2000, 1216);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    end();
}

/* A record of OWNER's for app/shop.local as a registry submits it. */
static void make_object(struct cg_buf *out, uint8_t owner, uint8_t operator_seed, uint64_t serial,
                        int64_t issued, int64_t expires, const struct cg_log_id *log)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    struct cg_waddr waddr = cg_test_waddr(OWNER, NEXT);
    struct cg_span gateway = CG_LIT("gw1.example.com:443");
    struct cg_record *record = malloc(sizeof *record);
    struct cg_record_ask ask = {
        .plane = CG_LIT("app"),
        .host = CG_LIT("shop.local"),
        .target_host = CG_LIT("shop.local"),
        .target_port = 443,
        .owner = &waddr,
        .profile = CG_LIT("web-default"),
        .log_id = log ? *log : *lg_id(roles.ledger),
        .issued = {cg_roles_now(&roles).s + issued},
        .expires = {cg_roles_now(&roles).s + expires},
        .serial = serial,
        .ttl_s = 300,
        .gateway_dids = &waddr,
        .n_gateway_dids = 1,
        .gateways = &gateway,
        .n_gateways = 1,
        .target_auth = CG_LIT("webpki"),
    };

    cg_buf_init(&json, CG_DOCUMENT_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&json);
    CHECK_OK(cg_record_issue(cg_test_signer(owner), &ask, &w));
    CHECK_OK(cg_record_read(cg_buf_span(&json), true, record));
    CHECK_OK(cg_record_confirm(cg_test_signer(operator_seed), record));
    cg_buf_clear(out);
    w = cg_writer_into(out);
    CHECK_OK(cg_record_object(record, &w));
    free(record);
}

TEST(a_record_is_its_owners_and_of_a_registry_that_is_admitted)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    const uint8_t reg = CG_ROLES_REGISTRY;
    struct cg_log_id other = {{1, 2, 3}};
    struct cg_staple_ask asks[3] = {
        {.kind = "reg", .id = CG_LIT("app/shop.local")}, {.kind = "did"}, {.kind = "did"}};
    struct cg_waddr owner = cg_test_waddr(OWNER, NEXT);
    struct cg_waddr operator_did = cg_test_waddr(reg, CG_ROLES_REGISTRY_NEXT);

    begin();
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    make_object(&wire, OWNER, reg, 1, 0, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 422); /* nobody knows the owner's keys */
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("wallet_doc"));
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    CHECK_INT(submit(cg_buf_span(&wire)), 422); /* nor the registry's */
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
    CHECK_INT(submit(cg_test_wallet(reg, CG_ROLES_REGISTRY_NEXT)), 200);
    CHECK_INT(submit(cg_test_wallet(THIRD, NEXT)), 200);
    make_object(&wire, OWNER, THIRD, 1, 0, 86400, NULL); /* logged, but no registry of ours */
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("signature"));
    make_object(&wire, THIRD, reg, 1, 0, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("owner_signature"));
    make_object(&wire, OWNER, reg, 1, 400, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("issued_at"));
    make_object(&wire, OWNER, reg, 1, -90000, -1, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("expires_at"));
    make_object(&wire, OWNER, reg, 1, 0, 86400, &other);
    CHECK_INT(submit(cg_buf_span(&wire)), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("bpi_anchor"));
    make_object(&wire, OWNER, reg, 2, 0, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 409);

    make_object(&wire, OWNER, reg, 1, 0, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    asks[1].id = cg_span_str(owner.text);
    asks[2].id = cg_span_str(operator_did.text);
    CHECK_OK(verify(last_staple, true, asks, 3));
    CHECK(asks[0].is_present && cg_hash_eq(&asks[0].value, &facts.entry.commitment));
    CHECK(asks[1].is_present && asks[2].is_present);
    make_object(&wire, OWNER, reg, 1, 0, 80000, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 409); /* the serial has its content */
    make_object(&wire, OWNER, reg, 3, 0, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 409);
    make_object(&wire, OWNER, reg, 2, 0, 86400, NULL);
    CHECK_INT(submit(cg_buf_span(&wire)), 200);
    /* Every byte of the object counts: the form, what is signed, and both signatures. */
    make_object(&wire, OWNER, reg, 3, 0, 86400, NULL);
    for (size_t at = 0; at < wire.len; at += 211) {
        wire.at[at] ^= 0x10;
        int status = submit(cg_buf_span(&wire));
        if (!CHECK(status == 400 || status == 422))
            printf("# byte %zu: %d\n", at, status);
        wire.at[at] ^= 0x10;
    }
    end();
}

TEST(what_is_no_object_is_refused_and_nothing_is_logged)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_span doc = cg_test_wallet(OWNER, NEXT);

    begin();
    CHECK_INT(submit(CG_LIT("")), 400);
    CHECK_INT(submit(CG_LIT("\xd8\x62")), 400);
    CHECK_INT(submit(CG_LIT("{\"json\":true}")), 400);
    CHECK_INT(submit(CG_LIT("\x83\x01\x02\x03")), 400);
    for (size_t n = 1; n < doc.len; n += 97)
        CHECK_INT(submit(cg_span_first(doc, n)), 400);
    cg_buf_init(&wire, CG_DOCUMENT_MAX_BYTES);
    issue_cert(&wire, OWNER, 0, 86400, doc, NULL, 1);
    for (size_t n = 1; n < wire.len; n += 1009)
        CHECK_INT(submit(cg_span_first(cg_buf_span(&wire), n)), 400);
    cg_buf_clear(&wire);
    CHECK_OK(cg_cose_issue(cg_test_signer(OWNER), CG_DOC_RELAYLIST, CG_LIT("\xa0"), CG_LIT(""),
                           CG_LIT(""), &wire));
    CHECK_INT(submit(cg_buf_span(&wire)), 501);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/checkpoint"), 200);
    struct cg_checkpoint checkpoint;
    CHECK_OK(cg_checkpoint_read(cg_buf_span(&roles.body), &checkpoint));
    CHECK_INT(checkpoint.size, 1);
    end();
}

TEST(tiles_and_proofs_lead_to_the_checkpoint)
{
    struct cg_checkpoint checkpoint;
    struct cg_range range = {0};
    struct cg_hash root, first_root = {{0}}, commitment;
    char path[256], hex[65] = {0};

    begin();
    for (uint8_t i = 0; i < 3; i++)
        CHECK_INT(submit(cg_test_wallet((uint8_t)(0x40 + i), NEXT)), 200);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/checkpoint"), 200);
    static uint8_t note[16384];
    struct cg_span copy = {note, roles.body.len};
    memcpy(note, roles.body.at, roles.body.len);
    CHECK_OK(cg_checkpoint_read(copy, &checkpoint));
    CHECK_INT(checkpoint.size, 7);

    /* The tree again, out of the entries' bundle, and out of the tile of leaves. */
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/tile/entries/000.p/7"), 200);
    struct cg_reader r = cg_reader_of(cg_buf_span(&roles.body));
    for (unsigned i = 0; i < 7; i++) {
        struct cg_node nodes[CG_TREE_LEVELS + 1];
        struct cg_hash leaf;
        size_t n;
        CHECK_OK(cg_leaf_hash(cg_bundle_next(&r), &leaf));
        CHECK_OK(cg_range_add(&range, &leaf, nodes, &n));
        if (i == 0)
            CHECK_OK(cg_range_root(&range, &first_root));
    }
    CHECK_OK(cg_reader_end(&r));
    CHECK_OK(cg_range_root(&range, &root));
    CHECK(cg_hash_eq(&root, &checkpoint.root));
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/tile/0/000.p/7"), 200);
    CHECK_INT(roles.body.len, 7 * 32);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/tile/0/000"), 404);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/tile/0/0"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/tile/0/000.p/8"), 404);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/tile/1/000.p/1"), 404);

    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/proof/consistency?from=1&to=7"), 200);
    struct cg_cbor c = cg_cbor_of(cg_buf_span(&roles.body));
    struct cg_path proof;
    cg_path_take(&c, &proof);
    CHECK_OK(cg_cbor_end(&c));
    CHECK_OK(cg_consistency_check(1, &first_root, 7, &root, &proof));
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/proof/consistency?from=1&to=8"), 404);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/proof/consistency?from=3&to=2"), 404);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/proof/consistency?from=01&to=2"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/proof/consistency?from=1"), 400);

    CHECK_OK(cg_sha256(cg_test_wallet(0x41, NEXT), &commitment));
    cg_hex_write(cg_hash_span(&commitment), hex);
    for (unsigned size = 0; size < 8; size++) {
        struct cg_leaf_proof leaf;
        struct cg_hash hash;
        snprintf(path, sizeof path,
                 size ? "/proof/inclusion?commitment=%s&size=%u" : "/proof/inclusion?commitment=%s",
                 hex, size);
        bool is_in = size == 0 || size >= 4;
        CHECK_INT(cg_roles_get(&roles, roles.to_ledger, path), is_in ? 200 : 404);
        if (size != 0 && size != 7)
            continue;
        c = cg_cbor_of(cg_buf_span(&roles.body));
        cg_leaf_proof_take(&c, &leaf);
        CHECK_OK(cg_cbor_end(&c));
        CHECK_OK(cg_leaf_hash(leaf.entry, &hash));
        CHECK_INT(leaf.index, 3);
        CHECK_OK(cg_inclusion_check(&hash, 3, 7, &leaf.path, &root));
    }
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/proof/inclusion?commitment=00"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/object/00"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/staple"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/staple?did=did:bpi:x"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/staple?kind=other&id=x"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/nothing"), 404);
    end();
}

TEST(many_submissions_share_a_head)
{
    begin();
    roles.ledger_options.publish_interval_ms = 500;
    cg_roles_stop(&roles);
    cg_roles_start(&roles);
    for (uint8_t i = 0; i < 10; i++)
        cg_roles_begin(&roles, roles.to_ledger, "/submit", cg_test_wallet((uint8_t)(i + 1), NEXT));
    for (unsigned i = 0; i < 10; i++)
        CHECK_INT(cg_roles_wait(&roles), 200);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/checkpoint"), 200);
    struct cg_checkpoint checkpoint;
    CHECK_OK(cg_checkpoint_read(cg_buf_span(&roles.body), &checkpoint));
    CHECK(checkpoint.size >= 13 && checkpoint.size <= 15); /* two heads of the start, then few */
    end();
}

TEST(who_waits_too_long_is_told_where_to_ask)
{
    char first[256];

    cg_roles_init(&roles, false);
    roles.ledger_options.publish_interval_ms = 1500;
    roles.ledger_options.wait_ms = 200;
    cg_roles_start(&roles);
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 202);
    snprintf(first, sizeof first, "%s", roles.location);
    CHECK(strncmp(first, "/proof/inclusion?commitment=", 28) == 0);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, first), 404);
    for (unsigned i = 0; i < 30 && roles.status != 200; i++) {
        cg_roles_run(&roles, 100);
        (void)cg_roles_get(&roles, roles.to_ledger, first);
    }
    CHECK_INT(roles.status, 200);
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    end();
}

TEST(a_ledger_goes_on_where_it_was_stopped)
{
    struct cg_checkpoint checkpoint;
    uint64_t index;

    begin();
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    index = last_index;
    cg_roles_stop(&roles);
    cg_roles_start(&roles);
    CHECK_INT(submit(cg_test_wallet(OWNER, NEXT)), 200);
    CHECK_INT(last_index, index);
    CHECK_INT(submit(cg_test_wallet(THIRD, NEXT)), 200);
    CHECK_INT(cg_roles_get(&roles, roles.to_ledger, "/checkpoint"), 200);
    CHECK_OK(cg_checkpoint_read(cg_buf_span(&roles.body), &checkpoint));
    CHECK_INT(checkpoint.size, 6);
    end();
}

TEST(stopping_answers_those_who_wait)
{
    cg_roles_init(&roles, false);
    roles.ledger_options.publish_interval_ms = 5000;
    cg_roles_start(&roles);
    cg_roles_begin(&roles, roles.to_ledger, "/submit", cg_test_wallet(OWNER, NEXT));
    cg_roles_run(&roles, 100);
    lg_drain(roles.ledger);
    CHECK(!lg_is_drained(roles.ledger));
    CHECK_INT(submit(cg_test_wallet(THIRD, NEXT)), 503);
    end();
}

TEST(the_option_table_is_sound)
{
    const char *fault = cg_option_table_fault(&lg_option_table);

    if (!CHECK(fault == NULL))
        printf("# %s\n", fault);
}

/* Tries to start on what another ledger left, and gives what it says. */
static const char *start_on_its_database(const struct lg_options *options,
                                         struct cg_problems *problems)
{
    struct lg_ledger *ledger = NULL;

    CHECK_OK(cg_loop_new(&roles.loop));
    const struct lg_setup setup = {.options = options,
                                   .database = cg_scratch_file(&roles.scratch, "httpcg.db"),
                                   .crypto = cg_test_crypto(),
                                   .loop = roles.loop};
    CHECK(lg_start(&setup, problems, &ledger) != CG_OK);
    CHECK(ledger == NULL);
    cg_loop_free(roles.loop);
    roles.loop = NULL;
    return problems->at[0].text;
}

TEST(a_log_does_not_go_on_under_another_name_or_other_keys)
{
    struct cg_problems problems = {0};
    struct lg_options other;

    begin();
    cg_roles_stop(&roles);
    other = roles.ledger_options;
    other.origin = "ledger.example/bpi2";
    CHECK(strstr(start_on_its_database(&other, &problems), "another name") != NULL);
    CHECK_INT(problems.n, 1);
    problems.n = 0;
    other = roles.ledger_options;
    cg_roles_key_file(&roles, "other.hck", CG_ROLES_LOG + 1, "log");
    other.key = cg_scratch_file(&roles.scratch, "other.hck");
    CHECK(strstr(start_on_its_database(&other, &problems), "other keys") != NULL);
    cg_roles_start(&roles); /* the log itself goes on */
    end();
}

TEST(a_ledger_that_cannot_start_says_why)
{
    struct cg_problems problems = {0};
    struct lg_ledger *ledger = NULL;
    struct lg_options bad;

    cg_roles_init(&roles, false);
    CHECK_OK(cg_loop_new(&roles.loop));
    struct lg_setup setup = {.options = &bad,
                             .database = cg_scratch_file(&roles.scratch, "no/such/folder"),
                             .crypto = cg_test_crypto(),
                             .loop = roles.loop};
    bad = roles.ledger_options;
    CHECK_ERR(lg_start(&setup, &problems, &ledger), CG_STORE);
    CHECK_INT(problems.n, 1);
    CHECK(strstr(problems.at[0].text, "database") != NULL);

    problems.n = 0;
    bad.key = cg_scratch_file(&roles.scratch, "nothing");
    CHECK_ERR(lg_start(&setup, &problems, &ledger), CG_CONFIG);
    CHECK(strstr(problems.at[0].text, "does not exist (ledger.key)") != NULL);
    problems.n = 0;
    bad.key = roles.ledger_options.passphrase;
    CHECK_ERR(lg_start(&setup, &problems, &ledger), CG_CONFIG);
    CHECK(strstr(problems.at[0].text, "is not a key file") != NULL);
    problems.n = 0;
    bad.key = roles.ledger_options.key;
    bad.passphrase = bad.key;
    CHECK_ERR(lg_start(&setup, &problems, &ledger), CG_CONFIG);
    CHECK(strstr(problems.at[0].text, "does not open") != NULL);
    CHECK(ledger == NULL);
    cg_loop_free(roles.loop);
    roles.loop = NULL;
    end();
}

SUITE(ledger, T(a_new_ledger_publishes_a_checkpoint_that_verifies),
      T(an_inception_is_logged_and_its_staple_proves_it),
      T(a_did_that_is_not_logged_is_proved_to_be_absent),
      T(a_chain_of_operations_is_admitted_link_by_link),
      T(a_certificate_brings_its_dids_inception_along),
      T(certificates_that_fail_a_check_are_refused), T(a_deactivated_did_says_nothing_more),
      T(after_a_rotation_the_old_keys_certify_nothing),
      T(a_certificate_is_revoked_by_its_own_did_alone),
      T(a_policy_is_its_owners_and_never_goes_back),
      T(a_sealing_key_is_its_dids_and_outlives_the_one_before),
      T(a_record_is_its_owners_and_of_a_registry_that_is_admitted),
      T(what_is_no_object_is_refused_and_nothing_is_logged),
      T(tiles_and_proofs_lead_to_the_checkpoint), T(many_submissions_share_a_head),
      T(who_waits_too_long_is_told_where_to_ask), T(a_ledger_goes_on_where_it_was_stopped),
      T(stopping_answers_those_who_wait), T(the_option_table_is_sound),
      T(a_log_does_not_go_on_under_another_name_or_other_keys),
      T(a_ledger_that_cannot_start_says_why))
