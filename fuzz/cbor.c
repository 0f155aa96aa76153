/* cbor: the strict reader beside a lenient one that writes down what it understood, shortest and
 * definite. Ours takes an item exactly where that gives the same bytes with keys in order. */
#include "lib/wire/cbor.h"
#include "fuzz/fuzz.h"
#include "lib/base/limits.h"

static bool recode(struct cg_span *left, unsigned depth, struct cg_buf *out);

static void put_head(struct cg_buf *out, unsigned type, uint64_t v)
{
    uint8_t bytes[9];
    unsigned n = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;

    bytes[0] = (uint8_t)(type << 5 | (n == 0 ? v : n == 1 ? 24 : n == 2 ? 25 : n == 4 ? 26 : 27));
    for (unsigned i = 0; i < n; i++)
        bytes[1 + i] = (uint8_t)(v >> 8 * (n - 1 - i));
    MUST_OK(cg_buf_add(out, cg_span_of(bytes, 1 + n)));
}

static bool recode_map(struct cg_span *left, uint64_t n, unsigned depth, struct cg_buf *out)
{
    struct cg_span before = {NULL, 0};

    for (uint64_t i = 0; i < n; i++) {
        struct cg_span key = *left;
        if (!recode(left, depth + 1, out))
            return false;
        key.len -= left->len;
        if (i > 0 && cg_span_cmp(before, key) >= 0)
            return false;
        before = key;
        if (!recode(left, depth + 1, out))
            return false;
    }
    return true;
}

/* False: not one of ours, however it is spelled. */
static bool recode(struct cg_span *left, unsigned depth, struct cg_buf *out)
{
    if (left->len == 0 || depth > CG_CBOR_MAX_DEPTH)
        return false;
    unsigned type = left->at[0] >> 5, info = left->at[0] & 31,
             n = info < 24 ? 0 : 1u << (info - 24);
    uint64_t v = info;
    if (info > 27 || left->len <= n)
        return false;
    for (unsigned i = 0; i < n; i++)
        v = (i ? v << 8 : 0) | left->at[1 + i];
    *left = cg_span_from(*left, 1 + n);
    put_head(out, type, v);
    switch (type) {
    case 2:
    case 3:
        if (v > left->len)
            return false;
        for (uint64_t i = 0; type == 3 && i < v; i++)
            if (left->at[i] < ' ' || left->at[i] > '~')
                return false;
        MUST_OK(cg_buf_add(out, cg_span_first(*left, (size_t)v)));
        *left = cg_span_from(*left, (size_t)v);
        return true;
    case 4:
        for (uint64_t i = 0; i < v; i++)
            if (!recode(left, depth + 1, out))
                return false;
        return true;
    case 5:
        return recode_map(left, v, depth, out);
    case 6:
        return recode(left, depth + 1, out);
    case 7:
        return info >= 20 && info <= 22;
    default:
        return true;
    }
}

/* The single reads, as far as they apply to the first item. */
static void read_one(struct cg_span wire)
{
    struct cg_cbor r = cg_cbor_of(wire), all = r;
    struct cg_buf out = {.max = 64};
    struct cg_writer w = cg_writer_into(&out);
    struct cg_span item = cg_cbor_item(&all);
    enum cg_cbor_type type = cg_cbor_peek(&r);

    if (type == CG_CBOR_UINT)
        cg_cbor_put_uint(&w, cg_cbor_uint(&r));
    else if (type == CG_CBOR_NINT)
        cg_cbor_put_int(&w, cg_cbor_int(&r));
    else if (type == CG_CBOR_SIMPLE && cg_cbor_null(&r))
        cg_cbor_put_null(&w);
    else if (type == CG_CBOR_SIMPLE)
        cg_cbor_put_bool(&w, cg_cbor_bool(&r));
    else
        return;
    MUST(all.err == CG_OK || r.err != CG_OK);
    if (r.err == CG_OK)
        MUST_SAME(cg_buf_span(&out), item);
    else
        MUST(all.err != CG_OK || r.err == CG_TOO_LARGE); /* under INT64_MIN */
    cg_buf_done(&out);
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in), left = wire;
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_cbor r = cg_cbor_of(wire);
    struct cg_span item = cg_cbor_item(&r);
    bool is_ours = recode(&left, 1, out);

    is_ours = is_ours && cg_span_eq(cg_buf_span(out), cg_span_first(wire, wire.len - left.len));
    MUST((r.err == CG_OK) == is_ours);
    if (is_ours)
        MUST_SAME(item, cg_buf_span(out));
    MUST((cg_cbor_end(&r) == CG_OK) == (is_ours && left.len == 0));
    read_one(wire);
}
