/* Each allocation fails once: nothing leaks (the sanitizer tells), nothing is half done that
 * counts. */
#include "tests/support/check.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/merkle/map.h"
#include "lib/merkle/staple.h"

#include <httpcg/identity.h>

#define RUNS_MAX 5000

TEST(the_map_survives_each_allocation_failing)
{
    struct cg_map_change pairs[5] = {
        {{{1}}, {{1}}}, {{{1, 1}}, {{2}}}, {{{1, 1, 1}}, {{3}}}, {{{9}}, {{4}}}, {{{200}}, {{5}}}};
    struct cg_map_head want;
    bool failed = true;
    size_t n = 0;

    CHECK_OK(cg_map_rebuild(pairs, 5, &want));
    while (failed && n < RUNS_MAX) {
        struct cg_map_memory *memory = NULL;
        struct cg_map_head head = {.n_pairs = 77}, again = {.n_pairs = 77};

        cg_fail_alloc_at(++n);
        cg_err err = cg_map_memory_new(&memory);
        struct cg_map_pages pages = {0};
        if (err == CG_OK) {
            pages = cg_map_memory_pages(memory);
            err = cg_map_apply(&pages, pairs, 5, &head);
        }
        if (err == CG_OK)
            err = cg_map_rebuild(pairs, 5, &again);
        failed = cg_fail_alloc_off();
        CHECK(err == CG_OK || failed);
        CHECK(head.n_pairs == 77 || cg_hash_eq(&head.root, &want.root));
        CHECK(again.n_pairs == 77 || cg_hash_eq(&again.root, &want.root));
        /* Written again, it is what it should have been: pages saved before stand for themselves.
         */
        if (memory) {
            CHECK_OK(cg_map_apply(&pages, pairs, 5, &head));
            CHECK(cg_hash_eq(&head.root, &want.root));
        }
        cg_map_memory_free(memory);
    }
    CHECK(!failed);
    CHECK(n > 10);
}

TEST(a_staple_is_never_believed_when_an_allocation_fails)
{
    struct cg_span wire = cg_vector_hex("staple:bases.unwitnessed");
    struct cg_span owner = cg_span_str(cg_vector("staple:owner"));
    struct cg_wall now = {(int64_t)cg_vector_uint("staple:time") + 60};
    const struct cg_crypto *crypto = cg_test_crypto();
    static const struct cg_quorum none = {.is_none = true};
    struct cg_public_keys keys;
    bool failed = true;
    size_t n = 0, n_good = 0;

    memcpy(keys.ed25519, cg_vector_hex("checkpoint:log.ed25519").at, sizeof keys.ed25519);
    memcpy(keys.mldsa87, cg_vector_hex("checkpoint:log.mldsa87").at, sizeof keys.mldsa87);
    while (failed && n < RUNS_MAX) {
        struct cg_tlog tlog;
        struct cg_staple_ask ask = {.kind = "did", .id = owner};
        struct cg_staple_facts facts;

        cg_fail_alloc_at(++n);
        cg_err err =
            cg_tlog_init(crypto, CG_LIT("ledger.example/bpi1"), &keys, &none, 21600, &tlog);
        if (err == CG_OK) {
            struct cg_ledger_view view = {&tlog, 1, NULL, 0, now};

            err = cg_staple_verify(wire, &view, false, &ask, 1, &facts);
            cg_tlog_done(&tlog);
        }
        failed = cg_fail_alloc_off();
        CHECK(err == CG_OK || failed);
        CHECK(err != CG_OK || ask.is_present);
        n_good += err == CG_OK;
    }
    CHECK(!failed);
    CHECK(n > 20);
    CHECK(n_good < n);
}

SUITE(memory, T(the_map_survives_each_allocation_failing),
      T(a_staple_is_never_believed_when_an_allocation_fails))
