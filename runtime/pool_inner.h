/* pool_inner.h: what a pool is made of, for the three files that make one: pool.c (keys, and who
 * gets what), pool_link.c (connections), lease.c (who asks, and what is lent). */
#ifndef CG_RUNTIME_POOL_INNER_H
#define CG_RUNTIME_POOL_INNER_H
#include "runtime/pool.h"
#include "runtime/pump_inner.h"

#define CG_POOL_BUCKETS 64

struct cg_ask;

/* A connection of the pool, being made or made. */
struct cg_link {
    struct cg_conn *conn;
    struct cg_pool_key *key;
    struct cg_link *next, *prev; /* of its key; see cg_link_find */
    struct cg_lent *leases;
    size_t n_leases;
    size_t n_promised;     /* leases without an exchange yet */
    struct cg_ask *maker;  /* while connecting: whose wait its failure ends; NULL: nobody's */
    struct cg_timer timer; /* the end of connecting, or of being kept */
    struct cg_mono born;
    bool is_connecting, has_served, is_retired;
};

struct cg_lent {
    struct cg_lease lease; /* first */
    struct cg_pool *pool;
    struct cg_link *link;        /* NULL: the connection is gone */
    struct cg_lent *next, *prev; /* of the link */
};

/* Somebody's wait for a lease. */
struct cg_ask {
    struct cg_call call; /* first */
    struct cg_pool *pool;
    struct cg_pool_key *key;
    struct cg_ask *next, *prev; /* of those of its key that wait */
    bool is_waiting;
    struct cg_ticket dial; /* open while a connection is dialled for this one */
    bool is_dialling;
    bool is_making; /* a connecting link has this one as its maker */
    cg_engine_fn engine;
    void *engine_ctx;
    struct cg_target target; /* its spans point into bytes */
    struct cg_mono connect_by;
    int64_t connect_ms;
    struct cg_lent *lent; /* the result, until taken */
    uint8_t bytes[];
};

/* Everything of one key; goes when it is empty. */
struct cg_pool_key {
    struct cg_pool *pool;
    struct cg_pool_key *next;                      /* in its bucket */
    struct cg_pool_key *next_hungry, *prev_hungry; /* of those where somebody waits */
    bool is_hungry;
    struct cg_link *links, *last_link;
    size_t n_links, n_dialling;
    struct cg_ask *first, *last; /* waiting, the oldest first */
    size_t n_waiting;
    bool shares; /* HTTP/2 was spoken last: one connection carries many exchanges */
    size_t len;
    uint8_t bytes[];
};

struct cg_pool {
    struct cg_loop *loop;
    struct cg_resolver *resolver;
    struct cg_pool_options options;
    struct cg_conn_set conns;
    struct cg_pool_key *buckets[CG_POOL_BUCKETS];
    struct cg_pool_key *hungry;
    size_t n_links, n_dialling, n_waiting;
    struct cg_task feed; /* looks after the hungry, when nothing of ours is on the stack */
    bool is_ended;
};

/* --- pool.c --- */

struct cg_pool_key *cg_pool_key_find(struct cg_pool *pool, struct cg_span bytes);
/* cg_pool_key_make finds or makes; NULL when out of memory. */
struct cg_pool_key *cg_pool_key_make(struct cg_pool *pool, struct cg_span bytes);
void cg_pool_key_set_hungry(struct cg_pool_key *key, bool is_hungry);
void cg_pool_key_drop_if_empty(struct cg_pool_key *key);
/* cg_pool_key_feed gives each of those who wait a connection, or begins to make one. The key may
 * be gone afterwards. */
void cg_pool_key_feed(struct cg_pool_key *key);
/* cg_pool_look_after feeds all that are hungry, at the end of the pass. */
void cg_pool_look_after(struct cg_pool *pool);

/* --- pool_link.c --- */

/* cg_link_dial begins to make a connection for an ask. Errors  as cg_dial_begin, now. */
CG_MUST_USE cg_err cg_link_dial(struct cg_ask *ask);
/* cg_link_stop_making: a dial in the middle is of use to nobody else, as its engine would be made
 * with the asker's words; a connection that is already shaking hands goes on and is kept. */
void cg_link_stop_making(struct cg_ask *ask);
/* cg_link_find finds a connection that can take one more exchange, or NULL. Those that can stand
 * first, the one used last before the others; so the first mostly is the one. */
struct cg_link *cg_link_find(struct cg_pool_key *key);
/* cg_link_used puts a connection that was lent, or given back, in its place. */
void cg_link_used(struct cg_link *link);
/* cg_link_keep_or_close looks after a connection that may have become unused. */
void cg_link_keep_or_close(struct cg_link *link);

/* --- lease.c --- */

/* cg_ask_lend promises a place on link to ask. Errors  CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_ask_lend(struct cg_link *link, struct cg_ask *ask);
void cg_ask_stop_waiting(struct cg_ask *ask);
/* cg_ask_refuse ends an ask; its key may go with it. */
void cg_ask_refuse(struct cg_ask *ask, cg_err err);

#endif
