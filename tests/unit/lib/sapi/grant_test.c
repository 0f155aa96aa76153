#include "lib/sapi/grant.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/hsig.h"
#include "lib/identity/didop.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include <stdio.h>
#include <string.h>

static struct cg_span hex(size_t i, const char *member)
{
    char path[64];

    snprintf(path, sizeof path, "grant:grants.%zu.%s", i, member);
    return cg_vector_hex(path);
}

static struct cg_grant read_grant(size_t i)
{
    struct cg_grant grant = {0};

    CHECK_OK(cg_grant_read(hex(i, "grant"), &grant));
    return grant;
}

TEST(reads_and_writes_every_grant_of_the_table)
{
    CHECK_INT(cg_vector_count("grant:grants"), 3);
    for (size_t i = 0; i < cg_vector_count("grant:grants"); i++) {
        CG_AUTO(buf) struct cg_buf buf;
        struct cg_grant grant = read_grant(i);
        struct cg_hash hash;

        cg_buf_init(&buf, 1024);
        CHECK_OK(cg_grant_write(&grant, &buf));
        CHECK_SPAN(cg_buf_span(&buf), hex(i, "grant"));
        CHECK_OK(cg_grant_hash(cg_test_kit(), cg_buf_span(&buf), &hash));
        CHECK_SPAN(cg_hash_span(&hash), hex(i, "grant_hash"));
    }
}

TEST(reads_what_v1_says)
{
    struct cg_grant grant = {0};
    struct cg_channel channel;

    cg_test_channel(0, &channel);
    CHECK_OK(cg_grant_read(cg_vector_hex("v1:grant.grant"), &grant));
    CHECK_SPAN(cg_span_str(grant.wallet.text), cg_span_str(cg_vector("v1:wallet.waddr")));
    CHECK_SPAN(cg_span_str(grant.session_id), cg_span_str(channel.session_id));
    CHECK(cg_hash_eq(&grant.cb, &channel.cb) && cg_hash_eq(&grant.spki, &channel.spki) &&
          cg_hash_eq(&grant.fingerprint, &channel.fingerprint));
    CHECK(grant.modes == CG_MODES_LISTED);
    CHECK(grant.epoch_start == CG_TEST_EPOCH && grant.epochs == 10);
    CHECK(grant.timestamp == CG_TEST_NOW);
    CHECK(grant.n_scope == 1 && !grant.is_anywhere);
    CHECK_SPAN(grant.scope[0], CG_LIT("app/app.example.com"));
    CHECK_SPAN(CG_BYTES(grant.nonce), cg_unhex("000102030405060708090a0b0c0d0e0f"));
    CHECK(grant.n_creds == 0 && grant.client_tlsls.len == 0);
}

TEST(reads_optional_members)
{
    struct cg_grant grant = read_grant(1);

    CHECK(grant.is_anywhere && grant.n_scope == 0);
    CHECK_INT(grant.n_creds, 2);
    CHECK_SPAN(grant.creds[1], CG_LIT("credential 2"));
    CHECK_SPAN(grant.client_tlsls, CG_LIT("certificate"));
    grant = read_grant(2);
    CHECK(grant.modes == 0 && grant.n_scope == 2);
}

