#include "store/memory.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>

struct cg_memory *cg_memory_of(struct cg_store *store)
{
    return (struct cg_memory *)store;
}

static int compare(const void *a, const void *b)
{
    return cg_span_cmp(((const struct mem_row *)a)->key, ((const struct mem_row *)b)->key);
}

static const struct mem_row *row_of(const void *node)
{
    return node ? *(const struct mem_row *const *)node : NULL;
}

const struct mem_row *mem_get(const struct mem_table *table, struct cg_span key)
{
    struct mem_row wanted = {.key = key};

    return row_of(tfind(&wanted, &table->root, compare));
}

bool mem_drop(struct mem_table *table, struct cg_span key)
{
    struct mem_row *row = (struct mem_row *)mem_get(table, key);

    if (!row)
        return false;
    (void)tdelete(row, &table->root, compare);
    free(row);
    return true;
}

/* One allocation: the row, then all its bytes. */
static struct mem_row *copy_row(const struct mem_row *like)
{
    size_t len = like->key.len;

    for (size_t i = 0; i < MEM_ROW_BYTES; i++)
        len += like->bytes[i].len;
    struct mem_row *row = malloc(sizeof *row + len + 1);
    if (!row)
        return NULL;
    uint8_t *at = (uint8_t *)(row + 1);
    *row = *like;
    for (size_t i = 0; i <= MEM_ROW_BYTES; i++) {
        struct cg_span *field = i < MEM_ROW_BYTES ? &row->bytes[i] : &row->key;

        if (field->len)
            memcpy(at, field->at, field->len);
        field->at = at;
        at += field->len;
    }
    return row;
}

cg_err mem_put(struct cg_memory *m, struct mem_table *table, const struct mem_row *like)
{
    struct mem_row *row = copy_row(like);

    if (row)
        (void)mem_drop(table, like->key);
    if (!row || !tsearch(row, &table->root, compare)) {
        free(row);
        m->is_broken = true;
        return CG_NO_MEMORY;
    }
    return CG_OK;
}

struct search {
    struct cg_span key;
    const struct mem_row *best;
    size_t n;
};

static void look_at(const void *node, VISIT which, void *closure)
{
    struct search *s = closure;
    const struct mem_row *row = row_of(node);

    if (which != postorder && which != leaf) /* each node once */
        return;
    s->n++;
    if (cg_span_cmp(row->key, s->key) > 0 && (!s->best || compare(row, s->best) < 0))
        s->best = row;
}

const struct mem_row *mem_next(const struct mem_table *table, struct cg_span key)
{
    struct search s = {.key = key};

    twalk_r(table->root, look_at, &s);
    return s.best;
}

size_t mem_count(const struct mem_table *table)
{
    struct search s = {0};

    twalk_r(table->root, look_at, &s);
    return s.n;
}

struct mem_key mem_key_uint(uint64_t n)
{
    struct mem_key key = {.len = 8};

    for (size_t i = 0; i < 8; i++)
        key.at[i] = (uint8_t)(n >> (56 - 8 * i));
    return key;
}

cg_err mem_key_pair(struct cg_span text, uint64_t n, struct mem_key *out)
{
    struct mem_key number = mem_key_uint(n);

    if (text.len > MEM_KEY_MAX - 9)
        return CG_TOO_LARGE;
    if (text.len)
        memcpy(out->at, text.at, text.len);
    out->at[text.len] = 0;
    memcpy(out->at + text.len + 1, number.at, 8);
    out->len = text.len + 9;
    return CG_OK;
}

static void free_table(struct mem_table *table)
{
    tdestroy(table->root, free);
}

static void free_memory(struct cg_store *store)
{
    struct cg_memory *m = cg_memory_of(store);
    struct mem_table *tables[] = {
        &m->entries, &m->commitments, &m->certs,      &m->objects,    &m->nodes,
        &m->states,  &m->pages,       &m->heads,      &m->names,      &m->proposed,
        &m->wallets, &m->allowed,     &m->challenges, &m->seen_names, &m->seen_logs,
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        free_table(tables[i]);
    free((void *)m->newest.published.note.at);
    free(m);
}

/* One handle, one thread: nobody commits meanwhile. */
static cg_err read_begin(struct cg_store *store)
{
    return cg_memory_of(store)->is_broken ? CG_STORE : CG_OK;
}

static void read_end(struct cg_store *store)
{
    (void)store;
}

static const struct cg_store_backend backend = {
    .free = free_memory,
    .read_begin = read_begin,
    .read_end = read_end,
    .log_append = cg_memory_log_append,
    .log_publish = cg_memory_log_publish,
    .log_heads = cg_memory_log_heads,
    .log_head = cg_memory_log_head,
    .log_entries = cg_memory_log_entries,
    .log_find = cg_memory_log_find,
    .log_find_cert = cg_memory_log_find_cert,
    .log_object = cg_memory_log_object,
    .log_nodes = cg_memory_log_nodes,
    .log_state = cg_memory_log_state,
    .log_page = cg_memory_log_page,
    .name_propose = cg_memory_name_propose,
    .name_settle = cg_memory_name_settle,
    .name_withdraw = cg_memory_name_withdraw,
    .name_current = cg_memory_name_current,
    .name_at = cg_memory_name_at,
    .name_proposed = cg_memory_name_proposed,
    .wallet_put = cg_memory_wallet_put,
    .wallet = cg_memory_wallet,
    .challenge_put = cg_memory_challenge_put,
    .challenge_take = cg_memory_challenge_take,
    .allow_put = cg_memory_allow_put,
    .allow_drop = cg_memory_allow_drop,
    .allow = cg_memory_allow,
    .seen_name = cg_memory_seen_name,
    .seen_log = cg_memory_seen_log,
    .seen_log_newest = cg_memory_seen_log_newest,
};

cg_err cg_store_open_memory(struct cg_store **out)
{
    struct cg_memory *m = calloc(1, sizeof *m);

    if (!m)
        return CG_NO_MEMORY;
    m->store.backend = &backend;
    *out = &m->store;
    return CG_OK;
}
