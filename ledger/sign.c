#include "ledger/sign.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/key_heap.h"

#include <httpcg/checkpoint.h>

#include <stdatomic.h>
#include <stdlib.h>

struct lg_office {
    atomic_uint refs;
    struct cg_sign_key *ed25519, *mldsa87;
    struct cg_span origin;
    struct cg_public_keys keys;
    struct cg_quorum quorum; /* none: for looking at what was just signed */
    struct cg_tlog log;
    struct cg_waddr registries[LG_REGISTRIES_MAX];
    struct lg_rules rules;
};

static cg_err make_keys(const struct cg_crypto *crypto, const struct cg_secret *seed,
                        struct lg_office *office)
{
    struct cg_seeds seeds;

    CG_TRY(cg_wallet_seeds(seed, &seeds));
    cg_key_heap_begin();
    cg_err err = cg_sign_key_new(crypto, CG_ALG_ED25519, &seeds.ed25519, &office->ed25519);
    if (err == CG_OK)
        err = cg_sign_key_new(crypto, CG_ALG_MLDSA87, &seeds.mldsa87, &office->mldsa87);
    cg_key_heap_end();
    cg_seeds_done(&seeds);
    CG_TRY(err);
    CG_TRY(cg_sign_key_public(office->ed25519, office->keys.ed25519));
    return cg_sign_key_public(office->mldsa87, office->keys.mldsa87);
}

static cg_err fill(const struct cg_crypto *crypto, const struct lg_options *options,
                   const struct cg_secret *seed, struct lg_office *office)
{
    office->origin = cg_span_str(options->origin);
    office->quorum.is_none = true;
    CG_TRY(make_keys(crypto, seed, office));
    CG_TRY(cg_tlog_init(crypto, office->origin, &office->keys, &office->quorum, INT64_MAX,
                        &office->log));
    for (size_t i = 0; i < options->registries.n; i++) {
        const char *did = *CG_LIST_AT(options->registries, const char *, i);

        if (i == LG_REGISTRIES_MAX ||
            cg_did_read(cg_span_str(did), &office->registries[i]) != CG_OK)
            return CG_CONFIG;
    }
    office->rules = (struct lg_rules){
        .crypto = crypto,
        .log_id = office->log.id,
        .registries = office->registries,
        .n_registries = options->registries.n,
    };
    return CG_OK;
}

cg_err lg_office_new(const struct cg_crypto *crypto, const struct lg_options *options,
                     const struct cg_secret *seed, struct lg_office **out)
{
    struct lg_office *office = calloc(1, sizeof *office);

    if (!office)
        return CG_NO_MEMORY;
    atomic_init(&office->refs, 1);
    cg_err err = fill(crypto, options, seed, office);
    if (err != CG_OK) {
        lg_office_unref(office);
        return err;
    }
    *out = office;
    return CG_OK;
}

struct lg_office *lg_office_ref(struct lg_office *office)
{
    atomic_fetch_add_explicit(&office->refs, 1, memory_order_relaxed);
    return office;
}

void lg_office_unref(struct lg_office *office)
{
    if (!office || atomic_fetch_sub_explicit(&office->refs, 1, memory_order_acq_rel) != 1)
        return;
    cg_tlog_done(&office->log);
    cg_sign_key_free(office->ed25519);
    cg_sign_key_free(office->mldsa87);
    free(office);
}

const struct lg_rules *lg_office_rules(const struct lg_office *office)
{
    return &office->rules;
}

const struct cg_public_keys *lg_office_keys(const struct lg_office *office)
{
    return &office->keys;
}

const struct cg_log_id *lg_office_id(const struct lg_office *office)
{
    return &office->log.id;
}

cg_err lg_office_knows(const struct lg_office *office, struct cg_span note)
{
    struct cg_checkpoint_facts facts;
    struct cg_checkpoint checkpoint;

    CG_TRY(cg_checkpoint_read(note, &checkpoint));
    return cg_checkpoint_verify(&checkpoint, &office->log, (struct cg_wall){0}, &facts);
}

cg_err lg_office_sign(const struct lg_office *office, uint64_t size, const struct cg_hash *root,
                      struct cg_buf *out)
{
    const struct cg_tlog_signer signer = {office->origin, office->ed25519, office->mldsa87};
    struct cg_writer w = cg_writer_into(out);
    size_t before = out->len;

    CG_TRY(cg_checkpoint_sign(&signer, size, root, &w));
    cg_err err = lg_office_knows(office, cg_span_from(cg_buf_span(out), before));
    return err == CG_SIGNATURE ? CG_CRYPTO : err;
}
