/* entry.h: what stands in the log, and what each entry does to the state map.
 *
 *   [1, kind, commitment bstr32, subject tstr, object_digest bstr, time uint]
 *   a map-head has two more: the log's size before it, the number of pairs in the map */
#ifndef CG_LIB_MERKLE_ENTRY_H
#define CG_LIB_MERKLE_ENTRY_H
#include "lib/wire/writer.h"

enum cg_entry_kind {
    CG_ENTRY_DID,
    CG_ENTRY_TLSLS,
    CG_ENTRY_TLSLS_REV,
    CG_ENTRY_REGISTRY,
    CG_ENTRY_POLICY,
    CG_ENTRY_RELAYS,
    CG_ENTRY_KEM,
    CG_ENTRY_AUDIT,
    CG_ENTRY_MAP_HEAD,
    CG_ENTRY_KIND_COUNT
};

struct cg_entry {
    enum cg_entry_kind kind;
    struct cg_hash commitment; /* a map-head's is the map's root */
    struct cg_span subject;
    bool has_object;
    struct cg_hash object_digest;
    struct cg_wall time;
    uint64_t log_size; /* map-head: leaves before it, so its own index */
    uint64_t map_size; /* map-head: pairs in the map */
};

const char *cg_entry_kind_name(enum cg_entry_kind kind);
CG_MUST_USE cg_err cg_entry_kind_of(struct cg_span name, enum cg_entry_kind *out);

/* cg_entry_read parses an entry.
 * Owns    out->subject points into wire.
 * Errors  CG_TOO_LARGE (over CG_ENTRY_MAX_BYTES), CG_VERSION, CG_SCHEMA (also for an object where
 *         the kind has none, or none where it has one), the CBOR reader's. */
CG_MUST_USE cg_err cg_entry_read(struct cg_span wire, struct cg_entry *out);
/* cg_entry_write writes it. Errors  CG_SCHEMA, CG_TOO_LARGE: what cg_entry_read would refuse. */
CG_MUST_USE cg_err cg_entry_write(const struct cg_entry *entry, struct cg_writer *out);

/* cg_object_digest gives the digest under which an object without COSE is stored: a registry object
 * (signed = R(anchor, "")) or an inception (signed = the WalletDoc).  Signatures are left out, so
 * that a copy signed again is the same object; COSE documents have cg_cose_digest. */
CG_MUST_USE cg_err cg_object_digest(struct cg_span signed_bytes, struct cg_hash *out);

/* One pair that an entry writes into the state map. */
struct cg_map_change {
    struct cg_hash key;
    struct cg_hash value;
};

struct cg_entry_effect {
    bool has_change;       /* false: this kind does not touch the map, and the rest is undefined */
    const char *map_kind;  /* "did", "reg", ... */
    struct cg_span map_id; /* lies in id_room, so the struct must not be copied with it */
    uint8_t id_room[512];
    struct cg_map_change change;
};

/* cg_entry_effect tells what an entry writes into the map: the public rule by which anybody can
 * recompute the map from the entries.
 * policy_name  the name inside a policy's document; empty for every other kind.
 * Errors  those of cg_entry_read; CG_SCHEMA (a policy without name), CG_CRYPTO; out is undefined.
 * Source  docs/protocol/ledger.md, "State map" */
CG_MUST_USE cg_err cg_entry_effect(struct cg_span wire, struct cg_span policy_name,
                                   struct cg_entry_effect *out);

#endif
