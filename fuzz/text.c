/* text: everything that is written as one word: each value has one spelling. */
#include "fuzz/fuzz.h"
#include "lib/base/base32.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/cert/anchor.h"
#include "lib/merkle/tile.h"
#include "lib/record/date.h"
#include "lib/wire/field.h"
#include "lib/wire/word.h"

#include <httpcg/mode.h>
#include <httpcg/url.h>

static void encodings(struct cg_fuzz *in, struct cg_span text)
{
    uint8_t *bytes = cg_fuzz_room(in, text.len);
    char *again = cg_fuzz_room(in, text.len);
    size_t len = text.len / 2;

    if (cg_hex_read(text, bytes, len) == CG_OK) {
        cg_hex_write(cg_span_of(bytes, len), again);
        MUST_SAME(cg_span_of(again, text.len), text);
        MUST(cg_hex_check(text));
    }
    len = text.len * 5 / 8;
    if (cg_base32_read(text, bytes, len) == CG_OK) {
        MUST(CG_BASE32_CHARS(len) == text.len);
        cg_base32_write(cg_span_of(bytes, len), again);
        MUST_SAME(cg_span_of(again, text.len), text);
    }
    for (enum cg_base64_kind kind = CG_BASE64; kind <= CG_BASE64URL; kind++) {
        if (cg_base64_read(kind, text, bytes, text.len, &len) != CG_OK)
            continue;
        MUST(cg_base64_chars(kind, len) == text.len);
        cg_base64_write(kind, cg_span_of(bytes, len), again);
        MUST_SAME(cg_span_of(again, text.len), text);
        /* A room that is a byte too small is not written to. */
        if (len > 0)
            MUST(cg_base64_read(kind, text, cg_fuzz_room(in, len - 1), len - 1, &len) ==
                 CG_TOO_LARGE);
    }
}

static void names(struct cg_span text)
{
    struct cg_waddr waddr;
    struct cg_anchor anchor;
    enum cg_plane plane;
    enum cg_sapi_mode mode;
    char did[CG_DID_CHARS + 1], anchor_text[CG_ANCHOR_CHARS + 1];

    MARK(waddr);
    if (cg_waddr_read(text, &waddr) == CG_OK)
        MUST_SAME(cg_span_str(waddr.text), text);
    else
        UNTOUCHED(waddr);
    if (cg_did_read(text, &waddr) == CG_OK) {
        cg_did_write(&waddr, did);
        MUST_SAME(cg_span_str(did), text);
    }
    MARK(anchor);
    if (cg_anchor_read(text, &anchor) == CG_OK) {
        cg_anchor_write(&anchor, anchor_text);
        MUST_SAME(cg_span_str(anchor_text), text);
    } else {
        UNTOUCHED(anchor);
    }
    if (cg_plane_read(text, &plane) == CG_OK)
        MUST(cg_span_eq_nocase(cg_span_str(cg_plane_name(plane)), text));
    if (cg_sapi_mode_read(text, &mode) == CG_OK)
        MUST_SAME(cg_span_str(cg_sapi_mode_name(mode)), text);
    if (cg_is_word(text))
        MUST(text.len <= CG_WORD_MAX_BYTES && cg_field_is_token(text));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span text = cg_fuzz_rest(in);
    struct cg_wall time;
    struct cg_tile tile;
    char date[CG_DATE_CHARS + 1];
    uint8_t path[CG_TILE_PATH_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    encodings(in, text);
    names(text);
    MARK(time);
    if (cg_date_read(text, &time) == CG_OK) {
        MUST_OK(cg_date_write(time, date));
        MUST_SAME(cg_span_str(date), text);
    } else {
        UNTOUCHED(time);
    }
    MARK(tile);
    if (cg_tile_read(text, &tile) == CG_OK) {
        cg_tile_write(&tile, &w);
        MUST_OK(cg_writer_end(&w));
        MUST_SAME(cg_writer_span(&w), text);
        (void)cg_tile_is_in(&tile, UINT64_MAX);
    } else {
        UNTOUCHED(tile);
    }
}
