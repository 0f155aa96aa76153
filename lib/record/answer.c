/* A registry's answers as JSON. */
#include "lib/base/base64.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/resolve.h"
#include "lib/wire/json.h"
#include "lib/wire/refusal.h"

/* The members as they stand in the text. */
struct texts {
    struct cg_span record, staple, wallet_doc, operator_did, operator_doc;
};

/* Decodes one text behind what room holds already; room was made large enough before, since spans
 * into it must not move. */
static cg_err decode(struct cg_span text, struct cg_buf *room, struct cg_span *out)
{
    size_t len;

    CG_TRY(cg_base64_read(CG_BASE64, text, room->at + room->len, room->cap - room->len, &len));
    *out = cg_span_of(room->at + room->len, len);
    room->len += len;
    return CG_OK;
}

static cg_err decode_all(const struct texts *t, struct cg_buf *room, struct cg_resolve_answer *out)
{
    struct cg_resolve_answer answer = {.record = t->record};

    cg_buf_clear(room);
    CG_TRY(cg_buf_room(room, 1 + t->staple.len + t->wallet_doc.len + t->operator_doc.len));
    CG_TRY(decode(t->staple, room, &answer.staple));
    if (t->record.len > 0) {
        CG_TRY(decode(t->wallet_doc, room, &answer.wallet_doc));
        CG_TRY(decode(t->operator_doc, room, &answer.operator_doc));
        CG_TRY(cg_did_read(t->operator_did, &answer.operator_did));
    }
    *out = answer;
    return CG_OK;
}

cg_err cg_resolve_read(struct cg_span json, struct cg_buf *room, struct cg_resolve_answer *out)
{
    struct texts t = {0};
    const struct cg_json_member members[] = {
        {"record", CG_JSON_OBJECT, .span = &t.record},
        {"staple", CG_JSON_TEXT, .span = &t.staple},
        {"wallet_doc", CG_JSON_TEXT, .span = &t.wallet_doc},
        {"operator_did", CG_JSON_TEXT, .span = &t.operator_did},
        {"operator_doc", CG_JSON_TEXT, .span = &t.operator_doc},
    };

    if (json.len > CG_RESOLVE_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_json_object(json, CG_JSON_DOCUMENT, members, sizeof members / sizeof members[0]));
    return decode_all(&t, room, out);
}

cg_err cg_resolve_read_denial(struct cg_span json, struct cg_buf *room,
                              struct cg_resolve_answer *out)
{
    struct texts t = {0};
    struct cg_span type, title, instance;
    uint64_t status;
    bool has[4];
    const struct cg_json_member members[] = {
        {"type", CG_JSON_TEXT, .span = &type},
        {"title", CG_JSON_TEXT, .span = &title},
        {"status", CG_JSON_UINT, .number = &status},
        {"instance", CG_JSON_TEXT, .span = &instance},
        {"staple", CG_JSON_TEXT, .span = &t.staple},
        {"record", CG_JSON_OBJECT, .span = &t.record, .has = &has[0]},
        {"wallet_doc", CG_JSON_TEXT, .span = &t.wallet_doc, .has = &has[1]},
        {"operator_did", CG_JSON_TEXT, .span = &t.operator_did, .has = &has[2]},
        {"operator_doc", CG_JSON_TEXT, .span = &t.operator_doc, .has = &has[3]},
    };

    if (json.len > CG_RESOLVE_MAX_BYTES)
        return CG_TOO_LARGE;
    CG_TRY(cg_json_object(json, CG_JSON_DOCUMENT, members, sizeof members / sizeof members[0]));
    if (cg_refusal_of_code(type) != CG_REFUSAL_NAME_UNRESOLVED || status != 404)
        return CG_SCHEMA;
    /* A record comes with all that proves it, or not at all. */
    for (size_t i = 1; i < 4; i++)
        if (has[i] != has[0])
            return CG_SCHEMA;
    return decode_all(&t, room, out);
}

static void put_base64(struct cg_writer *w, const char *name, bool is_first, struct cg_span bytes)
{
    cg_json_put_key(w, name, is_first);
    cg_put_u8(w, '"');
    uint8_t *room = cg_put_room(w, cg_base64_chars(CG_BASE64, bytes.len));
    if (room)
        cg_base64_write(CG_BASE64, bytes, (char *)room);
    cg_put_u8(w, '"');
}

static void put_record(struct cg_writer *w, const struct cg_resolve_answer *answer, bool is_first)
{
    cg_json_put_key(w, "record", is_first);
    cg_put(w, answer->record);
}

static void put_docs(struct cg_writer *w, const struct cg_resolve_answer *answer)
{
    char did[CG_DID_CHARS + 1];

    cg_did_write(&answer->operator_did, did);
    put_base64(w, "wallet_doc", false, answer->wallet_doc);
    cg_json_put_key(w, "operator_did", false);
    cg_json_put_text(w, cg_span_str(did));
    put_base64(w, "operator_doc", false, answer->operator_doc);
}

cg_err cg_resolve_write(const struct cg_resolve_answer *answer, struct cg_writer *out)
{
    cg_put_u8(out, '{');
    put_record(out, answer, true);
    put_base64(out, "staple", false, answer->staple);
    put_docs(out, answer);
    cg_put_str(out, "}\n");
    return cg_writer_end(out);
}

cg_err cg_resolve_write_denial(const struct cg_resolve_answer *answer, const uint8_t id[16],
                               struct cg_writer *out)
{
    const struct cg_refusal_extra extra = {.staple = answer->staple};
    CG_AUTO(buf) struct cg_buf problem = {0};

    cg_buf_init(&problem, CG_RESOLVE_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&problem);
    CG_TRY(cg_refusal_write(CG_REFUSAL_NAME_UNRESOLVED, id, &extra, &w));
    if (answer->record.len == 0) {
        cg_put(out, cg_buf_span(&problem));
        return cg_writer_end(out);
    }
    /* The problem ends in a brace and a line feed; what proves the record goes before them. */
    cg_put(out, cg_span_first(cg_buf_span(&problem), problem.len - 2));
    put_record(out, answer, false);
    put_docs(out, answer);
    cg_put_str(out, "}\n");
    return cg_writer_end(out);
}
