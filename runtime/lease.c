#include "runtime/pool_inner.h"

#include "lib/base/span.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- waiting --- */

void cg_ask_stop_waiting(struct cg_ask *ask)
{
    struct cg_pool_key *key = ask->key;

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
        cg_pool_key_set_hungry(key, false);
}

/* The ask is over, whichever way; its key may go with it. */
static void leave_pool(struct cg_ask *ask)
{
    struct cg_pool_key *key = ask->key;

    if (!key)
        return;
    cg_ask_stop_waiting(ask);
    cg_link_stop_making(ask);
    ask->key = NULL;
    cg_pool_key_drop_if_empty(key);
}

void cg_ask_refuse(struct cg_ask *ask, cg_err err)
{
    leave_pool(ask);
    cg_call_end(&ask->call, err);
}

cg_err cg_ask_lend(struct cg_link *link, struct cg_ask *ask)
{
    struct cg_lent *lent = calloc(1, sizeof *lent);

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
    cg_link_used(link);
    ask->lent = lent;
    return CG_OK;
}

/* --- the call --- */

static bool stop_ask(struct cg_call *call)
{
    leave_pool((struct cg_ask *)call);
    return true;
}

static void free_ask(struct cg_call *call)
{
    struct cg_ask *ask = (struct cg_ask *)call;

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

static struct cg_ask *make_ask(struct cg_pool *pool, const struct cg_lease_request *request)
{
    struct cg_ask *ask =
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
    struct cg_pool_key *key = cg_pool_key_find(pool, request->key);
    struct cg_ask *ask;

    if (request->target.host.len == 0 && request->target.unix_path.len == 0)
        return CG_SYNTAX;
    if (pool->is_ended || (key && key->n_waiting >= pool->options.n_waiting_max))
        return CG_BUSY;
    ask = make_ask(pool, request);
    if (!ask)
        return CG_NO_MEMORY;
    ask->key = cg_pool_key_make(pool, request->key);
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
    cg_pool_key_set_hungry(key, true);
    cg_pool_key_feed(key);
    return CG_OK;
}

/* --- leases --- */

struct cg_lease *cg_lease_take(struct cg_call *call)
{
    struct cg_ask *ask = (struct cg_ask *)call;
    struct cg_lent *lent = ask->lent;

    assert(call->kind == &lease_call);
    ask->lent = NULL;
    return lent ? &lent->lease : NULL;
}

cg_err cg_lease_ask(struct cg_lease *lease, const struct cg_head *head, bool is_end)
{
    struct cg_lent *lent = (struct cg_lent *)lease;
    struct cg_link *link = lent->link;
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
    struct cg_lent *lent = (struct cg_lent *)lease;
    struct cg_link *link;

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
        cg_link_used(link);
        cg_conn_wake(link->conn);
        cg_link_keep_or_close(link);
        cg_pool_look_after(lent->pool);
    }
    free(lent);
}
