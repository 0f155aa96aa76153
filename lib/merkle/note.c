#include "lib/merkle/note.h"

#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/note_type.h"

/* U+2014 and a space. */
#define DASH "\xe2\x80\x94 "
/* The shortest text of an id and one byte of signature. */
#define BASE64_MIN_CHARS 8

/* clang-format off */
const struct cg_note_form cg_note_forms[CG_NOTE_TYPE_COUNT] = {
    [CG_NOTE_ED25519]          = {CG_ALG_ED25519, 0x01, "",                    false},
    [CG_NOTE_MLDSA87]          = {CG_ALG_MLDSA87, 0xff, "httpcg/ml-dsa-87/v1", false},
    [CG_NOTE_COSIGNED_ED25519] = {CG_ALG_ED25519, 0x04, "",                    true},
    [CG_NOTE_COSIGNED_MLDSA44] = {CG_ALG_MLDSA44, 0x06, "",                    true},
};
/* clang-format on */

static bool is_name(struct cg_span name)
{
    if (name.len == 0 || name.len > CG_NOTE_NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == '+')
            return false;
    return true;
}

cg_err cg_note_key_id(struct cg_span name, enum cg_note_type type, struct cg_span public_key,
                      uint8_t out[static CG_NOTE_KEY_ID_BYTES])
{
    uint8_t head[CG_NOTE_NAME_MAX_BYTES + 32];
    struct cg_writer w = cg_writer_fixed(head, sizeof head);
    struct cg_hash hash;

    cg_put(&w, name);
    cg_put_u8(&w, '\n');
    cg_put_u8(&w, cg_note_forms[type].byte);
    cg_put_str(&w, cg_note_forms[type].identifier);
    CG_TRY(cg_writer_end(&w));
    CG_TRY(cg_sha256_2(cg_writer_span(&w), public_key, &hash));
    memcpy(out, hash.bytes, CG_NOTE_KEY_ID_BYTES);
    return CG_OK;
}

cg_err cg_note_key_init(const struct cg_crypto *crypto, struct cg_span name, enum cg_note_type type,
                        struct cg_span public_key, struct cg_note_key *out)
{
    struct cg_note_key key = {.type = type};

    if (!is_name(name))
        return CG_SYNTAX;
    memcpy(key.name, name.at, name.len);
    CG_TRY(cg_note_key_id(name, type, public_key, key.id));
    CG_TRY(cg_sha256(public_key, &key.key_hash));
    CG_TRY(cg_verify_key_new(crypto, cg_note_forms[type].alg, public_key, &key.verify));
    *out = key;
    return CG_OK;
}

void cg_note_key_done(struct cg_note_key *key)
{
    cg_verify_key_free(key->verify);
    key->verify = NULL;
}

/* Tells the type of what a vkey's base64 holds, and cuts it off. */
static cg_err take_type(struct cg_span *material, enum cg_note_type *out)
{
    for (unsigned i = 0; i < CG_NOTE_TYPE_COUNT; i++) {
        struct cg_span identifier = cg_span_str(cg_note_forms[i].identifier);

        if (material->len == 0 || material->at[0] != cg_note_forms[i].byte ||
            !cg_span_starts(cg_span_from(*material, 1), identifier))
            continue;
        *material = cg_span_from(*material, 1 + identifier.len);
        *out = (enum cg_note_type)i;
        return CG_OK;
    }
    return CG_UNSUPPORTED;
}

cg_err cg_vkey_parse(struct cg_span text, struct cg_vkey *out)
{
    uint8_t material[1 + 32 + CG_MLDSA87_KEY_BYTES], id[CG_NOTE_KEY_ID_BYTES];
    uint8_t want_id[CG_NOTE_KEY_ID_BYTES];
    enum cg_note_type type;
    size_t len;

    if (text.len > CG_VKEY_MAX_BYTES)
        return CG_TOO_LARGE;
    struct cg_span name = cg_span_first(text, cg_span_find(text, '+'));
    struct cg_span rest = cg_span_from(text, name.len + 1);
    struct cg_span hex = cg_span_first(rest, cg_span_find(rest, '+'));
    if (!is_name(name) || hex.len == rest.len || cg_hex_read(hex, id, sizeof id) != CG_OK)
        return CG_SYNTAX;
    /* The rest may have plus signs of its own: they are base64. */
    CG_TRY(cg_base64_read(CG_BASE64, cg_span_from(rest, hex.len + 1), material, sizeof material,
                          &len));
    struct cg_span key = cg_span_of(material, len);
    CG_TRY(take_type(&key, &type));
    if (key.len != cg_alg_info_of(cg_note_forms[type].alg)->key_len)
        return CG_KEY;
    CG_TRY(cg_note_key_id(name, type, key, want_id));
    if (memcmp(id, want_id, sizeof id) != 0)
        return CG_MISMATCH;
    out->name = name;
    out->type = type;
    out->key_len = key.len;
    memcpy(out->key, key.at, key.len);
    return CG_OK;
}

