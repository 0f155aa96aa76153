/* RFC 9162, 2.1: the functions against the standard's recursive definitions, all sizes up to 65. */
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "lib/merkle/tree.h"

#include <stdio.h>

#define MAX_SIZE 65

static struct cg_hash leaves[300];

static void plant(void)
{
    for (size_t i = 0; i < 300; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "entry %zu", i);

        CHECK_OK(cg_leaf_hash(cg_span_of(text, (size_t)n), &leaves[i]));
    }
}

/* The definitions, word for word. RFC 9162, 2.1.1 */
static size_t split(size_t n)
{
    size_t k = 1;

    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct cg_hash naive_root(const struct cg_hash *d, size_t n)
{
    struct cg_hash out;

    if (n == 0) {
        CHECK_OK(cg_sha256((struct cg_span){NULL, 0}, &out));
        return out;
    }
    if (n == 1)
        return d[0];
    size_t k = split(n);
    struct cg_hash left = naive_root(d, k), right = naive_root(d + k, n - k);
    CHECK_OK(cg_node_hash(&left, &right, &out));
    return out;
}

/* RFC 9162, 2.1.3.1 */
static void naive_path(size_t m, const struct cg_hash *d, size_t n, struct cg_path *out)
{
    if (n <= 1)
        return;
    size_t k = split(n);
    if (m < k)
        naive_path(m, d, k, out);
    else
        naive_path(m - k, d + k, n - k, out);
    out->at[out->n++] = m < k ? naive_root(d + k, n - k) : naive_root(d, k);
}

/* RFC 9162, 2.1.4.1 */
static void naive_subproof(size_t m, const struct cg_hash *d, size_t n, bool is_whole,
                           struct cg_path *out)
{
    if (m == n) {
        if (!is_whole)
            out->at[out->n++] = naive_root(d, n);
        return;
    }
    size_t k = split(n);
    if (m <= k) {
        naive_subproof(m, d, k, is_whole, out);
        out->at[out->n++] = naive_root(d + k, n - k);
    } else {
        naive_subproof(m - k, d + k, n - k, false, out);
        out->at[out->n++] = naive_root(d, k);
    }
}

/* A store of nodes that holds what was completed, and nothing else. */
struct table {
    struct cg_hash hash[10][512];
    bool has[10][512];
};

static cg_err get(void *ctx, unsigned level, uint64_t index, struct cg_hash *out)
{
    struct table *table = ctx;

    if (level >= 10 || index >= 512 || !table->has[level][index])
        return CG_UNKNOWN;
    *out = table->hash[level][index];
    return CG_OK;
}

static struct table table;
static const struct cg_nodes nodes = {get, &table};

static void grow(struct cg_range *range, size_t n)
{
    memset(&table, 0, sizeof table);
    *range = (struct cg_range){0};
    for (size_t i = 0; i < n; i++) {
        struct cg_node done[CG_TREE_LEVELS + 1];
        size_t n_done = 0;

        CHECK_OK(cg_range_add(range, &leaves[i], done, &n_done));
        for (size_t j = 0; j < n_done; j++) {
            table.hash[done[j].level][done[j].index] = done[j].hash;
            table.has[done[j].level][done[j].index] = true;
        }
    }
}

static bool same_path(const struct cg_path *a, const struct cg_path *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n * sizeof a->at[0]) == 0;
}

TEST(a_growing_tree_has_the_standards_head_at_every_size)
{
    struct cg_range range = {0};

    plant();
    for (size_t n = 0; n <= MAX_SIZE; n++) {
        struct cg_range loaded;
        struct cg_hash got, want = naive_root(leaves, n);

        grow(&range, n);
        CHECK_INT(range.size, n);
        CHECK_OK(cg_range_root(&range, &got));
        CHECK(cg_hash_eq(&got, &want));
        want = cg_vector_hash(cg_vector_at("merkle:roots.%zu", n));
        CHECK(cg_hash_eq(&got, &want));
        CHECK_OK(cg_range_load(&nodes, n, &loaded));
        CHECK_OK(cg_range_root(&loaded, &got));
        CHECK(cg_hash_eq(&got, &want));
    }
}

