#include "lib/sapi/window.h"

#include "tests/support/check.h"

#include <string.h>

TEST(takes_each_counter_once)
{
    struct cg_window window = {0};

    for (uint64_t c = 1; c <= 3000; c++) {
        CHECK_OK(cg_window_check(&window, c));
        CHECK_OK(cg_window_commit(&window, c));
        CHECK_ERR(cg_window_check(&window, c), CG_REPLAY);
        CHECK_ERR(cg_window_commit(&window, c), CG_REPLAY);
    }
}

TEST(takes_the_1024_latest_in_any_order)
{
    struct cg_window window = {0};

    CHECK_OK(cg_window_commit(&window, 5000));
    for (uint64_t c = 5000 - 1023; c < 5000; c++)
        CHECK_OK(cg_window_check(&window, c));
    for (uint64_t c = 4999; c > 5000 - 1024; c--)
        CHECK_OK(cg_window_commit(&window, c));
    for (uint64_t c = 5000 - 1023; c <= 5000; c++)
        CHECK_ERR(cg_window_check(&window, c), CG_REPLAY);
    CHECK_ERR(cg_window_check(&window, 5000 - 1024), CG_STALE);
    CHECK_ERR(cg_window_check(&window, 1), CG_STALE);
}

TEST(a_jump_of_about_the_windows_length_leaves_nothing_used_behind)
{
    for (uint64_t jump = 1; jump <= 1030; jump += jump < 1018 ? 113 : 1) {
        struct cg_window window = {0};

        for (uint64_t c = 1; c <= CG_WINDOW_BITS; c++)
            CHECK_OK(cg_window_commit(&window, c));
        CHECK_OK(cg_window_commit(&window, CG_WINDOW_BITS + jump));
        for (uint64_t c = CG_WINDOW_BITS + 1; c < CG_WINDOW_BITS + jump; c++)
            CHECK_ERR(cg_window_check(&window, c),
                      jump - (c - CG_WINDOW_BITS) < CG_WINDOW_BITS ? CG_OK : CG_STALE);
        for (uint64_t c = jump + 1; c <= CG_WINDOW_BITS; c++)
            CHECK_ERR(cg_window_check(&window, c), CG_REPLAY);
    }
}

TEST(refuses_zero_and_takes_the_largest)
{
    struct cg_window window = {0};

    CHECK_ERR(cg_window_check(&window, 0), CG_SCHEMA);
    CHECK_ERR(cg_window_commit(&window, 0), CG_SCHEMA);
    CHECK_OK(cg_window_commit(&window, UINT64_MAX));
    CHECK_ERR(cg_window_commit(&window, UINT64_MAX), CG_REPLAY);
    CHECK_OK(cg_window_commit(&window, UINT64_MAX - 1023));
    CHECK_ERR(cg_window_commit(&window, UINT64_MAX - 1024), CG_STALE);
}

TEST(a_check_and_a_failed_commit_change_nothing)
{
    struct cg_window window = {0}, before;

    CHECK_OK(cg_window_commit(&window, 2000));
    before = window;
    CHECK_OK(cg_window_check(&window, 2001));
    CHECK_ERR(cg_window_commit(&window, 2000), CG_REPLAY);
    CHECK_ERR(cg_window_commit(&window, 900), CG_STALE);
    CHECK(memcmp(&window, &before, sizeof window) == 0);
}

/* The same rule, kept as a list of all counters ever used. */
static cg_err naive_commit(bool *used, uint64_t *highest, uint64_t counter)
{
    if (counter == 0)
        return CG_SCHEMA;
    if (counter <= *highest && *highest - counter >= CG_WINDOW_BITS)
        return CG_STALE;
    if (used[counter])
        return CG_REPLAY;
    used[counter] = true;
    *highest = counter > *highest ? counter : *highest;
    return CG_OK;
}

TEST(agrees_with_a_naive_list_over_many_random_walks)
{
    static bool used[40000];
    uint64_t seed = 1;

    for (int walk = 0; walk < 20; walk++) {
        struct cg_window window = {0};
        uint64_t highest = 0;

        memset(used, 0, sizeof used);
        for (int step = 0; step < 3000; step++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t r = seed >> 33, counter;

            if (r % 16 == 0)
                counter = highest + 1000 + r / 16 % 60; /* across the window's length */
            else if (r % 2)
                counter = highest + r / 16 % 4;
            else
                counter = highest > 1100 ? highest - r / 16 % 1100 : r / 16 % 1100;
            if (counter >= sizeof used)
                break;
            CHECK_ERR(cg_window_commit(&window, counter), naive_commit(used, &highest, counter));
        }
    }
}

SUITE(window, T(takes_each_counter_once), T(takes_the_1024_latest_in_any_order),
      T(a_jump_of_about_the_windows_length_leaves_nothing_used_behind),
      T(refuses_zero_and_takes_the_largest), T(a_check_and_a_failed_commit_change_nothing),
      T(agrees_with_a_naive_list_over_many_random_walks))
