/* append.h: the jobs of the database's thread: what RESUME, APPEND and PUBLISH of the sequencer
 * mean on disk. */
#ifndef CG_LEDGER_APPEND_H
#define CG_LEDGER_APPEND_H
#include "ledger/item.h"
#include "lib/merkle/tree.h"
#include "store/store.h"

/* Objects, entries and map pages of one head. */
#define LG_BATCH_MAX_ITEMS 256
#define LG_BATCH_MAX_BYTES (256u << 20)

/* The log as the writing thread knows it. */
struct lg_book {
    struct cg_store *store; /* borrowed */
    struct cg_range range;  /* of everything appended */
    struct cg_wall newest;  /* time of the last entry; times never decrease */
};

/* One head under way, and what its entries do to the map. */
struct lg_batch {
    struct cg_arena arena; /* of everything below */
    struct cg_stored_head head;
    struct cg_stored_state *states;
    size_t n_states;
    struct cg_stored_page *pages;
    size_t n_pages;
};

void lg_batch_init(struct lg_batch *batch);
void lg_batch_done(struct lg_batch *batch);

/* lg_resume reads where the log stands, checks that what is stored leads to the stored roots, and
 * rebuilds the batch of a head that waits for its signature.
 * Errors  those of the store; CG_STORE, too, when its contents contradict each other. */
CG_MUST_USE cg_err lg_resume(struct lg_book *book, struct lg_batch *batch, bool *out_has_head,
                             uint64_t *out_published);
/* lg_append makes entries of the items that are still good, and a map-head, and stores them with
 * the head to be signed. Items get their index, or why not.
 * needs_head  a map-head alone is worth a head.
 * Errors  those of the store and of lib/merkle; the book is then as it was, and stale: resume. */
CG_MUST_USE cg_err lg_append(struct lg_book *book, struct lg_item *items, bool needs_head,
                             struct cg_wall now, struct lg_batch *batch, bool *out_has_head);
/* lg_publish stores the signed note, and the map as the batch leaves it. */
CG_MUST_USE cg_err lg_publish(struct lg_book *book, const struct lg_batch *batch,
                              struct cg_span note);

/* What lg_append and readers share: the stored nodes and map pages as lib/merkle asks for them. */
struct lg_pages {
    struct cg_store *store;
    struct cg_arena lent;   /* the page lent last */
    struct lg_batch *batch; /* takes saved pages; NULL for readers */
    size_t cap;
};

struct cg_nodes lg_nodes_of(struct cg_store *store);
struct cg_map_pages lg_pages_of(struct lg_pages *pages);

#endif
