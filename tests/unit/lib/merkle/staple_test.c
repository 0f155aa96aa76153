#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/staple.h"

#include <stdio.h>
#include <stdlib.h>

static struct cg_quorum two, none = {.is_none = true};
static struct cg_tlog tlog;

/* The log and two of the witnesses of checkpoint.json. */
static void set_up(void)
{
    static const unsigned which[] = {0, 2};
    struct cg_public_keys keys;

    two = (struct cg_quorum){.n_nodes = 3, .goal = 2};
    for (size_t i = 0; i < 2; i++) {
        two.nodes[i].parent = 2;
        CHECK_OK(cg_vkey_read(
            cg_test_crypto(),
            cg_span_str(cg_vector(cg_vector_at("checkpoint:witnesses.%u.vkey", which[i]))),
            &two.nodes[i].key));
    }
    two.nodes[2] =
        (struct cg_quorum_node){.is_group = true, .parent = CG_GROUP_NONE, .k = 2, .n = 2};
    memcpy(keys.ed25519, cg_vector_hex("checkpoint:log.ed25519").at, sizeof keys.ed25519);
    memcpy(keys.mldsa87, cg_vector_hex("checkpoint:log.mldsa87").at, sizeof keys.mldsa87);
    CHECK_OK(
        cg_tlog_init(cg_test_crypto(), CG_LIT("ledger.example/bpi1"), &keys, &two, 21600, &tlog));
}

static void tear_down(void)
{
    cg_tlog_done(&tlog);
    cg_quorum_done(&two);
}

static struct cg_ledger_view just_after(void)
{
    return (struct cg_ledger_view){
        .logs = &tlog, .n_logs = 1, .now = {(int64_t)cg_vector_uint("staple:time") + 60}};
}

static size_t read_asks(const char *use, struct cg_staple_ask *asks)
{
    size_t n = cg_vector_count(cg_vector_at("staple:asks.%s", use));

    for (size_t i = 0; i < n; i++)
        asks[i] = (struct cg_staple_ask){
            .kind = cg_vector(cg_vector_at("staple:asks.%s.%zu.kind", use, i)),
            .id = cg_span_str(cg_vector(cg_vector_at("staple:asks.%s.%zu.id", use, i)))};
    return n;
}

static bool wants_entry(const char *use)
{
    return strcmp(cg_vector(cg_vector_at("staple:incl.%s", use)), "-1") != 0;
}

/* The answers of a use are those of the newest head. */
static void check_answers(const char *use, const struct cg_staple_ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct cg_span want = cg_vector_hex(cg_vector_at("staple:asks.%s.%zu.value", use, i));

        CHECK_INT(asks[i].is_present, want.len != 0);
        if (asks[i].is_present)
            CHECK_SPAN(cg_hash_span(&asks[i].value), want);
    }
}

static const char *const step_names[] = {"form",      "checkpoint", "head", "age",
                                         "inclusion", "map",        ""};

/* A case's bytes: its base, cut. */
static struct cg_span cut(size_t i, uint8_t *room, size_t cap)
{
    const char *name = cg_vector(cg_vector_at("staple:cases.%zu.base", i));
    struct cg_span base = cg_vector_hex(cg_vector_at("staple:bases.%s", name));
    size_t at = (size_t)cg_vector_uint(cg_vector_at("staple:cases.%zu.at", i));
    size_t remove = (size_t)cg_vector_uint(cg_vector_at("staple:cases.%zu.remove", i));
    struct cg_writer w = cg_writer_fixed(room, cap);

    cg_put(&w, cg_span_first(base, at));
    cg_put(&w, cg_vector_hex(cg_vector_at("staple:cases.%zu.insert", i)));
    cg_put(&w, cg_span_from(base, at + remove));
    CHECK_OK(cg_writer_end(&w));
    return cg_writer_span(&w);
}

