#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/entry.h"
#include "lib/wire/cbor.h"

#include <httpcg/receipt.h>

#define DID "did:bpi:vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"

static struct cg_span published(size_t i)
{
    return cg_vector_hex(cg_vector_at("v1:ledger.entries.%zu", i));
}

TEST(the_protocols_entries_are_read_and_written_again)
{
    struct cg_hash want;

    for (size_t i = 0; i < 3; i++) {
        struct cg_entry entry;
        uint8_t room[CG_ENTRY_MAX_BYTES];
        struct cg_writer w = cg_writer_fixed(room, sizeof room);

        CHECK_OK(cg_entry_read(published(i), &entry));
        CHECK_OK(cg_entry_write(&entry, &w));
        CHECK_SPAN(cg_writer_span(&w), published(i));
        CHECK(entry.time.s == 1795366003);
        CHECK_INT(entry.has_object, i < 2);
    }

    struct cg_entry entry;
    CHECK_OK(cg_entry_read(published(0), &entry));
    CHECK_INT(entry.kind, CG_ENTRY_TLSLS);
    CHECK_SPAN(entry.subject, cg_span_str(cg_vector("v1:gateway.did")));
    CHECK_OK(cg_entry_read(published(1), &entry));
    CHECK_INT(entry.kind, CG_ENTRY_REGISTRY);
    CHECK_SPAN(entry.subject, CG_LIT("app/app.example.com"));
    want = cg_vector_hash("v1:ledger.map.1.1");
    CHECK(cg_hash_eq(&entry.commitment, &want));
    CHECK_OK(cg_entry_read(published(2), &entry));
    CHECK_INT(entry.kind, CG_ENTRY_MAP_HEAD);
    want = cg_vector_hash("v1:ledger.map_root");
    CHECK(cg_hash_eq(&entry.commitment, &want));
    CHECK_INT(entry.log_size, 2);
    CHECK_INT(entry.map_size, 2);
}

TEST(every_short_or_long_entry_is_refused_and_changes_nothing)
{
    for (size_t i = 0; i < 3; i++) {
        struct cg_span good = published(i);
        struct cg_entry entry = {.log_size = 77};
        uint8_t longer[256];

        for (size_t n = 0; n < good.len; n++)
            CHECK_ERR(cg_entry_read(cg_span_first(good, n), &entry), CG_SHORT);
        memcpy(longer, good.at, good.len);
        longer[good.len] = 0;
        CHECK_ERR(cg_entry_read(cg_span_of(longer, good.len + 1), &entry), CG_EXTRA);
        CHECK_INT(entry.log_size, 77);
    }
}

static struct cg_entry any(enum cg_entry_kind kind)
{
    bool has_object = kind != CG_ENTRY_AUDIT && kind != CG_ENTRY_MAP_HEAD;
    struct cg_entry entry = {.kind = kind, .has_object = has_object, .time = {1795366003}};

    entry.subject = kind == CG_ENTRY_REGISTRY   ? CG_LIT("app/app.example.com")
                    : kind == CG_ENTRY_MAP_HEAD ? CG_LIT("")
                                                : CG_LIT(DID);
    memset(entry.commitment.bytes, 0xc0 + (int)kind, CG_HASH_BYTES);
    memset(entry.object_digest.bytes, has_object ? 0x0d : 0, CG_HASH_BYTES);
    return entry;
}

static struct cg_span written(const struct cg_entry *entry, uint8_t *room)
{
    struct cg_writer w = cg_writer_fixed(room, CG_ENTRY_MAX_BYTES);

    CHECK_OK(cg_entry_write(entry, &w));
    return cg_writer_span(&w);
}

TEST(every_kind_goes_there_and_back)
{
    for (unsigned kind = 0; kind < CG_ENTRY_KIND_COUNT; kind++) {
        struct cg_entry entry = any((enum cg_entry_kind)kind), back;
        enum cg_entry_kind named;
        uint8_t room[CG_ENTRY_MAX_BYTES], again[CG_ENTRY_MAX_BYTES];
        struct cg_span wire = written(&entry, room);

        CHECK_OK(cg_entry_kind_of(cg_span_str(cg_entry_kind_name(entry.kind)), &named));
        CHECK_INT(named, kind);
        CHECK_OK(cg_entry_read(wire, &back));
        CHECK_SPAN(written(&back, again), wire);
    }
    enum cg_entry_kind kind;
    CHECK_ERR(cg_entry_kind_of(CG_LIT("tls"), &kind), CG_SCHEMA);
}

