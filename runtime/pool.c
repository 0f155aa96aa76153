#include "runtime/pool.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/loop_inner.h"
#include "runtime/pump_inner.h"
#include "runtime/resolve.h"
#include "session/stack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 64

struct ask;

/* A connection of the pool, being made or made. */
struct link {
    struct cg_conn *conn;
    struct cg_key *key;
    struct link *next, *prev; /* of its key, the one used last first */
    struct lent *leases;
    size_t n_leases;
    size_t n_promised;     /* leases without an exchange yet */
    struct ask *maker;     /* while connecting: whose wait its failure ends; NULL: nobody's */
    struct cg_timer timer; /* the end of connecting, or of being kept */
    struct cg_mono born;
    bool is_connecting, has_served, is_retired;
};

struct lent {
    struct cg_lease lease; /* first */
    struct cg_pool *pool;
    struct link *link;        /* NULL: the connection is gone */
    struct lent *next, *prev; /* of the link */
};

/* Somebody's wait for a lease. */
struct ask {
    struct cg_call call; /* first */
    struct cg_pool *pool;
    struct cg_key *key;
    struct ask *next, *prev; /* of those of its key that wait */
    bool is_waiting;
    struct cg_ticket dial; /* open while a connection is dialled for this one */
    bool is_dialling;
    bool is_making; /* a connecting link has this one as its maker */
    cg_engine_fn engine;
    void *engine_ctx;
    struct cg_target target; /* its spans point into bytes */
    struct cg_mono connect_by;
    int64_t connect_ms;
    struct lent *lent; /* the result, until taken */
    uint8_t bytes[];
};

/* Everything of one key; goes when it is empty. */
struct cg_key {
    struct cg_pool *pool;
    struct cg_key *next;                      /* in its bucket */
    struct cg_key *next_hungry, *prev_hungry; /* of those where somebody waits */
    bool is_hungry;
    struct link *links;
    size_t n_links, n_dialling;
    struct ask *first, *last; /* waiting, the oldest first */
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
    struct cg_key *buckets[N_BUCKETS];
    struct cg_key *hungry;
    size_t n_links, n_dialling, n_waiting;
    struct cg_task feed; /* looks after the hungry, when nothing of ours is on the stack */
    bool is_ended;
};

/* --- keys --- */

static struct cg_key **bucket_of(struct cg_pool *pool, struct cg_span bytes)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ bytes.at[i]) * 16777619u;
    return &pool->buckets[h % N_BUCKETS];
}

static struct cg_key *find_key(struct cg_pool *pool, struct cg_span bytes)
{
    struct cg_key *key = *bucket_of(pool, bytes);

    while (key && !cg_span_eq(cg_span_of(key->bytes, key->len), bytes))
        key = key->next;
    return key;
}

static struct cg_key *make_key(struct cg_pool *pool, struct cg_span bytes)
{
    struct cg_key **at = bucket_of(pool, bytes), *key = find_key(pool, bytes);

    if (key)
        return key;
    key = calloc(1, sizeof *key + bytes.len);
    if (!key)
        return NULL;
    key->pool = pool;
    key->len = bytes.len;
    if (bytes.len > 0)
        memcpy(key->bytes, bytes.at, bytes.len);
    key->next = *at;
    *at = key;
    return key;
}

static void set_hungry(struct cg_key *key, bool is_hungry)
{
    struct cg_pool *pool = key->pool;

    if (key->is_hungry == is_hungry)
        return;
    key->is_hungry = is_hungry;
    if (is_hungry) {
        key->prev_hungry = NULL;
        key->next_hungry = pool->hungry;
        if (pool->hungry)
            pool->hungry->prev_hungry = key;
        pool->hungry = key;
    } else {
        if (key->prev_hungry)
            key->prev_hungry->next_hungry = key->next_hungry;
        else
            pool->hungry = key->next_hungry;
        if (key->next_hungry)
            key->next_hungry->prev_hungry = key->prev_hungry;
    }
}

static void drop_key_if_empty(struct cg_key *key)
{
    struct cg_key **at;

    if (key->links || key->first || key->n_dialling > 0)
        return;
    at = bucket_of(key->pool, cg_span_of(key->bytes, key->len));
    while (*at != key)
        at = &(*at)->next;
    *at = key->next;
    free(key);
}