TEST(a_tree_as_large_as_can_be_takes_no_more)
{
    struct cg_range range = {.size = UINT64_MAX};
    struct cg_node done[CG_TREE_LEVELS + 1];
    size_t n_done = 7;

    CHECK_ERR(cg_range_add(&range, &leaves[0], done, &n_done), CG_TOO_LARGE);
    CHECK_INT(n_done, 7);
    range.size = UINT64_MAX - 1;
    CHECK_OK(cg_range_add(&range, &leaves[0], done, &n_done));
    CHECK_INT(n_done, 1);
    CHECK(range.size == UINT64_MAX);
}

TEST(inclusion_proofs_are_the_standards_and_lead_to_the_head)
{
    struct cg_range range;

    plant();
    for (size_t n = 1; n <= MAX_SIZE; n++) {
        struct cg_hash root;

        grow(&range, n);
        CHECK_OK(cg_range_root(&range, &root));
        for (size_t m = 0; m < n; m++) {
            struct cg_path got, want = {0};

            naive_path(m, leaves, n, &want);
            CHECK_OK(cg_inclusion_make(&nodes, m, n, &got));
            CHECK(same_path(&got, &want));
            CHECK_OK(cg_inclusion_check(&leaves[m], m, n, &got, &root));
        }
        struct cg_path untouched = {.n = 3};
        CHECK_ERR(cg_inclusion_make(&nodes, n, n, &untouched), CG_UNKNOWN);
        CHECK_INT(untouched.n, 3);
    }
}

TEST(proofs_for_an_earlier_size_come_from_the_nodes_of_a_later_tree)
{
    struct cg_range range;

    plant();
    grow(&range, 300);
    for (size_t n = 1; n <= MAX_SIZE; n++) {
        struct cg_hash root = naive_root(leaves, n);
        struct cg_path path;

        for (size_t m = 0; m < n; m++) {
            CHECK_OK(cg_inclusion_make(&nodes, m, n, &path));
            CHECK_OK(cg_inclusion_check(&leaves[m], m, n, &path, &root));
        }
    }
}

TEST(a_leaf_is_refused_at_any_other_place)
{
    struct cg_range range;

    plant();
    for (size_t n = 1; n <= 40; n++) {
        struct cg_hash root;

        grow(&range, n);
        CHECK_OK(cg_range_root(&range, &root));
        for (size_t m = 0; m < n; m++) {
            struct cg_path path;

            CHECK_OK(cg_inclusion_make(&nodes, m, n, &path));
            for (size_t other = 0; other <= n; other++)
                if (other != m)
                    CHECK_ERR(cg_inclusion_check(&leaves[m], other, n, &path, &root), CG_PROOF);
            CHECK_ERR(cg_inclusion_check(&leaves[m + 1], m, n, &path, &root), CG_PROOF);
            CHECK_ERR(cg_inclusion_check(&leaves[m], UINT64_MAX, n, &path, &root), CG_PROOF);
            CHECK_ERR(cg_inclusion_check(&leaves[m], m, 0, &path, &root), CG_PROOF);
        }
    }
}

TEST(an_inclusion_proof_has_neither_a_hash_more_nor_less_nor_another)
{
    struct cg_range range;

    plant();
    for (size_t n = 1; n <= MAX_SIZE; n++) {
        struct cg_hash root;

        grow(&range, n);
        CHECK_OK(cg_range_root(&range, &root));
        for (size_t m = 0; m < n; m += 3) {
            struct cg_path path;

            CHECK_OK(cg_inclusion_make(&nodes, m, n, &path));
            path.at[path.n] = leaves[0];
            path.n++;
            CHECK_ERR(cg_inclusion_check(&leaves[m], m, n, &path, &root), CG_PROOF);
            path.n--;
            for (size_t i = 0; i < path.n; i++) {
                path.at[i].bytes[31] ^= 1;
                CHECK_ERR(cg_inclusion_check(&leaves[m], m, n, &path, &root), CG_PROOF);
                path.at[i].bytes[31] ^= 1;
            }
            if (path.n > 0) {
                path.n--;
                CHECK_ERR(cg_inclusion_check(&leaves[m], m, n, &path, &root), CG_PROOF);
            }
        }
    }
    struct cg_path endless = {.n = CG_PATH_MAX_HASHES + 1};
    CHECK_ERR(cg_inclusion_check(&leaves[0], 0, UINT64_MAX, &endless, &leaves[0]), CG_PROOF);
    endless.n = CG_PATH_MAX_HASHES;
    CHECK_ERR(cg_inclusion_check(&leaves[0], 0, UINT64_MAX, &endless, &leaves[0]), CG_PROOF);
}