TEST(signs_and_answers_as_the_table_says)
{
    struct cg_kit *kit = cg_test_kit();
    struct cg_channel channel;

    cg_test_channel(0, &channel);
    for (size_t i = 0; i < cg_vector_count("grant:grants"); i++) {
        uint8_t sig[CG_HSIG_BYTES], tbs[CG_PROOF_TBS_BYTES];
        CG_AUTO(buf) struct cg_buf buf;
        struct cg_grant_answer answer = {0};
        struct cg_hash hash, grant_hash;
        struct cg_secret gk, conf;

        CHECK_OK(cg_grant_sign(cg_test_signer(0), hex(i, "grant"), sig));
        CHECK_OK(cg_sha256(CG_BYTES(sig), &hash));
        CHECK_SPAN(cg_hash_span(&hash), hex(i, "signature_sha256"));

        CHECK_OK(cg_grant_answer_read(hex(i, "answer"), &answer));
        cg_buf_init(&buf, 1024);
        CHECK_OK(cg_grant_answer_write(&answer, &buf));
        CHECK_SPAN(cg_buf_span(&buf), hex(i, "answer"));
        CHECK_OK(cg_grant_hash(kit, hex(i, "grant"), &grant_hash));
        CHECK(cg_hash_eq(&grant_hash, &answer.grant_hash));
        CHECK_OK(cg_grant_key(kit, &channel, &grant_hash, &gk));
        CHECK_SPAN(CG_BYTES(gk.bytes), hex(i, "grant_key"));
        CHECK_OK(cg_confirm_key(kit, &gk, &conf));
        CHECK_OK(cg_sapi_check_mac(kit, &conf, cg_buf_span(&buf), hex(i, "confirm")));

        CHECK_OK(cg_proof_tbs(kit, &channel.cb, &grant_hash, cg_buf_span(&buf), tbs));
        CHECK_SPAN(CG_BYTES(tbs), hex(i, "proof_tbs"));
        CG_AUTO(buf) struct cg_buf proof;
        struct cg_batch batch;
        size_t index;
        cg_buf_init(&proof, CG_BATCH_MAX_BYTES);
        cg_batch_init(&batch);
        CHECK_OK(cg_batch_add(&batch, CG_BYTES(tbs), &index));
        CHECK_OK(cg_batch_sign(&batch, cg_test_signer(0x80), CG_HSIG_CHANNEL_PROOF));
        CHECK_OK(cg_batch_write(&batch, index, &proof));
        CHECK_OK(cg_sha256(cg_buf_span(&proof), &hash));
        CHECK_SPAN(cg_hash_span(&hash), hex(i, "proof_sha256"));
        CHECK_OK(cg_proof_verify(cg_test_verifier(0x80), CG_BYTES(tbs), cg_buf_span(&proof)));
        tbs[40] ^= 1;
        CHECK(cg_proof_verify(cg_test_verifier(0x80), CG_BYTES(tbs), cg_buf_span(&proof)) != CG_OK);
    }
}

TEST(agrees_with_v1_about_answer_confirmation_and_proof)
{
    CHECK_SPAN(hex(0, "grant"), cg_vector_hex("v1:grant.grant"));
    CHECK_SPAN(hex(0, "grant_hash"), cg_vector_hex("v1:grant.grant_hash"));
    CHECK_SPAN(hex(0, "answer"), cg_vector_hex("v1:grant.answer"));
    CHECK_SPAN(hex(0, "confirm"), cg_vector_hex("v1:grant.confirm"));
    CHECK_SPAN(hex(0, "proof_tbs"), cg_vector_hex("v1:grant.proof_transcript"));
    CHECK_SPAN(hex(0, "k_conf"), cg_vector_hex("v1:grant.K_conf"));
}

TEST(verifies_the_posted_body_of_v1)
{
    struct cg_span wire = cg_vector_hex("v1:grant.body");
    CG_AUTO(buf) struct cg_buf again;
    struct cg_did_state did = {0};
    struct cg_grant_body body;
    struct cg_grant grant;

    CHECK_INT(wire.len, 7797);
    CHECK_OK(cg_grant_body_read(wire, &body));
    CHECK_OK(cg_grant_read(body.grant, &grant));
    CHECK_OK(cg_grant_verify(cg_test_crypto(), &body, &grant, &did));
    CHECK(cg_waddr_eq(&did.waddr, &grant.wallet));
    CHECK_SPAN(CG_BYTES(did.keys.ed25519), cg_vector_hex("v1:wallet.ed25519"));
    cg_buf_init(&again, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_grant_body_write(&body, &again));
    CHECK_SPAN(cg_buf_span(&again), wire);
}

