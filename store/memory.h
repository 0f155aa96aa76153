/* memory.h: the pieces of the memory back-end: tables of rows sorted by a key of bytes. */
#ifndef CG_STORE_MEMORY_H
#define CG_STORE_MEMORY_H
#include "store/backend.h"

#define MEM_ROW_BYTES 6

/* A row of any table; each table says in memory_log.c or memory_names.c what it puts where. */
struct mem_row {
    struct cg_span key;
    struct cg_span bytes[MEM_ROW_BYTES];
    uint64_t number[4];
    struct cg_hash hash;
};

struct mem_table {
    void *root; /* tsearch's */
};

struct cg_memory {
    struct cg_store store;
    bool is_broken; /* memory ran out half way through a write: nothing is answered any more */
    /* the ledger */
    struct mem_table entries, commitments, certs, objects, nodes, states, pages;
    struct mem_table heads; /* published ones */
    uint64_t n_entries;
    struct cg_log_heads newest; /* notes are allocated */
    /* the registry, and what was seen */
    struct mem_table names, proposed, wallets, challenges, allowed, seen_names, seen_logs;
};

struct cg_memory *cg_memory_of(struct cg_store *store);
/* mem_put copies a row into a table; one of the same key is replaced. */
CG_MUST_USE cg_err mem_put(struct cg_memory *m, struct mem_table *table, const struct mem_row *row);
const struct mem_row *mem_get(const struct mem_table *table, struct cg_span key);
/* mem_next gives the first row whose key comes behind key. */
const struct mem_row *mem_next(const struct mem_table *table, struct cg_span key);
bool mem_drop(struct mem_table *table, struct cg_span key);
size_t mem_count(const struct mem_table *table);

/* Keys made of numbers, which sort as the numbers do. */
#define MEM_KEY_MAX 512
struct mem_key {
    uint8_t at[MEM_KEY_MAX];
    size_t len;
};
struct mem_key mem_key_uint(uint64_t n);
/* mem_key_pair is text, a zero byte, and a number. */
cg_err mem_key_pair(struct cg_span text, uint64_t n, struct mem_key *out);
static inline struct cg_span mem_key_span(const struct mem_key *key)
{
    return (struct cg_span){key->at, key->len};
}

cg_err cg_memory_log_append(struct cg_store *, const struct cg_log_append *);
cg_err cg_memory_log_publish(struct cg_store *, const struct cg_log_publish *);
cg_err cg_memory_log_heads(struct cg_store *, struct cg_arena *, struct cg_log_heads *);
cg_err cg_memory_log_head(struct cg_store *, uint64_t, struct cg_arena *, struct cg_stored_head *);
cg_err cg_memory_log_entries(struct cg_store *, uint64_t, size_t, struct cg_arena *,
                             struct cg_stored_entry *);
cg_err cg_memory_log_find(struct cg_store *, struct cg_span, const struct cg_hash *,
                          struct cg_arena *, struct cg_stored_entry *);
cg_err cg_memory_log_find_cert(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                               struct cg_stored_entry *);
cg_err cg_memory_log_object(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                            struct cg_span *);
cg_err cg_memory_log_nodes(struct cg_store *, unsigned, uint64_t, size_t, struct cg_hash *);
cg_err cg_memory_log_state(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                           struct cg_stored_state *);
cg_err cg_memory_log_page(struct cg_store *, struct cg_span, struct cg_arena *, struct cg_span *);
cg_err cg_memory_name_propose(struct cg_store *, const struct cg_stored_name *);
cg_err cg_memory_name_settle(struct cg_store *, struct cg_span, uint64_t, uint64_t);
cg_err cg_memory_name_withdraw(struct cg_store *, struct cg_span, uint64_t);
cg_err cg_memory_name_current(struct cg_store *, struct cg_span, struct cg_arena *,
                              struct cg_stored_name *);
cg_err cg_memory_name_at(struct cg_store *, struct cg_span, uint64_t, struct cg_arena *,
                         struct cg_stored_name *);
cg_err cg_memory_name_proposed(struct cg_store *, struct cg_span, struct cg_span, struct cg_arena *,
                               struct cg_stored_name *);
cg_err cg_memory_wallet_put(struct cg_store *, struct cg_span, struct cg_span);
cg_err cg_memory_wallet(struct cg_store *, struct cg_span, struct cg_arena *, struct cg_span *);
cg_err cg_memory_challenge_put(struct cg_store *, const struct cg_stored_challenge *,
                               struct cg_wall, size_t);
cg_err cg_memory_challenge_take(struct cg_store *, const struct cg_stored_challenge *,
                                struct cg_wall);
cg_err cg_memory_allow_put(struct cg_store *, struct cg_span, struct cg_span);
cg_err cg_memory_allow_drop(struct cg_store *, struct cg_span);
cg_err cg_memory_allow(struct cg_store *, struct cg_span, struct cg_arena *, struct cg_span *);
cg_err cg_memory_seen_name(struct cg_store *, struct cg_span, uint64_t, const struct cg_hash *);
cg_err cg_memory_seen_log(struct cg_store *, struct cg_span, const struct cg_seen_log *);
cg_err cg_memory_seen_log_newest(struct cg_store *, struct cg_span, struct cg_seen_log *);

#endif
