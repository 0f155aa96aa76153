/* sapi: the four header values of signed requests and responses. What was read is written the one
 * way that senders write, and read again. */
#include "fuzz/fuzz.h"
#include "lib/base/hex.h"

#include <httpcg/sapi.h>

/* A checked signature, raw. */
static struct cg_span raw(struct cg_fuzz *in, struct cg_span hex)
{
    uint8_t *bytes = cg_fuzz_room(in, hex.len / 2);

    MUST_OK(cg_hex_read(hex, bytes, hex.len / 2));
    return cg_span_of(bytes, hex.len / 2);
}

static void qlock(struct cg_span value)
{
    struct cg_qlock got, again;
    char text[CG_QLOCK_MAX_CHARS], second[CG_QLOCK_MAX_CHARS];

    MARK(got);
    if (cg_qlock_read(value, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    struct cg_span written = cg_span_of(text, cg_qlock_write(&got, text));
    MUST_OK(cg_qlock_read(written, &again));
    MUST_SAME(cg_span_of(second, cg_qlock_write(&again, second)), written);
}

static void request(struct cg_fuzz *in, struct cg_span value)
{
    struct cg_sapi got, again;

    MARK(got);
    if (cg_sapi_read(value, NULL, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    MUST(got.mode != CG_SAPI_NONE && got.signature.len == 2 * cg_sapi_signature_bytes(got.mode));
    size_t len = cg_sapi_chars(&got);
    char *text = cg_fuzz_room(in, len), *second = cg_fuzz_room(in, len);
    cg_sapi_write(&got, raw(in, got.signature), text);
    MUST_OK(cg_sapi_read(cg_span_of(text, len), &got.wallet, &again));
    MUST(cg_sapi_chars(&again) == len);
    cg_sapi_write(&again, raw(in, again.signature), second);
    MUST_SAME(cg_span_of(second, len), cg_span_of(text, len));
}

static void trailer(struct cg_fuzz *in, struct cg_span value, enum cg_sapi_mode mode)
{
    struct cg_sapi_trailer got, again;

    MARK(got);
    if (cg_sapi_trailer_read(value, mode, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    size_t len = cg_sapi_trailer_chars(mode);
    char *text = cg_fuzz_room(in, len);
    cg_sapi_trailer_write(&got.digest, raw(in, got.signature), text);
    MUST_OK(cg_sapi_trailer_read(cg_span_of(text, len), mode, &again));
    MUST(cg_hash_eq(&got.digest, &again.digest));
    MUST_SAME(again.signature, got.signature);
}

static void response(struct cg_fuzz *in, struct cg_span value)
{
    struct cg_response got, again;

    MARK(got);
    if (cg_response_read(value, &got) != CG_OK) {
        UNTOUCHED(got);
        return;
    }
    MUST(got.mode == CG_SAPI_GRANT || got.mode == CG_SAPI_HYBRID);
    size_t len = cg_response_chars(&got, got.signature.len / 2);
    char *text = cg_fuzz_room(in, len), *second = cg_fuzz_room(in, len);
    cg_response_write(&got, raw(in, got.signature), text);
    MUST_OK(cg_response_read(cg_span_of(text, len), &again));
    cg_response_write(&again, raw(in, again.signature), second);
    MUST_SAME(cg_span_of(second, len), cg_span_of(text, len));
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span value = cg_fuzz_rest(in);

    qlock(value);
    request(in, value);
    for (enum cg_sapi_mode mode = CG_SAPI_GRANT; mode < CG_SAPI_MODE_COUNT; mode++)
        trailer(in, value, mode);
    response(in, value);
}
