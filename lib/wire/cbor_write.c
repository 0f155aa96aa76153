#include "lib/wire/cbor.h"

#include "lib/base/span.h"

static void put_head(struct cg_writer *w, enum cg_cbor_type type, uint64_t v)
{
    uint8_t major = (uint8_t)(type << 5);

    if (v < 24) {
        cg_put_u8(w, major | (uint8_t)v);
    } else if (v <= UINT8_MAX) {
        cg_put_u8(w, major | 24);
        cg_put_u8(w, (uint8_t)v);
    } else if (v <= UINT16_MAX) {
        cg_put_u8(w, major | 25);
        cg_put_u16(w, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        cg_put_u8(w, major | 26);
        cg_put_u32(w, (uint32_t)v);
    } else {
        cg_put_u8(w, major | 27);
        cg_put_u64(w, v);
    }
}

void cg_cbor_put_uint(struct cg_writer *w, uint64_t v)
{
    put_head(w, CG_CBOR_UINT, v);
}

void cg_cbor_put_int(struct cg_writer *w, int64_t v)
{
    if (v < 0)
        put_head(w, CG_CBOR_NINT, (uint64_t)(-1 - v));
    else
        put_head(w, CG_CBOR_UINT, (uint64_t)v);
}

void cg_cbor_put_bytes(struct cg_writer *w, struct cg_span bytes)
{
    put_head(w, CG_CBOR_BYTES, bytes.len);
    cg_put(w, bytes);
}

void cg_cbor_put_hash(struct cg_writer *w, const struct cg_hash *hash)
{
    cg_cbor_put_bytes(w, cg_hash_span(hash));
}

void cg_cbor_put_text(struct cg_writer *w, struct cg_span text)
{
    put_head(w, CG_CBOR_TEXT, text.len);
    cg_put(w, text);
}

void cg_cbor_put_key(struct cg_writer *w, const char *name)
{
    cg_cbor_put_text(w, cg_span_str(name));
}

void cg_cbor_put_array(struct cg_writer *w, size_t n_items)
{
    put_head(w, CG_CBOR_ARRAY, n_items);
}

void cg_cbor_put_map(struct cg_writer *w, size_t n_pairs)
{
    put_head(w, CG_CBOR_MAP, n_pairs);
}

void cg_cbor_put_tag(struct cg_writer *w, uint64_t tag)
{
    put_head(w, CG_CBOR_TAG, tag);
}

void cg_cbor_put_bool(struct cg_writer *w, bool v)
{
    cg_put_u8(w, v ? 0xf5 : 0xf4);
}

void cg_cbor_put_null(struct cg_writer *w)
{
    cg_put_u8(w, 0xf6);
}
