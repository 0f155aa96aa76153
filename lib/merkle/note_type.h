/* note_type.h: what the types of note signatures are made of; for note.c and checkpoint.c. */
#ifndef CG_LIB_MERKLE_NOTE_TYPE_H
#define CG_LIB_MERKLE_NOTE_TYPE_H
#include "lib/merkle/note.h"

/* Key id, a cosignature's time, the longest signature. */
#define CG_NOTE_SIG_MAX_BYTES (CG_NOTE_KEY_ID_BYTES + 8 + CG_SIG_MAX_BYTES)

struct cg_note_form {
    enum cg_alg alg;
    uint8_t byte;           /* the type, in vkeys and key ids */
    const char *identifier; /* what follows 0xff; also the signature's context */
    bool is_cosignature;    /* led by the time, and over another message than the text */
};

extern const struct cg_note_form cg_note_forms[CG_NOTE_TYPE_COUNT];

/* cg_note_line_write writes one line. */
CG_MUST_USE cg_err cg_note_line_write(struct cg_span name,
                                      const uint8_t id[static CG_NOTE_KEY_ID_BYTES],
                                      struct cg_span sig, struct cg_writer *out);

#endif