TEST(what_does_not_fit_its_kind_is_neither_written_nor_read)
{
    struct cg_entry entry, back;
    uint8_t room[CG_ENTRY_MAX_BYTES];
    struct cg_writer w;

    for (unsigned kind = 0; kind < CG_ENTRY_KIND_COUNT; kind++) {
        entry = any((enum cg_entry_kind)kind);
        entry.has_object = !entry.has_object;
        w = cg_writer_fixed(room, sizeof room);
        CHECK_ERR(cg_entry_write(&entry, &w), CG_SCHEMA);
        CHECK_INT(w.len, 0);

        static const char *const subjects[] = {
            "x",
            "did:bpi:",
            "did:web:vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb",
            DID "a",
            "/app.example.com",
            "app/",
            "app/a/b",
            "app"};
        for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
            entry = any((enum cg_entry_kind)kind);
            entry.subject = cg_span_str(subjects[i]);
            w = cg_writer_fixed(room, sizeof room);
            CHECK_ERR(cg_entry_write(&entry, &w), CG_SCHEMA);
        }
        entry = any((enum cg_entry_kind)kind);
        entry.time.s = -1;
        w = cg_writer_fixed(room, sizeof room);
        CHECK_ERR(cg_entry_write(&entry, &w), CG_SCHEMA);
        entry.time.s = (int64_t)CG_JSON_MAX_INT;
        written(&entry, room);
        entry.time.s++;
        w = cg_writer_fixed(room, sizeof room);
        CHECK_ERR(cg_entry_write(&entry, &w), CG_SCHEMA);
    }
    /* The same from the wire: object digest and time are the last members of an audit entry. */
    entry = any(CG_ENTRY_AUDIT);
    struct cg_span wire = written(&entry, room);
    CHECK_OK(cg_entry_read(wire, &back));
    room[1] = 2;
    CHECK_ERR(cg_entry_read(wire, &back), CG_VERSION);
    room[1] = 1;
    room[0] = 0x87; /* seven members */
    CHECK_ERR(cg_entry_read(wire, &back), CG_SCHEMA);
    room[0] = 0x86;
    /* Its digest is empty; one of another length than a hash's is none. */
    static const size_t lens[] = {1, 31, 33};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        static const uint8_t nothing[33];
        uint8_t bad[CG_ENTRY_MAX_BYTES];
        struct cg_cbor r = cg_cbor_of(wire);
        struct cg_entry untouched = {.log_size = 77};

        w = cg_writer_fixed(bad, sizeof bad);
        CHECK_INT(cg_cbor_array(&r, 6, 6), 6);
        cg_cbor_put_array(&w, 6);
        for (int member = 0; member < 6; member++) {
            struct cg_span item = cg_cbor_item(&r);

            if (member == 4)
                cg_cbor_put_bytes(&w, cg_span_of(nothing, lens[i]));
            else
                cg_put(&w, item);
        }
        CHECK_OK(cg_writer_end(&w));
        CHECK_ERR(cg_entry_read(cg_writer_span(&w), &untouched),
                  lens[i] > CG_HASH_BYTES ? CG_TOO_LARGE : CG_SCHEMA);
        CHECK_INT(untouched.log_size, 77);
    }
    room[3] = 'b'; /* "budit" */
    CHECK_ERR(cg_entry_read(wire, &back), CG_SCHEMA);
    room[3] = 'a';
    CHECK_OK(cg_entry_read(wire, &back));
}

TEST(an_entry_is_at_most_one_kibibyte)
{
    static uint8_t large[CG_ENTRY_MAX_BYTES + 1];
    struct cg_entry entry;

    CHECK_ERR(cg_entry_read(CG_BYTES(large), &entry), CG_TOO_LARGE);
    CHECK_ERR(cg_entry_read(cg_span_of(large, CG_ENTRY_MAX_BYTES), &entry), CG_SCHEMA);
}

