/* checkpoint.h: a log's signed tree head, the keys it is checked with, and who must have seen it.
 *
 * A checkpoint is a note of C2SP's kind: three lines (origin, size, root), a blank line, signature
 * lines.  It is valid here when both of the log's own lines verify (Ed25519 and ML-DSA-87) and the
 * quorum of witnesses that the trust file asks for has cosigned.  Lines of unknown keys are passed
 * over; a bad line of a known key makes the whole note bad. */
#ifndef CG_CHECKPOINT_H
#define CG_CHECKPOINT_H
#include <httpcg/err.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CG_ORIGIN_MAX_BYTES 255
/* A log's two lines are 6.5 kB, a witness's up to 3.3 kB; C2SP asks for room for 16. */
#define CG_NOTE_MAX_BYTES (64 * 1024)
/* How far in the future a log's or a witness's time may be. */
#define CG_LEDGER_SKEW_S 300

/* The text of a checkpoint; everything borrows from the note. */
struct cg_checkpoint {
    struct cg_span origin;
    uint64_t size;
    struct cg_hash root;
    struct cg_span text;       /* what is signed: the three lines */
    struct cg_span signatures; /* the signature lines, form checked */
};

/* One log as the trust file describes it, with its keys, witnesses and quorum. */
struct cg_tlog;

/* What a verified checkpoint adds to its text. */
struct cg_checkpoint_facts {
    bool is_unwitnessed;     /* the trust file says "quorum none": to be said aloud */
    struct cg_wall cosigned; /* the time of the newest cosignature that counted; 0 for none */
    unsigned n_cosignatures; /* good ones of known witnesses */
};

/* cg_checkpoint_read parses a note; nothing is verified.
 * Owns    nothing: out points into note.
 * Errors  CG_SHORT (no signature lines), CG_SYNTAX, CG_CANONICAL (number or base64), CG_TOO_LARGE
 *         (more lines than anybody needs). */
CG_API CG_MUST_USE cg_err cg_checkpoint_read(struct cg_span note, struct cg_checkpoint *out);

/* cg_checkpoint_verify checks the log's two signatures, then the witnesses' and the quorum.
 * Errors  CG_MISMATCH (another log's), CG_SIGNATURE (a line of the log missing, or any line of a
 *         known key that does not verify), CG_QUORUM (too few witnesses), CG_STALE (the quorum's
 *         newest cosignature is older than the log's max_age), CG_CRYPTO.
 * Source  C2SP signed-note, tlog-checkpoint, tlog-cosignature; docs/protocol/ledger.md */
CG_API CG_MUST_USE cg_err cg_checkpoint_verify(const struct cg_checkpoint *checkpoint,
                                               const struct cg_tlog *log, struct cg_wall now,
                                               struct cg_checkpoint_facts *out);

/* The newest head of one log that this verifier has accepted; size 0 stands for none yet.  Whoever
 * keeps it over restarts is protected against an older or a different history. */
struct cg_tlog_seen {
    uint64_t size;
    struct cg_hash root;
    struct cg_wall time; /* of the map-head that is that tree's last leaf */
};

#ifdef __cplusplus
}
#endif
#endif