TEST(refuses_a_grant_whose_signature_or_keys_are_not_the_wallets)
{
    struct cg_grant_body body, spoilt;
    struct cg_grant grant, other;
    struct cg_did_state did = {0};
    uint8_t bytes[CG_HSIG_BYTES];

    CHECK_OK(cg_grant_body_read(cg_vector_hex("v1:grant.body"), &body));
    CHECK_OK(cg_grant_read(body.grant, &grant));
    for (size_t i = 0; i < CG_HSIG_BYTES; i += 311) {
        memcpy(bytes, body.signature.at, sizeof bytes);
        bytes[i] ^= 1;
        spoilt = body;
        spoilt.signature = CG_BYTES(bytes);
        CHECK_ERR(cg_grant_verify(cg_test_crypto(), &spoilt, &grant, &did), CG_SIGNATURE);
    }
    spoilt = body;
    spoilt.wallet_doc = cg_vector_hex("v1:gateway.walletdoc");
    CHECK_ERR(cg_grant_verify(cg_test_crypto(), &spoilt, &grant, &did), CG_MISMATCH);
    other = grant;
    memset(other.session_key, 0, sizeof other.session_key);
    CHECK_ERR(cg_grant_verify(cg_test_crypto(), &body, &other, &did), CG_KEY);
    memset(other.session_key, 0xff, sizeof other.session_key);
    CHECK_ERR(cg_grant_verify(cg_test_crypto(), &body, &other, &did), CG_KEY);
    CHECK(did.waddr.text[0] == '\0');
}

/* The wallet's document after one operation by its next keys, S = 20..3f. */
static void change_did(enum cg_didop_kind kind, struct cg_buf *wallet_doc)
{
    struct cg_span inception = cg_vector_hex("v1:wallet.walletdoc");
    CG_AUTO(buf) struct cg_buf didop = {0};
    struct cg_did_state before;

    cg_buf_init(&didop, CG_DIDOP_MAX_BYTES);
    cg_buf_init(wallet_doc, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_did_begin(inception, &before));
    CHECK_OK(cg_didop_issue(cg_test_signer(0x20), kind, &before, NULL, &didop));
    CHECK_OK(cg_did_append(inception, cg_buf_span(&didop), wallet_doc));
}

TEST(goes_by_the_keys_of_the_newest_operation)
{
    CG_AUTO(buf) struct cg_buf rotated = {0};
    CG_AUTO(buf) struct cg_buf deactivated = {0};
    struct cg_did_state did = {0};
    struct cg_grant_body body;
    uint8_t sig[CG_HSIG_BYTES];
    struct cg_grant grant;

    change_did(CG_DIDOP_ROTATE, &rotated);
    change_did(CG_DIDOP_DEACTIVATE, &deactivated);
    CHECK_OK(cg_grant_body_read(cg_vector_hex("v1:grant.body"), &body));
    CHECK_OK(cg_grant_read(body.grant, &grant));
    body.wallet_doc = cg_buf_span(&rotated);
    CHECK_ERR(cg_grant_verify(cg_test_crypto(), &body, &grant, &did), CG_SIGNATURE);
    CHECK_OK(cg_grant_sign(cg_test_signer(0x20), body.grant, sig));
    body.signature = CG_BYTES(sig);
    body.wallet_doc = cg_buf_span(&deactivated);
    CHECK_ERR(cg_grant_verify(cg_test_crypto(), &body, &grant, &did), CG_REVOKED);
    CHECK(did.seq == 0);
    body.wallet_doc = cg_buf_span(&rotated);
    CHECK_OK(cg_grant_verify(cg_test_crypto(), &body, &grant, &did));
    CHECK(did.seq == 1);
}

/* The first grant, with n bytes at a place found by the text before them replaced. */
static struct cg_span patched(const char *after, size_t skip, const char *bytes, size_t n)
{
    static uint8_t room[512];
    struct cg_span wire = hex(0, "grant");
    uint8_t *at;

