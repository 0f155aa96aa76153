#include "gateway/gateway.h"

#include "gateway/follow.h"
#include "gateway/identity.h"
#include "gateway/metrics.h"
#include "gateway/names_inner.h"
#include "gateway/own.h"
#include "gateway/signer.h"
#include "gateway/thread.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"

#include <stdatomic.h>
#include <stdlib.h>

#define HOUR_MS (3600 * 1000)
#define TICK_MS 500
#define GATEWAY_OF(t, member)                                                                      \
    ((struct gw_gateway *)((char *)(t)-offsetof(struct gw_gateway, member)))

struct gw_identity *gw_identity_now(struct gw_gateway *gw)
{
    pthread_mutex_lock(&gw->lock);
    struct gw_identity *identity = gw_identity_ref(gw->identity);
    pthread_mutex_unlock(&gw->lock);
    return identity;
}

void gw_identities(struct gw_gateway *gw, struct gw_identity **in_use, struct gw_identity **waiting)
{
    pthread_mutex_lock(&gw->lock);
    *in_use = gw_identity_ref(gw->identity);
    *waiting = gw->waiting ? gw_identity_ref(gw->waiting) : NULL;
    pthread_mutex_unlock(&gw->lock);
}

static void log_certificate(struct gw_gateway *gw, const struct gw_identity *identity)
{
    cg_log(gw->setup.log, INFO, certificate_loaded, CG_STR("did", identity->did),
           CG_HEX("fingerprint", cg_hash_span(&identity->cert.fingerprint)),
           CG_INT("expires", identity->cert.expires.s));
}

/* New connections get this one; under the lock. Owns: identity is given away, *before the caller's
 * to give back. */
static void replace(struct gw_gateway *gw, struct gw_identity *identity,
                    struct gw_identity **before)
{
    *before = gw->identity;
    gw->identity = identity;
    atomic_fetch_add(&gw->generation, 1);
}

void gw_identity_confirmed(struct gw_gateway *gw, struct gw_identity *identity)
{
    struct gw_identity *before = NULL;

    pthread_mutex_lock(&gw->lock);
    if (gw->waiting == identity) {
        gw->waiting = NULL;
        replace(gw, identity, &before);
    }
    pthread_mutex_unlock(&gw->lock);
    if (before)
        log_certificate(gw, identity);
    gw_identity_unref(before);
}

static void tell_clock(struct gw_gateway *gw, enum gw_clock_news news)
{
    if (news == GW_CLOCK_WRONG)
        cg_log(gw->setup.log, ERROR, clock_wrong, CG_INT("ahead_s", gw->clock.off_s));
    if (news == GW_CLOCK_AGREES)
        cg_log(gw->setup.log, INFO, clock_agrees);
}

void gw_saw_head(struct gw_gateway *gw, size_t log, const struct cg_tlog_seen *head,
                 struct cg_mono asked)
{
    struct cg_loop *loop = gw->setup.service;

    atomic_store(&gw->is_ledger_late, false);
    tell_clock(gw,
               gw_clock_saw(&gw->clock, log, head, asked, cg_loop_mono(loop), cg_loop_wall(loop)));
}

void gw_saw_no_head(struct gw_gateway *gw, cg_err err)
{
    if (err == CG_EARLY)
        tell_clock(gw, gw_clock_early(&gw->clock));
    if (err == CG_STALE)
        atomic_store(&gw->is_ledger_late, true);
}

/* Twice a second: a step is what happened in between. */
static void on_tick(struct cg_timer *timer)
{
    struct gw_gateway *gw = GATEWAY_OF(timer, tick);
    struct cg_loop *loop = gw->setup.service;
    int64_t by_s;

    if (gw_clock_stepped(&gw->clock, cg_loop_mono(loop), cg_loop_wall(loop), &by_s)) {
        cg_log(gw->setup.log, WARN, clock_stepped, CG_INT("by_s", by_s));
        cg_metric_add(cg_metrics_shard(gw->setup.metrics, gw->n_threads), &gw_metric_table,
                      GW_METRIC_CLOCK_STEPS, CG_LABELS(), 1);
    }
    cg_loop_set(loop, timer, cg_mono_after(cg_loop_mono(loop), TICK_MS));
}

/* The key of new tickets lives an hour, then accepts for one more. */
static void on_hour(struct cg_timer *timer)
{
    struct gw_gateway *gw = GATEWAY_OF(timer, hourly);
    struct cg_loop *loop = gw->setup.service;
    struct cg_secret fresh;

    if (cg_entropy_fill(fresh.bytes, sizeof fresh.bytes) == CG_OK) {
        pthread_mutex_lock(&gw->lock);
        gw->tickets_before = gw->tickets;
        gw->has_tickets_before = true;
        gw->tickets = fresh;
        atomic_fetch_add(&gw->generation, 1);
        pthread_mutex_unlock(&gw->lock);
        cg_secret_done(&fresh);
    }
    cg_loop_set(loop, timer, cg_mono_after(cg_loop_mono(loop), HOUR_MS));
}

