#include "lib/merkle/map_page.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/map_node.h"
#include "lib/wire/reader.h"

static void take_hash(struct cg_reader *r, struct cg_hash *out)
{
    struct cg_span bytes = cg_read_bytes(r, CG_HASH_BYTES);

    if (bytes.len == CG_HASH_BYTES)
        memcpy(out->bytes, bytes.at, CG_HASH_BYTES);
}

/* Nodes stand above the slots and links in them, so this goes nine calls deep at most. */
static bool take_node(struct cg_reader *r, struct cg_map_page *page, size_t i)
{
    page->kind[i] = cg_read_u8(r);
    switch (page->kind[i]) {
    case CG_MAP_PAGE_EMPTY:
        return r->err == CG_OK;
    case CG_MAP_PAGE_LINK:
        take_hash(r, &page->hash[i]);
        return i >= CG_MAP_SLOTS;
    case CG_MAP_PAGE_PAIR:
        take_hash(r, &page->hash[i]);
        take_hash(r, &page->value[i]);
        return true;
    case CG_MAP_PAGE_NODE:
        take_hash(r, &page->hash[i]);
        return i < CG_MAP_SLOTS && take_node(r, page, 2 * i) && take_node(r, page, 2 * i + 1);
    default:
        return false;
    }
}

cg_err cg_map_page_read(struct cg_span bytes, bool is_root, struct cg_map_page *out)
{
    struct cg_reader r = cg_reader_of(bytes);

    out->n_pairs = 0;
    memset(out->kind, CG_MAP_PAGE_EMPTY, sizeof out->kind);
    memset(out->is_changed, 0, sizeof out->is_changed);
    if (bytes.len == 0)
        return CG_OK;
    if (is_root)
        out->n_pairs = cg_read_u64(&r);
    /* These bytes are our own, so whatever is wrong with them is the store's failure. */
    return take_node(&r, out, 1) && cg_reader_end(&r) == CG_OK ? CG_OK : CG_STORE;
}

static void put_node(const struct cg_map_page *page, size_t i, struct cg_writer *w)
{
    cg_put_u8(w, page->kind[i]);
    if (page->kind[i] != CG_MAP_PAGE_EMPTY)
        cg_put(w, cg_hash_span(&page->hash[i]));
    if (page->kind[i] == CG_MAP_PAGE_PAIR)
        cg_put(w, cg_hash_span(&page->value[i]));
    if (page->kind[i] == CG_MAP_PAGE_NODE) {
        put_node(page, 2 * i, w);
        put_node(page, 2 * i + 1, w);
    }
}

cg_err cg_map_page_write(const struct cg_map_page *page, bool is_root, struct cg_writer *out)
{
    if (is_root)
        cg_put_u64(out, page->n_pairs);
    put_node(page, 1, out);
    return cg_writer_end(out);
}

cg_err cg_map_page_hash(const struct cg_map_page *page, size_t i, struct cg_hash *out)
{
    switch (page->kind[i]) {
    case CG_MAP_PAGE_EMPTY:
        *out = cg_map_nothing;
        return CG_OK;
    case CG_MAP_PAGE_PAIR:
        return cg_map_leaf_hash(&page->hash[i], &page->value[i], out);
    default:
        *out = page->hash[i];
        return CG_OK;
    }
}

cg_err cg_map_page_rehash(struct cg_map_page *page)
{
    /* Backwards, so that what is below a node comes before it. */
    for (size_t i = CG_MAP_SLOTS; i-- > 1;) {
        struct cg_hash zero, one;

        if (!page->is_changed[i] || page->kind[i] != CG_MAP_PAGE_NODE)
            continue;
        CG_TRY(cg_map_page_hash(page, 2 * i, &zero));
        CG_TRY(cg_map_page_hash(page, 2 * i + 1, &one));
        CG_TRY(cg_map_node_hash(&zero, &one, &page->hash[i]));
    }
    memset(page->is_changed, 0, sizeof page->is_changed);
    return CG_OK;
}
