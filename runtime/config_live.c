#include "runtime/config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct cg_config_live {
    pthread_mutex_t lock;
    struct cg_config *config;
    _Atomic uint64_t generation;
};

cg_err cg_config_live_new(struct cg_config *first, struct cg_config_live **out)
{
    struct cg_config_live *live = calloc(1, sizeof *live);

    if (!live)
        return CG_NO_MEMORY;
    pthread_mutex_init(&live->lock, NULL);
    atomic_init(&live->generation, 1);
    live->config = cg_config_ref(first);
    *out = live;
    return CG_OK;
}

void cg_config_live_free(struct cg_config_live *live)
{
    if (!live)
        return;
    cg_config_unref(live->config);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

uint64_t cg_config_live_generation(const struct cg_config_live *live)
{
    return atomic_load_explicit(&live->generation, memory_order_acquire);
}

struct cg_config *cg_config_live_ref(struct cg_config_live *live)
{
    pthread_mutex_lock(&live->lock);
    struct cg_config *config = cg_config_ref(live->config);
    pthread_mutex_unlock(&live->lock);
    return config;
}

void cg_config_live_swap(struct cg_config_live *live, struct cg_config *next)
{
    pthread_mutex_lock(&live->lock);
    struct cg_config *old = live->config;
    live->config = next;
    atomic_fetch_add_explicit(&live->generation, 1, memory_order_release);
    pthread_mutex_unlock(&live->lock);
    cg_config_unref(old);
}
