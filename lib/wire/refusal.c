#include "lib/wire/refusal.h"

#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/wire/json.h"

#define TYPE_PREFIX "httpcg://bpi/problems.httpcg/v1/"

static const struct {
    const char *code;
    const char *title;
    int status;
} refusals[] = {
#define X(name, code, status, title) {code, title, status},
    CG_REFUSAL_LIST(X)
#undef X
};

const char *cg_refusal_code(enum cg_refusal refusal)
{
    return refusals[refusal < CG_REFUSAL_COUNT ? refusal : CG_REFUSAL_INTERNAL].code;
}

int cg_refusal_status(enum cg_refusal refusal)
{
    return refusals[refusal < CG_REFUSAL_COUNT ? refusal : CG_REFUSAL_INTERNAL].status;
}

enum cg_refusal cg_refusal_of_code(struct cg_span code)
{
    struct cg_span prefix = CG_LIT(TYPE_PREFIX);

    if (cg_span_starts(code, prefix))
        code = cg_span_from(code, prefix.len);
    for (int i = CG_REFUSAL_NONE + 1; i < CG_REFUSAL_COUNT; i++)
        if (cg_span_is(code, refusals[i].code))
            return (enum cg_refusal)i;
    return CG_REFUSAL_NONE;
}

void cg_put_uuid(struct cg_writer *w, const uint8_t id[16])
{
    static const uint8_t parts[] = {4, 2, 2, 2, 6};

    for (size_t i = 0, at = 0; i < sizeof parts; at += parts[i++]) {
        if (i > 0)
            cg_put_u8(w, '-');
        cg_put_hex(w, cg_span_of(id + at, parts[i]));
    }
}

static void put_staple(struct cg_writer *w, struct cg_span staple)
{
    cg_put_u8(w, '"');
    uint8_t *room = cg_put_room(w, cg_base64_chars(CG_BASE64, staple.len));
    if (room)
        cg_base64_write(CG_BASE64, staple, (char *)room);
    cg_put_u8(w, '"');
}

cg_err cg_refusal_write(enum cg_refusal refusal, const uint8_t id[16],
                        const struct cg_refusal_extra *extra, struct cg_writer *out)
{
    size_t place = refusal < CG_REFUSAL_COUNT ? refusal : CG_REFUSAL_INTERNAL;

    cg_put_str(out, "{\"type\":\"" TYPE_PREFIX);
    cg_put_str(out, refusals[place].code);
    cg_put_str(out, "\",\"title\":");
    cg_json_put_text(out, cg_span_str(refusals[place].title));
    cg_put_str(out, ",\"status\":");
    cg_put_decimal(out, (uint64_t)refusals[place].status);
    cg_put_str(out, ",\"instance\":\"urn:uuid:");
    cg_put_uuid(out, id);
    cg_put_str(out, "\"");
    if (extra && extra->server_time) {
        cg_json_put_key(out, "server_time", false);
        cg_put_decimal(out, extra->server_time);
    }
    if (extra && extra->sapi) {
        cg_json_put_key(out, "sapi", false);
        cg_json_put_text(out, cg_span_str(extra->sapi));
    }
    if (extra && extra->field) {
        cg_json_put_key(out, "field", false);
        cg_json_put_text(out, cg_span_str(extra->field));
    }
    if (extra && extra->staple.len) {
        cg_json_put_key(out, "staple", false);
        put_staple(out, extra->staple);
    }
    cg_put_str(out, "}\n");
    return cg_writer_end(out);
}
