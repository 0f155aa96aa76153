#include "tests/support/check.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/vector.h"

#include "lib/access/policy.h"
#include "lib/base/span.h"

#define RUNS_MAX 1000

TEST(a_policy_survives_each_allocation_failing)
{
    struct cg_span json = cg_span_str(cg_vector("policy:policies.rbac.json"));
    bool failed = true;
    size_t n = 0;

    while (failed && n < RUNS_MAX) {
        struct cg_policy *policy = NULL;

        cg_fail_alloc_at(++n);
        cg_err err = cg_policy_read_json(json, &policy, NULL);
        failed = cg_fail_alloc_off();
        CHECK((err == CG_OK) == (policy != NULL));
        CHECK(err == CG_OK || (failed && (err == CG_NO_MEMORY || err == CG_CRYPTO)));
        cg_policy_free(policy);
    }
    CHECK(!failed);
    CHECK(n > 5);
}

SUITE(memory, T(a_policy_survives_each_allocation_failing))
