#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/map.h"
#include "lib/merkle/map_node.h"
#include "lib/merkle/map_page.h"

#include <stdio.h>
#include <stdlib.h>

/* 257 siblings of 34 bytes, the other pair, and heads. */
#define PROOF_ROOM 10240

static struct cg_map_change *read_pairs(size_t set, size_t *n)
{
    *n = cg_vector_count(cg_vector_at("map:sets.%zu.pairs", set));
    struct cg_map_change *pairs = calloc(*n + 1, sizeof *pairs);

    for (size_t i = 0; i < *n; i++) {
        pairs[i].key = cg_vector_hash(cg_vector_at("map:sets.%zu.pairs.%zu.0", set, i));
        pairs[i].value = cg_vector_hash(cg_vector_at("map:sets.%zu.pairs.%zu.1", set, i));
    }
    return pairs;
}

TEST(keys_come_from_kind_and_id)
{
    for (size_t i = 0; i < cg_vector_count("map:keys"); i++) {
        struct cg_hash got, want = cg_vector_hash(cg_vector_at("map:keys.%zu.key", i));

        CHECK_OK(cg_map_key(cg_vector(cg_vector_at("map:keys.%zu.kind", i)),
                            cg_span_str(cg_vector(cg_vector_at("map:keys.%zu.id", i))), &got));
        CHECK(cg_hash_eq(&got, &want));
    }
}

TEST(the_protocols_two_pairs_have_its_root)
{
    struct cg_map_change pairs[2];
    struct cg_map_head head;
    struct cg_hash want = cg_vector_hash("v1:ledger.map_root");

    for (size_t i = 0; i < 2; i++) {
        pairs[i].key = cg_vector_hash(cg_vector_at("v1:ledger.map.%zu.0", i));
        pairs[i].value = cg_vector_hash(cg_vector_at("v1:ledger.map.%zu.1", i));
    }
    CHECK_OK(cg_map_rebuild(pairs, 2, &head));
    CHECK(cg_hash_eq(&head.root, &want));
    CHECK_INT(head.n_pairs, 2);
}

static void check_head(const struct cg_map_head *head, size_t set)
{
    struct cg_hash want = cg_vector_hash(cg_vector_at("map:sets.%zu.root", set));

    CHECK(cg_hash_eq(&head->root, &want));
    CHECK(head->n_pairs == cg_vector_uint(cg_vector_at("map:sets.%zu.size", set)));
}

TEST(a_set_has_its_root_however_it_was_put_in)
{
    for (size_t set = 0; set < cg_vector_count("map:sets"); set++) {
        size_t n;
        struct cg_map_change *pairs = read_pairs(set, &n);
        struct cg_map_head head;

        CHECK_OK(cg_map_rebuild(pairs, n, &head));
        check_head(&head, set);

        /* all at once, one by one, and in batches of three from the end */
        for (size_t step = 1; step <= n + 1; step = step == 1 ? 3 : step == 3 ? n + 1 : n + 2) {
            struct cg_map_memory *memory;

            CHECK_OK(cg_map_memory_new(&memory));
            struct cg_map_pages pages = cg_map_memory_pages(memory);
            for (size_t end = n; end > 0;) {
                size_t from = end > step ? end - step : 0;

                CHECK_OK(cg_map_apply(&pages, pairs + from, end - from, &head));
                end = from;
            }
            CHECK_OK(cg_map_head_of(&pages, &head));
            check_head(&head, set);
            CHECK_OK(cg_map_apply(&pages, pairs, 0, &head));
            check_head(&head, set);
            cg_map_memory_free(memory);
        }
        free(pairs);
    }
}

static enum cg_map_kind kind_of(const char *name)
{
    return strcmp(name, "present") == 0 ? CG_MAP_PRESENT
           : strcmp(name, "other") == 0 ? CG_MAP_OTHER
                                        : CG_MAP_EMPTY;
}

