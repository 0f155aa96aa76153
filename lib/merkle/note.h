/* note.h: C2SP signed notes: keys as vkeys, signature lines, and a log's and its witnesses' hands.
 *
 *   vkey   <name>+<hex key id>+<base64(type || public key)>
 *   line   U+2014 SP <name> SP <base64(key id || signature)> LF
 *   key id first 4 bytes of H(name || LF || type || public key)
 *
 * A type is one byte; 0xff is followed by the identifier "httpcg/ml-dsa-87/v1".
 * Source  C2SP signed-note, tlog-cosignature; docs/protocol/ledger.md, "Checkpoint" */
#ifndef CG_LIB_MERKLE_NOTE_H
#define CG_LIB_MERKLE_NOTE_H
#include "lib/crypto/sign.h"
#include "lib/wire/writer.h"

#include <httpcg/checkpoint.h>

enum cg_note_type {
    CG_NOTE_ED25519, /* 0x01: a log's line */
    CG_NOTE_MLDSA87, /* 0xff "httpcg/ml-dsa-87/v1": a log's line; that is its context too */
    CG_NOTE_COSIGNED_ED25519, /* 0x04: a witness's, with the time */
    CG_NOTE_COSIGNED_MLDSA44, /* 0x06: likewise */
    CG_NOTE_TYPE_COUNT
};

#define CG_NOTE_KEY_ID_BYTES 4
/* Names of keys known here are printable ASCII without space and plus. */
#define CG_NOTE_NAME_MAX_BYTES 255
/* Name, id, and 0xff, identifier and an ML-DSA-87 key in base64. */
#define CG_VKEY_MAX_BYTES (CG_NOTE_NAME_MAX_BYTES + 1 + 8 + 1 + 3484)
/* C2SP asks for at least 16. */
#define CG_NOTE_LINES_MAX 32
/* What cg_checkpoint_sign writes at most: the lines' base64 is 92 and 6176 characters. */
#define CG_NOTE_LOG_MAX_BYTES (3 * (CG_ORIGIN_MAX_BYTES + 8) + 20 + 45 + 92 + 6176)
/* One cosignature line, of the larger type: 4 + 8 + 2420 bytes in base64. */
#define CG_NOTE_COSIGN_MAX_BYTES (CG_NOTE_NAME_MAX_BYTES + 6 + 3244)

/* A key that notes are checked with. */
struct cg_note_key {
    char name[CG_NOTE_NAME_MAX_BYTES + 1];
    enum cg_note_type type;
    uint8_t id[CG_NOTE_KEY_ID_BYTES];
    struct cg_verify_key *verify;
    struct cg_hash key_hash; /* of the public key: two keys are the same if this is */
};

/* One signature line; everything borrows. */
struct cg_note_line {
    struct cg_span name;
    uint8_t id[CG_NOTE_KEY_ID_BYTES];
    struct cg_span base64; /* of id and signature, form checked */
};

/* cg_note_key_id computes the id of a key under a name. */
CG_MUST_USE cg_err cg_note_key_id(struct cg_span name, enum cg_note_type type,
                                  struct cg_span public_key,
                                  uint8_t out[static CG_NOTE_KEY_ID_BYTES]);
/* cg_note_key_init makes a key ready.
 * Owns    borrows crypto; cg_note_key_done frees the rest.
 * Errors  CG_SYNTAX (a name that is none), CG_KEY, CG_CRYPTO, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_note_key_init(const struct cg_crypto *crypto, struct cg_span name,
                                    enum cg_note_type type, struct cg_span public_key,
                                    struct cg_note_key *out);
void cg_note_key_done(struct cg_note_key *key);

/* A vkey taken apart. */
struct cg_vkey {
    struct cg_span name; /* borrowed */
    enum cg_note_type type;
    size_t key_len;
    uint8_t key[CG_MLDSA87_KEY_BYTES];
};

/* cg_vkey_parse takes a vkey apart; the key itself is not judged.
 * Errors  CG_SYNTAX, CG_CANONICAL (base64), CG_MISMATCH (the id is not this key's), CG_UNSUPPORTED
 *         (a type not listed above), CG_KEY (length), CG_TOO_LARGE. */
CG_MUST_USE cg_err cg_vkey_parse(struct cg_span text, struct cg_vkey *out);
/* cg_vkey_read parses a vkey and makes it ready; errors of both. */
CG_MUST_USE cg_err cg_vkey_read(const struct cg_crypto *crypto, struct cg_span text,
                                struct cg_note_key *out);
/* cg_vkey_write writes the vkey of a public key. Errors  CG_SYNTAX (name), CG_KEY (length). */
CG_MUST_USE cg_err cg_vkey_write(struct cg_span name, enum cg_note_type type,
                                 struct cg_span public_key, struct cg_writer *out);

/* cg_note_line_next takes the first line off *left.
 * Errors  CG_SHORT (no line feed), CG_SYNTAX. */
CG_MUST_USE cg_err cg_note_line_next(struct cg_span *left, struct cg_note_line *out);
/* cg_note_line_is tells whether a line claims to be by that key: name and id, both. */
bool cg_note_line_is(const struct cg_note_line *line, const struct cg_note_key *key);
/* cg_note_line_verify checks one line by the key it claims; *out_time is a cosignature's time, and
 * 0 for a log's own line.
 * Errors  CG_SIGNATURE, also for a cosignature more than 300 s in the future. */
CG_MUST_USE cg_err cg_note_line_verify(const struct cg_note_line *line,
                                       const struct cg_note_key *key,
                                       const struct cg_checkpoint *checkpoint, struct cg_wall now,
                                       struct cg_wall *out_time);

/* cg_checkpoint_text writes the three lines. */
void cg_checkpoint_text(struct cg_span origin, uint64_t size, const struct cg_hash *root,
                        struct cg_writer *out);

/* A log's own keys, for signing; both are needed for every head. */
struct cg_tlog_signer {
    struct cg_span origin; /* also the keys' name */
    const struct cg_sign_key *ed25519;
    const struct cg_sign_key *mldsa87;
};

/* cg_checkpoint_sign writes a whole note: text, blank line, both lines; 1.6 ms. */
CG_MUST_USE cg_err cg_checkpoint_sign(const struct cg_tlog_signer *signer, uint64_t size,
                                      const struct cg_hash *root, struct cg_writer *out);
/* cg_checkpoint_cosign writes the line of a witness, to be put behind the note.
 * type    CG_NOTE_COSIGNED_ED25519 or CG_NOTE_COSIGNED_MLDSA44, as the key is.
 * Source  C2SP tlog-cosignature */
CG_MUST_USE cg_err cg_checkpoint_cosign(struct cg_span name, enum cg_note_type type,
                                        const struct cg_sign_key *key,
                                        const struct cg_checkpoint *checkpoint, struct cg_wall now,
                                        struct cg_writer *out);

#endif
