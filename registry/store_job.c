#include "registry/inner.h"

static cg_err run(void *work)
{
    struct rg_store_job *job = work;

    return job->run(job, job->store);
}

static void free_job(void *work)
{
    struct rg_store_job *job = work;

    job->free(job);
}

static const struct cg_job_kind kind = {.name = "registry store", .run = run, .free = free_job};

cg_err rg_store_begin(struct rg_registry *registry, struct rg_store_job *job, struct cg_ticket who,
                      unsigned tag)
{
    job->store = registry->store;
    return cg_job_begin(registry->store_thread, &kind, job, registry->setup.loop, who, tag,
                        CG_NEVER);
}