/* --- links --- */

static void unlink_link(struct link *link)
{
    if (link->prev)
        link->prev->next = link->next;
    else
        link->key->links = link->next;
    if (link->next)
        link->next->prev = link->prev;
}

static void put_first(struct link *link)
{
    link->prev = NULL;
    link->next = link->key->links;
    if (link->next)
        link->next->prev = link;
    link->key->links = link;
}

static bool is_old(const struct link *link)
{
    struct cg_pool *pool = link->key->pool;

    return pool->options.age_max_ms > 0 &&
           cg_mono_is_due(cg_mono_after(link->born, pool->options.age_max_ms),
                          cg_loop_mono(pool->loop));
}

/* One more exchange? The engine does not know of those that were promised and have not begun. */
static bool can_lend(const struct link *link)
{
    return !link->is_connecting && !link->is_retired && cg_conn_is_open(link->conn) &&
           cg_engine_n_can_begin(cg_conn_engine(link->conn)) > link->n_promised && !is_old(link);
}

static void look_after(struct cg_pool *pool)
{
    cg_loop_at_end(pool->loop, &pool->feed);
}

static void keep_or_close(struct link *link)
{
    struct cg_pool *pool = link->key->pool;

    if (link->n_leases > 0 || link->is_connecting)
        return;
    if (link->is_retired || is_old(link) || pool->is_ended) {
        link->is_retired = true;
        cg_conn_drain(link->conn);
        return;
    }
    cg_loop_set(pool->loop, &link->timer,
                cg_mono_after(cg_loop_mono(pool->loop), pool->options.idle_max_ms));
}

static void on_timer(struct cg_timer *timer)
{
    struct link *link = (struct link *)((char *)timer - offsetof(struct link, timer));

    if (link->is_connecting) {
        cg_conn_close(link->conn, CG_TIMEOUT);
    } else if (link->n_leases == 0) {
        link->is_retired = true;
        cg_conn_drain(link->conn);
    }
}

/* --- waiting --- */

static void stop_waiting(struct ask *ask)
{
    struct cg_key *key = ask->key;

    if (!ask->is_waiting)
        return;
    ask->is_waiting = false;
    if (ask->prev)
        ask->prev->next = ask->next;
    else
        key->first = ask->next;
    if (ask->next)
        ask->next->prev = ask->prev;
    else
        key->last = ask->prev;
    key->n_waiting--;
    key->pool->n_waiting--;
    if (!key->first)
        set_hungry(key, false);
}

/* A dial in the middle is of use to nobody else: its engine would be made with the asker's words.
 * A connection that is already shaking hands goes on and is kept. */
static void stop_making(struct ask *ask)
{
    struct cg_key *key = ask->key;

    if (ask->is_dialling) {
        ask->is_dialling = false;
        key->n_dialling--;
        key->pool->n_dialling--;
        cg_slot_end(key->pool->loop, ask->dial);
        look_after(key->pool); /* there is room for somebody else's */
    }
    if (ask->is_making) {
        for (struct link *link = key->links; link; link = link->next)
            if (link->maker == ask)
                link->maker = NULL;
        ask->is_making = false;
    }
}

/* The ask is over, whichever way; its key may go with it. */
static void leave_pool(struct ask *ask)
{
    struct cg_key *key = ask->key;

    if (!key)
        return;
    stop_waiting(ask);
    stop_making(ask);
    ask->key = NULL;
    drop_key_if_empty(key);
}

static void refuse(struct ask *ask, cg_err err)
{
    leave_pool(ask);
    cg_call_end(&ask->call, err);
}

static cg_err lend(struct link *link, struct ask *ask)
{
    struct lent *lent = calloc(1, sizeof *lent);

    if (!lent)
        return CG_NO_MEMORY;
    lent->pool = link->key->pool;
    lent->link = link;
    lent->lease.conn = link->conn;
    lent->lease.was_reused = link->has_served;
    lent->next = link->leases;
    if (lent->next)
        lent->next->prev = lent;
    link->leases = lent;
    link->n_leases++;
    link->n_promised++;
    link->has_served = true;
    cg_loop_unset(lent->pool->loop, &link->timer);
    unlink_link(link);
    put_first(link);
    ask->lent = lent;
    return CG_OK;
}

