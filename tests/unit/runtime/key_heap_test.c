#include "tests/support/check.h"

#include "lib/base/span.h"
#include "runtime/key_heap_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N 200

static void *take(size_t n)
{
    return cg_key_heap_take(n, "", 0);
}

static void give(void *at)
{
    cg_key_heap_give(at, "", 0);
}

/* It is the process's, and made once. */
static void open_heap(void)
{
    static bool is_open;

    if (!is_open)
        CHECK_OK(cg_key_heap_map(100000));
    is_open = true;
    CHECK_INT(cg_key_heap_used(), 0);
}

TEST(only_what_is_asked_for_inside_lies_in_the_key_heap)
{
    open_heap();
    void *outside = take(100);
    cg_key_heap_begin();
    void *inside = take(100);
    cg_key_heap_begin();
    void *deeper = take(100);
    cg_key_heap_end();
    void *still = take(100);
    cg_key_heap_end();
    void *after = take(100);
    CHECK(!cg_key_heap_has(outside) && !cg_key_heap_has(after) && !cg_key_heap_has(NULL));
    CHECK(cg_key_heap_has(inside) && cg_key_heap_has(deeper) && cg_key_heap_has(still));
    CHECK(((uintptr_t)inside & 15) == 0 && ((uintptr_t)deeper & 15) == 0);
    memset(inside, 1, 100);
    memset(deeper, 2, 100);
    for (int i = 0; i < 100; i++)
        CHECK(((uint8_t *)inside)[i] == 1 && ((uint8_t *)deeper)[i] == 2);
    /* Freed wherever they lie, inside or not. */
    give(outside);
    give(deeper);
    cg_key_heap_begin();
    give(after);
    cg_key_heap_end();
    give(inside);
    give(still);
    give(NULL);
    CHECK_INT(cg_key_heap_used(), 0);
}

TEST(a_freed_key_is_wiped)
{
    open_heap();
    cg_key_heap_begin();
    uint8_t *key = take(5000);
    memset(key, 0xaa, 5000);
    give(key);
    /* The page is still ours to look at. */
    for (int i = 0; i < 5000; i++)
        CHECK_INT(key[i], 0);
    cg_key_heap_end();
}

TEST(a_full_key_heap_is_the_ordinary_one_again)
{
    void *all[N];
    size_t n_inside = 0;

    open_heap();
    cg_key_heap_begin();
    CHECK(!cg_key_heap_has(all[0] = take(1 << 20)));
    give(all[0]);
    for (int i = 0; i < N; i++) {
        all[i] = take(1000);
        CHECK_OR_STOP(all[i] != NULL);
        memset(all[i], i, 1000);
        n_inside += cg_key_heap_has(all[i]);
    }
    CHECK(n_inside > 90 && n_inside < 110);
    /* Every other one first, so that the rest has to be joined from both sides. */
    for (int i = 0; i < N; i += 2)
        give(all[i]);
    for (int i = 1; i < N; i += 2)
        give(all[i]);
    CHECK_INT(cg_key_heap_used(), 0);
    void *whole = take(100000); /* all of it in one piece */
    CHECK(cg_key_heap_has(whole));
    give(whole);
    cg_key_heap_end();
}

TEST(what_grows_moves_with_its_content)
{
    open_heap();
    cg_key_heap_begin();
    uint8_t *at = cg_key_heap_change(NULL, 20, "", 0);
    CHECK(cg_key_heap_has(at));
    memset(at, 7, 20);
    at = cg_key_heap_change(at, 3000, "", 0);
    CHECK(cg_key_heap_has(at) && at[0] == 7 && at[19] == 7);
    cg_key_heap_end();
    /* Outside it goes to where it fits; what is left behind is wiped. */
    uint8_t *before = at;
    at = cg_key_heap_change(at, 5000, "", 0);
    CHECK(!cg_key_heap_has(at) && at[0] == 7 && at[19] == 7);
    CHECK_INT(before[0], 0);
    at = cg_key_heap_change(at, 6000, "", 0);
    CHECK(at[0] == 7);
    CHECK(cg_key_heap_change(at, 0, "", 0) == NULL);
    CHECK(take(0) == NULL);
    CHECK_INT(cg_key_heap_used(), 0);
}

/* What the kernel says of a page: "lo" locked, "dd" not to be dumped. */
static bool has_flags(const void *at, const char *a, const char *b)
{
    FILE *in = fopen("/proc/self/smaps", "re");
    char line[512];
    bool is_it = false, has = false;
    unsigned long from, to;

    while (in && fgets(line, sizeof line, in)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            is_it = (uintptr_t)at >= from && (uintptr_t)at < to;
        else if (is_it && strncmp(line, "VmFlags:", 8) == 0)
            has = strstr(line, a) && strstr(line, b);
    }
    if (in)
        fclose(in);
    return has;
}

TEST(its_pages_are_locked_and_never_dumped)
{
    open_heap();
    cg_key_heap_begin();
    void *at = take(10);
    cg_key_heap_end();
    CHECK(has_flags(at, " dd", " dd"));
    if (cg_key_heap_is_locked())
        CHECK(has_flags(at, " lo", " dd"));
    else
        printf("# the limit of locked memory is too small here\n");
    give(at);
}

SUITE(key_heap, T(only_what_is_asked_for_inside_lies_in_the_key_heap), T(a_freed_key_is_wiped),
      T(a_full_key_heap_is_the_ordinary_one_again), T(what_grows_moves_with_its_content),
      T(its_pages_are_locked_and_never_dumped))
