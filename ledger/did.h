/* did.h: where a DID stands, by the ledger's own entries. */
#ifndef CG_LEDGER_DID_H
#define CG_LEDGER_DID_H
#include "ledger/item.h"
#include "store/store.h"

#include <httpcg/identity.h>

struct lg_did {
    bool is_logged;
    struct cg_hash key; /* in the state map */
    struct cg_did_state state;
};

/* lg_did_load reads the newest document of a DID. It was verified when it was admitted, so nothing
 * is verified again, however long the chain behind it.
 * Errors  those of the store; CG_STORE where its contents contradict each other. */
CG_MUST_USE cg_err lg_did_load(struct cg_store *store, const struct cg_waddr *waddr,
                               struct lg_did *out);
/* lg_did_expect notes in an item that it was judged by this state. */
void lg_did_expect(const struct lg_did *did, struct lg_item *item);

/* lg_object_at reads the object behind the entry at index, into arena.
 * Errors  as lg_did_load. */
CG_MUST_USE cg_err lg_object_at(struct cg_store *store, uint64_t index, struct cg_arena *arena,
                                struct cg_span *out);

#endif
