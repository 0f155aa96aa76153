/* fields: the HTTP field values that the protocol itself looks into. */
#include "fuzz/fuzz.h"
#include "lib/wire/field.h"

static void digest(struct cg_span value)
{
    struct cg_hash hash, again;
    uint8_t text[CG_DIGEST_CHARS];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    MARK(hash);
    if (cg_digest_read(value, &hash) != CG_OK) {
        UNTOUCHED(hash);
        return;
    }
    cg_digest_write(&hash, &w);
    MUST_OK(cg_writer_end(&w));
    MUST_OK(cg_digest_read(cg_writer_span(&w), &again));
    MUST(cg_hash_eq(&hash, &again));
}

/* Members are trimmed, not empty, without comma, in order, and lie in the value. */
static void list(struct cg_span value)
{
    struct cg_span left = value, member;
    const uint8_t *before = value.at;

    while (cg_field_next(&left, &member)) {
        MUST(member.len > 0 && cg_span_find(member, ',') == member.len);
        MUST_SAME(cg_field_trim(member), member);
        MUST(member.at >= before && cg_span_end(member) <= cg_span_end(value));
        before = cg_span_end(member);
    }
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span lines[8];
    size_t n = 0, total = 0;
    bool expects;
    struct cg_buf *joined = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(joined);

    for (; n < 8 && in->left.len; n++) {
        lines[n] = cg_fuzz_line(in);
        total += lines[n].len + (n ? 2 : 0);
        digest(lines[n]);
        list(lines[n]);
        if (cg_field_expect(lines[n], &expects) == CG_OK && expects)
            MUST(cg_field_lists(lines[n], "100-continue"));
        (void)cg_field_is_token(lines[n]);
        (void)cg_field_is_value(lines[n]);
    }
    cg_field_cookies(lines, n, &w);
    MUST_OK(cg_writer_end(&w));
    MUST(joined->len <= total);
}