    memcpy(room, wire.at, wire.len);
    at = memmem(room, wire.len, after, strlen(after));
    CHECK(at != NULL);
    if (at)
        memcpy(at + strlen(after) + skip, bytes, n);
    return cg_span_of(room, wire.len);
}

TEST(refuses_grants_that_are_malformed)
{
    static const struct {
        const char *after;
        size_t skip;
        const char *bytes;
        size_t n;
        cg_err err;
    } bad[] = {
        {"av", 0, "\x02", 1, CG_VERSION},
        {"fepochs", 0, "\x00", 1, CG_SCHEMA},
        {"fepochs", 0, "\x18", 1, CG_SCHEMA},
        {"emodes", 2, "Grant", 5, CG_UNKNOWN},
        {"emodes", 0, "\x83", 1, CG_SCHEMA},
        {"emodes", 0, "\x80", 1, CG_SCHEMA},
        {"enonce", 0, "\x4f", 1, CG_SCHEMA},
        {"enonce", 0, "\x51", 1, CG_TOO_LARGE},
        {"escope", 0, "\x80", 1, CG_SCHEMA},
        {"escope", 2, "App/", 4, CG_SYNTAX},
        {"escope", 2, "web/", 4, CG_SYNTAX},
        {"escope", 6, "app.example..om", 15, CG_SYNTAX},
        {"jsession_id", 2, "0F", 2, CG_SYNTAX},
        {"jsession_id", 10, "0", 1, CG_SYNTAX},
        {"kepoch_start", 0, "\x3a", 1, CG_SCHEMA},
        {"itimestamp", 0, "\xfa", 1, CG_SCHEMA},
        {"ksession_key", 0, "\x78", 1, CG_SCHEMA},
        {"nwallet_address", 2, "a", 1, CG_MISMATCH},
        {"nwallet_address", 2, "V", 1, CG_SYNTAX},
        {"spki_hash", 0, "\x78", 1, CG_SCHEMA},
        {"av\x01"
         "b",
         0, "x", 1, CG_SCHEMA},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_grant grant = {.epochs = 77};
        struct cg_span wire = patched(bad[i].after, bad[i].skip, bad[i].bytes, bad[i].n);

        if (!CHECK_ERR(cg_grant_read(wire, &grant), bad[i].err))
            printf("# row %zu\n", i);
        CHECK(grant.epochs == 77);
    }
}

TEST(refuses_a_listed_hybrid_and_a_mode_twice)
{
    struct cg_grant grant;
    uint8_t room[512];
    struct cg_span wire = hex(0, "grant");
    /* modes: ["grant","ed25519"] is 82 65 grant 67 ed25519. */
    uint8_t *at = memmem(memcpy(room, wire.at, wire.len), wire.len, "ged25519", 8);

    CHECK_OR_STOP(at != NULL);
    /* ["grant", "hybrid"], one byte shorter. */
    memcpy(at, "fhybrid", 7);
    memmove(at + 7, at + 8, (size_t)(room + wire.len - at) - 8);
    CHECK_ERR(cg_grant_read(cg_span_of(room, wire.len - 1), &grant), CG_SCHEMA);
    /* ["grant", "grant"], two bytes shorter. */
    memcpy(at, "egrant", 6);
    memmove(at + 6, at + 7, (size_t)(room + wire.len - at) - 8);
    CHECK_ERR(cg_grant_read(cg_span_of(room, wire.len - 2), &grant), CG_SCHEMA);
}

TEST(refuses_61_minutes_and_takes_60)
{
    struct cg_span wire = hex(0, "grant");
    struct cg_grant grant = {0};
    uint8_t room[512];
    uint8_t *at = memmem(memcpy(room, wire.at, wire.len), wire.len, "fepochs", 7);

    CHECK_OR_STOP(at != NULL);
    memmove(at + 9, at + 8, (size_t)(room + wire.len - at) - 8);
    memcpy(at + 7, "\x18\x3d", 2);
    CHECK_ERR(cg_grant_read(cg_span_of(room, wire.len + 1), &grant), CG_SCHEMA);
    at[8] = 60;
    CHECK_OK(cg_grant_read(cg_span_of(room, wire.len + 1), &grant));
    CHECK_INT(grant.epochs, 60);
}

