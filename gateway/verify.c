#include "gateway/verify.h"

#include <stdlib.h>

struct work {
    struct cg_sig_job *job;
    const struct cg_crypto *crypto;
};

static cg_err run_work(void *arg)
{
    struct work *work = arg;

    cg_sig_job_run(work->job, work->crypto);
    return CG_OK;
}

static void free_work(void *arg)
{
    struct work *work = arg;

    cg_sig_job_free(work->job);
    free(work);
}

static const struct cg_job_kind verify_kind = {"verify", run_work, free_work};

/* How long a request may wait for a worker. */
#define VERIFY_MS 5000

cg_err gw_verify_begin(struct gw_request *req, struct cg_sig_job *job)
{
    struct gw_thread *thread = gw_thread_of(req);
    struct work *work = malloc(sizeof *work);

    if (!work) {
        cg_sig_job_free(job);
        return CG_NO_MEMORY;
    }
    *work = (struct work){job, thread->gw->setup.crypto};
    cg_err err =
        cg_job_begin(thread->gw->setup.workers, &verify_kind, work, thread->loop, req->ticket,
                     GW_TAG_SIGNATURE, cg_mono_after(cg_loop_mono(thread->loop), VERIFY_MS));
    if (err == CG_OK)
        req->waits |= 1u << GW_TAG_SIGNATURE;
    return err;
}

struct cg_sig_job *gw_verify_take(struct cg_call *call)
{
    struct work *work = cg_job_work(call);
    struct cg_sig_job *job = NULL;

    if (work) {
        job = work->job;
        work->job = NULL;
    }
    return job;
}
