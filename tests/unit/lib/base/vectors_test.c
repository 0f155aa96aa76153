#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/base32.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"

/* The longest text: 256 bytes in hex. */
#define ROOM 512

static size_t write_text(const char *form, struct cg_span bytes, char out[ROOM])
{
    if (strcmp(form, "hex") == 0) {
        cg_hex_write(bytes, out);
        return 2 * bytes.len;
    }
    if (strcmp(form, "base32") == 0) {
        cg_base32_write(bytes, out);
        return CG_BASE32_CHARS(bytes.len);
    }
    enum cg_base64_kind kind = strcmp(form, "base64") == 0 ? CG_BASE64 : CG_BASE64URL;
    cg_base64_write(kind, bytes, out);
    return cg_base64_chars(kind, bytes.len);
}

/* n: how many bytes are expected, or for base64 how many there is room for. */
static cg_err read_text(const char *form, struct cg_span text, size_t n, uint8_t out[ROOM])
{
    size_t len;

    if (strcmp(form, "hex") == 0)
        return cg_hex_read(text, out, n);
    if (strcmp(form, "base32") == 0)
        return cg_base32_read(text, out, n);
    enum cg_base64_kind kind = strcmp(form, "base64") == 0 ? CG_BASE64 : CG_BASE64URL;
    cg_err err = cg_base64_read(kind, text, out, n, &len);
    if (err == CG_OK)
        CHECK_INT(len, n);
    return err;
}

TEST(texts_are_written_and_read_as_in_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("encodings:texts"); i++) {
        const char *form = cg_vector(cg_vector_at("encodings:texts.%zu.form", i));
        struct cg_span bytes = cg_vector_hex(cg_vector_at("encodings:texts.%zu.bytes", i));
        struct cg_span text = cg_span_str(cg_vector(cg_vector_at("encodings:texts.%zu.text", i)));
        char room[ROOM];
        uint8_t back[ROOM];

        CHECK_SPAN(cg_span_of(room, write_text(form, bytes, room)), text);
        CHECK_OK(read_text(form, text, bytes.len, back));
        CHECK_SPAN(cg_span_of(back, bytes.len), bytes);
    }
}

TEST(bad_texts_are_refused_for_their_reason)
{
    for (size_t i = 0; i < cg_vector_count("encodings:texts_bad"); i++) {
        const char *form = cg_vector(cg_vector_at("encodings:texts_bad.%zu.form", i));
        size_t n = (size_t)cg_vector_uint(cg_vector_at("encodings:texts_bad.%zu.bytes", i));
        uint8_t out[ROOM];

        CHECK(cg_vector_expects(
            cg_vector_at("encodings:texts_bad.%zu", i),
            read_text(form, cg_span_str(cg_vector(cg_vector_at("encodings:texts_bad.%zu.text", i))),
                      n, out)));
    }
}

SUITE(base_vectors, T(texts_are_written_and_read_as_in_the_vectors),
      T(bad_texts_are_refused_for_their_reason))
