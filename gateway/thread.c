#include "gateway/thread.h"

#include "gateway/conn.h"
#include "gateway/identity.h"
#include "gateway/names.h"
#include "gateway/request.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/entropy.h"
#include "runtime/listen_at.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_OF(t, member) ((struct gw_thread *)((char *)(t)-offsetof(struct gw_thread, member)))

#define POOL_IDLE_MS 4000 /* below the five seconds after which common servers hang up */

cg_err gw_hasher_take(struct gw_thread *thread, struct cg_hasher **out)
{
    if (thread->n_hashers == 0)
        return cg_hasher_new(out);
    *out = thread->hashers[--thread->n_hashers];
    return CG_OK;
}

void gw_hasher_give(struct gw_thread *thread, struct cg_hasher *hasher)
{
    if (hasher && thread->n_hashers < GW_HASHERS)
        thread->hashers[thread->n_hashers++] = hasher;
    else
        cg_hasher_free(hasher);
}

/* The certificate and ticket keys that new connections get: one snapshot, replaced whole. */
static cg_err take_identity(struct gw_thread *thread)
{
    struct gw_gateway *gw = thread->gw;
    struct cg_tls_sites *sites;

    pthread_mutex_lock(&gw->lock);
    struct gw_identity *identity = gw_identity_ref(gw->identity);
    uint64_t generation = gw->generation;
    cg_err err = cg_tls_sites_new(&identity->site, 1, &gw->tickets,
                                  gw->has_tickets_before ? &gw->tickets_before : NULL, &sites);
    pthread_mutex_unlock(&gw->lock);
    if (err != CG_OK) {
        gw_identity_unref(identity);
        return err;
    }
    cg_tls_sites_unref(thread->sites);
    gw_identity_unref(thread->identity);
    thread->sites = sites;
    thread->identity = identity;
    thread->identity_generation = generation;
    return CG_OK;
}

static void take_config(struct gw_thread *thread)
{
    struct cg_config_live *live = thread->gw->setup.config;

    thread->config_generation = cg_config_live_generation(live);
    cg_config_unref(thread->config);
    thread->config = cg_config_live_ref(live);
    thread->options = cg_config_values(thread->config, &gw_option_table);
}

void gw_thread_refresh(struct gw_thread *thread)
{
    struct gw_gateway *gw = thread->gw;

    if (cg_config_live_generation(gw->setup.config) != thread->config_generation)
        take_config(thread);
    if (atomic_load_explicit(&gw->generation, memory_order_relaxed) !=
            thread->identity_generation &&
        take_identity(thread) != CG_OK)
        cg_log(gw->setup.log, ERROR, internal_error, CG_STR("what", "certificate snapshot"));
}

static cg_err listen(struct gw_thread *thread, size_t number, struct cg_problems *problems)
{
    const struct cg_list *at = &cg_config_common(thread->config)->listen.native;
    size_t most = at->n * CG_LISTEN_AT_MAX;

    thread->listeners = calloc(most ? most : 1, sizeof(struct cg_listener *));
    if (!thread->listeners)
        return CG_NO_MEMORY;
    for (size_t i = 0; i < at->n; i++) {
        const struct cg_host_port *where = CG_LIST_AT(*at, struct cg_host_port, i);
        struct cg_address addresses[CG_LISTEN_AT_MAX];
        size_t n;

        if (cg_listen_at(where, addresses, &n) != CG_OK) {
            cg_problem_add(problems, "listen.native", 0, 0,
                           "%s is not an address of this machine; write an IP, or *", where->host);
            return CG_CONFIG;
        }
        for (size_t k = 0; k < n; k++) {
            /* Port 0 is chosen once: every thread listens on the first one's. */
            if (addresses[k].port == 0)
                addresses[k].port = atomic_load(&thread->gw->port);
            const struct cg_listen_options options = {
                .at = addresses[k],
                .joins = number > 0,
                .n_conns_max =
                    (size_t)thread->options->limits.connections / thread->gw->setup.n_threads + 1,
                .events = &gw_conn_events,
                .accept = gw_accept,
                .give_up = gw_give_up,
                .ctx = thread,
            };
            struct cg_listener *listener;
            cg_err err = cg_listener_new(thread->loop, &options, &listener);
            char text[CG_ADDRESS_TEXT_BYTES];

            if (err != CG_OK) {
                cg_problem_add(problems, "listen.native", 0, 0, "cannot listen on %s: %s",
                               cg_address_write(&addresses[k], text),
                               err == CG_CONFLICT ? "the port is taken; stop the other program or "
                                                    "choose another port"
                               : err == CG_DENIED ? "ports below 1024 need a privilege"
                                                  : cg_err_text(err));
                return err;
            }
            thread->listeners[thread->n_listeners++] = listener;
            atomic_store(&thread->gw->port, cg_listener_at(listener)->port);
        }
    }
    return CG_OK;
}

