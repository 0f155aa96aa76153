#include "gateway/own.h"

#include "gateway/follow.h"
#include "gateway/identity.h"
#include "gateway/names_inner.h"
#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#include <stdatomic.h>
#include <stdlib.h>

#define OWN_OF(t) ((struct gw_own *)((char *)(t)-offsetof(struct gw_own, timer)))

#define TICK_MS 200
#define ASK_MS 5000
#define VERIFY_MS 10000
#define REMIND_MS (3600 * 1000)
/* More renewals than that within a connection's life are no plan of anybody's; the oldest go. */
#define CERTS_MAX 16

enum tag {
    ASK = 1,
    VERIFY,
};

struct cert {
    struct cert *next;
    struct gw_own *own;
    struct gw_identity *identity;
    struct cg_ticket ticket;
    bool is_asking;
    cg_err failed;             /* how the last question ended */
    struct cg_mono since;      /* when it was first seen */
    struct cg_mono asked, due; /* the last question, the next */
    uint64_t log_size;         /* of the tree that the last answer was under */
    struct cg_mono told;       /* when to tell that it waits */
};

struct gw_own {
    struct gw_names *names;
    struct cert *certs; /* newest first */
    size_t n_certs;
    struct cg_timer timer;
};

struct work {
    struct gw_names *names;
    struct gw_identity *identity;
    struct cg_buf staple;
    struct cg_wall now;
    size_t log;               /* out */
    struct cg_tlog_seen head; /* out */
    cg_err age;               /* out: what is wrong with its age */
    bool is_revoked;          /* out */
};

/* --- on the worker --------------------------------------------------------------------------- */

/* What clients will check is checked before they do. */
static cg_err run_work(void *arg)
{
    struct work *work = arg;
    const struct cg_ledger_view view = gw_names_view(work->names, work->now);
    const struct cg_cert *cert = &work->identity->cert;
    struct cg_staple_facts facts = {.failed = CG_STAPLE_FORM};
    struct cg_did_state did;

    CG_TRY(cg_did_check(work->names->gw->setup.crypto, cert->wallet_doc, &cert->subject, &did));
    cg_err err = cg_staple_verify_cert(cg_buf_span(&work->staple), &view, cert, &did, &facts);
    work->age = err != CG_OK && facts.failed == CG_STAPLE_AGE ? err : CG_OK;
    work->is_revoked = err == CG_REVOKED;
    if (work->is_revoked)
        return CG_OK;
    CG_TRY(err);
    work->log = facts.log;
    work->head = facts.head;
    return gw_names_head(work->names, &facts);
}

static void free_work(void *arg)
{
    struct work *work = arg;

    gw_identity_unref(work->identity);
    cg_buf_done(&work->staple);
    free(work);
}

static const struct cg_job_kind work_kind = {"certificate", run_work, free_work};

/* --- on the service loop --------------------------------------------------------------------- */

static struct cg_mono after(const struct gw_own *own, int64_t ms)
{
    return cg_mono_after(cg_loop_mono(own->names->loop), ms);
}

/* Until the first word came, soon again, and the longer it does not come the later: a quarter of
 * the time that has passed. */
static int64_t pause_of(const struct cert *cert)
{
    int64_t waited = (cg_loop_mono(cert->own->names->loop).us - cert->since.us) / 1000;

    if (atomic_load(&cert->identity->has_staple) || waited / 4 > GW_OWN_EVERY_MS)
        return GW_OWN_EVERY_MS;
    return waited / 4 > TICK_MS ? waited / 4 : TICK_MS;
}

static void settle(struct cert *cert, cg_err err)
{
    struct gw_own *own = cert->own;

    cert->is_asking = false;
    cert->due = after(own, pause_of(cert));
    if (err != CG_OK && (err != cert->failed || atomic_load(&cert->identity->has_staple)))
        cg_log(own->names->gw->setup.log, WARN, ledger_failed, CG_ERR(err),
               CG_STR("about", "own certificate"),
               CG_HEX("fingerprint", cg_hash_span(&cert->identity->cert.fingerprint)));
    cert->failed = err;
}

static cg_err give(struct cert *cert, const struct cg_answer *answer)
{
    struct gw_names *names = cert->own->names;
    struct work *work;

    if (!answer)
        return CG_UNREACHABLE;
    if (answer->head->status != 200)
        return answer->head->status == 404 ? CG_NOT_FOUND : CG_UNREACHABLE;
    work = calloc(1, sizeof *work);
    if (!work)
        return CG_NO_MEMORY;
    work->names = names;
    work->identity = gw_identity_ref(cert->identity);
    work->now = cg_loop_wall(names->loop);
    cg_buf_init(&work->staple, CG_STAPLE_MAX_BYTES);
    cg_err err = cg_buf_add(&work->staple, answer->body);
    if (err != CG_OK) {
        free_work(work);
        return err;
    }
    return cg_job_begin(names->worker, &work_kind, work, names->loop, cert->ticket, VERIFY,
                        after(cert->own, VERIFY_MS));
}

static void take(struct cert *cert, struct cg_call *call)
{
    struct work *work = cg_job_work(call);
    struct gw_names *names = cert->own->names;
    struct gw_identity *identity = cert->identity;

    if (call->err != CG_OK || !work) {
        gw_saw_no_head(names->gw, work ? work->age : CG_OK);
        settle(cert, call->err != CG_OK ? call->err : CG_CANCELLED);
        return;
    }
    if (work->is_revoked) {
        if (!atomic_exchange(&identity->is_revoked, true))
            cg_log(names->gw->setup.log, ERROR, certificate_revoked,
                   CG_HEX("fingerprint", cg_hash_span(&identity->cert.fingerprint)));
    } else {
        cert->log_size = work->head.size;
        gw_saw_head(names->gw, work->log, &work->head, cert->asked);
        gw_follow_saw(names->follow, work->head.size);
        gw_identity_set_staple(identity, &work->staple);
        gw_identity_confirmed(names->gw, identity);
    }
    settle(cert, CG_OK);
}

