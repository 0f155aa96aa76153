#include "gateway/names_inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define CALL_OF(t) ((struct name_call *)((char *)(t)-offsetof(struct name_call, task)))

struct gw_profile *gw_profile_ref(struct gw_profile *profile)
{
    atomic_fetch_add_explicit(&profile->refs, 1, memory_order_relaxed);
    return profile;
}

void gw_profile_unref(struct gw_profile *profile)
{
    if (!profile || atomic_fetch_sub_explicit(&profile->refs, 1, memory_order_acq_rel) != 1)
        return;
    cg_policy_free(profile->policy);
    free(profile);
}

struct gw_name *gw_name_ref(struct gw_name *name)
{
    atomic_fetch_add_explicit(&name->refs, 1, memory_order_relaxed);
    return name;
}

void gw_name_unref(struct gw_name *name)
{
    if (!name || atomic_fetch_sub_explicit(&name->refs, 1, memory_order_acq_rel) != 1)
        return;
    gw_profile_unref(name->profile);
    cg_buf_done(&name->json);
    cg_buf_done(&name->room);
    cg_buf_done(&name->denial);
    free(name);
}

struct cg_span gw_name_key(const struct gw_name *name)
{
    return cg_span_of(name->key, name->key_len);
}

bool gw_name_is_fresh(const struct gw_name *name, struct cg_wall now)
{
    return now.s < name->fresh_until.s;
}

bool gw_name_is_over(const struct gw_name *name, struct cg_wall now)
{
    return name->result.is_gone || now.s >= name->stale_until.s;
}

static bool is_due(const struct gw_name *name, struct cg_wall now)
{
    return now.s >= name->due.s;
}

bool gw_name_is_gone(const struct gw_name *name, struct cg_span *out_staple)
{
    if (name->result.is_gone)
        *out_staple = cg_buf_span(&name->denial);
    return name->result.is_gone;
}

const struct cg_record *gw_name_record(const struct gw_name *name)
{
    return &name->result.record;
}

const struct cg_policy *gw_name_policy(const struct gw_name *name)
{
    return name->profile->policy;
}

/* --- who waits ------------------------------------------------------------------------------- */

static void deliver(struct name_call *call, struct gw_name *name, cg_err err)
{
    call->name = name ? gw_name_ref(name) : NULL;
    cg_call_end_from(&call->call, err);
}

static size_t bytes_of(const struct gw_name *name)
{
    return name ? sizeof *name + name->json.cap + name->room.cap + name->denial.cap : 0;
}

static void know(struct gw_entry *entry, struct gw_name *name)
{
    entry->names->n_bytes -= bytes_of(entry->known);
    entry->names->n_bytes += bytes_of(name);
    gw_name_unref(entry->known);
    entry->known = name;
}

/* Nobody could confirm it lately; what was proved is still proved for a while. */
static bool is_usable(const struct gw_entry *entry, struct cg_wall now)
{
    return entry->known && !gw_name_is_over(entry->known, now);
}

static void deliver_all(struct gw_entry *entry, cg_err err)
{
    struct name_call *call = entry->waiting;

    entry->waiting = NULL;
    while (call) {
        struct name_call *next = call->next;

        deliver(call, entry->known, entry->known ? CG_OK : err);
        call = next;
    }
}

void gw_entry_settle(struct gw_entry *entry, struct gw_name *name, cg_err err)
{
    struct cg_wall now = cg_loop_wall(entry->names->loop);

    cg_loop_unset(entry->names->loop, &entry->patience);
    entry->retry.s = 0;
    if (name)
        know(entry, name);
    else if (is_usable(entry, now))
        entry->retry.s = now.s + GW_RETRY_S;
    else
        know(entry, NULL);
    deliver_all(entry, err);
}

/* The look-up goes on; who waits need not. */
static void on_patience(struct cg_timer *timer)
{
    struct gw_entry *entry =
        (struct gw_entry *)((char *)timer - offsetof(struct gw_entry, patience));
    struct cg_wall now = cg_loop_wall(entry->names->loop);

    if (!is_usable(entry, now))
        return;
    entry->retry.s = now.s + GW_RETRY_S;
    deliver_all(entry, CG_OK);
    cg_loop_set(entry->names->loop, timer,
                cg_mono_after(cg_loop_mono(entry->names->loop), GW_PATIENCE_MS));
}

