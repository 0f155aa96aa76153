/* inner.h: the registry's parts, to each other. */
#ifndef CG_REGISTRY_INNER_H
#define CG_REGISTRY_INNER_H
#include "lib/base/limits.h"
#include "registry/registry.h"
#include "runtime/bucket.h"
#include "runtime/pending.h"
#include "store/store.h"

#define RG_NAME_MAX_BYTES (16 + CG_AUTHORITY_MAX_BYTES) /* "plane/authority" */
#define RG_TOKEN_BYTES 32

/* What signs for the registry and what it believes: immutable once made, and counted, as a worker
 * may still be at it when the registry is gone. */
struct rg_office;

struct rg_registry {
    struct rg_setup setup;
    struct rg_office *office;
    struct cg_waddr did;
    struct cg_store *store;
    struct cg_workers *store_thread;
    struct cg_route_table table, commands;
    struct cg_admin *admin;
    struct cg_pendings pending;
    struct cg_buckets askers; /* of challenges, by address prefix */
    bool is_draining;

    /* house.c's: its own DID in the ledger, and what a crash left proposed */
    struct cg_ticket ticket;
    struct cg_timer timer;
    int64_t again_ms;             /* how long the last pause before trying again was; 0: none */
    unsigned at;                  /* which step of its round */
    bool is_known;                /* our DID is logged */
    bool has_left;                /* this round passed something over: there will be another one */
    char name[RG_NAME_MAX_BYTES]; /* submitted again last */
    size_t name_len;
    uint64_t serial;
};

static inline struct rg_registry *rg_of(struct cg_pending *pending)
{
    return (struct rg_registry *)pending->all->owner;
}

/* api.c */
extern const struct cg_route rg_route_list[];
extern const size_t rg_n_routes;

/* The handlers, each in the file of its name. */
void rg_resolve(const struct cg_message *in, struct cg_reply *out);
void rg_operator(const struct cg_message *in, struct cg_reply *out);
void rg_challenge(const struct cg_message *in, struct cg_reply *out);
void rg_register(const struct cg_message *in, struct cg_reply *out);

/* house.c: what the registry does for itself */
CG_MUST_USE cg_err rg_house_begin(struct rg_registry *registry);
void rg_house_end(struct rg_registry *registry);
/* rg_house_wake has it look at once whether something is left proposed. */
void rg_house_wake(struct rg_registry *registry);

/* store_job.c: whatever asks the database is a job of its thread */
struct rg_store_job {
    cg_err (*run)(struct rg_store_job *job, struct cg_store *store);
    void (*free)(struct rg_store_job *job);
    struct cg_store *store;
};
/* rg_store_begin hands a job over; it is given away, on errors too. */
CG_MUST_USE cg_err rg_store_begin(struct rg_registry *registry, struct rg_store_job *job,
                                  struct cg_ticket who, unsigned tag);

#endif
