#include "lib/merkle/map.h"

#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/map_node.h"
#include "lib/merkle/map_page.h"
#include "lib/wire/cbor.h"

#include <stdlib.h>

/* One cg_map_apply. */
struct apply {
    const struct cg_map_pages *pages;
    uint64_t n_added;
};

/* By key, and for one key in the order they came: they lie in one array. */
static int compare(const void *a, const void *b)
{
    const struct cg_map_change *x = *(const struct cg_map_change *const *)a;
    const struct cg_map_change *y = *(const struct cg_map_change *const *)b;
    int order = memcmp(x->key.bytes, y->key.bytes, CG_HASH_BYTES);

    return order != 0 ? order : x < y ? -1 : x > y;
}

static cg_err sort(const struct cg_map_change *all, size_t n, const struct cg_map_change ***out)
{
    const struct cg_map_change **sorted = malloc(n * sizeof *sorted);

    if (!sorted)
        return CG_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &all[i];
    qsort(sorted, n, sizeof *sorted, compare);
    *out = sorted;
    return CG_OK;
}

static cg_err load(const struct cg_map_pages *pages, struct cg_span prefix, struct cg_map_page *out)
{
    struct cg_span bytes = {NULL, 0};

    CG_TRY(pages->load(pages->ctx, prefix, &bytes));
    return cg_map_page_read(bytes, prefix.len == 0, out);
}

static cg_err save(const struct cg_map_pages *pages, struct cg_span prefix,
                   const struct cg_map_page *page)
{
    struct cg_buf buf;

    cg_buf_init(&buf, CG_MAP_PAGE_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&buf);
    cg_err err = cg_map_page_write(page, prefix.len == 0, &w);
    if (err == CG_OK)
        err = pages->save(pages->ctx, prefix, cg_buf_span(&buf));
    cg_buf_done(&buf);
    return err;
}

/* The bit that decides, at node i of a page below a prefix, which way a key goes. */
static unsigned bit_at(const struct cg_hash *key, size_t prefix_len, size_t i)
{
    size_t level = (size_t)(63 - __builtin_clzll(i));

    return cg_map_bit(key, 8 * prefix_len + level);
}

static void put_pair(struct cg_map_page *page, size_t i, const struct cg_map_change *pair)
{
    page->kind[i] = CG_MAP_PAGE_PAIR;
    page->hash[i] = pair->key;
    page->value[i] = pair->value;
}

/* Walks to where key belongs, and makes room: a pair with another key that stands there alone moves
 * down, until the ways part or a slot is reached. The result is empty, a pair, or a link. */
static size_t make_place(struct cg_map_page *page, size_t prefix_len, const struct cg_hash *key)
{
    size_t i = 1;

    while (i < CG_MAP_SLOTS && page->kind[i] != CG_MAP_PAGE_EMPTY) {
        if (page->kind[i] == CG_MAP_PAGE_PAIR) {
            struct cg_map_change pair = {page->hash[i], page->value[i]};

            if (cg_hash_eq(&pair.key, key))
                break;
            page->kind[i] = CG_MAP_PAGE_NODE;
            page->kind[2 * i] = page->kind[2 * i + 1] = CG_MAP_PAGE_EMPTY;
            put_pair(page, 2 * i + bit_at(&pair.key, prefix_len, i), &pair);
        }
        i = 2 * i + bit_at(key, prefix_len, i);
    }
    for (size_t up = i / 2; up > 0; up /= 2)
        page->is_changed[up] = true;
    return i;
}

static cg_err apply_page(struct apply *work, const uint8_t *prefix, size_t prefix_len,
                         const struct cg_map_change *moved, const struct cg_map_change **changes,
                         size_t n_changes, struct cg_hash *out_root, uint64_t *out_n_pairs);

/* Applies changes that share the byte behind the prefix. Once one of them reaches a slot that more
 * than one pair share, the rest go to the page below. */