static cg_err make_tls(struct gw_thread *thread)
{
    const struct cg_tls_server_options native = {.kind = CG_TLS_NATIVE, .pad_to = 512};
    const struct cg_tls_client_options backend = {.kind = CG_TLS_BACKEND,
                                                  .trust = CG_TRUST_WEBPKI,
                                                  .ca_pem = thread->gw->setup.ca_pem,
                                                  .h1_only = true};

    CG_TRY(cg_tls_conf_server(&native, &thread->tls));
    if (backend.ca_pem.len > 0)
        CG_TRY(cg_tls_conf_client(&backend, &thread->backend_tls));
    return CG_OK;
}

static void on_quit(struct cg_task *task)
{
    struct gw_thread *thread = THREAD_OF(task, quit);

    for (size_t i = 0; i < thread->n_listeners; i++)
        cg_listener_free(thread->listeners[i]);
    thread->n_listeners = 0;
    cg_loop_stop(thread->loop);
}

static void on_drained(void *ctx)
{
    struct gw_thread *thread = ctx;

    atomic_fetch_add(&thread->n_drained, 1);
}

static void on_drain(struct cg_task *task)
{
    struct gw_thread *thread = THREAD_OF(task, draining);
    int64_t limit = cg_config_common(thread->config)->drain.stop_ms;

    for (size_t i = 0; i < thread->n_listeners; i++)
        cg_listener_drain(thread->listeners[i], cg_mono_after(cg_loop_mono(thread->loop), limit),
                          on_drained, thread);
}

static cg_err make(struct gw_thread *thread, size_t number, struct cg_problems *problems)
{
    struct gw_gateway *gw = thread->gw;

    take_config(thread);
    const struct cg_pool_options pool = {
        .idle_max_ms = POOL_IDLE_MS,
        .n_per_key_max = (size_t)thread->options->limits.backend_connections,
        .n_max = 8192,
        .n_waiting_max = 8192,
    };
    CG_TRY(cg_loop_new(&thread->loop));
    CG_TRY(cg_entropy_fill(thread->id_prefix, sizeof thread->id_prefix));
    CG_TRY(cg_kit_new(gw->setup.crypto, &thread->kit));
    CG_TRY(cg_mac_new(&thread->mac));
    CG_TRY(make_tls(thread));
    CG_TRY(take_identity(thread));
    CG_TRY(cg_resolver_new(thread->loop, &(struct cg_resolver_options){.ttl_max_s = 300},
                           &thread->resolver));
    CG_TRY(cg_pool_new(thread->loop, thread->resolver, &pool, &thread->pool));
    thread->metrics = cg_metrics_shard(gw->setup.metrics, number);
    thread->quit.run = on_quit;
    thread->draining.run = on_drain;
    return listen(thread, number, problems);
}

cg_err gw_thread_new(struct gw_gateway *gw, size_t number, struct cg_problems *problems,
                     struct gw_thread **out)
{
    struct gw_thread *thread = calloc(1, sizeof *thread);

    if (!thread)
        return CG_NO_MEMORY;
    thread->gw = gw;
    cg_err err = make(thread, number, problems);
    if (err != CG_OK) {
        gw_thread_stop(thread);
        gw_thread_free(thread);
        return err;
    }
    *out = thread;
    return CG_OK;
}

static void *run(void *arg)
{
    struct gw_thread *thread = arg;

    cg_loop_run(thread->loop);
    return NULL;
}

cg_err gw_thread_start(struct gw_thread *thread)
{
    if (pthread_create(&thread->thread, NULL, run, thread) != 0)
        return CG_IO;
    thread->is_running = true;
    return CG_OK;
}

void gw_thread_drain(struct gw_thread *thread)
{
    cg_loop_post(thread->loop, &thread->draining);
}

void gw_thread_stop(struct gw_thread *thread)
{
    if (!thread)
        return;
    if (thread->is_running) {
        cg_loop_post(thread->loop, &thread->quit);
        pthread_join(thread->thread, NULL);
        thread->is_running = false;
    }
    for (size_t i = 0; i < thread->n_listeners; i++)
        cg_listener_free(thread->listeners[i]);
    thread->n_listeners = 0;
}

void gw_thread_free(struct gw_thread *thread)
{
    if (!thread)
        return;
    cg_pool_free(thread->pool);
    cg_resolver_free(thread->resolver);
    if (thread->loop)
        cg_loop_free(thread->loop);
    free(thread->listeners);
    for (size_t i = 0; i < GW_NAME_CACHE; i++)
        gw_name_unref(thread->names[i]);
    while (thread->free_requests) {
        struct gw_request *next = thread->free_requests->next;

        free(thread->free_requests);
        thread->free_requests = next;
    }
    while (thread->n_hashers > 0)
        cg_hasher_free(thread->hashers[--thread->n_hashers]);
    cg_tls_sites_unref(thread->sites);
    gw_identity_unref(thread->identity);
    cg_tls_conf_unref(thread->tls);
    cg_tls_conf_unref(thread->backend_tls);
    for (size_t i = 0; i < GW_PINNED; i++)
        cg_tls_conf_unref(thread->pinned[i].tls);
    cg_mac_free(thread->mac);
    cg_kit_free(thread->kit);
    cg_config_unref(thread->config);
    free(thread);
}