static void on_call(void *owner, struct cg_call *call)
{
    struct cert *cert = owner;

    if (call->tag == VERIFY) {
        take(cert, call);
        return;
    }
    cg_err err = call->err != CG_OK ? call->err : give(cert, cg_answer_of(call));
    if (err != CG_OK)
        settle(cert, err);
}

static void ask(struct cert *cert)
{
    struct gw_names *names = cert->own->names;
    struct cg_mono now = cg_loop_mono(names->loop);
    char path[128];
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    cert->asked = now;
    cg_put_str(&w, "/staple?fpr=");
    cg_put_hex(&w, cg_hash_span(&cert->identity->cert.fingerprint));
    cg_err err = cg_writer_end(&w);
    if (err == CG_OK)
        err = cg_endpoint_begin(names->ledger, CG_LIT("GET"), cg_writer_span(&w), NULL, 0,
                                (struct cg_span){NULL, 0}, cert->ticket, ASK,
                                after(cert->own, ASK_MS));
    if (err == CG_OK)
        cert->is_asking = true;
    else
        settle(cert, err);
}

/* --- which ones ------------------------------------------------------------------------------ */

static void drop(struct gw_own *own, struct cert **at)
{
    struct cert *cert = *at;

    *at = cert->next;
    cg_slot_end(own->names->loop, cert->ticket);
    gw_identity_unref(cert->identity);
    free(cert);
    own->n_certs--;
}

/* Whom nobody else knows any more has no connection left. */
static void drop_unused(struct gw_own *own)
{
    struct cert **at = &own->certs;

    while (*at) {
        bool is_last = own->n_certs > CERTS_MAX && !(*at)->next;

        if (atomic_load(&(*at)->identity->refs) == 1 || is_last)
            drop(own, at);
        else
            at = &(*at)->next;
    }
}

static void add(struct gw_own *own, struct gw_identity *identity)
{
    struct cg_mono now = cg_loop_mono(own->names->loop);
    struct cert *cert = own->certs;

    while (cert && cert->identity != identity)
        cert = cert->next;
    if (!identity || cert)
        return;
    cert = calloc(1, sizeof *cert);
    if (!cert || cg_slot_open(own->names->loop, on_call, cert, &cert->ticket) != CG_OK) {
        free(cert);
        return; /* the next tick tries again */
    }
    cert->own = own;
    cert->identity = gw_identity_ref(identity);
    cert->since = cert->due = now;
    cert->told = after(own, GW_OWN_PATIENCE_MS);
    cert->next = own->certs;
    own->certs = cert;
    own->n_certs++;
}

static bool is_due(const struct cert *cert)
{
    const struct gw_own *own = cert->own;
    struct cg_mono now = cg_loop_mono(own->names->loop);
    bool has_news = cert->log_size > 0 && gw_follow_size(own->names->follow) > cert->log_size;
    /* Nobody else asks then, since no grants are given. */
    bool has_doubt =
        gw_clock_is_wrong(&own->names->gw->clock) || atomic_load(&own->names->gw->is_ledger_late);

    return !cert->is_asking && (cg_mono_is_due(cert->due, now) ||
                                ((has_news || has_doubt) &&
                                 cg_mono_is_due(cg_mono_after(cert->asked, GW_OWN_NEWS_MS), now)));
}

/* A renewal that does not come into use must not be found out when the old certificate ends. */
static void remind(struct cert *cert)
{
    struct gw_own *own = cert->own;
    struct cg_mono now = cg_loop_mono(own->names->loop);

    if (!cg_mono_is_due(cert->told, now))
        return;
    cert->told = after(own, REMIND_MS);
    cg_log(own->names->gw->setup.log, WARN, certificate_waiting,
           CG_HEX("fingerprint", cg_hash_span(&cert->identity->cert.fingerprint)),
           CG_INT("waited_s", (now.us - cert->since.us) / 1000000), CG_ERR(cert->failed));
}

static void on_timer(struct cg_timer *timer)
{
    struct gw_own *own = OWN_OF(timer);
    struct cg_loop *loop = own->names->loop;
    struct gw_identity *in_use, *waiting;

    gw_identities(own->names->gw, &in_use, &waiting);
    add(own, in_use);
    add(own, waiting);
    for (struct cert *cert = own->certs; cert; cert = cert->next) {
        if (is_due(cert))
            ask(cert);
        if (cert->identity == waiting)
            remind(cert);
    }
    gw_identity_unref(in_use);
    gw_identity_unref(waiting);
    drop_unused(own);
    cg_loop_set(loop, timer, after(own, TICK_MS));
}

/* --- the whole ------------------------------------------------------------------------------- */

cg_err gw_own_new(struct gw_names *names, struct gw_own **out)
{
    struct gw_own *own = calloc(1, sizeof *own);

    if (!own)
        return CG_NO_MEMORY;
    own->names = names;
    cg_timer_init(&own->timer, on_timer);
    *out = own;
    return CG_OK;
}

void gw_own_start(struct gw_own *own)
{
    on_timer(&own->timer);
}

void gw_own_free(struct gw_own *own)
{
    if (!own)
        return;
    cg_loop_unset(own->names->loop, &own->timer);
    while (own->certs)
        drop(own, &own->certs);
    free(own);
}
