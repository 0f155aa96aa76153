/* store.h: what the roles keep on disk, asked for in their own nouns.
 *
 * One contract, several back-ends: a file of SQLite, memory for tests. A handle is used by one
 * thread at a time (the database's own worker); several handles may be open on one file, each sees
 * what the others have committed. Every write is one transaction: it is on disk, whole, when the
 * call returns CG_OK, and has left nothing behind otherwise.
 *
 * The ledger writes in two steps, with the signature between them:
 *
 *   append    entries, objects, tree nodes and the head to be signed. From here on the log can
 *             never sign another root for that size, whatever crashes.
 *   publish   the signed note, and what the entries do to the state map.
 *
 * So readers, who look at the newest published head, always find the map that belongs to it.
 *
 * Owns    what a read gives is copied into the caller's arena; what a write takes is borrowed.
 * Errors  CG_STORE (disk full, file damaged; cg_store_why says it), CG_BUSY (another process holds
 *         the file), CG_NO_MEMORY, CG_TOO_LARGE (a number over 2^63-1), where not said otherwise.
 */
#ifndef CG_STORE_STORE_H
#define CG_STORE_STORE_H
#include <httpcg/err.h>

#include "lib/base/arena.h"

struct cg_store;

#define CG_STORE_WHY_BYTES 256

/* cg_store_open_sqlite opens a file, makes it (0600) where it is missing, and brings its tables up
 * to date.
 * Errors  CG_VERSION (made by a newer version), CG_MISMATCH (not our file), CG_STORE, CG_NO_MEMORY;
 *         why then ends the sentence "cannot open <path>: ". */
CG_MUST_USE cg_err cg_store_open_sqlite(const char *path, char why[static CG_STORE_WHY_BYTES],
                                        struct cg_store **out);
/* cg_store_open_memory keeps everything until the handle is freed. */
CG_MUST_USE cg_err cg_store_open_memory(struct cg_store **out);
/* cg_store_free closes; NULL is nothing. */
void cg_store_free(struct cg_store *store);
/* cg_store_why gives the database's words for the last CG_STORE or CG_BUSY. */
const char *cg_store_why(const struct cg_store *store);

/* cg_store_read_begin makes the reads up to cg_store_read_end see one state of the database,
 * whatever others commit meanwhile; no write may come between them. */
CG_MUST_USE cg_err cg_store_read_begin(struct cg_store *store);
void cg_store_read_end(struct cg_store *store);

/* --- the ledger: an append-only log and the state map made from it --- */

struct cg_stored_entry {
    uint64_t index;
    struct cg_span kind;
    struct cg_hash commitment;
    struct cg_span subject;
    struct cg_span object_digest; /* 32 bytes, or none */
    struct cg_wall time;
    struct cg_span data; /* the entry as the tree hashes it */
    struct cg_hash leaf;
    /* Kept beside it, for answers about it: a certificate's fingerprint (32 bytes), a record's
     * operator (DID), a policy's name. */
    struct cg_span extra;
};

struct cg_stored_object {
    struct cg_hash digest;
    struct cg_span data;
};

/* A complete subtree of 2^level leaves; level is at least 1, as leaves stand with their entries. */
struct cg_stored_node {
    unsigned level;
    uint64_t index;
    struct cg_hash hash;
};

struct cg_stored_head {
    uint64_t size;
    struct cg_hash root;
    struct cg_wall time;
    struct cg_span note; /* empty until signed, and again once a newer one is published */
};

struct cg_stored_state {
    struct cg_hash key;
    struct cg_span kind;
    struct cg_span id;
    struct cg_hash value;
    uint64_t index; /* of the entry that set it */
};

/* Eight levels of the state map, below the prefix its pairs share (whole bytes, at most 31). */
struct cg_stored_page {
    struct cg_span prefix;
    struct cg_span bytes; /* empty: there is no such page any more */
};

struct cg_log_append {
    const struct cg_stored_entry *entries; /* in order, the first right behind the stored ones */
    size_t n_entries;
    const struct cg_stored_object *objects; /* one already stored stays as it is */
    size_t n_objects;
    const struct cg_stored_node *nodes;
    size_t n_nodes;
    struct cg_stored_head head; /* of the tree with these entries; without a note */
};