TEST(refuses_every_prefix_and_what_goes_on_after_the_end)
{
    static const char *const items[] = {"grant", "answer"};

    for (size_t k = 0; k < 2; k++) {
        struct cg_span wire = hex(1, items[k]);
        struct cg_grant_answer answer;
        struct cg_grant grant;
        uint8_t more[1024];

        memcpy(more, wire.at, wire.len);
        more[wire.len] = 0;
        for (size_t n = 0; n < wire.len; n++)
            CHECK_ERR(k == 0 ? cg_grant_read(cg_span_first(wire, n), &grant)
                             : cg_grant_answer_read(cg_span_first(wire, n), &answer),
                      CG_SHORT);
        struct cg_span longer = cg_span_of(more, wire.len + 1);
        CHECK_ERR(k == 0 ? cg_grant_read(longer, &grant) : cg_grant_answer_read(longer, &answer),
                  CG_EXTRA);
    }
}

TEST(refuses_posted_bodies_that_are_malformed)
{
    struct cg_span wire = cg_vector_hex("v1:grant.body");
    struct cg_grant_body body;
    uint8_t room[8192];

    for (size_t n = 0; n < wire.len; n += n < 500 ? 1 : 97)
        CHECK_ERR(cg_grant_body_read(cg_span_first(wire, n), &body), CG_SHORT);
    memcpy(room, wire.at, wire.len);
    room[wire.len] = 0;
    CHECK_ERR(cg_grant_body_read(cg_span_of(room, wire.len + 1), &body), CG_EXTRA);
    room[0] = 0x82;
    CHECK_ERR(cg_grant_body_read(cg_span_of(room, wire.len), &body), CG_SCHEMA);
    room[0] = 0x9f;
    CHECK_ERR(cg_grant_body_read(cg_span_of(room, wire.len), &body), CG_CANONICAL);
    room[0] = 0x83;
    room[wire.len - CG_HSIG_BYTES - 1]--;
    CHECK_ERR(cg_grant_body_read(cg_span_of(room, wire.len - 1), &body), CG_SCHEMA);
}

TEST(writes_no_grant_that_would_not_be_read)
{
    CG_AUTO(buf) struct cg_buf buf;
    const struct cg_grant good = read_grant(0);
    struct cg_grant grant;

    cg_buf_init(&buf, 64 * 1024);
    grant = good, grant.epochs = 0;
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.epochs = 61;
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.n_scope = 0;
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.n_scope = 33;
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.is_anywhere = true;
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.scope[0] = CG_LIT("app/A.example");
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.modes |= CG_MODE_BIT(CG_SAPI_HYBRID);
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    grant = good, grant.n_creds = 5;
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_SCHEMA);
    CHECK_INT(buf.len, 0);

    /* The limits themselves. */
    grant = good, grant.epochs = 60, grant.n_scope = 32;
    for (size_t i = 0; i < 32; i++)
        grant.scope[i] = CG_LIT("app/a.example");
    CHECK_OK(cg_grant_write(&grant, &buf));
    struct cg_grant again = {0};
    CHECK_OK(cg_grant_read(cg_buf_span(&buf), &again));
    CHECK(again.n_scope == 32 && again.epochs == 60);
}

