#include "lib/base/base64.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/note_type.h"
#include "lib/merkle/tlog.h"

#define HASH_BASE64_CHARS 44
#define COSIGNATURE_TIME_BYTES 8
#define MESSAGE_MAX_BYTES 1024

void cg_checkpoint_text(struct cg_span origin, uint64_t size, const struct cg_hash *root,
                        struct cg_writer *out)
{
    char base64[HASH_BASE64_CHARS];

    cg_base64_write(CG_BASE64, cg_hash_span(root), base64);
    cg_put(out, origin);
    cg_put_u8(out, '\n');
    cg_put_decimal(out, size);
    cg_put_u8(out, '\n');
    cg_put(out, cg_span_of(base64, sizeof base64));
    cg_put_u8(out, '\n');
}

static cg_err take_line(struct cg_span *left, struct cg_span *out)
{
    size_t end = cg_span_find(*left, '\n');

    if (end == left->len)
        return CG_SHORT;
    *out = cg_span_first(*left, end);
    *left = cg_span_from(*left, end + 1);
    return CG_OK;
}

static cg_err read_size(struct cg_span text, uint64_t *out)
{
    uint64_t v = 0;

    if (text.len == 0)
        return CG_SYNTAX;
    if (text.len > 1 && text.at[0] == '0')
        return CG_CANONICAL;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return CG_SYNTAX;
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (v > (INT64_MAX - digit) / 10)
            return CG_TOO_LARGE;
        v = v * 10 + digit;
    }
    *out = v;
    return CG_OK;
}

/* Origins are names of keys at the same time, so they have their form. */
static bool is_origin(struct cg_span text)
{
    if (text.len == 0 || text.len > CG_ORIGIN_MAX_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '+')
            return false;
    return true;
}

/* Lines of keys unknown here may have names in any script; the note as a whole is UTF-8 without
 * controls (RFC 3629, 4: shortest forms, no surrogates, nothing above U+10FFFF). */
static bool is_utf8_line(struct cg_span text)
{
    for (size_t i = 0; i < text.len;) {
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        uint8_t c = text.at[i];
        unsigned more = c < 0x80   ? 0
                        : c < 0xc0 ? 4
                        : c < 0xe0 ? 1
                        : c < 0xf0 ? 2
                        : c < 0xf8 ? 3
                                   : 4;
        uint32_t point = more == 0 ? c : c & (0x3fu >> more);

        if (more == 4 || more >= text.len - i || (more == 0 && c < ' '))
            return false;
        for (unsigned k = 1; k <= more; k++) {
            if ((text.at[i + k] & 0xc0) != 0x80)
                return false;
            point = point << 6 | (text.at[i + k] & 0x3f);
        }
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        i += more + 1;
    }
    return true;
}

static cg_err check_lines(struct cg_span left)
{
    size_t n = 0;

    do {
        struct cg_note_line line;
        struct cg_span before = left;

        if (++n > CG_NOTE_LINES_MAX)
            return CG_TOO_LARGE;
        CG_TRY(cg_note_line_next(&left, &line));
        if (!is_utf8_line(cg_span_first(before, before.len - left.len - 1)))
            return CG_SYNTAX;
    } while (left.len > 0);
    return CG_OK;
}