static cg_err look(struct gw_entry *entry)
{
    CG_TRY(gw_look_begin(entry));
    cg_loop_set(entry->names->loop, &entry->patience,
                cg_mono_after(cg_loop_mono(entry->names->loop), GW_PATIENCE_MS));
    return CG_OK;
}

static struct gw_entry **find(struct gw_names *names, struct cg_span key)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ key.at[i]) * 16777619u;
    struct gw_entry **at = &names->entries[h % GW_ENTRIES];
    while (*at && !cg_span_eq(cg_span_of((*at)->key, (*at)->key_len), key))
        at = &(*at)->next;
    return at;
}

static void free_entry(struct gw_names *names, struct gw_entry **at)
{
    struct gw_entry *entry = *at;

    *at = entry->next;
    cg_loop_unset(names->loop, &entry->patience);
    gw_look_free(entry->look);
    know(entry, NULL);
    free(entry);
    names->n_entries--;
}

/* Makes room: an entry that nobody waits for goes, one that says nothing of use before others. */
static bool forget_one(struct gw_names *names, bool is_choosy)
{
    struct cg_wall now = cg_loop_wall(names->loop);

    for (size_t i = 0; i < GW_ENTRIES; i++) {
        struct gw_entry **at = &names->entries[names->hand++ % GW_ENTRIES];

        for (; *at; at = &(*at)->next) {
            const struct gw_name *known = (*at)->known;
            bool is_useful = known && !known->result.is_gone && gw_name_is_fresh(known, now);

            if ((*at)->look || (*at)->waiting || (is_useful && is_choosy))
                continue;
            free_entry(names, at);
            return true;
        }
    }
    return false;
}

static void make_room(struct gw_names *names)
{
    while (names->n_entries >= GW_ENTRIES_MAX || names->n_bytes > GW_NAMES_MAX_BYTES)
        if (!forget_one(names, true) && !forget_one(names, false))
            return;
}

static struct gw_entry *find_or_add(struct gw_names *names, struct cg_span key)
{
    struct gw_entry **at = find(names, key);

    if (*at)
        return *at;
    make_room(names);
    at = find(names, key);
    struct gw_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->names = names;
    memcpy(entry->key, key.at, key.len);
    entry->key_len = key.len;
    cg_timer_init(&entry->patience, on_patience);
    *at = entry;
    names->n_entries++;
    return entry;
}

/* On the service loop: a look-up has arrived. */
static void arrive(struct cg_task *task)
{
    struct name_call *call = CALL_OF(task);
    struct gw_names *names = call->names;
    struct cg_wall now = cg_loop_wall(names->loop);
    struct gw_entry *entry = find_or_add(names, cg_span_of(call->key, call->key_len));

    if (!entry) {
        deliver(call, NULL, CG_NO_MEMORY);
        return;
    }
    bool is_fresh = entry->known && gw_name_is_fresh(entry->known, now);
    bool is_resting = !is_fresh && now.s < entry->retry.s && is_usable(entry, now);
    bool is_early = is_fresh && (!is_due(entry->known, now) || now.s < entry->retry.s);
    if (!entry->look && !is_resting && !is_early) {
        cg_err err = look(entry);

        if (err != CG_OK && !is_fresh) {
            call->next = entry->waiting;
            entry->waiting = call;
            gw_entry_settle(entry, NULL, err);
            return;
        }
    }
    if (is_fresh || is_resting) {
        deliver(call, entry->known, CG_OK);
        return;
    }
    call->next = entry->waiting;
    entry->waiting = call;
}

/* --- ahead of time ---------------------------------------------------------------------------- */

struct renewal {
    struct cg_task task;
    struct gw_names *names;
    struct gw_name *name;
};

static void renew(struct cg_task *task)
{
    struct renewal *renewal = (struct renewal *)task;
    struct gw_names *names = renewal->names;
    /* Without its worker it is ending, and keeps nothing any more. */
    struct gw_entry *entry = names->worker ? *find(names, gw_name_key(renewal->name)) : NULL;
    cg_err err = CG_OK;

    if (entry && entry->known == renewal->name && !entry->look)
        err = look(entry);
    if (err != CG_OK)
        cg_log(names->gw->setup.log, WARN, resolve_failed,
               CG_TEXT("name", gw_name_key(renewal->name)), CG_ERR(err));
    gw_name_unref(renewal->name);
    free(renewal);
}