struct cg_log_publish {
    uint64_t size;
    struct cg_span note;
    const struct cg_stored_state *states; /* a stored one of the same key is replaced */
    size_t n_states;
    const struct cg_stored_page *pages;
    size_t n_pages;
};

struct cg_log_heads {
    bool has_published; /* false only before the first publication */
    bool has_unsigned;
    struct cg_stored_head published; /* the newest, with its note */
    struct cg_stored_head unsigned_;
};

/* cg_store_log_append stores what shall be signed.
 * Errors  CG_CONFLICT: entries do not follow the stored ones, one of them is stored already (same
 *         kind and commitment; map-head may repeat), a head waits for its signature, or the head's
 *         size is not that of the tree. */
CG_MUST_USE cg_err cg_store_log_append(struct cg_store *store, const struct cg_log_append *append);
/* cg_store_log_publish stores the signed note of the head that waits for it, with its map.
 * Errors  CG_CONFLICT: no head of that size waits. */
CG_MUST_USE cg_err cg_store_log_publish(struct cg_store *store,
                                        const struct cg_log_publish *publish);

CG_MUST_USE cg_err cg_store_log_heads(struct cg_store *store, struct cg_arena *arena,
                                      struct cg_log_heads *out);
/* cg_store_log_head gives the published head of one size, its note empty unless it is the newest.
 * Errors  CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_log_head(struct cg_store *store, uint64_t size, struct cg_arena *arena,
                                     struct cg_stored_head *out);
/* cg_store_log_entries gives n entries from first on. Errors CG_NOT_FOUND unless all are stored. */
CG_MUST_USE cg_err cg_store_log_entries(struct cg_store *store, uint64_t first, size_t n,
                                        struct cg_arena *arena, struct cg_stored_entry *out);
/* cg_store_log_find gives the newest entry with this commitment; an empty kind is any but map-head.
 * Errors  CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_log_find(struct cg_store *store, struct cg_span kind,
                                     const struct cg_hash *commitment, struct cg_arena *arena,
                                     struct cg_stored_entry *out);
/* cg_store_log_find_cert gives the tlsls entry that has this fingerprint as its extra.
 * Errors  CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_log_find_cert(struct cg_store *store, const struct cg_hash *fingerprint,
                                          struct cg_arena *arena, struct cg_stored_entry *out);
/* cg_store_log_object gives an object's bytes. Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_log_object(struct cg_store *store, const struct cg_hash *digest,
                                       struct cg_arena *arena, struct cg_span *out);
/* cg_store_log_nodes gives n neighbours of one level, leaves (level 0) included.
 * Errors  CG_NOT_FOUND unless all are stored. */
CG_MUST_USE cg_err cg_store_log_nodes(struct cg_store *store, unsigned level, uint64_t first,
                                      size_t n, struct cg_hash *out);
/* cg_store_log_state gives the current value of a key of the state map. Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_log_state(struct cg_store *store, const struct cg_hash *key,
                                      struct cg_arena *arena, struct cg_stored_state *out);
/* cg_store_log_page gives a page; empty where there is none. */
CG_MUST_USE cg_err cg_store_log_page(struct cg_store *store, struct cg_span prefix,
                                     struct cg_arena *arena, struct cg_span *out);

/* --- the registry: names, the serials they had, and who may ask for them --- */

/* One serial of a name. It is proposed (signed, stored, not yet in the ledger), then settled. */
struct cg_stored_name {
    struct cg_span name; /* "plane/authority" */
    uint64_t serial;
    struct cg_span owner; /* DID */
    struct cg_hash commitment;
    struct cg_span record; /* JSON, with both signatures */
    struct cg_wall expires_at;
    bool is_tombstone;
    bool is_settled;
    uint64_t log_index; /* once settled */
};

/* cg_store_name_propose stores the next serial of a name; asking again for the same content is
 * fine and changes nothing.
 * Errors  CG_CONFLICT: serial is not the settled one plus 1, or other content is proposed. */
