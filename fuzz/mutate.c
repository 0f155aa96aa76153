/* mutate.c: changes CBOR as CBOR, for the targets that read documents: an item left out, doubled,
 * put in another place, of another type or number, or written longer than it must be; lengths and
 * counts around it are made right again, also through documents that are wrapped in byte strings.
 * Half of the time libFuzzer's own changes are made instead. */
#include "lib/base/buf.h"
#include "lib/base/span.h"

#include <stdlib.h>

#define ITEMS_MAX 400
#define DEPTH_MAX 16
#define OUT_MAX_BYTES (256 * 1024)

enum way { DROP, DOUBLE, SWAP, RETYPE, RENUMBER, LENGTHEN, REFILL, WAY_COUNT };

struct item {
    uint8_t type;
    uint64_t value;
    struct cg_span content; /* of strings */
    bool is_wrapping;       /* a byte string that holds one item */
    size_t next;            /* behind it and all in it */
    size_t n_children;
};

struct doc {
    struct item items[ITEMS_MAX];
    size_t n;
    size_t at; /* the item to be changed */
    enum way way;
    unsigned random;
};

/* libFuzzer's names. */
size_t LLVMFuzzerMutate(uint8_t *at, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *at, size_t len, size_t max, unsigned seed);

/* --- reading, with as little asked as possible --- */

static bool take_head(struct cg_span *left, struct item *out)
{
    if (left->len == 0)
        return false;
    unsigned info = left->at[0] & 31, n = info < 24 ? 0 : 1u << (info - 24);
    if (info > 27 || left->len <= n)
        return false;
    *out = (struct item){.type = left->at[0] >> 5, .value = info < 24 ? info : 0};
    for (unsigned i = 0; i < n; i++)
        out->value = out->value << 8 | left->at[1 + i];
    *left = cg_span_from(*left, 1 + n);
    return true;
}

static bool take_item(struct doc *doc, struct cg_span *left, unsigned depth)
{
    size_t me = doc->n;
    struct item *item = &doc->items[me];

    if (doc->n == ITEMS_MAX || depth > DEPTH_MAX || !take_head(left, item))
        return false;
    doc->n++;
    if (item->type == 2 || item->type == 3) {
        if (item->value > left->len)
            return false;
        item->content = cg_span_first(*left, (size_t)item->value);
        *left = cg_span_from(*left, (size_t)item->value);
        struct cg_span inside = item->content;
        item->is_wrapping = item->type == 2 && inside.len > 40 &&
                            take_item(doc, &inside, depth + 1) && inside.len == 0;
        if (!item->is_wrapping)
            doc->n = me + 1;
        item->n_children = item->is_wrapping;
    } else if (item->type >= 4 && item->type <= 6) {
        uint64_t n = item->type == 6 ? 1 : item->type == 5 ? 2 * item->value : item->value;
        if (n > ITEMS_MAX)
            return false;
        item->n_children = (size_t)n;
        for (uint64_t i = 0; i < n; i++)
            if (!take_item(doc, left, depth + 1))
                return false;
    }
    item->next = doc->n;
    return true;
}

/* --- writing --- */

static cg_err put_head(struct cg_buf *out, unsigned type, uint64_t v, bool is_long)
{
    uint8_t bytes[9];
    unsigned n = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;

    if (is_long && n < 8)
        n = n == 0 ? 1 : 2 * n;
    bytes[0] = (uint8_t)(type << 5 | (n == 0 ? v : n == 1 ? 24 : n == 2 ? 25 : n == 4 ? 26 : 27));
    for (unsigned i = 0; i < n; i++)
        bytes[1 + i] = (uint8_t)(v >> 8 * (n - 1 - i));
    return cg_buf_add(out, cg_span_of(bytes, 1 + n));
}

static bool put_item(struct doc *doc, size_t me, struct cg_buf *out, bool is_copy);

