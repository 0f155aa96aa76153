/* backend.h: what a back-end answers. store.c checks what is the same for all of them first. */
#ifndef CG_STORE_BACKEND_H
#define CG_STORE_BACKEND_H
#include "store/store.h"

struct cg_store_backend {
    void (*free)(struct cg_store *);
    cg_err (*read_begin)(struct cg_store *);
    void (*read_end)(struct cg_store *);

    cg_err (*log_append)(struct cg_store *, const struct cg_log_append *);
    cg_err (*log_publish)(struct cg_store *, const struct cg_log_publish *);
    cg_err (*log_heads)(struct cg_store *, struct cg_arena *, struct cg_log_heads *);
    cg_err (*log_head)(struct cg_store *, uint64_t size, struct cg_arena *,
                       struct cg_stored_head *);
    cg_err (*log_entries)(struct cg_store *, uint64_t first, size_t n, struct cg_arena *,
                          struct cg_stored_entry *);
    cg_err (*log_find)(struct cg_store *, struct cg_span kind, const struct cg_hash *,
                       struct cg_arena *, struct cg_stored_entry *);
    cg_err (*log_find_cert)(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                            struct cg_stored_entry *);
    cg_err (*log_object)(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                         struct cg_span *);
    cg_err (*log_nodes)(struct cg_store *, unsigned level, uint64_t first, size_t n,
                        struct cg_hash *);
    cg_err (*log_state)(struct cg_store *, const struct cg_hash *, struct cg_arena *,
                        struct cg_stored_state *);
    cg_err (*log_page)(struct cg_store *, struct cg_span prefix, struct cg_arena *,
                       struct cg_span *);

    cg_err (*name_propose)(struct cg_store *, const struct cg_stored_name *);
    cg_err (*name_settle)(struct cg_store *, struct cg_span name, uint64_t serial, uint64_t at);
    cg_err (*name_withdraw)(struct cg_store *, struct cg_span name, uint64_t serial);
    cg_err (*name_current)(struct cg_store *, struct cg_span, struct cg_arena *,
                           struct cg_stored_name *);
    cg_err (*name_at)(struct cg_store *, struct cg_span, uint64_t serial, struct cg_arena *,
                      struct cg_stored_name *);
    cg_err (*name_proposed)(struct cg_store *, struct cg_span name, struct cg_span after,
                            struct cg_arena *, struct cg_stored_name *);
    cg_err (*wallet_put)(struct cg_store *, struct cg_span did, struct cg_span doc);
    cg_err (*wallet)(struct cg_store *, struct cg_span did, struct cg_arena *, struct cg_span *);
    cg_err (*challenge_put)(struct cg_store *, const struct cg_stored_challenge *, struct cg_wall,
                            size_t n_max);
    cg_err (*challenge_take)(struct cg_store *, const struct cg_stored_challenge *, struct cg_wall);
    cg_err (*allow_put)(struct cg_store *, struct cg_span name, struct cg_span did);
    cg_err (*allow_drop)(struct cg_store *, struct cg_span name);
    cg_err (*allow)(struct cg_store *, struct cg_span name, struct cg_arena *, struct cg_span *);

    cg_err (*seen_name)(struct cg_store *, struct cg_span, uint64_t serial, const struct cg_hash *);
    cg_err (*seen_log)(struct cg_store *, struct cg_span log, const struct cg_seen_log *);
    cg_err (*seen_log_newest)(struct cg_store *, struct cg_span log, struct cg_seen_log *);
};

/* The first member of each back-end's own struct. */
struct cg_store {
    const struct cg_store_backend *backend;
    bool is_reading; /* between read_begin and read_end */
    char why[CG_STORE_WHY_BYTES];
};

#endif