static void on_started(struct cg_task *task)
{
    struct gw_gateway *gw = GATEWAY_OF(task, started);
    struct cg_loop *loop = gw->setup.service;

    if (!gw->names->own)
        return; /* another part did not start: the loops run once more, to end */
    cg_loop_set(loop, &gw->hourly, cg_mono_after(cg_loop_mono(loop), HOUR_MS));
    on_tick(&gw->tick);
    gw_own_start(gw->names->own);
}

static cg_err load_identity(struct gw_gateway *gw, struct cg_config *config,
                            struct cg_problems *problems, struct gw_identity **out)
{
    const struct gw_options *options = cg_config_values(config, &gw_option_table);

    return gw_identity_load(options, gw->setup.crypto, cg_clock_wall(), problems, out);
}

static cg_err make(struct gw_gateway *gw, struct cg_problems *problems)
{
    struct cg_config *config = cg_config_live_ref(gw->setup.config);
    cg_err err = load_identity(gw, config, problems, &gw->identity);

    cg_config_unref(config);
    CG_TRY(err);
    log_certificate(gw, gw->identity);
    CG_TRY(cg_entropy_fill(gw->known.salt.bytes, sizeof gw->known.salt.bytes));
    CG_TRY(cg_entropy_fill(gw->tickets.bytes, sizeof gw->tickets.bytes));
    CG_TRY(gw_signer_new(&gw->signer));
    CG_TRY(gw_names_new(gw, problems, &gw->names));
    CG_TRY(gw_follow_new(gw->names, &gw->names->follow));
    CG_TRY(gw_own_new(gw->names, &gw->names->own));
    gw->threads = calloc(gw->setup.n_threads, sizeof(struct gw_thread *));
    if (!gw->threads)
        return CG_NO_MEMORY;
    for (; gw->n_threads < gw->setup.n_threads; gw->n_threads++)
        CG_TRY(gw_thread_new(gw, gw->n_threads, problems, &gw->threads[gw->n_threads]));
    for (size_t i = 0; i < gw->n_threads; i++)
        CG_TRY(gw_thread_start(gw->threads[i]));
    gw->started.run = on_started;
    cg_loop_post(gw->setup.service, &gw->started);
    return CG_OK;
}

cg_err gw_start(const struct gw_setup *setup, struct cg_problems *problems, struct gw_gateway **out)
{
    struct gw_gateway *gw = calloc(1, sizeof *gw);

    if (!gw)
        return CG_NO_MEMORY;
    gw->setup = *setup;
    pthread_mutex_init(&gw->lock, NULL);
    cg_timer_init(&gw->hourly, on_hour);
    cg_timer_init(&gw->tick, on_tick);
    cg_err err = make(gw, problems);
    if (err != CG_OK) {
        gw_stop(gw);
        gw_end(gw);
        gw_free(gw);
        return err;
    }
    *out = gw;
    return CG_OK;
}

/* What becomes of a certificate that was read at a reload. */
enum fate {
    SAME,   /* nothing of it changed */
    NOW,    /* in use at once: its certificate is, only what belongs to it is new; or nobody can be
             * served with the one before anyway */
    WAITS,  /* until the ledger confirms it */
    FAILED, /* no memory */
};

static enum fate judge(struct gw_identity *present, struct gw_identity *fresh)
{
    if (cg_hash_eq(&present->cert.fingerprint, &fresh->cert.fingerprint)) {
        if (cg_hash_eq(&present->leaf, &fresh->leaf))
            return SAME;
        return gw_identity_inherit(fresh, present) == CG_OK ? NOW : FAILED;
    }
    return atomic_load(&present->has_staple) ? WAITS : NOW;
}

