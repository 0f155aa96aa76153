#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/cert/anchor.h"
#include "lib/crypto/hash.h"
#include "lib/record/record.h"
#include "lib/wire/writer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM (64 * 1024)

static struct cg_span json_of(const char *name)
{
    return cg_span_str(cg_vector(cg_vector_at("record:records.%s", name)));
}

static struct cg_record good(void)
{
    struct cg_record record;

    CHECK_OK(cg_record_read(json_of("good"), false, &record));
    return record;
}

static struct cg_span bytes_of(const struct cg_record *record, enum cg_record_form form)
{
    static uint8_t room[CG_RECORD_SIGNED_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    CHECK_OK(cg_record_bytes(record, form, &w));
    return cg_writer_span(&w);
}

TEST(the_protocols_record_has_its_bytes_commitment_and_signatures)
{
    struct cg_record record = good();
    struct cg_hash commitment, want;
    char anchor[CG_ANCHOR_CHARS + 1];
    static uint8_t room[ROOM];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    CHECK_SPAN(bytes_of(&record, CG_RECORD_BARE), cg_vector_hex("v1:registry.R_no_anchor"));
    CHECK_SPAN(bytes_of(&record, CG_RECORD_FOR_OWNER), cg_vector_hex("v1:registry.owner_tbs"));
    CHECK_SPAN(bytes_of(&record, CG_RECORD_FOR_OPERATOR),
               cg_vector_hex("v1:registry.operator_tbs"));
    CHECK_SPAN(CG_BYTES(record.owner_signature), cg_vector_hex("v1:registry.owner_signature"));
    CHECK_SPAN(CG_BYTES(record.operator_signature),
               cg_vector_hex("v1:registry.operator_signature"));
    CHECK_OK(cg_record_commit(&record, &commitment));
    want = cg_vector_hash("record:commitments.good");
    CHECK(cg_hash_eq(&commitment, &want));
    CHECK(cg_hash_eq(&commitment, &record.anchor));
    CHECK_OK(cg_record_check_anchor(&record));
    cg_anchor_write(&(struct cg_anchor){record.log_id, commitment}, anchor);
    CHECK_SPAN(cg_span_str(anchor), cg_span_str(cg_vector("v1:registry.anchor")));
    CHECK_OK(cg_record_object(&record, &w));
    CHECK_SPAN(cg_writer_span(&w), cg_vector_hex("v1:registry.object"));

    CHECK_OK(cg_record_check_owner(&record, cg_test_verifier(0x00)));
    CHECK_OK(cg_record_check_operator(&record, cg_test_verifier(0xe0)));
    CHECK_ERR(cg_record_check_owner(&record, cg_test_verifier(0xe0)), CG_SIGNATURE);
    CHECK_ERR(cg_record_check_operator(&record, cg_test_verifier(0x00)), CG_SIGNATURE);
}

TEST(records_go_there_and_back)
{
    static const char *const names[] = {"good", "spki", "tlsls", "many", "tombstone", "lapsed"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct cg_record record;
        static uint8_t room[ROOM];
        struct cg_writer w = cg_writer_fixed(room, sizeof room);

        CHECK_OK(cg_record_read(json_of(names[i]), false, &record));
        CHECK_OK(cg_record_write(&record, &w));
        CHECK_SPAN(cg_writer_span(&w), json_of(names[i]));
        CHECK_SPAN(bytes_of(&record, CG_RECORD_FOR_OWNER),
                   cg_vector_hex(cg_vector_at("record:signed.%s", names[i])));
        CHECK_OK(cg_record_check_anchor(&record));
        CHECK_OK(cg_record_check_owner(&record, cg_test_verifier(0x00)));
        CHECK_OK(cg_record_check_operator(&record, cg_test_verifier(0xe0)));
        CHECK_INT(cg_record_is_tombstone(&record), strcmp(names[i], "tombstone") == 0);

        w = cg_writer_fixed(room, sizeof room);
        CHECK_OK(cg_record_object(&record, &w));
        struct cg_record back;
        CHECK_OK(cg_record_object_read(cg_writer_span(&w), &back));
        static uint8_t again[ROOM];
        struct cg_writer v = cg_writer_fixed(again, sizeof again);
        CHECK_OK(cg_record_write(&back, &v));
        CHECK_SPAN(cg_writer_span(&v), json_of(names[i]));
    }
    struct cg_record record;
    CHECK_OK(cg_record_read(json_of("spki"), false, &record));
    CHECK_INT(record.target_auth, CG_TARGET_SPKI);
    struct cg_hash want;
    CHECK_OK(cg_sha256(CG_LIT("a key"), &want));
    CHECK(cg_hash_eq(&record.target_spki, &want));
    CHECK_OK(cg_record_read(json_of("tlsls"), false, &record));
    CHECK_INT(record.target_auth, CG_TARGET_TLSLS);
    CHECK(cg_waddr_eq(&record.target_did, &record.gateway_dids[0]));
}

/* A row's bytes: the good ones, cut. */
static struct cg_span cut(const char *set, size_t i, struct cg_span base, uint8_t *room)
{
    size_t at = (size_t)cg_vector_uint(cg_vector_at("record:%s.%zu.at", set, i));
    size_t remove = (size_t)cg_vector_uint(cg_vector_at("record:%s.%zu.remove", set, i));
    struct cg_writer w = cg_writer_fixed(room, ROOM);