TEST(proofs_of_the_three_kinds_are_made_byte_for_byte_and_hold)
{
    for (size_t set = 0; set < cg_vector_count("map:sets"); set++) {
        size_t n;
        struct cg_map_change *pairs = read_pairs(set, &n);
        struct cg_map_memory *memory;
        struct cg_map_head head;

        CHECK_OK(cg_map_memory_new(&memory));
        struct cg_map_pages pages = cg_map_memory_pages(memory);
        CHECK_OK(cg_map_apply(&pages, pairs, n, &head));
        for (size_t i = 0; i < cg_vector_count(cg_vector_at("map:sets.%zu.proofs", set)); i++) {
            struct cg_hash key =
                cg_vector_hash(cg_vector_at("map:sets.%zu.proofs.%zu.key", set, i));
            struct cg_span want =
                cg_vector_hex(cg_vector_at("map:sets.%zu.proofs.%zu.proof", set, i));
            enum cg_map_kind want_kind =
                kind_of(cg_vector(cg_vector_at("map:sets.%zu.proofs.%zu.kind", set, i)));
            enum cg_map_kind kind;
            struct cg_hash value;
            static uint8_t room[PROOF_ROOM];
            struct cg_writer w = cg_writer_fixed(room, sizeof room);
            struct cg_map_proof proof;

            CHECK_OK(cg_map_prove(&pages, &key, &w, &kind, &value));
            CHECK_SPAN(cg_writer_span(&w), want);
            CHECK_INT(kind, want_kind);
            CHECK_OK(cg_map_proof_read(want, &proof));
            CHECK_INT(proof.kind, want_kind);
            CHECK_OK(cg_map_proof_check(&proof, &key, &head.root));
            if (want_kind == CG_MAP_PRESENT) {
                CHECK_SPAN(cg_hash_span(&value),
                           cg_vector_hex(cg_vector_at("map:sets.%zu.proofs.%zu.value", set, i)));
                CHECK(cg_hash_eq(&value, &proof.value));
            }
            /* The same under another root, or for a key that differs in its first bit. */
            struct cg_hash wrong = head.root;
            wrong.bytes[9] ^= 4;
            CHECK_ERR(cg_map_proof_check(&proof, &key, &wrong), CG_PROOF);
            if (n > 1) {
                key.bytes[0] ^= 0x80;
                CHECK_ERR(cg_map_proof_check(&proof, &key, &head.root), CG_PROOF);
            }
        }
        cg_map_memory_free(memory);
        free(pairs);
    }
}

