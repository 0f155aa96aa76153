/* Pages of a state map in memory: a hash table with chains. */
#include "lib/merkle/map.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdlib.h>

struct page {
    struct page *next;
    size_t prefix_len;
    uint8_t prefix[32];
    struct cg_span bytes; /* owned, allocated beside it */
};

struct cg_map_memory {
    struct page **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_pages;
};

#define FIRST_BUCKETS 256

cg_err cg_map_memory_new(struct cg_map_memory **out)
{
    struct cg_map_memory *memory = calloc(1, sizeof *memory);

    if (memory)
        memory->buckets = calloc(FIRST_BUCKETS, sizeof *memory->buckets);
    if (!memory || !memory->buckets) {
        free(memory);
        return CG_NO_MEMORY;
    }
    memory->n_buckets = FIRST_BUCKETS;
    *out = memory;
    return CG_OK;
}

static void free_page(struct page *page)
{
    free((void *)page->bytes.at);
    free(page);
}

void cg_map_memory_free(struct cg_map_memory *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < memory->n_buckets; i++) {
        while (memory->buckets[i]) {
            struct page *page = memory->buckets[i];

            memory->buckets[i] = page->next;
            free_page(page);
        }
    }
    free(memory->buckets);
    free(memory);
}

/* Prefixes are the first bytes of hashes: their own bytes spread them well enough. */
static size_t bucket_of(const struct cg_map_memory *memory, struct cg_span prefix)
{
    size_t h = prefix.len;

    for (size_t i = 0; i < prefix.len; i++)
        h = h * 31 + prefix.at[i];
    return h & (memory->n_buckets - 1);
}

static struct page **find(const struct cg_map_memory *memory, struct cg_span prefix)
{
    struct page **at = &memory->buckets[bucket_of(memory, prefix)];

    while (*at && !cg_span_eq(cg_span_of((*at)->prefix, (*at)->prefix_len), prefix))
        at = &(*at)->next;
    return at;
}

static cg_err load(void *ctx, struct cg_span prefix, struct cg_span *bytes)
{
    const struct page *page = *find(ctx, prefix);

    *bytes = page ? page->bytes : (struct cg_span){NULL, 0};
    return CG_OK;
}

static cg_err grow(struct cg_map_memory *memory)
{
    struct cg_map_memory larger = {.n_buckets = 2 * memory->n_buckets, .n_pages = memory->n_pages};

    larger.buckets = calloc(larger.n_buckets, sizeof *larger.buckets);
    if (!larger.buckets)
        return CG_NO_MEMORY;
    for (size_t i = 0; i < memory->n_buckets; i++) {
        while (memory->buckets[i]) {
            struct page *page = memory->buckets[i];
            size_t to = bucket_of(&larger, cg_span_of(page->prefix, page->prefix_len));

            memory->buckets[i] = page->next;
            page->next = larger.buckets[to];
            larger.buckets[to] = page;
        }
    }
    free(memory->buckets);
    *memory = larger;
    return CG_OK;
}

static cg_err save(void *ctx, struct cg_span prefix, struct cg_span bytes)
{
    struct cg_map_memory *memory = ctx;
    uint8_t *copy = malloc(bytes.len);

    if (!copy)
        return CG_NO_MEMORY;
    memcpy(copy, bytes.at, bytes.len);
    struct page **at = find(memory, prefix);
    if (!*at) {
        struct page *page = calloc(1, sizeof *page);

        if (!page || (memory->n_pages >= memory->n_buckets && grow(memory) != CG_OK)) {
            free(page);
            free(copy);
            return CG_NO_MEMORY;
        }
        page->prefix_len = prefix.len;
        if (prefix.len > 0)
            memcpy(page->prefix, prefix.at, prefix.len);
        at = find(memory, prefix); /* the table may have grown */
        *at = page;
        memory->n_pages++;
    }
    free((void *)(*at)->bytes.at);
    (*at)->bytes = (struct cg_span){copy, bytes.len};
    return CG_OK;
}

struct cg_map_pages cg_map_memory_pages(struct cg_map_memory *memory)
{
    return (struct cg_map_pages){load, save, memory};
}
