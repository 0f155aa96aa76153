#include "registry/inner.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "registry/office.h"
#include "runtime/file.h"
#include "runtime/seed.h"

#include <httpcg/url.h>

#include <stdlib.h>

#define STORE_QUEUE_MAX 4096

static cg_err complain(struct cg_problems *problems, const char *where, const char *what)
{
    cg_problem_add(problems, where, 0, 0, "%s", what);
    return CG_CONFIG;
}

static cg_err open_store(struct rg_registry *registry, struct cg_problems *problems)
{
    char why[CG_STORE_WHY_BYTES];
    cg_err err = cg_store_open_sqlite(registry->setup.database, why, &registry->store);

    if (err != CG_OK)
        cg_problem_add(problems, registry->setup.database, 0, 0,
                       "the database cannot be opened: %s", why);
    return err;
}

static cg_err make_office(struct rg_registry *registry, const struct cg_secret *seed,
                          struct cg_problems *problems)
{
    const char *path = registry->setup.options->wallet_doc;
    CG_AUTO(buf) struct cg_buf doc = {0};

    if (!path || cg_file_read(path, CG_DOCUMENT_MAX_BYTES, &doc) != CG_OK)
        return complain(problems, path ? path : "registry",
                        "cannot be read, and it is the registry's wallet document "
                        "(registry.wallet_doc)");
    cg_err err = rg_office_new(registry->setup.crypto, registry->setup.trust, seed,
                               cg_buf_span(&doc), &registry->office);
    if (err != CG_OK && err != CG_NO_MEMORY)
        return complain(problems, path, "is not the wallet document of the key in registry.key");
    return err;
}

static cg_err open_keys(struct rg_registry *registry, struct cg_problems *problems)
{
    const struct rg_options *options = registry->setup.options;
    const struct cg_seed_ask ask = {
        .section = "registry",
        .key = options->key,
        .passphrase = options->passphrase,
        .role = "registry",
    };
    struct cg_secret seed;

    CG_TRY(cg_seed_load(registry->setup.crypto, &ask, problems, &seed));
    cg_err err = make_office(registry, &seed, problems);
    cg_secret_done(&seed);
    CG_TRY(err);
    registry->did = *rg_office_did(registry->office);
    /* Nobody would believe its answers, the registry itself included. */
    if (!cg_trust_find_registry(registry->setup.trust, &registry->did))
        return complain(problems, options->key,
                        "is of a DID that the trust file does not name as a registry");
    return CG_OK;
}

static cg_err start(struct rg_registry *registry, struct cg_problems *problems)
{
    CG_TRY(open_keys(registry, problems));
    CG_TRY(open_store(registry, problems));
    CG_TRY(cg_workers_new("registry-store", 1, STORE_QUEUE_MAX, &registry->store_thread));
    return rg_house_begin(registry);
}

cg_err rg_start(const struct rg_setup *setup, struct cg_problems *problems,
                struct rg_registry **out)
{
    struct rg_registry *registry = calloc(1, sizeof *registry);

    if (!registry)
        return CG_NO_MEMORY;
    registry->setup = *setup;
    registry->pending =
        (struct cg_pendings){.log = setup->log, .role = "registry", .owner = registry};
    registry->table = (struct cg_route_table){
        .name = "registry",
        .routes = rg_route_list,
        .n_routes = rg_n_routes,
        .body_max = CG_RESOLVE_MAX_BYTES,
        .role = registry,
    };
    cg_err err = start(registry, problems);
    if (err != CG_OK) {
        if (problems->n == 0)
            cg_problem_add(problems, "registry", 0, 0, "cannot start: %s", cg_err_text(err));
        rg_stop(registry);
        return err;
    }
    *out = registry;
    return CG_OK;
}

const struct cg_route_table *rg_routes(const struct rg_registry *registry)
{
    return &registry->table;
}

bool rg_is_ready(const struct rg_registry *registry, const char **why)
{
    if (!registry->is_known)
        *why = "the ledger does not have the registry's DID yet";
    return registry->is_known;
}

const struct cg_waddr *rg_did(const struct rg_registry *registry)
{
    return &registry->did;
}

void rg_drain(struct rg_registry *registry)
{
    registry->is_draining = true;
}

bool rg_is_drained(const struct rg_registry *registry)
{
    return registry->is_draining && !registry->pending.first;
}

void rg_stop(struct rg_registry *registry)
{
    if (!registry)
        return;
    /* First the thread that works on what is freed below. */
    if (registry->store_thread)
        cg_workers_free(registry->store_thread);
    cg_pendings_stop(&registry->pending);
    rg_house_end(registry);
    cg_store_free(registry->store);
    rg_office_unref(registry->office);
    free(registry);
}