TEST(consistency_proofs_are_the_standards_and_join_both_heads)
{
    struct cg_range range;

    plant();
    for (size_t n = 1; n <= MAX_SIZE; n++) {
        struct cg_hash to;

        grow(&range, n);
        CHECK_OK(cg_range_root(&range, &to));
        for (size_t m = 1; m <= n; m++) {
            struct cg_hash from = naive_root(leaves, m);
            struct cg_path got, want = {0};

            naive_subproof(m, leaves, n, true, &want);
            CHECK_OK(cg_consistency_make(&nodes, m, n, &got));
            CHECK(same_path(&got, &want));
            CHECK_OK(cg_consistency_check(m, &from, n, &to, &got));
        }
        struct cg_path path;
        CHECK_OK(cg_consistency_make(&nodes, 0, n, &path));
        CHECK_INT(path.n, 0);
        CHECK_OK(cg_consistency_check(0, &leaves[0], n, &to, &path));
        CHECK_ERR(cg_consistency_make(&nodes, n + 1, n, &path), CG_UNKNOWN);
    }
}

TEST(a_consistency_proof_is_refused_for_any_other_pair_of_heads)
{
    struct cg_range range;

    plant();
    for (size_t n = 2; n <= 20; n++) {
        struct cg_hash to;

        grow(&range, n);
        CHECK_OK(cg_range_root(&range, &to));
        for (size_t m = 1; m < n; m++) {
            struct cg_hash from = naive_root(leaves, m);
            struct cg_path path;

            CHECK_OK(cg_consistency_make(&nodes, m, n, &path));
            for (size_t other = 1; other <= n; other++) {
                struct cg_hash others = naive_root(leaves, other);

                if (other == m)
                    continue;
                CHECK_ERR(cg_consistency_check(m, &others, n, &to, &path), CG_PROOF);
                CHECK_ERR(cg_consistency_check(other, &others, n, &to, &path), CG_PROOF);
            }
            CHECK_ERR(cg_consistency_check(m, &from, n, &from, &path), CG_PROOF);
            CHECK_ERR(cg_consistency_check(n, &to, m, &from, &path), CG_PROOF);
            CHECK_ERR(cg_consistency_check(n, &to, n, &to, &path), CG_PROOF);
            CHECK_ERR(cg_consistency_check(0, &from, n, &to, &path), CG_PROOF);
        }
    }
}

TEST(a_consistency_proof_has_neither_a_hash_more_nor_less_nor_another)
{
    struct cg_range range;

    plant();
    for (size_t n = 2; n <= 40; n++) {
        struct cg_hash to;

        grow(&range, n);
        CHECK_OK(cg_range_root(&range, &to));
        for (size_t m = 1; m < n; m++) {
            struct cg_hash from = naive_root(leaves, m);
            struct cg_path path;

            CHECK_OK(cg_consistency_make(&nodes, m, n, &path));
            path.at[path.n] = leaves[0];
            path.n++;
            CHECK_ERR(cg_consistency_check(m, &from, n, &to, &path), CG_PROOF);
            path.n--;
            for (size_t i = 0; i < path.n; i++) {
                path.at[i].bytes[0] ^= 0x80;
                CHECK_ERR(cg_consistency_check(m, &from, n, &to, &path), CG_PROOF);
                path.at[i].bytes[0] ^= 0x80;
            }
            path.n--; /* 0 < m < n: there is at least one */
            CHECK_ERR(cg_consistency_check(m, &from, n, &to, &path), CG_PROOF);
        }
    }
    struct cg_path endless = {.n = CG_PATH_MAX_HASHES + 1};
    CHECK_ERR(cg_consistency_check(3, &leaves[0], UINT64_MAX, &leaves[0], &endless), CG_PROOF);
}

