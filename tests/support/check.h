/* check.h: the harness. A test is a sentence, a file ends with the list of its tests.
 *
 *   TEST(refuses_what_ends_early) { CHECK_ERR(read(half), CG_SHORT); }
 *   SUITE(receipt, T(refuses_what_ends_early))
 */
#ifndef CG_TESTS_CHECK_H
#define CG_TESTS_CHECK_H
#include <httpcg/err.h>

struct cg_test {
    const char *name;
    void (*run)(void);
};

struct cg_suite {
    const char *name;
    const struct cg_test *tests;
    size_t n_tests;
    struct cg_suite *next;
};

void cg_suite_add(struct cg_suite *suite);
/* cg_check_fail notes a failure of the running test and goes on; true when ok. */
bool cg_check(bool ok, const char *file, int line, const char *what);
bool cg_check_err(cg_err got, cg_err want, const char *file, int line, const char *what);
bool cg_check_span(struct cg_span got, struct cg_span want, const char *file, int line,
                   const char *what);
bool cg_check_int(int64_t got, int64_t want, const char *file, int line, const char *what);

#define TEST(name) static void name(void)
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
#define SUITE(name, ...)                                                                           \
    static const struct cg_test name##_tests[] = {__VA_ARGS__};                                    \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        static struct cg_suite suite = {#name, name##_tests,                                       \
                                        sizeof name##_tests / sizeof name##_tests[0], NULL};       \
        cg_suite_add(&suite);                                                                      \
    }

#define CHECK(x) cg_check((x), __FILE__, __LINE__, #x)
/* CHECK_OR_STOP ends the test where going on would make no sense. */
#define CHECK_OR_STOP(x)                                                                           \
    do {                                                                                           \
        if (!CHECK(x))                                                                             \
            return;                                                                                \
    } while (0)
#define CHECK_ERR(call, want) cg_check_err((call), (want), __FILE__, __LINE__, #call)
#define CHECK_OK(call) CHECK_ERR(call, CG_OK)
#define CHECK_SPAN(got, want) cg_check_span((got), (want), __FILE__, __LINE__, #got)
#define CHECK_INT(got, want) cg_check_int((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, #got)

#endif
