#include "lib/merkle/entry.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/cbor.h"
#include "lib/wire/tup.h"

#include <httpcg/identity.h>
#include <httpcg/receipt.h>

#define ENTRY_VERSION 1
#define SUBJECT_MAX_BYTES 320
/* Far beyond any date, and small enough that no sum with an age can overflow. */
#define TIME_MAX_S CG_JSON_MAX_INT

enum subject {
    IS_DID,
    IS_NAME, /* plane/authority */
    IS_EMPTY,
};

/* clang-format off */
static const struct {
    const char *name;
    enum subject subject;
    bool has_object;
    const char *map_kind; /* what it writes into the state map; NULL: nothing */
} kinds[CG_ENTRY_KIND_COUNT] = {
    [CG_ENTRY_DID]       = {"did",       IS_DID,   true,  "did"},
    [CG_ENTRY_TLSLS]     = {"tlsls",     IS_DID,   true,  NULL},
    [CG_ENTRY_TLSLS_REV] = {"tlsls-rev", IS_DID,   true,  "tlsls-rev"},
    [CG_ENTRY_REGISTRY]  = {"registry",  IS_NAME,  true,  "reg"},
    [CG_ENTRY_POLICY]    = {"policy",    IS_DID,   true,  "policy"},
    [CG_ENTRY_RELAYS]    = {"relays",    IS_DID,   true,  "relays"},
    [CG_ENTRY_KEM]       = {"kem",       IS_DID,   true,  "kem"},
    [CG_ENTRY_AUDIT]     = {"audit",     IS_DID,   false, NULL},
    [CG_ENTRY_MAP_HEAD]  = {"map-head",  IS_EMPTY, false, NULL},
};
/* clang-format on */

const char *cg_entry_kind_name(enum cg_entry_kind kind)
{
    return kinds[kind].name;
}

cg_err cg_entry_kind_of(struct cg_span name, enum cg_entry_kind *out)
{
    for (unsigned i = 0; i < CG_ENTRY_KIND_COUNT; i++) {
        if (cg_span_is(name, kinds[i].name)) {
            *out = (enum cg_entry_kind)i;
            return CG_OK;
        }
    }
    return CG_SCHEMA;
}

/* The form alone: whose DID or name it is, is compared by whoever looks for one. */
static bool is_subject(enum subject form, struct cg_span text)
{
    switch (form) {
    case IS_DID:
        return text.len == CG_DID_CHARS && cg_span_starts(text, CG_LIT("did:bpi:"));
    case IS_NAME: {
        size_t slash = cg_span_find(text, '/');

        return slash > 0 && slash + 1 < text.len && text.len <= SUBJECT_MAX_BYTES &&
               cg_span_find(cg_span_from(text, slash + 1), '/') == text.len - slash - 1;
    }
    case IS_EMPTY:
        break;
    }
    return text.len == 0;
}

static cg_err check(const struct cg_entry *entry)
{
    if (!is_subject(kinds[entry->kind].subject, entry->subject) ||
        kinds[entry->kind].has_object != entry->has_object || entry->time.s < 0 ||
        (uint64_t)entry->time.s > TIME_MAX_S)
        return CG_SCHEMA;
    return CG_OK;
}

cg_err cg_entry_read(struct cg_span wire, struct cg_entry *out)
{
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_entry entry = {0};

    if (wire.len > CG_ENTRY_MAX_BYTES)
        return CG_TOO_LARGE;
    size_t n_items = cg_cbor_array(&r, 6, 8);
    if (cg_cbor_uint(&r) != ENTRY_VERSION)
        cg_cbor_fail(&r, CG_VERSION);
    struct cg_span kind = cg_cbor_text(&r, 16);
    cg_cbor_hash(&r, &entry.commitment);
    entry.subject = cg_cbor_text(&r, SUBJECT_MAX_BYTES);
    struct cg_span digest = cg_cbor_bytes(&r, CG_HASH_BYTES);
    uint64_t time = cg_cbor_uint(&r);
    if (n_items == 8) {
        entry.log_size = cg_cbor_uint(&r);
        entry.map_size = cg_cbor_uint(&r);
    }
    CG_TRY(cg_cbor_end(&r));

    CG_TRY(cg_entry_kind_of(kind, &entry.kind));
    if (n_items != (entry.kind == CG_ENTRY_MAP_HEAD ? 8 : 6))
        return CG_SCHEMA;
    if (digest.len != 0 && digest.len != CG_HASH_BYTES)
        return CG_SCHEMA;
    entry.has_object = digest.len != 0;
    if (entry.has_object)
        memcpy(entry.object_digest.bytes, digest.at, CG_HASH_BYTES);
    if (time > TIME_MAX_S)
        return CG_SCHEMA;
    entry.time.s = (int64_t)time;
    CG_TRY(check(&entry));
    *out = entry;
    return CG_OK;
}