static void read_path(const char *set, size_t row, struct cg_path *out)
{
    out->n = cg_vector_count(cg_vector_at("merkle:%s.%zu.path", set, row));
    for (size_t i = 0; i < out->n; i++)
        out->at[i] = cg_vector_hash(cg_vector_at("merkle:%s.%zu.path.%zu", set, row, i));
}

TEST(the_published_proofs_hold)
{
    for (size_t i = 0; i < cg_vector_count("merkle:inclusion"); i++) {
        struct cg_hash leaf = cg_vector_hash(cg_vector_at("merkle:inclusion.%zu.leaf", i));
        struct cg_hash root = cg_vector_hash(cg_vector_at("merkle:inclusion.%zu.root", i));
        uint64_t index = cg_vector_uint(cg_vector_at("merkle:inclusion.%zu.index", i));
        uint64_t size = cg_vector_uint(cg_vector_at("merkle:inclusion.%zu.size", i));
        struct cg_path path;

        read_path("inclusion", i, &path);
        CHECK_OK(cg_inclusion_check(&leaf, index, size, &path, &root));
    }
    for (size_t i = 0; i < cg_vector_count("merkle:consistency"); i++) {
        struct cg_hash from = cg_vector_hash(cg_vector_at("merkle:consistency.%zu.from_root", i));
        struct cg_hash to = cg_vector_hash(cg_vector_at("merkle:consistency.%zu.to_root", i));
        uint64_t from_size = cg_vector_uint(cg_vector_at("merkle:consistency.%zu.from", i));
        uint64_t to_size = cg_vector_uint(cg_vector_at("merkle:consistency.%zu.to", i));
        struct cg_path path;

        read_path("consistency", i, &path);
        CHECK_OK(cg_consistency_check(from_size, &from, to_size, &to, &path));
    }
}

TEST(the_protocols_three_entries_have_its_leaves_and_heads)
{
    struct cg_range range = {0};

    for (size_t i = 0; i < 3; i++) {
        struct cg_hash leaf, root, want;
        struct cg_node done[CG_TREE_LEVELS + 1];
        size_t n_done;

        CHECK_OK(cg_leaf_hash(cg_vector_hex(cg_vector_at("v1:ledger.entries.%zu", i)), &leaf));
        want = cg_vector_hash(cg_vector_at("v1:ledger.leaves.%zu", i));
        CHECK(cg_hash_eq(&leaf, &want));
        CHECK_OK(cg_range_add(&range, &leaf, done, &n_done));
        CHECK_OK(cg_range_root(&range, &root));
        want = cg_vector_hash(cg_vector_at("v1:ledger.roots.%zu", i));
        CHECK(cg_hash_eq(&root, &want));
    }
}

static cg_err fail(void *ctx, unsigned level, uint64_t index, struct cg_hash *out)
{
    (void)ctx;
    (void)level;
    (void)index;
    (void)out;
    return CG_STORE;
}

TEST(what_the_store_answers_is_handed_up)
{
    const struct cg_nodes broken = {fail, NULL};
    struct cg_path path = {.n = 1};
    struct cg_range range = {.size = 1};

    CHECK_ERR(cg_inclusion_make(&broken, 2, 5, &path), CG_STORE);
    CHECK_ERR(cg_consistency_make(&broken, 3, 5, &path), CG_STORE);
    CHECK_ERR(cg_range_load(&broken, 5, &range), CG_STORE);
    CHECK_INT(path.n, 1);
    CHECK_INT(range.size, 1);
}

SUITE(tree, T(a_growing_tree_has_the_standards_head_at_every_size),
      T(a_tree_as_large_as_can_be_takes_no_more),
      T(inclusion_proofs_are_the_standards_and_lead_to_the_head),
      T(proofs_for_an_earlier_size_come_from_the_nodes_of_a_later_tree),
      T(a_leaf_is_refused_at_any_other_place),
      T(an_inclusion_proof_has_neither_a_hash_more_nor_less_nor_another),
      T(consistency_proofs_are_the_standards_and_join_both_heads),
      T(a_consistency_proof_is_refused_for_any_other_pair_of_heads),
      T(a_consistency_proof_has_neither_a_hash_more_nor_less_nor_another),
      T(the_published_proofs_hold), T(the_protocols_three_entries_have_its_leaves_and_heads),
      T(what_the_store_answers_is_handed_up))