TEST(every_bad_proof_is_refused_for_its_reason)
{
    for (size_t i = 0; i < cg_vector_count("map:bad"); i++) {
        const char *why = cg_vector(cg_vector_at("map:bad.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("map:bad.%zu.error", i));
        struct cg_hash root = cg_vector_hash(cg_vector_at("map:bad.%zu.root", i));
        struct cg_hash key = cg_vector_hash(cg_vector_at("map:bad.%zu.key", i));
        struct cg_map_proof proof = {.n_siblings = 7};
        cg_err err = cg_map_proof_read(cg_vector_hex(cg_vector_at("map:bad.%zu.proof", i)), &proof);

        if (err == CG_OK)
            err = cg_map_proof_check(&proof, &key, &root);
        else
            CHECK_INT(proof.n_siblings, 7);
        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
    }
}

TEST(every_prefix_of_a_proof_is_short)
{
    struct cg_span good = cg_vector_hex("map:sets.3.proofs.0.proof");
    struct cg_map_proof proof = {.n_siblings = 7};

    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_map_proof_read(cg_span_first(good, n), &proof), CG_SHORT);
    CHECK_INT(proof.n_siblings, 7);
}

TEST(a_later_value_of_a_key_replaces_the_earlier)
{
    struct cg_map_change pairs[3] = {{{{1}}, {{1}}}, {{{2}}, {{2}}}, {{{1}}, {{3}}}};
    struct cg_map_change last[2] = {{{{1}}, {{3}}}, {{{2}}, {{2}}}};
    struct cg_map_memory *memory;
    struct cg_map_head head, want;

    CHECK_OK(cg_map_rebuild(last, 2, &want));
    CHECK_OK(cg_map_rebuild(pairs, 3, &head));
    CHECK(cg_hash_eq(&head.root, &want.root));
    CHECK_INT(head.n_pairs, 2);

    CHECK_OK(cg_map_memory_new(&memory));
    struct cg_map_pages pages = cg_map_memory_pages(memory);
    CHECK_OK(cg_map_apply(&pages, pairs, 3, &head));
    CHECK(cg_hash_eq(&head.root, &want.root));
    CHECK_INT(head.n_pairs, 2);
    CHECK_OK(cg_map_apply(&pages, &pairs[2], 1, &head));
    CHECK(cg_hash_eq(&head.root, &want.root));
    CHECK_OK(cg_map_apply(&pages, &pairs[0], 1, &head));
    CHECK(!cg_hash_eq(&head.root, &want.root));
    CHECK_INT(head.n_pairs, 2);
    cg_map_memory_free(memory);
}

/* Counts what passes through it, and fails from some moment on. */
struct counting {
    struct cg_map_pages under;
    size_t n_loads, n_saves;
    size_t fail_after; /* calls */
};

static cg_err counting_load(void *ctx, struct cg_span prefix, struct cg_span *bytes)
{
    struct counting *c = ctx;

    if (c->n_loads++ + c->n_saves >= c->fail_after)
        return CG_STORE;
    return c->under.load(c->under.ctx, prefix, bytes);
}

static cg_err counting_save(void *ctx, struct cg_span prefix, struct cg_span bytes)
{
    struct counting *c = ctx;

    if (c->n_saves++ + c->n_loads >= c->fail_after)
        return CG_STORE;
    CHECK(bytes.len <= CG_MAP_PAGE_MAX_BYTES);
    return c->under.save(c->under.ctx, prefix, bytes);
}

static void number_pair(unsigned i, struct cg_map_change *out)
{
    char text[32];
    int n = snprintf(text, sizeof text, "pair %u", i);

    CHECK_OK(cg_sha256(cg_span_of(text, (size_t)n), &out->key));
    CHECK_OK(cg_sha256(cg_hash_span(&out->key), &out->value));
}

#define LARGE 5000

TEST(a_large_map_grows_in_batches_and_touches_one_page_a_level)
{
    struct cg_map_change *pairs = calloc(LARGE, sizeof *pairs);
    struct cg_map_memory *memory;
    struct cg_map_head head, want;

    CHECK_OK(cg_map_memory_new(&memory));
    struct counting counting = {cg_map_memory_pages(memory), 0, 0, SIZE_MAX};
    struct cg_map_pages pages = {counting_load, counting_save, &counting};
    for (unsigned i = 0; i < LARGE; i++)
        number_pair(i, &pairs[i]);
    for (size_t from = 0; from < LARGE; from += 617)
        CHECK_OK(
            cg_map_apply(&pages, pairs + from, LARGE - from < 617 ? LARGE - from : 617, &head));
    CHECK_OK(cg_map_rebuild(pairs, LARGE, &want));
    CHECK(cg_hash_eq(&head.root, &want.root));
    CHECK_INT(head.n_pairs, LARGE);

    /* Most first bytes are shared by about twenty keys, so a pair stands on the second level. */
    counting.n_loads = counting.n_saves = 0;
    pairs[7].value = pairs[8].value;
    CHECK_OK(cg_map_apply(&pages, &pairs[7], 1, &head));
    CHECK_INT(counting.n_loads, 2);
    CHECK_INT(counting.n_saves, 2);
    CHECK_OK(cg_map_rebuild(pairs, LARGE, &want));
    CHECK(cg_hash_eq(&head.root, &want.root));

    for (unsigned i = 0; i < LARGE + 100; i += 97) {
        static uint8_t room[PROOF_ROOM];
        struct cg_writer w = cg_writer_fixed(room, sizeof room);
        struct cg_map_change pair;
        struct cg_map_proof proof;
        struct cg_hash value;
        enum cg_map_kind kind;

        number_pair(i, &pair);
        CHECK_OK(cg_map_prove(&pages, &pair.key, &w, &kind, &value));
        CHECK((kind == CG_MAP_PRESENT) == (i < LARGE));
        CHECK_OK(cg_map_proof_read(cg_writer_span(&w), &proof));
        CHECK_OK(cg_map_proof_check(&proof, &pair.key, &head.root));
    }
    cg_map_memory_free(memory);
    free(pairs);
}

TEST(what_the_pages_answer_is_handed_up)
{
    struct cg_map_change pairs[3] = {{{{1}}, {{1}}}, {{{1, 1}}, {{2}}}, {{{1, 1, 1}}, {{3}}}};
    struct cg_map_memory *memory;
    struct cg_map_head head = {.n_pairs = 77};
    struct cg_hash value;
    enum cg_map_kind kind;
    uint8_t room[PROOF_ROOM];

    for (size_t after = 0; after < 4; after++) {
        CHECK_OK(cg_map_memory_new(&memory));
        struct counting counting = {cg_map_memory_pages(memory), 0, 0, after};
        struct cg_map_pages pages = {counting_load, counting_save, &counting};
        struct cg_writer w = cg_writer_fixed(room, sizeof room);

        CHECK_ERR(cg_map_apply(&pages, pairs, 3, &head), CG_STORE);
        CHECK_INT(head.n_pairs, 77);
        if (after == 0)
            CHECK_ERR(cg_map_head_of(&pages, &head), CG_STORE);
        CHECK_ERR(cg_map_prove(&pages, &pairs[0].key, &w, &kind, &value), CG_STORE);
        CHECK_INT(w.len, 0);
        cg_map_memory_free(memory);
    }
}

static cg_err no_save(void *ctx, struct cg_span prefix, struct cg_span bytes)
{
    (void)ctx;
    (void)prefix;
    (void)bytes;
    return CG_OK;
}

static cg_err same_page(void *ctx, struct cg_span prefix, struct cg_span *bytes)
{
    (void)prefix;
    *bytes = *(struct cg_span *)ctx;
    return CG_OK;
}

TEST(a_page_that_makes_no_sense_is_the_stores_failure)
{
    struct cg_map_memory *memory;
    struct cg_map_change pairs[2] = {{{{1}}, {{1}}}, {{{2}}, {{2}}}};
    struct cg_map_head head;
    struct cg_span good, bad;
    uint8_t copy[1024];

    CHECK_OK(cg_map_memory_new(&memory));
    struct cg_map_pages pages = cg_map_memory_pages(memory);
    CHECK_OK(cg_map_apply(&pages, pairs, 2, &head));
    CHECK_OK(pages.load(pages.ctx, (struct cg_span){NULL, 0}, &good));
    CHECK_OR_STOP(good.len < sizeof copy);
    memcpy(copy, good.at, good.len);
    struct cg_map_pages broken = {same_page, no_save, &bad};

    for (size_t n = 1; n < good.len; n++) {
        bad = cg_span_of(copy, n);
        CHECK_ERR(cg_map_head_of(&broken, &head), CG_STORE);
    }
    copy[good.len] = 0;
    bad = cg_span_of(copy, good.len + 1);
    CHECK_ERR(cg_map_head_of(&broken, &head), CG_STORE);
    bad = cg_span_of(copy, good.len);
    CHECK_OK(cg_map_head_of(&broken, &head));
    copy[8] = 4; /* no such kind */
    CHECK_ERR(cg_map_head_of(&broken, &head), CG_STORE);
    copy[8] = CG_MAP_PAGE_LINK; /* not above the slots */
    CHECK_ERR(cg_map_head_of(&broken, &head), CG_STORE);
    cg_map_memory_free(memory);
}

/* Pages whose every way leads one page down. */
struct endless {
    uint8_t root[1024], below[1024];
    size_t root_len, below_len;
    size_t n_loads;
};

static cg_err endless_load(void *ctx, struct cg_span prefix, struct cg_span *bytes)
{
    struct endless *e = ctx;

    e->n_loads++;
    *bytes =
        prefix.len == 0 ? cg_span_of(e->root, e->root_len) : cg_span_of(e->below, e->below_len);
    return CG_OK;
}

TEST(links_below_the_last_byte_are_refused)
{
    static struct cg_map_page page;
    static struct endless endless;
    struct cg_hash key = {{0}}, value;
    struct cg_map_change change = {{{0}}, {{1}}};
    struct cg_map_head head;
    enum cg_map_kind kind;
    uint8_t room[PROOF_ROOM];
    struct cg_writer proof = cg_writer_fixed(room, sizeof room);

    for (size_t i = 1; i < CG_MAP_SLOTS; i *= 2)
        page.kind[i] = CG_MAP_PAGE_NODE;
    page.kind[CG_MAP_SLOTS] = CG_MAP_PAGE_LINK;
    struct cg_writer w = cg_writer_fixed(endless.root, sizeof endless.root);
    CHECK_OK(cg_map_page_write(&page, true, &w));
    endless.root_len = w.len;
    w = cg_writer_fixed(endless.below, sizeof endless.below);
    CHECK_OK(cg_map_page_write(&page, false, &w));
    endless.below_len = w.len;

    struct cg_map_pages pages = {endless_load, no_save, &endless};
    CHECK_ERR(cg_map_prove(&pages, &key, &proof, &kind, &value), CG_STORE);
    CHECK_INT(endless.n_loads, 32);
    endless.n_loads = 0;
    CHECK_ERR(cg_map_apply(&pages, &change, 1, &head), CG_STORE);
    CHECK_INT(endless.n_loads, 32);
}

SUITE(map, T(keys_come_from_kind_and_id), T(the_protocols_two_pairs_have_its_root),
      T(a_set_has_its_root_however_it_was_put_in),
      T(proofs_of_the_three_kinds_are_made_byte_for_byte_and_hold),
      T(every_bad_proof_is_refused_for_its_reason), T(every_prefix_of_a_proof_is_short),
      T(a_later_value_of_a_key_replaces_the_earlier),
      T(a_large_map_grows_in_batches_and_touches_one_page_a_level),
      T(what_the_pages_answer_is_handed_up), T(a_page_that_makes_no_sense_is_the_stores_failure),
      T(links_below_the_last_byte_are_refused))
