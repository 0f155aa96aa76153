#include "tests/support/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct cg_suite *suites;
static unsigned failures; /* of the running test */

void cg_suite_add(struct cg_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

bool cg_check(bool ok, const char *file, int line, const char *what)
{
    if (!ok && failures++ < 10)
        printf("# %s:%d: not so: %s\n", file, line, what);
    return ok;
}

bool cg_check_err(cg_err got, cg_err want, const char *file, int line, const char *what)
{
    if (got != want && failures++ < 10)
        printf("# %s:%d: %s gave %s, not %s\n", file, line, what, cg_err_name(got),
               cg_err_name(want));
    return got == want;
}

static void print_hex(const char *label, struct cg_span bytes)
{
    printf("#   %s (%zu bytes): ", label, bytes.len);
    for (size_t i = 0; i < bytes.len && i < 64; i++)
        printf("%02x", bytes.at[i]);
    printf("%s\n", bytes.len > 64 ? "..." : "");
}

bool cg_check_span(struct cg_span got, struct cg_span want, const char *file, int line,
                   const char *what)
{
    bool ok = got.len == want.len && (got.len == 0 || memcmp(got.at, want.at, got.len) == 0);

    if (!ok && failures++ < 10) {
        printf("# %s:%d: %s differs\n", file, line, what);
        print_hex("got", got);
        print_hex("want", want);
    }
    return ok;
}

bool cg_check_int(int64_t got, int64_t want, const char *file, int line, const char *what)
{
    if (got != want && failures++ < 10)
        printf("# %s:%d: %s is %" PRId64 ", not %" PRId64 "\n", file, line, what, got, want);
    return got == want;
}

/* Arguments are parts of test names; without any, all run. */
static bool is_asked_for(const char *suite, const char *test, int argc, char **argv)
{
    char name[256];

    if (argc < 2)
        return true;
    snprintf(name, sizeof name, "%s/%s", suite, test);
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    unsigned n = 0, n_failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const struct cg_suite *suite = suites; suite; suite = suite->next) {
        for (size_t i = 0; i < suite->n_tests; i++) {
            const struct cg_test *test = &suite->tests[i];

            if (!is_asked_for(suite->name, test->name, argc, argv))
                continue;
            failures = 0;
            test->run();
            n++;
            n_failed += failures != 0;
            printf("%s %u - %s: %s\n", failures ? "not ok" : "ok", n, suite->name, test->name);
        }
    }
    printf("1..%u\n%u passed, %u failed\n", n, n - n_failed, n_failed);
    return n_failed != 0 || n == 0;
}
