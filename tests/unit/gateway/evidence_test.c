#include "tests/support/check.h"

#include "gateway/evidence.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

#define MAX (1 << 20)

static const struct cg_mono now = {1000000};

static struct cg_mono later(int64_t ms)
{
    return (struct cg_mono){now.us + ms * 1000};
}

/* Names that fall into few places. */
static struct cg_hash name_of(unsigned i)
{
    struct cg_hash name = {.bytes = {0, (uint8_t)(i % 3)}};

    name.bytes[30] = (uint8_t)(i >> 8);
    name.bytes[31] = (uint8_t)i;
    return name;
}

static bool has(struct gw_evidence *store, unsigned i, struct cg_mono when, const char *want)
{
    struct cg_hash name = name_of(i);
    CG_AUTO(buf) struct cg_buf found = {0};

    cg_buf_init(&found, MAX);
    cg_err err = gw_evidence_find(store, &name, when, &found);
    if (err != CG_OK)
        return CHECK(err == CG_NOT_FOUND) && !want;
    return want && CHECK_SPAN(cg_buf_span(&found), cg_span_str(want));
}

static cg_err keep(struct gw_evidence *store, unsigned i, const char *text, int64_t max,
                   struct cg_mono when)
{
    struct cg_hash name = name_of(i);

    return gw_evidence_keep(store, &name, cg_span_str(text), max, when);
}

TEST(what_is_kept_is_found_for_a_minute)
{
    struct gw_evidence *store;

    CHECK_OK(gw_evidence_new(NULL, &store));
    CHECK(has(store, 1, now, NULL));
    CHECK_OK(keep(store, 1, "one", MAX, now));
    CHECK_OK(keep(store, 4, "four", MAX, later(10000)));
    CHECK(has(store, 1, later(59999), "one"));
    CHECK(has(store, 1, later(59999), "one")); /* a backend may ask twice */
    CHECK(has(store, 1, later(60000), NULL));
    CHECK(has(store, 4, later(60000), "four"));
    CHECK(has(store, 4, later(70000), NULL));
    gw_evidence_free(store);
}

TEST(what_is_kept_again_is_kept_anew_and_once)
{
    struct gw_evidence *store;

    CHECK_OK(gw_evidence_new(NULL, &store));
    CHECK_OK(keep(store, 1, "one", 200, now));
    CHECK_OK(keep(store, 1, "one", 200, later(50000)));
    for (int i = 0; i < 100; i++)
        CHECK_OK(keep(store, 1, "one", 200, later(50000)));
    CHECK(has(store, 1, later(109999), "one"));
    CHECK(has(store, 1, later(110000), NULL));
    gw_evidence_free(store);
}

TEST(the_budget_counts_all_of_it_and_comes_back)
{
    struct gw_evidence *store;
    unsigned n = 0, again = 0;

    CHECK_OK(gw_evidence_new(NULL, &store));
    while (keep(store, n, "some bytes of evidence", 10000, now) == CG_OK)
        n++;
    CHECK(n > 10 && n < 10000 / 22);
    CHECK_ERR(keep(store, n, "some bytes of evidence", 10000, now), CG_BUSY);
    CHECK(has(store, n, now, NULL));
    for (unsigned i = 0; i < n; i++)
        CHECK(has(store, i, now, "some bytes of evidence"));
    /* A minute later there is room for as many, and for none of the old. */
    while (keep(store, 1000 + again, "some bytes of evidence", 10000, later(60000)) == CG_OK)
        again++;
    CHECK_INT(again, n);
    for (unsigned i = 0; i < n; i++)
        CHECK(has(store, i, later(60000), NULL));
    /* A budget that was made smaller lets what is there be. */
    CHECK_ERR(keep(store, 5000, "x", 10, later(60000)), CG_BUSY);
    CHECK(has(store, 1000, later(60000), "some bytes of evidence"));
    gw_evidence_free(store);
}

TEST(neighbours_in_one_place_do_not_hide_each_other)
{
    struct gw_evidence *store;

    CHECK_OK(gw_evidence_new(NULL, &store));
    for (unsigned i = 0; i < 300; i++)
        CHECK_OK(keep(store, i, i % 2 ? "odd" : "even", MAX, later(i)));
    for (unsigned i = 0; i < 300; i++)
        CHECK(has(store, i, later(300), i % 2 ? "odd" : "even"));
    /* The oldest hundred are over. */
    for (unsigned i = 0; i < 300; i++)
        CHECK(has(store, i, later(60099), i < 100 ? NULL : i % 2 ? "odd" : "even"));
    gw_evidence_free(store);
}

SUITE(evidence, T(what_is_kept_is_found_for_a_minute), T(what_is_kept_again_is_kept_anew_and_once),
      T(the_budget_counts_all_of_it_and_comes_back),
      T(neighbours_in_one_place_do_not_hide_each_other))