void gw_name_renew(struct gw_names *names, struct gw_name *name, struct cg_wall now)
{
    int64_t at = atomic_load_explicit(&name->renew_at, memory_order_relaxed);

    /* One of all threads tries, and after a while another one. */
    if (now.s < at || !atomic_compare_exchange_strong(&name->renew_at, &at, now.s + GW_RETRY_S))
        return;
    struct renewal *renewal = calloc(1, sizeof *renewal);
    if (!renewal)
        return;
    renewal->task.run = renew;
    renewal->names = names;
    renewal->name = gw_name_ref(name);
    cg_loop_post(names->loop, &renewal->task);
}

/* --- the call ----------------------------------------------------------------------------------
 */

static bool stop_call(struct cg_call *call)
{
    (void)call;
    return false; /* the service loop has it, and will end it */
}

static void free_call(struct cg_call *call)
{
    struct name_call *mine = (struct name_call *)call;

    gw_name_unref(mine->name);
    free(mine);
}

static const struct cg_call_kind name_kind = {"name", stop_call, free_call};

cg_err gw_name_begin(struct gw_names *names, struct cg_span key, struct cg_loop *loop,
                     struct cg_ticket who, unsigned tag, struct cg_mono deadline)
{
    struct name_call *call;

    if (key.len > GW_KEY_MAX_BYTES)
        return CG_TOO_LARGE;
    call = calloc(1, sizeof *call);
    if (!call)
        return CG_NO_MEMORY;
    call->names = names;
    memcpy(call->key, key.at, key.len);
    call->key_len = key.len;
    call->task.run = arrive;
    cg_call_begin(&call->call, &name_kind, loop, who, tag, deadline);
    cg_loop_post(names->loop, &call->task);
    return CG_OK;
}

struct gw_name *gw_name_take(struct cg_call *call)
{
    struct name_call *mine = (struct name_call *)call;
    struct gw_name *name = call->err == CG_OK ? mine->name : NULL;

    if (name)
        mine->name = NULL;
    return name;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static cg_err complain(struct cg_problems *problems, const char *what, const char *url)
{
    cg_problem_add(problems, "gateway", 0, 0,
                   "%s: %s cannot be used; https://host, http://127.0.0.1:port or local:role of "
                   "this process is expected",
                   what, url);
    return CG_CONFIG;
}

/* The host of an endpoint's URL: the name its certificate must have. */
static struct cg_span host_of(const char *url)
{
    struct cg_span rest = cg_span_str(url);
    size_t at = cg_span_find(rest, '/');

    rest = cg_span_from(rest, at + 2);
    size_t end = 0;
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != ':')
        end++;
    return cg_span_first(rest, end);
}

static cg_err make_endpoint(struct gw_names *names, const char *url, struct cg_client *dial,
                            struct cg_endpoint **out)
{
    bool is_tls = cg_span_starts(cg_span_str(url), CG_LIT("https://"));
    const struct cg_engine_conf conf = {.idle_ms = 60000};

    if (is_tls)
        CG_TRY(cg_client_init(dial, names->tls, host_of(url), &conf));
    else
        CG_TRY(cg_client_init(dial, NULL, (struct cg_span){NULL, 0}, &conf));
    const struct cg_endpoint_options options = {
        .url = url,
        .locals = names->gw->setup.locals,
        .pool = names->pool,
        .engine = cg_client_engine,
        .engine_ctx = dial,
    };
    return cg_endpoint_new(names->loop, &options, out);
}

static cg_err make_endpoints(struct gw_names *names, const struct gw_options *options,
                             struct cg_problems *problems)
{
    size_t n = 0;

