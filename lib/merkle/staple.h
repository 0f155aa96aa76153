/* staple.h: everything a verifier needs of the log, in one piece, so that nobody is asked online.
 *
 *   {"v":1, "map":[proof, ...], "incl":[index, entry bstr, path] or null,
 *    "map_head":[index, entry bstr, path], "checkpoint":tstr}
 *
 * The checkpoint is signed and witnessed; the map-head is the last leaf under it, and dates it; the
 * entry asked about is a leaf under it; the proofs hang on the map-head's root. */
#ifndef CG_LIB_MERKLE_STAPLE_H
#define CG_LIB_MERKLE_STAPLE_H
#include "lib/merkle/entry.h"
#include "lib/merkle/tlog.h"
#include "lib/wire/cbor.h"

#include <httpcg/receipt.h>

#define CG_STAPLE_MAX_BYTES (80 * 1024)
#define CG_STAPLE_MAP_MAX 3
/* Once a head was seen, a smaller one is good for this long after it (it may be cached). */
#define CG_STAPLE_BEHIND_S 3600

/* A leaf with its way to the root. */
struct cg_leaf_proof {
    uint64_t index;
    struct cg_span entry;
    struct cg_path path;
};

struct cg_staple {
    struct cg_span note;
    struct cg_leaf_proof map_head;
    bool has_incl;
    struct cg_leaf_proof incl;
    size_t n_map;
    struct cg_span map[CG_STAPLE_MAP_MAX]; /* CBOR of each proof */
};

/* cg_staple_read parses; nothing is verified.
 * Owns    out borrows from wire.
 * Errors  CG_TOO_LARGE, CG_VERSION, CG_SCHEMA, the CBOR reader's. */
CG_MUST_USE cg_err cg_staple_read(struct cg_span wire, struct cg_staple *out);
CG_MUST_USE cg_err cg_staple_write(const struct cg_staple *staple, struct cg_writer *out);

/* Its parts, which stand alone as well: a path as [hash, ...], a leaf with its path as
 * [index, entry, [hash, ...]]. A taken leaf borrows its entry. */
void cg_path_put(struct cg_writer *w, const struct cg_path *path);
void cg_path_take(struct cg_cbor *r, struct cg_path *out);
void cg_leaf_proof_put(struct cg_writer *w, const struct cg_leaf_proof *proof);
void cg_leaf_proof_take(struct cg_cbor *r, struct cg_leaf_proof *out);

/* A key that the staple must speak about, and what it said. The order is fixed by what the staple
 * is for: certificate (tlsls-rev/<hex fpr>, did/<WADDR>); record (reg/<plane/authority>,
 * did/<owner's WADDR>, did/<operator's WADDR>); denial (reg/...); a DID alone (did/<WADDR>). */
struct cg_staple_ask {
    const char *kind;
    struct cg_span id;
    bool is_present;      /* out */
    struct cg_hash value; /* out, where present */
};

/* The checks, in the order they are made. */
enum cg_staple_step {
    CG_STAPLE_FORM,       /* closed schema, known log */
    CG_STAPLE_CHECKPOINT, /* both of the log's signatures, no bad line of a known key, the quorum */
    CG_STAPLE_HEAD,       /* the map-head is the last leaf */
    CG_STAPLE_AGE,        /* not from the future, not too old, not behind what was seen */
    CG_STAPLE_INCLUSION,  /* the entry is in the log */
    CG_STAPLE_MAP,        /* the map says what the proofs claim */
    CG_STAPLE_STEP_COUNT
};

const char *cg_staple_step_text(enum cg_staple_step step);

struct cg_staple_facts {
    size_t log; /* which of the logs */
    struct cg_checkpoint_facts checkpoint;
    struct cg_tlog_seen head; /* size, root, time: what to remember */
    bool has_entry;
    struct cg_entry entry;     /* of incl; the caller compares kind, commitment and subject */
    struct cg_hash entry_hash; /* H(entry): what the map holds for a revocation */
    uint64_t entry_index;
    enum cg_staple_step failed; /* where the check ended, when it failed */
};

/* What a verifier knows. */
struct cg_ledger_view {
    const struct cg_tlog *logs; /* of the trust file; the note's origin picks one */
    size_t n_logs;
    const struct cg_tlog_seen *seen; /* the newest head known of each of them, or NULL */
    int64_t max_age_s;               /* the policy's, beside the log's own; 0: the log's alone */
    struct cg_wall now;
};

/* cg_staple_verify makes all checks; the first failure ends it.
 * wants_entry  whether incl must be there, or must not.
 * asks         one for each proof, in order; their answers are filled in.
 * out          is set in every case; after an error only failed counts. The caller keeps out->head
 *              where it is larger than what it has seen.
 * Errors  CG_UNKNOWN (no such log), those of cg_checkpoint_verify, CG_PROOF, CG_EARLY, CG_STALE,
 *         CG_CONFLICT (contradicts seen: another root for one size, or time running backwards),
 *         CG_SCHEMA; the asks are then undefined.
 * Source  docs/protocol/ledger.md, "Staple" */
CG_MUST_USE cg_err cg_staple_verify(struct cg_span wire, const struct cg_ledger_view *view,
                                    bool wants_entry, struct cg_staple_ask *asks, size_t n_asks,
                                    struct cg_staple_facts *out);

/* cg_staple_verify_cert checks a certificate's staple: that certificate is in the log that it
 * names, it is not revoked, and did (as cg_cert_verify gave it) is its subject's newest state.
 * Errors  as cg_staple_verify and cg_did_is_current; CG_MISMATCH (of another certificate or log),
 *         CG_REVOKED. out->failed is then CG_STAPLE_MAP or before. */
CG_MUST_USE cg_err cg_staple_verify_cert(struct cg_span wire, const struct cg_ledger_view *view,
                                         const struct cg_cert *cert, const struct cg_did_state *did,
                                         struct cg_staple_facts *out);
/* cg_staple_verify_did checks that a DID's state is its newest, by a staple for the DID alone.
 * Errors  as cg_staple_verify and cg_did_is_current. */
CG_MUST_USE cg_err cg_staple_verify_did(struct cg_span wire, const struct cg_ledger_view *view,
                                        const struct cg_did_state *did,
                                        struct cg_staple_facts *out);
/* cg_staple_verify_absent checks that the map has nothing of (kind, id): a denial.
 * Errors  as cg_staple_verify, CG_CONFLICT (there is something). */
CG_MUST_USE cg_err cg_staple_verify_absent(struct cg_span wire, const struct cg_ledger_view *view,
                                           const char *kind, struct cg_span id,
                                           struct cg_staple_facts *out);

/* cg_did_is_current tells whether a DID's state, as followed from its wallet_doc, is the newest:
 * the map names its newest document, or nothing while there was no operation.
 * Errors  CG_REVOKED (deactivated), CG_STALE (the map knows a newer operation, or other keys). */
CG_MUST_USE cg_err cg_did_is_current(const struct cg_did_state *state,
                                     const struct cg_staple_ask *answer);

#endif
