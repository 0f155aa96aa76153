#include "tests/support/check.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/trust/trust.h"

#include <stdio.h>

#define RUNS_MAX 5000

TEST(the_trust_file_survives_each_allocation_failing)
{
    static char text[32 * 1024];
    const struct cg_crypto *crypto = cg_test_crypto();
    bool failed = true;
    size_t n = 0;

    int len = snprintf(text, sizeof text, "%switness w %s\npin app/a.example %s\n",
                       cg_vector("record:trust"), cg_vector("checkpoint:witnesses.0.vkey"),
                       cg_vector("record:owner"));
    CHECK_OR_STOP(len > 0 && (size_t)len < sizeof text);
    while (failed && n < RUNS_MAX) {
        struct cg_trust *trust = NULL;

        cg_fail_alloc_at(++n);
        cg_err err = cg_trust_read(crypto, cg_span_of(text, (size_t)len), &trust, NULL);
        failed = cg_fail_alloc_off();
        CHECK((err == CG_OK) == (trust != NULL));
        CHECK(err == CG_OK || failed);
        cg_trust_free(trust);
    }
    CHECK(!failed);
    CHECK(n > 10);
}

SUITE(memory, T(the_trust_file_survives_each_allocation_failing))