    cg_put(&w, cg_span_first(base, at));
    cg_put(&w, cg_vector_hex(cg_vector_at("record:%s.%zu.insert", set, i)));
    cg_put(&w, cg_span_from(base, at + remove));
    CHECK_OK(cg_writer_end(&w));
    return cg_writer_span(&w);
}

TEST(every_form_of_json_has_its_verdict)
{
    static uint8_t room[ROOM];

    for (size_t i = 0; i < cg_vector_count("record:reads"); i++) {
        const char *why = cg_vector(cg_vector_at("record:reads.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("record:reads.%zu.error", i));
        struct cg_record record = {.serial = 77};
        cg_err err = cg_record_read(cut("reads", i, json_of("good"), room), false, &record);

        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
        if (err != CG_OK)
            CHECK_INT(record.serial, 77);
    }
    static uint8_t large[CG_DOCUMENT_MAX_BYTES + 1];
    struct cg_record record;
    CHECK_ERR(cg_record_read(CG_BYTES(large), false, &record), CG_TOO_LARGE);
}

/* What is signed of a record, and both signatures. */
static struct cg_span essence(const struct cg_record *record, uint8_t *room)
{
    struct cg_writer w = cg_writer_fixed(room, ROOM);

    CHECK_OK(cg_record_object(record, &w));
    return cg_writer_span(&w);
}

/* Well inside a signature, where one bit of each byte is enough. */
static bool amid_hex(struct cg_span json, size_t at)
{
    if (at < 40 || json.len - at <= 40)
        return false;
    for (size_t i = at - 40; i <= at + 40; i++)
        if (!isxdigit(json.at[i]))
            return false;
    return true;
}

/* A text without white space has no second spelling: what another byte makes of it is refused, or
 * is another record. */
TEST(no_part_of_a_record_is_one_and_no_byte_can_be_another)
{
    static uint8_t text[ROOM], is[ROOM], was[ROOM];
    struct cg_span json = json_of("good");
    struct cg_record record = good();
    struct cg_span before = essence(&record, was);

    CHECK_OR_STOP(json.len < sizeof text);
    record.serial = 77;
    for (size_t n = 0; n < json.len; n++) {
        cg_err err = cg_record_read(cg_span_first(json, n), false, &record);

        CHECK(err == CG_SHORT || err == CG_SYNTAX);
    }
    CHECK_INT(record.serial, 77);
    memcpy(text, json.at, json.len);
    for (size_t at = 0; at < json.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            if (bit != at % 8 && amid_hex(json, at))
                continue;
            text[at] ^= (uint8_t)(1u << bit);
            if (cg_record_read(cg_span_of(text, json.len), false, &record) == CG_OK)
                CHECK(!cg_span_eq(essence(&record, is), before));
            text[at] ^= (uint8_t)(1u << bit);
        }
}

TEST(every_form_of_object_has_its_verdict)
{
    static uint8_t room[ROOM];
    struct cg_span object = cg_vector_hex("v1:registry.object");
    struct cg_record record = {.serial = 77};

    for (size_t i = 0; i < cg_vector_count("record:objects"); i++) {
        const char *why = cg_vector(cg_vector_at("record:objects.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("record:objects.%zu.error", i));

        record.serial = 77;
        cg_err err = cg_record_object_read(cut("objects", i, object, room), &record);
        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
        if (err != CG_OK)
            CHECK_INT(record.serial, 77);
    }
    record.serial = 77;
    for (size_t n = 0; n < object.len; n += n < 600 ? 1 : 61)
        CHECK_ERR(cg_record_object_read(cg_span_first(object, n), &record), CG_SHORT);
    CHECK_INT(record.serial, 77);
}

TEST(a_submission_has_no_registrys_signature_and_everything_else_has)
{
    struct cg_record record = good();
    static uint8_t room[ROOM];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    CHECK_ERR(cg_record_read(json_of("good"), true, &record), CG_SCHEMA);
    record.has_operator_signature = false;
    CHECK_OK(cg_record_write(&record, &w));
    struct cg_record back;
    CHECK_ERR(cg_record_read(cg_writer_span(&w), false, &back), CG_SCHEMA);
    CHECK_OK(cg_record_read(cg_writer_span(&w), true, &back));
    CHECK_ERR(cg_record_check_operator(&back, cg_test_verifier(0xe0)), CG_SIGNATURE);
    uint8_t object[ROOM];
    w = cg_writer_fixed(object, sizeof object);
    CHECK_ERR(cg_record_object(&back, &w), CG_SCHEMA);
    CHECK_INT(w.len, 0);
}

static struct cg_record_ask ask_of(const struct cg_record *record)
{
    return (struct cg_record_ask){
        .plane = record->plane,
        .host = record->host,
        .target_host = record->target_host,
        .target_port = record->target_port,
        .owner = &record->owner,
        .tlsls_required = record->tlsls_required,
        .profile = record->profile,
        .log_id = record->log_id,
        .issued = record->issued,
        .expires = record->expires,
        .serial = record->serial,
        .ttl_s = record->ttl_s,
        .gateway_dids = record->gateway_dids,
        .n_gateway_dids = record->n_gateway_dids,
        .gateways = record->gateways,
        .n_gateways = record->n_gateways,
        .target_auth = record->target_auth_text,
    };
}

TEST(owner_and_registry_make_the_published_records)
{
    static const char *const names[] = {"good", "many", "tombstone"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct cg_record record, made;
        static uint8_t submission[ROOM], room[ROOM];
        struct cg_writer s = cg_writer_fixed(submission, ROOM), w = cg_writer_fixed(room, ROOM);

        CHECK_OK(cg_record_read(json_of(names[i]), false, &record));
        struct cg_record_ask ask = ask_of(&record);
        CHECK_OK(cg_record_issue(cg_test_signer(0x00), &ask, &s));
        CHECK_OK(cg_record_read(cg_writer_span(&s), true, &made));
        CHECK_OK(cg_record_check_owner(&made, cg_test_verifier(0x00)));
        CHECK_OK(cg_record_confirm(cg_test_signer(0xe0), &made));
        CHECK_OK(cg_record_write(&made, &w));
        CHECK_SPAN(cg_writer_span(&w), json_of(names[i]));
    }
}

TEST(nothing_is_issued_that_readers_would_refuse)
{
    struct cg_record record = good();
    struct cg_record_ask ask = ask_of(&record);
    static struct cg_span many[CG_RECORD_GATEWAYS_MAX + 1];
    static uint8_t room[ROOM];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);

    ask.serial = 0;
    CHECK_ERR(cg_record_issue(cg_test_signer(0x00), &ask, &w), CG_SCHEMA);
    ask = ask_of(&record);
    ask.expires.s = ask.issued.s + CG_RECORD_MAX_SPAN_S + 1;
    CHECK_ERR(cg_record_issue(cg_test_signer(0x00), &ask, &w), CG_EXPIRED);
    ask = ask_of(&record);
    ask.issued.s = -1;
    CHECK_ERR(cg_record_issue(cg_test_signer(0x00), &ask, &w), CG_SCHEMA);
    ask = ask_of(&record);
    ask.profile = CG_LIT("a\"b");
    CHECK_ERR(cg_record_issue(cg_test_signer(0x00), &ask, &w), CG_SYNTAX);
    ask = ask_of(&record);
    ask.n_gateways = 0;
    CHECK_ERR(cg_record_issue(cg_test_signer(0x00), &ask, &w), CG_SCHEMA);
    ask.gateways = many;
    ask.n_gateways = CG_RECORD_GATEWAYS_MAX + 1;
    CHECK_ERR(cg_record_issue(cg_test_signer(0x00), &ask, &w), CG_SCHEMA);
    CHECK_INT(w.len, 0);
}

/* Each member stands in what is signed: whatever changes, both signatures end. */
TEST(a_signature_covers_every_member)
{
    for (unsigned i = 0; i < 15; i++) {
        struct cg_record record = good();
        char owner[CG_DID_CHARS + 1] = {0};

        memcpy(owner, record.owner_did.at, CG_DID_CHARS);
        switch (i) {
        case 0:
            record.host = CG_LIT("apq.example.com");
            break;
        case 1:
            record.target_host = CG_LIT("backend.example.nex");
            break;
        case 2:
            record.target_port++;
            break;
        case 3:
            owner[63] ^= 1;
            record.owner_did = cg_span_of(owner, CG_DID_CHARS);
            break;
        case 4:
            record.tlsls_required = false;
            break;
        case 5:
            record.profile = CG_LIT("web-defaulu");
            break;
        case 6:
            record.expires.s++;
            break;
        case 7:
            record.plane = CG_LIT("bpi");
            break;
        case 8:
            record.serial++;
            break;
        case 9:
            record.issued.s++;
            break;
        case 10:
            record.ttl_s++;
            break;
        case 11:
            record.n_gateway_dids = 0;
            break;
        case 12:
            record.gateways[0] = CG_LIT("gw1.example.com:444");
            break;
        case 13:
            record.target_auth_text = CG_LIT("webpkj");
            break;
        default:
            record.anchor_text.len--; /* alone outside the commitment */
            break;
        }
        CHECK_ERR(cg_record_check_owner(&record, cg_test_verifier(0x00)), CG_SIGNATURE);
        CHECK_ERR(cg_record_check_operator(&record, cg_test_verifier(0xe0)), CG_SIGNATURE);
        CHECK_ERR(cg_record_check_anchor(&record), i < 14 ? CG_PROOF : CG_OK);
    }
    struct cg_record record = good();
    record.owner_signature[0] ^= 1; /* the registry has signed the owner's signature, too */
    CHECK_ERR(cg_record_check_operator(&record, cg_test_verifier(0xe0)), CG_SIGNATURE);
    record = good();
    record.owner_signature[4690] ^= 1;
    CHECK_ERR(cg_record_check_owner(&record, cg_test_verifier(0x00)), CG_SIGNATURE);
}

TEST(times_and_serials_hold_at_their_edges)
{
    struct cg_record record = good();
    struct cg_record_seen seen = {record.serial, record.anchor};

    CHECK_OK(cg_record_check_times(&record, (struct cg_wall){record.issued.s - CG_RECORD_SKEW_S}));
    CHECK_ERR(
        cg_record_check_times(&record, (struct cg_wall){record.issued.s - CG_RECORD_SKEW_S - 1}),
        CG_EARLY);
    CHECK_OK(cg_record_check_times(&record, (struct cg_wall){record.expires.s - 1}));
    CHECK_ERR(cg_record_check_times(&record, (struct cg_wall){INT64_MAX}), CG_EXPIRED);
    CHECK_ERR(cg_record_check_times(&record, record.expires), CG_EXPIRED);

    CHECK_OK(cg_record_check_serial(&record, &seen));
    seen.commitment.bytes[0] ^= 1;
    CHECK_ERR(cg_record_check_serial(&record, &seen), CG_CONFLICT);
    seen.serial--;
    CHECK_OK(cg_record_check_serial(&record, &seen));
    seen.serial += 2;
    CHECK_ERR(cg_record_check_serial(&record, &seen), CG_ROLLBACK);
}

SUITE(record, T(the_protocols_record_has_its_bytes_commitment_and_signatures),
      T(records_go_there_and_back), T(every_form_of_json_has_its_verdict),
      T(no_part_of_a_record_is_one_and_no_byte_can_be_another),
      T(every_form_of_object_has_its_verdict),
      T(a_submission_has_no_registrys_signature_and_everything_else_has),
      T(owner_and_registry_make_the_published_records),
      T(nothing_is_issued_that_readers_would_refuse), T(a_signature_covers_every_member),
      T(times_and_serials_hold_at_their_edges))