TEST(a_credential_is_limited_in_size)
{
    static const uint8_t bytes[CG_CRED_MAX_BYTES + 1];
    static const uint8_t head[] = {0x59, CG_CRED_MAX_BYTES >> 8, 0};
    CG_AUTO(buf) struct cg_buf buf, longer;
    struct cg_grant grant = read_grant(0), again;

    cg_buf_init(&buf, 64 * 1024);
    cg_buf_init(&longer, 64 * 1024);
    grant.n_creds = 2;
    grant.creds[0] = CG_LIT("short");
    for (size_t n = CG_CRED_MAX_BYTES - 1; n <= CG_CRED_MAX_BYTES; n++) {
        cg_buf_clear(&buf);
        grant.creds[1] = cg_span_of(bytes, n);
        CHECK_OK(cg_grant_write(&grant, &buf));
        CHECK_OK(cg_grant_read(cg_buf_span(&buf), &again));
        CHECK(again.n_creds == 2 && again.creds[1].len == n);
    }
    /* A byte more, by hand: the writer refuses that, too. */
    size_t at = (size_t)((const uint8_t *)memmem(buf.at, buf.len, head, sizeof head) - buf.at);
    CHECK_OK(cg_buf_add(&longer, cg_span_of(buf.at, at)));
    CHECK_OK(cg_buf_add(&longer, CG_LIT("\x59\x20\x01\x00")));
    CHECK_OK(cg_buf_add(&longer, cg_span_from(cg_buf_span(&buf), at + sizeof head)));
    CHECK_ERR(cg_grant_read(cg_buf_span(&longer), &again), CG_TOO_LARGE);
    size_t before = buf.len;
    grant.creds[1] = cg_span_of(bytes, sizeof bytes);
    CHECK_ERR(cg_grant_write(&grant, &buf), CG_TOO_LARGE);
    CHECK_INT(buf.len, before);
}

TEST(a_scope_is_exact)
{
    const struct cg_span names[] = {CG_LIT("app/a.example"), CG_LIT("wallet/w")};
    struct cg_url url = {CG_PLANE_APP, CG_LIT("a.example"), CG_LIT("/x"), {0}, {0}};

    CHECK(cg_scope_covers(names, 2, &url));
    CHECK(!cg_scope_covers(names, 0, &url));
    url.authority = CG_LIT("b.a.example");
    CHECK(!cg_scope_covers(names, 2, &url));
    url.authority = CG_LIT("a.exampl");
    CHECK(!cg_scope_covers(names, 2, &url));
    url.authority = CG_LIT("w");
    CHECK(!cg_scope_covers(names, 2, &url));
    url.plane = CG_PLANE_WALLET;
    CHECK(cg_scope_covers(names, 2, &url));
}

TEST(takes_the_answers_body_apart_and_puts_it_together)
{
    const uint8_t proof[] = {1, 2, 3};
    struct cg_grant_reply reply = {hex(0, "answer"), hex(0, "confirm"), CG_BYTES(proof)}, got;
    CG_AUTO(buf) struct cg_buf buf;

    cg_buf_init(&buf, 1024);
    CHECK_OK(cg_grant_reply_write(&reply, &buf));
    CHECK_OK(cg_grant_reply_read(cg_buf_span(&buf), &got));
    CHECK_SPAN(got.answer, reply.answer);
    CHECK_SPAN(got.confirm, reply.confirm);
    CHECK_SPAN(got.proof, reply.proof);
    for (size_t n = 0; n < buf.len; n++)
        CHECK_ERR(cg_grant_reply_read(cg_span_first(cg_buf_span(&buf), n), &got), CG_SHORT);
}

SUITE(grant, T(reads_and_writes_every_grant_of_the_table), T(reads_what_v1_says),
      T(reads_optional_members), T(signs_and_answers_as_the_table_says),
      T(agrees_with_v1_about_answer_confirmation_and_proof), T(verifies_the_posted_body_of_v1),
      T(refuses_a_grant_whose_signature_or_keys_are_not_the_wallets),
      T(goes_by_the_keys_of_the_newest_operation), T(refuses_grants_that_are_malformed),
      T(refuses_a_listed_hybrid_and_a_mode_twice), T(refuses_61_minutes_and_takes_60),
      T(refuses_every_prefix_and_what_goes_on_after_the_end),
      T(refuses_posted_bodies_that_are_malformed), T(a_credential_is_limited_in_size),
      T(writes_no_grant_that_would_not_be_read), T(a_scope_is_exact),
      T(takes_the_answers_body_apart_and_puts_it_together))