static cg_err apply_group(struct apply *work, struct cg_map_page *page, size_t prefix_len,
                          const struct cg_map_change **changes, size_t n_changes)
{
    for (size_t c = 0; c < n_changes; c++) {
        size_t i = make_place(page, prefix_len, &changes[c]->key);
        bool is_other =
            page->kind[i] == CG_MAP_PAGE_PAIR && !cg_hash_eq(&page->hash[i], &changes[c]->key);

        if (page->kind[i] != CG_MAP_PAGE_LINK && !is_other) {
            work->n_added += page->kind[i] == CG_MAP_PAGE_EMPTY;
            put_pair(page, i, changes[c]);
            continue;
        }
        /* Below the last byte all keys are the same one: such a page is not ours. */
        if (prefix_len == CG_MAP_PREFIX_MAX_BYTES)
            return CG_STORE;
        struct cg_map_change pair = {page->hash[i], page->value[i]};
        page->kind[i] = CG_MAP_PAGE_LINK;
        return apply_page(work, changes[c]->key.bytes, prefix_len + 1, is_other ? &pair : NULL,
                          changes + c, n_changes - c, &page->hash[i], NULL);
    }
    return CG_OK;
}

static cg_err apply_changes(struct apply *work, struct cg_map_page *page, size_t prefix_len,
                            const struct cg_map_change **changes, size_t n_changes)
{
    for (size_t from = 0, to; from < n_changes; from = to) {
        uint8_t byte = changes[from]->key.bytes[prefix_len];

        for (to = from + 1; to < n_changes && changes[to]->key.bytes[prefix_len] == byte; to++)
            ;
        CG_TRY(apply_group(work, page, prefix_len, changes + from, to - from));
    }
    return cg_map_page_rehash(page);
}

/* moved: the pair that stood alone in the parent's slot until now; the page is then a new one. */
static cg_err apply_page(struct apply *work, const uint8_t *prefix, size_t prefix_len,
                         const struct cg_map_change *moved, const struct cg_map_change **changes,
                         size_t n_changes, struct cg_hash *out_root, uint64_t *out_n_pairs)
{
    struct cg_span at = {prefix, prefix_len};
    struct cg_map_page *page = malloc(sizeof *page);
    cg_err err;

    if (!page)
        return CG_NO_MEMORY;
    if (moved) {
        err = cg_map_page_read((struct cg_span){NULL, 0}, false, page);
        put_pair(page, 1, moved);
    } else {
        err = load(work->pages, at, page);
    }
    if (err == CG_OK)
        err = apply_changes(work, page, prefix_len, changes, n_changes);
    if (err == CG_OK) {
        page->n_pairs += work->n_added; /* the root page comes last, and is the one that keeps it */
        err = save(work->pages, at, page);
    }
    if (err == CG_OK)
        err = cg_map_page_hash(page, 1, out_root);
    if (err == CG_OK && out_n_pairs)
        *out_n_pairs = page->n_pairs;
    free(page);
    return err;
}

cg_err cg_map_apply(const struct cg_map_pages *pages, const struct cg_map_change *changes,
                    size_t n_changes, struct cg_map_head *out)
{
    struct apply work = {.pages = pages};
    struct cg_map_head head;
    const struct cg_map_change **sorted;

    if (n_changes == 0)
        return cg_map_head_of(pages, out);
    CG_TRY(sort(changes, n_changes, &sorted));
    cg_err err = apply_page(&work, NULL, 0, NULL, sorted, n_changes, &head.root, &head.n_pairs);
    free(sorted);
    if (err == CG_OK)
        *out = head;
    return err;
}

cg_err cg_map_head_of(const struct cg_map_pages *pages, struct cg_map_head *out)
{
    struct cg_map_page *page = malloc(sizeof *page);
    struct cg_map_head head;

    if (!page)
        return CG_NO_MEMORY;
    cg_err err = load(pages, (struct cg_span){NULL, 0}, page);
    if (err == CG_OK) {
        err = cg_map_page_hash(page, 1, &head.root);
        head.n_pairs = page->n_pairs;
    }
    free(page);
    if (err == CG_OK)
        *out = head;
    return err;
}

/* The way from the root to where a key belongs. */
struct way {
    size_t n;
    struct cg_hash siblings[CG_MAP_DEPTH];
    bool is_empty[CG_MAP_DEPTH];
    enum cg_map_kind kind;
    struct cg_map_change pair; /* what stands there, unless it is empty */
};