cg_err cg_checkpoint_read(struct cg_span note, struct cg_checkpoint *out)
{
    struct cg_checkpoint got;
    struct cg_span left = note, size, root, blank;
    size_t len;

    if (note.len > CG_NOTE_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(take_line(&left, &got.origin));
    CG_TRY(take_line(&left, &size));
    CG_TRY(take_line(&left, &root));
    got.text = cg_span_first(note, note.len - left.len);
    if (!is_origin(got.origin))
        return CG_SYNTAX;
    CG_TRY(read_size(size, &got.size));
    CG_TRY(cg_base64_read(CG_BASE64, root, got.root.bytes, CG_HASH_BYTES, &len));
    if (len != CG_HASH_BYTES)
        return CG_SYNTAX;
    CG_TRY(take_line(&left, &blank));
    /* Extension lines would stand here. ML-DSA cosignatures do not cover them: there are none. */
    if (blank.len != 0)
        return CG_SYNTAX;
    got.signatures = left;
    CG_TRY(check_lines(left));
    *out = got;
    return CG_OK;
}

/* What is signed: the text itself, or for a cosignature what the witness states about it.
 * C2SP tlog-cosignature, "Ed25519 signed message" and "ML-DSA-44 signed message". */
static cg_err put_message(enum cg_note_type type, struct cg_span name, uint64_t time,
                          const struct cg_checkpoint *checkpoint, struct cg_writer *w)
{
    switch (type) {
    case CG_NOTE_COSIGNED_ED25519:
        cg_put_str(w, "cosignature/v1\ntime ");
        cg_put_decimal(w, time);
        cg_put_u8(w, '\n');
        cg_put(w, checkpoint->text);
        break;
    case CG_NOTE_COSIGNED_MLDSA44:
        cg_put(w, CG_LIT("subtree/v1\n\0"));
        cg_put_u8(w, (uint8_t)name.len);
        cg_put(w, name);
        cg_put_u64(w, time);
        cg_put_u8(w, (uint8_t)checkpoint->origin.len);
        cg_put(w, checkpoint->origin);
        cg_put_u64(w, 0); /* the subtree from the first leaf */
        cg_put_u64(w, checkpoint->size);
        cg_put(w, cg_hash_span(&checkpoint->root));
        break;
    default:
        cg_put(w, checkpoint->text);
        break;
    }
    return cg_writer_end(w);
}

/* Writes the line of one key. time: a cosignature's. */
static cg_err put_signature(struct cg_span name, enum cg_note_type type,
                            const struct cg_sign_key *key, uint64_t time,
                            const struct cg_checkpoint *checkpoint, struct cg_writer *out)
{
    const struct cg_note_form *form = &cg_note_forms[type];
    const struct cg_alg_info *info = cg_alg_info_of(form->alg);
    uint8_t public_key[CG_MLDSA87_KEY_BYTES], id[CG_NOTE_KEY_ID_BYTES];
    uint8_t message[MESSAGE_MAX_BYTES], sig[CG_NOTE_SIG_MAX_BYTES];
    struct cg_writer m = cg_writer_fixed(message, sizeof message);
    struct cg_writer s = cg_writer_fixed(sig, sizeof sig);

    CG_TRY(cg_sign_key_public(key, public_key));
    CG_TRY(cg_note_key_id(name, type, cg_span_of(public_key, info->key_len), id));
    CG_TRY(put_message(type, name, time, checkpoint, &m));
    if (form->is_cosignature)
        cg_put_u64(&s, time);
    uint8_t *room = cg_put_room(&s, info->sig_len);
    CG_TRY(cg_writer_end(&s));
    CG_TRY(cg_sign(key, cg_span_str(form->identifier), cg_writer_span(&m), room));
    return cg_note_line_write(name, id, cg_writer_span(&s), out);
}

cg_err cg_checkpoint_sign(const struct cg_tlog_signer *signer, uint64_t size,
                          const struct cg_hash *root, struct cg_writer *out)
{
    uint8_t text[MESSAGE_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_checkpoint checkpoint = {.origin = signer->origin, .size = size, .root = *root};

    if (!is_origin(signer->origin))
        return CG_SYNTAX;
    cg_checkpoint_text(signer->origin, size, root, &w);
    CG_TRY(cg_writer_end(&w));
    checkpoint.text = cg_writer_span(&w);
    cg_put(out, checkpoint.text);
    cg_put_u8(out, '\n');
    CG_TRY(put_signature(signer->origin, CG_NOTE_ED25519, signer->ed25519, 0, &checkpoint, out));
    return put_signature(signer->origin, CG_NOTE_MLDSA87, signer->mldsa87, 0, &checkpoint, out);
}

cg_err cg_checkpoint_cosign(struct cg_span name, enum cg_note_type type,
                            const struct cg_sign_key *key, const struct cg_checkpoint *checkpoint,
                            struct cg_wall now, struct cg_writer *out)
{
    if (!cg_note_forms[type].is_cosignature || now.s < 0)
        return CG_INTERNAL;
    if (!is_origin(name)) /* names of keys and origins have one form */
        return CG_SYNTAX;
    return put_signature(name, type, key, (uint64_t)now.s, checkpoint, out);
}

cg_err cg_note_line_verify(const struct cg_note_line *line, const struct cg_note_key *key,
                           const struct cg_checkpoint *checkpoint, struct cg_wall now,
                           struct cg_wall *out_time)
{
    const struct cg_note_form *form = &cg_note_forms[key->type];
    uint8_t bytes[CG_NOTE_SIG_MAX_BYTES], message[MESSAGE_MAX_BYTES];
    struct cg_writer m = cg_writer_fixed(message, sizeof message);
    uint64_t time = 0;
    size_t len;

    if (cg_base64_read(CG_BASE64, line->base64, bytes, sizeof bytes, &len) != CG_OK)
        return CG_SIGNATURE;
    struct cg_span sig = cg_span_from(cg_span_of(bytes, len), CG_NOTE_KEY_ID_BYTES);
    if (form->is_cosignature) {
        if (sig.len < COSIGNATURE_TIME_BYTES)
            return CG_SIGNATURE;
        for (size_t i = 0; i < COSIGNATURE_TIME_BYTES; i++)
            time = time << 8 | sig.at[i];
        sig = cg_span_from(sig, COSIGNATURE_TIME_BYTES);
        if (time > CG_JSON_MAX_INT || (int64_t)time - CG_LEDGER_SKEW_S > now.s)
            return CG_SIGNATURE;
    }
    CG_TRY(put_message(key->type, line->name, time, checkpoint, &m));
    CG_TRY(cg_verify(key->verify, cg_span_str(form->identifier), cg_writer_span(&m), sig));
    out_time->s = (int64_t)time;
    return CG_OK;
}

/* Checks every line that claims to be by key; *out_n tells how many there are. */
static cg_err check_key(const struct cg_checkpoint *checkpoint, const struct cg_note_key *key,
                        struct cg_wall now, unsigned *out_n, struct cg_wall *out_newest)
{
    struct cg_span left = checkpoint->signatures;

    *out_n = 0;
    out_newest->s = 0;
    while (left.len > 0) {
        struct cg_note_line line;
        struct cg_wall time;

        CG_TRY(cg_note_line_next(&left, &line));
        if (!cg_note_line_is(&line, key))
            continue;
        CG_TRY(cg_note_line_verify(&line, key, checkpoint, now, &time));
        ++*out_n;
        if (time.s > out_newest->s)
            *out_newest = time;
    }
    return CG_OK;
}

static cg_err check_log(const struct cg_checkpoint *checkpoint, const struct cg_tlog *log,
                        struct cg_wall now)
{
    const struct cg_note_key *keys[] = {&log->ed25519, &log->mldsa87}; /* the cheap one first */

    for (size_t i = 0; i < 2; i++) {
        struct cg_wall time;
        unsigned n;

        CG_TRY(check_key(checkpoint, keys[i], now, &n, &time));
        if (n == 0)
            return CG_SIGNATURE;
    }
    return CG_OK;
}

static cg_err check_witnesses(const struct cg_checkpoint *checkpoint, const struct cg_tlog *log,
                              struct cg_wall now, struct cg_checkpoint_facts *facts)
{
    const struct cg_quorum *quorum = log->quorum;
    bool has_signed[CG_WITNESSES_MAX + CG_GROUPS_MAX] = {false};

    for (size_t i = 0; i < quorum->n_nodes; i++) {
        const struct cg_quorum_node *node = &quorum->nodes[i];
        struct cg_wall time;
        unsigned n;

        if (node->is_group)
            continue;
        CG_TRY(check_key(checkpoint, &node->key, now, &n, &time));
        has_signed[i] = n > 0;
        facts->n_cosignatures += n > 0;
        if (cg_quorum_counts(quorum, i) && time.s > facts->cosigned.s)
            facts->cosigned = time;
    }
    if (quorum->is_none) {
        facts->is_unwitnessed = true;
        return CG_OK;
    }
    if (!cg_quorum_met(quorum, has_signed))
        return CG_QUORUM;
    return facts->cosigned.s < now.s - log->max_age_s ? CG_STALE : CG_OK;
}

cg_err cg_checkpoint_verify(const struct cg_checkpoint *checkpoint, const struct cg_tlog *log,
                            struct cg_wall now, struct cg_checkpoint_facts *out)
{
    struct cg_checkpoint_facts facts = {0};

    if (!cg_span_is(checkpoint->origin, log->ed25519.name))
        return CG_MISMATCH;
    CG_TRY(check_log(checkpoint, log, now));
    CG_TRY(check_witnesses(checkpoint, log, now, &facts));
    *out = facts;
    return CG_OK;
}
