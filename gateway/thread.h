/* thread.h: one of the gateway's threads: a loop with everything a request needs on it. */
#ifndef CG_GATEWAY_THREAD_H
#define CG_GATEWAY_THREAD_H
#include "gateway/gateway.h"
#include "gateway/options.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/mac.h"
#include "lib/qlock/kit.h"
#include "runtime/listen.h"
#include "runtime/pool.h"
#include "session/tls.h"

#include <pthread.h>

/* Names looked up lately, so that a request on a known name asks nobody: direct-mapped. */
#define GW_NAME_CACHE 1024

#define GW_HASHERS 64
#define GW_PINNED 16

struct gw_name;
struct gw_request;

struct gw_thread {
    struct gw_gateway *gw;
    pthread_t thread;
    bool is_running;
    struct cg_loop *loop;
    struct cg_task quit;
    struct cg_task draining;
    struct cg_listener **listeners;
    size_t n_listeners;
    _Atomic size_t n_drained;
    struct cg_tls_conf *tls; /* the native listener's */
    struct cg_tls_sites *sites;
    struct gw_identity *identity; /* the one new connections get */
    uint64_t identity_generation;
    struct cg_resolver *resolver;
    struct cg_pool *pool;
    struct cg_tls_conf *backend_tls;
    struct {
        struct cg_hash pin;
        struct cg_tls_conf *tls; /* NULL: none yet */
    } pinned[GW_PINNED];         /* for backends that are known by their key; by its first byte */
    struct cg_kit *kit;
    struct cg_mac *mac;
    struct cg_config *config; /* the snapshot in use */
    uint64_t config_generation;
    const struct gw_options *options; /* of config */
    struct cg_shard *metrics;
    struct gw_shares conns;   /* client connections */
    struct gw_shares uploads; /* backend connections that have got a body that may not be one */
    struct gw_name *names[GW_NAME_CACHE];
    struct cg_mono names_until[GW_NAME_CACHE]; /* until then one that ran out serves all the same */
    struct gw_request *free_requests;
    struct cg_hasher *hashers[GW_HASHERS]; /* at rest */
    size_t n_hashers;
    uint8_t id_prefix[8]; /* of request ids: random, then a count */
    uint64_t id_count;
};

/* gw_thread_new makes a thread's loop, listeners and pools; gw_thread_start lets it run. */
CG_MUST_USE cg_err gw_thread_new(struct gw_gateway *gw, size_t number, struct cg_problems *problems,
                                 struct gw_thread **out);
CG_MUST_USE cg_err gw_thread_start(struct gw_thread *thread);
/* gw_thread_drain accepts no more; n_drained counts the listeners whose last connection is gone. */
void gw_thread_drain(struct gw_thread *thread);
/* gw_thread_stop ends it, cutting what is open; its loop stays, since calls may still end on it.
 * NULL is nothing. */
void gw_thread_stop(struct gw_thread *thread);
/* gw_thread_free frees the rest, once nobody else can end a call any more. */
void gw_thread_free(struct gw_thread *thread);
/* gw_hasher_take lends a hasher; gw_hasher_give takes it back (NULL is nothing). */
CG_MUST_USE cg_err gw_hasher_take(struct gw_thread *thread, struct cg_hasher **out);
void gw_hasher_give(struct gw_thread *thread, struct cg_hasher *hasher);
/* gw_thread_refresh takes a new configuration or identity into use, if there is one. */
void gw_thread_refresh(struct gw_thread *thread);

#endif
