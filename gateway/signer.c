#include "gateway/signer.h"

#include "gateway/identity.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#include <pthread.h>
#include <stdlib.h>

struct ask {
    struct cg_call call;
    struct gw_signer *signer;
    struct gw_identity *identity;
    enum cg_hsig_dom dom;
    struct cg_buf message;
    struct cg_buf signature;
    struct ask *next;
};

struct gw_signer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct ask *first, **last; /* waiting, oldest first */
    size_t n_waiting;
    bool stopping;
};

/* Takes the oldest and all that can share its signature: same keys, same purpose. */
static struct ask *take_batch(struct gw_signer *signer)
{
    struct ask *batch = NULL, **tail = &batch, **at = &signer->first;
    size_t n = 0;

    while (*at && n < CG_BATCH_MAX) {
        struct ask *ask = *at;

        if (batch && (ask->identity != batch->identity || ask->dom != batch->dom)) {
            at = &ask->next;
            continue;
        }
        *at = ask->next;
        ask->next = NULL;
        *tail = ask;
        tail = &ask->next;
        n++;
    }
    signer->n_waiting -= n;
    signer->last = &signer->first;
    while (*signer->last)
        signer->last = &(*signer->last)->next;
    return batch;
}

static cg_err sign(struct ask *batch, struct cg_batch *work)
{
    size_t index;

    cg_batch_init(work);
    for (struct ask *ask = batch; ask; ask = ask->next)
        CG_TRY(cg_batch_add(work, cg_buf_span(&ask->message), &index));
    CG_TRY(cg_batch_sign(work, batch->identity->transport, batch->dom));
    index = 0;
    for (struct ask *ask = batch; ask; ask = ask->next)
        CG_TRY(cg_batch_write(work, index++, &ask->signature));
    return CG_OK;
}

static void *serve(void *arg)
{
    struct gw_signer *signer = arg;
    struct cg_batch *work = malloc(sizeof *work);

    pthread_mutex_lock(&signer->lock);
    for (;;) {
        while (!signer->first && !signer->stopping)
            pthread_cond_wait(&signer->news, &signer->lock);
        if (!signer->first)
            break;
        struct ask *batch = take_batch(signer);
        cg_err err = signer->stopping ? CG_CANCELLED : CG_OK;
        pthread_mutex_unlock(&signer->lock);
        if (err == CG_OK)
            err = work ? sign(batch, work) : CG_NO_MEMORY;
        while (batch) {
            struct ask *next = batch->next;
            cg_call_end_from(&batch->call, err); /* from here it may be gone */
            batch = next;
        }
        pthread_mutex_lock(&signer->lock);
    }
    pthread_mutex_unlock(&signer->lock);
    free(work);
    return NULL;
}

cg_err gw_signer_new(struct gw_signer **out)
{
    struct gw_signer *signer = calloc(1, sizeof *signer);

    if (!signer)
        return CG_NO_MEMORY;
    signer->last = &signer->first;
    pthread_mutex_init(&signer->lock, NULL);
    pthread_cond_init(&signer->news, NULL);
    if (pthread_create(&signer->thread, NULL, serve, signer) != 0) {
        pthread_cond_destroy(&signer->news);
        pthread_mutex_destroy(&signer->lock);
        free(signer);
        return CG_IO;
    }
    *out = signer;
    return CG_OK;
}

void gw_signer_free(struct gw_signer *signer)
{
    if (!signer)
        return;
    pthread_mutex_lock(&signer->lock);
    signer->stopping = true;
    pthread_cond_signal(&signer->news);
    pthread_mutex_unlock(&signer->lock);
    pthread_join(signer->thread, NULL);
    pthread_cond_destroy(&signer->news);
    pthread_mutex_destroy(&signer->lock);
    free(signer);
}

static bool stop_ask(struct cg_call *call)
{
    struct ask *ask = (struct ask *)call;
    struct gw_signer *signer = ask->signer;
    bool found = false;

    pthread_mutex_lock(&signer->lock);
    for (struct ask **at = &signer->first; *at; at = &(*at)->next) {
        if (*at != ask)
            continue;
        *at = ask->next;
        if (signer->last == &ask->next)
            signer->last = at;
        signer->n_waiting--;
        found = true;
        break;
    }
    pthread_mutex_unlock(&signer->lock);
    return found;
}

static void free_ask(struct cg_call *call)
{
    struct ask *ask = (struct ask *)call;

    gw_identity_unref(ask->identity);
    cg_buf_done(&ask->message);
    cg_buf_done(&ask->signature);
    free(ask);
}

static const struct cg_call_kind sign_kind = {"sign", stop_ask, free_ask};

cg_err gw_sign_begin(struct gw_signer *signer, struct gw_identity *identity, enum cg_hsig_dom dom,
                     struct cg_span message, struct cg_loop *loop, struct cg_ticket who,
                     unsigned tag, struct cg_mono deadline)
{
    struct ask *ask = calloc(1, sizeof *ask);

    if (!ask)
        return CG_NO_MEMORY;
    ask->signer = signer;
    ask->dom = dom;
    cg_buf_init(&ask->message, message.len);
    cg_buf_init(&ask->signature, CG_BATCH_MAX_BYTES);
    if (cg_buf_add(&ask->message, message) != CG_OK) {
        free(ask);
        return CG_NO_MEMORY;
    }
    ask->identity = gw_identity_ref(identity);

    pthread_mutex_lock(&signer->lock);
    bool is_full = signer->n_waiting >= GW_SIGNER_QUEUE_MAX;
    if (!is_full) {
        cg_call_begin(&ask->call, &sign_kind, loop, who, tag, deadline);
        *signer->last = ask;
        signer->last = &ask->next;
        signer->n_waiting++;
        pthread_cond_signal(&signer->news);
    }
    pthread_mutex_unlock(&signer->lock);
    if (is_full) {
        free_ask(&ask->call);
        return CG_BUSY;
    }
    return CG_OK;
}

struct cg_span gw_signature_of(struct cg_call *call)
{
    return call->err == CG_OK ? cg_buf_span(&((struct ask *)call)->signature)
                              : (struct cg_span){NULL, 0};
}
