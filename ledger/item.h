/* item.h: one thing to be logged, from admission to its place in the log. */
#ifndef CG_LEDGER_ITEM_H
#define CG_LEDGER_ITEM_H
#include "lib/base/arena.h"
#include "lib/merkle/entry.h"

#define LG_ITEM_MAX_BYTES (256 * 1024) /* of an item's arena: its object, and what was learned */
#define LG_EXPECTS_MAX 3

/* What admission read in the state map.  The map may change before the item's turn comes; then it
 * was judged by what is no longer so, and is refused. */
struct lg_expect {
    struct cg_hash key;
    bool is_present;
    struct cg_hash value;
};

/* Somebody who waits for an item: a member of the waiter's own struct. */
struct lg_waiter {
    struct lg_waiter *next, *prev;
    struct lg_item *item; /* NULL once answered */
    cg_err err;           /* the answer */
    uint64_t index;       /* of the entry */
};

struct lg_item {
    struct lg_item *next;
    struct cg_arena arena; /* of all spans below */
    enum cg_entry_kind kind;
    struct cg_hash commitment;
    struct cg_span subject;
    bool has_object;
    struct cg_hash object_digest;
    struct cg_span object;
    struct cg_span extra; /* store.h, struct cg_stored_entry; a policy's name */
    struct lg_expect expects[LG_EXPECTS_MAX];
    size_t n_expects;
    struct lg_waiter *waiters;

    cg_err err;      /* CG_CONFLICT: another one came first */
    bool is_settled; /* answered as soon as known: refused, or logged long ago */
    uint64_t index;
};

/* cg_item_new makes an empty item, its arena ready; NULL when out of memory. */
struct lg_item *lg_item_new(void);
/* lg_item_free frees one item; nobody may wait for it. */
void lg_item_free(struct lg_item *item);
/* lg_items_free frees a whole list. */
void lg_items_free(struct lg_item *items);
/* lg_item_size tells how many bytes an item holds. */
size_t lg_item_size(const struct lg_item *item);

/* lg_wait enters a waiter, lg_wait_end takes it out; ending twice is harmless. */
void lg_wait(struct lg_item *item, struct lg_waiter *waiter);
void lg_wait_end(struct lg_waiter *waiter);

#endif
