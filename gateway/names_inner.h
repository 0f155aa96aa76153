/* names_inner.h: what names.c (who waits, what is known) and lookup.c (one look-up) share. All of
 * it is touched on the service loop only, but for the work done by the names thread. */
#ifndef CG_GATEWAY_NAMES_INNER_H
#define CG_GATEWAY_NAMES_INNER_H
#include "gateway/names.h"
#include "gateway/options.h"
#include "runtime/client.h"
#include "store/store.h"

#define GW_KEY_MAX_BYTES 320
#define GW_REGISTRIES_MAX 8
#define GW_PROFILES 256

/* A profile's policy, verified once and shared by the names and versions of names that use it. */
struct gw_profile {
    _Atomic unsigned refs;
    struct cg_policy *policy;
    struct cg_waddr owner;
};

struct gw_name {
    _Atomic unsigned refs;
    char key[GW_KEY_MAX_BYTES];
    size_t key_len;
    struct cg_buf json; /* the answer; result points into json and room */
    struct cg_buf room;
    struct cg_buf denial; /* of a name that is gone: the staple that proves it */
    struct cg_resolve_result result;
    struct gw_profile *profile;
    struct cg_wall due, fresh_until, stale_until;
    _Atomic int64_t renew_at; /* seconds: when somebody shall ask for the next one */
};

struct name_call {
    struct cg_call call;
    struct gw_names *names;
    struct cg_task task; /* brings it to the service loop */
    char key[GW_KEY_MAX_BYTES];
    size_t key_len;
    struct gw_name *name; /* the answer */
    struct name_call *next;
};

/* A name that is known or being asked for. */
struct gw_entry {
    struct gw_entry *next; /* in its place of the table */
    struct gw_names *names;
    char key[GW_KEY_MAX_BYTES];
    size_t key_len;
    struct gw_name *known;
    struct name_call *waiting;
    struct gw_look *look;     /* under way */
    struct cg_timer patience; /* then those who wait get what was proved before */
    struct cg_wall retry;     /* until then nobody waits for another try */
};

/* So long a look-up is waited for where what was proved before will do, and so long after one that
 * failed nobody waits for the next. */
#define GW_PATIENCE_MS 1000
#define GW_RETRY_S 5

#define GW_ENTRIES 4096
/* So many names are remembered; beyond, one that nobody waits for goes. */
#define GW_ENTRIES_MAX 65536
/* What all that is known of names may take; a record with its proofs is some 40 kB. */
#define GW_NAMES_MAX_BYTES (64 * 1024 * 1024)

struct gw_names {
    struct gw_gateway *gw;
    struct cg_loop *loop;
    struct cg_resolver *resolver;
    struct cg_pool *pool;
    struct cg_tls_conf *tls;
    struct cg_client dials[GW_REGISTRIES_MAX + 1];
    struct cg_endpoint *registries[GW_REGISTRIES_MAX];
    size_t n_registries;
    struct cg_endpoint *ledger;
    struct cg_workers *worker; /* one thread: the database's, and of what needs it */
    struct cg_store *store;    /* the worker's */
    struct cg_tlog_seen heads[CG_TRUST_LOGS_MAX]; /* the worker's */
    uint16_t ports[16];
    size_t n_ports;
    struct gw_entry *entries[GW_ENTRIES];
    size_t n_entries, n_bytes;
    size_t hand; /* where forgetting goes on */
    struct gw_follow *follow;
    struct gw_own *own;
    struct gw_profile *profiles[GW_PROFILES]; /* by hash; direct-mapped */
};

/* gw_look_begin looks an entry up anew; its end is told by gw_entry_settle.
 * Errors  CG_NO_MEMORY, CG_BUSY. */
CG_MUST_USE cg_err gw_look_begin(struct gw_entry *entry);
void gw_look_free(struct gw_look *look);
/* gw_entry_settle tells all who wait. Owns: name's reference is given away; NULL: err says why. */
void gw_entry_settle(struct gw_entry *entry, struct gw_name *name, cg_err err);

/* gw_names_view is what staples are verified with; on the worker. */
struct cg_ledger_view gw_names_view(const struct gw_names *names, struct cg_wall now);
/* gw_names_head keeps what a verified staple says of its log, so that no later one may contradict
 * it; on the worker. */
CG_MUST_USE cg_err gw_names_head(struct gw_names *names, const struct cg_staple_facts *staple);

struct gw_profile *gw_profile_ref(struct gw_profile *profile);
void gw_profile_unref(struct gw_profile *profile);

#endif
