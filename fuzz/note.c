/* note: signed notes and the keys that they are checked with. A note's text is made again from what
 * was understood; the lines are walked; a key has one spelling. */
#include "lib/merkle/note.h"
#include "fuzz/fuzz.h"
#include "lib/base/base64.h"
#include "lib/merkle/note_type.h"

static void vkey(struct cg_fuzz *in, struct cg_span text)
{
    struct cg_vkey key;
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);

    MARK(key);
    if (cg_vkey_parse(text, &key) != CG_OK) {
        UNTOUCHED(key);
        return;
    }
    MUST_OK(cg_vkey_write(key.name, key.type, cg_span_of(key.key, key.key_len), &w));
    MUST_SAME(cg_buf_span(out), text);
}

static void lines(struct cg_fuzz *in, struct cg_span left)
{
    struct cg_note_line line;
    size_t n = 0;

    while (left.len > 0) {
        struct cg_span before = left;
        struct cg_buf *out = cg_fuzz_buf(in);
        struct cg_writer w = cg_writer_into(out);
        uint8_t bytes[CG_NOTE_SIG_MAX_BYTES];
        size_t len;

        MUST_OK(cg_note_line_next(&left, &line));
        MUST(++n <= CG_NOTE_LINES_MAX);
        if (cg_base64_read(CG_BASE64, line.base64, bytes, sizeof bytes, &len) != CG_OK)
            continue; /* an unknown key's, longer than any of ours */
        struct cg_span sig = cg_span_from(cg_span_of(bytes, len), CG_NOTE_KEY_ID_BYTES);
        MUST_OK(cg_note_line_write(line.name, line.id, sig, &w));
        MUST_SAME(cg_buf_span(out), cg_span_first(before, before.len - left.len));
    }
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span text = cg_fuzz_rest(in);
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_checkpoint note;

    vkey(in, text);
    MARK(note);
    if (cg_checkpoint_read(text, &note) != CG_OK) {
        UNTOUCHED(note);
        return;
    }
    cg_checkpoint_text(note.origin, note.size, &note.root, &w);
    MUST_SAME(cg_buf_span(out), note.text);
    cg_put_u8(&w, '\n');
    cg_put(&w, note.signatures);
    MUST_OK(cg_writer_end(&w));
    MUST_SAME(cg_buf_span(out), text);
    MUST(note.signatures.len > 0);
    lines(in, note.signatures);
}