static bool put_children(struct doc *doc, size_t me, struct cg_buf *out, size_t *n_put)
{
    size_t child = me + 1;

    *n_put = 0;
    for (size_t i = 0; i < doc->items[me].n_children; i++, child = doc->items[child].next) {
        size_t times = 1, other = doc->items[child].next;
        if (child == doc->at && doc->way == DROP)
            continue;
        if (child == doc->at && doc->way == DOUBLE)
            times = 2;
        /* The one behind it first; a map's pairs come apart, which is as well. */
        if (child == doc->at && doc->way == SWAP && i + 1 < doc->items[me].n_children) {
            if (!put_item(doc, other, out, true) || !put_item(doc, child, out, true))
                return false;
            child = other;
            i++;
            *n_put += 2;
            continue;
        }
        for (; times > 0; times--, ++*n_put)
            if (!put_item(doc, child, out, false))
                return false;
    }
    return true;
}

static uint64_t renumber(uint64_t v, unsigned random)
{
    static const uint64_t edges[] = {0,   1,     23,         24,        255,
                                     256, 65536, UINT32_MAX, INT64_MAX, UINT64_MAX};

    return random % 3 == 0   ? v + 1
           : random % 3 == 1 ? v - 1
                             : edges[random / 3 % (sizeof edges / sizeof edges[0])];
}

static bool put_item(struct doc *doc, size_t me, struct cg_buf *out, bool is_copy)
{
    const struct item *item = &doc->items[me];
    bool is_it = me == doc->at && !is_copy;
    unsigned type = item->type;
    uint64_t value = item->value;
    struct cg_buf inside = {.max = OUT_MAX_BYTES};
    bool is_good = true;
    size_t n = 0;

    if (item->n_children) {
        is_good = put_children(doc, me, &inside, &n);
        value = item->is_wrapping ? inside.len : type == 4 ? n : type == 5 ? n / 2 : value;
    } else if (type == 2 || type == 3) {
        is_good = cg_buf_add(&inside, item->content) == CG_OK;
        if (is_it && doc->way == REFILL && doc->random % 4 == 0)
            inside.len = 0;
        else if (is_it && doc->way == REFILL && cg_buf_room(&inside, 16) == CG_OK)
            inside.len = LLVMFuzzerMutate(inside.at, inside.len, inside.len + 16);
        value = inside.len;
    }
    if (is_it && doc->way == RETYPE)
        type = doc->random % 8;
    if (is_it && doc->way == RENUMBER)
        value = renumber(value, doc->random);
    is_good = is_good && put_head(out, type, value, is_it && doc->way == LENGTHEN) == CG_OK &&
              cg_buf_add(out, cg_buf_span(&inside)) == CG_OK;
    cg_buf_done(&inside);
    return is_good;
}

/* The document may stand behind a byte, or behind a line. */
static size_t find_doc(struct doc *doc, struct cg_span input)
{
    size_t places[] = {0, 1, cg_span_find(input, '\n') + 1};

    for (size_t i = 0; i < 3; i++) {
        struct cg_span left = cg_span_from(input, places[i]);
        doc->n = 0;
        if (take_item(doc, &left, 0) && left.len == 0 && doc->n > 1)
            return places[i];
    }
    return SIZE_MAX;
}

size_t LLVMFuzzerCustomMutator(uint8_t *at, size_t len, size_t max, unsigned seed)
{
    static struct doc doc;
    struct cg_buf out = {.max = OUT_MAX_BYTES};
    size_t from = seed % 2 ? SIZE_MAX : find_doc(&doc, cg_span_of(at, len));

    if (from == SIZE_MAX)
        return LLVMFuzzerMutate(at, len, max);
    doc.random = seed / 2;
    doc.way = doc.random % WAY_COUNT;
    doc.random /= WAY_COUNT;
    doc.at = doc.random % doc.n;
    doc.random /= 7;
    if (put_item(&doc, 0, &out, false) && out.len <= max - from) {
        if (out.len)
            memcpy(at + from, out.at, out.len);
        len = from + out.len;
    }
    cg_buf_done(&out);
    return len;
}