cg_err cg_entry_write(const struct cg_entry *entry, struct cg_writer *out)
{
    size_t before = out->len;
    bool is_head = entry->kind == CG_ENTRY_MAP_HEAD;

    CG_TRY(check(entry));
    cg_cbor_put_array(out, is_head ? 8 : 6);
    cg_cbor_put_uint(out, ENTRY_VERSION);
    cg_cbor_put_text(out, cg_span_str(kinds[entry->kind].name));
    cg_cbor_put_hash(out, &entry->commitment);
    cg_cbor_put_text(out, entry->subject);
    cg_cbor_put_bytes(out, entry->has_object ? cg_hash_span(&entry->object_digest)
                                             : (struct cg_span){NULL, 0});
    cg_cbor_put_uint(out, (uint64_t)entry->time.s);
    if (is_head) {
        cg_cbor_put_uint(out, entry->log_size);
        cg_cbor_put_uint(out, entry->map_size);
    }
    if (out->len - before > CG_ENTRY_MAX_BYTES)
        cg_writer_fail(out, CG_TOO_LARGE);
    return cg_writer_end(out);
}

cg_err cg_object_digest(struct cg_span signed_bytes, struct cg_hash *out)
{
    uint8_t head[64];
    struct cg_writer w = cg_writer_fixed(head, sizeof head);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-object/v1", 2);

    /* The bytes themselves may be large, so they are hashed where they lie. */
    cg_tup_text(&t, "");
    cg_tup_open(&t, signed_bytes.len);
    CG_TRY(cg_tup_end(&t));
    return cg_sha256_2(cg_writer_span(&w), signed_bytes, out);
}

cg_err cg_map_key(const char *kind, struct cg_span id, struct cg_hash *out)
{
    uint8_t head[64];
    struct cg_writer w = cg_writer_fixed(head, sizeof head);
    struct cg_tup t = cg_tup_begin(&w, "httpcg-map-key/v1", 2);

    cg_tup_text(&t, kind);
    cg_tup_open(&t, id.len);
    CG_TRY(cg_tup_end(&t));
    return cg_sha256_2(cg_writer_span(&w), id, out);
}

/* The id under which an entry's effect stands in the map. */
static cg_err name_effect(const struct cg_entry *entry, struct cg_span policy_name,
                          struct cg_entry_effect *out)
{
    struct cg_writer w = cg_writer_fixed(out->id_room, sizeof out->id_room);

    switch (entry->kind) {
    case CG_ENTRY_DID:
    case CG_ENTRY_KEM:
        cg_put(&w, cg_span_from(entry->subject, CG_DID_CHARS - CG_WADDR_CHARS));
        break;
    case CG_ENTRY_TLSLS_REV:
        cg_put_hex(&w, cg_hash_span(&entry->commitment));
        break;
    case CG_ENTRY_POLICY:
        if (policy_name.len == 0)
            return CG_SCHEMA;
        cg_put(&w, entry->subject);
        cg_put_u8(&w, '/');
        cg_put(&w, policy_name);
        break;
    case CG_ENTRY_RELAYS:
        cg_put_str(&w, "current");
        break;
    default:
        cg_put(&w, entry->subject);
        break;
    }
    CG_TRY(cg_writer_end(&w));
    out->map_id = cg_writer_span(&w);
    return CG_OK;
}

cg_err cg_entry_effect(struct cg_span wire, struct cg_span policy_name, struct cg_entry_effect *out)
{
    struct cg_entry entry;

    CG_TRY(cg_entry_read(wire, &entry));
    out->has_change = kinds[entry.kind].map_kind != NULL;
    if (!out->has_change)
        return CG_OK;
    out->map_kind = kinds[entry.kind].map_kind;
    CG_TRY(name_effect(&entry, policy_name, out));
    CG_TRY(cg_map_key(out->map_kind, out->map_id, &out->change.key));
    /* A revocation's commitment is its key already; the entry itself is what can be looked up. */
    if (entry.kind == CG_ENTRY_TLSLS_REV)
        return cg_sha256(wire, &out->change.value);
    out->change.value = entry.commitment;
    return CG_OK;
}
