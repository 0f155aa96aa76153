/* view.h: one moment of the published log, and what can be proved from it.
 *
 * A view sees the newest published head and the map that belongs to it, whatever is being appended
 * meanwhile.  Used on the database's reading thread. */
#ifndef CG_LEDGER_VIEW_H
#define CG_LEDGER_VIEW_H
#include "lib/base/buf.h"
#include "lib/merkle/map.h"
#include "lib/merkle/staple.h"
#include "store/store.h"

struct lg_view {
    struct cg_store *store; /* borrowed */
    struct cg_arena arena;  /* of everything read */
    struct cg_stored_head head;
};

/* lg_view_begin takes the view.  lg_view_end must follow, after an error too.
 * Errors  CG_BUSY (nothing is published yet), those of the store. */
CG_MUST_USE cg_err lg_view_begin(struct cg_store *store, struct lg_view *out);
void lg_view_end(struct lg_view *view);

/* What the map says about one key. */
struct lg_fact {
    bool is_present;
    struct cg_hash value;
    struct cg_span proof; /* CBOR, in the view's arena */
};
CG_MUST_USE cg_err lg_view_prove(struct lg_view *view, const char *kind, struct cg_span id,
                                 struct lg_fact *out);
/* lg_view_entry reads a published entry. Errors  CG_NOT_FOUND. */
CG_MUST_USE cg_err lg_view_entry(struct lg_view *view, uint64_t index, struct cg_stored_entry *out);
/* lg_view_find finds a published entry by its commitment, of any kind. Errors  CG_NOT_FOUND. */
CG_MUST_USE cg_err lg_view_find(struct lg_view *view, const struct cg_hash *commitment,
                                struct cg_stored_entry *out);
/* lg_view_current gives the entry that set a key. Errors  CG_NOT_FOUND: the key is absent. */
CG_MUST_USE cg_err lg_view_current(struct lg_view *view, const char *kind, struct cg_span id,
                                   struct cg_stored_entry *out);

/* Staples (lib/merkle/staple.h says what proofs belong to what); each is appended to out. */
CG_MUST_USE cg_err lg_staple_entry(struct lg_view *view, const struct cg_stored_entry *entry,
                                   struct cg_buf *out);
/* Of an absent key: without entry. */
CG_MUST_USE cg_err lg_staple_key(struct lg_view *view, const char *kind, struct cg_span id,
                                 struct cg_buf *out);
/* Errors  CG_NOT_FOUND: no such certificate. */
CG_MUST_USE cg_err lg_staple_cert(struct lg_view *view, const struct cg_hash *fingerprint,
                                  struct cg_buf *out);
/* Of a name that is absent: the denial. */
CG_MUST_USE cg_err lg_staple_name(struct lg_view *view, struct cg_span name, struct cg_buf *out);
CG_MUST_USE cg_err lg_staple_did(struct lg_view *view, const struct cg_waddr *waddr,
                                 struct cg_buf *out);

#endif