TEST(every_case_has_its_verdict_at_its_step)
{
    static uint8_t room[CG_STAPLE_MAX_BYTES];

    set_up();
    for (size_t i = 0; i < cg_vector_count("staple:cases"); i++) {
        const char *why = cg_vector(cg_vector_at("staple:cases.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("staple:cases.%zu.error", i));
        const char *step = cg_vector(cg_vector_at("staple:cases.%zu.step", i));
        const char *use = cg_vector(cg_vector_at("staple:cases.%zu.use", i));
        struct cg_wall now = {(int64_t)cg_vector_uint(cg_vector_at("staple:cases.%zu.now", i))};
        int64_t max_age = (int64_t)cg_vector_uint(cg_vector_at("staple:cases.%zu.max_age", i));
        struct cg_tlog_seen seen = {
            cg_vector_uint(cg_vector_at("staple:cases.%zu.seen_size", i)),
            cg_vector_hash(cg_vector_at("staple:cases.%zu.seen_root", i)),
            {(int64_t)cg_vector_uint(cg_vector_at("staple:cases.%zu.seen_time", i))}};
        struct cg_staple_ask asks[CG_STAPLE_MAP_MAX];
        struct cg_staple_facts facts;
        size_t n_asks = read_asks(use, asks);

        struct cg_ledger_view view = {&tlog, 1, seen.size ? &seen : NULL, max_age, now};

        tlog.quorum = strcmp(cg_vector(cg_vector_at("staple:cases.%zu.quorum", i)), "none") == 0
                          ? &none
                          : &two;
        cg_err err = cg_staple_verify(cut(i, room, sizeof room), &view, wants_entry(use), asks,
                                      n_asks, &facts);
        if (!CHECK(strcmp(cg_err_name(err), error) == 0) ||
            !CHECK(strcmp(step_names[facts.failed], step) == 0))
            printf("#   %s: %s at %s\n", why, cg_err_name(err), step_names[facts.failed]);
        if (err == CG_OK && strcmp(why, "good") == 0)
            check_answers(use, asks, n_asks);
    }
    tear_down();
}

TEST(a_good_staple_tells_its_head_and_its_entry)
{
    struct cg_staple_ask asks[CG_STAPLE_MAP_MAX];
    struct cg_staple_facts facts;
    struct cg_span wire = cg_vector_hex("staple:bases.cert");
    struct cg_hash root = cg_vector_hash("staple:root"), hash;
    struct cg_ledger_view view = just_after();
    struct cg_staple staple;

    set_up();
    size_t n = read_asks("cert", asks);
    CHECK_OK(cg_staple_verify(wire, &view, true, asks, n, &facts));
    CHECK_INT(facts.head.size, cg_vector_uint("staple:size"));
    CHECK(cg_hash_eq(&facts.head.root, &root));
    CHECK_INT(facts.head.time.s, cg_vector_uint("staple:time"));
    CHECK_INT(facts.checkpoint.n_cosignatures, 2);
    CHECK(!facts.checkpoint.is_unwitnessed);
    CHECK_INT(facts.entry.kind, CG_ENTRY_TLSLS);
    CHECK_INT(facts.entry_index, cg_vector_uint("staple:incl.cert"));
    CHECK_SPAN(facts.entry.subject, cg_span_str(cg_vector("v1:gateway.did")));
    CHECK_OK(cg_staple_read(wire, &staple));
    CHECK_OK(cg_sha256(staple.incl.entry, &hash));
    CHECK(cg_hash_eq(&hash, &facts.entry_hash));
    tear_down();
}

TEST(staples_are_written_as_they_are_read)
{
    static const char *const names[] = {"cert", "record", "denial", "did", "rotated", "revoked"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static uint8_t room[CG_STAPLE_MAX_BYTES];
        struct cg_writer w = cg_writer_fixed(room, sizeof room);
        struct cg_span wire = cg_vector_hex(cg_vector_at("staple:bases.%s", names[i]));
        struct cg_staple staple;

        CHECK_OK(cg_staple_read(wire, &staple));
        CHECK_OK(cg_staple_write(&staple, &w));
        CHECK_SPAN(cg_writer_span(&w), wire);
    }
}

TEST(every_prefix_of_a_staple_is_short)
{
    struct cg_span wire = cg_vector_hex("staple:bases.record");
    struct cg_staple staple = {.n_map = 77};

    for (size_t n = 0; n < wire.len; n++)
        CHECK_ERR(cg_staple_read(cg_span_first(wire, n), &staple), CG_SHORT);
    CHECK_INT(staple.n_map, 77);
    static uint8_t large[CG_STAPLE_MAX_BYTES + 1];
    CHECK_ERR(cg_staple_read(CG_BYTES(large), &staple), CG_TOO_LARGE);
    CHECK_ERR(cg_staple_read(cg_span_of(large, sizeof large - 1), &staple), CG_SCHEMA);
}

/* No byte of a staple is without effect: whatever is changed, something refuses it. */
TEST(a_staple_with_any_byte_changed_is_refused)
{
    static uint8_t copy[CG_STAPLE_MAX_BYTES];
    struct cg_span wire = cg_vector_hex("staple:bases.record");
    struct cg_ledger_view view = just_after();
    struct cg_staple_ask asks[CG_STAPLE_MAP_MAX];
    struct cg_staple_facts facts;

    set_up();
    size_t n = read_asks("record", asks);
    memcpy(copy, wire.at, wire.len);
    for (size_t i = 0; i < wire.len; i += 17) {
        copy[i] ^= 1;
        if (!CHECK(cg_staple_verify(cg_span_of(copy, wire.len), &view, true, asks, n, &facts) !=
                   CG_OK))
            printf("#   byte %zu\n", i);
        copy[i] ^= 1;
    }
    CHECK_OK(cg_staple_verify(cg_span_of(copy, wire.len), &view, true, asks, n, &facts));
    tear_down();
}

TEST(a_did_is_current_while_the_map_knows_nothing_newer)
{
    struct cg_did_state state = {.newest = {{7}}};
    struct cg_staple_ask answer = {.kind = "did"};

    CHECK_OK(cg_did_is_current(&state, &answer));
    state.seq = 1;
    CHECK_ERR(cg_did_is_current(&state, &answer), CG_STALE);
    answer = (struct cg_staple_ask){.is_present = true, .value = {{7}}};
    CHECK_OK(cg_did_is_current(&state, &answer));
    answer.value.bytes[31] = 1;
    CHECK_ERR(cg_did_is_current(&state, &answer), CG_STALE);
    state.seq = 0;
    CHECK_ERR(cg_did_is_current(&state, &answer), CG_STALE);
    state.is_deactivated = true;
    answer.value.bytes[31] = 0;
    CHECK_ERR(cg_did_is_current(&state, &answer), CG_REVOKED);
}

static void read_cert(struct cg_cert *cert, struct cg_did_state *did)
{
    CHECK_OK(cg_cert_read(cg_vector_hex("v1:tlsls.cose_without_unprotected"), cert));
    CHECK_OK(cg_did_begin(cg_vector_hex("v1:gateway.walletdoc"), did));
}

TEST(a_certificates_staple_is_for_that_certificate_alone)
{
    struct cg_ledger_view view = just_after();
    struct cg_span wire = cg_vector_hex("staple:bases.cert");
    struct cg_staple_facts facts;
    struct cg_cert cert, good;
    struct cg_did_state did;

    set_up();
    read_cert(&good, &did);
    cert = good;
    CHECK_OK(cg_staple_verify_cert(wire, &view, &cert, &did, &facts));
    CHECK_INT(facts.failed, CG_STAPLE_STEP_COUNT);

    cert.anchor.bytes[0] ^= 1;
    CHECK_ERR(cg_staple_verify_cert(wire, &view, &cert, &did, &facts), CG_MISMATCH);
    CHECK_INT(facts.failed, CG_STAPLE_INCLUSION);
    cert = good;
    cert.log_id.bytes[7] ^= 1;
    CHECK_ERR(cg_staple_verify_cert(wire, &view, &cert, &did, &facts), CG_MISMATCH);
    cert = good;
    cert.fingerprint.bytes[0] ^= 1; /* the absence proof is for another place */
    CHECK_ERR(cg_staple_verify_cert(wire, &view, &cert, &did, &facts), CG_PROOF);
    CHECK_INT(facts.failed, CG_STAPLE_MAP);
    cert = good;
    memcpy(cert.subject.text, cg_vector("staple:owner"), CG_WADDR_CHARS);
    CHECK_ERR(cg_staple_verify_cert(wire, &view, &cert, &did, &facts), CG_PROOF);
    CHECK_ERR(
        cg_staple_verify_cert(cg_vector_hex("staple:bases.record"), &view, &good, &did, &facts),
        CG_SCHEMA);

    did.seq = 1; /* an operation that the ledger does not know */
    CHECK_ERR(cg_staple_verify_cert(wire, &view, &good, &did, &facts), CG_STALE);
    CHECK_INT(facts.failed, CG_STAPLE_MAP);
    memcpy(did.waddr.text, cg_vector("staple:owner"), CG_WADDR_CHARS);
    CHECK_ERR(cg_staple_verify_cert(wire, &view, &good, &did, &facts), CG_MISMATCH);
    tear_down();
}

TEST(an_entry_of_another_kind_subject_or_commitment_is_not_the_certificates)
{
    struct cg_ledger_view view = just_after();
    struct cg_staple_facts facts;
    struct cg_cert cert;
    struct cg_did_state did;

    set_up();
    read_cert(&cert, &did);
    for (size_t i = 0; i < cg_vector_count("staple:entries"); i++) {
        struct cg_span wire = cg_vector_hex(cg_vector_at("staple:entries.%zu.staple", i));
        cg_err err = cg_staple_verify_cert(wire, &view, &cert, &did, &facts);

        CHECK(cg_vector_expects(cg_vector_at("staple:entries.%zu", i), err));
        CHECK_INT(facts.failed, err == CG_OK ? CG_STAPLE_STEP_COUNT : CG_STAPLE_INCLUSION);
    }
    tear_down();
}

TEST(a_revoked_certificate_is_told_by_its_staple)
{
    struct cg_ledger_view view = just_after();
    struct cg_staple_facts facts;
    struct cg_cert cert;
    struct cg_did_state did;

    set_up();
    read_cert(&cert, &did);
    CHECK_OK(cg_sha256(CG_LIT("another fingerprint"), &cert.fingerprint));
    CHECK_OK(cg_sha256(CG_LIT("another anchor"), &cert.anchor));
    CHECK_ERR(
        cg_staple_verify_cert(cg_vector_hex("staple:bases.revoked"), &view, &cert, &did, &facts),
        CG_REVOKED);
    CHECK_INT(facts.failed, CG_STAPLE_MAP);
    tear_down();
}

TEST(a_dids_staple_and_a_denial_say_what_they_are_asked)
{
    struct cg_ledger_view view = just_after();
    struct cg_staple_facts facts;
    struct cg_did_state did;

    set_up();
    CHECK_OK(cg_did_begin(cg_vector_hex("v1:wallet.walletdoc"), &did));
    CHECK_OK(cg_staple_verify_did(cg_vector_hex("staple:bases.did"), &view, &did, &facts));
    did.newest.bytes[0] ^= 1;
    CHECK_ERR(cg_staple_verify_did(cg_vector_hex("staple:bases.did"), &view, &did, &facts),
              CG_STALE);
    memcpy(did.waddr.text, cg_vector("staple:rotated"), CG_WADDR_CHARS);
    CHECK_ERR(cg_staple_verify_did(cg_vector_hex("staple:bases.rotated"), &view, &did, &facts),
              CG_STALE);
    did.seq = 1;
    CHECK_OK(cg_sha256(CG_LIT("a DidOp's payload"), &did.newest));
    CHECK_OK(cg_staple_verify_did(cg_vector_hex("staple:bases.rotated"), &view, &did, &facts));

    CHECK_OK(cg_staple_verify_absent(cg_vector_hex("staple:bases.denial"), &view, "reg",
                                     CG_LIT("app/nobody.example.com"), &facts));
    CHECK_ERR(cg_staple_verify_absent(cg_vector_hex("staple:bases.denial"), &view, "reg",
                                      CG_LIT("app/app.example.com"), &facts),
              CG_PROOF);
    CHECK_ERR(cg_staple_verify_absent(cg_vector_hex("staple:bases.did"), &view, "did",
                                      cg_span_str(cg_vector("staple:owner")), &facts),
              CG_CONFLICT);
    tear_down();
}

SUITE(staple, T(a_certificates_staple_is_for_that_certificate_alone),
      T(an_entry_of_another_kind_subject_or_commitment_is_not_the_certificates),
      T(a_revoked_certificate_is_told_by_its_staple),
      T(a_dids_staple_and_a_denial_say_what_they_are_asked),
      T(every_case_has_its_verdict_at_its_step), T(a_good_staple_tells_its_head_and_its_entry),
      T(staples_are_written_as_they_are_read), T(every_prefix_of_a_staple_is_short),
      T(a_staple_with_any_byte_changed_is_refused),
      T(a_did_is_current_while_the_map_knows_nothing_newer))