/* Goes through one page; true where the way goes on below it. */
static cg_err walk_page(const struct cg_map_page *page, size_t prefix_len,
                        const struct cg_hash *key, struct way *way, bool *out_goes_on)
{
    size_t i = 1;

    while (page->kind[i] == CG_MAP_PAGE_NODE) {
        size_t next = 2 * i + bit_at(key, prefix_len, i);

        CG_TRY(cg_map_page_hash(page, next ^ 1, &way->siblings[way->n]));
        way->is_empty[way->n++] = page->kind[next ^ 1] == CG_MAP_PAGE_EMPTY;
        i = next;
    }
    *out_goes_on = page->kind[i] == CG_MAP_PAGE_LINK;
    way->kind = CG_MAP_EMPTY;
    if (page->kind[i] == CG_MAP_PAGE_PAIR) {
        way->pair = (struct cg_map_change){page->hash[i], page->value[i]};
        way->kind = cg_hash_eq(&way->pair.key, key) ? CG_MAP_PRESENT : CG_MAP_OTHER;
    }
    return CG_OK;
}

static cg_err walk(const struct cg_map_pages *pages, const struct cg_hash *key, struct way *way)
{
    struct cg_map_page *page = malloc(sizeof *page);
    bool goes_on = true;
    cg_err err = page ? CG_OK : CG_NO_MEMORY;

    way->n = 0;
    for (size_t len = 0; err == CG_OK && goes_on; len++) {
        if (len > CG_MAP_PREFIX_MAX_BYTES) {
            err = CG_STORE;
            break;
        }
        err = load(pages, cg_span_of(key->bytes, len), page);
        if (err == CG_OK)
            err = walk_page(page, len, key, way, &goes_on);
    }
    free(page);
    return err;
}

cg_err cg_map_prove(const struct cg_map_pages *pages, const struct cg_hash *key,
                    struct cg_writer *proof, enum cg_map_kind *out_kind, struct cg_hash *out_value)
{
    struct way way;

    CG_TRY(walk(pages, key, &way));
    cg_cbor_put_array(proof, 3);
    cg_cbor_put_uint(proof, way.kind == CG_MAP_PRESENT);
    if (way.kind == CG_MAP_PRESENT) {
        cg_cbor_put_hash(proof, &way.pair.value);
    } else if (way.kind == CG_MAP_OTHER) {
        cg_cbor_put_array(proof, 2);
        cg_cbor_put_hash(proof, &way.pair.key);
        cg_cbor_put_hash(proof, &way.pair.value);
    } else {
        cg_cbor_put_null(proof);
    }
    cg_cbor_put_array(proof, way.n);
    for (size_t i = 0; i < way.n; i++)
        cg_cbor_put_bytes(proof, way.is_empty[i] ? (struct cg_span){NULL, 0}
                                                 : cg_hash_span(&way.siblings[i]));
    CG_TRY(cg_writer_end(proof));
    *out_kind = way.kind;
    if (way.kind == CG_MAP_PRESENT)
        *out_value = way.pair.value;
    return CG_OK;
}

/* M(depth, pairs), by its definition; keys differ, so depth ends at 256. */
static cg_err rebuild(const struct cg_map_change **pairs, size_t n, size_t depth,
                      struct cg_hash *out)
{
    struct cg_hash zero, one;
    size_t n_zero = 0;

    if (n == 0) {
        *out = cg_map_nothing;
        return CG_OK;
    }
    if (n == 1)
        return cg_map_leaf_hash(&pairs[0]->key, &pairs[0]->value, out);
    while (n_zero < n && cg_map_bit(&pairs[n_zero]->key, depth) == 0)
        n_zero++;
    CG_TRY(rebuild(pairs, n_zero, depth + 1, &zero));
    CG_TRY(rebuild(pairs + n_zero, n - n_zero, depth + 1, &one));
    return cg_map_node_hash(&zero, &one, out);
}

cg_err cg_map_rebuild(const struct cg_map_change *changes, size_t n_changes,
                      struct cg_map_head *out)
{
    struct cg_map_head head = {cg_map_nothing, 0};
    const struct cg_map_change **sorted = NULL;
    size_t n = 0;

    if (n_changes > 0)
        CG_TRY(sort(changes, n_changes, &sorted));
    for (size_t i = 0; i < n_changes; i++) {
        /* The later of two with one key stands behind the other. */
        if (n > 0 && cg_hash_eq(&sorted[n - 1]->key, &sorted[i]->key))
            n--;
        sorted[n++] = sorted[i];
    }
    head.n_pairs = n;
    cg_err err = rebuild(sorted, n, 0, &head.root);
    free(sorted);
    if (err == CG_OK)
        *out = head;
    return err;
}