static struct link *find_link(struct cg_key *key)
{
    for (struct link *link = key->links; link; link = link->next)
        if (can_lend(link))
            return link;
    return NULL;
}

/* --- connecting --- */

static void on_open(struct cg_conn *conn)
{
    struct link *link = cg_conn_owner(conn);
    struct cg_key *key = link->key;

    link->is_connecting = false;
    if (link->maker) {
        link->maker->is_making = false;
        link->maker = NULL;
    }
    cg_loop_unset(key->pool->loop, &link->timer);
    key->shares = cg_stack_speaks(cg_conn_engine(conn)) == CG_SPEAKS_H2;
    keep_or_close(link);
    look_after(key->pool);
}

/* The exchange's own name for its lease. */
static struct lent *lent_of(struct cg_exchange *exchange)
{
    return exchange->owner;
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *exchange, unsigned what)
{
    struct lent *lent = lent_of(exchange);

    (void)conn;
    lent->lease.has_answered = exchange->has_answered;
    lent->lease.on_event(&lent->lease, what);
}

static void forget_link(struct link *link)
{
    struct cg_key *key = link->key;
    struct cg_pool *pool = key->pool;

    while (link->leases) {
        struct lent *lent = link->leases;

        link->leases = lent->next;
        lent->next = lent->prev = NULL;
        lent->link = NULL;
        lent->lease.conn = NULL;
        lent->lease.exchange = NULL; /* the engine frees it */
    }
    cg_loop_unset(pool->loop, &link->timer);
    unlink_link(link);
    key->n_links--;
    pool->n_links--;
    free(link);
    drop_key_if_empty(key);
    look_after(pool);
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct link *link = cg_conn_owner(conn);
    struct ask *maker = link->maker;

    if (maker) {
        link->maker = NULL;
        maker->is_making = false;
        refuse(maker, why == CG_OK ? CG_CLOSED : why);
    }
    cg_conn_set_owner(conn, NULL);
    forget_link(link);
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

static cg_err connect_link(struct ask *ask, int fd, const struct cg_peer *peer)
{
    struct cg_pool *pool = ask->pool;
    struct link *link = calloc(1, sizeof *link);
    struct cg_engine *engine = NULL;
    cg_err err = link ? ask->engine(ask->engine_ctx, peer, pool->loop, &engine) : CG_NO_MEMORY;

    if (err != CG_OK)
        close(fd);
    else
        err = cg_conn_new(pool->loop, fd, peer, engine, &events, link, &link->conn);
    if (err != CG_OK) {
        free(link);
        return err;
    }
    cg_conn_join(link->conn, &pool->conns, false);
    link->key = ask->key;
    link->born = cg_loop_mono(pool->loop);
    link->is_connecting = true;
    link->maker = ask;
    ask->is_making = true;
    cg_timer_init(&link->timer, on_timer);
    cg_loop_set(pool->loop, &link->timer, ask->connect_by);
    put_first(link);
    ask->key->n_links++;
    pool->n_links++;
    return CG_OK;
}

static void on_dialled(void *owner, struct cg_call *call)
{
    struct ask *ask = owner;
    struct cg_peer peer;
    int fd = cg_dial_take(call, &peer);
    cg_err err = call->err;

    ask->is_dialling = false;
    ask->key->n_dialling--;
    ask->pool->n_dialling--;
    cg_slot_end(ask->pool->loop, ask->dial);
    if (err == CG_OK)
        err = connect_link(ask, fd, &peer);
    if (err != CG_OK) {
        refuse(ask, err);
        look_after(ask->pool);
    }
}

static cg_err dial(struct ask *ask)
{
    struct cg_pool *pool = ask->pool;
    cg_err err;

    CG_TRY(cg_slot_open(pool->loop, on_dialled, ask, &ask->dial));
    ask->connect_by = cg_mono_after(cg_loop_mono(pool->loop), ask->connect_ms);
    err = cg_dial_begin(pool->resolver, &ask->target, ask->dial, 0, ask->connect_by);
    if (err != CG_OK) {
        cg_slot_end(pool->loop, ask->dial);
        return err;
    }
    ask->is_dialling = true;
    ask->key->n_dialling++;
    pool->n_dialling++;
    return CG_OK;
}

/* The unused connection that has been so for longest makes room for one of another key. */
static void make_room(struct cg_pool *pool)
{
    struct link *oldest = NULL;

    for (struct cg_conn *conn = pool->conns.first; conn; conn = cg_conn_next(conn)) {
        struct link *link = cg_conn_owner(conn);

        if (!link || link->n_leases > 0 || link->is_connecting || link->is_retired)
            continue;
        if (!oldest || link->timer.due.us < oldest->timer.due.us)
            oldest = link;
    }
    if (oldest) {
        oldest->is_retired = true;
        cg_conn_close(oldest->conn, CG_OK);
    }
}

static bool may_dial(struct ask *ask)
{
    struct cg_key *key = ask->key;
    struct cg_pool *pool = ask->pool;

    if (ask->is_dialling || ask->is_making)
        return false;
    if (key->n_links + key->n_dialling >= pool->options.n_per_key_max)
        return false;
    if (pool->n_links + pool->n_dialling >= pool->options.n_max) {
        make_room(pool); /* when it is gone, look_after comes here again */
        return false;
    }
    if (!key->shares)
        return true;
    /* One that is being made will carry us all. */
    for (struct link *link = key->links; link; link = link->next)
        if (link->is_connecting)
            return false;
    return key->n_dialling == 0;
}

/* Gives each of those who wait a connection, or begins to make one. */
static void feed_key(struct cg_key *key)
{
    struct ask *ask = key->first, *next;
    struct link *link;

    while (ask && (link = find_link(key))) {
        struct ask *done = ask;
        cg_err err = lend(link, done);

        ask = done->next;
        stop_waiting(done);
        stop_making(done);
        done->key = NULL;
        cg_call_end(&done->call, err);
    }
    for (; ask; ask = next) {
        cg_err err;

        next = ask->next;
        if (ask->is_dialling || ask->is_making)
            continue;
        if (!may_dial(ask))
            break;
        err = dial(ask);
        if (err != CG_OK) {
            bool is_last = !next;

            refuse(ask, err); /* the last one may take the key along */
            if (is_last)
                return;
        }
    }
}

static void feed_hungry(struct cg_task *task)
{
    struct cg_pool *pool = (struct cg_pool *)((char *)task - offsetof(struct cg_pool, feed));
    struct cg_key *key, *next;

    for (key = pool->hungry; key; key = next) {
        next = key->next_hungry;
        feed_key(key);
    }
}

/* --- the call --- */

static bool stop_ask(struct cg_call *call)
{
    leave_pool((struct ask *)call);
    return true;
}

static void free_ask(struct cg_call *call)
{
    struct ask *ask = (struct ask *)call;

    if (ask->lent)
        cg_lease_end(&ask->lent->lease);
    free(ask);
}

static const struct cg_call_kind lease_call = {.name = "lease", .stop = stop_ask, .free = free_ask};

static struct cg_span put(uint8_t **at, struct cg_span bytes)
{
    struct cg_span out = cg_span_of(*at, bytes.len);

    if (bytes.len > 0)
        memcpy(*at, bytes.at, bytes.len);
    *at += bytes.len;
    return out;
}

static struct ask *make_ask(struct cg_pool *pool, const struct cg_lease_request *request)
{
    struct ask *ask =
        calloc(1, sizeof *ask + request->target.host.len + request->target.unix_path.len);
    uint8_t *at;

    if (!ask)
        return NULL;
    at = ask->bytes;
    ask->pool = pool;
    ask->engine = request->engine;
    ask->engine_ctx = request->engine_ctx;
    ask->connect_ms = request->connect_ms;
    ask->target = request->target;
    ask->target.host = put(&at, request->target.host);
    ask->target.unix_path = put(&at, request->target.unix_path);
    return ask;
}

cg_err cg_lease_begin(struct cg_pool *pool, const struct cg_lease_request *request,
                      struct cg_ticket who, unsigned tag, struct cg_mono deadline)
{
    struct cg_key *key = find_key(pool, request->key);
    struct ask *ask;

    if (request->target.host.len == 0 && request->target.unix_path.len == 0)
        return CG_SYNTAX;
    if (pool->is_ended || (key && key->n_waiting >= pool->options.n_waiting_max))
        return CG_BUSY;
    ask = make_ask(pool, request);
    if (!ask)
        return CG_NO_MEMORY;
    ask->key = make_key(pool, request->key);
    if (!ask->key) {
        free(ask);
        return CG_NO_MEMORY;
    }
    key = ask->key;
    cg_call_begin(&ask->call, &lease_call, pool->loop, who, tag, deadline);
    ask->is_waiting = true;
    ask->prev = key->last;
    if (key->last)
        key->last->next = ask;
    else
        key->first = ask;
    key->last = ask;
    key->n_waiting++;
    pool->n_waiting++;
    set_hungry(key, true);
    feed_key(key);
    return CG_OK;
}

/* --- leases --- */

struct cg_lease *cg_lease_take(struct cg_call *call)
{
    struct ask *ask = (struct ask *)call;
    struct lent *lent = ask->lent;

    assert(call->kind == &lease_call);
    ask->lent = NULL;
    return lent ? &lent->lease : NULL;
}

cg_err cg_lease_ask(struct cg_lease *lease, const struct cg_head *head, bool is_end)
{
    struct lent *lent = (struct lent *)lease;
    struct link *link = lent->link;
    cg_err err;

    assert(!lease->exchange);
    if (!link || !cg_conn_is_open(link->conn) ||
        cg_engine_state(cg_conn_engine(link->conn)) != CG_ENGINE_OPEN)
        return CG_CLOSED;
    err = cg_engine_begin(cg_conn_engine(link->conn), head, is_end, &lease->exchange);
    if (err != CG_OK)
        return err;
    link->n_promised--;
    lease->exchange->owner = lent;
    cg_conn_wake(link->conn);
    return CG_OK;
}

void cg_lease_end(struct cg_lease *lease)
{
    struct lent *lent = (struct lent *)lease;
    struct link *link;

    if (!lease)
        return;
    link = lent->link;
    if (link) {
        if (lease->exchange)
            cg_exchange_release(lease->exchange);
        else
            link->n_promised--;
        if (lent->prev)
            lent->prev->next = lent->next;
        else
            link->leases = lent->next;
        if (lent->next)
            lent->next->prev = lent->prev;
        link->n_leases--;
        cg_conn_wake(link->conn);
        keep_or_close(link);
        look_after(lent->pool);
    }
    free(lent);
}

/* --- the pool --- */

cg_err cg_pool_new(struct cg_loop *loop, struct cg_resolver *resolver,
                   const struct cg_pool_options *options, struct cg_pool **out)
{
    struct cg_pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return CG_NO_MEMORY;
    pool->loop = loop;
    pool->resolver = resolver;
    pool->options = *options;
    pool->feed.run = feed_hungry;
    *out = pool;
    return CG_OK;
}

void cg_pool_drop(struct cg_pool *pool, struct cg_span key)
{
    for (struct cg_conn *conn = pool->conns.first; conn; conn = cg_conn_next(conn)) {
        struct link *link = cg_conn_owner(conn);

        if (!link ||
            (key.len > 0 && !cg_span_eq(cg_span_of(link->key->bytes, link->key->len), key)))
            continue;
        link->is_retired = true;
        keep_or_close(link);
    }
}

struct cg_pool_count cg_pool_count(const struct cg_pool *pool)
{
    struct cg_pool_count count = {.n_connecting = pool->n_dialling, .n_waiting = pool->n_waiting};

    for (struct cg_conn *conn = pool->conns.first; conn; conn = cg_conn_next(conn)) {
        struct link *link = cg_conn_owner(conn);

        if (!link)
            continue;
        if (link->is_connecting)
            count.n_connecting++;
        else {
            count.n_open++;
            count.n_idle += link->n_leases == 0;
        }
    }
    return count;
}

void cg_pool_free(struct cg_pool *pool)
{
    if (!pool)
        return;
    pool->is_ended = true;
    while (pool->hungry)
        refuse(pool->hungry->first, CG_CANCELLED);
    while (pool->conns.first)
        cg_conn_cut(pool->conns.first, CG_CANCELLED);
    cg_loop_forget(pool->loop, &pool->feed);
    free(pool);
}