    for (size_t i = 0; i < options->registry.n && n < GW_REGISTRIES_MAX; i++) {
        const char *url = *CG_LIST_AT(options->registry, const char *, i);

        if (make_endpoint(names, url, &names->dials[n], &names->registries[n]) != CG_OK)
            return complain(problems, "gateway.registry", url);
        names->n_registries = ++n;
    }
    if (n == 0) {
        cg_problem_add(problems, "gateway", 0, 0,
                       "gateway.registry is not set; name the registry to ask");
        return CG_CONFIG;
    }
    if (!options->ledger) {
        cg_problem_add(problems, "gateway", 0, 0,
                       "gateway.ledger is not set; name the ledger to ask");
        return CG_CONFIG;
    }
    if (make_endpoint(names, options->ledger, &names->dials[GW_REGISTRIES_MAX], &names->ledger) !=
        CG_OK)
        return complain(problems, "gateway.ledger", options->ledger);
    return CG_OK;
}

static cg_err open_store(struct gw_names *names, const char *state, struct cg_problems *problems)
{
    char path[1024], why[CG_STORE_WHY_BYTES];

    snprintf(path, sizeof path, "%s/gateway.db", state ? state : ".");
    if (cg_store_open_sqlite(path, why, &names->store) != CG_OK) {
        cg_problem_add(problems, path, 0, 0, "cannot be opened: %s", why);
        return CG_CONFIG;
    }
    const struct cg_trust *trust = names->gw->setup.trust;
    for (size_t i = 0; i < trust->n_logs; i++) {
        struct cg_seen_log seen;

        if (cg_store_seen_log_newest(names->store, CG_BYTES(trust->log_ids[i].bytes), &seen) ==
            CG_OK)
            names->heads[i] = (struct cg_tlog_seen){seen.size, seen.root, seen.time};
    }
    return CG_OK;
}

static cg_err make(struct gw_names *names, struct cg_problems *problems)
{
    const struct gw_setup *setup = &names->gw->setup;
    struct cg_config *config = cg_config_live_ref(setup->config);
    const struct gw_options *options = cg_config_values(config, &gw_option_table);
    const struct cg_pool_options pool = {
        .idle_max_ms = 30000, .n_per_key_max = 16, .n_max = 64, .n_waiting_max = 1024};
    const struct cg_tls_client_options tls = {
        .kind = CG_TLS_SERVICES, .trust = CG_TRUST_WEBPKI, .ca_pem = setup->ca_pem};

    for (size_t i = 0; i < options->ports.n && i < 16; i++)
        names->ports[names->n_ports++] = (uint16_t)*CG_LIST_AT(options->ports, int64_t, i);
    cg_err err = cg_resolver_new(names->loop, &(struct cg_resolver_options){0}, &names->resolver);
    if (err == CG_OK)
        err = cg_pool_new(names->loop, names->resolver, &pool, &names->pool);
    if (err == CG_OK && setup->ca_pem.len > 0)
        err = cg_tls_conf_client(&tls, &names->tls);
    if (err == CG_OK)
        err = make_endpoints(names, options, problems);
    if (err == CG_OK)
        err = open_store(names, cg_config_common(config)->state, problems);
    if (err == CG_OK)
        err = cg_workers_new("names", 1, 4096, &names->worker);
    cg_config_unref(config);
    return err;
}

cg_err gw_names_new(struct gw_gateway *gw, struct cg_problems *problems, struct gw_names **out)
{
    struct gw_names *names = calloc(1, sizeof *names);

    if (!names)
        return CG_NO_MEMORY;
    names->gw = gw;
    names->loop = gw->setup.service;
    cg_err err = make(names, problems);
    if (err != CG_OK) {
        gw_names_free(names);
        return err;
    }
    *out = names;
    return CG_OK;
}

void gw_names_end(struct gw_names *names)
{
    if (!names)
        return;
    cg_workers_free(names->worker);
    names->worker = NULL;
    for (size_t i = 0; i < GW_ENTRIES; i++)
        while (names->entries[i]) {
            gw_entry_settle(names->entries[i], NULL, CG_CANCELLED);
            free_entry(names, &names->entries[i]);
        }
}

void gw_names_free(struct gw_names *names)
{
    if (!names)
        return;
    gw_names_end(names);
    for (size_t i = 0; i < GW_PROFILES; i++)
        gw_profile_unref(names->profiles[i]);
    for (size_t i = 0; i < names->n_registries; i++)
        cg_endpoint_free(names->registries[i]);
    cg_endpoint_free(names->ledger);
    cg_pool_free(names->pool);
    cg_resolver_free(names->resolver);
    cg_tls_conf_unref(names->tls);
    cg_store_free(names->store);
    free(names);
}
