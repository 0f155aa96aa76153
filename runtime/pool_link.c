#include "runtime/pool_inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "session/stack.h"

#include <stdlib.h>
#include <unistd.h>

static void unlink_link(struct cg_link *link)
{
    if (link->prev)
        link->prev->next = link->next;
    else
        link->key->links = link->next;
    if (link->next)
        link->next->prev = link->prev;
    else
        link->key->last_link = link->prev;
}

static void put_first(struct cg_link *link)
{
    struct cg_pool_key *key = link->key;

    link->prev = NULL;
    link->next = key->links;
    if (link->next)
        link->next->prev = link;
    else
        key->last_link = link;
    key->links = link;
}

static void put_last(struct cg_link *link)
{
    struct cg_pool_key *key = link->key;

    link->next = NULL;
    link->prev = key->last_link;
    if (link->prev)
        link->prev->next = link;
    else
        key->links = link;
    key->last_link = link;
}

/* --- keeping --- */

static bool is_old(const struct cg_link *link)
{
    struct cg_pool *pool = link->key->pool;

    return pool->options.age_max_ms > 0 &&
           cg_mono_is_due(cg_mono_after(link->born, pool->options.age_max_ms),
                          cg_loop_mono(pool->loop));
}

/* One more exchange? The engine does not know of those that were promised and have not begun. */
static bool can_lend(const struct cg_link *link)
{
    return !link->is_connecting && !link->is_retired && cg_conn_is_open(link->conn) &&
           cg_engine_n_can_begin(cg_conn_engine(link->conn)) > link->n_promised && !is_old(link);
}

void cg_link_used(struct cg_link *link)
{
    unlink_link(link);
    if (can_lend(link))
        put_first(link);
    else
        put_last(link);
}

struct cg_link *cg_link_find(struct cg_pool_key *key)
{
    for (struct cg_link *link = key->links; link; link = link->next)
        if (can_lend(link))
            return link;
    return NULL;
}

void cg_link_keep_or_close(struct cg_link *link)
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
    struct cg_link *link = (struct cg_link *)((char *)timer - offsetof(struct cg_link, timer));

    if (link->is_connecting) {
        cg_conn_close(link->conn, CG_TIMEOUT);
    } else if (link->n_leases == 0) {
        link->is_retired = true;
        cg_conn_drain(link->conn);
    }
}

/* --- its events --- */

static void on_open(struct cg_conn *conn)
{
    struct cg_link *link = cg_conn_owner(conn);
    struct cg_pool_key *key = link->key;

    link->is_connecting = false;
    if (link->maker) {
        link->maker->is_making = false;
        link->maker = NULL;
    }
    cg_loop_unset(key->pool->loop, &link->timer);
    key->shares = cg_stack_speaks(cg_conn_engine(conn)) == CG_SPEAKS_H2;
    cg_link_keep_or_close(link);
    cg_pool_look_after(key->pool);
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *exchange, unsigned what)
{
    struct cg_lent *lent = exchange->owner;

    (void)conn;
    lent->lease.has_answered = exchange->has_answered;
    lent->lease.on_event(&lent->lease, what);
}

static void forget_link(struct cg_link *link)
{
    struct cg_pool_key *key = link->key;
    struct cg_pool *pool = key->pool;

    while (link->leases) {
        struct cg_lent *lent = link->leases;

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
    cg_pool_key_drop_if_empty(key);
    cg_pool_look_after(pool);
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct cg_link *link = cg_conn_owner(conn);
    struct cg_ask *maker = link->maker;

    if (maker) {
        link->maker = NULL;
        maker->is_making = false;
        cg_ask_refuse(maker, why == CG_OK ? CG_CLOSED : why);
    }
    cg_conn_set_owner(conn, NULL);
    forget_link(link);
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

/* --- connecting --- */

static cg_err connect_link(struct cg_ask *ask, int fd, const struct cg_peer *peer)
{
    struct cg_pool *pool = ask->pool;
    struct cg_link *link = calloc(1, sizeof *link);
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
    struct cg_ask *ask = owner;
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
        cg_ask_refuse(ask, err);
        cg_pool_look_after(ask->pool);
    }
}

cg_err cg_link_dial(struct cg_ask *ask)
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

void cg_link_stop_making(struct cg_ask *ask)
{
    struct cg_pool_key *key = ask->key;

    if (ask->is_dialling) {
        ask->is_dialling = false;
        key->n_dialling--;
        key->pool->n_dialling--;
        cg_slot_end(key->pool->loop, ask->dial);
        cg_pool_look_after(key->pool); /* there is room for somebody else's */
    }
    if (ask->is_making) {
        for (struct cg_link *link = key->links; link; link = link->next)
            if (link->maker == ask)
                link->maker = NULL;
        ask->is_making = false;
    }
}