/* The certificate of a reload: whatever waited before waits no more, unless it is this one. */
static void renew(struct gw_gateway *gw, struct gw_identity *fresh)
{
    struct gw_identity *before = NULL, *waited;

    pthread_mutex_lock(&gw->lock);
    enum fate fate = judge(gw->identity, fresh);
    waited = gw->waiting;
    gw->waiting = NULL;
    if (fate == WAITS && waited && judge(waited, fresh) == SAME) {
        gw->waiting = waited;
        waited = fresh;
        fate = SAME;
    } else if (fate == WAITS) {
        gw->waiting = gw_identity_ref(fresh);
    } else if (fate == NOW) {
        replace(gw, gw_identity_ref(fresh), &before);
    }
    pthread_mutex_unlock(&gw->lock);
    if (fate == NOW)
        log_certificate(gw, fresh);
    if (fate == WAITS)
        cg_log(gw->setup.log, INFO, certificate_waiting,
               CG_HEX("fingerprint", cg_hash_span(&fresh->cert.fingerprint)));
    if (fate == FAILED)
        cg_log(gw->setup.log, ERROR, config_refused, CG_STR("problem", cg_err_text(CG_NO_MEMORY)));
    gw_identity_unref(before);
    if (waited != fresh)
        gw_identity_unref(waited);
    gw_identity_unref(fresh);
}

void gw_reload(struct gw_gateway *gw)
{
    struct cg_config *config = cg_config_live_ref(gw->setup.config);
    struct cg_problems problems = {0};
    struct gw_identity *fresh;
    cg_err err = load_identity(gw, config, &problems, &fresh);

    cg_config_unref(config);
    if (err != CG_OK) {
        cg_log(gw->setup.log, ERROR, config_refused,
               CG_STR("problem", problems.n ? problems.at[0].text : cg_err_text(err)),
               CG_STR("where", problems.n ? problems.at[0].where : NULL));
        return;
    }
    renew(gw, fresh);
}

void gw_drain(struct gw_gateway *gw)
{
    for (size_t i = 0; i < gw->n_threads; i++)
        gw_thread_drain(gw->threads[i]);
}

bool gw_is_drained(struct gw_gateway *gw)
{
    for (size_t i = 0; i < gw->n_threads; i++)
        if (atomic_load(&gw->threads[i]->n_drained) < gw->threads[i]->n_listeners)
            return false;
    return true;
}

bool gw_is_ready(struct gw_gateway *gw, const char **why)
{
    struct gw_identity *identity = gw_identity_now(gw);
    bool has_staple = atomic_load(&identity->has_staple);
    bool is_revoked = atomic_load(&identity->is_revoked);
    bool is_over = cg_cert_check_times(&identity->cert, cg_clock_wall()) != CG_OK;

    gw_identity_unref(identity);
    *why = is_revoked    ? "this gateway's certificate is revoked"
           : !has_staple ? "the ledger has not confirmed this gateway's certificate yet"
           : is_over     ? "this gateway's certificate has expired; renew it"
           : gw_clock_is_wrong(&gw->clock)
               ? "this machine's clock and the ledger's differ too much; set it"
           : atomic_load(&gw->is_ledger_late)
               ? "the ledger's newest head is too old, or this machine's clock is ahead"
               : NULL;
    return !*why;
}

const char *gw_note(struct gw_gateway *gw)
{
    const char *said = NULL;

    pthread_mutex_lock(&gw->lock);
    if (gw->waiting)
        said = atomic_load(&gw->waiting->is_revoked)
                   ? "the renewed certificate is revoked; the one before it serves"
                   : "the renewed certificate waits until the ledger confirms it (httpcg ledger "
                     "submit); the one before it serves";
    pthread_mutex_unlock(&gw->lock);
    return said;
}

uint16_t gw_port(const struct gw_gateway *gw)
{
    return atomic_load(&gw->port);
}

void gw_stop(struct gw_gateway *gw)
{
    if (!gw)
        return;
    for (size_t i = 0; i < gw->n_threads; i++)
        gw_thread_stop(gw->threads[i]);
}

void gw_end(struct gw_gateway *gw)
{
    if (!gw)
        return;
    cg_loop_unset(gw->setup.service, &gw->hourly);
    cg_loop_unset(gw->setup.service, &gw->tick);
    if (gw->names) {
        gw_own_free(gw->names->own);
        gw->names->own = NULL;
        gw_follow_free(gw->names->follow);
        gw->names->follow = NULL;
    }
    gw_names_end(gw->names);
    gw_signer_free(gw->signer);
    gw->signer = NULL;
}

struct cg_loop *gw_loop(struct gw_gateway *gw, size_t i)
{
    return gw && i < gw->n_threads ? gw->threads[i]->loop : NULL;
}

void gw_free(struct gw_gateway *gw)
{
    if (!gw)
        return;
    for (size_t i = 0; i < gw->n_threads; i++)
        gw_thread_free(gw->threads[i]);
    gw_names_free(gw->names);
    free(gw->threads);
    gw_identity_unref(gw->identity);
    gw_identity_unref(gw->waiting);
    cg_secret_done(&gw->tickets);
    cg_secret_done(&gw->tickets_before);
    pthread_mutex_destroy(&gw->lock);
    free(gw);
}