cg_err cg_vkey_read(const struct cg_crypto *crypto, struct cg_span text, struct cg_note_key *out)
{
    struct cg_vkey vkey;

    CG_TRY(cg_vkey_parse(text, &vkey));
    return cg_note_key_init(crypto, vkey.name, vkey.type, cg_span_of(vkey.key, vkey.key_len), out);
}

static void put_base64(struct cg_writer *w, struct cg_span bytes)
{
    uint8_t *room = cg_put_room(w, cg_base64_chars(CG_BASE64, bytes.len));

    if (room)
        cg_base64_write(CG_BASE64, bytes, (char *)room);
}

cg_err cg_vkey_write(struct cg_span name, enum cg_note_type type, struct cg_span public_key,
                     struct cg_writer *out)
{
    uint8_t material[1 + 32 + CG_MLDSA87_KEY_BYTES], id[CG_NOTE_KEY_ID_BYTES];
    struct cg_writer w = cg_writer_fixed(material, sizeof material);

    if (!is_name(name))
        return CG_SYNTAX;
    if (public_key.len != cg_alg_info_of(cg_note_forms[type].alg)->key_len)
        return CG_KEY;
    CG_TRY(cg_note_key_id(name, type, public_key, id));
    cg_put_u8(&w, cg_note_forms[type].byte);
    cg_put_str(&w, cg_note_forms[type].identifier);
    cg_put(&w, public_key);
    CG_TRY(cg_writer_end(&w));
    cg_put(out, name);
    cg_put_u8(out, '+');
    cg_put_hex(out, CG_BYTES(id));
    cg_put_u8(out, '+');
    put_base64(out, cg_writer_span(&w));
    return cg_writer_end(out);
}

/* Whether text has the form of base64. Lines of unknown keys are checked no further, so theirs may
 * be as long as it likes. */
static bool is_base64(struct cg_span text)
{
    uint8_t last[3];
    size_t len;

    if (text.len % 4 != 0 || text.len < BASE64_MIN_CHARS)
        return false;
    for (size_t i = 0; i < text.len - 4; i++) {
        uint8_t c = text.at[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    /* Padding, and bits that nobody uses, are in the last four. */
    return cg_base64_read(CG_BASE64, cg_span_from(text, text.len - 4), last, sizeof last, &len) ==
           CG_OK;
}

cg_err cg_note_line_next(struct cg_span *left, struct cg_note_line *out)
{
    struct cg_note_line line;
    uint8_t first[6]; /* of 8 characters: the id, and something behind it */
    size_t len, end = cg_span_find(*left, '\n');

    if (end == left->len)
        return CG_SHORT;
    struct cg_span text = cg_span_first(*left, end);
    if (!cg_span_starts(text, CG_LIT(DASH)))
        return CG_SYNTAX;
    text = cg_span_from(text, CG_LIT(DASH).len);
    line.name = cg_span_first(text, cg_span_find(text, ' '));
    line.base64 = cg_span_from(text, line.name.len + 1);
    if (line.name.len == 0 || cg_span_find(line.name, '+') != line.name.len ||
        !is_base64(line.base64) ||
        cg_base64_read(CG_BASE64, cg_span_first(line.base64, BASE64_MIN_CHARS), first, sizeof first,
                       &len) != CG_OK ||
        len <= CG_NOTE_KEY_ID_BYTES)
        return CG_SYNTAX;
    memcpy(line.id, first, sizeof line.id);
    *left = cg_span_from(*left, end + 1);
    *out = line;
    return CG_OK;
}

bool cg_note_line_is(const struct cg_note_line *line, const struct cg_note_key *key)
{
    return memcmp(line->id, key->id, sizeof line->id) == 0 && cg_span_is(line->name, key->name);
}

cg_err cg_note_line_write(struct cg_span name, const uint8_t id[static CG_NOTE_KEY_ID_BYTES],
                          struct cg_span sig, struct cg_writer *out)
{
    uint8_t both[CG_NOTE_SIG_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(both, sizeof both);

    cg_put(&w, cg_span_of(id, CG_NOTE_KEY_ID_BYTES));
    cg_put(&w, sig);
    CG_TRY(cg_writer_end(&w));
    cg_put_str(out, DASH);
    cg_put(out, name);
    cg_put_u8(out, ' ');
    put_base64(out, cg_writer_span(&w));
    cg_put_u8(out, '\n');
    return cg_writer_end(out);
}