TEST(a_registry_object_and_an_inception_are_named_by_what_is_signed)
{
    struct cg_entry entry;
    struct cg_hash digest;

    CHECK_OK(cg_entry_read(published(1), &entry));
    CHECK_OK(cg_object_digest(cg_vector_hex("v1:registry.owner_tbs"), &digest));
    CHECK(cg_hash_eq(&digest, &entry.object_digest));
}

static void check_effect(struct cg_span wire, struct cg_span name, const char *kind, const char *id)
{
    struct cg_entry_effect effect;
    struct cg_hash key;

    CHECK_OK(cg_entry_effect(wire, name, &effect));
    CHECK_INT(effect.has_change, kind != NULL);
    if (!kind)
        return;
    CHECK_SPAN(cg_span_str(effect.map_kind), cg_span_str(kind));
    CHECK_SPAN(effect.map_id, cg_span_str(id));
    CHECK_OK(cg_map_key(kind, cg_span_str(id), &key));
    CHECK(cg_hash_eq(&key, &effect.change.key));
}

TEST(each_kind_writes_its_own_place_of_the_map)
{
    static const struct {
        enum cg_entry_kind kind;
        const char *map_kind, *id;
    } rows[] = {
        {CG_ENTRY_DID, "did", "vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"},
        {CG_ENTRY_TLSLS, NULL, NULL},
        {CG_ENTRY_TLSLS_REV, "tlsls-rev",
         "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2"},
        {CG_ENTRY_REGISTRY, "reg", "app/app.example.com"},
        {CG_ENTRY_POLICY, "policy", DID "/web-default"},
        {CG_ENTRY_RELAYS, "relays", "current"},
        {CG_ENTRY_KEM, "kem", "vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"},
        {CG_ENTRY_AUDIT, NULL, NULL},
        {CG_ENTRY_MAP_HEAD, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cg_entry entry = any(rows[i].kind);
        struct cg_entry_effect effect;
        struct cg_hash value;
        uint8_t room[CG_ENTRY_MAX_BYTES];
        struct cg_span wire = written(&entry, room);
        struct cg_span name = rows[i].kind == CG_ENTRY_POLICY ? CG_LIT("web-default") : CG_LIT("");

        check_effect(wire, name, rows[i].map_kind, rows[i].id);
        if (!rows[i].map_kind)
            continue;
        CHECK_OK(cg_entry_effect(wire, name, &effect));
        value = entry.commitment;
        if (rows[i].kind == CG_ENTRY_TLSLS_REV)
            CHECK_OK(cg_sha256(wire, &value));
        CHECK(cg_hash_eq(&effect.change.value, &value));
    }
}

TEST(a_policy_without_a_name_has_no_place)
{
    struct cg_entry entry = any(CG_ENTRY_POLICY);
    struct cg_entry_effect effect;
    uint8_t room[CG_ENTRY_MAX_BYTES];
    static uint8_t long_name[512];

    CHECK_ERR(cg_entry_effect(written(&entry, room), CG_LIT(""), &effect), CG_SCHEMA);
    CHECK_ERR(cg_entry_effect(written(&entry, room), CG_BYTES(long_name), &effect), CG_TOO_LARGE);
}

TEST(the_protocols_registry_entry_writes_its_pair)
{
    struct cg_entry_effect effect;
    struct cg_hash want = cg_vector_hash("v1:ledger.map.1.0");

    CHECK_OK(cg_entry_effect(published(1), CG_LIT(""), &effect));
    CHECK(cg_hash_eq(&effect.change.key, &want));
    want = cg_vector_hash("v1:ledger.map.1.1");
    CHECK(cg_hash_eq(&effect.change.value, &want));
}

SUITE(entry, T(the_protocols_entries_are_read_and_written_again),
      T(every_short_or_long_entry_is_refused_and_changes_nothing),
      T(every_kind_goes_there_and_back), T(what_does_not_fit_its_kind_is_neither_written_nor_read),
      T(an_entry_is_at_most_one_kibibyte),
      T(a_registry_object_and_an_inception_are_named_by_what_is_signed),
      T(each_kind_writes_its_own_place_of_the_map), T(a_policy_without_a_name_has_no_place),
      T(the_protocols_registry_entry_writes_its_pair))
