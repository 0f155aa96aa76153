#include "runtime/pool_inner.h"

#include "lib/base/span.h"
#include "runtime/loop.h"

#include <stdlib.h>
#include <string.h>

/* --- keys --- */

static struct cg_pool_key **bucket_of(struct cg_pool *pool, struct cg_span bytes)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ bytes.at[i]) * 16777619u;
    return &pool->buckets[h % CG_POOL_BUCKETS];
}

struct cg_pool_key *cg_pool_key_find(struct cg_pool *pool, struct cg_span bytes)
{
    struct cg_pool_key *key = *bucket_of(pool, bytes);

    while (key && !cg_span_eq(cg_span_of(key->bytes, key->len), bytes))
        key = key->next;
    return key;
}

struct cg_pool_key *cg_pool_key_make(struct cg_pool *pool, struct cg_span bytes)
{
    struct cg_pool_key **at = bucket_of(pool, bytes), *key = cg_pool_key_find(pool, bytes);

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

void cg_pool_key_set_hungry(struct cg_pool_key *key, bool is_hungry)
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

void cg_pool_key_drop_if_empty(struct cg_pool_key *key)
{
    struct cg_pool_key **at;

    if (key->links || key->first || key->n_dialling > 0)
        return;
    at = bucket_of(key->pool, cg_span_of(key->bytes, key->len));
    while (*at != key)
        at = &(*at)->next;
    *at = key->next;
    free(key);
}

/* --- who gets what --- */

/* The unused connection that has been so for longest makes room for one of another key. */
static void make_room(struct cg_pool *pool)
{
    struct cg_link *oldest = NULL;

    for (struct cg_conn *conn = pool->conns.first; conn; conn = cg_conn_next(conn)) {
        struct cg_link *link = cg_conn_owner(conn);

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

static bool may_dial(struct cg_ask *ask)
{
    struct cg_pool_key *key = ask->key;
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
    for (struct cg_link *link = key->links; link; link = link->next)
        if (link->is_connecting)
            return false;
    return key->n_dialling == 0;
}

void cg_pool_key_feed(struct cg_pool_key *key)
{
    struct cg_ask *ask = key->first, *next;
    struct cg_link *link;

    while (ask && (link = cg_link_find(key))) {
        struct cg_ask *done = ask;
        cg_err err = cg_ask_lend(link, done);

        ask = done->next;
        cg_ask_stop_waiting(done);
        cg_link_stop_making(done);
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
        err = cg_link_dial(ask);
        if (err != CG_OK) {
            bool is_last = !next;

            cg_ask_refuse(ask, err); /* the last one may take the key along */
            if (is_last)
                return;
        }
    }
}

static void feed_hungry(struct cg_task *task)
{
    struct cg_pool *pool = (struct cg_pool *)((char *)task - offsetof(struct cg_pool, feed));
    struct cg_pool_key *key, *next;

    for (key = pool->hungry; key; key = next) {
        next = key->next_hungry;
        cg_pool_key_feed(key);
    }
}

void cg_pool_look_after(struct cg_pool *pool)
{
    cg_loop_at_end(pool->loop, &pool->feed);
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
        struct cg_link *link = cg_conn_owner(conn);

        if (!link ||
            (key.len > 0 && !cg_span_eq(cg_span_of(link->key->bytes, link->key->len), key)))
            continue;
        link->is_retired = true;
        cg_link_keep_or_close(link);
    }
}

struct cg_pool_count cg_pool_count(const struct cg_pool *pool)
{
    struct cg_pool_count count = {.n_connecting = pool->n_dialling, .n_waiting = pool->n_waiting};

    for (struct cg_conn *conn = pool->conns.first; conn; conn = cg_conn_next(conn)) {
        struct cg_link *link = cg_conn_owner(conn);

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
        cg_ask_refuse(pool->hungry->first, CG_CANCELLED);
    while (pool->conns.first)
        cg_conn_cut(pool->conns.first, CG_CANCELLED);
    cg_loop_forget(pool->loop, &pool->feed);
    free(pool);
}