CG_MUST_USE cg_err cg_store_name_propose(struct cg_store *store, const struct cg_stored_name *name);
/* cg_store_name_settle notes where the ledger has it. Errors CG_NOT_FOUND: it is not proposed. */
CG_MUST_USE cg_err cg_store_name_settle(struct cg_store *store, struct cg_span name,
                                        uint64_t serial, uint64_t log_index);
/* cg_store_name_withdraw forgets a proposal the ledger refused; its serial is free again. */
CG_MUST_USE cg_err cg_store_name_withdraw(struct cg_store *store, struct cg_span name,
                                          uint64_t serial);
/* cg_store_name_current gives the newest settled serial. Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_name_current(struct cg_store *store, struct cg_span name,
                                         struct cg_arena *arena, struct cg_stored_name *out);
/* cg_store_name_at gives one settled serial of a name's history. Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_name_at(struct cg_store *store, struct cg_span name, uint64_t serial,
                                    struct cg_arena *arena, struct cg_stored_name *out);
/* cg_store_name_proposed gives what is proposed for a name, or, where name is empty, the first name
 * (in their order) behind after that has a proposal. Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_name_proposed(struct cg_store *store, struct cg_span name,
                                          struct cg_span after, struct cg_arena *arena,
                                          struct cg_stored_name *out);

/* Wallet documents as they go on the wire, by DID. */
CG_MUST_USE cg_err cg_store_wallet_put(struct cg_store *store, struct cg_span did,
                                       struct cg_span doc);
/* Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_wallet(struct cg_store *store, struct cg_span did,
                                   struct cg_arena *arena, struct cg_span *out);

struct cg_stored_challenge {
    struct cg_hash token; /* the hash of what was handed out */
    struct cg_span name;
    struct cg_span did;
    struct cg_wall expires; /* no longer good at this second */
};

/* cg_store_challenge_put keeps a challenge and forgets those over.
 * Errors  CG_RATE: n_max are outstanding. */
CG_MUST_USE cg_err cg_store_challenge_put(struct cg_store *store,
                                          const struct cg_stored_challenge *challenge,
                                          struct cg_wall now, size_t n_max);
/* cg_store_challenge_take uses a challenge up.
 * Errors  CG_NOT_FOUND: never given, used, over, or given for another name or DID (it stays). */
CG_MUST_USE cg_err cg_store_challenge_take(struct cg_store *store,
                                           const struct cg_stored_challenge *challenge,
                                           struct cg_wall now);

/* Names under the operator's own suffixes: who may register them. */
CG_MUST_USE cg_err cg_store_allow_put(struct cg_store *store, struct cg_span name,
                                      struct cg_span did);
/* Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_allow_drop(struct cg_store *store, struct cg_span name);
/* Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_allow(struct cg_store *store, struct cg_span name,
                                  struct cg_arena *arena, struct cg_span *did);

/* --- what gateways and clients have seen of others, so that nobody can take them back --- */

/* cg_store_seen_name notes a verified record.
 * Errors  CG_ROLLBACK: a higher serial was seen; CG_CONFLICT: this one, with other content. */
CG_MUST_USE cg_err cg_store_seen_name(struct cg_store *store, struct cg_span name, uint64_t serial,
                                      const struct cg_hash *commitment);

struct cg_seen_log {
    uint64_t size;
    struct cg_hash root;
    struct cg_wall time;
};

/* cg_store_seen_log notes a verified checkpoint; one smaller than the largest seen changes nothing.
 * Errors  CG_CONFLICT: another root for the same size, which proves that the log lies. */
CG_MUST_USE cg_err cg_store_seen_log(struct cg_store *store, struct cg_span log_id,
                                     const struct cg_seen_log *seen);
/* cg_store_seen_log_newest gives the largest one seen. Errors CG_NOT_FOUND. */
CG_MUST_USE cg_err cg_store_seen_log_newest(struct cg_store *store, struct cg_span log_id,
                                            struct cg_seen_log *out);

#endif
