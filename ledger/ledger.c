#include "ledger/inner.h"

#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/seed.h"

#include <stdlib.h>

/* Questions that may wait for the reading thread; a question takes some 100 microseconds. */
#define READ_QUEUE_MAX 4096

static cg_err open_store(const char *path, struct cg_problems *problems, struct cg_store **out)
{
    char why[CG_STORE_WHY_BYTES];
    cg_err err = cg_store_open_sqlite(path, why, out);

    if (err != CG_OK)
        cg_problem_add(problems, path, 0, 0, "the database cannot be opened: %s", why);
    return err;
}

static cg_err open_keys(struct lg_ledger *ledger, struct cg_problems *problems)
{
    const struct lg_options *options = ledger->setup.options;
    const struct cg_seed_ask ask = {
        .section = "ledger",
        .key = options->key,
        .passphrase = options->passphrase,
        .role = "log",
    };
    struct cg_secret seed;

    CG_TRY(cg_seed_load(ledger->setup.crypto, &ask, problems, &seed));
    cg_err err = lg_office_new(ledger->setup.crypto, options, &seed, &ledger->office);
    cg_secret_done(&seed);
    return err;
}

/* A log that went on under another name or other keys would be one that nobody trusts, and would
 * leave the one before without an end. */
static cg_err check_history(struct lg_ledger *ledger, struct cg_problems *problems)
{
    struct cg_arena arena;
    struct cg_log_heads heads;

    cg_arena_init(&arena, 2 * CG_NOTE_MAX_BYTES);
    cg_err err = cg_store_log_heads(ledger->reader, &arena, &heads);
    if (err == CG_OK && heads.has_published) {
        err = lg_office_knows(ledger->office, heads.published.note);
        if (err == CG_MISMATCH)
            cg_problem_add(problems, ledger->setup.database, 0, 0,
                           "holds a log of another name than %s; correct ledger.origin, or choose "
                           "another state folder",
                           ledger->setup.options->origin);
        else if (err == CG_SIGNATURE)
            cg_problem_add(problems, ledger->setup.database, 0, 0,
                           "holds a log of other keys than %s (ledger.key); name the keys it was "
                           "begun with, or choose another state folder",
                           ledger->setup.options->key);
    }
    cg_arena_done(&arena);
    return err;
}

static cg_err start(struct lg_ledger *ledger, struct cg_problems *problems)
{
    CG_TRY(open_keys(ledger, problems));
    CG_TRY(open_store(ledger->setup.database, problems, &ledger->writer));
    CG_TRY(open_store(ledger->setup.database, problems, &ledger->reader));
    CG_TRY(check_history(ledger, problems));
    CG_TRY(cg_workers_new("ledger-write", 1, 8, &ledger->write_thread));
    CG_TRY(cg_workers_new("ledger-read", 1, READ_QUEUE_MAX, &ledger->read_thread));
    ledger->book.store = ledger->writer;
    return lg_run_begin(ledger);
}

cg_err lg_start(const struct lg_setup *setup, struct cg_problems *problems, struct lg_ledger **out)
{
    struct lg_ledger *ledger = calloc(1, sizeof *ledger);

    if (!ledger)
        return CG_NO_MEMORY;
    ledger->setup = *setup;
    ledger->pending = (struct cg_pendings){.log = setup->log, .role = "ledger", .owner = ledger};
    ledger->table = (struct cg_route_table){
        .name = "ledger",
        .routes = lg_route_list,
        .n_routes = lg_n_routes,
        .body_max = CG_DOCUMENT_MAX_BYTES,
        .role = ledger,
    };
    cg_err err = start(ledger, problems);
    if (err != CG_OK) {
        if (problems->n == 0)
            cg_problem_add(problems, "ledger", 0, 0, "cannot start: %s", cg_err_text(err));
        lg_stop(ledger);
        return err;
    }
    *out = ledger;
    return CG_OK;
}

const struct cg_route_table *lg_routes(const struct lg_ledger *ledger)
{
    return &ledger->table;
}

bool lg_is_ready(const struct lg_ledger *ledger, const char **why)
{
    if (ledger->published.len == 0)
        *why = "the ledger has not published a head yet";
    return ledger->published.len > 0;
}

const struct cg_public_keys *lg_keys(const struct lg_ledger *ledger)
{
    return lg_office_keys(ledger->office);
}

const struct cg_log_id *lg_id(const struct lg_ledger *ledger)
{
    return lg_office_id(ledger->office);
}

void lg_drain(struct lg_ledger *ledger)
{
    ledger->is_draining = true;
}

bool lg_is_drained(const struct lg_ledger *ledger)
{
    return ledger->is_draining && !ledger->pending.first;
}

void lg_stop(struct lg_ledger *ledger)
{
    if (!ledger)
        return;
    /* First the threads that work on what is freed below. */
    if (ledger->write_thread)
        cg_workers_free(ledger->write_thread);
    if (ledger->read_thread)
        cg_workers_free(ledger->read_thread);
    cg_pendings_stop(&ledger->pending);
    lg_run_end(ledger);
    lg_batch_done(&ledger->batch);
    cg_buf_done(&ledger->note);
    cg_buf_done(&ledger->published);
    cg_store_free(ledger->writer);
    cg_store_free(ledger->reader);
    lg_office_unref(ledger->office);
    free(ledger);
}
